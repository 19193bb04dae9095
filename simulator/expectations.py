"""What OEE must find in the simulated days: worked out from the simulated stretches and pieces,
not from stored facts.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from simulator.facts import CountFact
from simulator.line_day import LineDay, simulate_day
from simulator.plant import NO_DATA, LinePlan, PlantPlan, ReasonPlan
from simulator.stops import to_ms
from simulator.working_time import DAY

_LOSSES = ("unplanned", "changeover")


@dataclass(frozen=True, slots=True)
class Expected:
    """The sums of a line's constraint machine over some days, inside its shifts; times in milliseconds.

    `ideal_ms` and `good_ideal_ms` are what all pieces, and the good ones, would have taken at the ideal rate.
    """

    line: str
    running: int = 0
    lost: int = 0
    good: int = 0
    reject: int = 0
    ideal_ms: Fraction = Fraction(0)
    good_ideal_ms: Fraction = Fraction(0)

    @property
    def availability(self) -> Fraction:
        """Running time / (running + lost) time."""
        return Fraction(self.running, self.running + self.lost)

    @property
    def performance(self) -> Fraction:
        """Ideal time of the pieces / running time."""
        return self.ideal_ms / self.running

    @property
    def quality(self) -> Fraction:
        """Ideal time of the good pieces / ideal time of all: one share for products of different speed."""
        return self.good_ideal_ms / self.ideal_ms

    @property
    def oee(self) -> Fraction:
        """Availability × performance × quality."""
        return self.availability * self.performance * self.quality

    def __str__(self) -> str:
        return (
            f"{self.line:<6} A {float(self.availability):.1%}  P {float(self.performance):.1%}  Q {float(self.quality):.1%}"
            f"  OEE {float(self.oee):.1%}  good {self.good:,}  rejects {self.reject:,}"
        )


def expected_week(plant: PlantPlan, today: date, *, seed: int, days: int = 7) -> list[Expected]:
    """Return what to expect of each line's days before `today`."""
    expected = []
    for line in plant.lines:
        readings: dict[str, int] = {}
        total = Expected(line.code)
        for day in (today - DAY * ago for ago in range(days, 0, -1)):
            simulated = simulate_day(plant, line, day, seed=seed, readings=readings)
            readings = dict(simulated.readings)
            total = _plus(total, expected_of(plant, simulated))
        expected.append(total)
    return expected


def expected_of(plant: PlantPlan, simulated: LineDay) -> Expected:
    """Return what to expect of one simulated day."""
    line = simulated.line
    categories = {code: category for category, roots in plant.reasons.items() for code in _codes(roots)}
    running = lost = 0
    for stretch in simulated.timelines[line.constraint.code]:
        length = stretch.end - stretch.start
        running += length if stretch.is_running else 0
        lost += length if categories[stretch.reason] in _LOSSES and stretch.reason != NO_DATA else 0
    good, reject, ideal, good_ideal = 0, 0, Fraction(0), Fraction(0)
    starts = [to_ms(slot.start, simulated.window) for slot in simulated.slots]
    cycles = [Fraction(3_600_000) / Fraction(line.rates[slot.product]) for slot in simulated.slots]
    for at, role, pieces in pieces_of(line, simulated):
        cycle = cycles[bisect_right(starts, at) - 1]
        ideal += pieces * cycle
        if role == "GOOD":
            good += pieces
            good_ideal += pieces * cycle
        else:
            reject += pieces
    return Expected(line.code, running, lost, good, reject, ideal, good_ideal)


def _codes(plans: Iterable[ReasonPlan]) -> Iterable[str]:
    for plan in plans:
        yield plan.code
        yield from _codes(plan.children)


def pieces_of(line: LinePlan, simulated: LineDay) -> Iterable[tuple[int, str, int]]:
    """Yield what the constraint's counters counted: when, as what, how many."""
    for counter in line.constraint.counters:
        tag, before = line.constraint.tag_path(counter), None
        for fact in simulated.facts:
            if not isinstance(fact, CountFact) or fact.tag != tag:
                continue
            at, value = to_ms(fact.at, simulated.window), int(fact.value)
            if not counter.is_running:
                yield at, counter.count_type, value
            elif before is not None and counter.modulus:
                yield at, counter.count_type, (value - before) % counter.modulus
            before = value


def _plus(one: Expected, other: Expected) -> Expected:
    return Expected(
        one.line,
        one.running + other.running,
        one.lost + other.lost,
        one.good + other.good,
        one.reject + other.reject,
        one.ideal_ms + other.ideal_ms,
        one.good_ideal_ms + other.good_ideal_ms,
    )
