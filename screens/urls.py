"""The addresses of the pages."""

from django.urls import path

from screens import (
    changeovers,
    closed_shifts,
    dispatch,
    explain_views,
    lots,
    orders,
    people,
    records,
    schedule,
    terminal,
    views,
)

app_name = "screens"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("lines/<str:code>/", views.line_page, name="line"),
    path("shifts/", closed_shifts.closed_shifts, name="closed-shifts"),
    path("shifts/close/", closed_shifts.close, name="close-shift"),
    path("shifts/<int:closing_id>/", closed_shifts.closed_shift, name="closed-shift"),
    path("changes/", closed_shifts.change_log, name="change-log"),
    path("schedule/", schedule.schedule_page, name="schedule"),
    path("schedule/lines/<int:line_id>/place/", schedule.place, name="schedule-place"),
    path("schedule/entries/<int:entry_id>/", schedule.change, name="schedule-change"),
    path("lots/", lots.lot_list, name="lots"),
    path("lots/<int:lot_id>/", lots.lot_page, name="lot"),
    path("lots/<int:lot_id>/recall.csv", lots.recall_file, name="lot-recall"),
    path("orders/", orders.order_list, name="orders"),
    path("orders/<path:key>/", orders.order_page, name="order"),
    path("changeovers/", changeovers.changeover_list, name="changeovers"),
    path("changeovers/<int:changeover_id>/", changeovers.changeover_page, name="changeover"),
    path("records/", records.record_list, name="records"),
    path("records/<path:number>/pdf/", records.record_pdf, name="record-pdf"),
    path("records/<path:number>/", records.record_page, name="record"),
    path("people/", people.people, name="people"),
    path("labor/approval/", people.approval, name="labor-approval"),
    path("people/efficiency/", people.labor_efficiency, name="labor-efficiency"),
    path("terminal/", terminal.terminal, name="terminal"),
    path("dispatch/", dispatch.dispatch_list, name="dispatch"),
    path("kpis/", views.kpis, name="kpis"),
    path("explain/", explain_views.explain, name="explain"),
    path("fragments/overview/", views.overview_fragments, name="overview-fragments"),
    path("fragments/lines/<int:line_id>/", views.line_fragment, name="line-fragment"),
]
