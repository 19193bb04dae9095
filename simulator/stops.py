"""Why and when the machines of a line stand still: their own faults, what the line plans, and what spreads along it.

Pure and repeatable: the same seed, line and day give the same stops. Times are milliseconds of the production day.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import IntEnum
from random import Random

from core.intervals import Interval
from simulator.plant import (
    BLOCKED,
    BREAK,
    CHANGE_FLAVOUR,
    CHANGE_FORMAT,
    CHANGE_LOT,
    CLEANING,
    NO_DATA,
    NOT_SCHEDULED,
    RUNNING,
    STARVED,
    LinePlan,
    MachinePlan,
    PlantPlan,
)
from simulator.working_time import OrderSlot, shifts_in, zone_of

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


class Rank(IntEnum):
    """What wins when several things would stop a machine at once."""

    RUNS = 0
    WAITS_FOR_NEIGHBOUR = 1
    MICRO_STOP = 2
    BREAKDOWN = 3
    SCRIPTED = 4
    CHANGEOVER = 5
    PLANNED = 6
    OFF_SHIFT = 7


@dataclass(frozen=True, slots=True)
class Stop:
    """A reason to be in a state from `start` to `end`."""

    start: int
    end: int
    rank: Rank
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A machine was in one state from `start` to `end`."""

    start: int
    end: int
    reason: str
    detail: str = ""

    @property
    def is_running(self) -> bool:
        """Whether pieces are made in it."""
        return self.reason == RUNNING


@dataclass(frozen=True, slots=True)
class ScriptedFault:
    """A fault that somebody wants to see: this machine, from this moment, for so long, for this reason."""

    machine: str
    starts_at: datetime
    minutes: float
    reason: str
    detail: str = ""


def to_ms(at: datetime, window: Interval) -> int:
    """Return a moment as milliseconds of a production day."""
    return (at - window.start).seconds * SECOND + (at - window.start).days * 24 * HOUR


def line_timelines(
    plant: PlantPlan,
    line: LinePlan,
    window: Interval,
    slots: Sequence[OrderSlot],
    *,
    seed: str,
    script: Sequence[ScriptedFault] = (),
) -> dict[str, list[Stretch]]:
    """Return what every machine of a line did over a production day; the stretches of a machine fill the day."""
    length = window.microseconds // 1_000
    planned = [
        *_off_shift(plant, line, window, length),
        *_breaks(plant, line, window),
        *_cleaning(plant, line, window),
        *_changeovers(plant, line, window, slots, seed),
    ]
    own = {machine.code: list(_own_stops(machine, length, seed)) for machine in line.machines}
    for fault in (*_weekly_faults(plant, line, window), *script):
        if fault.machine in own and window.covers(fault.starts_at):
            start = to_ms(fault.starts_at, window)
            end = start + round(fault.minutes * MINUTE)
            own[fault.machine].append(Stop(start, end, Rank.SCRIPTED, fault.reason, fault.detail))
    return {
        machine.code: _overlaid([*planned, *own[machine.code], *_from_neighbours(line, position, own)], length)
        for position, machine in enumerate(line.machines)
    }


def _weekly_faults(plant: PlantPlan, line: LinePlan, window: Interval) -> Iterator[ScriptedFault]:
    zone = zone_of(plant)
    for local_day in _local_days(plant, window):
        for fault in line.weekly_faults:
            if fault.weekday == local_day.isoweekday():
                starts_at = datetime.combine(local_day, fault.start, tzinfo=zone).astimezone(UTC)
                yield ScriptedFault(fault.machine, starts_at, fault.minutes, fault.reason, fault.detail)


def _local_days(plant: PlantPlan, window: Interval) -> list[date]:
    zone = zone_of(plant)
    return sorted({window.start.astimezone(zone).date(), window.end.astimezone(zone).date()})


def _off_shift(plant: PlantPlan, line: LinePlan, window: Interval, length: int) -> Iterator[Stop]:
    at = 0
    for shift in shifts_in(plant, line, window):
        start = max(to_ms(shift.start, window), 0)
        if start > at:
            yield Stop(at, start, Rank.OFF_SHIFT, NOT_SCHEDULED)
        at = max(at, to_ms(shift.end, window))
    if at < length:
        yield Stop(at, length, Rank.OFF_SHIFT, NOT_SCHEDULED)


def _breaks(plant: PlantPlan, line: LinePlan, window: Interval) -> Iterator[Stop]:
    for shift in shifts_in(plant, line, window):
        for pause in shift.breaks:
            yield Stop(to_ms(pause.start, window), to_ms(pause.end, window), Rank.PLANNED, BREAK)


