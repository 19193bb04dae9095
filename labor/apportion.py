"""Share a person's time between things worked on at once: each moment is split evenly between them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from core.intervals import Interval


@dataclass(frozen=True, slots=True)
class Work:
    """One thing that a person worked on; `is_break` takes its time away from everything else."""

    key: int
    span: Interval
    is_break: bool = False


def pieces(works: Iterable[Work]) -> list[tuple[Interval, tuple[int, ...]]]:
    """Return the time in which there was any, cut where what was worked on changes, with what shares each piece evenly.

    A break that overlaps work is a break: nobody works in it.
    """
    starts: dict[datetime, list[Work]] = defaultdict(list)
    ends: dict[datetime, list[Work]] = defaultdict(list)
    for work in works:
        starts[work.span.start].append(work)
        ends[work.span.end].append(work)
    open_now: dict[int, Work] = {}
    found = []
    for start, end in pairwise(sorted({*starts, *ends})):
        for work in ends[start]:
            open_now.pop(work.key, None)
        for work in starts[start]:
            open_now[work.key] = work
        if open_now:
            keys = tuple(sorted(key for key, work in open_now.items() if work.is_break)) or tuple(sorted(open_now))
            found.append((Interval(start, end), keys))
    return found


def apportion(works: Iterable[Work]) -> dict[int, Fraction]:
    """Return the microseconds of each thing, by its key. They add up to the time in which there was any."""
    given = list(works)
    shares = {work.key: Fraction(0) for work in given}
    for span, keys in pieces(given):
        for key in keys:
            shares[key] += Fraction(span.microseconds, len(keys))
    return shares
