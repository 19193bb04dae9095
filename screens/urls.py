"""The addresses of the pages."""

from django.urls import path

from screens import closed_shifts, dispatch, explain_views, lots, views

app_name = "screens"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("lines/<str:code>/", views.line_page, name="line"),
    path("shifts/", closed_shifts.closed_shifts, name="closed-shifts"),
    path("shifts/close/", closed_shifts.close, name="close-shift"),
    path("shifts/<int:closing_id>/", closed_shifts.closed_shift, name="closed-shift"),
    path("changes/", closed_shifts.change_log, name="change-log"),
    path("lots/", lots.lot_list, name="lots"),
    path("lots/<int:lot_id>/", lots.lot_page, name="lot"),
    path("lots/<int:lot_id>/recall.csv", lots.recall_file, name="lot-recall"),
    path("dispatch/", dispatch.dispatch_list, name="dispatch"),
    path("kpis/", views.kpis, name="kpis"),
    path("explain/", explain_views.explain, name="explain"),
    path("fragments/overview/", views.overview_fragments, name="overview-fragments"),
    path("fragments/lines/<int:line_id>/", views.line_fragment, name="line-fragment"),
]
