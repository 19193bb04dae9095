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

from core.api import MasterDataViewSet
from core.errors import Invalid
from core.idempotency import Idempotent
from core.intervals import Interval
from core.master_data import caller, site_id_of
from labor import services
from labor.models import (
    Absence,
    Attendance,
    Certificate,
    Crew,
    Employee,
    LaborEntry,
    LaborPolicy,
    Skill,
    SkillNeed,
)
from labor.selectors import Hours, hours_of
from labor.serializers import (
    AbsenceSerializer,
    AttendanceSerializer,
    CertificateSerializer,
    ClockSerializer,
    CrewSerializer,
    EmployeeSerializer,
    HoursQuerySerializer,
    LaborEntrySerializer,
    LaborPolicySerializer,
    SkillNeedSerializer,
    SkillSerializer,
    StartWorkSerializer,
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


class AttendanceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Who was there, and when."""

    kind = "labor"
    queryset = Attendance.objects.select_related("employee")
    serializer_class = AttendanceSerializer
    filterset_fields = {"employee": ["exact"], "started_at": ["gte", "lt"], "ended_at": ["gte", "lt", "isnull"]}
    ordering = ("-started_at", "-id")
    lookup_value_regex = r"\d+"

    def site_id_of(self, thing: Any) -> int | None:
        """Return the site of the person."""
        return site_id_of(thing)


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

    def site_id_of(self, thing: Any) -> int | None:
        """Return the site of the person."""
        return site_id_of(thing)

    @extend_schema(request=StopWorkSerializer, responses=LaborEntrySerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str = "") -> Response:
        """End the work, with what came of it: 409 when it has ended."""
        entry = self.get_object()
        self._may("add", entry)
        said = StopWorkSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        values = said.validated_data
        at = values.pop("at", None) or timezone.now()
        return Response(self.get_serializer(services.stop_work(entry=entry, at=at, **values)).data)

    @extend_schema(request=None, responses=LaborEntrySerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str = "") -> Response:
        """Approve it: nobody changes it any more."""
        entry = self.get_object()
        self._may("change", entry)
        services.approve(entries=[entry], actor=caller(request), at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)

    def _may(self, action: str, entry: LaborEntry) -> None:
        if not caller(self.request).may(action, self.kind, site_id_of(entry)):
            self.permission_denied(self.request, "Your role at that site does not allow this.")


class _Terminal(Idempotent, APIView):
    """A terminal that people share: every entry goes in the name of who is identified with it."""

    kind = "labor"

    def _who(self, request: Request, values: dict[str, Any]) -> tuple[Employee, datetime]:
        site = values.pop("site")
        if not caller(request).may("add", self.kind, site.pk):
            self.permission_denied(request, "Your role at that site does not allow this.")
        who = {name: values.pop(name) for name in ("badge", "code", "pin") if name in values}
        return services.identify(site=site, **who), values.pop("at", None) or timezone.now()


class ClockInView(_Terminal):
    """Clock in."""

    @extend_schema(request=ClockSerializer, responses={201: AttendanceSerializer})
    def post(self, request: Request) -> Response:
        """Say that somebody came: 409 when they are there already."""
        said = ClockSerializer(data=request.data, context={"request": request})
        said.is_valid(raise_exception=True)
        employee, at = self._who(request, said.validated_data)
        return Response(AttendanceSerializer(services.clock_in(employee=employee, at=at)).data, status=201)


class ClockOutView(_Terminal):
    """Clock out."""

    @extend_schema(request=ClockSerializer, responses=AttendanceSerializer)
    def post(self, request: Request) -> Response:
        """Say that somebody left; what they worked on ends."""
        said = ClockSerializer(data=request.data, context={"request": request})
        said.is_valid(raise_exception=True)
        employee, at = self._who(request, said.validated_data)
        return Response(AttendanceSerializer(services.clock_out(employee=employee, at=at)).data)


class StartWorkView(_Terminal):
    """Start work."""

    @extend_schema(request=StartWorkSerializer, responses={201: LaborEntrySerializer})
    def post(self, request: Request) -> Response:
        """Say that somebody begins to work on something: 409, with the certificate's name, when they may not."""
        said = StartWorkSerializer(data=request.data, context={"request": request})
        said.is_valid(raise_exception=True)
        values = said.validated_data
        employee, at = self._who(request, values)
        entry = services.start_work(employee=employee, at=at, actor=caller(request), **values)
        return Response(LaborEntrySerializer(entry).data, status=201)


class HoursView(APIView):
    """Hours of a site's people over a window, with worker efficiency (APWT / APAT) and labour efficiency."""

    kind = "labor"

    @extend_schema(parameters=[HoursQuerySerializer])
    def get(self, request: Request) -> Response:
        """Add them up. Single persons are shown where the site's policy says so, and to themselves."""
        query = HoursQuerySerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        site, window = (
            query.validated_data["site"],
            Interval(query.validated_data["starts_at"], query.validated_data["ends_at"]),
        )
        if not caller(request).may("view", self.kind, site.pk):
            self.permission_denied(request, "Your role at that site does not allow this.")
        if (window.end - window.start).days > LONGEST_WINDOW_DAYS:
            raise Invalid(f"The window is longer than {LONGEST_WINDOW_DAYS} days.", field="ends_at")
        people = {employee.pk: employee for employee in Employee.objects.filter(site=site)}
        hours = hours_of(list(people), window, now=timezone.now())
        shows_persons = LaborPolicy.objects.filter(site=site, shows_persons=True).exists()
        own = caller(request).pk
        return Response(
            {
                "all": _numbers(sum(hours.values(), start=Hours())),
                "persons": [
                    {"employee": pk, **_numbers(of_person)}
                    for pk, of_person in hours.items()
                    if shows_persons or people[pk].user_id == own
                ],
            }
        )


def _numbers(hours: Hours) -> dict[str, str | None]:
    values = {
        "attendance_seconds": hours.attendance,
        "break_seconds": hours.breaks,
        "on_orders_seconds": hours.on_orders,
        "worker_efficiency": hours.worker_efficiency,
        "labor_efficiency": hours.labor_efficiency,
    }
    return {name: None if value is None else str(value) for name, value in values.items()}
