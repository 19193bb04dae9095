"""What the operator's terminal shows: the job, the stops that ask for a reason, the shift so far."""

from dataclasses import dataclass
from fractions import Fraction

from execution.dispatching import Dispatched
from oee.stops import Stop
from workorders.models import Operation


@dataclass(frozen=True, slots=True)
class Job:
    """The operation on the screen: how it stands, and what may be done about it."""

    work: Dispatched
    status: str
    """`running`, `paused`, `waiting` or `held`, at this machine."""
    target: str
    good: str
    scrap: str
    unit: str
    percent: int | None
    reports: bool
    reports_good: bool
    is_of_line: bool = False
    """Whether the quantities are the order's, as the line's runs counted them, since nobody works on its operations."""

    @property
    def operation(self) -> Operation:
        """The operation."""
        return self.work.operation


@dataclass(frozen=True, slots=True)
class AskedStop:
    """A stop of which nobody knows why, with the words that an answer sends back."""

    stop: Stop
    starts: str
    ends: str
    key: str


@dataclass(frozen=True, slots=True)
class Winning:
    """The shift so far: what was made, what should have been; None = nobody can say."""

    good: Fraction | None
    target: Fraction | None

    @property
    def delta(self) -> Fraction | None:
        """Pieces ahead or behind."""
        return None if self.target is None or self.good is None or self.has_nothing_due else self.good - self.target

    @property
    def has_nothing_due(self) -> bool:
        """Whether nothing was to be made so far, and nothing was."""
        return self.target == 0 and self.good == 0

    @property
    def is_ahead(self) -> bool:
        """Whether it is at or ahead of its target."""
        return self.delta is not None and self.delta >= 0
