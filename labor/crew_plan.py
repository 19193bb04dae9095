"""When crews should work: their shifts as they really take place."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from core.intervals import Interval
from enterprise.models import CalendarException, Site
from enterprise.selectors import occurrences_of
from enterprise.shift_calendar import ShiftKind, ShiftOccurrence
from labor.models import CrewAssignment

_AROUND = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class PlannedShift:
    """A shift that a crew should work."""

    assignment: CrewAssignment
    occurrence: ShiftOccurrence

    @property
    def planned_microseconds(self) -> int:
        """Its length without its breaks."""
        return self.occurrence.interval.microseconds - sum(pause.microseconds for pause in self.occurrence.breaks)


def day_of(day: date, zone: ZoneInfo) -> Interval:
    """Return a day of a site, from midnight to midnight: 23 or 25 hours when the clock changes."""
    next_day = day + timedelta(days=1)
    return Interval.utc(datetime.combine(day, time(), tzinfo=zone), datetime.combine(next_day, time(), tzinfo=zone))


def assignments_of(crew_ids: Iterable[int]) -> dict[int, list[CrewAssignment]]:
    """Return the assignments of crews, by crew, with what `planned_shifts` reads."""
    found: dict[int, list[CrewAssignment]] = defaultdict(list)
    rows = CrewAssignment.objects.filter(crew__in=crew_ids).select_related("crew", "shift__machine", "line")
    for row in rows.prefetch_related("shift__breaks").order_by("id"):
        found[row.crew_id].append(row)
    return found


def exceptions_around(site: Site, window: Interval) -> list[CalendarException]:
    """Return the exceptional days of a site, its lines and machines around a window."""
    here = Q(site=site) | Q(line__area__site=site) | Q(machine__line__area__site=site)
    first, last = (window.start - 2 * _AROUND).date(), (window.end + _AROUND).date()
    return list(CalendarException.objects.filter(here, date__range=(first, last)).order_by("id"))


def planned_shifts(
    assignments: Iterable[CrewAssignment], window: Interval, *, zone: ZoneInfo, exceptions: list[CalendarException]
) -> list[PlannedShift]:
    """Return the shifts of assignments that touch a window, whole, the earliest first.

    Holidays and clock changes are those of the shift calendar. A shift of the kind overtime is nobody's planned time:
    who works in it works overtime.
    """
    found = [
        PlannedShift(assignment, occurrence)
        for assignment in assignments
        if assignment.shift.kind != ShiftKind.OVERTIME
        for occurrence in occurrences_of(assignment.shift, exceptions, zone, window, line_id=assignment.line_id)
        if assignment.holds_on(occurrence.shift_date)
    ]
    return sorted(found, key=lambda planned: (planned.occurrence.start, planned.assignment.pk))
