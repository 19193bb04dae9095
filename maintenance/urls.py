"""Addresses of maintenance."""

from django.urls import re_path

from core.routers import Router
from maintenance import api

router = Router()
router.register("maintenance/plan", api.MaintenancePlanViewSet)
router.register("maintenance/tool", api.ToolViewSet)
router.register("maintenance/mounting", api.ToolMountingViewSet)
router.register("maintenance/order", api.MaintenanceOrderViewSet)
router.register("maintenance/step", api.MaintenanceStepViewSet)
router.register("maintenance/part", api.PartUseViewSet)
urlpatterns = [
    re_path(r"^maintenance/due/?$", api.DueView.as_view(), name="maintenance-due"),
    re_path(r"^maintenance/tool-life/?$", api.ToolLifeView.as_view(), name="maintenance-tool-life"),
    *router.urls,
]
