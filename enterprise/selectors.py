"""Read the shift calendar of a machine as the occurrences that fall into a window."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from core.intervals import Interval
from core.shared_reads import once_each, read_around
from enterprise.models import CalendarException, CalendarLevel, Machine, Shift
from enterprise.shift_calendar import (
    BreakRule,
    DayKind,
    DayRule,
    Level,
    ShiftKind,
    ShiftOccurrence,
    ShiftRule,
    shift_occurrences,
)

Shifts = tuple[ShiftOccurrence, ...] | None
"""The shifts of a machine; None when no calendar was ever set up for it."""


def shifts_of(machine: Machine, window: Interval) -> Shifts:
    """Return the shifts of a machine that touch a window, whole and in order."""
    return shifts_of_all([machine], window)[machine.pk]


def shifts_of_all(machines: Sequence[Machine], window: Interval) -> dict[int, Shifts]:
    """Return the shifts of each machine that touch a window; their line, area and site are read: select them too."""
    rules = once_each("shift rules", machines, _shift_rules)
    days = Interval(window.start - timedelta(days=3), window.end + timedelta(days=2))
    rows = read_around("calendar exceptions", machines, days, _exceptions, more=timedelta(days=35))
    exceptions = [row for row in rows if days.start.date() <= row.date <= days.end.date()]
    return {machine.pk: _shifts(machine, rules[machine], exceptions, window) for machine in machines}


def _at(machines: Iterable[Machine]) -> Q:
    machines = list(machines)
    return (
        Q(site__in={machine.line.area.site_id for machine in machines})
        | Q(line__in={machine.line_id for machine in machines})
        | Q(machine__in={machine.pk for machine in machines})
    )


def _shift_rules(machines: list[Machine]) -> dict[Machine, list[ShiftRule]]:
    shifts = list(Shift.objects.filter(_at(machines)).prefetch_related("breaks").order_by("id"))
    return {machine: [_shift_rule(shift) for shift in shifts if _applies(shift, machine)] for machine in machines}


def _exceptions(machines: Iterable[Machine], window: Interval) -> Iterable[CalendarException]:
    rows = CalendarException.objects.filter(_at(machines), date__range=(window.start.date(), window.end.date()))
    return rows.order_by("id")


def _shifts(
    machine: Machine, rules: Sequence[ShiftRule], exceptions: Iterable[CalendarException], window: Interval
) -> Shifts:
    if not any(rule.kind is ShiftKind.REGULAR for rule in rules):
        return None
    days = [_day_rule(day) for day in exceptions if _applies(day, machine)]
    return tuple(shift_occurrences(rules, days, machine.line.area.site.zone, window))


def _applies(entry: CalendarLevel, machine: Machine) -> bool:
    if entry.machine_id is not None:
        return entry.machine_id == machine.pk
    return entry.line_id == machine.line_id if entry.line_id else entry.site_id == machine.line.area.site_id


def reference_machines(line_ids: Iterable[int]) -> dict[int, Machine]:
    """Return for each line the machine whose calendar it follows: its constraint, or its last; active ones only.

    Their line, area and site are at hand. A line without machines is absent.
    """
    found: dict[int, Machine] = {}
    machines = Machine.objects.filter(line__in=set(line_ids), is_active=True).select_related("line__area__site")
    for machine in machines.order_by("line_id", "position", "id"):
        known = found.get(machine.line_id)
        if known is None or not known.is_constraint:
            found[machine.line_id] = machine
    return found


def occurrences_of(
    shift: Shift, exceptions: Iterable[CalendarException], zone: ZoneInfo, window: Interval, *, line_id: int | None
) -> list[ShiftOccurrence]:
    """Return when one shift takes place, as worked on a line or (None) at its site; its breaks are read: prefetch them.

    `exceptions` are of its site and what lies there; those of other lines and machines do not count.
    """
    line_id = line_id or shift.line_id or (shift.machine.line_id if shift.machine else None)
    days = [
        _day_rule(day)
        for day in exceptions
        if day.site_id is not None
        or (day.line_id is not None and day.line_id == line_id)
        or (day.machine_id is not None and day.machine_id == shift.machine_id)
    ]
    return shift_occurrences([_shift_rule(shift)], days, zone, window)


def machines_below(level: CalendarLevel) -> Iterable[int]:
    """Return the ids of the machines to which a calendar entry applies."""
    if level.machine_id is not None:
        return [level.machine_id]
    if level.line_id is not None:
        return Machine.objects.filter(line=level.line_id).values_list("id", flat=True)
    return Machine.objects.filter(line__area__site=level.site_id).values_list("id", flat=True)


def _level(entry: CalendarLevel) -> Level:
    if entry.machine_id is not None:
        return Level.MACHINE
    return Level.LINE if entry.line_id is not None else Level.SITE


def _shift_rule(shift: Shift) -> ShiftRule:
    return ShiftRule(
        id=shift.pk,
        level=_level(shift),
        kind=ShiftKind(shift.kind),
        name=shift.name,
        weekdays=frozenset(shift.weekdays),
        start_time=shift.start_time,
        end_time=shift.end_time,
        valid_from=shift.valid_from,
        valid_until=shift.valid_until,
        breaks=tuple(BreakRule(pause.start_time, pause.end_time) for pause in shift.breaks.all()),
    )


def _day_rule(day: CalendarException) -> DayRule:
    return DayRule(level=_level(day), date=day.date, kind=DayKind(day.kind))
