"""The addresses of the pages."""

from django.urls import path

from screens import explain_views, views

app_name = "screens"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("lines/<str:code>/", views.line_page, name="line"),
    path("kpis/", views.kpis, name="kpis"),
    path("explain/", explain_views.explain, name="explain"),
    path("fragments/overview/", views.overview_fragments, name="overview-fragments"),
    path("fragments/lines/<int:line_id>/", views.line_fragment, name="line-fragment"),
]
