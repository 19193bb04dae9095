"""What is not known is no data, and what a counter cannot have done is held: in any order of facts,
and after a rebuild.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.intervals import Interval
from counts.models import CounterEvent
from counts.services import (
    NewCounterEvent,
    NewReading,
    explain_step,
    record_counter_events,
    record_readings,
    void_reading,
)
from downtime.models import StateHistory
from downtime.services import NewGap, NewState, record_gaps, record_states
from enterprise.models import Machine
from oee.engine import Category
from oee.histories import load_histories
from oee.hours import recompute_from_scratch
from oee.models import CounterStep, HourReason, HourSlice
from oee.selectors import report, timelines
from oee.services import find_counter_steps
from oee.silences import silences_in
from tests.factories import make_count_tag, make_machine, make_reason, make_user

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
NOW = START + timedelta(days=1)
WINDOW = Interval(START, START + timedelta(hours=4))
TIMEOUT = 300


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.fixture
def machine() -> Machine:
    return Machine.objects.select_related("line__area__site").get(pk=make_machine(no_signal_timeout=TIMEOUT).pk)


def say(machine, reason, minutes):
    record_states([NewState(machine.pk, at(minutes), reason.pk)], recorded_at=NOW)


def counted(tag, minutes, value):
    reading = NewReading(tag.pk, tag.machine_id, tag.mode == "running", at(minutes), Decimal(value))
    record_readings([reading], recorded_at=NOW)


def happened(tag, minutes, kind, value=None):
    record_counter_events([NewCounterEvent(tag.pk, tag.machine_id, at(minutes), kind, value)], recorded_at=NOW)


def drawn(machine, window=WINDOW, now=NOW):
    return [
        (segment.category, (segment.start - START) / timedelta(minutes=1), (segment.end - START) / timedelta(minutes=1))
        for segment in timelines([machine], window, now=now)[machine.pk]
    ]


def good(machine, window=WINDOW):
    return report([machine], window, now=NOW).sums.quantities.good


def test_silence_is_no_data_from_the_last_signal_to_the_next(machine):
    run, tag = make_reason("running"), make_count_tag(machine=machine)
    say(machine, run, 0)
    for minute in (4, 8, 12, 30, 34):
        counted(tag, minute, 1)
    window = Interval(at(0), at(36))
    assert drawn(machine, window) == [
        (Category.RUNNING, 0, 12),
        (Category.NO_DATA, 12, 30),
        (Category.RUNNING, 30, 34),
        (Category.NO_DATA, 34, 36),
    ]


def test_silence_of_exactly_the_timeout_is_none(machine):
    run = make_reason("running")
    for minute in (0, 5, 10):
        say(machine, run, minute)
    assert drawn(machine, Interval(at(0), at(15))) == [(Category.RUNNING, 0, 10), (Category.NO_DATA, 10, 15)]
    assert drawn(machine, Interval(at(0), at(14)), now=at(15)) == [(Category.RUNNING, 0, 14)]


def test_silence_now_shows_once_it_is_longer_than_the_timeout(machine):
    run = make_reason("running")
    say(machine, run, 0)
    assert drawn(machine, now=at(4)) == [(Category.RUNNING, 0, 4)]
    assert drawn(machine, now=at(6)) == [(Category.NO_DATA, 0, 6)]


def test_without_a_timeout_the_last_state_holds(machine):
    Machine.objects.update(no_signal_timeout=None)
    say(machine, make_reason("running"), 0)
    assert drawn(machine) == [(Category.RUNNING, 0, 240)]


def test_an_hour_is_not_stored_before_its_silence_is_settled(machine):
    run = make_reason("running")
    for minute in range(0, 60, 4):
        say(machine, run, minute)
    assert report([machine], WINDOW, now=at(60.5)).sums.times.no_data_time == 0
    silent = report([machine], WINDOW, now=at(70)).sums
    assert silent.times.no_data_time == 14 * 60_000_000
    # The device kept what it could not send: the silence was none.
    for minute in range(60, 70, 4):
        say(machine, run, minute)
    assert report([machine], WINDOW, now=at(70)).sums.times.no_data_time == 0


def test_a_late_signal_shortens_a_silence_that_began_in_a_stored_hour(machine):
    run, tag = make_reason("running"), make_count_tag(machine=machine)
    for minute in range(0, 55, 5):
        say(machine, run, minute)
    counted(tag, 100, 1)
    hour = Interval(at(0), at(60))
    assert report([machine], hour, now=NOW).sums.times.no_data_time == 10 * 60_000_000
    for minute in (53, 58, 63):
        counted(tag, minute, 1)
    assert report([machine], hour, now=NOW).sums.times.no_data_time == 0
    assert report([machine], Interval(at(60), at(120)), now=NOW).sums.times.no_data_time == (37 + 20) * 60_000_000


def test_reported_gap_is_no_data_and_the_state_goes_on_after_it(machine):
    Machine.objects.update(no_signal_timeout=None)
    say(machine, make_reason("running"), 0)
    assert record_gaps([NewGap(machine.pk, at(10), at(20), "overflow")] * 2, recorded_at=NOW) == [True, False]
    assert drawn(machine, Interval(at(0), at(30))) == [
        (Category.RUNNING, 0, 10),
        (Category.NO_DATA, 10, 20),
        (Category.RUNNING, 20, 30),
    ]
    assert report([machine], WINDOW, now=NOW).sums.times.no_data_time == 600_000_000


@pytest.mark.parametrize("timeout", [None, TIMEOUT])
def test_what_ends_at_a_full_hour_began_there_however_the_hours_are_computed(machine, timeout):
    Machine.objects.update(no_signal_timeout=timeout)
    machine.refresh_from_db()
    for minute in (0, 4, 60, 64):
        say(machine, make_reason("running") if not minute else StateHistory.objects.first().reason, minute)
    report([machine], Interval(at(0), at(180)), now=NOW)
    record_gaps([NewGap(machine.pk, at(30), at(60), "lost")], recorded_at=NOW)
    for hour in (1, 0, 2):
        report([machine], Interval(at(60 * hour), at(60 * hour + 60)), now=NOW)
    kept = _rows(machine)
    recompute_from_scratch(machine.pk, Interval(at(-60), at(180)))
    assert [_rows(machine)[1]] == [kept[1]]


def test_pieces_that_were_made_in_silence_do_not_flatter_performance(machine):
    run, tag = make_reason("running"), make_count_tag(machine=machine, mode="running")
    for minute in range(0, 21, 4):
        say(machine, run, minute)
        counted(tag, minute, minute * 10)
    counted(tag, 110, 1100)
    say(machine, run, 110)
    unseen = HourSlice.objects.filter(machine=machine, has_data=False, good__gt=0)
    assert good(machine) == 1100
    assert [row.good for row in unseen] == [900]


def test_implausible_fall_is_held_until_a_person_explains_it(machine):
    tag, person = make_count_tag(machine=machine, mode="running", modulus=65_536), make_user("supervisor")
    for minute, value in ((0, 40_000), (1, 40_100), (2, 30_000), (3, 30_010)):
        counted(tag, minute, value)
    assert good(machine) == 110
    step = CounterStep.objects.get()
    assert (step.verdict, step.pulses, step.value_before, step.value) == ("held", 0, 40_100, 30_000)
    explain_step(tag=tag, at=step.occurred_at, kind="replaced", comment="New PLC", actor=person, recorded_at=NOW)
    assert good(machine) == 110
    assert CounterStep.objects.get().verdict == "new_baseline"
    explain_step(tag=tag, at=step.occurred_at, kind="reset", comment="It was reset", actor=person, recorded_at=NOW)
    assert good(machine) == 100 + 30_000 + 10
    void_reading(tag=tag, occurred_at=at(2), comment="A glitch", actor=person, recorded_at=NOW)
    void_reading(tag=tag, occurred_at=at(3), comment="A glitch", actor=person, recorded_at=NOW)
    assert good(machine) == 100
    assert not CounterStep.objects.exists()


def test_steps_of_the_hour_that_is_not_over_are_found(machine):
    tag = make_count_tag(machine=machine, mode="running")
    counted(tag, 0, 1000)
    counted(tag, 1, 990)
    find_counter_steps(now=at(2))
    assert CounterStep.objects.get().verdict == "held"
    find_counter_steps(now=NOW)
    assert CounterStep.objects.get().verdict == "held"


def test_device_announces_a_reset_a_replacement_and_a_rollover(machine):
    tag = make_count_tag(machine=machine, mode="running", modulus=1000)
    for minute, value in ((0, 900), (2, 910), (4, 30), (6, 20), (8, 500)):
        counted(tag, minute, value)
    happened(tag, 3, "reset", Decimal(10))
    happened(tag, 5.5, "rollover")
    happened(tag, 7, "replaced")
    assert good(machine) == 10 + 20 + 990
    counted(tag, 2.5, 915)
    assert good(machine) == 10 + 5 + 20 + 990


def test_scale_cavities_and_offset_are_exact(machine):
    tag = make_count_tag(machine=machine, scale=Decimal("0.1"), cavities=6, offset=Decimal(-3))
    counted(tag, 1, 10)
    counted(tag, 2, 3)
    assert good(machine) == Decimal("4.2")


@pytest.fixture
def transactional_free_machine():
    reasons = make_reason("running"), make_reason("unplanned"), make_reason("no_data")

    def make(timeout):
        machine = make_machine(no_signal_timeout=timeout)
        tags = make_count_tag(machine=machine, mode="running", modulus=1000), make_count_tag(machine=machine)
        return (Machine.objects.select_related("line__area__site").get(pk=machine.pk), *reasons, *tags)

    return make


def _rows(machine):
    hours = {"starts_at__gte": WINDOW.start, "starts_at__lt": WINDOW.end}
    slices = HourSlice.objects.filter(machine=machine, **hours).values_list(
        *("starts_at", "has_data", "running", "unplanned", "no_data", "good")
    )
    reasons = HourReason.objects.filter(machine=machine, **hours).values_list(
        "starts_at", "reason", "microseconds", "occurrences"
    )
    steps = CounterStep.objects.filter(machine=machine, **hours).values_list("occurred_at", "verdict", "pulses")
    return sorted(slices), sorted(reasons, key=str), sorted(steps)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, 14_400), max_size=25), st.sampled_from([10, 60, 600]), st.integers(0, 14_000))
def test_leaping_finds_the_silences_that_walking_finds(transactional_free_machine, seconds, timeout, start):
    machine, run, *_, delta = transactional_free_machine(timeout)
    moments = sorted(START + timedelta(seconds=n) for n in seconds)
    for n, moment in enumerate(moments):
        if n % 3:
            record_readings([NewReading(delta.pk, machine.pk, False, moment, 1)], recorded_at=NOW)
        else:
            record_states([NewState(machine.pk, moment, run.pk)], recorded_at=NOW)
    window = Interval(START + timedelta(seconds=start), START + timedelta(seconds=14_400))
    expected = [
        (a, b)
        for a, b in zip(moments, [*moments[1:], None], strict=False)
        if (b is None or (b - a).total_seconds() > timeout) and (b is None or b >= window.start) and a < window.end
    ]
    found = [
        (silence.start, None if silence.end.year == 9999 else silence.end)
        for silence in silences_in([machine.pk], window, now=None)[machine.pk]
        # Before the first signal there is no state that silence could hide.
        if moments and silence.start >= moments[0]
    ]
    assert found == expected


def test_histories_of_several_machines_cost_one_set_of_queries(machine, django_assert_max_num_queries):
    others = [machine, *Machine.objects.select_related("line__area__site").filter(pk=make_machine().pk)]
    with django_assert_max_num_queries(10):
        load_histories(others, WINDOW, now=NOW)


def test_counter_event_of_one_moment_conflicts_with_another(machine):
    tag = make_count_tag(machine=machine, mode="running")
    happened(tag, 1, "reset")
    happened(tag, 1, "replaced")
    assert CounterEvent.objects.get().kind == "reset"
