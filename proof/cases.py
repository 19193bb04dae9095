"""Random histories of a machine, each from a seed of its own. Times are whole seconds from the start of the window.

A case is plain data that both sides are given: the engine as its own input (`proof.inputs`), the oracle as it is.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

from oee.engine import (
    Breaks,
    Category,
    Changeover,
    CounterEventKind,
    CountMode,
    CountRole,
    MicroStopLoss,
    NoData,
    Overtime,
    Policy,
    ResetPolicy,
    StartupRejects,
)

AROUND = 1_500
"""How far facts reach beyond the window on both sides, in seconds; more than any limit reaches."""

REASONS: dict[int, Category] = {
    1: Category.RUNNING,
    2: Category.UNPLANNED,
    3: Category.PLANNED,
    4: Category.CHANGEOVER,
    5: Category.NOT_SCHEDULED,
    6: Category.NO_DATA,
    7: Category.UNPLANNED,
    8: Category.RUNNING,
}
_WEIGHTS = [7, 6, 2, 2, 1, 1, 3, 2]

Span = tuple[int, int]


@dataclass(frozen=True)
class Correction:
    """A person's word; a later one in the list holds over an earlier one. `reason=None` takes those back.

    `until_running`: said of a stop that was not over, without an end; it holds until the machine next says that it
    runs.
    """

    start: int
    end: int | None
    reason: int | None
    replaces_running: bool
    until_running: bool = False


@dataclass(frozen=True)
class Event:
    """What happened to a counter."""

    at: int
    kind: CounterEventKind
    value: int | None


@dataclass(frozen=True)
class Tag:
    """A counter with its readings (second → pulses). A later event in the list holds over an earlier one."""

    role: CountRole
    mode: CountMode
    scale: Fraction = Fraction(1)
    offset: int = 0
    modulus: int | None = None
    reset_policy: ResetPolicy = ResetPolicy.FROM_ZERO
    fastest_rate: Fraction | None = None
    readings: tuple[tuple[int, int], ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Shift:
    """A shift that takes place."""

    start: int
    end: int
    breaks: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Run:
    """A run of an order; rejects until `settled` are start-up rejects."""

    start: int
    end: int | None
    product: int | None
    settled: int | None


@dataclass(frozen=True)
class Rate:
    """An ideal cycle time in seconds per piece, and while it holds."""

    start: int
    end: int | None
    product: int
    cycle: Fraction


@dataclass(frozen=True)
class Case:
    """A machine's history around a window of `length` seconds that begins `into_hour` seconds after a full hour."""

    length: int
    into_hour: int
    states: tuple[tuple[int, int], ...] = ()
    gaps: tuple[Span, ...] = ()
    corrections: tuple[Correction, ...] = ()
    tags: tuple[Tag, ...] = ()
    shifts: tuple[Shift, ...] | None = None
    runs: tuple[Run, ...] = ()
    rates: tuple[Rate, ...] = ()
    micro_below: int | None = None
    micro_below_of: tuple[tuple[int, int], ...] = ()
    counted_running: tuple[int, int] | None = None
    """Stands after so many seconds, runs after so many pieces."""
    known_until: int | None = None
    policy: Policy = field(default_factory=Policy)
    later_policy: tuple[int, Policy] | None = None
    """From the full hour with this number on (0 = the one in which the window begins), another policy."""


def random_case(random: Random, length: int | None = None) -> Case:
    """Return a history: dense around what is hard (touching, overlapping, cut by the window's ends),
    otherwise sparse.
    """
    length = length or random.choice((900, 2_400, 5_400, 9_000))
    counted = (random.choice((20, 60, 120)), random.choice((1, 2, 3))) if random.random() < 0.3 else None
    known_until = length + random.choice((0, 0, 30, 400)) if random.random() < 0.35 else None
    return Case(
        length=length,
        into_hour=random.choice((0, 1, 1_800, 3_599, random.randrange(3_600))),
        states=_states(random, length),
        gaps=tuple(_spans(random, length, 3, may_overlap=True)) if random.random() < 0.5 else (),
        corrections=tuple(_correction(random, length) for _ in range(random.choice((0, 0, 1, 2, 4)))),
        tags=random_tags(random, length, counted is not None),
        shifts=_shifts(random, length) if random.random() < 0.7 else None,
        runs=tuple(
            Run(
                start,
                end,
                random.choice((None, 1, 1, 2)),
                start + random.choice((60, 600)) if random.random() < 0.5 else None,
            )
            for start, end in _open_ended(random, _spans(random, length, 4))
        ),
        rates=tuple(
            Rate(start, end, product, Fraction(random.randint(1, 40), random.choice((1, 3, 7))))
            for product in (1, 2)
            for start, end in _open_ended(random, _spans(random, length, 2))
        ),
        micro_below=random.choice((None, 30, 120, 900)),
        micro_below_of=tuple((product, random.choice((1, 60, 300))) for product in (1, 2) if random.random() < 0.3),
        counted_running=counted,
        known_until=known_until,
        policy=random_policy(random),
        later_policy=(random.randint(0, 3), random_policy(random)) if random.random() < 0.4 else None,
    )


