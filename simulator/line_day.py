"""One production day of one line: every state and count that its machines' controllers would report.

Pure and repeatable: history and the live stream are the same days, so they join without a gap or a double. All that
passes from one day to the next is the counters' readings.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from random import Random

from core.intervals import Interval
from simulator.facts import CountFact, Fact, StateFact
from simulator.plant import CounterPlan, LinePlan, MachinePlan, PlantPlan
from simulator.stops import MINUTE, SECOND, ScriptedFault, Stretch, line_timelines, to_ms
from simulator.working_time import OrderSlot, day_window, order_slots

Readings = Mapping[str, int]
"""Running counters' readings, by tag path."""

_START_UP = 90 * SECOND
_START_UP_REJECTS = 6


@dataclass(frozen=True, slots=True)
class LineDay:
    """A production day of a line: its facts in order of time, what led to them, and the readings at its end."""

    line: LinePlan
    day: date
    window: Interval
    slots: tuple[OrderSlot, ...]
    timelines: Mapping[str, Sequence[Stretch]]
    facts: tuple[Fact, ...]
    readings: Readings


@dataclass(frozen=True, slots=True)
class _Run:
    """A running stretch within one order, with the pieces made in it."""

    start: int
    end: int
    slot: OrderSlot | None
    after_long_stop: bool

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class _Sample:
    """Pieces that passed a machine up to a moment, since the sample before."""

    at: int
    good: int
    reject: int


def simulate_day(
    plant: PlantPlan,
    line: LinePlan,
    day: date,
    *,
    seed: int,
    readings: Readings,
    script: Sequence[ScriptedFault] = (),
) -> LineDay:
    """Return a production day of a line. `readings` are those at its start; a counter without one starts at zero."""
    window = day_window(plant, day)
    slots = tuple(order_slots(plant, line, window))
    key = f"{seed}|{line.code}|{day.isoformat()}"
    timelines = line_timelines(plant, line, window, slots, seed=key, script=script)
    samples = _samples(line, window, slots, timelines, key)
    facts: list[Fact] = []
    after: dict[str, int] = {}
    for machine in line.machines:
        facts.extend(_state_facts(machine, timelines[machine.code], window))
        for counter in machine.counters:
            tag = machine.tag_path(counter)
            counted, last = _count_facts(counter, tag, samples[machine.code], window, readings.get(tag, 0))
            facts.extend(counted)
            if counter.is_running:
                after[tag] = last
    facts.sort(key=lambda fact: fact.at)
    return LineDay(line, day, window, slots, timelines, tuple(facts), after)


def _moment(window: Interval, at: int) -> datetime:
    return window.start + timedelta(milliseconds=at)


def _state_facts(machine: MachinePlan, timeline: Sequence[Stretch], window: Interval) -> Iterator[StateFact]:
    for stretch in timeline:
        yield StateFact(machine.code, _moment(window, stretch.start), stretch.reason, stretch.detail)


def _samples(
    line: LinePlan,
    window: Interval,
    slots: Sequence[OrderSlot],
    timelines: Mapping[str, Sequence[Stretch]],
    seed: str,
) -> dict[str, list[_Sample]]:
    """Return every machine's samples: the constraint sets the pace, the others pass on what it makes,
    order by order.
    """
    constraint = line.constraint
    places = _Places(slots, window)
    runs = list(_runs(timelines[constraint.code], places))
    rng = Random(f"{seed}|speed")
    speeds = [_speed(line, run) * Fraction(rng.triangular(0.87, 0.985, 0.95)).limit_denominator(10_000) for run in runs]
    samples = {constraint.code: _sampled(constraint, runs, speeds, Random(f"{seed}|{constraint.code}"))}
    made: dict[str, int] = defaultdict(int)
    passed: dict[str, int] = defaultdict(int)
    for sample in samples[constraint.code]:
        slot = places.at(sample.at)
        number = slot.number if slot else ""
        made[number] += sample.good + sample.reject
        passed[number] += sample.good
    position = line.machines.index(constraint)
    for other, machine in enumerate(line.machines):
        if machine is not constraint:
            pieces = made if other < position else passed
            own_runs = list(_runs(timelines[machine.code], places))
            speeds = _speeds_for(own_runs, pieces)
            samples[machine.code] = _sampled(machine, own_runs, speeds, Random(f"{seed}|{machine.code}"))
    return samples


