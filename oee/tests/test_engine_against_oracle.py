"""The engine equals a per-second oracle, whatever the order of facts, and adds up wherever a window is cut."""

import os
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from core.intervals import Interval
from enterprise.shift_calendar import BreakRule, Level, ShiftKind, ShiftRule, shift_occurrences
from oee.engine import (
    Calendar,
    Category,
    CounterEvent,
    CounterEventKind,
    CountMode,
    CountRole,
    MachineHistory,
    Policy,
    RateSpan,
    Reading,
    ResetPolicy,
    RunSpan,
    ShiftSpan,
    StateCorrection,
    StateEvent,
    StepVerdict,
    TagConfig,
    read_counter,
    segments,
    slice_window,
    sum_slices,
)
from oee.engine.elements import CountingScheme

SECONDS = 3 * 3600
# The nights when Warsaw's clocks change, and an ordinary one; windows begin in the evening before.
EVENINGS = [
    datetime(2026, 3, 28, 23, 30, tzinfo=UTC),
    datetime(2026, 10, 24, 23, 30, tzinfo=UTC),
    datetime(2026, 5, 5, 20, 59, 30, tzinfo=UTC),
]
WARSAW = ZoneInfo("Europe/Warsaw")
SHIFTS = [
    ShiftRule(1, Level.SITE, ShiftKind.REGULAR, "Night", frozenset(range(1, 8)), *times, breaks=breaks)
    for times, breaks in [
        ((time(22), time(6)), ()),
        (
            (time(1, 17), time(3, 5)),
            (BreakRule(time(2, 20), time(2, 50)),),
        ),
    ]
]
REASONS = dict(enumerate([*Category, Category.UNPLANNED], start=1))

prove = settings(max_examples=int(os.environ.get("MES_PROVE_EXAMPLES", "120")), deadline=None)
second = st.integers(-600, SECONDS + 600)


@st.composite
def spans(draw, least=0, most=4):
    """Draw disjoint spans (start, end) in order; touching ones included."""
    bounds = sorted(draw(st.sets(second, max_size=2 * most)))
    return [(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=False)][: most if least <= most else least]


@st.composite
def histories(draw):
    """Draw a machine's night: states, corrections, counters, shifts, runs and rates, in seconds of the window."""
    start = draw(st.sampled_from(EVENINGS))

    def at(seconds):
        return start + timedelta(seconds=seconds)

    states = [
        StateEvent(at(when), reason, REASONS[reason])
        for when, reason in draw(st.dictionaries(second, st.sampled_from(list(REASONS)), max_size=12)).items()
    ]
    corrections = [
        StateCorrection(
            sequence, at(a), at(a + length) if length else None, reason, REASONS.get(reason, Category.NO_DATA), replaces
        )
        for sequence, (a, length, reason, replaces) in enumerate(
            draw(
                st.lists(
                    st.tuples(second, st.integers(0, 4000), st.sampled_from([None, *REASONS]), st.booleans()),
                    max_size=4,
                )
            )
        )
    ]
    readings = draw(st.dictionaries(second, st.integers(0, 999), max_size=10))
    config = draw(
        st.sampled_from(
            [
                TagConfig(CountRole.GOOD, CountMode.DELTA, Fraction(3, 2)),
                TagConfig(CountRole.REJECT, CountMode.RUNNING, modulus=1000),
                TagConfig(CountRole.GOOD, CountMode.RUNNING, reset_policy=ResetPolicy.NEW_BASELINE),
                TagConfig(CountRole.GOOD, CountMode.RUNNING),
                TagConfig(CountRole.GOOD, CountMode.RUNNING, reset_policy=ResetPolicy.HOLD),
                TagConfig(CountRole.GOOD, CountMode.RUNNING, modulus=1000, fastest_rate=Fraction(1, 5)),
                TagConfig(CountRole.GOOD, CountMode.RUNNING, offset=Decimal(-100), fastest_rate=Fraction(1, 2)),
                TagConfig(CountRole.GOOD, CountMode.DELTA, offset=Decimal(-100)),
            ]
        )
    )
    happened = [
        CounterEvent(at(when), kind, value if kind is CounterEventKind.RESET else None)
        for when, (kind, value) in draw(
            st.dictionaries(
                second,
                st.tuples(st.sampled_from(CounterEventKind), st.none() | st.integers(0, 999).map(Decimal)),
                max_size=3,
            )
        ).items()
    ]
    gaps = [Interval(at(a), at(b)) for a, b in draw(spans(most=2))]
    counted = [Reading(at(when), Decimal(value)) for when, value in readings.items()]
    runs = [RunSpan(n, n % 2, at(a), at(b)) for n, (a, b) in enumerate(draw(spans()), start=1)]
    rates = [RateSpan(n, 1, Fraction(n, 3), at(a), at(b)) for n, (a, b) in enumerate(draw(spans()), start=1)]
    window = Interval(start, at(SECONDS))
    rule = draw(st.sampled_from([None, *SHIFTS]))
    shifts = None
    if rule is not None:
        shifts = tuple(
            ShiftSpan(s.shift_id, s.shift_date, s.interval, s.breaks)
            for s in shift_occurrences([rule], [], WARSAW, window)
        )
    return (
        window,
        states,
        corrections,
        (config, counted, sorted(happened, key=lambda e: e.at)),
        shifts,
        runs,
        rates,
        gaps,
    )


