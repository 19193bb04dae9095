"""Write the schedule: place, move, resize, swap, confirm and cancel. A line is planned for one thing at a time.

Locks: the entries' rows, then the turns of their lines, both in the order of their ids.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db import transaction
from simple_history.utils import bulk_update_with_history

from accounts.models import User
from core import master_data
from core.announcements import announce
from core.errors import Conflict, Invalid
from core.intervals import Interval
from core.locks import take_turns
from core.master_data import follows, precedes
from enterprise.models import CalendarException, Line, Shift
from enterprise.selectors import machines_below, reference_machines, shifts_of_all
from workorders.models import Operation, Run, Schedule, WorkOrder

_Order, _Status = WorkOrder.Status, Schedule.Status
OVER = frozenset({_Order.COMPLETED, _Order.CLOSED, _Order.CANCELLED})
"""Orders for which nothing is planned any more."""
LONGEST = timedelta(days=366)
FIRST_YEAR, LAST_YEAR = 2000, 2200
TOPIC = "schedule"
"""What changes of the schedule are announced as, with the ids of the lines concerned."""
_DAY = timedelta(days=1)


@precedes(Schedule)
def entry_prepared(entry: Schedule) -> None:
    """Refuse an entry that collides or does not fit its order; find the shift that it starts in.

    Raises Conflict that names what it collides with, Invalid for an operation or line that is not the order's.
    """
    start, end = entry.planned_start_at, entry.planned_end_at
    if entry.line_id is None or start is None or end is None or not start < end:
        return  # Validation says so.
    refuse_strange(start, field="planned_start_at")
    if end - start > LONGEST:
        raise Invalid("Nothing is planned for longer than a year; check the dates.", field="planned_end_at")
    _refuse_unfit(entry)
    entry.is_checked = True
    if entry.status != _Status.CANCELLED:
        take_turns("schedule", entry.line_id)
        refuse_collision(entry.line, start, end, leaving_out=[entry.pk])
    set_shifts([entry])


def refuse_strange(at: datetime, *, field: str) -> None:
    """Raise Invalid for a year in which nobody plans, since no calendar reaches there."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Invalid(f"A year between {FIRST_YEAR} and {LAST_YEAR}.", field=field)


def _refuse_unfit(entry: Schedule) -> None:
    order = entry.work_order
    if entry.operation is not None and entry.operation.work_order_id != entry.work_order_id:
        raise Invalid("The operation is another order's.", field="operation")
    if order is not None and order.line.area.site_id != entry.line.area.site_id:
        raise Invalid(f"Order {order} is made at another site.", field="line")
    if entry.kind != Schedule.Kind.PRODUCTION and entry.planned_quantity is not None:
        raise Invalid("Only production has a quantity.", field="planned_quantity")


def refuse_collision(line: Line, start: datetime, end: datetime, *, leaving_out: Collection[int | None] = ()) -> None:
    """Raise Conflict, naming order, line and times at the site, when a line is planned for something else in [start,
    end).
    """
    others = Schedule.objects.filter(line=line, planned_start_at__lt=end, planned_end_at__gt=start)
    others = others.exclude(status=_Status.CANCELLED).exclude(pk__in=[pk for pk in leaving_out if pk is not None])
    other = others.select_related("work_order", "line__area__site").order_by("planned_start_at", "pk").first()
    if other is not None:
        raise Conflict(f"It collides with {words(other)}.", field="planned_start_at", code="collision")


def words(entry: Schedule) -> str:
    """Say which entry it is, as people name it: order, line, and when in the site's zone."""
    what = f"order {entry.work_order}" if entry.work_order is not None else entry.get_kind_display().lower()
    if entry.work_order is not None and entry.kind != Schedule.Kind.PRODUCTION:
        what = f"{entry.get_kind_display().lower()} of {what}"
    note = f" ({entry.note})" if entry.note and entry.work_order is None else ""
    zone = entry.line.area.site.zone
    start, end = entry.planned_start_at.astimezone(zone), entry.planned_end_at.astimezone(zone)
    # The zone's name tells the two hours of the night in which clocks go back.
    until = f"{end:%H:%M %Z}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M %Z}"
    since = f"{start:%Y-%m-%d %H:%M}" if start.tzname() == end.tzname() else f"{start:%Y-%m-%d %H:%M %Z}"
    return f"{what}{note} on {entry.line}, {since} – {until}"


def set_shifts(entries: Iterable[Schedule]) -> None:
    """Set shift and day of entries by their lines' calendars, without writing them; three queries for any number."""
    entries = list(entries)
    machines = reference_machines({entry.line_id for entry in entries})
    calendars: dict[int, Any] = {}
    if machines and entries:
        first = min(entry.planned_start_at for entry in entries)
        last = max(entry.planned_start_at for entry in entries)
        calendars = shifts_of_all(list(machines.values()), Interval(first, last + timedelta(hours=1)))
    for entry in entries:
        machine, at = machines.get(entry.line_id), entry.planned_start_at
        shifts = calendars.get(machine.pk) if machine is not None else None
        found = next((shift for shift in shifts or () if shift.start <= at < shift.end), None)
        entry.shift_id = found.shift_id if found else None
        entry.shift_date = found.shift_date if found else at.astimezone(entry.line.area.site.zone).date()


