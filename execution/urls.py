"""Addresses of work on operations."""

from django.urls import re_path

from core.routers import Router
from execution import api

router = Router()
router.register("operation", api.OperationViewSet, basename="operation")
router.register("execution/operation", api.WorkViewSet, basename="execution-operation")
router.register("execution/run", api.OperationRunViewSet)
router.register("execution/step", api.OperationStepViewSet)
router.register("execution/report", api.ProductionReportViewSet)
router.register("execution/reading", api.ParameterReadingViewSet)
router.register("execution/scrap-reason", api.ScrapReasonViewSet)
router.register("execution/policy", api.ExecutionPolicyViewSet)
urlpatterns = [
    re_path(r"^execution/dispatch/?$", api.DispatchView.as_view(), name="dispatch-list-of-work"),
    re_path(r"^execution/progress/?$", api.ProgressView.as_view(), name="execution-progress"),
    *router.urls,
]
