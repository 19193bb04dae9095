"""What people are paid for, day by day: attendance, breaks, overtime and cost; exact, None where it is not known."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db.models import Min

from core.intervals import Interval, clip, intersect, union
from core.shared_reads import once_each
from enterprise.models import Site
from enterprise.shift_calendar import ShiftOccurrence
from labor.crew_plan import PlannedShift, assignments_of, day_of, exceptions_around, planned_shifts
from labor.models import Attendance, BreakRule, CrewAssignment, Employee, EmploymentTerms, LaborEntry, LaborPolicy
from labor.paid_time import AgreedHours, Rule, deducted, overtime_by_agreement, rounded, total, without
from labor.selectors import touching

_SECOND = 1_000_000
_HOUR = 3600 * _SECOND


@dataclass(frozen=True, slots=True)
class WorkDay:
    """A person's day as spans of time. `overtime` is None when neither hours are agreed nor the crew is planned.

    An attendance belongs to the day of the planned shift that it overlaps most, otherwise to the day it begins on.
    """

    employee_id: int
    date: date
    shift_id: int | None
    planned: int | None
    attended: tuple[Interval, ...]
    breaks: tuple[Interval, ...]
    deducted: tuple[Interval, ...]
    overtime: tuple[Interval, ...] | None
    rate: Fraction | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class PaidTime:
    """Seconds, exact; `cost` in the site's currency. None = not known."""

    attendance: Fraction = Fraction(0)
    breaks: Fraction = Fraction(0)
    deducted: Fraction = Fraction(0)
    overtime: Fraction | None = Fraction(0)
    cost: Fraction | None = Fraction(0)

    @property
    def paid(self) -> Fraction:
        """Attendance without breaks."""
        return self.attendance - self.breaks - self.deducted

    def __add__(self, other: "PaidTime") -> "PaidTime":
        return PaidTime(
            self.attendance + other.attendance,
            self.breaks + other.breaks,
            self.deducted + other.deducted,
            _plus(self.overtime, other.overtime),
            _plus(self.cost, other.cost),
        )


@dataclass(frozen=True, slots=True)
class TimesheetDay:
    """A person's day in a timesheet; `overtime_counted` is rounded as the site decided, and what the cost follows."""

    day: WorkDay
    time: PaidTime
    planned: Fraction | None
    overtime_counted: Fraction | None


def _plus(one: Fraction | None, other: Fraction | None) -> Fraction | None:
    return None if one is None or other is None else one + other


def policy_of(site: Site | int) -> LaborPolicy:
    """Return what a site decided; the defaults where it decided nothing."""
    site_id = site if isinstance(site, int) else site.pk
    known = once_each("labor policies", [site_id], _policies_of, kept=True)
    return known.get(site_id) or LaborPolicy(site_id=site_id)


def _policies_of(site_ids: list[int]) -> dict[int, LaborPolicy]:
    return {policy.site_id: policy for policy in LaborPolicy.objects.filter(site__in=site_ids)}


def rates_of(employees: Iterable[Employee]) -> Callable[[int, date], Fraction | None]:
    """Return what an hour of each costs on a day, by the id of the person: by their terms, else by their page."""
    people = {employee.pk: employee.hourly_rate for employee in employees}
    terms: dict[int, list[EmploymentTerms]] = defaultdict(list)
    for row in EmploymentTerms.objects.filter(employee__in=people, hourly_rate__isnull=False):
        terms[row.employee_id].append(row)

    def rate(employee_id: int, day: date) -> Fraction | None:
        agreed = next((row.hourly_rate for row in terms[employee_id] if row.hold_on(day)), None)
        found = agreed if agreed is not None else people.get(employee_id)
        return None if found is None else Fraction(found)

    return rate


def timesheets(
    site: Site, employee_ids: Sequence[int], first: date, last: date, *, now: datetime
) -> dict[int, list[TimesheetDay]]:
    """Return the days of people of a site from one to another, both included; what is still open counts up to now."""
    window = Interval(day_of(first, site.zone).start, day_of(last, site.zone).end)
    policy = policy_of(site)
    found: dict[int, list[TimesheetDay]] = {employee_id: [] for employee_id in employee_ids}
    around = Interval(window.start - timedelta(days=1), window.end + timedelta(days=1))
    for day in work_days(site, employee_ids, around, now=now):
        if first <= day.date <= last:
            found[day.employee_id].append(_sheet(day, policy))
    return found


