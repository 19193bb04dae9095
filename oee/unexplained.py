"""Which stopped time nobody explained: no reason is known of it, or one that says nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from core.intervals import microseconds
from oee.engine import Category
from oee.selectors import Loss

_EXPLAINS_ITSELF = (Category.RUNNING, Category.NOT_SCHEDULED)


def is_unexplained(reason_id: int | None, category: Category, silent_reasons: frozenset[int]) -> bool:
    """Say whether time that was not running is unexplained: without a reason, without data, or by a silent reason."""
    if category in _EXPLAINS_ITSELF:
        return False
    return reason_id is None or category is Category.NO_DATA or reason_id in silent_reasons


def silent_reasons() -> frozenset[int]:
    """Return the reasons that say that a machine stands, but not why.

    The one place that knows: a property of reasons that says so belongs here.
    """
    return frozenset()


@dataclass(frozen=True, slots=True)
class StopTime:
    """Time in shifts in which a machine did not run, and how much of it nobody explained; µs."""

    stopped: int
    unexplained: int

    @property
    def unexplained_share(self) -> Fraction | None:
        """The unexplained part of the stopped time; None when it never stopped."""
        return Fraction(self.unexplained, self.stopped) if self.stopped else None


def stop_time(losses: Iterable[Loss], silent: frozenset[int]) -> StopTime:
    """Return how long the machines of some losses stood, and for how long of it unexplained."""
    stopped = unexplained = timedelta()
    for loss in losses:
        if loss.category not in _EXPLAINS_ITSELF:
            stopped += loss.duration
            if is_unexplained(loss.reason_id, loss.category, silent):
                unexplained += loss.duration
    return StopTime(microseconds(stopped), microseconds(unexplained))