@follows(Schedule)
def entry_changed(*, before: Schedule | None, after: Schedule | None) -> None:
    """Refuse to move or take away what was begun, as it is measured by what was planned, and to plan what is over.

    Who watches the plan is told.
    """
    announce(TOPIC, {entry.line_id for entry in (before, after) if entry is not None})
    if after is None:
        return
    order = after.work_order
    is_planned_anew = before is None or before.work_order_id != after.work_order_id
    if is_planned_anew and after.kind == Schedule.Kind.PRODUCTION and order is not None and order.status in OVER:
        raise Conflict(f"Order {order} is {order.status}; nothing is planned for it.", field="work_order")
    if before is None:
        return
    moved = (before.line_id, before.work_order_id, before.planned_start_at) != (
        after.line_id,
        after.work_order_id,
        after.planned_start_at,
    )
    cancelled = before.status != after.status and after.status == _Status.CANCELLED
    if (moved or cancelled) and Run.objects.filter(schedule=after.pk).exists():
        raise Conflict("Work on it has begun; only its end, quantity and note can change.", field="planned_start_at")


@follows(Shift, CalendarException)
def calendar_changed(*, before: Any, after: Any) -> None:
    """Find the shifts anew of what is planned on the days that a calendar entry concerns."""
    for entry in (before, after):
        if entry is None:
            continue
        lines = reference_machines(
            Schedule.objects.filter(line__machines__in=list(machines_below(entry))).values_list("line", flat=True)
        )
        planned = Schedule.objects.filter(line__in=lines)
        is_day = isinstance(entry, CalendarException)
        first, last = (entry.date, entry.date) if is_day else (entry.valid_from, entry.valid_until)
        # A day more on each side covers zones and nights.
        if first is not None:
            planned = planned.filter(planned_start_at__date__gte=first - _DAY)
        if last is not None:
            planned = planned.filter(planned_start_at__date__lte=last + 2 * _DAY)
        found = list(planned.select_related("line__area__site"))
        set_shifts(found)
        Schedule.objects.bulk_update(found, ["shift", "shift_date"], batch_size=500)


def refuse_outdated(entry: Schedule, seen_version: int | None) -> None:
    """Raise Conflict, saying who changed it and when, for an editor who looked at an older version;
    None = not checked.
    """
    newest = entry.history.select_related("history_user").order_by("-history_id").first()
    if seen_version is None or newest is None or newest.history_id == seen_version:
        return
    at = newest.history_date.astimezone(entry.line.area.site.zone)
    raise Conflict(
        f"{newest.history_user or 'The system'} changed it at {at:%Y-%m-%d %H:%M:%S %Z}, while you were looking at an"
        " older version. Look at it again.",
        field="seen_version",
        code="outdated",
    )


@transaction.atomic
def place(
    *,
    line: Line,
    planned_start_at: datetime,
    planned_end_at: datetime,
    actor: User | None,
    kind: str = Schedule.Kind.PRODUCTION,
    work_order: WorkOrder | None = None,
    operation: Operation | None = None,
    planned_quantity: Decimal | None = None,
    status: str = _Status.PLANNED,
    note: str = "",
) -> tuple[Schedule, bool]:
    """Plan a line's time for an order, an operation, or something else; return the entry and whether it is new.

    The same again (line, order, operation, kind and times) is the same entry. Raises Conflict for what collides, naming
    it, and for an order that is over.
    """
    take_turns("schedule", line.pk)
    work_order = work_order or (operation.work_order if operation is not None else None)
    same = Schedule.objects.filter(
        line=line,
        work_order=work_order,
        operation=operation,
        kind=kind,
        planned_start_at=planned_start_at,
        planned_end_at=planned_end_at,
    ).exclude(status=_Status.CANCELLED)
    stored = same.select_related("line__area__site", "work_order").first()
    if stored is not None:
        return stored, False
    entry = Schedule(
        line=line,
        work_order=work_order,
        operation=operation,
        kind=kind,
        status=status,
        planned_start_at=planned_start_at,
        planned_end_at=planned_end_at,
        planned_quantity=planned_quantity,
        note=note,
        planner=actor,
    )
    return master_data.save(entry), True


@transaction.atomic
def change(*, entry: Schedule, actor: User | None, seen_version: int | None = None, **changes: object) -> Schedule:
    """Change what is planned, by field; what changes nothing is no change.

    Raises Conflict as `place` and for an old view.
    """
    stored = _lock([entry])[0]
    asked = {name: value for name, value in changes.items() if getattr(stored, name) != value}
    # A retry of what was done already is no contradiction, whatever was seen.
    if not asked:
        return stored
    refuse_outdated(stored, seen_version)
    for name, value in asked.items():
        setattr(stored, name, value)
    stored.planner = actor
    return master_data.save(stored)


