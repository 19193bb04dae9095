"""REST of crew plans, the shift board, timesheets, efficiency, corrections and approval."""

from fractions import Fraction
from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import need
from core.errors import Invalid
from core.idempotency import Idempotent
from core.intervals import Interval
from core.master_data import caller, in_scope
from enterprise.models import Site
from labor import corrections, services
from labor.api import LONGEST_WINDOW_DAYS, not_ahead, numbers_of
from labor.approval import to_approve
from labor.board import Board, BoardShift, Person, shift_board
from labor.efficiency import Group, efficiency
from labor.hours_serializers import (
    ApproveSerializer,
    BoardQuerySerializer,
    CorrectAttendanceSerializer,
    CorrectEntrySerializer,
    EfficiencyQuerySerializer,
    PersonSerializer,
    RotationSerializer,
    TimesheetQuerySerializer,
    ToApproveQuerySerializer,
)
from labor.models import Attendance, Employee, LaborEntry
from labor.serializers import AttendanceSerializer, CrewAssignmentSerializer, LaborEntrySerializer
from labor.timesheets import TimesheetDay, timesheets

MOST_DAYS = 10_000
"""People × days of one timesheet request."""


class _Asked(Idempotent, APIView):
    kind = "labor"

    def asked(self, serializer: type[Any], data: Any) -> dict[str, Any]:
        said = serializer(data=data, context={"request": self.request})
        said.is_valid(raise_exception=True)
        return dict(said.validated_data)


