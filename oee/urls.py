"""Addresses of OEE, and of the stops that it derives."""

from django.urls import re_path

from core.routers import Router
from oee import (
    api,
    changeover_api,
    closing_api,
    cost_api,
    downtime_api,
    explain_api,
    handover_api,
    kpi_api,
    lot_conditions_api,
    slow_cycles_api,
    stop_api,
)

router = Router()
router.register("oee/policy", api.OeePolicyViewSet)
router.register("oee/closing-rule", closing_api.ClosingRuleViewSet)
router.register("oee/shift-closing", closing_api.ShiftClosingViewSet)
router.register("oee/hour-comment", handover_api.HourCommentViewSet)
router.register("oee/shift-note", handover_api.ShiftNoteViewSet)
router.register("oee/shift-review", handover_api.ShiftReviewViewSet)
router.register("oee", api.OeeRecordViewSet)
router.register("changeover", changeover_api.ChangeoverRecordViewSet)
router.register("downtime/stop", stop_api.StopViewSet, basename="stop")
urlpatterns = [
    re_path(r"^oee/report/?$", api.OeeReportView.as_view(), name="oee-report"),
    re_path(r"^downtime/root-cause/?$", downtime_api.RootCauseView.as_view(), name="root-cause"),
    re_path(r"^downtime/changeover/?$", downtime_api.ChangeoverView.as_view(), name="changeover"),
    re_path(r"^downtime/reliability/?$", downtime_api.ReliabilityView.as_view(), name="reliability"),
    re_path(r"^downtime/pareto/?$", downtime_api.ParetoView.as_view(), name="pareto"),
    re_path(r"^oee/kpi/?$", kpi_api.KpiCatalogueView.as_view(), name="kpi-catalogue"),
    re_path(r"^oee/kpis/?$", kpi_api.KpiValuesView.as_view(), name="kpi-values"),
    re_path(r"^oee/explain/?$", explain_api.KpiExplanationView.as_view(), name="explain-kpi"),
    re_path(r"^oee/explain/element/?$", explain_api.ElementExplanationView.as_view(), name="explain-element"),
    re_path(r"^oee/explain/facts/?$", explain_api.RawFactsView.as_view(), name="explain-facts"),
    re_path(r"^oee/data-quality/?$", closing_api.DataQualityView.as_view(), name="data-quality"),
    re_path(r"^oee/change-log/?$", closing_api.ChangeLogView.as_view(), name="change-log"),
    re_path(r"^oee/slow-run/?$", slow_cycles_api.SlowRunsView.as_view(), name="slow-runs"),
    re_path(
        r"^material/lot/(?P<lot_id>\d{1,18})/conditions/?$",
        lot_conditions_api.LotConditionsView.as_view(),
        name="lot-conditions",
    ),
    re_path(r"^workorder/(?P<order_id>\d{1,18})/costs/?$", cost_api.OrderCostsView.as_view(), name="order-costs"),
    *router.urls,
]
