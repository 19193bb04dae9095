"""Find that something creeps up: a cumulative sum (CUSUM) of standardised figures, with a stated rate of false alarms.

Page 1954; the run length by Siegmund 1985 (Montgomery, Introduction to Statistical Quality Control, chapter 9):
ARL = (exp(-2 d b) + 2 d b - 1) / (2 d^2), d = shift - allowance, b = limit + 1.166.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

BASELINE_NEEDED = 60
"""Figures that a baseline is learned from at least."""
ALLOWANCE = 0.5
FALSE_ALARM_EVERY = 1000
"""On what does not drift, one false alarm in so many figures is allowed;
the limit has room for a baseline that is estimated.
"""
_MOST = 4.0
"""A single figure counts as so many deviations at most: one jam is no drift."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual: centre and deviation of single figures, and how many it was learned from."""

    centre: float
    deviation: float
    number: int


@dataclass(frozen=True, slots=True)
class Drift:
    """A drift: `begun` is the place where the sum left zero, `seen` where it crossed the limit;
    `size` is relative (0.08 = 8 %).
    """

    begun: int
    seen: int
    size: float
    level: float


def usual_of(figures: Sequence[float]) -> Usual | None:
    """Return what is usual: median and 1.4826 MAD, which single outliers do not move; None for too few or all alike."""
    known = np.array([figure for figure in figures if not np.isnan(figure)], dtype=float)
    if len(known) < BASELINE_NEEDED:
        return None
    centre = float(np.median(known))
    deviation = float(1.4826 * np.median(np.abs(known - centre)))
    if deviation == 0:
        deviation = float(np.std(known))
    # What is counted in whole pieces may hardly vary; nobody needs to know of a drift below a thousandth.
    deviation = max(deviation, abs(centre) / 1000)
    return Usual(centre, deviation, len(known)) if centre > 0 and deviation > 0 else None


def usual_share(some: Sequence[float], of: Sequence[float]) -> Usual | None:
    """Return what is usual of shares: all some / all, and the larger of their deviation and that of pure chance.

    None for too few, and where nothing, or everything, is of the kind.
    """
    if len(of) < BASELINE_NEEDED:
        return None
    centre = sum(some) / sum(of)
    if not 0 < centre < 1:
        return None
    shares = np.array(some, dtype=float) / np.array(of, dtype=float)
    # Chance is largest where few were made.
    chance = float(np.sqrt(np.mean(centre * (1 - centre) / np.array(of, dtype=float))))
    return Usual(centre, max(float(np.std(shares)), chance), len(of))


def run_length(shift: float, limit: float) -> float:
    """Return after how many figures the sum crosses a limit, on average, when figures lie so many deviations higher."""
    delta, b = shift - ALLOWANCE, limit + 1.166
    if abs(delta) < 1e-9:
        return b * b
    return (exp(-2 * delta * b) + 2 * delta * b - 1) / (2 * delta * delta)


def limit_for(every: float, *, learned_from: int) -> float:
    """Return the limit with which one false alarm comes in so many figures, or more.

    A centre that is learned from n figures is off by 1.25 / sqrt(n) deviations (a median's error), and the deviation is
    learned, too: the limit is that of figures which lie 1.6 / sqrt(n) higher.
    """
    off = 1.6 / learned_from**0.5
    low, high = 1.0, 200.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if run_length(off, middle) < every else (low, middle)
    return high


def find_drift(figures: Sequence[float], usual: Usual, *, every: float = FALSE_ALARM_EVERY) -> Drift | None:
    """Return where figures began to lie higher than usual, and where that was sure; None where they do not.

    The newest drift that is not over: once the sum is back at zero, what was before is forgotten. Unknown figures (NaN)
    are passed over.
    """
    limit = limit_for(every, learned_from=usual.number)
    total, begun, seen = 0.0, 0, None
    for place, figure in enumerate(figures):
        if np.isnan(figure):
            continue
        before = total
        total = max(0.0, total + min((figure - usual.centre) / usual.deviation, _MOST) - ALLOWANCE)
        if before == 0 and total > 0:
            begun, seen = place, None
        if total == 0:
            seen = None
        if total > limit and seen is None:
            seen = place
        # A drift that went on for long is over soon after it ended, not as long after.
        total = min(total, 2 * limit)
    if seen is None:
        return None
    since = [figure for figure in figures[begun:] if not np.isnan(figure)]
    level = float(np.median(since))
    return Drift(begun, seen, level / usual.centre - 1, level)


def alarms_in(figures: Sequence[float], usual: Usual, *, every: float = FALSE_ALARM_EVERY) -> list[int]:
    """Return each place where the sum crosses its limit, when it begins anew after each: for counting alarms."""
    limit, total, found = limit_for(every, learned_from=usual.number), 0.0, []
    for place, figure in enumerate(figures):
        total = max(0.0, total + min((figure - usual.centre) / usual.deviation, _MOST) - ALLOWANCE)
        if total > limit:
            found.append(place)
            total = 0.0
    return found


def found_within(size: float, usual: Usual, *, every: float = FALSE_ALARM_EVERY) -> float | None:
    """Return after how many figures a drift of a relative size is found, on average;
    None when it hides in what is usual.
    """
    shift = size * usual.centre / usual.deviation
    limit = limit_for(every, learned_from=usual.number)
    # A single figure adds at most so much.
    return None if shift <= ALLOWANCE + 0.1 else max(run_length(shift, limit), limit / (_MOST - ALLOWANCE))
