"""Addresses of people and their hours."""

from django.urls import re_path

from core.routers import Router
from labor import api

router = Router()
router.register("labor/employee", api.EmployeeViewSet)
router.register("labor/crew", api.CrewViewSet)
router.register("labor/skill-need", api.SkillNeedViewSet)
router.register("labor/skill", api.SkillViewSet)
router.register("labor/certificate", api.CertificateViewSet)
router.register("labor/absence", api.AbsenceViewSet)
router.register("labor/policy", api.LaborPolicyViewSet)
router.register("labor/attendance", api.AttendanceViewSet)
router.register("labor/entry", api.LaborEntryViewSet)
urlpatterns = [
    re_path(r"^labor/clock-in/?$", api.ClockInView.as_view(), name="labor-clock-in"),
    re_path(r"^labor/clock-out/?$", api.ClockOutView.as_view(), name="labor-clock-out"),
    re_path(r"^labor/start/?$", api.StartWorkView.as_view(), name="labor-start"),
    re_path(r"^labor/hours/?$", api.HoursView.as_view(), name="labor-hours"),
    *router.urls,
]
