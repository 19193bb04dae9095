"""The shapes of which a simulated job shop is described: plain data, no database and no clock."""

from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from simulator.plant import Habits, MaterialPlan, PersonPlan, ReasonPlan, ShiftPlan


@dataclass(frozen=True, slots=True)
class Kind:
    """Machines that can do the same work, and how they fail; `people_count` = what they make is reported by people."""

    code: str
    name: str
    machines: tuple[tuple[str, str], ...]
    habits: Habits
    people_count: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a routing: what kind of machine does it, and the ideal seconds for a piece."""

    kind: str
    seconds: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """What the shop makes: its routing, what a hundred pieces take (material, quantity), how often it is ordered.

    A part with `requirement` needs a batch record by that rule.
    """

    code: str
    name: str
    steps: tuple[Step, ...]
    bill: tuple[tuple[str, Decimal], ...]
    weight: int
    diameter: Decimal
    requirement: str = ""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How many orders come in an hour that begins in [from_hour, until_hour) of the site's clock: fewest and most."""

    from_hour: int
    until_hour: int
    fewest: int
    most: int


@dataclass(frozen=True, slots=True)
class Crew:
    """People who work one shift together: personnel number, first and last name."""

    code: str
    shift: str
    members: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class ToolPlan:
    """A tool that wears out, the machine that it is on and how many pieces it lasts."""

    code: str
    name: str
    machine: str
    life: int


@dataclass(frozen=True, slots=True)
class ShopPlan:
    """A job shop: one site, each machine a line of its own, so that OEE knows the order of each."""

    code: str
    enterprise: tuple[str, str]
    site: tuple[str, str]
    time_zone: str
    area: tuple[str, str]
    shifts: tuple[ShiftPlan, ...]
    kinds: tuple[Kind, ...]
    parts: tuple[Part, ...]
    materials: tuple[MaterialPlan, ...]
    customers: tuple[str, ...]
    weekday_arrivals: tuple[Arrivals, ...]
    weekend_arrivals: Arrivals
    crews: tuple[Crew, ...]
    people: tuple[PersonPlan, ...]
    reasons: dict[str, tuple[ReasonPlan, ...]]
    tools: tuple[ToolPlan, ...]
    hourly_rate: Decimal
    at_most_started: int = 5
    for_customers: float = 0.8
    quantities: tuple[int, int, int] = (50, 500, 10)
    setup_minutes: tuple[int, int] = (30, 90)

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def machines(self) -> tuple[str, ...]:
        """The codes of all machines, in order."""
        return tuple(code for kind in self.kinds for code, _ in kind.machines)

    def kind(self, code: str) -> Kind:
        """Return the kind with a code. Raises KeyError."""
        return {kind.code: kind for kind in self.kinds}[code]

    def kind_of(self, machine: str) -> Kind:
        """Return the kind of a machine. Raises StopIteration for one that the shop does not have."""
        return next(kind for kind in self.kinds if any(code == machine for code, _ in kind.machines))

    def part(self, code: str) -> Part:
        """Return the part with a code. Raises KeyError."""
        return {part.code: part for part in self.parts}[code]


def tag_path(machine: str, suffix: str) -> str:
    """Return how a machine's controller calls one of its counters."""
    return f"{machine}/{suffix}"
