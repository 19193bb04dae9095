"""Write the plant: what must follow when a place or a calendar changes."""

from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction

from core.announcements import announce
from core.changes import Change, mark
from core.deletion import references_to
from core.master_data import follows, precedes
from core.retention import refuse_closed
from enterprise.models import CalendarException, CalendarLevel, Line, Machine, Shift, ShiftBreak, Site
from enterprise.selectors import machines_below

# The zones of the earth lie within this of UTC, so a local day lies within this of the UTC day of the same name.
_ZONES = timedelta(hours=15)
_LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)


@transaction.atomic
def ensure_machine(line: Line) -> Machine:
    """Return the line's constraint machine; a line without machines gets one, so that facts have where to hang.

    A line with machines but no marked constraint gets its first one marked.
    """
    Line.objects.select_for_update(of=("self",)).get(pk=line.pk)
    machines = Machine.objects.filter(line=line)
    constraint = machines.filter(is_constraint=True).first() or machines.order_by("position", "id").first()
    if constraint is None:
        return Machine.objects.create(line=line, code=_free_code(line), name=line.name, is_constraint=True)
    if not constraint.is_constraint:
        constraint.is_constraint = True
        constraint.save(update_fields=["is_constraint"])
    return constraint


def _free_code(line: Line) -> str:
    """Return the line's own code for its machine, or the first numbered one that is free."""
    taken = set(Machine.objects.filter(code__startswith=line.code[:60]).values_list("code", flat=True))
    candidates = (line.code, *(f"{line.code[:60]}-{number}" for number in range(2, len(taken) + 3)))
    return next(code for code in candidates if code not in taken)


@follows(Line)
def line_changed(*, before: Line | None, after: Line | None) -> None:
    """Give a new line its machine when nobody did, and let screens know of any change."""
    if after is not None:
        announce("machine", [ensure_machine(after).pk] if before is None else _machines_of(after))


def _machines_of(line: Line) -> list[int]:
    return list(Machine.objects.filter(line=line).values_list("id", flat=True))


@precedes(Machine)
def make_room_for(machine: Machine) -> None:
    """Let the first machine that somebody sets up replace the one that its line was given, while that is untouched."""
    is_stored = Machine.objects.filter(pk=machine.pk).exists()
    line = Line.objects.filter(pk=machine.line_id).first()
    if is_stored or line is None:
        return
    own = Machine.objects.filter(line=line, code=line.code, name=line.name, is_constraint=True).first()
    if own is not None and own.code != machine.code and not references_to(own):
        own.delete()
        machine.is_constraint = True


_READS_HISTORY_BY = (
    *("line_id", "no_signal_timeout", "micro_stop_below"),
    *("stop_detection", "stop_after", "run_after"),
)


@follows(Machine)
def machine_changed(*, before: Machine | None, after: Machine | None) -> None:
    """Mark a machine's whole past when it moved to another line, whose calendar and orders are its own now, or when
    its silence, its stops or their lengths mean something else.
    """
    if after is None:
        return
    if before is None:
        ensure_machine(after.line)
    elif any(getattr(before, name) != getattr(after, name) for name in _READS_HISTORY_BY):
        mark([Change(after.pk, _LONG_AGO)])
    announce("machine", [after.pk])


@follows(Site)
def site_changed(*, before: Site | None, after: Site | None) -> None:
    """Mark everything at a site whose clock is another one now."""
    if before is None or after is None or before.time_zone == after.time_zone:
        return
    machines = list(Machine.objects.filter(line__area__site=after).values_list("id", flat=True))
    mark(Change(machine_id, _LONG_AGO) for machine_id in machines)
    announce("machine", machines)


@follows(Shift)
def shift_changed(*, before: Shift | None, after: Shift | None) -> None:
    """Mark the days on which a shift held or holds."""
    for shift in (before, after):
        if shift is None:
            continue
        first = _LONG_AGO if shift.valid_from is None else _day(shift.valid_from) - _ZONES
        # An overnight shift of the last day ends on the day after.
        until = None if shift.valid_until is None else _day(shift.valid_until) + timedelta(days=1) + _ZONES
        _mark_below(shift, first, until)


@follows(ShiftBreak)
def shift_break_changed(*, before: ShiftBreak | None, after: ShiftBreak | None) -> None:
    """Mark the days of the shift whose break changed."""
    for pause in (before, after):
        if pause is not None:
            shift_changed(before=None, after=pause.shift)


@follows(CalendarException)
def calendar_exception_changed(*, before: CalendarException | None, after: CalendarException | None) -> None:
    """Mark the exceptional day, and the next one into which its shifts reach."""
    for day in (before, after):
        if day is not None:
            # The day as such, in any zone: what of it lies in closed time stays as it was.
            refuse_closed(_day(day.date) + timedelta(days=1), field="date")
            _mark_below(day, _day(day.date) - _ZONES, _day(day.date) + timedelta(days=2) + _ZONES)


def _day(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _mark_below(level: CalendarLevel, start: datetime, until: datetime | None) -> None:
    machines = list(machines_below(level))
    mark(Change(machine_id, start, until) for machine_id in machines)
    announce("machine", machines)
