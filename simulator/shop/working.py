"""How the work on one step of an order goes: set-up, running, stops and pauses, and when pieces are counted. Pure.

What happens up to a moment does not depend on a fault that comes after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from simulator.plant import RUNNING, Habits
from simulator.shop.machining import SETUP
from simulator.shop.work_calendar import WorkCalendar

MS = timedelta(milliseconds=1)
_UNLOAD = 5_000
"""After the last piece the machine turns on for so long (ms): what is counted at an order's end would be the next
one's.
"""
_REPORT_EVERY = 60_000
_BREAKDOWN_SHARE_SHORTEST = 0.4


@dataclass(frozen=True, slots=True)
class Stretch:
    """A machine is in one state in [start, end)."""

    start: datetime
    end: datetime
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """So many pieces were counted at a moment."""

    at: datetime
    good: int
    reject: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a machine that a script asks for."""

    machine: str
    at: datetime
    minutes: int
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """The work on a step of an order at a machine: [start, end), what the machine did in it and what it counted."""

    start: datetime
    setup_end: datetime
    end: datetime
    stretches: tuple[Stretch, ...]
    counted: tuple[Counted, ...]
    good: int
    reject: int


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done: set-up in ms, pieces, ms that the machine really takes for one, and how it fails."""

    setup: int
    pieces: int
    cycle: int
    habits: Habits


def do(task: Task, start: datetime, calendar: WorkCalendar, faults: Sequence[Fault], rng: Random) -> Work:
    """Return how a task goes that begins at a moment of working time."""
    rejected = _rejected(task, rng)
    laid: list[Stretch] = []
    at = start
    left = [fault for fault in sorted(faults, key=lambda fault: fault.at) if fault.at >= start]
    setup_end = start
    for number, (reason, length, detail) in enumerate(_segments(task, rng)):
        at = _lay(laid, at, reason, length, detail, calendar, left)
        if number == 0:
            setup_end = at
    counted = tuple(_counts(task, laid, rejected))
    return Work(start, setup_end, at, tuple(laid), counted, task.pieces - len(rejected), len(rejected))


def _rejected(task: Task, rng: Random) -> frozenset[int]:
    return frozenset(piece for piece in range(1, task.pieces + 1) if rng.random() < task.habits.reject_share)


def _segments(task: Task, rng: Random) -> Iterator[tuple[str, int, str]]:
    """Yield what follows on what, in working time: reason, ms, the machine's words."""
    yield SETUP, task.setup, ""
    habits = task.habits
    left = task.pieces * task.cycle + _UNLOAD
    breakdowns = 1 / habits.hours_between_breakdowns
    per_ms = (habits.micro_stops_per_hour + breakdowns) / 3_600_000
    while left:
        runs = min(left, int(rng.expovariate(per_ms)) + 1_000)
        yield RUNNING, runs, ""
        left -= runs
        if not left:
            return
        if rng.random() < breakdowns / (habits.micro_stops_per_hour + breakdowns):
            reason, detail = rng.choice(habits.breakdowns)
            minutes = habits.mean_repair_minutes * rng.uniform(_BREAKDOWN_SHARE_SHORTEST, 1.6)
            yield reason, int(minutes * 60_000), detail
        else:
            reason, detail = rng.choice(habits.micro_stops)
            yield reason, rng.randint(20_000, 150_000), detail


def _lay(
    laid: list[Stretch],
    at: datetime,
    reason: str,
    length: int,
    detail: str,
    calendar: WorkCalendar,
    faults: list[Fault],
) -> datetime:
    """Lay a segment of working time from a moment on, around pauses and faults; return where it ends."""
    left = length * MS
    while left:
        if faults and faults[0].at <= at:
            fault = faults.pop(0)
            at = _lay(laid, at, fault.reason, fault.minutes * 60_000, fault.detail, calendar, [])
            continue
        span = calendar.span_at(at)
        if at < span.start:
            laid.append(Stretch(at, span.start, calendar.pause_at(at)))
            at = span.start
            continue
        until = min(at + left, span.end)
        if faults:
            until = min(until, max(faults[0].at, at + MS))
        laid.append(Stretch(at, until, reason, detail))
        left -= until - at
        at = until
    return at


def _counts(task: Task, laid: Sequence[Stretch], rejected: frozenset[int]) -> Iterator[Counted]:
    """Yield what the machine counts: about once a minute of running, always when a piece is done,
    before a pause begins.
    """
    step = max(1, round(_REPORT_EVERY / task.cycle))
    ran, done = 0, 0
    for stretch in laid:
        if stretch.reason != RUNNING:
            continue
        length = (stretch.end - stretch.start) // MS
        while done < task.pieces:
            following = min(done + step, task.pieces)
            offset = following * task.cycle - ran
            if offset > length:
                break
            bad = sum(1 for piece in range(done + 1, following + 1) if piece in rejected)
            at = min(stretch.start + offset * MS, stretch.end - MS)
            yield Counted(at, following - done - bad, bad)
            done = following
        ran += length