def paid_time(site: Site, employee_ids: Sequence[int], window: Interval, *, now: datetime) -> dict[int, PaidTime]:
    """Return people's paid time in a window; the parts of a window add up to it, since nothing is rounded."""
    supplement = _supplement(policy_of(site))
    found = {employee_id: PaidTime() for employee_id in employee_ids}
    for day in work_days(site, employee_ids, window, now=now):
        part = _clipped(day, window)
        found[day.employee_id] += _time(part, _seconds(part.overtime), supplement)
    return found


def _sheet(day: WorkDay, policy: LaborPolicy) -> TimesheetDay:
    counted = None
    if day.overtime is not None:
        whole = rounded(
            total(day.overtime), counts_from=policy.overtime_counts_from, rounds_to=policy.overtime_rounds_to
        )
        counted = Fraction(whole, _SECOND)
    planned = None if day.planned is None else Fraction(day.planned, _SECOND)
    return TimesheetDay(day, _time(day, counted, _supplement(policy)), planned, counted)


def _supplement(policy: LaborPolicy) -> Fraction | None:
    return None if policy.overtime_supplement is None else Fraction(policy.overtime_supplement) / 100


def _time(day: WorkDay, costed: Fraction | None, supplement: Fraction | None) -> PaidTime:
    """Sum a day up; `costed` is the overtime that a supplement is paid for."""
    attended, breaks, taken_off = (
        Fraction(total(spans), _SECOND) for spans in (day.attended, day.breaks, day.deducted)
    )
    weighed: Fraction | None = attended - breaks - taken_off
    if supplement is not None:
        weighed = _plus(weighed, None if costed is None else costed * supplement)
    cost = None if weighed is None or day.rate is None else weighed * day.rate / 3600
    return PaidTime(attended, breaks, taken_off, _seconds(day.overtime), Fraction(0) if weighed == 0 else cost)


def _seconds(spans: Iterable[Interval] | None) -> Fraction | None:
    return None if spans is None else Fraction(total(spans), _SECOND)


def _clipped(day: WorkDay, window: Interval) -> WorkDay:
    attended, breaks, taken_off = (tuple(clip(spans, window)) for spans in (day.attended, day.breaks, day.deducted))
    overtime = None if day.overtime is None else tuple(clip(day.overtime, window))
    if not attended:
        # Nothing of it is in the window, so nothing of it is unknown there.
        overtime = ()
    return WorkDay(
        day.employee_id,
        day.date,
        day.shift_id,
        day.planned,
        attended,
        breaks,
        taken_off,
        overtime,
        day.rate,
        day.is_open,
    )


def work_days(site: Site, employee_ids: Sequence[int], window: Interval, *, now: datetime) -> list[WorkDay]:
    """Return the days of people whose attendance touches a window, whole, by person and date.

    Whole weeks around it are read, because hours of a week decide about its last days.
    """
    people = {row.pk: row for row in Employee.objects.filter(pk__in=employee_ids, site=site)}
    hull = _hull(people, window, site)
    attendances: dict[int, list[Attendance]] = defaultdict(list)
    for row in Attendance.objects.filter(touching(hull), employee__in=people).order_by("started_at"):
        if row.started_at < now:
            attendances[row.employee_id].append(row)
    breaks: dict[int, list[Interval]] = defaultdict(list)
    pauses = LaborEntry.objects.filter(touching(hull), employee__in=people, kind=LaborEntry.Kind.BREAK)
    for pause in pauses:
        end = min(pause.ended_at or now, now)
        if pause.started_at < end:
            breaks[pause.employee_id].append(Interval(pause.started_at, end))
    plan = Plan(site, {person.crew_id for person in people.values() if person.crew_id}, hull)
    terms: dict[int, list[EmploymentTerms]] = defaultdict(list)
    for agreed in EmploymentTerms.objects.filter(employee__in=people):
        terms[agreed.employee_id].append(agreed)
    rules = [
        Rule(int(rule.after_hours * _HOUR), rule.minutes * 60 * _SECOND)
        for rule in BreakRule.objects.filter(policy__site=site)
    ]
    rate = rates_of(people.values())
    found: list[WorkDay] = []
    for employee_id in sorted(attendances):
        crew_id = people[employee_id].crew_id
        days = _days(attendances[employee_id], breaks[employee_id], plan, crew_id, rules, site, now)
        found += _with_overtime(employee_id, days, terms[employee_id], plan, crew_id, rate)
    return [day for day in found if any(intersect(span, window) for span in day.attended)]


def _hull(people: Mapping[int, Employee], window: Interval, site: Site) -> Interval:
    """Return the whole weeks to read for a window: an attendance that reaches in belongs to the week it began in."""
    reaching_in = Attendance.objects.filter(touching(window), employee__in=people)
    first = reaching_in.aggregate(first=Min("started_at"))["first"] or window.start
    # Its day may be the one before, by the plan; and that day's own attendance may begin a day earlier.
    day = min(first, window.start).astimezone(site.zone).date() - timedelta(days=1)
    monday = day - timedelta(days=day.weekday())
    return Interval(day_of(monday, site.zone).start - timedelta(days=2), window.end + timedelta(days=2))


