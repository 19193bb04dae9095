"""Addresses of quality. Pages live in `screens`, whose `/quality/` is none of these."""

from django.urls import re_path

from core.routers import Router
from quality import api, picture_api

router = Router()
router.register("quality/plan", api.InspectionPlanViewSet)
router.register("quality/characteristic", api.CharacteristicViewSet)
router.register("quality/sampling-rule", api.SamplingRuleViewSet)
router.register("quality/gauge", api.GaugeViewSet)
router.register("quality/gauge-tag", api.GaugeTagViewSet)
router.register("quality/calibration", api.CalibrationViewSet)
router.register("quality/inspection", api.InspectionViewSet)
router.register("quality/result", api.ResultViewSet)
router.register("quality/defect-code", api.DefectCodeViewSet)
router.register("quality/defect", api.DefectViewSet)
router.register("quality/nonconformance", api.NonConformanceViewSet)
router.register("quality/picture", picture_api.PictureViewSet)
router.register("quality/corrective-action", api.CorrectiveActionViewSet)
router.register("quality/chart", api.ControlChartViewSet)
router.register("quality/signal", api.SignalViewSet)
urlpatterns = [
    re_path(r"^quality/due/?$", api.DueView.as_view(), name="quality-due"),
    re_path(r"^quality/gate/?$", api.GateView.as_view(), name="quality-gate"),
    re_path(r"^quality/pareto/?$", api.ParetoView.as_view(), name="quality-pareto"),
    *router.urls,
]
