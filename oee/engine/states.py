"""From state events and corrections to a machine's timeline."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.intervals import Interval, union
from oee.engine.facts import Category, StateCorrection, StateEvent

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in one state; `reason_id=None`: nobody said anything."""

    start: datetime
    end: datetime
    reason_id: int | None
    category: Category
    begins: bool = True
    """Whether a known state began here, rather than before the window."""


def timeline(
    events: Iterable[StateEvent],
    corrections: Iterable[StateCorrection],
    window: Interval,
    gaps: Iterable[Interval] = (),
) -> list[Stretch]:
    """Return a window as stretches without hole or overlap; neighbours in the same state are one.

    Before the first event there is no data, and none in a gap, whatever the state before it. A correction holds over what the device said, the one of the highest
    sequence over the others. Give the last event *before* the window too, and corrections that end at its start: only
    so is it known whether a state that holds at the start began there.
    """
    # The moment before the window tells whether what holds at its start began there.
    widened = Interval(window.start - _MOMENT, window.end)
    known = _silenced(_device_stretches(events, widened), union(gaps))
    return _joined(_corrected(known, list(corrections)), window)


def _device_stretches(events: Iterable[StateEvent], window: Interval) -> Iterator[Stretch]:
    ordered = sorted(set(events))
    start: datetime | None = None
    current: StateEvent | None = None
    for event in ordered:
        if event.at >= window.end:
            break
        if current is not None and start is not None:
            if event.at > start:
                yield Stretch(start, event.at, current.reason_id, current.category)
        elif event.at > window.start:
            yield Stretch(window.start, event.at, None, Category.NO_DATA)
        start, current = event.at, event
    if current is None or start is None:
        yield Stretch(window.start, window.end, None, Category.NO_DATA)
    else:
        yield Stretch(start, window.end, current.reason_id, current.category)


def _silenced(stretches: Iterable[Stretch], gaps: list[Interval]) -> Iterator[Stretch]:
    """Cut the gaps out of stretches: in them nothing is known. Gaps are disjoint and in order."""
    position = 0
    for stretch in stretches:
        start = stretch.start
        while position < len(gaps) and gaps[position].end <= start:
            position += 1
        following = position
        while following < len(gaps) and gaps[following].start < stretch.end:
            gap = gaps[following]
            if start < gap.start:
                yield Stretch(start, gap.start, stretch.reason_id, stretch.category)
            start = min(gap.end, stretch.end)
            yield Stretch(max(gap.start, stretch.start), start, None, Category.NO_DATA)
            following += 1
        if start < stretch.end:
            yield Stretch(start, stretch.end, stretch.reason_id, stretch.category)


def _corrected(stretches: Iterable[Stretch], corrections: list[StateCorrection]) -> Iterator[Stretch]:
    """Cut stretches at the corrections' bounds and let the last word hold in each piece. One sweep over both."""
    if not corrections:
        yield from stretches
        return
    waiting = sorted(corrections, key=lambda correction: correction.start, reverse=True)
    bounds = sorted({c.start for c in corrections} | {c.end for c in corrections if c.end is not None})
    open_now: list[tuple[int, StateCorrection]] = []
    position = 0
    for stretch in stretches:
        start = stretch.start
        while start < stretch.end:
            while position < len(bounds) and bounds[position] <= start:
                position += 1
            end = min(bounds[position], stretch.end) if position < len(bounds) else stretch.end
            while waiting and waiting[-1].start <= start:
                correction = waiting.pop()
                heapq.heappush(open_now, (-correction.sequence, correction))
            yield _piece(stretch, start, end, _last_word(open_now, stretch, start))
            start = end


def _last_word(open_now: list[tuple[int, StateCorrection]], stretch: Stretch, at: datetime) -> StateCorrection | None:
    while open_now and (end := open_now[0][1].end) is not None and end <= at:
        heapq.heappop(open_now)
    if stretch.category is not Category.RUNNING:
        return open_now[0][1] if open_now else None
    covering = [c for _, c in open_now if (c.replaces_running or c.takes_back) and (c.end is None or c.end > at)]
    return max(covering, key=lambda correction: correction.sequence, default=None)


def _piece(stretch: Stretch, start: datetime, end: datetime, word: StateCorrection | None) -> Stretch:
    if word is None or word.takes_back:
        return Stretch(start, end, stretch.reason_id, stretch.category)
    return Stretch(start, end, word.reason_id, word.category)


def _joined(stretches: Iterable[Stretch], window: Interval) -> list[Stretch]:
    """Join neighbours in the same state and clip to the window; what began before it does not begin in it."""
    joined: list[Stretch] = []
    for stretch in stretches:
        if joined and (joined[-1].reason_id, joined[-1].category) == (stretch.reason_id, stretch.category):
            last = joined.pop()
            stretch = Stretch(last.start, stretch.end, stretch.reason_id, stretch.category)
        joined.append(stretch)
    return [
        Stretch(
            max(stretch.start, window.start),
            min(stretch.end, window.end),
            stretch.reason_id,
            stretch.category,
            begins=stretch.reason_id is not None and stretch.start >= window.start,
        )
        for stretch in joined
        if stretch.end > window.start
    ]
