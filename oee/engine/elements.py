"""Sum slices into ISO 22400 time elements, quantities and ideal times: what every KPI is computed from.

Sums of several machines add up element by element; a KPI of many is the KPI of their sums, never a mean of KPIs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from operator import attrgetter
from typing import Any

from oee.engine.facts import Calendar, Category, CountRole
from oee.engine.slices import Slice

MICROSECONDS_PER_SECOND = 1_000_000
_ZERO = Fraction(0)


class Changeover(StrEnum):
    """What a changeover in planned time is."""

    AVAILABILITY_LOSS = "availability_loss"
    PLANNED = "planned"


class Overtime(StrEnum):
    """What production outside the planned time is."""

    COUNT = "count"
    EXCLUDE = "exclude"


class Breaks(StrEnum):
    """What a break is in which the machine stands."""

    PLANNED = "planned"
    UNSCHEDULED = "unscheduled"
    AVAILABILITY_LOSS = "availability_loss"


class MicroStopLoss(StrEnum):
    """Which factor of OEE micro-stops lower."""

    PERFORMANCE = "performance"
    AVAILABILITY = "availability"


class NoData(StrEnum):
    """What planned time is of which nothing is known."""

    EXCLUDE = "exclude"
    AVAILABILITY_LOSS = "availability_loss"


class StartupRejects(StrEnum):
    """What rejects are that were made while a run started up."""

    QUALITY_LOSS = "quality_loss"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a plant decides where published definitions of OEE differ.

    Overtime: with `COUNT`, time in which the machine ran in a break or outside its shifts is planned busy time and
    production like any other; with `EXCLUDE`, that time and its pieces are left out of every KPI.
    """

    changeover: Changeover = Changeover.AVAILABILITY_LOSS
    overtime: Overtime = Overtime.COUNT
    breaks: Breaks = Breaks.PLANNED
    micro_stops: MicroStopLoss = MicroStopLoss.PERFORMANCE
    no_data: NoData = NoData.EXCLUDE
    startup_rejects: StartupRejects = StartupRejects.QUALITY_LOSS
    target_oee: Fraction = Fraction(85, 100)


@dataclass(frozen=True, slots=True)
class CountingScheme:
    """Which counters a machine has, and so how its pieces add up."""

    counts_total: bool = False
    counts_good: bool = True


@dataclass(frozen=True, slots=True)
class TimeElements:
    """Time in µs: every µs of a machine's calendar time in exactly one of these (ISO 22400-2 names where it has
    one).
    """

    actual_production_time: int = 0
    """APT: running, overtime included if the policy counts it."""
    minor_stop_time: int = 0
    """Micro-stops, if the policy calls them a performance loss; otherwise they are delay."""
    actual_unit_setup_time: int = 0
    """AUST: changeover in planned time, if the policy calls it a loss."""
    actual_unit_delay_time: int = 0
    """ADET: unplanned stops in planned time, and whatever else the policy calls an availability loss."""
    undetermined_time: int = 0
    """A stop that still lasts and is shorter than the micro-stop limit: a loss of one kind or the other."""
    planned_stop_time: int = 0
    """Planned stops in shifts."""
    break_time: int = 0
    """Breaks, unless the policy calls standing in them a loss or them unscheduled."""
    unscheduled_time: int = 0
    """Outside the shifts, or reported as not scheduled."""
    no_data_time: int = 0
    """Planned time that nobody explained, and that is left out of what availability is measured against."""
    no_data_loss_time: int = 0
    """Planned time that nobody explained, if the policy calls it an availability loss."""

    @property
    def calendar_time(self) -> int:
        """All of it: the window, once per machine."""
        return sum(getattr(self, element.name) for element in fields(self))

    @property
    def planned_operation_time(self) -> int:
        """POT: planned time, its planned stops and breaks included."""
        return self.calendar_time - self.unscheduled_time

    @property
    def planned_downtime(self) -> int:
        """Planned stops and breaks."""
        return self.planned_stop_time + self.break_time

    @property
    def time_for_production(self) -> int:
        """What performance is measured against: running, with micro-stops where they are a performance loss."""
        return self.actual_production_time + self.minor_stop_time

    @property
    def planned_busy_time(self) -> int:
        """PBT: the known planned time in which production was expected; what availability is measured against."""
        return (
            self.time_for_production
            + self.actual_unit_setup_time
            + self.actual_unit_delay_time
            + self.undetermined_time
            + self.no_data_loss_time
        )

    @property
    def coverage(self) -> Fraction | None:
        """The part of the planned time that is explained; None when nothing was planned."""
        planned = self.planned_operation_time
        unknown = self.no_data_time + self.no_data_loss_time
        return Fraction(planned - unknown, planned) if planned else None


