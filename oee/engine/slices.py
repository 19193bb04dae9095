"""Cut a window at every boundary that matters and put every microsecond and every piece into exactly one slice."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Generic, TypeVar

from core.intervals import HOUR, Interval, floor_hour, microseconds
from oee.engine.facts import Calendar, Category, CountRole, Increment, MachineHistory, RateSpan
from oee.engine.states import Stretch, timeline

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class SliceKey:
    """What stays the same in a slice: the UTC clock hour, what calendar, run and ideal rate were in force, and whether
    anybody knew what the machine did.

    Pieces that were counted while nobody knew whether the machine ran stand apart, because they tell nothing about its
    performance: there is no production time to compare them with.
    """

    hour: datetime
    calendar: Calendar
    shift_id: int | None = None
    shift_date: date | None = None
    run_id: int | None = None
    rate_id: int | None = None
    has_data: bool = True


@dataclass(frozen=True, slots=True)
class Slice:
    """Microseconds per category, and pieces per role, of the time with one key."""

    key: SliceKey
    microseconds: dict[Category, int]
    quantities: dict[CountRole, Fraction]


@dataclass(frozen=True, slots=True)
class ReasonSlice:
    """Microseconds in one reason within the time with one key (its knowledge aside), and how often it began there."""

    key: SliceKey
    reason_id: int | None
    category: Category
    microseconds: int
    occurrences: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a machine's timeline, for drawing and for drilling down."""

    start: datetime
    end: datetime
    reason_id: int | None
    category: Category
    calendar: Calendar


def slice_window(history: MachineHistory, window: Interval) -> tuple[tuple[Slice, ...], tuple[ReasonSlice, ...]]:
    """Return a window's slices and the reasons within them, ordered by time.

    The microseconds of the slices sum to the window, and cutting the window anywhere and adding the parts gives the
    same sums. Costs O(n log n) of the facts and boundaries in the window.
    """
    cuts = _Cuts(history, window)
    times: dict[SliceKey, dict[Category, int]] = {}
    pieces: dict[SliceKey, dict[CountRole, Fraction]] = {}
    reasons: dict[tuple[SliceKey, int | None, Category], list[int]] = defaultdict(lambda: [0, 0])
    stretches = timeline(history, window)
    for stretch in stretches:
        begins = stretch.begins
        for start, end, key in cuts.keys_of(stretch):
            length = microseconds(end - start)
            spent = times.setdefault(key, {})
            spent[stretch.category] = spent.get(stretch.category, 0) + length
            of_reason = reasons[_with_data(key), stretch.reason_id, stretch.category]
            of_reason[0] += length
            of_reason[1] += begins
            begins = False
    for increment, key, roles in _placed(history, window, cuts, stretches):
        counted = pieces.setdefault(key, {})
        for role in roles:
            counted[role] = counted.get(role, Fraction(0)) + increment.quantity
    return (
        tuple(Slice(key, times.get(key, {}), pieces.get(key, {})) for key in sorted({*times, *pieces}, key=_order)),
        tuple(
            ReasonSlice(key, reason_id, category, length, occurrences)
            for (key, reason_id, category), (length, occurrences) in reasons.items()
        ),
    )


