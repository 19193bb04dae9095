"""Share a machine's pieces and time between the operations that run on it at once. Pure: no database, no clock."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from core.intervals import Interval, intersect


@dataclass(frozen=True, slots=True)
class Work:
    """A span in which an operation ran on a machine; `rate` is what it is expected to make, pieces per second."""

    operation_id: int
    machine_id: int
    span: Interval
    rate: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A stretch of a machine's time in which the same operations ran, and what part of it is each one's.

    The parts add up to one.
    """

    machine_id: int
    span: Interval
    parts: Mapping[int, Fraction]


def shares_of(works: Iterable[Work], *, by_rate: bool = True) -> list[Share]:
    """Return the stretches of each machine's time in which any operation ran, in order.

    An operation on which several people work at one machine counts once. Where all that run at once have an expected
    rate, each has a part in proportion to its rate; otherwise, and without `by_rate`, all have equal parts.
    """
    by_machine: dict[int, list[Work]] = defaultdict(list)
    for work in works:
        by_machine[work.machine_id].append(work)
    found: list[Share] = []
    for machine_id, of_machine in sorted(by_machine.items()):
        starts, ends = defaultdict(list), defaultdict(list)
        for work in of_machine:
            starts[work.span.start].append(work)
            ends[work.span.end].append(work)
        running: dict[int, int] = defaultdict(int)
        rates: dict[int, Fraction | None] = {}
        for start, end in pairwise(sorted({*starts, *ends})):
            for work in starts[start]:
                running[work.operation_id] += 1
                rates[work.operation_id] = work.rate
            for work in ends[start]:
                running[work.operation_id] -= 1
            at_once = {operation_id: rates[operation_id] for operation_id, people in running.items() if people}
            if at_once:
                _add(found, Share(machine_id, Interval(start, end), _parts(at_once, by_rate)))
    return found


def _parts(at_once: Mapping[int, Fraction | None], by_rate: bool) -> dict[int, Fraction]:
    known = {operation_id: rate for operation_id, rate in at_once.items() if rate is not None and rate > 0}
    if not by_rate or len(known) < len(at_once):
        return {operation_id: Fraction(1, len(at_once)) for operation_id in sorted(at_once)}
    total = sum(known.values(), Fraction(0))
    return {operation_id: known[operation_id] / total for operation_id in sorted(known)}


def _add(shares: list[Share], share: Share) -> None:
    """Append a stretch, joined to the one before where nothing changed between them."""
    last = shares[-1] if shares else None
    if last and (last.machine_id, last.span.end, last.parts) == (share.machine_id, share.span.start, share.parts):
        shares[-1] = Share(last.machine_id, Interval(last.span.start, share.span.end), last.parts)
    else:
        shares.append(share)


def machine_time(works: Iterable[Work], window: Interval | None = None) -> dict[int, Fraction]:
    """Return each operation's seconds of machine time; what runs at once on a machine shares its time evenly.

    The seconds of all operations on a machine add up to the time in which any of them ran on it.
    """
    seconds: dict[int, Fraction] = defaultdict(Fraction)
    for share in shares_of(works, by_rate=False):
        span = share.span if window is None else intersect(share.span, window)
        for operation_id, part in share.parts.items() if span else ():
            seconds[operation_id] += part * Fraction(span.microseconds, 1_000_000)  # type: ignore[union-attr]
    return dict(seconds)


def span_until(started_at: datetime, ended_at: datetime | None, now: datetime) -> Interval | None:
    """Return the past of a span that may still be open; None when it has not begun."""
    end = now if ended_at is None else min(ended_at, now)
    return Interval(started_at, end) if started_at < end else None