@dataclass(frozen=True, slots=True)
class Quantities:
    """Pieces: `produced` (PQ) = `good` (GQ) + `scrap` (SQ) + `rework` (RQ) where all of them are counted.

    `startup_scrap` are those of the scrap that were made while a run started up.
    """

    produced: Fraction = Fraction(0)
    good: Fraction = Fraction(0)
    scrap: Fraction = Fraction(0)
    rework: Fraction = Fraction(0)
    infeed: Fraction = Fraction(0)
    startup_scrap: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class MachineSums:
    """All that KPIs need of one machine, or of several added up.

    Ideal times are in seconds: pieces × ideal cycle time. Pieces for which no ideal rate held stand apart in
    `quantity_without_rate`, and the planned time for which none held in `planned_time_without_rate` (µs). Pieces that
    were counted while nobody knew what the machine did are in `quantities` and in `quantity_without_data`, but have no
    ideal time: there is no production time to compare it with.
    `ideal_quantity_of_planned_time` is what planned time would yield at the ideal rates. Ideal times of parts of the
    pieces are what each kind of them cost. `order_time` is the time in which a run was open (µs), `overtime` the
    production outside planned time that counts (µs), `production_time_without_rate` the running time for which no rate
    held (µs), `micro_stop_time` all micro-stops in planned time, whichever loss they are (µs).
    """

    times: TimeElements = field(default_factory=TimeElements)
    quantities: Quantities = field(default_factory=Quantities)
    ideal_time: Fraction = Fraction(0)
    ideal_time_of_good: Fraction = Fraction(0)
    quantity_without_rate: Fraction = Fraction(0)
    quantity_without_data: Fraction = Fraction(0)
    ideal_quantity_of_planned_time: Fraction = Fraction(0)
    planned_time_without_rate: int = 0
    ideal_time_of_scrap: Fraction = Fraction(0)
    ideal_time_of_startup_scrap: Fraction = Fraction(0)
    ideal_time_of_rework: Fraction = Fraction(0)
    production_time_without_rate: int = 0
    micro_stop_time: int = 0
    order_time: int = 0
    overtime: int = 0

    def __add__(self, other: "MachineSums") -> "MachineSums":
        return MachineSums.total((self, other))

    @classmethod
    def total(cls, sums: Iterable["MachineSums"]) -> "MachineSums":
        """Return the sum of machines' sums: a weighted line, an area, a site, an enterprise."""
        each = list(sums)
        if len(each) == 1:
            return each[0]
        times = TimeElements(*_TIMES.added([one.times for one in each]))
        quantities = Quantities(*_QUANTITIES.added([one.quantities for one in each]))
        return cls(times, quantities, *_BESIDE_THEM.added(each))


class _Columns:
    """Fields of a dataclass that are numbers, to be added up field by field; most of them are zero and cost nothing."""

    def __init__(self, of: type[Any], *, but: frozenset[str] = frozenset()) -> None:
        added = [one for one in fields(of) if one.name not in but]
        self._values: Callable[[Any], tuple[Any, ...]] = attrgetter(*(one.name for one in added))
        self._zeros: list[Any] = [one.default for one in added]

    def added(self, rows: Sequence[Any]) -> list[Any]:
        """Return the sum of each field over the rows."""
        if not rows:
            return list(self._zeros)
        columns = zip(*map(self._values, rows), strict=True)
        return [sum(filter(None, column), zero) for column, zero in zip(columns, self._zeros, strict=True)]


_TIMES, _QUANTITIES = _Columns(TimeElements), _Columns(Quantities)
_BESIDE_THEM = _Columns(MachineSums, but=frozenset({"times", "quantities"}))


def sum_slices(
    slices: Iterable[Slice],
    *,
    rates: Mapping[int, Fraction],
    scheme: CountingScheme,
    policy: Policy | Callable[[datetime], Policy],
) -> MachineSums:
    """Return the sums of one machine's slices; `rates` maps rate ids to ideal cycle times in seconds per piece.

    `policy` may depend on the slice's hour: what a plant decides holds from a day on.
    """
    policy_at = policy if callable(policy) else lambda hour: policy
    return MachineSums.total(_sums_of(piece, rates, scheme, policy_at(piece.key.hour)) for piece in slices)