def random_policy(random: Random) -> Policy:
    """Return any combination of what a plant may decide."""
    return Policy(
        changeover=random.choice(list(Changeover)),
        overtime=random.choice(list(Overtime)),
        breaks=random.choice(list(Breaks)),
        micro_stops=random.choice(list(MicroStopLoss)),
        no_data=random.choice(list(NoData)),
        startup_rejects=random.choice(list(StartupRejects)),
    )


def _second(random: Random, length: int) -> int:
    """Return a second around the window; near its ends, and near full hours in it, more often than chance has it."""
    where = random.random()
    if where < 0.06:
        return random.choice((-1, 0, 1, length - 1, length, length + 1))
    if where < 0.3:
        return random.randrange(0, length, 3_600) + random.randint(-150, 150)
    return random.randint(-900, length + 900)


def _states(random: Random, length: int) -> tuple[tuple[int, int], ...]:
    found: dict[int, int] = {}
    at = _second(random, length)
    for _ in range(random.choice((0, 1, 3, 6, 12, 18))):
        # Close to the one before as often as anywhere: short stops are what micro-stops are about.
        at = (
            at + random.choice((1, 20, 59, 60, 61, 119, 120, 300)) if random.random() < 0.5 else _second(random, length)
        )
        if at < length + 900:
            found[at] = random.choices(list(REASONS), _WEIGHTS)[0]
    return tuple(found.items())


def _spans(random: Random, length: int, most: int, *, may_overlap: bool = False) -> list[Span]:
    number = random.randint(0, most)
    if may_overlap:
        return [
            (at, at + random.choice((1, 60, 600, 2_000))) for at in (_second(random, length) for _ in range(number))
        ]
    bounds = sorted({_second(random, length) for _ in range(2 * number)})
    spans = list(zip(bounds[::2], bounds[1::2], strict=False))
    # Some touch the next one.
    following = [*(start for start, _ in spans[1:]), None] if spans else []
    return [
        (a, b if start is None or random.random() < 0.6 else start)
        for (a, b), start in zip(spans, following, strict=True)
    ]


def _open_ended(random: Random, spans: list[Span]) -> list[tuple[int, int | None]]:
    return [*spans[:-1], (spans[-1][0], None)] if spans and random.random() < 0.4 else list(spans)


def _correction(random: Random, length: int) -> Correction:
    start = _second(random, length)
    end = None if random.random() < 0.15 else start + random.choice((1, 60, 600, 4_000))
    return Correction(start, end, random.choice((None, *REASONS)), random.random() < 0.4)


def _shifts(random: Random, length: int) -> tuple[Shift, ...]:
    return tuple(
        Shift(
            start,
            end,
            tuple((a, min(b, end)) for a, b in _breaks_in(random, start, end)) if random.random() < 0.7 else (),
        )
        for start, end in _spans(random, length, 3)
    )


def _breaks_in(random: Random, start: int, end: int) -> list[Span]:
    bounds = sorted({random.randint(start, end) for _ in range(4)})
    return list(zip(bounds[::2], bounds[1::2], strict=False))


def random_tags(random: Random, length: int, may_be_many: bool) -> tuple[Tag, ...]:
    """Return up to three counters; where pieces say whether the machine runs, some of them come close together."""
    return tuple(_tag(random, length, may_be_many) for _ in range(random.choice((0, 1, 1, 2, 3))))


def _tag(random: Random, length: int, may_be_many: bool) -> Tag:
    mode = random.choice(list(CountMode))
    modulus = random.choice((None, 100, 1_000)) if mode is CountMode.RUNNING else None
    readings = _readings(random, length, mode, modulus, random.choice((8, 20)) if may_be_many else 8)
    return Tag(
        role=random.choices(
            (CountRole.GOOD, CountRole.REJECT, CountRole.REWORK, CountRole.INFEED, CountRole.TOTAL), (6, 4, 1, 1, 2)
        )[0],
        mode=mode,
        scale=random.choice((Fraction(1), Fraction(3, 2), Fraction(6))),
        offset=random.choice((0, 0, 0, -10)),
        modulus=modulus,
        reset_policy=random.choice(list(ResetPolicy)),
        fastest_rate=random.choice((None, None, Fraction(1, 5), Fraction(2))),
        readings=tuple(readings.items()),
        events=tuple(
            Event(at, kind, random.choice((None, 0, random.randrange(100))) if kind is CounterEventKind.RESET else None)
            for at, kind in sorted(
                {
                    _second(random, length): random.choice(list(CounterEventKind))
                    for _ in range(random.choice((0, 0, 1, 2)))
                }.items()
            )
        )
        if mode is CountMode.RUNNING
        else (),
    )


def _readings(random: Random, length: int, mode: CountMode, modulus: int | None, most: int) -> dict[int, int]:
    moments, at = set(), _second(random, length)
    for _ in range(random.randint(0, most)):
        at = at + random.choice((1, 10, 20, 60, 61, 120)) if random.random() < 0.6 else _second(random, length)
        if at < length + 900:
            moments.add(at)
    if mode is CountMode.DELTA:
        return {at: random.randint(0, 30) for at in moments}
    # A counter that goes on, rolls over, restarts, and now and then says nonsense.
    found, value = {}, random.randrange(modulus or 500)
    for at in sorted(moments):
        what = random.random()
        value = (
            value + random.randint(0, 40)
            if what < 0.75
            else random.randrange(20)
            if what < 0.9
            else random.randrange(1_000)
        )
        value %= modulus or 10**9
        found[at] = value
    return found
