"""The simulated days: repeatable, whole, joined to each other, and as good and bad as a real line."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest

from core.intervals import Interval
from simulator.expectations import Expected, expected_of, expected_week
from simulator.facts import CountFact, StateFact
from simulator.line_day import LineDay, simulate_day
from simulator.plant import NO_DATA, STARVED
from simulator.stops import ScriptedFault
from simulator.vistula import GLASS, PET, VISTULA
from simulator.working_time import day_window, order_slots, production_day

DAY = date(2026, 3, 11)
NOW = datetime(2026, 3, 11, tzinfo=UTC)


def make_day(line=PET, day=DAY, **overrides) -> LineDay:
    return simulate_day(VISTULA, line, day, **{"seed": 1, "readings": {}, **overrides})


def test_the_same_seed_makes_the_same_day_and_another_seed_another():
    assert make_day() == make_day()
    assert make_day().facts != make_day(seed=2).facts


@pytest.mark.parametrize("line", VISTULA.lines, ids=lambda line: line.code)
def test_the_stretches_of_every_machine_fill_the_day_without_gap_or_overlap(line):
    day = make_day(line)
    for timeline in day.timelines.values():
        assert timeline[0].start == 0
        assert timeline[-1].end == day.window.microseconds // 1000
        assert all(one.end == following.start for one, following in pairwise(timeline))


def test_no_fact_has_the_identity_of_another():
    facts = make_day().facts
    identities = [(fact.machine if isinstance(fact, StateFact) else fact.tag, fact.at) for fact in facts]
    assert len(set(identities)) == len(identities)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 28), 23), (date(2026, 10, 24), 25)])
def test_a_production_day_over_a_clock_change_is_as_long_as_the_clock_makes_it(day, hours):
    simulated = make_day(day=day)
    assert simulated.window.end - simulated.window.start == timedelta(hours=hours)
    assert sum(stretch.end - stretch.start for stretch in simulated.timelines["PET-FILLER"]) == hours * 3_600_000


def test_a_running_counter_goes_on_from_the_day_before_and_rolls_over():
    tag = "PET/FILLER/good"
    first = make_day()
    second = make_day(day=DAY + timedelta(days=1), readings=first.readings)
    values = [fact.value for fact in second.facts if isinstance(fact, CountFact) and fact.tag == tag]
    assert values[0] == first.readings[tag]
    assert max(values) < 65_536
    assert any(following < one for one, following in pairwise(values))
    assert sum((following - one) % 65_536 for one, following in pairwise(values)) == expected_of(VISTULA, second).good


def test_a_counter_without_modulus_starts_every_day_at_zero():
    readings = make_day().readings
    following = make_day(day=DAY + timedelta(days=1), readings=readings)
    values = [fact.value for fact in following.facts if isinstance(fact, CountFact) and fact.tag == "PET/PACKER/packs"]
    assert readings["PET/PACKER/packs"] > 0
    assert values[0] == 0


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_week_of_every_line_is_as_good_as_lines_are(seed):
    for week in expected_week(VISTULA, DAY, seed=seed):
        assert Fraction(60, 100) < week.oee < Fraction(85, 100)
        assert Fraction(85, 100) < week.performance < Fraction(98, 100)
        assert Fraction(97, 100) < week.quality < Fraction(995, 1000)


def test_speed_stays_below_the_ideal_rate_of_every_order():
    day = make_day()
    expected = expected_of(VISTULA, day)
    assert expected.performance < 1
    assert expected.oee == expected.availability * expected.performance * expected.quality
    assert isinstance(expected, Expected)


def test_a_breakdown_downstream_blocks_the_filler_and_one_upstream_starves_it():
    quiet = {"seed": 3}
    at = day_window(VISTULA, DAY).start + timedelta(hours=5)
    fault = ScriptedFault("PET-BLOWER", at, 30, "FAIL-AIR", "Compressor off")
    filler = make_day(**quiet, script=[fault]).timelines["PET-FILLER"]
    starts = (at - day_window(VISTULA, DAY).start) // timedelta(milliseconds=1)
    during = [stretch for stretch in filler if starts < stretch.start < starts + 30 * 60_000]
    assert STARVED in {stretch.reason for stretch in during}
    assert STARVED not in {stretch.reason for stretch in filler if starts <= stretch.start < starts + 60_000}


def test_a_lost_connection_stops_nobody_else():
    at = day_window(VISTULA, DAY).start + timedelta(hours=5)
    lost = ScriptedFault("PET-LABELLER", at, 30, NO_DATA)
    assert make_day(script=[lost]).timelines["PET-FILLER"] == make_day().timelines["PET-FILLER"]


def test_orders_of_a_line_that_never_rests_follow_each_other_without_a_gap():
    window = Interval(datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC))
    slots = order_slots(VISTULA, PET, window)
    assert len(slots) == 7 * 15 + 1
    assert all(one.end == following.start for one, following in pairwise(slots))
    assert all(one.product == following.previous_product for one, following in pairwise(slots))


def test_orders_end_where_the_line_stops_working():
    sunday = day_window(VISTULA, date(2026, 3, 15))
    slots = order_slots(VISTULA, GLASS, sunday)
    assert (slots[0].start, slots[-1].end) == (sunday.start, sunday.start + timedelta(hours=6))


def test_orders_begin_a_little_late_and_some_so_late_that_it_counts():
    slots = order_slots(VISTULA, PET, Interval(NOW - timedelta(days=30), NOW))
    late = [slot.start - slot.planned_start for slot in slots]
    assert all(timedelta(0) <= delay < timedelta(minutes=33) for delay in late)
    assert 0.02 < sum(delay > timedelta(minutes=15) for delay in late) / len(late) < 0.2
    assert all(slot.planned_end <= slot.end for slot in slots)
    assert {slot.customer for slot in slots} == {"", *VISTULA.customers}


def test_a_holiday_rests_the_glass_line_and_not_the_pet_line():
    holiday = day_window(VISTULA, date(2026, 5, 1))
    assert order_slots(VISTULA, GLASS, holiday) == []
    assert len(order_slots(VISTULA, PET, holiday)) == 16


def test_the_night_belongs_to_the_day_before():
    assert production_day(VISTULA, datetime(2026, 3, 12, 4, 59, tzinfo=UTC)) == date(2026, 3, 11)
    assert production_day(VISTULA, datetime(2026, 3, 12, 5, 0, tzinfo=UTC)) == date(2026, 3, 12)
