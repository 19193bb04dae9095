"""What a look at the facts comes to: something to recommend, or why nothing can be said."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from json import dumps
from typing import Any

from advice.models import AdviceModel
from core.intervals import Interval
from enterprise.models import Line, Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something to recommend. `evidence` is JSON of codes and numbers; `says` names what of it makes it another one."""

    kind: str
    subject: str
    evidence: dict[str, Any]
    says: tuple[Any, ...]
    strength: Decimal
    window: Interval
    valid_until: datetime
    line: Line | None = None
    machine: Machine | None = None
    component: str = ""
    probability: Decimal | None = None
    horizon_hours: int | None = None
    gain_hours: Decimal | None = None
    gain_oee_points: Decimal | None = None
    gain_money: Decimal | None = None
    model: AdviceModel | None = None

    @property
    def digest(self) -> str:
        """Name its evidence: the same says the same."""
        return sha256(dumps([self.subject, *map(str, self.says)]).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Why nothing is said about a subject: a code of `advice.wording`, with its numbers."""

    kind: str
    subject: str
    why: str
    facts: dict[str, Any] = field(default_factory=dict)
    line: Line | None = None
    machine: Machine | None = None


Found = Finding | Quiet


def stored(figure: float | Decimal, places: int = 3) -> Decimal:
    """Return a known figure as it is stored."""
    return Decimal(str(round(float(figure), places))).quantize(Decimal(1).scaleb(-places))


def rounded(figure: float | Decimal | None, places: int = 3) -> Decimal | None:
    """Return a figure as it is stored; None stays None."""
    return None if figure is None else stored(figure, places)
