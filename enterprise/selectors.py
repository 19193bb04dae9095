"""Read the shift calendar of a machine as the occurrences that fall into a window."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q

from core.intervals import Interval
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


def shifts_of(machine: Machine, window: Interval) -> tuple[ShiftOccurrence, ...] | None:
    """Return the shifts of a machine that touch the window, in order; None when no calendar was ever set up for it.

    The machine's line, area and site are read: select them with it.
    """
    site = machine.line.area.site
    at_its_places = Q(site=site) | Q(line=machine.line_id) | Q(machine=machine)
    rules = [
        _shift_rule(shift) for shift in Shift.objects.filter(at_its_places).prefetch_related("breaks").order_by("id")
    ]
    if not any(rule.kind is ShiftKind.REGULAR for rule in rules):
        return None
    first = window.start.astimezone(site.zone).date() - timedelta(days=2)
    last = window.end.astimezone(site.zone).date() + timedelta(days=1)
    exceptions = CalendarException.objects.filter(at_its_places, date__range=(first, last)).order_by("id")
    return tuple(shift_occurrences(rules, [_day_rule(day) for day in exceptions], site.zone, window))


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
