"""From readings to pieces: what lies between two neighbours decides, so the order of arrival does not."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from core.intervals import microseconds
from oee.engine.facts import CounterEvent, CounterEventKind, CountMode, Increment, Reading, ResetPolicy, TagConfig

_SECOND = 1_000_000


class StepVerdict(StrEnum):
    """How a step of a running counter was read that is more than a plain rise."""

    ROLLOVER = "rollover"
    RESET = "reset"
    NEW_BASELINE = "new_baseline"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class CounterStep:
    """Two neighbouring readings of a running counter that are more than a plain rise, and the pulses counted for them.

    A held step counts nothing until somebody explains it.
    """

    before: Reading
    after: Reading
    verdict: StepVerdict
    pulses: Decimal


def read_counter(
    config: TagConfig, readings: Iterable[Reading], events: Iterable[CounterEvent] = ()
) -> tuple[list[Increment], list[CounterStep]]:
    """Return the pieces that readings stand for, each at the moment it was counted, and the steps worth knowing of.

    Give the last reading before the window with a running counter's readings: the first one is a baseline and counts
    nothing. Readings may come in any order and more than once; zero increments are left out. Events come in the order
    in which a later one holds over an earlier one.
    """
    ordered = sorted(set(readings))
    if config.mode is CountMode.DELTA:
        deltas = ((reading, max(reading.value + config.offset, Decimal(0))) for reading in ordered)
        return [_increment(config, reading, pulses) for reading, pulses in deltas if pulses], []
    increments: list[Increment] = []
    steps: list[CounterStep] = []
    happened = list(events)
    for before, after in pairwise(ordered):
        event = next((e for e in reversed(happened) if before.at < e.at <= after.at), None) if happened else None
        pulses, verdict = _judge(config, before, after, event)
        if pulses:
            increments.append(_increment(config, after, pulses, before))
        if verdict is not None:
            steps.append(CounterStep(before, after, verdict, pulses))
    return increments, steps


def _increment(config: TagConfig, reading: Reading, pulses: Decimal, before: Reading | None = None) -> Increment:
    since = None if before is None else before.at
    return Increment(reading.at, config.role, Fraction(pulses) * config.scale, since)


def _judge(
    config: TagConfig, before: Reading, after: Reading, event: CounterEvent | None
) -> tuple[Decimal, StepVerdict | None]:
    """Return the pulses between two neighbouring readings of a running counter, and what the step was.

    A fall is a rollover where the wrap is plausible (65530 → 4 of 65536 is 10), else a restart by the tag's policy
    where that is plausible. What is not plausible is held: a wrong count is worse than a question.
    """
    if event is not None:
        return _explained(config, before, after, event)
    rise = after.value - before.value
    if rise >= 0:
        return (rise, None) if _is_reachable(config, rise, before, after) else _HELD
    if config.modulus is not None:
        wrapped = rise + config.modulus
        if _is_reachable(config, wrapped, before, after, unless_known=wrapped * 2 <= config.modulus):
            return wrapped, StepVerdict.ROLLOVER
    if config.reset_policy is ResetPolicy.NEW_BASELINE:
        return Decimal(0), StepVerdict.NEW_BASELINE
    since_zero = after.value + config.offset
    is_like_a_restart = since_zero * 2 <= before.value + config.offset
    if (
        config.reset_policy is ResetPolicy.FROM_ZERO
        and since_zero >= 0
        and _is_reachable(config, since_zero, before, after, unless_known=is_like_a_restart)
    ):
        return since_zero, StepVerdict.RESET
    return _HELD


_HELD = Decimal(0), StepVerdict.HELD


def _is_reachable(
    config: TagConfig, pulses: Decimal, before: Reading, after: Reading, *, unless_known: bool = True
) -> bool:
    """Say whether a counter can have gone so far in the time; `unless_known` without a fastest rate."""
    if config.fastest_rate is None:
        return unless_known
    return Fraction(pulses) * _SECOND <= config.fastest_rate * microseconds(after.at - before.at)


def _explained(
    config: TagConfig, before: Reading, after: Reading, event: CounterEvent
) -> tuple[Decimal, StepVerdict | None]:
    rise = after.value - before.value
    if event.kind is CounterEventKind.REPLACED:
        return Decimal(0), StepVerdict.NEW_BASELINE
    if event.kind is CounterEventKind.ROLLOVER and config.modulus is not None:
        return rise + config.modulus, StepVerdict.ROLLOVER
    if event.kind is CounterEventKind.GENUINE and rise >= 0:
        return rise, None
    if event.kind is CounterEventKind.RESET:
        if event.value is None and config.reset_policy is ResetPolicy.NEW_BASELINE:
            return Decimal(0), StepVerdict.NEW_BASELINE
        went_on_from = -config.offset if event.value is None else event.value
        if after.value >= went_on_from:
            return after.value - went_on_from, StepVerdict.RESET
    return _HELD
