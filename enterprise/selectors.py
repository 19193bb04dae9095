"""Read the shift calendar of a machine as the occurrences that fall into a window."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q
from django.db.models.functions import Coalesce

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
    # Of whole sites, so that the next machine of one has been read, too.
    sites = {machine.line.area.site_id for machine in machines}
    shifts = once_each("shift rules", sites, _shift_rules)
    days = Interval(window.start - timedelta(days=3), window.end + timedelta(days=2))
    rows = read_around("calendar exceptions", sites, days, _exceptions, more=timedelta(days=35))
    exceptions = [row for row in rows if days.start.date() <= row.date <= days.end.date()]
    found: dict[int, Shifts] = {}
    for machine in machines:
        of_site = shifts.get(machine.line.area.site_id, ())
        rules = [rule for shift, rule in of_site if _applies(shift, machine)]
        found[machine.pk] = _shifts(machine, rules, exceptions, window)
    return found


def _in_sites(site_ids: list[int]) -> Q:
    return Q(site__in=site_ids) | Q(line__area__site__in=site_ids) | Q(machine__line__area__site__in=site_ids)


def _shift_rules(site_ids: list[int]) -> dict[int, list[tuple[Shift, ShiftRule]]]:
    has_breaks = Q(breaks__isnull=False)
    shifts = Shift.objects.filter(_in_sites(site_ids)).annotate(
        of_site=Coalesce("site", "line__area__site", "machine__line__area__site"),
        breaks_start=ArrayAgg("breaks__start_time", filter=has_breaks, order_by="breaks__id"),
        breaks_end=ArrayAgg("breaks__end_time", filter=has_breaks, order_by="breaks__id"),
    )
    found: dict[int, list[tuple[Shift, ShiftRule]]] = {}
    for shift in shifts.order_by("id"):
        breaks = tuple(map(BreakRule, shift.breaks_start or (), shift.breaks_end or ()))
        found.setdefault(shift.of_site, []).append((shift, _shift_rule(shift, breaks)))
    return found


def _exceptions(site_ids: list[int], window: Interval) -> Iterable[CalendarException]:
    days = window.start.date(), window.end.date()
    return CalendarException.objects.filter(_in_sites(site_ids), date__range=days).order_by("id")


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


def _shift_rule(shift: Shift, breaks: tuple[BreakRule, ...] | None = None) -> ShiftRule:
    if breaks is None:
        breaks = tuple(BreakRule(pause.start_time, pause.end_time) for pause in shift.breaks.all())
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
        breaks=breaks,
    )


def _day_rule(day: CalendarException) -> DayRule:
    return DayRule(level=_level(day), date=day.date, kind=DayKind(day.kind))
