"""Addresses of state reasons and their rules, state history and corrections."""

from core.routers import Router
from downtime import api

router = Router()
router.register("downtime/state-reason", api.StateReasonViewSet)
router.register("downtime/reason-place", api.ReasonPlaceViewSet)
router.register("downtime/reason-rule", api.ReasonRuleViewSet)
router.register("downtime/state-history", api.StateHistoryViewSet)
router.register("downtime/state-correction", api.StateCorrectionViewSet)
urlpatterns = router.urls
