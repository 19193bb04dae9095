"""A KPI over time: by clock hour, by shift or by production day, each from its own summed elements, never from a mean.

Stored hours are read once for the whole window, so the number of queries does not grow with the points.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction

from core.errors import Invalid
from core.intervals import HOUR, Interval, floor_hour
from enterprise.models import Machine
from enterprise.selectors import shifts_of_all
from enterprise.shift_calendar import ShiftOccurrence
from oee.engine import Slice
from oee.engine.element_values import element_values
from oee.engine.elements import MachineSums
from oee.engine.reasons import ReasonSums
from oee.kpis import Kpi, values_of
from oee.reason_times import ReasonTime, Traits, reason_times
from oee.selectors import sums_for
from oee.slicing import EVERYTHING, Part, slices_of

LONGEST = timedelta(days=366)
MOST_POINTS = 750
_Key = tuple[date, str, datetime]
"""Day, shift and start of a point: shifts of one name on one day are one,
whichever line has them by a rule of its own.
"""


class Step(StrEnum):
    """What one point stands for."""

    HOUR = "hour"
    SHIFT = "shift"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Point:
    """A stretch of time with a value of each group of machines; None = not known. `name` is the shift's."""

    start: datetime
    day: date
    name: str
    values: tuple[Fraction | None, ...]


def _known(with_reasons: bool) -> frozenset[str]:
    values = element_values(MachineSums.total(()), ReasonSums.of(()) if with_reasons else None)
    return frozenset(code for code, value in values.items() if value is not None)


_SLICED, _ALL_SLICED = _known(False), _known(True)


def has_trend(kpi: Kpi) -> bool:
    """Say whether a KPI follows from what stored hours tell; others are known of whole windows only."""
    return not kpi.problem and bool(kpi.elements) and set(kpi.elements) <= _ALL_SLICED


def trend(
    groups: Sequence[Sequence[Machine]],
    window: Interval,
    *,
    kpi: Kpi,
    step: Step,
    now: datetime,
    part: Part = EVERYTHING,
) -> list[Point]:
    """Return the points of a window up to now, each with the KPI of every group of machines (line, area, site at hand).

    Raises Invalid for a KPI that has no trend, and for a window that is too long.
    """
    if not has_trend(kpi):
        raise Invalid(f"{kpi.name} is known of whole windows only, not point by point.", field="kpi")
    points = (window.end - window.start) / {Step.HOUR: HOUR, Step.SHIFT: 6 * HOUR, Step.DAY: 24 * HOUR}[step]
    if window.end - window.start > LONGEST or points > MOST_POINTS:
        raise Invalid("That is too long for points of this size; ask for less time or larger steps.", field="step")
    machines = list({machine.pk: machine for group in groups for machine in group}.values())
    if not machines or window.start >= now:
        return []
    calendar = _Calendar(machines, window, step)
    by_hour = step is Step.HOUR
    slices = slices_of(
        machines, window, now=now, part=part, by_hour=by_hour, by_day=calendar.zones, by_shift=not by_hour
    )
    sums = sums_for(machines, slices.values())
    pieces: dict[_Key, dict[int, list[Slice]]] = defaultdict(lambda: defaultdict(list))
    for machine_id, of_machine in slices.items():
        for piece in of_machine:
            key = calendar.key(machine_id, piece.key.hour, piece.key.shift_id, piece.key.shift_date)
            if key is not None:
                pieces[key][machine_id].append(piece)
    stops: dict[_Key, list[ReasonTime]] = defaultdict(list)
    needs_reasons = not set(kpi.elements) <= _SLICED
    if needs_reasons:
        for row in reason_times(machines, window, now=now, part=part, by_hour=True):
            key = calendar.key(row.machine_id, row.hour, row.shift_id, None)
            if key is not None:
                stops[key].append(row)
    traits = Traits() if needs_reasons else None
    found = []
    for key in sorted(pieces, key=lambda key: (key[2], key[0], key[1])):
        values = []
        for group in groups:
            ids = {machine.pk for machine in group}
            total = MachineSums.total(sums.of(machine, pieces[key][machine.pk]) for machine in group)
            reasons = None if traits is None else traits.sums(row for row in stops[key] if row.machine_id in ids)
            values.append(values_of(element_values(total, reasons), [kpi])[0].value)
        found.append(Point(key[2], key[0], key[1], tuple(values)))
    return found


class _Calendar:
    """To which point a clock hour of a machine belongs."""

    def __init__(self, machines: Sequence[Machine], window: Interval, step: Step) -> None:
        self.step = step
        self.zones = {machine.pk: machine.line.area.site.zone for machine in machines}
        self.zone = machines[0].line.area.site.zone
        self.names: dict[int, str] = {}
        self._shifts: dict[int, dict[int, list[ShiftOccurrence]]] = defaultdict(lambda: defaultdict(list))
        self._starts: dict[tuple[str, date], datetime] = {}
        if step is Step.HOUR:
            return
        around = Interval(floor_hour(window.start), window.end)
        for machine_id, shifts in shifts_of_all(machines, around).items():
            for shift in shifts or ():
                self.names[shift.shift_id] = shift.name
                self._shifts[machine_id][shift.shift_id].append(shift)
                key = shift.name, shift.shift_date
                self._starts[key] = min(shift.start, self._starts.get(key, shift.start))

    def key(self, machine_id: int, hour: datetime, shift_id: int | None, shift_date: date | None) -> _Key | None:
        """Return day, shift and start of the point; None for time outside of shifts, where points are shifts."""
        day = hour.astimezone(self.zones[machine_id]).date()
        if self.step is Step.HOUR:
            return day, "", hour
        if shift_id is not None and shift_date is None:
            end = hour + HOUR
            shift_date = next(
                (s.shift_date for s in self._shifts[machine_id][shift_id] if s.start < end and s.end > hour), day
            )
        day = shift_date or day
        if self.step is Step.DAY:
            return day, "", datetime.combine(day, time(), tzinfo=self.zone)
        if shift_id is None:
            return None
        name = self.names.get(shift_id, "")
        return day, name, self._starts.get((name, day), hour)
