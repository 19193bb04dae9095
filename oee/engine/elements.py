"""Sum slices into ISO 22400 time elements, quantities and ideal times: what every KPI is computed from.

Sums of several machines add up element by element; a KPI of many is the KPI of their sums, never a mean of KPIs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from fractions import Fraction

from oee.engine.facts import Calendar, Category, CountRole
from oee.engine.slices import Slice

MICROSECONDS_PER_SECOND = 1_000_000


class Changeover(StrEnum):
    """What a changeover in planned time is."""

    AVAILABILITY_LOSS = "availability_loss"
    PLANNED = "planned"


class Overtime(StrEnum):
    """What production outside the planned time is."""

    COUNT = "count"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a plant decides where published definitions of OEE differ.

    Overtime: with `COUNT`, time in which the machine ran in a break or outside its shifts is planned busy time and
    production like any other; with `EXCLUDE`, that time and its pieces are left out of every KPI.
    """

    changeover: Changeover = Changeover.AVAILABILITY_LOSS
    overtime: Overtime = Overtime.COUNT
    target_oee: Fraction = Fraction(85, 100)


@dataclass(frozen=True, slots=True)
class CountingScheme:
    """Which counters a machine has, and so how its pieces add up."""

    counts_total: bool = False
    counts_good: bool = True


@dataclass(frozen=True, slots=True)
class TimeElements:
    """Time in µs: every µs of a machine's calendar time in exactly one of these (ISO 22400-2 names where it has one)."""

    actual_production_time: int = 0
    """APT: running, overtime included if the policy counts it."""
    actual_unit_setup_time: int = 0
    """AUST: changeover in planned time, if the policy calls it a loss."""
    actual_unit_delay_time: int = 0
    """ADET: unplanned stops in planned time."""
    planned_downtime: int = 0
    """Planned stops in shifts, and breaks."""
    unscheduled_time: int = 0
    """Outside the shifts, or reported as not scheduled."""
    no_data_time: int = 0
    """Planned time that nobody explained."""

    @property
    def calendar_time(self) -> int:
        """All of it: the window, once per machine."""
        return sum(getattr(self, element.name) for element in fields(self))

    @property
    def planned_operation_time(self) -> int:
        """POT: planned time, its planned stops included."""
        return self.calendar_time - self.unscheduled_time

    @property
    def planned_busy_time(self) -> int:
        """PBT: the known planned time in which production was expected; what availability is measured against."""
        return self.actual_production_time + self.actual_unit_setup_time + self.actual_unit_delay_time

    @property
    def coverage(self) -> Fraction | None:
        """The part of the planned time that is explained; None when nothing was planned."""
        planned = self.planned_operation_time
        return Fraction(planned - self.no_data_time, planned) if planned else None

    def __add__(self, other: "TimeElements") -> "TimeElements":
        return TimeElements(*(getattr(self, e.name) + getattr(other, e.name) for e in fields(TimeElements)))


@dataclass(frozen=True, slots=True)
class Quantities:
    """Pieces: `produced` (PQ) = `good` (GQ) + `scrap` (SQ) + `rework` (RQ) where all of them are counted."""

    produced: Fraction = Fraction(0)
    good: Fraction = Fraction(0)
    scrap: Fraction = Fraction(0)
    rework: Fraction = Fraction(0)
    infeed: Fraction = Fraction(0)

    def __add__(self, other: "Quantities") -> "Quantities":
        return Quantities(*(getattr(self, e.name) + getattr(other, e.name) for e in fields(Quantities)))


