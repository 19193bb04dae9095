"""Read the shift calendar of a machine as the occurrences that fall into a window."""

from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core import sql
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


class _ShiftRow(NamedTuple):
    """What a shift is made of, in words of its model."""

    of_site: int
    site_id: int | None
    line_id: int | None
    machine_id: int | None
    pk: int
    kind: str
    name: str
    weekdays: list[int]
    start_time: time
    end_time: time
    valid_from: date | None
    valid_until: date | None
    breaks_start: list[time]
    breaks_end: list[time]


class _DayRow(NamedTuple):
    """What an exceptional day is made of, in words of its model."""

    site_id: int | None
    line_id: int | None
    machine_id: int | None
    date: date
    kind: str


def shifts_of_all(machines: Sequence[Machine], window: Interval) -> dict[int, Shifts]:
    """Return the shifts of each machine that touch a window; their line, area and site are read: select them too."""
    # Of whole sites, so that the next machine of one has been read, too.
    sites = {machine.line.area.site_id for machine in machines}
    shifts = once_each("shift rules", sites, _shift_rules, kept=True)
    days = Interval(window.start - timedelta(days=3), window.end + timedelta(days=2))
    rows = read_around("calendar exceptions", sites, days, _exceptions, more=timedelta(days=35), kept=True)
    days_off = [row for row in rows if days.start.date() <= row.date <= days.end.date()]
    found: dict[int, Shifts] = {}
    for machine in machines:
        of_site = shifts.get(machine.line.area.site_id, ())
        found[machine.pk] = _shifts(
            machine, [rule for row, rule in of_site if _applies(row, machine)], days_off, window
        )
    return found


_OF_SITES = """
    LEFT JOIN enterprise_machine machine ON machine.id = entry.machine_id
    LEFT JOIN enterprise_line line ON line.id = coalesce(entry.line_id, machine.line_id)
    LEFT JOIN enterprise_area area ON area.id = line.area_id
    WHERE coalesce(entry.site_id, area.site_id) = ANY(%(sites)s)
"""


def _shift_rules(site_ids: list[int]) -> dict[int, list[tuple[_ShiftRow, ShiftRule]]]:
    found: dict[int, list[tuple[_ShiftRow, ShiftRule]]] = {}
    for row in sql.rows(
        f"""
        SELECT coalesce(entry.site_id, area.site_id), entry.site_id, entry.line_id, entry.machine_id, entry.id,
            entry.kind, entry.name, entry.weekdays, entry.start_time, entry.end_time, entry.valid_from, entry.valid_until,
            ARRAY(SELECT start_time FROM enterprise_shiftbreak WHERE shift_id = entry.id ORDER BY id),
            ARRAY(SELECT end_time FROM enterprise_shiftbreak WHERE shift_id = entry.id ORDER BY id)
        FROM enterprise_shift entry {_OF_SITES} ORDER BY entry.id
        """,
        sites=site_ids,
    ):
        shift = _ShiftRow(*row)
        breaks = map(BreakRule, shift.breaks_start, shift.breaks_end)
        found.setdefault(shift.of_site, []).append((shift, _shift_rule(shift, breaks)))
    return found


def _exceptions(site_ids: list[int], window: Interval) -> Iterable[_DayRow]:
    found = sql.rows(
        f"""
        SELECT entry.site_id, entry.line_id, entry.machine_id, entry.date, entry.kind
        FROM enterprise_calendarexception entry {_OF_SITES} AND entry.date BETWEEN %(first)s AND %(last)s
        ORDER BY entry.id
        """,
        sites=site_ids,
        first=window.start.date(),
        last=window.end.date(),
    )
    return [_DayRow(*row) for row in found]


def _shifts(machine: Machine, rules: Sequence[ShiftRule], days_off: Iterable[_DayRow], window: Interval) -> Shifts:
    if not any(rule.kind is ShiftKind.REGULAR for rule in rules):
        return None
    days = [_day_rule(day) for day in days_off if _applies(day, machine)]
    return tuple(shift_occurrences(rules, days, machine.line.area.site.zone, window))


def _applies(entry: _ShiftRow | _DayRow, machine: Machine) -> bool:
    if entry.machine_id is not None:
        return entry.machine_id == machine.pk
    return entry.line_id == machine.line_id if entry.line_id else entry.site_id == machine.line.area.site_id


def machines_on_lines(line_ids: Iterable[int]) -> dict[int, list[Machine]]:
    """Return all active machines of lines in their order along them, by the line's id; a line without any is absent.

    Their line, area and site are at hand.
    """
    known = once_each("machines on lines", sorted(set(line_ids)), _machines_on_lines, kept=True)
    return {line_id: list(machines) for line_id, machines in known.items()}


def _machines_on_lines(line_ids: list[int]) -> dict[int, list[Machine]]:
    rows = Machine.objects.filter(line__in=line_ids, is_active=True).select_related("line__area__site")
    rows = rows.order_by("line_id", "position", "id")
    return {line_id: list(of_line) for line_id, of_line in groupby(rows, key=lambda machine: machine.line_id)}


def reference_machines(line_ids: Iterable[int]) -> dict[int, Machine]:
    """Return for each line the machine whose calendar it follows, with line, area and site; without machines:
    absent.
    """
    return {line_id: reference_of(machines) for line_id, machines in machines_on_lines(line_ids).items()}


def reference_of(machines: Sequence[Machine]) -> Machine:
    """Return the one of a line's machines, given in order, whose calendar the line follows: its constraint, or its
    last.
    """
    return next((machine for machine in machines if machine.is_constraint), machines[-1])


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
    breaks = [BreakRule(pause.start_time, pause.end_time) for pause in shift.breaks.all()]
    return shift_occurrences([_shift_rule(shift, breaks)], days, zone, window)


def machines_below(level: CalendarLevel) -> Iterable[int]:
    """Return the ids of the machines to which a calendar entry applies."""
    if level.machine_id is not None:
        return [level.machine_id]
    if level.line_id is not None:
        return Machine.objects.filter(line=level.line_id).values_list("id", flat=True)
    return Machine.objects.filter(line__area__site=level.site_id).values_list("id", flat=True)


def _level(entry: CalendarLevel | _ShiftRow | _DayRow) -> Level:
    if entry.machine_id is not None:
        return Level.MACHINE
    return Level.LINE if entry.line_id is not None else Level.SITE


def _shift_rule(shift: Shift | _ShiftRow, breaks: Iterable[BreakRule]) -> ShiftRule:
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
        breaks=tuple(breaks),
    )


def _day_rule(day: CalendarException | _DayRow) -> DayRule:
    return DayRule(level=_level(day), date=day.date, kind=DayKind(day.kind))
