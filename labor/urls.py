"""Addresses of people and their hours."""

from django.urls import re_path

from core.routers import Router
from labor import api, hours_api

router = Router()
router.register("labor/employee", api.EmployeeViewSet)
router.register("labor/crew", api.CrewViewSet)
router.register("labor/skill-need", api.SkillNeedViewSet)
router.register("labor/skill", api.SkillViewSet)
router.register("labor/certificate", api.CertificateViewSet)
router.register("labor/absence", api.AbsenceViewSet)
router.register("labor/crew-assignment", api.CrewAssignmentViewSet)
router.register("labor/terms", api.EmploymentTermsViewSet)
router.register("labor/break-rule", api.BreakRuleViewSet)
router.register("labor/policy", api.LaborPolicyViewSet)
router.register("labor/attendance", api.AttendanceViewSet)
router.register("labor/entry", api.LaborEntryViewSet)
urlpatterns = [
    re_path(r"^labor/clock-in/?$", api.ClockInView.as_view(), name="labor-clock-in"),
    re_path(r"^labor/clock-out/?$", api.ClockOutView.as_view(), name="labor-clock-out"),
    re_path(r"^labor/start/?$", api.StartWorkView.as_view(), name="labor-start"),
    re_path(r"^labor/stop/?$", api.StopWorkView.as_view(), name="labor-stop"),
    re_path(r"^labor/crew-rotation/?$", hours_api.CrewRotationView.as_view(), name="labor-crew-rotation"),
    re_path(r"^labor/board/?$", hours_api.BoardView.as_view(), name="labor-board"),
    re_path(r"^labor/timesheet/?$", hours_api.TimesheetView.as_view(), name="labor-timesheet"),
    re_path(r"^labor/efficiency/?$", hours_api.EfficiencyView.as_view(), name="labor-efficiency"),
    re_path(r"^labor/to-approve/?$", hours_api.ToApproveView.as_view(), name="labor-to-approve"),
    re_path(r"^labor/approve/?$", hours_api.ApproveView.as_view(), name="labor-approve"),
    re_path(r"^labor/entry/(?P<pk>\d+)/correct/?$", hours_api.CorrectEntryView.as_view(), name="labor-correct-entry"),
    re_path(
        r"^labor/attendance/(?P<pk>\d+)/correct/?$",
        hours_api.CorrectAttendanceView.as_view(),
        name="labor-correct-attendance",
    ),
    re_path(r"^labor/hours/?$", api.HoursView.as_view(), name="labor-hours"),
    *router.urls,
]
