"""What the reasons of stops add up to: failures, waiting, maintenance, and time that nobody explained."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

from oee.engine.facts import Category


@dataclass(frozen=True, slots=True)
class ReasonTraits:
    """What a plant says of a state reason, its category aside."""

    is_failure: bool = False
    waits: bool = False
    is_corrective: bool = False
    is_preventive: bool = False
    explains: bool = True


NO_REASON = ReasonTraits(explains=False)
"""What holds of a stop without any reason."""


class TimeInReason(NamedTuple):
    """Planned time in one reason (µs), and how many stretches of it began."""

    category: Category
    traits: ReasonTraits
    microseconds: int
    occurrences: int


@dataclass(frozen=True, slots=True)
class ReasonSums:
    """Planned time (µs) by what its reasons say of it, and failures that began. Sums add up over machines and time."""

    unexplained_stop_time: int = 0
    actual_unit_down_time: int = 0
    """ADOT: unplanned stops of a machine that is well and waits: for an order, starved, or blocked."""
    corrective_maintenance_time: int = 0
    preventive_maintenance_time: int = 0
    failure_time: int = 0
    failures: int = 0

    def __add__(self, other: "ReasonSums") -> "ReasonSums":
        return ReasonSums(*(getattr(self, e.name) + getattr(other, e.name) for e in fields(ReasonSums)))

    @classmethod
    def of(cls, times: Iterable[TimeInReason]) -> "ReasonSums":
        """Return the sums. A micro-stop is neither a failure nor asked to be explained."""
        total = cls()
        for category, traits, spent, began in times:
            unplanned = category is Category.UNPLANNED
            failed = traits.is_failure and category is not Category.MICRO_STOP
            total += cls(
                unexplained_stop_time=spent if unplanned and not traits.explains else 0,
                actual_unit_down_time=spent if unplanned and traits.waits else 0,
                corrective_maintenance_time=spent if traits.is_corrective else 0,
                preventive_maintenance_time=spent if traits.is_preventive else 0,
                failure_time=spent if failed else 0,
                failures=began if failed else 0,
            )
        return total
