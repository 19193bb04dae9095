"""Addresses of state reasons, state history and corrections."""

from core.routers import Router
from downtime import api

router = Router()
router.register("downtime/state-reason", api.StateReasonViewSet)
router.register("downtime/state-history", api.StateHistoryViewSet)
router.register("downtime/state-correction", api.StateCorrectionViewSet)
urlpatterns = router.urls