@dataclass(frozen=True, slots=True)
class MachineSums:
    """All that KPIs need of one machine, or of several added up.

    Ideal times are in seconds: pieces × ideal cycle time. Pieces for which no ideal rate held stand apart in
    `quantity_without_rate`, and the planned time for which none held in `planned_time_without_rate` (µs). Pieces that
    were counted while nobody knew what the machine did are in `quantities` and in `quantity_without_data`, but have no
    ideal time: there is no production time to compare it with.
    `ideal_quantity_of_planned_time` is what planned time would yield at the ideal rates.
    """

    times: TimeElements = field(default_factory=TimeElements)
    quantities: Quantities = field(default_factory=Quantities)
    ideal_time: Fraction = Fraction(0)
    ideal_time_of_good: Fraction = Fraction(0)
    quantity_without_rate: Fraction = Fraction(0)
    quantity_without_data: Fraction = Fraction(0)
    ideal_quantity_of_planned_time: Fraction = Fraction(0)
    planned_time_without_rate: int = 0

    def __add__(self, other: "MachineSums") -> "MachineSums":
        return MachineSums(*(getattr(self, e.name) + getattr(other, e.name) for e in fields(MachineSums)))

    @classmethod
    def total(cls, sums: Iterable["MachineSums"]) -> "MachineSums":
        """Return the sum of machines' sums: a weighted line, an area, a site, an enterprise."""
        return sum(sums, start=cls())


def sum_slices(
    slices: Iterable[Slice], *, rates: Mapping[int, Fraction], scheme: CountingScheme, policy: Policy
) -> MachineSums:
    """Return the sums of one machine's slices; `rates` maps rate ids to ideal cycle times in seconds per piece."""
    return MachineSums.total(_sums_of(piece, rates, scheme, policy) for piece in slices)


def _sums_of(piece: Slice, rates: Mapping[int, Fraction], scheme: CountingScheme, policy: Policy) -> MachineSums:
    times = _time_elements(piece, policy)
    excluded = piece.key.calendar is not Calendar.SCHEDULED and policy.overtime is Overtime.EXCLUDE
    quantities = Quantities() if excluded else _quantities(piece.quantities, scheme)
    expected = times.planned_busy_time + times.no_data_time
    cycle = None if piece.key.rate_id is None else rates[piece.key.rate_id]
    sums = MachineSums(
        times,
        quantities,
        ideal_quantity_of_planned_time=Fraction(expected, MICROSECONDS_PER_SECOND) / cycle if cycle else Fraction(0),
        planned_time_without_rate=0 if cycle else expected,
    )
    if not piece.key.has_data:
        return replace(sums, quantity_without_data=quantities.produced)
    if cycle is None:
        return replace(sums, quantity_without_rate=quantities.produced)
    return replace(sums, ideal_time=quantities.produced * cycle, ideal_time_of_good=quantities.good * cycle)


def _time_elements(piece: Slice, policy: Policy) -> TimeElements:
    spent = piece.microseconds
    running = spent.get(Category.RUNNING, 0)
    rest = sum(spent.values()) - running
    if piece.key.calendar is not Calendar.SCHEDULED:
        if policy.overtime is Overtime.EXCLUDE:
            running, rest = 0, rest + running
        if piece.key.calendar is Calendar.ON_BREAK:
            return TimeElements(actual_production_time=running, planned_downtime=rest)
        return TimeElements(actual_production_time=running, unscheduled_time=rest)
    changeover = spent.get(Category.CHANGEOVER, 0)
    planned = spent.get(Category.PLANNED, 0)
    is_loss = policy.changeover is Changeover.AVAILABILITY_LOSS
    return TimeElements(
        actual_production_time=running,
        actual_unit_setup_time=changeover if is_loss else 0,
        actual_unit_delay_time=spent.get(Category.UNPLANNED, 0),
        planned_downtime=planned if is_loss else planned + changeover,
        unscheduled_time=spent.get(Category.NOT_SCHEDULED, 0),
        no_data_time=spent.get(Category.NO_DATA, 0),
    )


def _quantities(counted: Mapping[CountRole, Fraction], scheme: CountingScheme) -> Quantities:
    """Return pieces by the machine's scheme: a total counter rules; otherwise the total is what its parts make."""
    good, scrap, rework, infeed, total = (
        counted.get(role, Fraction(0))
        for role in (CountRole.GOOD, CountRole.REJECT, CountRole.REWORK, CountRole.INFEED, CountRole.TOTAL)
    )
    if not scheme.counts_total:
        return Quantities(good + scrap + rework, good, scrap, rework, infeed)
    if not scheme.counts_good:
        good = total - scrap - rework
    return Quantities(total, good, scrap, rework, infeed)
