"""Read the hours of people: what they add up to, and how they compare with the standard."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from django.db.models import Q

from core.intervals import Interval, intersect
from labor.apportion import Work, apportion
from labor.models import Attendance, Certificate, LaborEntry

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Hours:
    """Seconds, exact. `attendance` is APAT, `on_orders` APWT (ISO 22400-2); `standard` what the work takes by it.

    `standard` is of the entries that have one, and `measured` the time that these took.
    """

    attendance: Fraction = Fraction(0)
    breaks: Fraction = Fraction(0)
    on_orders: Fraction = Fraction(0)
    standard: Fraction = Fraction(0)
    measured: Fraction = Fraction(0)

    @property
    def worker_efficiency(self) -> Fraction | None:
        """APWT / APAT, breaks left out of the attendance."""
        there = self.attendance - self.breaks
        return self.on_orders / there if there > 0 else None

    @property
    def labor_efficiency(self) -> Fraction | None:
        """Standard time / the time it took."""
        return self.standard / self.measured if self.measured else None

    def __add__(self, other: "Hours") -> "Hours":
        return Hours(
            self.attendance + other.attendance,
            self.breaks + other.breaks,
            self.on_orders + other.on_orders,
            self.standard + other.standard,
            self.measured + other.measured,
        )


def hours_of(employee_ids: Sequence[int], window: Interval, *, now: datetime) -> dict[int, Hours]:
    """Return people's hours over the past of a window; what is still open counts up to now.

    Standard times count with the entries that end in the window.
    """
    past = Interval(window.start, min(window.end, now)) if window.start < now else None
    if past is None:
        return {employee_id: Hours() for employee_id in employee_ids}
    touching = Q(started_at__lt=past.end) & (Q(ended_at__isnull=True) | Q(ended_at__gt=past.start))
    there: dict[int, Fraction] = defaultdict(Fraction)
    for attendance in Attendance.objects.filter(touching, employee__in=employee_ids):
        part = _part(attendance.started_at, attendance.ended_at, past)
        there[attendance.employee_id] += Fraction(part.microseconds if part else 0, _SECOND)
    entries: dict[int, list[LaborEntry]] = defaultdict(list)
    for entry in LaborEntry.objects.filter(touching, employee__in=employee_ids):
        entries[entry.employee_id].append(entry)
    return {
        employee_id: Hours(attendance=there[employee_id]) + _worked(entries[employee_id], past)
        for employee_id in employee_ids
    }


def _worked(entries: Iterable[LaborEntry], past: Interval) -> Hours:
    by_id = {entry.pk: entry for entry in entries}
    shares = shares_of(by_id.values(), past)
    hours = Hours()
    for pk, seconds in shares.items():
        entry = by_id[pk]
        measured = (
            entry.standard_seconds is not None
            and entry.ended_at is not None
            and past.start < entry.ended_at <= past.end
        )
        hours += Hours(
            breaks=seconds if entry.kind == LaborEntry.Kind.BREAK else Fraction(0),
            on_orders=seconds if entry.kind in LaborEntry.ON_ORDERS else Fraction(0),
            standard=Fraction(entry.standard_seconds or 0) if measured else Fraction(0),
            measured=seconds if measured else Fraction(0),
        )
    return hours


def shares_of(entries: Iterable[LaborEntry], past: Interval) -> dict[int, Fraction]:
    """Return the seconds of one person's entries within a span; what overlaps shares its time."""
    works = []
    for entry in entries:
        part = _part(entry.started_at, entry.ended_at, past)
        if part is not None:
            works.append(Work(entry.pk, part, entry.kind == LaborEntry.Kind.BREAK))
    return {key: share / _SECOND for key, share in apportion(works).items()}


def _part(start: datetime, end: datetime | None, past: Interval) -> Interval | None:
    end = past.end if end is None else end
    return intersect(Interval(start, end), past) if start < end else None


def expiring_certificates(site_id: int, *, on: date, until: date) -> Iterable[Certificate]:
    """Return the certificates of a site's people that are valid on a day and expire by another, the next first."""
    return (
        Certificate.objects.filter(
            employee__site=site_id,
            employee__is_active=True,
            valid_from__lte=on,
            valid_until__gte=on,
            valid_until__lte=until,
        )
        .select_related("employee", "skill")
        .order_by("valid_until", "employee")
    )
