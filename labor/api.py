"""REST of people and their hours, and the shared terminal at which they clock in and start their work."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet, need
from core.errors import Conflict, Invalid
from core.fact_api import MAX_AHEAD
from core.idempotency import Idempotent
from core.intervals import Interval
from core.master_data import caller
from labor import corrections, services
from labor.efficiency import efficiency
from labor.identification import identify
from labor.models import (
    Absence,
    Attendance,
    BreakRule,
    Certificate,
    Crew,
    CrewAssignment,
    Employee,
    EmploymentTerms,
    LaborEntry,
    LaborPolicy,
    Skill,
    SkillNeed,
)
from labor.selectors import Hours
from labor.serializers import (
    AbsenceSerializer,
    AttendanceSerializer,
    BreakRuleSerializer,
    CertificateSerializer,
    ClockSerializer,
    CrewAssignmentSerializer,
    CrewSerializer,
    EmployeeSerializer,
    EmploymentTermsSerializer,
    HoursQuerySerializer,
    LaborEntrySerializer,
    LaborPolicySerializer,
    SiteHoursSerializer,
    SkillNeedSerializer,
    SkillSerializer,
    StartWorkSerializer,
    StopAtTerminalSerializer,
    StopWorkSerializer,
)

LONGEST_WINDOW_DAYS = 100


class CrewViewSet(MasterDataViewSet):
    """Crews."""

    kind = "employee"
    queryset = Crew.objects.all()
    serializer_class = CrewSerializer
    filterset_fields = ("code", "site", "is_active")


class EmployeeViewSet(MasterDataViewSet):
    """Employees. A PIN is set in the admin, and never read."""

    kind = "employee"
    queryset = Employee.objects.select_related("site", "crew")
    serializer_class = EmployeeSerializer
    filterset_fields = ("code", "site", "crew", "is_active")
    search_fields = ("code", "name")
    ordering_fields = ("id", "code", "name")


class SkillViewSet(MasterDataViewSet):
    """Skills."""

    queryset = Skill.objects.all()
    serializer_class = SkillSerializer
    filterset_fields = ("code", "is_active")


class SkillNeedViewSet(MasterDataViewSet):
    """Which skills machines and lines need."""

    queryset = SkillNeed.objects.select_related("skill", "line", "machine")
    serializer_class = SkillNeedSerializer
    filterset_fields = ("skill", "line", "machine")


class CertificateViewSet(MasterDataViewSet):
    """Who has which skill, and until when."""

    kind = "employee"
    queryset = Certificate.objects.select_related("employee", "skill")
    serializer_class = CertificateSerializer
    filterset_fields = {"employee": ["exact"], "skill": ["exact"], "valid_until": ["gte", "lt", "isnull"]}


class AbsenceViewSet(MasterDataViewSet):
    """Who is not there, and when."""

    kind = "employee"
    queryset = Absence.objects.select_related("employee")
    serializer_class = AbsenceSerializer
    filterset_fields = {"employee": ["exact"], "kind": ["exact"], "first_date": ["gte", "lt"], "last_date": ["gte"]}


class LaborPolicyViewSet(MasterDataViewSet):
    """What sites decide about the hours of their people."""

    queryset = LaborPolicy.objects.select_related("site")
    serializer_class = LaborPolicySerializer
    filterset_fields = ("site",)


class BreakRuleViewSet(MasterDataViewSet):
    """Breaks that are taken off when people did not book as much."""

    queryset = BreakRule.objects.select_related("policy")
    serializer_class = BreakRuleSerializer
    filterset_fields = ("policy",)


class CrewAssignmentViewSet(MasterDataViewSet):
    """Which crew works which shift, and when."""

    kind = "employee"
    queryset = CrewAssignment.objects.select_related("crew", "shift", "line")
    serializer_class = CrewAssignmentSerializer
    filterset_fields = {"crew": ["exact"], "shift": ["exact"], "line": ["exact"], "first_date": ["gte", "lte"]}


class EmploymentTermsViewSet(MasterDataViewSet):
    """Agreed hours and rates from a day on."""

    kind = "employee"
    queryset = EmploymentTerms.objects.select_related("employee")
    serializer_class = EmploymentTermsSerializer
    filterset_fields = {"employee": ["exact"], "valid_from": ["gte", "lte"]}


class AttendanceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Who was there, and when."""

    kind = "labor"
    queryset = Attendance.objects.select_related("employee")
    serializer_class = AttendanceSerializer
    filterset_fields = {"employee": ["exact"], "started_at": ["gte", "lt"], "ended_at": ["gte", "lt", "isnull"]}
    ordering = ("-started_at", "-id")
    lookup_value_regex = r"\d+"


class LaborEntryViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Who worked on what. Work starts at `/labor/start/`, and ends at `stop` of its entry."""

    kind = "labor"
    queryset = LaborEntry.objects.select_related("employee")
    serializer_class = LaborEntrySerializer
    filterset_fields = {
        "employee": ["exact"],
        "work_order": ["exact"],
        "kind": ["exact", "in"],
        "line": ["exact"],
        "machine": ["exact"],
        "started_at": ["gte", "lt"],
        "ended_at": ["gte", "lt", "isnull"],
        "approved_at": ["isnull"],
    }
    ordering = ("-started_at", "-id")
    lookup_value_regex = r"\d+"

    @extend_schema(request=StopWorkSerializer, responses=LaborEntrySerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str = "") -> Response:
        """End the work, with what came of it: 409 when it has ended.

        For the log-in that started it, the person's own, and supervisors; at another terminal use `/labor/stop/`.
        """
        entry = self.get_object()
        need(self, "add", entry)
        if caller(request).pk not in (entry.recorded_by_id, entry.employee.user_id):
            need(self, "change", entry)
        said = StopWorkSerializer(data=request.data, context={"request": request})
        said.is_valid(raise_exception=True)
        values = said.validated_data
        shown_for = values.pop("employee", None)
        if shown_for is not None and shown_for.pk != entry.employee_id:
            raise Conflict(f"It is of {entry.employee}, not of {shown_for}.", field="employee")
        at = not_ahead(values.pop("at", None))
        stopped = services.stop_work(entry=entry, at=at, actor=caller(request), **values)
        return Response(self.get_serializer(stopped).data)

    @extend_schema(request=None, responses=LaborEntrySerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str = "") -> Response:
        """Approve it: nobody changes it any more."""
        entry = self.get_object()
        need(self, "change", entry)
        corrections.approve(entries=[entry], actor=caller(request), at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)


def not_ahead(at: datetime | None) -> datetime:
    """Return a moment that was given, or now. Raises Invalid for one in the future."""
    now = timezone.now()
    if at is not None and at > now + MAX_AHEAD:
        raise Invalid("That is in the future.", field="at")
    return at or now


class _Terminal(Idempotent, APIView):
    """A terminal that people share: every entry goes in the name of who is identified with it."""

    kind = "labor"

    def _who(self, request: Request, values: dict[str, Any]) -> tuple[Employee, datetime]:
        site = values.pop("site")
        need(self, "add", site)
        who = {name: values.pop(name) for name in ("badge", "code", "pin") if name in values}
        at = not_ahead(values.pop("at", None))
        return identify(site=site, terminal=caller(request), now=timezone.now(), **who), at


class ClockInView(_Terminal):
    """Clock in."""

    @extend_schema(request=ClockSerializer, responses={201: AttendanceSerializer})
    def post(self, request: Request) -> Response:
        """Say that somebody came: 409 when they are there already."""
        said = ClockSerializer(data=request.data, context={"request": request})
        said.is_valid(raise_exception=True)
        values = said.validated_data
        employee, at = self._who(request, values)
        came = services.clock_in(employee=employee, at=at, actor=caller(request), **values)
        return Response(AttendanceSerializer(came).data, status=201)


class ClockOutView(_Terminal):
    """Clock out."""

    @extend_schema(request=ClockSerializer, responses=AttendanceSerializer)
    def post(self, request: Request) -> Response:
        """Say that somebody left; what they worked on ends."""
        said = ClockSerializer(data=request.data, context={"request": request})
        said.is_valid(raise_exception=True)
        values = said.validated_data
        employee, at = self._who(request, values)
        went = services.clock_out(employee=employee, at=at, actor=caller(request), **values)
        return Response(AttendanceSerializer(went).data)


class StartWorkView(_Terminal):
    """Start work."""

    @extend_schema(request=StartWorkSerializer, responses={201: LaborEntrySerializer})
    def post(self, request: Request) -> Response:
        """Say that somebody begins to work on something: 409, with the certificate's name, when they may not."""
        said = StartWorkSerializer(data=request.data, context={"request": request})
        said.is_valid(raise_exception=True)
        values = said.validated_data
        employee, at = self._who(request, values)
        entry = services.start_work(
            employee=employee, at=at, actor=caller(request), recorded_at=timezone.now(), **values
        )
        return Response(LaborEntrySerializer(entry).data, status=201)


class StopWorkView(_Terminal):
    """Stop work."""

    @extend_schema(request=StopAtTerminalSerializer, responses=LaborEntrySerializer)
    def post(self, request: Request) -> Response:
        """Say that somebody's work ended, and what came of it: 409 when the entry is not theirs, or has ended."""
        said = StopAtTerminalSerializer(data=request.data, context={"request": request})
        said.is_valid(raise_exception=True)
        values = said.validated_data
        employee, at = self._who(request, values)
        entry = values.pop("entry")
        if entry.employee_id != employee.pk:
            raise Conflict(f"That entry is not of {employee}.", field="entry")
        stopped = services.stop_work(entry=entry, at=at, actor=caller(request), **values)
        return Response(LaborEntrySerializer(stopped).data)


class HoursView(APIView):
    """Hours of a site's people over a window, with worker efficiency (APWT / APAT) and labour efficiency."""

    kind = "labor"

    @extend_schema(parameters=[HoursQuerySerializer], responses=SiteHoursSerializer)
    def get(self, request: Request) -> Response:
        """Add them up. Single persons are shown where the site's policy says so, and to themselves.

        `all` is null for fewer than three people, unless the policy shows persons.
        """
        query = HoursQuerySerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        site, window = (
            query.validated_data["site"],
            Interval(query.validated_data["starts_at"], query.validated_data["ends_at"]),
        )
        need(self, "view", site)
        if (window.end - window.start).days > LONGEST_WINDOW_DAYS:
            raise Invalid(f"The window is longer than {LONGEST_WINDOW_DAYS} days.", field="ends_at")
        found = efficiency(site, window, by="person", viewer_id=caller(request).pk, now=timezone.now())
        return Response(
            {
                "all": None if found.all is None else numbers_of(found.all.hours),
                "persons": [
                    {"employee": pk, **numbers_of(group.hours)} for group in found.groups for pk in group.people
                ],
            }
        )


def numbers_of(hours: Hours) -> dict[str, str | None]:
    """Return hours as they travel: exact numbers as text."""
    values = {
        "attendance_seconds": hours.attendance,
        "break_seconds": hours.breaks,
        "on_orders_seconds": hours.on_orders,
        "worker_efficiency": hours.worker_efficiency,
        "labor_efficiency": hours.labor_efficiency,
    }
    return {name: None if value is None else str(value) for name, value in values.items()}
