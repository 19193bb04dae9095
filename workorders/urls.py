"""Addresses of orders, schedule and runs."""

from core.routers import Router
from workorders import api, changeover_api

router = Router()
router.register("workorder/demand", api.DemandViewSet)
router.register("workorder/lot-sizing", api.LotSizingViewSet)
router.register("workorder/customer", api.CustomerViewSet)
router.register("workorder/reason", api.OrderReasonViewSet)
router.register("workorder", api.WorkOrderViewSet)
router.register("order-material", api.OrderMaterialViewSet)
router.register("schedule-run/schedule", api.ScheduleViewSet)
router.register("schedule-run/run", api.RunViewSet)
router.register("downtime/changeover-target", changeover_api.ChangeoverTargetViewSet)
router.register("downtime/changeover-task-done", changeover_api.ChangeoverTaskDoneViewSet)
router.register("downtime/changeover-task", changeover_api.ChangeoverTaskViewSet)
urlpatterns = router.urls
