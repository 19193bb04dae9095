"""Give a case to the engine, in its own words."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import TypeVar

from core.intervals import Interval
from oee.engine import (
    Category,
    CountedRunning,
    CounterEvent,
    CountingScheme,
    CountRole,
    Increment,
    MachineHistory,
    MicroStops,
    Policy,
    RateSpan,
    Reading,
    RunSpan,
    ShiftSpan,
    StateCorrection,
    StateEvent,
    TagConfig,
    read_counter,
)
from proof.cases import REASONS, Case, Tag

FULL_HOUR = datetime(2026, 6, 2, 10, tzinfo=UTC)
SHIFT_DATE = date(2026, 6, 2)

_T = TypeVar("_T")


class _Telling:
    """How facts are told: as they are, or shuffled and some of them more than once."""

    def __init__(self, random: Random | None) -> None:
        self._random = random

    def any_order(self, things: Iterable[_T]) -> tuple[_T, ...]:
        told = list(things)
        if self._random is not None:
            self._random.shuffle(told)
        return tuple(told)

    def any_number(self, things: Iterable[_T]) -> tuple[_T, ...]:
        told = list(things)
        if self._random is not None and told:
            told += self._random.choices(told, k=len(told))
        return self.any_order(told)


def window_of(case: Case) -> Interval:
    """Return a case's window."""
    return Interval(moment(case, 0), moment(case, case.length))


def moment(case: Case, second: int) -> datetime:
    """Return a second of a case as a moment."""
    return FULL_HOUR + timedelta(seconds=case.into_hour + second)


def history_of(case: Case, telling: Random | None = None) -> MachineHistory:
    """Return a case as the engine's input; with `telling` in an order, and with repetitions, that it decides."""
    tell = _Telling(telling)

    def at(second: int) -> datetime:
        return moment(case, second)

    def until(second: int | None) -> datetime | None:
        return None if second is None else at(second)

    pieces: list[datetime] = []
    increments: list[Increment] = []
    for tag in case.tags:
        found = _read(case, tag, tell)
        increments += found
        pieces += [increment.at for increment in found if tag.role is not CountRole.INFEED]
    readings = [at(second) for tag in case.tags for second, _ in tag.readings]
    shifts = None
    if case.shifts is not None:
        shifts = tell.any_order(
            ShiftSpan(
                n,
                SHIFT_DATE,
                Interval(at(shift.start), at(shift.end)),
                tuple(Interval(at(a), at(b)) for a, b in shift.breaks),
            )
            for n, shift in enumerate(case.shifts, start=1)
        )
    return MachineHistory(
        states=tell.any_number(StateEvent(at(second), reason, REASONS[reason]) for second, reason in case.states),
        gaps=tell.any_number(Interval(at(a), at(b)) for a, b in case.gaps),
        corrections=tell.any_number(
            StateCorrection(
                n,
                at(c.start),
                until(c.end),
                c.reason,
                REASONS[c.reason] if c.reason else Category.NO_DATA,
                c.replaces_running,
            )
            for n, c in enumerate(case.corrections)
        ),
        increments=tell.any_order(increments),
        shifts=shifts,
        runs=tell.any_order(
            RunSpan(n, run.product, at(run.start), until(run.end), until(run.settled))
            for n, run in enumerate(case.runs, start=1)
        ),
        rates=tell.any_order(
            RateSpan(n, rate.product, rate.cycle, at(rate.start), until(rate.end))
            for n, rate in enumerate(case.rates, start=1)
        ),
        micro_stops=MicroStops(
            None if case.micro_below is None else timedelta(seconds=case.micro_below),
            {product: timedelta(seconds=limit) for product, limit in case.micro_below_of},
        ),
        counted_running=None
        if case.counted_running is None
        else CountedRunning(timedelta(seconds=case.counted_running[0]), case.counted_running[1]),
        pieces=tell.any_number(pieces),
        counting_since=None if case.counted_running is None else min(readings, default=None),
        known_until=until(case.known_until),
    )


def _read(case: Case, tag: Tag, tell: _Telling) -> list[Increment]:
    config = TagConfig(
        tag.role, tag.mode, tag.scale, Decimal(tag.offset), tag.modulus, tag.reset_policy, tag.fastest_rate
    )
    readings = tell.any_number(Reading(moment(case, second), Decimal(value)) for second, value in tag.readings)
    events = [
        CounterEvent(moment(case, e.at), e.kind, None if e.value is None else Decimal(e.value)) for e in tag.events
    ]
    return read_counter(config, readings, events)[0]


def scheme_of(case: Case) -> CountingScheme:
    """Return which counters a case's machine has."""
    roles = {tag.role for tag in case.tags}
    return CountingScheme(counts_total=CountRole.TOTAL in roles, counts_good=CountRole.GOOD in roles)


def cycles_of(case: Case) -> dict[int, Fraction]:
    """Return the ideal cycle times of a case by rate."""
    return {n: rate.cycle for n, rate in enumerate(case.rates, start=1)}


def policy_at(case: Case, hour: datetime) -> Policy:
    """Return the policy that holds in a full hour."""
    later = case.later_policy
    return later[1] if later is not None and hour >= FULL_HOUR + timedelta(hours=later[0]) else case.policy