def _placed(
    history: MachineHistory, window: Interval, cuts: "_Cuts", stretches: list[Stretch]
) -> Iterator[tuple[Increment, SliceKey, tuple[CountRole, ...]]]:
    """Yield each of a window's increments with the key that it counts to, and as what it counts."""
    unknown = _Unknown(history, window)
    if history.gaps and history.increments:
        # A gap begins at the last thing that was heard; what was counted at that moment was heard.
        heard = [Interval(g.start + _MOMENT, g.end) for g in history.gaps if g.start + _MOMENT < g.end]
        stretches = timeline(history, window, gaps=heard)
    starts = [stretch.start for stretch in stretches]
    for increment in history.increments:
        if window.covers(increment.at):
            key = cuts.key_at(increment.at, stretches[bisect_right(starts, increment.at) - 1])
            if increment.since is not None and unknown.is_most_of(increment.since, increment.at):
                key = replace(key, has_data=False)
            is_startup = increment.role is CountRole.REJECT and cuts.is_starting_up(increment.at)
            yield increment, key, (increment.role, CountRole.STARTUP_REJECT) if is_startup else (increment.role,)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a slice is made of, one stretch of time or one increment of a counter: sums of these are its sums.

    A stretch is time in one state, with `increment=None`; an increment counted at `start` = `end`. `begins` says that a
    known state began with the stretch.
    """

    start: datetime
    end: datetime
    reason_id: int | None
    category: Category
    slice: Slice
    begins: bool = False
    increment: Increment | None = None


def evidence(history: MachineHistory, window: Interval) -> tuple[Evidence, ...]:
    """Return everything that a window's slices are summed from, ordered by time; time is cut wherever the key changes,
    clock hours aside.
    """
    cuts = _Cuts(history, window)
    stretches = timeline(history, window)
    found: list[Evidence] = []
    for stretch in stretches:
        begins, first_of_stretch = stretch.begins, True
        for start, end, key in cuts.keys_of(stretch):
            if not first_of_stretch and replace(found[-1].slice.key, hour=key.hour) == key:
                last = found.pop()
                start, key, begins = last.start, last.slice.key, last.begins
            piece = Slice(key, {stretch.category: microseconds(end - start)}, {})
            found.append(Evidence(start, end, stretch.reason_id, stretch.category, piece, begins))
            begins = first_of_stretch = False
    for increment, key, roles in _placed(history, window, cuts, stretches):
        piece = Slice(key, {}, dict.fromkeys(roles, increment.quantity))
        found.append(Evidence(increment.at, increment.at, None, Category.RUNNING, piece, increment=increment))
    return tuple(sorted(found, key=lambda one: (one.start, one.increment is not None)))


def segments(history: MachineHistory, window: Interval) -> tuple[Segment, ...]:
    """Return a window's timeline, cut where the state or the calendar changes."""
    cuts = _Cuts(history, window)
    found: list[Segment] = []
    for stretch in timeline(history, window):
        first_of_stretch = True
        for start, end, key in cuts.keys_of(stretch):
            if not first_of_stretch and found[-1].calendar is key.calendar:
                start = found.pop().start
            found.append(Segment(start, end, stretch.reason_id, stretch.category, key.calendar))
            first_of_stretch = False
    return tuple(found)


class _Cuts:
    """A window cut at hours, shifts, breaks, runs and rates: which key holds in which stretch of time."""

    def __init__(self, history: MachineHistory, window: Interval) -> None:
        shifts = history.shifts
        runs = [(run.start, run.end, run) for run in history.runs]
        rates: dict[int, list[tuple[datetime, datetime | None, RateSpan]]] = defaultdict(list)
        for valid in history.rates:
            rates[valid.product_id].append((valid.start, valid.end, valid))
        bounds = {window.start, *_bounds(runs), *_hours(window)}
        for of_product in rates.values():
            bounds.update(_bounds(of_product))
        for span in shifts or ():
            bounds.update((span.interval.start, span.interval.end))
            for pause in span.breaks:
                bounds.update((pause.start, pause.end))
        self._starts = sorted(bound for bound in bounds if window.covers(bound))
        self._ends = [*self._starts[1:], window.end]
        shift_at = _Lookup((shift.interval.start, shift.interval.end, shift) for shift in shifts or ())
        break_at = _Lookup((pause.start, pause.end, pause) for shift in shifts or () for pause in shift.breaks)
        run_at = self._run_at = _Lookup(runs)
        rate_at = {product_id: _Lookup(of_product) for product_id, of_product in rates.items()}
        self._keys: list[SliceKey] = []
        for at in self._starts:
            shift = shift_at.find(at)
            run = run_at.find(at)
            rate = rate_at[run.product_id].find(at) if run is not None and run.product_id in rate_at else None
            self._keys.append(
                SliceKey(
                    hour=floor_hour(at),
                    calendar=_calendar(shifts is None, shift is not None, break_at.find(at) is not None),
                    shift_id=None if shift is None else shift.shift_id,
                    shift_date=None if shift is None else shift.shift_date,
                    run_id=None if run is None else run.run_id,
                    rate_id=None if rate is None else rate.rate_id,
                )
            )

    def is_starting_up(self, at: datetime) -> bool:
        """Say whether a moment lies in the start-up of a run."""
        run = self._run_at.find(at)
        return run is not None and run.settled is not None and at < run.settled

    def keys_of(self, stretch: Stretch) -> Iterator[tuple[datetime, datetime, SliceKey]]:
        """Yield a stretch cut at the bounds, each part with its key."""
        position = bisect_right(self._starts, stretch.start) - 1
        start = stretch.start
        while start < stretch.end:
            end = min(self._ends[position], stretch.end)
            yield start, end, _known(self._keys[position], stretch)
            start, position = end, position + 1

    def key_at(self, at: datetime, stretch: Stretch) -> SliceKey:
        """Return the key in force at a moment of the window that lies in a stretch."""
        return _known(self._keys[bisect_right(self._starts, at) - 1], stretch)


