"""The shift board: who should be there, who is there, who is absent, and whose certificates are missing or expire."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q

from core.intervals import Interval, intersect
from enterprise.models import Line, Shift, Site
from labor.crew_plan import PlannedShift, assignments_of, day_of, exceptions_around, planned_shifts
from labor.models import Absence, Attendance, Certificate, Crew, Employee, Skill, SkillNeed
from labor.selectors import touching
from labor.timesheets import policy_of

EXPECTED, MISSING, THERE, LEFT, ABSENT = "expected", "missing", "there", "left", "absent"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the board. `state` is expected, missing, there, left or absent; `absence` only when absent."""

    employee: Employee
    state: str
    absence: Absence | None
    came_at: datetime | None
    left_at: datetime | None
    skills_missing: tuple[Skill, ...]
    expiring: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class BoardShift:
    """A crew's shift of a day with its people."""

    planned: PlannedShift
    people: tuple[Person, ...]

    def count(self, *states: str) -> int:
        """Return how many are in a state."""
        return sum(person.state in states for person in self.people)


@dataclass(frozen=True, slots=True)
class Board:
    """A site's day: the planned shifts, the earliest first, and who is or was there although no shift of the day plans
    it.
    """

    site: Site
    date: date
    shifts: tuple[BoardShift, ...]
    unplanned: tuple[Person, ...]


def shift_board(site: Site, day: date, *, now: datetime, line: Line | None = None, shift: Shift | None = None) -> Board:
    """Return the board of the shifts that start on a day; narrowed to a line (with crews that work anywhere) or
    shift.
    """
    zone, window = site.zone, day_of(day, site.zone)
    crews = list(Crew.objects.filter(site=site, is_active=True).values_list("id", flat=True))
    assignments = [row for rows in assignments_of(crews).values() for row in rows if row.spans(day)]
    found = [
        planned
        for planned in planned_shifts(assignments, window, zone=zone, exceptions=exceptions_around(site, window))
        if planned.occurrence.shift_date == day
    ]
    hull = Interval(window.start, max([window.end, *(planned.occurrence.end for planned in found)]))
    people = list(Employee.objects.filter(site=site, is_active=True).select_related("crew").order_by("name", "pk"))
    members: dict[int | None, list[Employee]] = defaultdict(list)
    for employee in people:
        members[employee.crew_id].append(employee)
    known = _Known(people, hull, day, policy_of(site).expiry_warning)
    shown = [
        BoardShift(
            planned, tuple(known.person(employee, planned, now) for employee in members[planned.assignment.crew_id])
        )
        for planned in found
        if (line is None or planned.assignment.line_id in (None, line.pk))
        and (shift is None or planned.assignment.shift_id == shift.pk)
    ]
    # Of all planned crews, so that narrowing the board makes nobody look unplanned.
    planned_crews = {planned.assignment.crew_id for planned in found}
    unplanned = [
        known.person(employee, None, now)
        for employee in people
        if employee.crew_id not in planned_crews and known.was_there(employee, window, now)
    ]
    return Board(site, day, tuple(shown), tuple(unplanned))


class _Known:
    """What is known of people around a day, read in a handful of queries."""

    def __init__(self, people: Iterable[Employee], hull: Interval, day: date, warning_days: int) -> None:
        ids = [employee.pk for employee in people]
        self.day, self.until = day, day + timedelta(days=warning_days)
        self.attendances: dict[int, list[Attendance]] = defaultdict(list)
        for attendance in Attendance.objects.filter(touching(hull), employee__in=ids).order_by("started_at"):
            self.attendances[attendance.employee_id].append(attendance)
        self.absences = {
            absence.employee_id: absence
            for absence in Absence.objects.filter(employee__in=ids, first_date__lte=day, last_date__gte=day)
        }
        self.certificates: dict[int, list[Certificate]] = defaultdict(list)
        valid = Q(valid_until__isnull=True) | Q(valid_until__gte=day)
        rows = Certificate.objects.filter(valid, employee__in=ids, valid_from__lte=day).select_related("skill")
        for certificate in rows.order_by("valid_until", "skill"):
            self.certificates[certificate.employee_id].append(certificate)
        self.needs: dict[int, dict[int, Skill]] = defaultdict(dict)
        needs = SkillNeed.objects.filter(skill__is_active=True).select_related("skill", "machine").order_by("skill")
        for need in needs:
            of_line = need.line_id or (need.machine.line_id if need.machine else None)
            if of_line is not None:
                self.needs[of_line][need.skill_id] = need.skill

    def was_there(self, employee: Employee, window: Interval, now: datetime) -> bool:
        return any(_meets(attendance, window, now) for attendance in self.attendances[employee.pk])

    def person(self, employee: Employee, planned: PlannedShift | None, now: datetime) -> Person:
        inside = planned.occurrence.interval if planned else None
        here = [one for one in self.attendances[employee.pk] if inside is None or _meets(one, inside, now)]
        absence = self.absences.get(employee.pk)
        certificates = self.certificates[employee.pk]
        needed = self.needs.get(planned.assignment.line_id or 0, {}) if planned else {}
        held = {certificate.skill_id for certificate in certificates}
        lasting = {one.skill_id for one in certificates if one.valid_until is None or one.valid_until > self.until}
        return Person(
            employee=employee,
            state=_state(here, absence, inside, now),
            absence=absence,
            came_at=here[0].started_at if here else None,
            left_at=here[-1].ended_at if here else None,
            skills_missing=tuple(skill for pk, skill in needed.items() if pk not in held),
            expiring=tuple(one for one in certificates if one.skill_id not in lasting),
        )


def _meets(attendance: Attendance, span: Interval, now: datetime) -> bool:
    # Somebody who is there now is not there in a shift to come.
    end = attendance.ended_at or now
    return attendance.started_at < end and intersect(Interval(attendance.started_at, end), span) is not None


def _state(here: list[Attendance], absence: Absence | None, inside: Interval | None, now: datetime) -> str:
    if any(attendance.ended_at is None for attendance in here):
        return THERE
    if here:
        return LEFT
    if absence is not None:
        return ABSENT
    return MISSING if inside is not None and inside.start <= now else EXPECTED