def build(parts, reorder=lambda things: things):
    window, states, corrections, (config, counted, happened), shifts, runs, rates, gaps = parts
    return window, MachineHistory(
        states=tuple(reorder(states)),
        gaps=tuple(reorder(gaps)),
        corrections=tuple(reorder(corrections)),
        increments=tuple(read_counter(config, reorder(counted), happened)[0]),
        shifts=shifts,
        runs=tuple(runs),
        rates=tuple(rates),
    )


def oracle(parts):
    """Answer, second by second and as simply as can be: (key…, category, reason) → seconds; (key…, role) → pieces."""
    window, states, corrections, (config, counted, happened), _, runs, rates, gaps = parts
    rule_shifts = parts[4]
    times, pieces = defaultdict(int), defaultdict(Fraction)

    def last_before(moment, things):
        past = [thing for thing in things if thing.at <= moment]
        return max(past, key=lambda thing: thing.at) if past else None

    def key(moment):
        shift = break_ = None
        for candidate in rule_shifts or ():
            if candidate.interval.start <= moment < candidate.interval.end:
                shift = candidate
                break_ = any(pause.start <= moment < pause.end for pause in candidate.breaks)
        calendar = Calendar.SCHEDULED if rule_shifts is None or shift else Calendar.UNSCHEDULED
        if break_:
            calendar = Calendar.ON_BREAK
        run = next((run for run in runs if run.start <= moment < run.end), None)
        rate = next(
            (r for r in rates if run and r.product_id == run.product_id and r.start <= moment < r.end),
            None,
        )
        hour = moment.replace(minute=0, second=0)
        return hour, calendar, shift and shift.shift_id, run and run.run_id, rate and rate.rate_id

    def state_at(moment, gaps=gaps):
        state = last_before(moment, states)
        reason, category = (state.reason_id, state.category) if state else (None, Category.NO_DATA)
        if any(gap.start <= moment < gap.end for gap in gaps):
            reason, category = None, Category.NO_DATA
        as_the_machine_said = reason, category
        for correction in sorted(corrections, key=lambda c: c.sequence):
            covers = correction.start <= moment and (correction.end is None or moment < correction.end)
            device_ran = bool(state) and state.category is Category.RUNNING
            device_ran = device_ran and not any(gap.start <= moment < gap.end for gap in gaps)
            if covers and correction.reason_id is None:
                reason, category = as_the_machine_said
            elif covers and (correction.replaces_running or not device_ran):
                reason, category = correction.reason_id, correction.category
        return category, reason

    for n in range(SECONDS):
        moment = window.start + timedelta(seconds=n)
        times[(*key(moment), *state_at(moment))] += 1

    first_word = min((state.at for state in states), default=None)

    def was_mostly_lost(start, end):
        lost = 0
        for n in range(int((end - start).total_seconds())):
            moment = start + timedelta(seconds=n)
            known_to_listen = first_word is not None and moment >= first_word
            lost += known_to_listen and state_at(moment)[0] is Category.NO_DATA
        return lost * 2 > (end - start).total_seconds()

    ordered = sorted(counted, key=lambda reading: reading.at)
    for n, reading in enumerate(ordered):
        seen = True
        if config.mode is CountMode.RUNNING:
            if n == 0:
                continue
            pulses = pulses_between(config, ordered[n - 1], reading, happened)
            seen = not was_mostly_lost(ordered[n - 1].at, reading.at)
        else:
            pulses = max(reading.value + config.offset, 0)
        if window.start <= reading.at < window.end and pulses:
            # A gap begins at the last thing that was heard.
            heard = [gap for gap in gaps if gap.start < reading.at]
            has_data = seen and state_at(reading.at, heard)[0] is not Category.NO_DATA
            pieces[(*key(reading.at), has_data, config.role)] += Fraction(pulses) * config.scale
    return dict(times), dict(pieces)


