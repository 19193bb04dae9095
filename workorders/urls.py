"""Addresses of orders, schedule and runs."""

from core.routers import Router
from workorders import api

router = Router()
router.register("workorder", api.WorkOrderViewSet)
router.register("schedule-run/schedule", api.ScheduleViewSet)
router.register("schedule-run/run", api.RunViewSet)
urlpatterns = router.urls
