"""Addresses of places and the shift calendar."""

from core.routers import Router
from enterprise import api

router = Router()
router.register("enterprise", api.EnterpriseViewSet)
router.register("site", api.SiteViewSet)
router.register("area", api.AreaViewSet)
router.register("line", api.LineViewSet)
router.register("machine-class", api.MachineClassViewSet)
router.register("machine", api.MachineViewSet)
router.register("shift", api.ShiftViewSet)
router.register("shift-break", api.ShiftBreakViewSet)
router.register("calendar-exception", api.CalendarExceptionViewSet)
urlpatterns = router.urls
