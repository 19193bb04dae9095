"""What a line's screen shows, worked out: the view model that templates only lay out.

It is worked out once for readers of all languages, so its words are said only when it is laid out (`Words`).
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy

from oee.engine import Kpis

Words = Any
"""Text, or what `str` makes text of in the active language: a lazy translation or a `core.names.Spoken`."""

CATEGORY_NAMES = {
    "running": gettext_lazy("Running"),
    "unplanned": gettext_lazy("Stopped"),
    "planned": gettext_lazy("Planned stop"),
    "changeover": gettext_lazy("Changeover"),
    "not_scheduled": gettext_lazy("Not scheduled"),
    "no_data": gettext_lazy("No data"),
}


UNNAMED = CATEGORY_NAMES | {"unplanned": gettext_lazy("Stopped, no reason given")}
"""What a state is called that nobody gave a reason for."""


@dataclass(frozen=True, slots=True)
class TimelineSegment:
    """A stretch of a machine's timeline, placed on a scale of 0–1000 over the shift."""

    x: float
    width: float
    category: str
    clock: str
    name: Words

    @property
    def title(self) -> str:
        """What it says to whoever points at it."""
        return f"{self.clock} {self.name}"


@dataclass(frozen=True, slots=True)
class Tick:
    """A clock hour on the timeline's scale, in the site's time."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class MachineStatus:
    """A machine now, and what it did in the shift so far."""

    name: str
    is_constraint: bool
    category: str
    state: Words
    detail: str
    since: datetime | None
    segments: tuple[TimelineSegment, ...] = ()
    code: str = ""
    unexplained: int = 0
    """How many stops of the shift so far ask for a reason that nobody gave."""

    @property
    def category_name(self) -> str:
        """The category in words, for those who do not see its colour."""
        return str(CATEGORY_NAMES[self.category])

    @property
    def is_plain(self) -> bool:
        """Whether the state says no more than its category ("Running"), which then is not written twice."""
        return str(self.state) == self.category_name

    @property
    def remark(self) -> str:
        """The detail, unless it only says the state once more."""
        return "" if self.detail == str(self.state) else self.detail


@dataclass(frozen=True, slots=True)
class ShiftStatus:
    """The stretch of time that the numbers are about: the shift, or what stands for it without one."""

    name: Words
    date: date
    start: datetime
    end: datetime
    is_over: bool
    shift_id: int | None = None
    """The rule that it takes place by; None where a day stands for it."""


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """The order that the line works on."""

    number: str
    product: Words
    unit: Words
    target: Fraction
    good: Fraction | None
    since: datetime

    @property
    def progress(self) -> Fraction | None:
        """The part of the order that is made, at most 1."""
        return None if self.good is None else min(self.good / self.target, Fraction(1))


@dataclass(frozen=True, slots=True)
class HourStatus:
    """A clock hour of the shift: target and what came out."""

    label: str
    target: Fraction | None
    good: Fraction
    reject: Fraction
    is_current: bool
    oee: Fraction | None

    @property
    def delta(self) -> Fraction | None:
        """Pieces ahead (positive) or behind."""
        return None if self.target is None else self.good - self.target

    @property
    def fill(self) -> int:
        """How much of the target is made, in percent up to 100, for a bar."""
        return 0 if not self.target else min(100, int(self.good * 100 / self.target))


@dataclass(frozen=True, slots=True)
class LossStatus:
    """One of the top losses of the shift."""

    reason: Words
    category: str
    duration: timedelta
    occurrences: int
    share: int


@dataclass(frozen=True, slots=True)
class LineStatus:
    """Everything that the card and the page of a line show."""

    line_id: int
    code: str
    name: str
    area: str
    site: str
    zone: ZoneInfo
    as_of: datetime
    shift: ShiftStatus
    machines: tuple[MachineStatus, ...]
    reference: MachineStatus | None
    order: OrderStatus | None
    good: Fraction
    reject: Fraction
    target: Fraction | None
    kpis: Kpis
    oee_target: Fraction
    basis: tuple[Words, ...]
    ticks: tuple[Tick, ...] = ()
    now_x: float | None = None
    hours: tuple[HourStatus, ...] = ()
    losses: tuple[LossStatus, ...] = field(default=())

    @property
    def question(self) -> str:
        """What the numbers are asked about, as the parameters of the page on which they explain themselves."""
        window = {"starts_at": self.shift.start, "ends_at": self.shift.end}
        return urlencode({"line": self.line_id, **{name: _parameter(moment) for name, moment in window.items()}})

    @property
    def oee_basis(self) -> str:
        """What the numbers follow, in a sentence."""
        return "; ".join(map(str, self.basis))

    @property
    def delta(self) -> Fraction | None:
        """Good pieces ahead of the target so far (positive) or behind; None where nobody can say, or nothing is due."""
        return None if self.target is None or self.has_nothing_due else self.good - self.target

    @property
    def has_nothing_due(self) -> bool:
        """Whether nothing was to be made so far, and nothing was: it is neither ahead nor behind."""
        return self.target == 0 and not self.good

    @property
    def reference_only(self) -> tuple[MachineStatus, ...]:
        """The machine that stands for the line, as a row of its own."""
        return () if self.reference is None else (self.reference,)

    @property
    def unexplained(self) -> int:
        """How many stops of its machines ask for a reason."""
        return sum(machine.unexplained for machine in self.machines)

    @property
    def is_winning(self) -> bool | None:
        """Whether the line is at or ahead of its target; None while nobody can say."""
        return None if self.delta is None else self.delta >= 0


def _parameter(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