def _cleaning(plant: PlantPlan, line: LinePlan, window: Interval) -> Iterator[Stop]:
    cleaning = line.cleaning
    for local_day in _local_days(plant, window):
        start = datetime.combine(local_day, cleaning.start, tzinfo=zone_of(plant)).astimezone(UTC)
        if window.covers(start) and local_day.isoweekday() in cleaning.weekdays:
            at = to_ms(start, window)
            yield Stop(at, at + cleaning.minutes * MINUTE, Rank.PLANNED, CLEANING)


def _changeovers(
    plant: PlantPlan, line: LinePlan, window: Interval, slots: Iterable[OrderSlot], seed: str
) -> Iterator[Stop]:
    for slot in slots:
        if not window.covers(slot.start):
            continue
        if slot.product == slot.previous_product:
            reason, (shortest, longest) = CHANGE_LOT, line.lot_change_minutes
        elif plant.product(slot.product).format == plant.product(slot.previous_product).format:
            reason, (shortest, longest) = CHANGE_FLAVOUR, line.flavour_change_minutes
        else:
            reason, (shortest, longest) = CHANGE_FORMAT, line.format_change_minutes
        minutes = Random(f"{seed}|changeover|{slot.number}").uniform(shortest, longest)
        at = to_ms(slot.start, window)
        yield Stop(at, at + round(minutes * MINUTE), Rank.CHANGEOVER, reason, f"to {slot.product}")


def _own_stops(machine: MachinePlan, length: int, seed: str) -> Iterator[Stop]:
    habits = machine.habits
    rng = Random(f"{seed}|micro|{machine.code}")
    for at, reason, detail in _failures(rng, HOUR / habits.micro_stops_per_hour, habits.micro_stops, length):
        end = at + rng.uniform(5, 60) * SECOND
        yield Stop(at, min(round(end), length), Rank.MICRO_STOP, reason, detail)
    rng = Random(f"{seed}|breakdown|{machine.code}")
    for at, reason, detail in _failures(rng, habits.hours_between_breakdowns * HOUR, habits.breakdowns, length):
        end = at + min(rng.expovariate(1 / habits.mean_repair_minutes) + 1.5, 75) * MINUTE
        yield Stop(at, min(round(end), length), Rank.BREAKDOWN, reason, detail)


def _failures(
    rng: Random, mean_gap: float, reasons: Sequence[tuple[str, str]], length: int
) -> Iterator[tuple[int, str, str]]:
    """Yield when a machine fails, and why, with exponential times between."""
    at = rng.expovariate(1 / mean_gap)
    while at < length:
        yield round(at), *rng.choice(reasons)
        at += rng.expovariate(1 / mean_gap)


def _from_neighbours(line: LinePlan, position: int, own: dict[str, list[Stop]]) -> Iterator[Stop]:
    """Yield the waits that longer stops of other machines cause, once the buffers between are empty or full."""
    buffer = line.buffer_seconds * SECOND
    for other, machine in enumerate(line.machines):
        distance = position - other
        if distance == 0:
            continue
        reason = STARVED if distance > 0 else BLOCKED
        for stop in own[machine.code]:
            if stop.reason == NO_DATA:
                # The line goes on when only the connection is lost.
                continue
            start = stop.start + abs(distance) * buffer
            # What was emptied must fill again before the wait is over, machine by machine.
            end = stop.end + abs(distance) * buffer // 4
            if stop.end > start:
                yield Stop(start, end, Rank.WAITS_FOR_NEIGHBOUR, reason, machine.name)


def _overlaid(stops: Iterable[Stop], length: int) -> list[Stretch]:
    """Return the day cut into stretches: in each, the stop of the highest rank holds (of equals, the earlier one)."""
    ordered = sorted(stops, key=lambda stop: (-stop.rank, stop.start, stop.end, stop.reason))
    bounds = sorted({0, length, *(at for stop in ordered for at in (stop.start, stop.end) if 0 < at < length)})
    stretches: list[Stretch] = []
    for start, end in itertools.pairwise(bounds):
        holds = next((stop for stop in ordered if stop.start <= start < stop.end), None)
        reason, detail = (RUNNING, "") if holds is None else (holds.reason, holds.detail)
        if stretches and (stretches[-1].reason, stretches[-1].detail) == (reason, detail):
            start = stretches.pop().start
        stretches.append(Stretch(start, end, reason, detail))
    return stretches
