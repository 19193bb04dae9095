"""Read the hours of people: what they add up to, and how they compare with the standard."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from itertools import takewhile
from typing import TypeVar

from django.db.models import Max, Min, Q

from core.intervals import Interval, clip, intersect
from labor.apportion import Work, apportion, pieces
from labor.models import Attendance, Certificate, LaborEntry

_SECOND = 1_000_000

Key = TypeVar("Key", bound=Hashable)


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
    """Return people's hours over the past of a window; what is still open counts up to now."""
    return {
        employee_id: found["all"] for employee_id, found in hours_in(employee_ids, {"all": [window]}, now=now).items()
    }


def hours_in(
    employee_ids: Sequence[int], spans: Mapping[Key, Sequence[Interval]], *, now: datetime
) -> dict[int, dict[Key, Hours]]:
    """Return people's hours in several groups of disjoint spans at once, such as the shifts of a month.

    The standard time of an entry that is over is spread evenly over the time that it took, so hours of parts of a
    window add up to those of the window.
    """
    past = {
        key: sorted(part for span in group if (part := _past(span, now)) is not None) for key, group in spans.items()
    }
    found = {employee_id: {key: Hours() for key in spans} for employee_id in employee_ids}
    everything = [span for group in past.values() for span in group]
    if not everything:
        return found
    hull = Interval(min(span.start for span in everything), max(span.end for span in everything))
    for attendance in Attendance.objects.filter(touching(hull), employee__in=employee_ids):
        part = _part(attendance.started_at, attendance.ended_at, hull)
        for key, group in past.items():
            for inside in clip(group, part) if part else ():
                found[attendance.employee_id][key] += Hours(attendance=Fraction(inside.microseconds, _SECOND))
    for employee_id, entries in entries_around(employee_ids, hull).items():
        for key, _, hours in hours_of_entries(entries, past, now=now):
            found[employee_id][key] += hours
    return found


def hours_of_entries(
    entries: Sequence[LaborEntry], past: Mapping[Key, Sequence[Interval]], *, now: datetime
) -> Iterator[tuple[Key, LaborEntry, Hours]]:
    """Yield the hours that each of one person's entries has in groups of sorted, disjoint spans of the past.

    `entries` are those that touch the spans and those that share time with one of these (`entries_around`).
    """
    cut = _pieces_of(entries, now)
    whole: dict[int, Fraction] = defaultdict(Fraction)
    for span, keys in cut:
        for pk in keys:
            whole[pk] += Fraction(span.microseconds, len(keys) * _SECOND)
    by_id = {entry.pk: entry for entry in entries}
    for key, group in past.items():
        for pk, seconds in _shares_in(cut, group).items():
            yield key, by_id[pk], _hours(by_id[pk], seconds, whole[pk])


def _hours(entry: LaborEntry, seconds: Fraction, whole: Fraction) -> Hours:
    measured = entry.standard_seconds is not None and entry.ended_at is not None and whole > 0
    return Hours(
        breaks=seconds if entry.kind == LaborEntry.Kind.BREAK else Fraction(0),
        on_orders=seconds if entry.kind in LaborEntry.ON_ORDERS else Fraction(0),
        standard=Fraction(entry.standard_seconds or 0) * seconds / whole if measured else Fraction(0),
        measured=seconds if measured else Fraction(0),
    )


def touching(span: Interval) -> Q:
    """Return the condition of an entry or attendance to have time in a span."""
    return Q(started_at__lt=span.end) & (Q(ended_at__isnull=True) | Q(ended_at__gt=span.start))


def entries_around(employee_ids: Sequence[int], window: Interval) -> dict[int, list[LaborEntry]]:
    """Return people's entries that touch a window, and those that share time with one of these, by person."""
    found: dict[int, list[LaborEntry]] = defaultdict(list)
    inside = LaborEntry.objects.filter(touching(window), employee__in=employee_ids)
    reach = inside.aggregate(first=Min("started_at"), last=Max("ended_at"))
    first, last = min(reach["first"] or window.start, window.start), max(reach["last"] or window.end, window.end)
    for entry in LaborEntry.objects.filter(touching(Interval(first, last)), employee__in=employee_ids).order_by("pk"):
        found[entry.employee_id].append(entry)
    return found


def _pieces_of(entries: Iterable[LaborEntry], now: datetime) -> list[tuple[Interval, tuple[int, ...]]]:
    """Return the past of one person's entries, cut into the pieces that entries (by id) share;
    see `labor.apportion`.
    """
    works = []
    for entry in entries:
        end = min(entry.ended_at or now, now)
        if entry.started_at < end:
            works.append(Work(entry.pk, Interval(entry.started_at, end), entry.kind == LaborEntry.Kind.BREAK))
    return pieces(works)


def _shares_in(cut: Sequence[tuple[Interval, tuple[int, ...]]], group: Sequence[Interval]) -> dict[int, Fraction]:
    """Return the seconds that each entry has in sorted, disjoint spans; both lists are walked once."""
    shares: dict[int, Fraction] = defaultdict(Fraction)
    first = 0
    for span, keys in cut:
        while first < len(group) and group[first].end <= span.start:
            first += 1
        for inside in takewhile(lambda one, end=span.end: one.start < end, group[first:]):  # type: ignore[misc]
            part = intersect(inside, span)
            if part is not None:
                for pk in keys:
                    shares[pk] += Fraction(part.microseconds, len(keys) * _SECOND)
    return shares


def _past(span: Interval, now: datetime) -> Interval | None:
    return Interval(span.start, min(span.end, now)) if span.start < now else None


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
