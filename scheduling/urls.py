"""Addresses of the schedule's knowledge."""

from django.urls import re_path

from core.routers import Router
from scheduling import api

router = Router()
router.register("scheduling/policy", api.SchedulingPolicyViewSet)
urlpatterns = [
    re_path(r"^scheduling/plan-against-actual/?$", api.PlanAgainstActualView.as_view(), name="plan-against-actual"),
    re_path(r"^scheduling/adherence/?$", api.AdherenceView.as_view(), name="schedule-adherence"),
    re_path(r"^scheduling/availability/?$", api.AvailabilityView.as_view(), name="schedule-availability"),
    re_path(r"^scheduling/suggest/?$", api.SuggestView.as_view(), name="schedule-suggest"),
    re_path(r"^scheduling/accept/?$", api.AcceptView.as_view(), name="schedule-accept"),
    *router.urls,
]