class _Unknown:
    """The time in which what a machine did was lost, as far back as a running counter's pieces were made."""

    def __init__(self, history: MachineHistory, window: Interval) -> None:
        self._spans: list[tuple[datetime, datetime]] = []
        since = [increment.since for increment in history.increments if increment.since is not None]
        words = [event.at for event in history.states]
        if history.counting_since is not None:
            words.append(history.counting_since)
        if since and words:
            # Before the machine's first word nothing was lost: nobody had begun to listen.
            began = min(words)
            reach = Interval(min(*since, window.start), window.end)
            for stretch in timeline(history, reach):
                if stretch.category is Category.NO_DATA and stretch.end > began:
                    self._spans.append((max(stretch.start, began), stretch.end))
        self._ends = [end for _, end in self._spans]

    def is_most_of(self, start: datetime, end: datetime) -> bool:
        """Say whether more than half of the time between two moments was lost."""
        spent = timedelta()
        for lost_from, lost_until in self._spans[bisect_right(self._ends, start) :]:
            if lost_from >= end:
                break
            spent += min(lost_until, end) - max(lost_from, start)
        return spent * 2 > end - start


_T = TypeVar("_T")
_Span = tuple[datetime, datetime | None, _T]


class _Lookup(Generic[_T]):
    """Find which of some spans that do not overlap holds at a moment."""

    def __init__(self, spans: Iterable[_Span[_T]]) -> None:
        self._spans = sorted(spans, key=lambda span: span[0])
        self._starts = [start for start, _, _ in self._spans]

    def find(self, at: datetime) -> _T | None:
        position = bisect_right(self._starts, at) - 1
        if position < 0:
            return None
        _, end, found = self._spans[position]
        return found if end is None or at < end else None


def _bounds(spans: Iterable[_Span[_T]]) -> Iterator[datetime]:
    for start, end, _ in spans:
        yield start
        if end is not None:
            yield end


def _hours(window: Interval) -> Iterator[datetime]:
    at = floor_hour(window.start) + HOUR
    while at < window.end:
        yield at
        at += HOUR


def _calendar(always: bool, in_shift: bool, in_break: bool) -> Calendar:
    if in_break:
        return Calendar.ON_BREAK
    return Calendar.SCHEDULED if always or in_shift else Calendar.UNSCHEDULED


def _known(key: SliceKey, stretch: Stretch) -> SliceKey:
    return replace(key, has_data=False) if stretch.category is Category.NO_DATA else key


def _with_data(key: SliceKey) -> SliceKey:
    return replace(key, has_data=True)


def _order(key: SliceKey) -> tuple[datetime, str, int, date, int, int, bool]:
    return (
        *(key.hour, key.calendar, key.shift_id or 0),
        *(key.shift_date or date.min, key.run_id or 0, key.rate_id or 0, key.has_data),
    )
