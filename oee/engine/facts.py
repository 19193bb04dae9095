"""What the engine is told of one machine: facts, people's corrections, and intent. All frozen, all UTC, all exact."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from core.intervals import Interval


class Category(StrEnum):
    """How a state counts. The last two no reason has: they are what an unplanned stop is by its length."""

    RUNNING = "running"
    UNPLANNED = "unplanned"
    PLANNED = "planned"
    CHANGEOVER = "changeover"
    NOT_SCHEDULED = "not_scheduled"
    NO_DATA = "no_data"
    MICRO_STOP = "micro_stop"
    UNDETERMINED = "undetermined"


class Calendar(StrEnum):
    """What the shift calendar says of a moment."""

    SCHEDULED = "scheduled"
    ON_BREAK = "on_break"
    UNSCHEDULED = "unscheduled"


class CountRole(StrEnum):
    """What a counted piece is."""

    GOOD = "good"
    REJECT = "reject"
    REWORK = "rework"
    INFEED = "infeed"
    TOTAL = "total"
    STARTUP_REJECT = "startup_reject"
    """Derived: those of the rejects that were made while a run started up."""


class CountMode(StrEnum):
    """What a reading says: so many more, or so many so far."""

    DELTA = "delta"
    RUNNING = "running"


class ResetPolicy(StrEnum):
    """What a lower reading of a running counter means that did not roll over."""

    FROM_ZERO = "from_zero"
    NEW_BASELINE = "new_baseline"
    HOLD = "hold"


class CounterEventKind(StrEnum):
    """What happened to a running counter between two readings, as its device or a person said."""

    RESET = "reset"
    REPLACED = "replaced"
    ROLLOVER = "rollover"
    GENUINE = "genuine"


@dataclass(frozen=True, slots=True, order=True)
class StateEvent:
    """The machine went into a state; it lasts until the next event."""

    at: datetime
    reason_id: int
    category: Category


@dataclass(frozen=True, slots=True, order=True)
class StateCorrection:
    """A person's word on a span (`end=None`: until further notice); the highest sequence that covers a moment holds.

    Unless it `replaces_running`, it leaves time alone in which the device says that the machine ran. Without a reason
    it takes back what earlier ones said, whatever they replace: the device's own word holds.
    """

    sequence: int
    start: datetime
    end: datetime | None
    reason_id: int | None
    category: Category
    """Of no meaning without a reason."""
    replaces_running: bool = False

    @property
    def takes_back(self) -> bool:
        """Whether it says "as the machine said"."""
        return self.reason_id is None


@dataclass(frozen=True, slots=True)
class TagConfig:
    """How the readings of a counter become pieces: `scale` in pieces per pulse, `fastest_rate` in pulses per second."""

    role: CountRole
    mode: CountMode = CountMode.DELTA
    scale: Fraction = Fraction(1)
    offset: Decimal = Decimal(0)
    modulus: int | None = None
    reset_policy: ResetPolicy = ResetPolicy.FROM_ZERO
    fastest_rate: Fraction | None = None


@dataclass(frozen=True, slots=True, order=True)
class Reading:
    """What a counter said, in pulses."""

    at: datetime
    value: Decimal


@dataclass(frozen=True, slots=True)
class CounterEvent:
    """What happened to a running counter at a moment; `value` is what it read right after a reset."""

    at: datetime
    kind: CounterEventKind
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Increment:
    """Pieces that were counted at a moment; a running counter's were made since its reading before."""

    at: datetime
    role: CountRole
    quantity: Fraction
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShiftSpan:
    """A shift that takes place, with the breaks in it."""

    shift_id: int
    shift_date: date
    interval: Interval
    breaks: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSpan:
    """A run of an order; `end=None`: it still runs. A machine has one at a time. Rejects until `settled` are start-up
    rejects.
    """

    run_id: int
    product_id: int | None
    start: datetime
    end: datetime | None
    settled: datetime | None = None


@dataclass(frozen=True, slots=True)
class RateSpan:
    """The ideal cycle time of a product, in seconds per piece, and while it holds."""

    rate_id: int
    product_id: int
    ideal_cycle_time: Fraction
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class CountedRunning:
    """How a machine's counts alone say whether it ran.

    It stops at a piece that none follows within `stop_after`; it runs again from the first of `run_after` pieces that
    follow each other within that time. Fewer are a nudge, not a start.
    """

    stop_after: timedelta
    run_after: int = 1

    @property
    def reach(self) -> timedelta:
        """How far from a moment a piece can lie that decides whether the machine ran then."""
        return self.stop_after * self.run_after


@dataclass(frozen=True, slots=True)
class MicroStops:
    """Below which length a stop is a micro-stop: a product's own limit, else the machine's; None = there are none."""

    below: timedelta | None = None
    below_of: Mapping[int, timedelta] = field(default_factory=dict)

    @property
    def reach(self) -> timedelta:
        """The longest of the limits: how far beyond a window a stop must be followed to know what it is."""
        return max([self.below or timedelta(), *self.below_of.values()])

    def limit(self, product_id: int | None) -> timedelta | None:
        """Return the limit while a product is made."""
        return self.below if product_id is None else self.below_of.get(product_id, self.below)


@dataclass(frozen=True, slots=True)
class MachineHistory:
    """Everything about one machine that bears on a window, in any order.

    States, corrections and gaps reach back to the earliest `since` of the increments, and begin with the state carried
    into that time, if there is one; with micro-stops they, and the runs, reach beyond the window by `micro_stops.reach`
    on both sides. A gap is time of which it is known that nothing is known. `shifts=None` means that no calendar was
    set up: all time is scheduled.

    With `counted_running`, the `pieces` say whether it ran (their moments, as far beyond the window on both sides as
    `counted_running.reach` and `micro_stops.reach`), and states only why it stood; before `counting_since`, the first
    reading, only states are known.
    `known_until` is the present when the window reaches up to it: what stands then may yet go on.
    """

    states: tuple[StateEvent, ...] = ()
    gaps: tuple[Interval, ...] = ()
    corrections: tuple[StateCorrection, ...] = ()
    increments: tuple[Increment, ...] = ()
    shifts: tuple[ShiftSpan, ...] | None = None
    runs: tuple[RunSpan, ...] = ()
    rates: tuple[RateSpan, ...] = ()
    reaches_back_to: datetime | None = None
    micro_stops: MicroStops = MicroStops()
    counted_running: CountedRunning | None = None
    pieces: tuple[datetime, ...] = ()
    counting_since: datetime | None = None
    known_until: datetime | None = None
