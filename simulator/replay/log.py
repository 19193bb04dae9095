"""What every reader makes of a file: facts, and what must exist in the plant before they can be stored."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from simulator.facts import Fact


class UnreadableLog(Exception):
    """A file or mapping contradicts what it should be; the message names the place and what to do."""


@dataclass(frozen=True, slots=True)
class ReasonNeed:
    """A state reason that a log uses."""

    code: str
    name: str
    category: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class MachineNeed:
    """A machine that a log itself names."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class TagNeed:
    """A counter that a log reports; each of its values is a number of new pieces.

    It is the machine's that the log is replayed for, unless the log itself names one.
    """

    tag_path: str
    count_type: str = "GOOD"
    machine: str = ""


@dataclass(frozen=True, slots=True)
class ProductNeed:
    """A product that a log names, with the ideal time for one piece of it."""

    code: str
    name: str
    minutes_per_piece: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class OrderNeed:
    """An order that a log says was run. Half-open, UTC."""

    number: str
    product: str
    quantity: Decimal
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Log:
    """A log as facts in order of time. Of several things that the plant needs, parents come before children."""

    facts: tuple[Fact, ...]
    reasons: tuple[ReasonNeed, ...] = ()
    tags: tuple[TagNeed, ...] = ()
    products: tuple[ProductNeed, ...] = ()
    orders: tuple[OrderNeed, ...] = ()
    machines: tuple[MachineNeed, ...] = ()

    @property
    def start(self) -> datetime:
        """The moment of the first fact."""
        return self.facts[0].at

    @property
    def end(self) -> datetime:
        """The moment of the last fact."""
        return self.facts[-1].at