class BoardView(_Asked):
    """The shift board of a day."""

    @extend_schema(parameters=[BoardQuerySerializer], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Say who should be there, who is, who is absent, and whose certificates are missing or expire.

        The kind of an absence is told to whoever may see employees.
        """
        asked = self.asked(BoardQuerySerializer, request.query_params)
        site, now = asked["site"], timezone.now()
        need(self, "view", site)
        board = shift_board(
            site,
            asked.get("date") or now.astimezone(site.zone).date(),
            now=now,
            line=asked.get("line"),
            shift=asked.get("shift"),
        )
        return Response(_board(board, caller(request).may("view", "employee", site.pk)))


def _board(board: Board, tells_kind: bool) -> dict[str, Any]:
    return {
        "site": board.site.pk,
        "date": board.date,
        "shifts": [_board_shift(shift, tells_kind) for shift in board.shifts],
        "unplanned": [_person(person, tells_kind) for person in board.unplanned],
    }


def _board_shift(shift: BoardShift, tells_kind: bool) -> dict[str, Any]:
    assignment, occurrence = shift.planned.assignment, shift.planned.occurrence
    return {
        "crew": assignment.crew_id,
        "shift": assignment.shift_id,
        "line": assignment.line_id,
        "name": occurrence.name,
        "starts_at": occurrence.start,
        "ends_at": occurrence.end,
        "people": [_person(person, tells_kind) for person in shift.people],
    }


def _person(person: Person, tells_kind: bool) -> dict[str, Any]:
    return {
        **PersonSerializer(person.employee).data,
        "state": person.state,
        "absence": person.absence.kind if person.absence and tells_kind else None,
        "came_at": person.came_at,
        "left_at": person.left_at,
        "skills_missing": [skill.code for skill in person.skills_missing],
        "expiring": [
            {"skill": certificate.skill.code, "valid_until": certificate.valid_until} for certificate in person.expiring
        ],
    }


class CrewRotationView(_Asked):
    """Rotations of crews."""

    kind = "employee"

    @extend_schema(request=RotationSerializer, responses={201: CrewAssignmentSerializer(many=True)})
    def post(self, request: Request) -> Response:
        """Let a crew take turns on shifts, a week each: an assignment for every shift."""
        asked = self.asked(RotationSerializer, request.data)
        need(self, "add", asked["crew"])
        made = services.plan_rotation(**asked)
        return Response(CrewAssignmentSerializer(made, many=True, context={"request": request}).data, status=201)


class TimesheetView(_Asked):
    """Timesheets."""

    @extend_schema(parameters=[TimesheetQuerySerializer], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Return people's days: attendance, breaks, overtime, cost. Whoever may not see employees gets their own."""
        asked = self.asked(TimesheetQuerySerializer, request.query_params)
        site: Site = asked["site"]
        need(self, "view", site)
        people = Employee.objects.filter(site=site).order_by("id")
        sees_all = caller(request).may("view", "employee", site.pk)
        if not sees_all:
            people = people.filter(user=caller(request).pk)
        if "crew" in asked:
            people = people.filter(crew=asked["crew"])
        if "employee" in asked:
            people = people.filter(pk=asked["employee"])
        ids = list(people.values_list("id", flat=True))
        days = (asked["last_date"] - asked["first_date"]).days + 1
        if days > LONGEST_WINDOW_DAYS or days * len(ids) > MOST_DAYS:
            raise Invalid("That is too much at once; ask for fewer days or one crew.", field="last_date")
        found = timesheets(site, ids, asked["first_date"], asked["last_date"], now=timezone.now())
        return Response({"days": [_sheet(day, sees_all) for days_of in found.values() for day in days_of]})


def _sheet(sheet: TimesheetDay, tells_cost: bool) -> dict[str, Any]:
    return {
        "employee": sheet.day.employee_id,
        "date": sheet.day.date,
        "shift": sheet.day.shift_id,
        "is_open": sheet.day.is_open,
        "planned_seconds": _text(sheet.planned),
        "attendance_seconds": _text(sheet.time.attendance),
        "break_seconds": _text(sheet.time.breaks),
        "deducted_seconds": _text(sheet.time.deducted),
        "paid_seconds": _text(sheet.time.paid),
        "overtime_seconds": _text(sheet.time.overtime),
        "overtime_counted_seconds": _text(sheet.overtime_counted),
        **({"cost": _text(sheet.time.cost)} if tells_cost else {}),
    }


def _text(number: Fraction | None) -> str | None:
    return None if number is None else str(number)


class EfficiencyView(_Asked):
    """Efficiency by crew, line, order, shift or person."""

    @extend_schema(parameters=[EfficiencyQuerySerializer], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Return worker and labour efficiency.

        Groups of fewer than three people are hidden, unless the site shows persons.
        """
        asked = self.asked(EfficiencyQuerySerializer, request.query_params)
        site, window = asked["site"], Interval(asked["starts_at"], asked["ends_at"])
        need(self, "view", site)
        if (window.end - window.start).days > LONGEST_WINDOW_DAYS:
            raise Invalid(f"The window is longer than {LONGEST_WINDOW_DAYS} days.", field="ends_at")
        found = efficiency(site, window, by=asked["by"], viewer_id=caller(request).pk, now=timezone.now())
        tells_cost = caller(request).may("view", "employee", site.pk)
        return Response(
            {
                "by": asked["by"],
                "all": None if found.all is None else _group(found.all, False),
                "groups": [_group(group, tells_cost) for group in found.groups],
                "hidden": found.hidden,
            }
        )


def _group(group: Group, tells_cost: bool) -> dict[str, Any]:
    numbers = numbers_of(group.hours)
    if not group.has_attendance:
        numbers |= {"attendance_seconds": None, "break_seconds": None, "worker_efficiency": None}
    return {
        "id": group.thing.pk if group.thing else None,
        "name": str(group.thing) if group.thing else None,
        "people": len(group.people),
        **numbers,
        **({"cost": _text(group.cost)} if tells_cost and not group.has_attendance else {}),
    }


class ToApproveView(_Asked):
    """What waits for approval."""

    @extend_schema(parameters=[ToApproveQuerySerializer], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Return a day's entries that are over and not approved, with what is odd about each."""
        asked = self.asked(ToApproveQuerySerializer, request.query_params)
        need(self, "change", asked["site"])
        found = to_approve(asked["site"], asked["date"], now=timezone.now(), crew=asked.get("crew"))
        versions = corrections.versions_of([pending.entry for pending in found.pending])
        return Response(
            {
                "entries": [
                    {
                        **LaborEntrySerializer(pending.entry).data,
                        "version": versions[pending.entry.pk],
                        "oddities": pending.oddities,
                    }
                    for pending in found.pending
                ],
                "not_ended": AttendanceSerializer(found.not_ended, many=True).data,
                "is_cut": found.is_cut,
            }
        )


class ApproveView(_Asked):
    """Approval of several entries."""

    @extend_schema(request=ApproveSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        """Approve entries, all or none; what is approved already is left alone."""
        asked = self.asked(ApproveSerializer, request.data)
        wanted = set(asked["entries"])
        mine = in_scope(LaborEntry.objects.filter(pk__in=wanted), request.user, LaborEntry.site_paths)
        entries = list(mine.select_related("employee__site"))
        if len(entries) != len(wanted):
            raise Invalid("Some of these entries do not exist.", field="entries")
        for site in {entry.employee.site for entry in entries}:
            need(self, "change", site)
        return Response({"approved": corrections.approve(entries=entries, actor=caller(request), at=timezone.now())})


class _Correct(_Asked):
    model: type[Attendance] | type[LaborEntry]

    def found(self, pk: str) -> Any:
        mine = in_scope(self.model._default_manager.all(), self.request.user, self.model.site_paths)
        # A number that no id can have is no id.
        thing = mine.select_related("employee").filter(pk=int(pk)).first() if len(pk) < 19 else None
        if thing is None:
            raise Http404
        need(self, "change", thing)
        return thing

    def changes(self, serializer: type[Any]) -> dict[str, Any]:
        asked = self.asked(serializer, self.request.data)
        for name in ("started_at", "ended_at"):
            if name in asked:
                not_ahead(asked[name])
        return asked


class CorrectEntryView(_Correct):
    """Corrections of entries."""

    model = LaborEntry

    @extend_schema(request=CorrectEntrySerializer, responses=LaborEntrySerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Correct an entry that is not approved, with the reason: 409 when it is, or when it is one's own."""
        entry, asked = self.found(pk), self.changes(CorrectEntrySerializer)
        return Response(
            LaborEntrySerializer(corrections.correct_entry(entry=entry, actor=caller(request), **asked)).data
        )


class CorrectAttendanceView(_Correct):
    """Corrections of attendances."""

    model = Attendance

    @extend_schema(request=CorrectAttendanceSerializer, responses=AttendanceSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Correct when somebody came or left, with the reason."""
        attendance, asked = self.found(pk), self.changes(CorrectAttendanceSerializer)
        return Response(
            AttendanceSerializer(
                corrections.correct_attendance(attendance=attendance, actor=caller(request), **asked)
            ).data
        )