class _Places:
    """The orders of a day by the milliseconds of it, so that the one at a moment is found at once."""

    def __init__(self, slots: Sequence[OrderSlot], window: Interval) -> None:
        self._slots = slots
        self._starts = [to_ms(slot.start, window) for slot in slots]
        self._ends = [to_ms(slot.end, window) for slot in slots]
        self.bounds = sorted({*self._starts, *self._ends})

    def at(self, at: int) -> OrderSlot | None:
        """Return the order that a line works on at a moment."""
        place = bisect_right(self._starts, at) - 1
        return self._slots[place] if place >= 0 and at < self._ends[place] else None


def _runs(timeline: Sequence[Stretch], places: _Places) -> Iterator[_Run]:
    stop_length = 0
    for stretch in timeline:
        if not stretch.is_running:
            stop_length = stretch.end - stretch.start
            continue
        inside = [at for at in places.bounds if stretch.start < at < stretch.end]
        for start, end in zip([stretch.start, *inside], [*inside, stretch.end], strict=True):
            yield _Run(start, end, places.at(start), after_long_stop=stop_length > 5 * MINUTE)
            stop_length = 0


def _speed(line: LinePlan, run: _Run) -> Fraction:
    """Return the constraint's ideal speed in pieces per millisecond; without an order nothing is made."""
    return Fraction(line.rates[run.slot.product]) / 3_600_000 if run.slot else Fraction(0)


def _speeds_for(runs: Sequence[_Run], pieces: Mapping[str, int]) -> list[Fraction]:
    """Return the speeds at which a machine passes on, in each order, just the pieces of that order."""
    time: dict[str, int] = defaultdict(int)
    for run in runs:
        time[run.slot.number if run.slot else ""] += run.length
    return [
        Fraction(pieces.get(number, 0), time[number])
        for number in (run.slot.number if run.slot else "" for run in runs)
    ]


def _sampled(machine: MachinePlan, runs: Sequence[_Run], speeds: Sequence[Fraction], rng: Random) -> list[_Sample]:
    """Return the samples of a machine: at its pace while it runs, and one just before it stops."""
    samples = []
    made = Fraction(0)
    doubtful = 0.0
    for run, speed in zip(runs, speeds, strict=True):
        at = run.start
        # In whole numbers, because there are tens of thousands of samples a day: made + speed × time over one
        # denominator.
        whole, each = made.numerator * speed.denominator, speed.numerator * made.denominator
        over = made.denominator * speed.denominator
        before = whole // over
        made += speed * run.length
        while at < run.end:
            following = min(at + machine.sample_seconds * SECOND + rng.randrange(-300, 300), run.end)
            pieces = (whole + each * (following - run.start)) // over
            produced, before = pieces - before, pieces
            share = machine.habits.reject_share
            if run.after_long_stop and at < run.start + _START_UP:
                share *= _START_UP_REJECTS
            doubtful += produced * share * rng.uniform(0, 2)
            reject = min(int(doubtful), produced)
            doubtful -= reject
            samples.append(_Sample(following - 1, produced - reject, reject))
            at = following
    return samples


def _count_facts(
    counter: CounterPlan, tag: str, samples: Sequence[_Sample], window: Interval, reading: int
) -> tuple[list[CountFact], int]:
    """Return what a counter reports of a machine's samples, and its reading at the end.

    A running counter also reports at the day's start; one without a modulus is set to zero there.
    """
    facts: list[CountFact] = []
    pieces, pulses_before = 0, 0
    if counter.is_running:
        reading = reading if counter.modulus else 0
        facts.append(CountFact(tag, window.start, reading))
    for sample in samples:
        pieces += _counted(counter, sample)
        pulses = pieces // counter.pieces_per_pulse - pulses_before
        if not pulses:
            continue
        pulses_before += pulses
        if counter.is_running:
            reading = (reading + pulses) % counter.modulus if counter.modulus else reading + pulses
        facts.append(CountFact(tag, _moment(window, sample.at), reading if counter.is_running else pulses))
    return facts, reading


def _counted(counter: CounterPlan, sample: _Sample) -> int:
    match counter.count_type:
        case "GOOD":
            return sample.good
        case "TOTAL":
            return sample.good + sample.reject
        case _:
            return sample.reject
