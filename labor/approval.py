"""What is to be approved, and what is odd about it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q

from core.intervals import Interval, clip, subtract
from enterprise.models import Site
from labor.crew_plan import day_of
from labor.models import Attendance, Crew, Employee, LaborEntry
from labor.selectors import touching
from labor.timesheets import policy_of

NOT_ENDED, NO_CLOCK_OUT, OVERLAPPING, TOO_LONG, OUTSIDE = (
    "not ended",
    "no clock-out",
    "overlapping",
    "too long",
    "outside attendance",
)
MOST_ENTRIES = 500
_READ_AROUND = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Pending:
    """An entry to approve with what is odd about it."""

    entry: LaborEntry
    oddities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToApprove:
    """A day's entries that are not approved, attendances that nobody ended, and whether there are more entries.

    Entries that are not over are among them once they are too long to be going on.
    """

    pending: tuple[Pending, ...]
    not_ended: tuple[Attendance, ...]
    is_cut: bool


def to_approve(site: Site, day: date, *, now: datetime, crew: Crew | None = None) -> ToApprove:
    """Return what began on a day of a site and waits for approval, by person and time."""
    span, policy = day_of(day, site.zone), policy_of(site)
    people = Employee.objects.filter(site=site, **({"crew": crew} if crew else {}))
    began = {"employee__in": people, "started_at__gte": span.start, "started_at__lt": span.end}
    longest = timedelta(hours=policy.longest_entry)
    # What nobody ended is shown to be corrected; it cannot be approved as it is.
    due = Q(ended_at__isnull=False) | Q(started_at__lt=now - longest)
    rows = LaborEntry.objects.filter(due, **began, approved_at__isnull=True)
    entries = list(
        rows.select_related("employee", "work_order", "line", "machine", "recorded_by").order_by(
            "employee__name", "employee", "started_at", "pk"
        )[: MOST_ENTRIES + 1]
    )
    not_ended = Attendance.objects.filter(Q(started_at__lt=now - longest), **began, ended_at__isnull=True)
    return ToApprove(
        tuple(_marked(entries[:MOST_ENTRIES], span, longest, now)),
        tuple(not_ended.select_related("employee").order_by("employee__name", "started_at")),
        len(entries) > MOST_ENTRIES,
    )


def _marked(entries: Sequence[LaborEntry], span: Interval, longest: timedelta, now: datetime) -> Iterable[Pending]:
    ids = {entry.employee_id for entry in entries}
    last = max((entry.ended_at for entry in entries if entry.ended_at), default=span.end)
    around = Interval(span.start - _READ_AROUND, max(last, span.end))
    attendances: dict[int, list[Attendance]] = defaultdict(list)
    for attendance in Attendance.objects.filter(touching(around), employee__in=ids):
        attendances[attendance.employee_id].append(attendance)
    others: dict[int, list[LaborEntry]] = defaultdict(list)
    for entry in LaborEntry.objects.filter(touching(around), employee__in=ids).exclude(kind=LaborEntry.Kind.BREAK):
        others[entry.employee_id].append(entry)
    for entry in entries:
        yield Pending(
            entry,
            tuple(_oddities(entry, attendances[entry.employee_id], others[entry.employee_id], longest, now)),
        )


def _oddities(
    entry: LaborEntry,
    attendances: Iterable[Attendance],
    others: Iterable[LaborEntry],
    longest: timedelta,
    now: datetime,
) -> Iterable[str]:
    if entry.ended_at is None:
        yield NOT_ENDED
        return
    span = Interval(entry.started_at, entry.ended_at)
    there = list(attendances)
    present = [Interval(one.started_at, one.ended_at or max(now, one.started_at + _TICK)) for one in there]
    if any(
        one.ended_at is None and now - one.started_at > longest and any(clip([of_it], span))
        for one, of_it in zip(there, present, strict=True)
    ):
        yield NO_CLOCK_OUT
    is_work = entry.kind != LaborEntry.Kind.BREAK
    if is_work and any(
        one.pk != entry.pk and one.started_at < span.end and (one.ended_at is None or one.ended_at > span.start)
        for one in others
    ):
        yield OVERLAPPING
    if span.end - span.start > longest:
        yield TOO_LONG
    if subtract(span, present):
        yield OUTSIDE


_TICK = timedelta(microseconds=1)