class Plan:
    """The planned shifts of crews over some time."""

    def __init__(self, site: Site, crew_ids: Iterable[int], hull: Interval) -> None:
        self._assignments: dict[int, list[CrewAssignment]] = assignments_of(crew_ids)
        exceptions = exceptions_around(site, hull) if self._assignments else []
        self._shifts = {
            crew_id: planned_shifts(rows, hull, zone=site.zone, exceptions=exceptions)
            for crew_id, rows in self._assignments.items()
        }

    def shifts(self, crew_id: int | None) -> Sequence[PlannedShift]:
        """Return what a crew should work."""
        return self._shifts.get(crew_id or 0, [])

    def knows(self, crew_id: int | None, day: date) -> bool:
        """Say whether the crew is planned on a day, be it to be off."""
        return any(assignment.spans(day) for assignment in self._assignments.get(crew_id or 0, []))


@dataclass(slots=True)
class _Day:
    attended: list[Interval]
    breaks: list[Interval]
    deducted: list[Interval]
    paid: list[Interval]
    shift_id: int | None
    is_open: bool


def _days(
    attendances: Iterable[Attendance],
    pauses: Iterable[Interval],
    plan: Plan,
    crew_id: int | None,
    rules: Sequence[Rule],
    site: Site,
    now: datetime,
) -> dict[date, _Day]:
    found: dict[date, _Day] = {}
    for attendance in attendances:
        span = Interval(attendance.started_at, max(min(attendance.ended_at or now, now), attendance.started_at + _TICK))
        planned = _planned_for(span, plan.shifts(crew_id))
        day = planned.shift_date if planned else span.start.astimezone(site.zone).date()
        of_day = found.setdefault(day, _Day([], [], [], [], None, False))
        of_day.attended.append(span)
        of_day.shift_id = of_day.shift_id or (planned.shift_id if planned else None)
        of_day.is_open = of_day.is_open or attendance.ended_at is None
    booked = union(pauses)
    for of_day in found.values():
        of_day.attended = union(of_day.attended)
        of_day.breaks = [part for span in of_day.attended for part in clip(booked, span)]
        of_day.deducted = deducted(of_day.attended, of_day.breaks, rules)
        of_day.paid = without(without(of_day.attended, of_day.breaks), of_day.deducted)
    return found


_TICK = timedelta(microseconds=1)


def _planned_for(span: Interval, shifts: Iterable[PlannedShift]) -> ShiftOccurrence | None:
    best, longest = None, 0
    for planned in shifts:
        inside = intersect(planned.occurrence.interval, span)
        if inside is not None and inside.microseconds > longest:
            best, longest = planned.occurrence, inside.microseconds
    return best


def _with_overtime(
    employee_id: int,
    days: Mapping[date, _Day],
    terms: Sequence[EmploymentTerms],
    plan: Plan,
    crew_id: int | None,
    rate: Callable[[int, date], Fraction | None],
) -> list[WorkDay]:
    agreed = {
        day: AgreedHours(_microseconds(row.hours_per_day), _microseconds(row.hours_per_week))
        for day in days
        for row in terms
        if row.limits_hours and row.hold_on(day)
    }
    by_agreement = overtime_by_agreement({day: of_day.paid for day, of_day in days.items()}, agreed)
    should = union(planned.occurrence.interval for planned in plan.shifts(crew_id))
    lengths: dict[date, int] = defaultdict(int)
    for planned in plan.shifts(crew_id):
        lengths[planned.occurrence.shift_date] += planned.planned_microseconds
    found = []
    for day, of_day in sorted(days.items()):
        is_planned = plan.knows(crew_id, day)
        overtime: list[Interval] | None = by_agreement.get(day)
        if overtime is None and is_planned:
            overtime = without(of_day.paid, should)
        found.append(
            WorkDay(
                employee_id=employee_id,
                date=day,
                shift_id=of_day.shift_id,
                planned=lengths[day] if is_planned else None,
                attended=tuple(of_day.attended),
                breaks=tuple(of_day.breaks),
                deducted=tuple(of_day.deducted),
                overtime=None if overtime is None else tuple(overtime),
                rate=rate(employee_id, day),
                is_open=of_day.is_open,
            )
        )
    return found


def _microseconds(hours: Decimal | None) -> int | None:
    return None if hours is None else int(hours * _HOUR)