def _sums_of(piece: Slice, rates: Mapping[int, Fraction], scheme: CountingScheme, policy: Policy) -> MachineSums:
    times = _time_elements(piece, policy)
    in_shift = piece.key.calendar is Calendar.SCHEDULED
    excluded = not in_shift and policy.overtime is Overtime.EXCLUDE
    quantities = Quantities() if excluded else _quantities(piece.quantities, scheme, policy)
    expected = times.planned_busy_time + times.no_data_time
    cycle = None if piece.key.rate_id is None else rates[piece.key.rate_id]
    # Pieces that were counted while nobody knew what the machine did have no time to be compared with.
    cost = cycle if piece.key.has_data else None
    return MachineSums(
        times,
        quantities,
        ideal_time=_cost_of(quantities.produced, cost),
        ideal_time_of_good=_cost_of(quantities.good, cost),
        quantity_without_rate=quantities.produced if piece.key.has_data and cycle is None else _ZERO,
        quantity_without_data=_ZERO if piece.key.has_data else quantities.produced,
        ideal_quantity_of_planned_time=Fraction(expected, MICROSECONDS_PER_SECOND) / cycle if cycle else _ZERO,
        planned_time_without_rate=0 if cycle else expected,
        ideal_time_of_scrap=_cost_of(quantities.scrap - quantities.startup_scrap, cost),
        ideal_time_of_startup_scrap=_cost_of(quantities.startup_scrap, cost),
        ideal_time_of_rework=_cost_of(quantities.rework, cost),
        production_time_without_rate=0 if cycle else times.actual_production_time,
        micro_stop_time=piece.microseconds.get(Category.MICRO_STOP, 0) if in_shift else 0,
        order_time=0 if piece.key.run_id is None else sum(piece.microseconds.values()),
        overtime=0 if in_shift else times.actual_production_time,
    )


def _cost_of(pieces: Fraction, cost: Fraction | None) -> Fraction:
    """Return what pieces take at a cycle time in seconds; without one, and mostly there are none, nothing."""
    return pieces * cost if pieces and cost else _ZERO


def _time_elements(piece: Slice, policy: Policy) -> TimeElements:
    spent = piece.microseconds
    running = spent.get(Category.RUNNING, 0)
    if piece.key.calendar is Calendar.SCHEDULED:
        return _planned_time(spent, running, policy)
    stands = sum(spent.values()) - running
    # Running that is left out is neither production nor a stop.
    left_out = running if policy.overtime is Overtime.EXCLUDE else 0
    running -= left_out
    if piece.key.calendar is Calendar.ON_BREAK and policy.breaks is Breaks.PLANNED:
        return TimeElements(actual_production_time=running, break_time=stands + left_out)
    if piece.key.calendar is Calendar.ON_BREAK and policy.breaks is Breaks.AVAILABILITY_LOSS:
        return TimeElements(actual_production_time=running, actual_unit_delay_time=stands, break_time=left_out)
    return TimeElements(actual_production_time=running, unscheduled_time=stands + left_out)


def _planned_time(spent: Mapping[Category, int], running: int, policy: Policy) -> TimeElements:
    changeover, planned = spent.get(Category.CHANGEOVER, 0), spent.get(Category.PLANNED, 0)
    unplanned, micro = spent.get(Category.UNPLANNED, 0), spent.get(Category.MICRO_STOP, 0)
    unknown = spent.get(Category.NO_DATA, 0)
    setup_is_loss = policy.changeover is Changeover.AVAILABILITY_LOSS
    micro_is_speed = policy.micro_stops is MicroStopLoss.PERFORMANCE
    unknown_is_loss = policy.no_data is NoData.AVAILABILITY_LOSS
    return TimeElements(
        actual_production_time=running,
        minor_stop_time=micro if micro_is_speed else 0,
        actual_unit_setup_time=changeover if setup_is_loss else 0,
        actual_unit_delay_time=unplanned if micro_is_speed else unplanned + micro,
        undetermined_time=spent.get(Category.UNDETERMINED, 0),
        planned_stop_time=planned if setup_is_loss else planned + changeover,
        unscheduled_time=spent.get(Category.NOT_SCHEDULED, 0),
        no_data_time=0 if unknown_is_loss else unknown,
        no_data_loss_time=unknown if unknown_is_loss else 0,
    )


def _quantities(counted: Mapping[CountRole, Fraction], scheme: CountingScheme, policy: Policy) -> Quantities:
    """Return pieces by the machine's scheme: a total counter rules; otherwise the total is what its parts make."""
    good, scrap, rework, infeed, total, startup = (
        counted.get(role, _ZERO)
        for role in (
            *(CountRole.GOOD, CountRole.REJECT, CountRole.REWORK),
            *(CountRole.INFEED, CountRole.TOTAL, CountRole.STARTUP_REJECT),
        )
    )
    if scheme.counts_total and not scheme.counts_good:
        good = total - scrap - rework
    produced = total if scheme.counts_total else sum(filter(None, (good, scrap, rework)), start=_ZERO)
    if policy.startup_rejects is StartupRejects.EXCLUDE:
        return Quantities(produced - startup, good, scrap - startup, rework, infeed)
    return Quantities(produced, good, scrap, rework, infeed, startup)
