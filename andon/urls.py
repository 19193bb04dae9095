"""Addresses of calls for help."""

from django.urls import re_path

from andon import api
from core.routers import Router

router = Router()
router.register("andon/call-type", api.CallTypeViewSet)
router.register("andon/escalation-step", api.EscalationStepViewSet)
router.register("andon/call", api.AndonCallViewSet)
router.register("andon/step", api.AndonStepViewSet)
urlpatterns = [
    re_path(r"^andon/open/?$", api.OpenCallsView.as_view(), name="andon-open"),
    re_path(r"^andon/response-times/?$", api.ResponseTimesView.as_view(), name="andon-response-times"),
    *router.urls,
]
