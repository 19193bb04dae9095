"""Share a person's time between things worked on at once: each moment is split evenly between them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from core.intervals import Interval, microseconds


@dataclass(frozen=True, slots=True)
class Work:
    """One thing that a person worked on; `is_break` takes its time away from everything else."""

    key: int
    span: Interval
    is_break: bool = False


def apportion(works: Iterable[Work]) -> dict[int, Fraction]:
    """Return the microseconds of each thing, by its key. They add up to the time in which there was any.

    A break that overlaps work is a break: nobody works in it.
    """
    shares: dict[int, Fraction] = {}
    ordered = sorted(works, key=lambda work: work.span)
    bounds = sorted({bound for work in ordered for bound in (work.span.start, work.span.end)})
    for work in ordered:
        shares.setdefault(work.key, Fraction(0))
    for start, end in pairwise(bounds):
        at_once = _of(ordered, start)
        for work in at_once:
            shares[work.key] += Fraction(microseconds(end - start), len(at_once))
    return shares


def _of(works: Sequence[Work], at: datetime) -> list[Work]:
    """Return what counts at a moment: the breaks, or else everything that is worked on."""
    open_now = [work for work in works if work.span.covers(at)]
    return [work for work in open_now if work.is_break] or open_now
