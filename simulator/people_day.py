"""What the crews of a line did on a production day: hand-over, set-up, work on orders, cleaning, breaks.

Pure: it follows from the simulated day, so that whoever books it, one by one as it happens or a whole day afterwards,
books the same.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import accumulate

from core.intervals import Interval, intersect, subtract
from enterprise.shift_calendar import ShiftOccurrence
from simulator.expectations import pieces_of
from simulator.line_day import LineDay
from simulator.plant import CHANGE_FLAVOUR, CHANGE_FORMAT, CHANGE_LOT, CLEANING, CrewPlan, PlantPlan
from simulator.stops import to_ms
from simulator.working_time import OrderSlot, shifts_in

EARLY, LATE = timedelta(minutes=6), timedelta(minutes=4)
"""So long before a shift its crew comes, for the hand-over, and so long after it they leave."""
_CHANGES = frozenset({CHANGE_LOT, CHANGE_FLAVOUR, CHANGE_FORMAT})
# What the time standard allows of the ideal speed, stops within the order included.
_STANDARD_SHARE = Decimal("0.80")
_SHORTEST = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Worked:
    """A stretch of a person's time, as `labor.LaborEntry` has it; pieces are the leader's to report, 0 = none."""

    kind: str
    start: datetime
    end: datetime
    slot: OrderSlot | None = None
    good: int = 0
    reject: int = 0
    standard_seconds: Decimal | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class PersonDay:
    """A person's shift: from coming to leaving, and what they did in it, in order."""

    crew: CrewPlan
    number: str
    post: str
    came: datetime
    left: datetime
    worked: tuple[Worked, ...]


class Counted:
    """The pieces that a line's constraint counted over a day, asked for by stretches of time."""

    def __init__(self, simulated: LineDay) -> None:
        self._window = simulated.window
        self._by_role: dict[str, tuple[list[int], list[int]]] = {}
        found = sorted(pieces_of(simulated.line, simulated))
        for wanted in ("GOOD", "REJECT"):
            rows = [(at, pieces) for at, role, pieces in found if role == wanted]
            self._by_role[wanted] = [at for at, _ in rows], [0, *accumulate(pieces for _, pieces in rows)]

    def between(self, start: datetime, end: datetime) -> tuple[int, int]:
        """Return good and rejected pieces of [start, end)."""
        good, reject = (
            sums[bisect_left(moments, to_ms(end, self._window))]
            - sums[bisect_left(moments, to_ms(start, self._window))]
            for moments, sums in self._by_role.values()
        )
        return good, reject


@dataclass(frozen=True)
class _Shift:
    """A shift of a line's day, with what stood in it beside the orders."""

    plant: PlantPlan
    simulated: LineDay
    occurrence: ShiftOccurrence
    counted: Counted

    @cached_property
    def cleaning(self) -> list[Interval]:
        return self._stretches({CLEANING})

    @cached_property
    def changes(self) -> list[Interval]:
        return self._stretches(_CHANGES)

    @cached_property
    def pauses(self) -> list[Interval]:
        return sorted(self.occurrence.breaks)

    def _stretches(self, reasons: set[str] | frozenset[str]) -> list[Interval]:
        window, found = self.simulated.window, []
        for one in self.simulated.timelines[self.simulated.line.constraint.code]:
            if one.reason in reasons:
                span = Interval(*(window.start + timedelta(milliseconds=at) for at in (one.start, one.end)))
                inside = intersect(span, self.occurrence.interval)
                if inside is not None:
                    found.append(inside)
        return found

    def everybody(self) -> Iterator[Worked]:
        """Yield what all of the crew did, pieces as the leader reports them."""
        start = self.occurrence.interval.start
        yield Worked("meeting", start - EARLY, start, note="Hand-over")
        for pause in self.pauses:
            yield Worked("break", pause.start, pause.end)
        for clean in self.cleaning:
            for part in subtract(clean, self.pauses):
                yield Worked("indirect", part.start, part.end, note="Cleaning in place")
        for slot in self.simulated.slots:
            inside = intersect(Interval(slot.start, slot.end), self.occurrence.interval)
            if inside is not None:
                yield from self._on_order(slot, inside)

    def _on_order(self, slot: OrderSlot, part: Interval) -> Iterator[Worked]:
        ends = [one.end for one in self.changes if slot.start <= one.start < slot.end]
        # A change goes on over a break; what cuts it is cut out below.
        ready = max([one for one in ends if one > part.start], default=part.start)
        setup = intersect(Interval(slot.start, ready), part) if ready > slot.start else None
        aside = [*self.pauses, *self.cleaning]
        if setup is not None:
            for one in _kept(subtract(setup, aside)):
                yield Worked("setup", one.start, one.end, slot, standard_seconds=self._usual_change(slot, one, setup))
        pieces = 3600 / self.simulated.line.rates[slot.product] / _STANDARD_SHARE
        for one in _kept(subtract(part, [*aside, *([setup] if setup else [])])):
            good, reject = self.counted.between(one.start, one.end)
            standard = round(pieces * (good + reject), 6)
            yield Worked("direct", one.start, one.end, slot, good, reject, standard)

    def _usual_change(self, slot: OrderSlot, part: Interval, whole: Interval) -> Decimal:
        line = self.simulated.line
        minutes = line.format_change_minutes
        if slot.product == slot.previous_product:
            minutes = line.lot_change_minutes
        elif self.plant.product(slot.product).format == self.plant.product(slot.previous_product).format:
            minutes = line.flavour_change_minutes
        share = Decimal(part.microseconds) / whole.microseconds
        return round(Decimal(sum(minutes)) * 30 * share, 6)


def _kept(parts: Sequence[Interval]) -> Iterator[Interval]:
    """Yield the stretches that are long enough for somebody to book them."""
    return (part for part in parts if part.end - part.start >= _SHORTEST)


def people_of_day(plant: PlantPlan, simulated: LineDay, counted: Counted) -> list[PersonDay]:
    """Return what the crews did whose shifts begin on a day of a line, crew by crew."""
    found = []
    for occurrence in shifts_in(plant, simulated.line, simulated.window):
        if not simulated.window.covers(occurrence.start):
            continue
        shift = _Shift(plant, simulated, occurrence, counted)
        worked = sorted(shift.everybody(), key=lambda one: one.start)
        for crew in plant.crews:
            if (crew.line, crew.shift) != (simulated.line.code, occurrence.name):
                continue
            came, left = occurrence.start - EARLY, occurrence.end + LATE
            for place, (number, _, _) in enumerate(crew.members):
                own = worked if place == 0 else [_unreported(one) for one in worked]
                found.append(PersonDay(crew, number, crew.posts[place], came, left, tuple(own)))
    return found


def _unreported(one: Worked) -> Worked:
    return Worked(one.kind, one.start, one.end, one.slot, 0, 0, one.standard_seconds, one.note)
