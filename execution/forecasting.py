"""When what is left will be finished, from the rate at which it went so far, with an interval. Pure: no clock.

The rate is good pieces per second of working time (planned stops of the calendar left out, unplanned ones not): that a
stop lasts pushes the forecast, since nothing is made while time passes. Its uncertainty comes from the rates of equal
stretches of that time (batch means; Law, Simulation Modeling and Analysis, 9.5.3): mean ± t × s / √n, with Student's t
at 90 % and n − 1 degrees of freedom (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.2).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import isqrt

from core.intervals import Interval, subtract

LEAST_BATCHES = 3
# Two-sided 90 %, in thousandths, by degrees of freedom from 1 to 30; then that of the normal distribution.
_T = (
    *(6314, 2920, 2353, 2132, 2015, 1943, 1895, 1860, 1833, 1812, 1796, 1782, 1771, 1761, 1753),
    *(1746, 1740, 1734, 1729, 1725, 1721, 1717, 1714, 1711, 1708, 1706, 1703, 1701, 1699, 1697),
)
_NORMAL = 1645
_SCALE = 10**12


@dataclass(frozen=True, slots=True)
class Batch:
    """What was made in a stretch of working time, in seconds; those of a forecast are about equally long."""

    seconds: Fraction
    good: Fraction


@dataclass(frozen=True, slots=True)
class Forecast:
    """When it will be finished; None = not known: nothing was made yet, or too little to say how sure it is.

    `earliest` and `latest` bound it with 90 %; `latest` None with `earliest` known = it may take for ever. Rates are
    good pieces per second: `rate` over working time, `running_rate` over the time that anybody worked on it.
    """

    remaining: Fraction | None
    rate: Fraction | None = None
    running_rate: Fraction | None = None
    finish_at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None


def forecast(
    *,
    remaining: Fraction | None,
    batches: Sequence[Batch],
    running_seconds: Fraction,
    now: datetime,
    pauses: Sequence[Interval] = (),
) -> Forecast:
    """Return when `remaining` more will be made; `pauses` are the non-working times ahead, which are skipped."""
    seconds = sum((batch.seconds for batch in batches), Fraction(0))
    good = sum((batch.good for batch in batches), Fraction(0))
    rate = good / seconds if seconds > 0 and good > 0 else None
    running = good / running_seconds if running_seconds > 0 and good > 0 else None
    if remaining is not None and remaining <= 0:
        return Forecast(Fraction(0), rate, running, now, now, now)
    if remaining is None or rate is None:
        return Forecast(remaining, rate, running)
    half = _half_width(batches)
    finish = _after(now, remaining / rate, pauses)
    if half is None:
        return Forecast(remaining, rate, running, finish)
    slowest = rate - half
    return Forecast(
        remaining,
        rate,
        running,
        finish,
        _after(now, remaining / (rate + half), pauses),
        _after(now, remaining / slowest, pauses) if slowest > 0 else None,
    )


def _half_width(batches: Sequence[Batch]) -> Fraction | None:
    """Return t × s / √n of the batches' rates; None for fewer than three."""
    rates = [batch.good / batch.seconds for batch in batches if batch.seconds > 0]
    count = len(rates)
    if count < LEAST_BATCHES:
        return None
    mean = sum(rates, Fraction(0)) / count
    variance = sum(((rate - mean) ** 2 for rate in rates), Fraction(0)) / (count - 1)
    quantile = Fraction(_T[count - 2] if count - 1 <= len(_T) else _NORMAL, 1000)
    return quantile * _root(variance / count)


def _root(value: Fraction) -> Fraction:
    """Return a square root, rounded down in the twelfth decimal."""
    return Fraction(isqrt(value.numerator * _SCALE**2 // value.denominator), _SCALE)


def _after(now: datetime, seconds: Fraction, pauses: Sequence[Interval]) -> datetime | None:
    """Return the moment so many working seconds from now; None when it lies beyond the calendar."""
    left = timedelta(microseconds=0)
    try:
        left = timedelta(microseconds=-(-seconds.numerator * 1_000_000 // seconds.denominator))
        at = now
        for pause in sorted(pauses):
            if pause.end <= at:
                continue
            if at + left <= pause.start:
                break
            left -= max(pause.start - at, timedelta())
            at = pause.end
        return at + left
    except OverflowError:
        return None


def stretches_of(worked: Interval, pauses: Sequence[Interval] = ()) -> list[tuple[Interval, Fraction]]:
    """Cut a span into stretches of an hour of working time each; return them with their working seconds.

    The stretches cover the span up to its last working moment; the last one takes a rest of less than half an hour with
    it.
    """
    hour = 3600 * 1_000_000
    found: list[tuple[Interval, Fraction]] = []
    begun, filled = worked.start, 0
    end = worked.start
    for part in subtract(worked, pauses):
        start = part.start
        while start < part.end:
            end = min(part.end, start + timedelta(microseconds=hour - filled))
            filled += Interval(start, end).microseconds
            start = end
            if filled == hour:
                found.append((Interval(begun, end), Fraction(3600)))
                begun, filled = end, 0
    if filled and filled < hour // 2 and found:
        last, seconds = found.pop()
        found.append((Interval(last.start, end), seconds + Fraction(filled, 1_000_000)))
    elif filled:
        found.append((Interval(begun, end), Fraction(filled, 1_000_000)))
    return found


def batches_of(
    worked: Interval, made: Sequence[tuple[datetime, Fraction]], *, pauses: Sequence[Interval] = ()
) -> list[Batch]:
    """Put what was made at moments into the stretches of a span; what was counted after the last belongs to it."""
    stretches = stretches_of(worked, pauses)
    bounds = [stretch.end for stretch, _ in stretches]
    sums = [Fraction(0) for _ in stretches]
    for at, quantity in made if stretches else ():
        sums[min(bisect_right(bounds, at), len(bounds) - 1)] += quantity
    return [Batch(seconds, good) for (_, seconds), good in zip(stretches, sums, strict=True)]
