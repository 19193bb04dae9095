"""The addresses of the pages of reports, and of files that are made in the background."""

from django.urls import path

from reports import export_views, views

app_name = "reports"
urlpatterns = [
    path("reports/", views.index, name="index"),
    path("reports/exports/", export_views.exports, name="exports"),
    path("reports/exports/new/", export_views.export_new, name="export-new"),
    path("reports/exports/state/", export_views.export_state, name="export-state"),
    path("reports/exports/<int:job_id>/file/", export_views.export_file, name="export-file"),
    path("reports/exports/<int:job_id>/end/", export_views.export_end, name="export-end"),
    path("reports/order/<path:number>/", views.order_page, name="order"),
    path("reports/<slug:code>/", views.report_page, name="report"),
]