def pulses_between(config, before, after, happened):
    """Answer what a running counter counted between two readings, by the rules as the documentation has them."""
    seconds = Fraction((after.at - before.at).total_seconds())
    rise = after.value - before.value

    def too_fast(pulses):
        return config.fastest_rate is not None and pulses > config.fastest_rate * seconds

    told = [event for event in happened if before.at < event.at <= after.at]
    if told:
        event = told[-1]
        if event.kind is CounterEventKind.ROLLOVER and config.modulus:
            return rise + config.modulus
        if event.kind is CounterEventKind.GENUINE:
            return max(rise, 0)
        if event.kind is CounterEventKind.RESET:
            if event.value is None:
                by_policy = 0 if config.reset_policy is ResetPolicy.NEW_BASELINE else after.value + config.offset
                return max(by_policy, 0)
            return max(after.value - event.value, 0)
        return 0
    if rise >= 0:
        return 0 if too_fast(rise) else rise
    if config.modulus:
        wrapped = rise + config.modulus
        rolled_over = not too_fast(wrapped) if config.fastest_rate else wrapped <= Fraction(config.modulus, 2)
        if rolled_over:
            return wrapped
    if config.reset_policy is ResetPolicy.FROM_ZERO:
        since_zero = after.value + config.offset
        half = Fraction(before.value + config.offset) / 2
        restarted = not too_fast(since_zero) if config.fastest_rate else since_zero <= half
        return since_zero if since_zero >= 0 and restarted else 0
    return 0


def by_key(slices, reasons):
    """Return the engine's answer in the oracle's shape, reasons and rates apart since reasons know no rate."""
    times, pieces, by_reason = defaultdict(int), defaultdict(Fraction), defaultdict(int)
    for piece in slices:
        k = piece.key
        key = (k.hour, k.calendar, k.shift_id, k.run_id, k.rate_id, k.has_data)
        for category, microseconds in piece.microseconds.items():
            times[(*key, category)] += microseconds
        for role, quantity in piece.quantities.items():
            pieces[(*key, role)] += quantity
    for piece in reasons:
        k = piece.key
        by_reason[(k.hour, k.calendar, k.shift_id, k.run_id, piece.category, piece.reason_id)] += piece.microseconds
    return times, {key: quantity for key, quantity in pieces.items() if quantity}, by_reason


@prove
@given(histories())
def test_engine_equals_the_per_second_oracle(parts):
    window, history = build(parts)
    times, pieces, by_reason = by_key(*slice_window(history, window))
    expected_times, expected_pieces = oracle(parts)
    by_category, expected_by_reason = defaultdict(int), defaultdict(int)
    for (hour, calendar, shift, run, rate, category, reason), seconds in expected_times.items():
        has_data = category is not Category.NO_DATA
        by_category[hour, calendar, shift, run, rate, has_data, category] += seconds * 1_000_000
        expected_by_reason[hour, calendar, shift, run, category, reason] += seconds * 1_000_000
    assert times == by_category
    assert by_reason == expected_by_reason
    assert pieces == expected_pieces


