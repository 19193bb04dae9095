"""The shapes of which a simulated plant is described: plain data, no database and no clock."""

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from fractions import Fraction

# Reasons that the behaviour of a line itself leads to; every plan has them.
RUNNING, STARVED, BLOCKED = "RUN", "STARVED", "BLOCKED"
BREAK, CLEANING, NOT_SCHEDULED, NO_DATA = "BREAK", "CLEAN-CIP", "NO-SHIFT", "NO-SIGNAL"
CHANGE_LOT, CHANGE_FLAVOUR, CHANGE_FORMAT = "CHANGE-LOT", "CHANGE-FLAVOUR", "CHANGE-FORMAT"


@dataclass(frozen=True, slots=True)
class ReasonPlan:
    """A state reason and what stands under it; `waits_for` as `downtime.StateReason.WaitsFor` calls it, "" = nothing.

    Who waits is well, so such a reason is no failure.
    """

    code: str
    name: str
    colour: str = ""
    from_device_only: bool = False
    children: tuple["ReasonPlan", ...] = ()
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class CounterPlan:
    """A counter of a machine, as its controller keeps it.

    `pieces_per_pulse` is its scale. A running counter either rolls over at its modulus or is set to zero every day.
    """

    suffix: str
    count_type: str
    is_running: bool = False
    modulus: int | None = None
    pieces_per_pulse: int = 1


@dataclass(frozen=True, slots=True)
class Habits:
    """How a machine fails: how often, how long, and with which reasons (code, device's words)."""

    micro_stops_per_hour: float
    micro_stops: tuple[tuple[str, str], ...]
    hours_between_breakdowns: float
    mean_repair_minutes: float
    breakdowns: tuple[tuple[str, str], ...]
    reject_share: float = 0.0


@dataclass(frozen=True, slots=True)
class MachinePlan:
    """A machine of a line; `pace` is its ideal speed relative to the constraint's."""

    code: str
    name: str
    pace: Fraction
    counters: tuple[CounterPlan, ...]
    habits: Habits
    sample_seconds: int
    is_constraint: bool = False

    def tag_path(self, counter: CounterPlan) -> str:
        """Return how the machine's controller calls one of its counters."""
        return f"{self.code.replace('-', '/', 1)}/{counter.suffix}"


@dataclass(frozen=True, slots=True)
class MaterialPlan:
    """Something that is bought: how it comes, and how often.

    A delivery is one lot; it comes every `days` days, in whole packages of `package`, and covers what the orders until
    the next one need. Something that comes through a pipe has no lots and no supplier.
    """

    code: str
    name: str
    unit: str
    cost: Decimal
    supplier: str = ""
    days: int = 1
    package: Decimal = Decimal(1)
    shelf_life_days: int | None = None

    @property
    def has_lots(self) -> bool:
        """Whether its deliveries are kept apart."""
        return bool(self.supplier)


@dataclass(frozen=True, slots=True)
class ProductPlan:
    """A product; products of one format need only a short changeover between them.

    A bottle holds `litres`. `bill` is what a thousand bottles need: material, quantity, and which machine takes it (the
    last part of its code). What is sold of one that `has_record` has a batch record, whoever buys it, and leaves on
    pallets of so many bottles (`per_pallet`).
    """

    code: str
    name: str
    format: str
    litres: Decimal
    bill: tuple[tuple[str, Decimal, str], ...] = ()
    shelf_life_days: int | None = 365
    has_record: bool = False
    per_pallet: Decimal = Decimal(1_000)


@dataclass(frozen=True, slots=True)
class BreakPlan:
    """A pause of a shift, in wall-clock time."""

    name: str
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class ShiftPlan:
    """A shift in wall-clock time of the site; `is_overtime` ones are added to the regular ones."""

    name: str
    start: time
    end: time
    breaks: tuple[BreakPlan, ...]
    weekdays: frozenset[int] = frozenset(range(1, 8))
    is_overtime: bool = False


@dataclass(frozen=True, slots=True)
class CleaningPlan:
    """Planned cleaning that stops the whole line, in wall-clock time."""

    start: time
    minutes: int
    weekdays: frozenset[int]


@dataclass(frozen=True, slots=True)
class WeeklyFault:
    """A fault that comes every week, so that a demo always has it: ISO weekday and wall-clock time."""

    weekday: int
    start: time
    machine: str
    minutes: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class LinePlan:
    """A line: machines in order, what it makes, when it works and when its orders begin.

    `rates` are pieces per hour of the constraint machine, by product. Orders are planned to begin every day at
    `order_starts`, in order of the clock, and take the products of `sequence` in turn: several orders of one product
    after each other, so that most changes are of the lot only. With `own_shifts` its shifts replace those of the site;
    a line that `works_on_holidays` has an exception of its own for each.
    """

    code: str
    name: str
    machines: tuple[MachinePlan, ...]
    rates: dict[str, Decimal]
    sequence: tuple[str, ...]
    order_starts: tuple[time, ...]
    lot_change_minutes: tuple[int, int]
    flavour_change_minutes: tuple[int, int]
    format_change_minutes: tuple[int, int]
    buffer_seconds: int
    cleaning: CleaningPlan
    weekly_faults: tuple[WeeklyFault, ...] = ()
    own_shifts: tuple[ShiftPlan, ...] = ()
    works_on_holidays: bool = False

    @property
    def constraint(self) -> MachinePlan:
        """The machine that sets the pace."""
        return next(machine for machine in self.machines if machine.is_constraint)


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """Somebody who works with the system."""

    username: str
    first_name: str
    last_name: str
    role: str


@dataclass(frozen=True, slots=True)
class CrewPlan:
    """People who work one shift of a line together: personnel number, first and last name.

    `posts` are the machines at which they stand, in the order of the members; the first leads the crew.
    """

    code: str
    line: str
    shift: str
    members: tuple[tuple[str, str, str], ...]
    posts: tuple[str, ...]
    hourly_rate: Decimal


@dataclass(frozen=True, slots=True)
class PlantPlan:
    """A plant: one site with one area and its lines."""

    enterprise: tuple[str, str]
    site: tuple[str, str]
    time_zone: str
    area: tuple[str, str]
    shifts: tuple[ShiftPlan, ...]
    lines: tuple[LinePlan, ...]
    products: tuple[ProductPlan, ...]
    reasons: dict[str, tuple[ReasonPlan, ...]]
    holidays: tuple[tuple[int, int, str], ...]
    people: tuple[PersonPlan, ...]
    materials: tuple[MaterialPlan, ...] = ()
    crews: tuple[CrewPlan, ...] = ()
    customers: tuple[str, ...] = ()

    def line(self, code: str) -> LinePlan:
        """Return the line with a code. Raises KeyError."""
        found = {line.code: line for line in self.lines}
        return found[code]

    def shifts_of(self, line: LinePlan) -> tuple[ShiftPlan, ...]:
        """Return the shifts that a line works."""
        return line.own_shifts or self.shifts

    def is_holiday(self, day: date) -> bool:
        """Say whether a day is a holiday of the site."""
        return any((month, number) == (day.month, day.day) for month, number, _ in self.holidays)

    def product(self, code: str) -> ProductPlan:
        """Return the product with a code. Raises KeyError."""
        return {product.code: product for product in self.products}[code]

    def material(self, code: str) -> MaterialPlan:
        """Return the material with a code. Raises KeyError."""
        return {material.code: material for material in self.materials}[code]
