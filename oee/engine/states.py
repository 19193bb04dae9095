"""From state events and corrections to a machine's timeline."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from core.intervals import Interval, union
from oee.engine.facts import Category, CountedRunning, MachineHistory, RunSpan, StateCorrection, StateEvent

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


def timeline(history: MachineHistory, window: Interval, *, gaps: Iterable[Interval] | None = None) -> list[Stretch]:
    """Return a window as stretches without hole or overlap; neighbours in the same state are one.

    Before the first event there is no data, and none in a gap, whatever the state before it. A correction holds over
    what the device said, the one of the highest sequence over the others. What the stops are called by their length
    comes last. `gaps` replaces those of the history.
    """
    widened = _widened(history, window)
    if history.counted_running is None:
        said = _device_stretches(history.states, widened)
    else:
        said = _counted_stretches(history, history.counted_running, widened)
    known = _silenced(said, union(history.gaps if gaps is None else gaps))
    joined = _joined(_corrected(known, list(history.corrections)))
    return _clipped(_called_by_length(joined, history, widened), window)


def _widened(history: MachineHistory, window: Interval) -> Interval:
    """Return how far beyond a window one must look to know what the stops at its ends are.

    The moment before it tells at least whether what holds at its start began there.
    """
    reach = history.micro_stops.reach
    end = window.end + reach
    if history.known_until is not None:
        end = max(window.end, min(end, history.known_until))
    return Interval(window.start - max(reach, _MOMENT), end)


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


def _counted_stretches(history: MachineHistory, rule: CountedRunning, window: Interval) -> Iterator[Stretch]:
    """Let the pieces say when the machine ran, and the states why it stood while they do not."""
    counted = list(_counted(history, rule, window))
    position = 0
    for said in _device_stretches(history.states, window):
        while position < len(counted) and counted[position].start < said.end:
            piece = counted[position]
            start, end = max(piece.start, said.start), min(piece.end, said.end)
            if start < end:
                holds = said if _explains(said, piece) else piece
                yield Stretch(start, end, holds.reason_id, holds.category)
            if piece.end > said.end:
                break
            position += 1


def _explains(said: Stretch, counted: Stretch) -> bool:
    """Say whether a state names what the pieces say: any before the first piece,
    then one that agrees whether it ran.
    """
    if said.reason_id is None:
        return False
    agrees = (said.category is Category.RUNNING) == (counted.category is Category.RUNNING)
    return agrees or counted.category is Category.NO_DATA


def _counted(history: MachineHistory, rule: CountedRunning, window: Interval) -> Iterator[Stretch]:
    """Yield a window as running, stopped, and, before counting began, unknown."""
    at = window.end if history.counting_since is None else min(max(history.counting_since, window.start), window.end)
    if window.start < at:
        yield Stretch(window.start, at, None, Category.NO_DATA)
    for first, last, number in _bursts(history.pieces, rule):
        if number < rule.run_after:
            continue
        # The last of all pieces may be followed by one that has not come yet.
        is_open = history.known_until is not None and history.known_until - last <= rule.stop_after
        start, end = max(first, at), window.end if is_open else min(last, window.end)
        if start < end:
            if at < start:
                yield Stretch(at, start, None, Category.UNPLANNED)
            yield Stretch(start, end, None, Category.RUNNING)
            at = end
    if at < window.end:
        yield Stretch(at, window.end, None, Category.UNPLANNED)


def _bursts(pieces: Iterable[datetime], rule: CountedRunning) -> Iterator[tuple[datetime, datetime, int]]:
    """Yield (first, last, number) of pieces that follow each other soon enough."""
    burst: tuple[datetime, datetime, int] | None = None
    for at in sorted(set(pieces)):
        if burst is not None and at - burst[1] > rule.stop_after:
            yield burst
            burst = None
        burst = (at, at, 1) if burst is None else (burst[0], at, burst[2] + 1)
    if burst is not None:
        yield burst


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


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Join neighbours in the same state."""
    joined: list[Stretch] = []
    for stretch in stretches:
        if joined and (joined[-1].reason_id, joined[-1].category) == (stretch.reason_id, stretch.category):
            last = joined.pop()
            stretch = Stretch(last.start, stretch.end, stretch.reason_id, stretch.category)
        joined.append(stretch)
    return joined


def _called_by_length(stretches: list[Stretch], history: MachineHistory, widened: Interval) -> Iterator[Stretch]:
    """Call unplanned stops micro-stops that lie within a stand shorter than the limit, from running to running.

    A stand that goes on at the end of what is known, and is shorter so far, is undetermined. One next to time of which
    nothing is known may be longer than it looks, so it stays what it is.
    """
    if not history.micro_stops.reach:
        yield from stretches
        return
    runs = sorted(history.runs, key=lambda run: run.start)
    for stands, group in groupby(stretches, key=lambda stretch: stretch.category is not Category.RUNNING):
        stand = list(group)
        start, end = stand[0].start, stand[-1].end
        limit = history.micro_stops.limit(_product_at(runs, start)) if stands else None
        if limit is None or end - start >= limit or any(s.category is Category.NO_DATA for s in stand):
            yield from stand
            continue
        goes_on = end == widened.end == history.known_until
        called = Category.UNDETERMINED if goes_on else Category.MICRO_STOP
        for stretch in stand:
            yield replace(stretch, category=called) if stretch.category is Category.UNPLANNED else stretch


def _product_at(runs: list[RunSpan], at: datetime) -> int | None:
    run = next((run for run in reversed(runs) if run.start <= at), None)
    return run.product_id if run is not None and (run.end is None or at < run.end) else None


def _clipped(stretches: Iterable[Stretch], window: Interval) -> list[Stretch]:
    """Clip to the window; what began before it does not begin in it."""
    return [
        Stretch(
            max(stretch.start, window.start),
            min(stretch.end, window.end),
            stretch.reason_id,
            stretch.category,
            begins=stretch.start >= window.start
            and (stretch.reason_id is not None or stretch.category is not Category.NO_DATA),
        )
        for stretch in stretches
        if stretch.end > window.start and stretch.start < window.end
    ]
