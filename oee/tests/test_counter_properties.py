"""A running counter invents no pieces and loses none, however it wraps and restarts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from oee.engine import (
    CounterEvent,
    CounterEventKind,
    CountMode,
    CountRole,
    Reading,
    StepVerdict,
    TagConfig,
    read_counter,
)

START = datetime(2026, 5, 5, 20, 59, 30, tzinfo=UTC)

many = settings(max_examples=120, deadline=None)


@many
@given(
    st.sampled_from([2**16, 2**32, 10**6]),
    st.lists(st.tuples(st.integers(1, 20_000), st.booleans()), min_size=1, max_size=30),
    st.integers(0, 2**32),
    st.randoms(use_true_random=False),
)
def test_a_counter_that_wraps_and_restarts_invents_and_loses_nothing(modulus, made, first, random):
    """Readings each second of a counter that never makes more than 20,000 pieces a second, wraps,
    and announces resets.
    """
    config = TagConfig(CountRole.GOOD, CountMode.RUNNING, modulus=modulus, fastest_rate=Fraction(20_000))
    value, at = first % modulus, START
    readings, events = [Reading(at, Decimal(value))], []
    for pieces, restarts in made:
        at += timedelta(seconds=1)
        if restarts:
            events.append(CounterEvent(at - timedelta(milliseconds=500), CounterEventKind.RESET, Decimal(0)))
            value = 0
        value = (value + pieces) % modulus
        readings.append(Reading(at, Decimal(value)))
    random.shuffle(readings)
    counted, steps = read_counter(config, readings, events)
    assert [increment.quantity for increment in counted] == [pieces for pieces, _ in made]
    assert all(step.verdict is not StepVerdict.HELD for step in steps)


@many
@given(st.sampled_from([2**16, 2**32]), st.data())
def test_an_unannounced_restart_never_invents_pieces(modulus, data):
    """Without a fastest rate a fall counts at most what a wrap of half the counter, or a restart from zero,
    explains.
    """
    before = data.draw(st.integers(1, modulus - 1))
    after = data.draw(st.integers(0, before - 1))
    config = TagConfig(CountRole.GOOD, CountMode.RUNNING, modulus=modulus)
    readings = [Reading(START, Decimal(before)), Reading(START + timedelta(minutes=1), Decimal(after))]
    counted, (step,) = read_counter(config, readings)
    pulses = sum(increment.quantity for increment in counted)
    assert pulses >= 0
    if step.verdict is StepVerdict.ROLLOVER:
        assert pulses == after - before + modulus <= modulus / 2
    elif step.verdict is StepVerdict.RESET:
        assert pulses == after <= before / 2
    else:
        assert (step.verdict, pulses) == (StepVerdict.HELD, 0)