@transaction.atomic
def move(
    *,
    entry: Schedule,
    planned_start_at: datetime,
    actor: User | None,
    planned_end_at: datetime | None = None,
    line: Line | None = None,
    seen_version: int | None = None,
) -> Schedule:
    """Move an entry to another time or line; without an end it stays as long as it is."""
    refuse_strange(planned_start_at, field="planned_start_at")
    stored = _lock([entry])[0]
    end = planned_end_at or planned_start_at + (stored.planned_end_at - stored.planned_start_at)
    where = {} if line is None else {"line": line}
    return change(
        entry=stored,
        actor=actor,
        seen_version=seen_version,
        planned_start_at=planned_start_at,
        planned_end_at=end,
        **where,
    )


def resize(
    *, entry: Schedule, planned_end_at: datetime, actor: User | None, seen_version: int | None = None
) -> Schedule:
    """Let an entry end at another time."""
    return change(entry=entry, actor=actor, seen_version=seen_version, planned_end_at=planned_end_at)


@transaction.atomic
def confirm(*, entry: Schedule, actor: User | None, seen_version: int | None = None) -> Schedule:
    """Say that what is planned holds. Raises Conflict for what is cancelled."""
    stored = _lock([entry])[0]
    if stored.status == _Status.CANCELLED:
        raise Conflict("It is cancelled; plan it again.", field="status")
    return change(entry=stored, actor=actor, seen_version=seen_version, status=_Status.CONFIRMED)


def cancel(*, entry: Schedule, actor: User | None, seen_version: int | None = None) -> Schedule:
    """Take an entry out of the schedule; it stays to be looked at. Raises Conflict when work on it has begun."""
    return change(entry=entry, actor=actor, seen_version=seen_version, status=_Status.CANCELLED)


@transaction.atomic
def swap(
    *, entry: Schedule, other: Schedule, actor: User | None, seen_version: int | None = None
) -> tuple[Schedule, Schedule]:
    """Let two entries of a line change places; what lies between them moves up or down by their difference.

    The first begins where the earlier one began and the last ends where the later one ended; pauses between keep their
    length. Raises Invalid for two lines or a cancelled entry, Conflict when work on any of them has begun.
    """
    if entry.pk == other.pk:
        raise Invalid("Name another entry to change places with.", field="other")
    first, last = sorted(_lock([entry, other]), key=lambda one: (one.planned_start_at, one.pk))
    refuse_outdated(next(one for one in (first, last) if one.pk == entry.pk), seen_version)
    if first.line_id != last.line_id:
        raise Invalid("They are on two lines; move them instead.", field="other")
    if _Status.CANCELLED in (first.status, last.status):
        raise Invalid("A cancelled entry has no place.", field="other")
    between = (
        Schedule.objects.select_for_update(of=("self",))
        .filter(line=first.line_id, planned_start_at__lt=last.planned_start_at, planned_end_at__gt=first.planned_end_at)
        .exclude(status=_Status.CANCELLED)
        .exclude(pk__in=[first.pk, last.pk])
    )
    middle = list(between.select_related("line__area__site", "work_order").order_by("planned_start_at", "pk"))
    take_turns("schedule", first.line_id)
    moved = [first, *middle, last]
    if Run.objects.filter(schedule__in=moved).exists():
        raise Conflict("Work on one of them has begun; it keeps its place.", field="other")
    pauses = [after.planned_start_at - before.planned_end_at for before, after in pairwise(moved)]
    if any(pause < timedelta() for pause in pauses):
        raise Conflict("They overlap since before collisions were refused; move one of them first.", field="other")
    at = first.planned_start_at
    for one, pause in zip([last, *middle, first], [*pauses, timedelta()], strict=True):
        length = one.planned_end_at - one.planned_start_at
        one.planned_start_at, one.planned_end_at, one.planner, one.is_checked = at, at + length, actor, True
        at = one.planned_end_at + pause
    set_shifts(moved)
    fields = ["planned_start_at", "planned_end_at", "planner", "shift", "shift_date", "is_checked"]
    # One statement, so that the database checks the new order and no step on the way to it.
    bulk_update_with_history(moved, Schedule, fields, default_user=actor, batch_size=len(moved))
    announce(TOPIC, [first.line_id])
    return entry_of(entry), entry_of(other)


def entry_of(entry: Schedule) -> Schedule:
    """Return an entry as it is stored now."""
    return Schedule.objects.select_related("line__area__site", "work_order").get(pk=entry.pk)


def _lock(entries: Iterable[Schedule]) -> list[Schedule]:
    """Return entries as they are stored, locked in the order of their ids."""
    rows = Schedule.objects.select_for_update(of=("self",)).filter(pk__in=[entry.pk for entry in entries])
    return list(rows.select_related("line__area__site", "work_order").order_by("pk"))