@prove
@given(histories(), st.randoms(use_true_random=False))
def test_any_permutation_and_duplication_gives_identical_slices(parts, random):
    def shuffled(things):
        things = [*things, *random.choices(things, k=len(things))] if things else []
        random.shuffle(things)
        return things

    window, history = build(parts)
    _, other = build(parts, reorder=shuffled)
    assert slice_window(history, window)[0] == slice_window(other, window)[0]
    assert set(slice_window(history, window)[1]) == set(slice_window(other, window)[1])


@prove
@given(histories())
def test_elements_sum_to_the_window(parts):
    window, history = build(parts)
    slices, reasons = slice_window(history, window)
    sums = sum_slices(slices, rates={n: Fraction(n, 3) for n in range(1, 9)}, scheme=CountingScheme(), policy=Policy())
    assert sums.times.calendar_time == window.microseconds
    assert sum(reason.microseconds for reason in reasons) == window.microseconds
    drawn = segments(history, window)
    assert drawn[0].start == window.start
    assert drawn[-1].end == window.end
    assert all(one.end == next_one.start for one, next_one in pairwise(drawn))


@prove
@given(histories(), st.integers(1, SECONDS - 1))
def test_parts_of_a_window_add_up_to_the_whole(parts, cut):
    window, history = build(parts)
    middle = window.start + timedelta(seconds=cut)
    whole = totals(*slice_window(history, window))
    halves = [totals(*slice_window(history, half)) for half in cut_at(window, middle)]
    for kind, of_kind in enumerate(whole):
        added = defaultdict(Fraction)
        for half in halves:
            for key, value in half[kind].items():
                added[key] += value
        assert {key: value for key, value in added.items() if value} == of_kind


def cut_at(window, middle):
    return Interval(window.start, middle), Interval(middle, window.end)


def totals(slices, reasons):
    times, pieces, _ = by_key(slices, reasons)
    occurrences = defaultdict(int)
    for reason in reasons:
        occurrences[reason.key.run_id, reason.reason_id, reason.category] += reason.occurrences
    return [{key: value for key, value in kind.items() if value} for kind in (times, pieces, occurrences)]


@prove
@given(
    st.sampled_from([2**16, 2**32, 10**6]),
    st.lists(st.tuples(st.integers(1, 20_000), st.booleans()), min_size=1, max_size=30),
    st.integers(0, 2**32),
    st.randoms(use_true_random=False),
)
def test_a_counter_that_wraps_and_restarts_invents_and_loses_nothing(modulus, made, first, random):
    """Readings each second of a counter that never makes more than 20,000 pieces a second, wraps, and announces resets."""
    config = TagConfig(CountRole.GOOD, CountMode.RUNNING, modulus=modulus, fastest_rate=Fraction(20_000))
    value, at = first % modulus, EVENINGS[0]
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


@prove
@given(st.sampled_from([2**16, 2**32]), st.data())
def test_an_unannounced_restart_never_invents_pieces(modulus, data):
    """Without a fastest rate a fall counts at most what a wrap of half the counter, or a restart from zero, explains."""
    before = data.draw(st.integers(1, modulus - 1))
    after = data.draw(st.integers(0, before - 1))
    config = TagConfig(CountRole.GOOD, CountMode.RUNNING, modulus=modulus)
    readings = [Reading(EVENINGS[0], Decimal(before)), Reading(EVENINGS[0] + timedelta(minutes=1), Decimal(after))]
    counted, (step,) = read_counter(config, readings)
    pulses = sum(increment.quantity for increment in counted)
    assert pulses >= 0
    if step.verdict is StepVerdict.ROLLOVER:
        assert pulses == after - before + modulus <= modulus / 2
    elif step.verdict is StepVerdict.RESET:
        assert pulses == after <= before / 2
    else:
        assert (step.verdict, pulses) == (StepVerdict.HELD, 0)


def test_oracle_knows_the_length_of_clock_change_nights():
    night = SHIFTS[0]
    for day, hours in ((date(2026, 3, 28), 7), (date(2026, 10, 24), 9), (date(2026, 5, 5), 8)):
        around = Interval(
            datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            datetime(day.year, day.month, day.day, 23, tzinfo=UTC),
        )
        (shift,) = (s for s in shift_occurrences([night], [], WARSAW, around) if s.shift_date == day)
        assert shift.end - shift.start == timedelta(hours=hours)
