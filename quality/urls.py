"""Addresses of quality. Pages live in `screens`, whose `/quality/` is none of these."""

from django.urls import re_path

from core.routers import Router
from quality import api, asked_api, nonconformance_api, picture_api, setup_api

router = Router()
router.register("quality/plan", setup_api.InspectionPlanViewSet)
router.register("quality/characteristic", setup_api.CharacteristicViewSet)
router.register("quality/sampling-rule", setup_api.SamplingRuleViewSet)
router.register("quality/gauge", setup_api.GaugeViewSet)
router.register("quality/gauge-tag", setup_api.GaugeTagViewSet)
router.register("quality/calibration", api.CalibrationViewSet)
router.register("quality/inspection", api.InspectionViewSet)
router.register("quality/result", api.ResultViewSet)
router.register("quality/defect-code", setup_api.DefectCodeViewSet)
router.register("quality/defect", nonconformance_api.DefectViewSet)
router.register("quality/nonconformance", nonconformance_api.NonConformanceViewSet)
router.register("quality/picture", picture_api.PictureViewSet)
router.register("quality/corrective-action", nonconformance_api.CorrectiveActionViewSet)
router.register("quality/chart", setup_api.ControlChartViewSet)
router.register("quality/signal", setup_api.SignalViewSet)
urlpatterns = [
    re_path(r"^quality/due/?$", asked_api.DueView.as_view(), name="quality-due"),
    re_path(r"^quality/gate/?$", asked_api.GateView.as_view(), name="quality-gate"),
    re_path(r"^quality/gauge-study/?$", asked_api.GaugeStudyView.as_view(), name="quality-gauge-study"),
    re_path(r"^quality/pareto/?$", asked_api.ParetoView.as_view(), name="quality-pareto"),
    *router.urls,
]
