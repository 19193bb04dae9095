"""Which machines stand for a line, an area, a site, an enterprise; and which window is a shift or a day."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.db.models import QuerySet

from core.intervals import Interval
from enterprise.models import Area, Enterprise, Line, Machine, Site
from enterprise.selectors import machines_on_lines, shifts_of
from enterprise.shift_calendar import ShiftOccurrence

Place = Enterprise | Site | Area | Line | Machine


def machines_of(place: Place) -> list[Machine]:
    """Return the machines whose sums are the OEE of a place, with line, area and site at hand.

    A machine stands for itself, a line is what its setting says, everything above is the sum of its lines.
    """
    machines = _active_machines()
    match place:
        case Machine():
            return list(_all_machines().filter(pk=place.pk))
        case Line():
            machines = machines.filter(line=place)
        case Area():
            machines = machines.filter(line__area=place)
        case Site():
            machines = machines.filter(line__area__site=place)
        case Enterprise():
            machines = machines.filter(line__area__site__enterprise=place)
    return [
        machine
        for _, of_line in groupby(machines.order_by("line_id", "position", "id"), key=lambda machine: machine.line_id)
        for machine in representatives(list(of_line))
    ]


def every_machine_of(place: Place) -> list[Machine]:
    """Return all active machines of a place in order, whichever stand for their line, with line,
    area and site at hand.
    """
    paths = {Machine: "pk", Line: "line", Area: "line__area", Site: "line__area__site"}
    path = paths.get(type(place), "line__area__site__enterprise")
    return list(_active_machines().filter(**{path: place.pk}).order_by("line_id", "position", "id"))


def machines_on(line: Line) -> list[Machine]:
    """Return all active machines of a line in their order along it, with line, area and site at hand."""
    return machines_on_lines([line.pk]).get(line.pk, [])


def representatives(machines: list[Machine]) -> list[Machine]:
    """Return those of one line's machines, given in order, that stand for the line.

    Without a marked constraint the last machine stands for it: what leaves the line passed there.
    """
    mode = machines[0].line.oee_mode
    if mode == Line.OeeMode.WEIGHTED:
        return machines
    if mode == Line.OeeMode.CONSTRAINT:
        return [machine for machine in machines if machine.is_constraint] or machines[-1:]
    return machines[-1:]


def representatives_of(line_ids: Iterable[int]) -> dict[int, list[Machine]]:
    """Return the machines that stand for each of some lines, by its id; a line without any is absent."""
    return {pk: representatives(of_line) for pk, of_line in machines_on_lines(line_ids).items()}


def shift_at(machine: Machine, at: datetime) -> ShiftOccurrence | None:
    """Return the shift in which a machine is at a moment; None outside of shifts or without a calendar."""
    around = Interval(at - timedelta(hours=1), at + timedelta(hours=1))
    return next((shift for shift in shifts_of(machine, around) or () if shift.start <= at < shift.end), None)


def shift_on(machine: Machine, shift_id: int, shift_date: date) -> ShiftOccurrence | None:
    """Return a machine's shift by its rule and the day it started on."""
    return next((shift for shift in shifts_on(machine, shift_date) if shift.shift_id == shift_id), None)


def shifts_on(machine: Machine, day: date) -> list[ShiftOccurrence]:
    """Return the shifts of a machine that start on a day of its site."""
    return _shifts_by_day(machine, [day])[day]


def _shifts_by_day(machine: Machine, days: Sequence[date]) -> dict[date, list[ShiftOccurrence]]:
    """Return the shifts of a machine that start on each of some days of its site."""
    window = Interval(
        calendar_day(machine, min(days)).start - timedelta(days=1),
        calendar_day(machine, max(days)).end + timedelta(days=2),
    )
    found: dict[date, list[ShiftOccurrence]] = {day: [] for day in days}
    for shift in shifts_of(machine, window) or ():
        if shift.shift_date in found:
            found[shift.shift_date].append(shift)
    return found


def calendar_day(machine: Machine, day: date) -> Interval:
    """Return a day of the machine's site from midnight to midnight: 23 or 25 hours on a clock change."""
    zone = machine.line.area.site.zone
    start = datetime.combine(day, time(), tzinfo=zone)
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return Interval.utc(start, end)


def production_day(machine: Machine, day: date) -> Interval:
    """Return a day as production counts it: from its first shift's start to its last shift's end.

    An overnight shift belongs to the day it starts on. A day without shifts is the calendar day.
    """
    return production_days(machine, [day])[day]


def production_days(machine: Machine, days: Sequence[date]) -> dict[date, Interval]:
    """Return several such days; their shifts are read at once."""
    return {
        day: Interval(shifts[0].start, max(shift.end for shift in shifts)) if shifts else calendar_day(machine, day)
        for day, shifts in (_shifts_by_day(machine, days) if days else {}).items()
    }


def _all_machines() -> QuerySet[Machine]:
    return Machine.objects.select_related("line__area__site")


def _active_machines() -> QuerySet[Machine]:
    return _all_machines().filter(is_active=True)
