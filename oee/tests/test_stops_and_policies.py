"""What a stop is by its length and by missing pieces, and what a plant decides about it from a day on."""

from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from core import master_data
from core.intervals import Interval
from counts.services import NewReading, record_readings
from downtime.services import NewState, record_states
from enterprise.models import Machine, ShiftBreak
from oee.engine import Category
from oee.models import HourReason, HourSlice, OeePolicy
from oee.selectors import report, timelines
from tests.factories import (
    make_count_tag,
    make_ideal_rate,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_shift,
    make_work_order,
)

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
NOW = START + timedelta(days=1)
WINDOW = Interval(START, START + timedelta(hours=4))
MINUTE = 60_000_000
RUN, STOP, MICRO = Category.RUNNING, Category.UNPLANNED, Category.MICRO_STOP


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def machine_with(**overrides) -> Machine:
    return Machine.objects.select_related("line__area__site").get(pk=make_machine(**overrides).pk)


def say(machine, reason, minutes):
    record_states([NewState(machine.pk, at(minutes), reason.pk)], recorded_at=NOW)


def counted(tag, minutes, value=1):
    reading = NewReading(tag.pk, tag.machine_id, tag.mode == "running", at(minutes), Decimal(value))
    record_readings([reading], recorded_at=NOW)


def drawn(machine, window=WINDOW, now=NOW):
    return [
        (segment.category, (segment.start - START) / timedelta(minutes=1), (segment.end - START) / timedelta(minutes=1))
        for segment in timelines([machine], window, now=now)[machine.pk]
    ]


def times(machine, window=WINDOW, now=NOW):
    return report([machine], window, now=now).sums.times


class TestMicroStops:
    """A stop is short or long by its whole length, wherever a window or an hour cuts it."""

    @pytest.fixture
    def machine(self):
        return machine_with(micro_stop_below=120)

    def test_short_stop_lowers_performance_and_a_long_one_availability(self, machine):
        run, stop = make_reason("running"), make_reason("unplanned")
        for minute, reason in ((0, run), (10, stop), (11, run), (100, stop), (102, run)):
            say(machine, reason, minute)
        assert drawn(machine) == [(RUN, 0, 10), (MICRO, 10, 11), (RUN, 11, 100), (STOP, 100, 102), (RUN, 102, 240)]
        found = times(machine)
        assert (found.minor_stop_time, found.actual_unit_delay_time) == (1 * MINUTE, 2 * MINUTE)
        assert report([machine], WINDOW, now=NOW).kpis.availability == Fraction(238, 240)

    def test_plant_may_call_it_an_availability_loss(self, machine):
        OeePolicy.objects.create(site=machine.line.area.site, micro_stops="availability")
        run, stop = make_reason("running"), make_reason("unplanned")
        for minute, reason in ((0, run), (10, stop), (11, run)):
            say(machine, reason, minute)
        found = report([machine], WINDOW, now=NOW)
        assert (found.sums.times.minor_stop_time, found.sums.times.actual_unit_delay_time) == (0, MINUTE)
        assert found.sums.micro_stop_time == MINUTE
        assert found.kpis.availability == Fraction(239, 240)

    def test_stop_across_a_full_hour_is_one_stop(self, machine):
        run, stop = make_reason("running"), make_reason("unplanned")
        for minute, reason in ((0, run), (59, stop), (60.5, run), (118.5, stop), (121, run)):
            say(machine, reason, minute)
        assert times(machine).minor_stop_time == 1.5 * MINUTE
        for cut in (59.5, 60, 119, 120):
            halves = times(machine, Interval(START, at(cut))), times(machine, Interval(at(cut), WINDOW.end))
            both = zip(*map(astuple, halves), strict=True)
            assert tuple(map(sum, both)) == astuple(times(machine))

    def test_late_fact_makes_a_stored_long_stop_short(self, machine):
        run, stop = make_reason("running"), make_reason("unplanned")
        for minute, reason in ((0, run), (59.5, stop), (70, run)):
            say(machine, reason, minute)
        assert times(machine).minor_stop_time == 0
        say(machine, run, 60.25)
        assert times(machine).minor_stop_time == 0.75 * MINUTE
        assert HourSlice.objects.get(starts_at=START).micro_stop == 0.5 * MINUTE

    def test_two_reasons_in_a_row_are_one_stand(self, machine):
        run, stop, jam = make_reason("running"), make_reason("unplanned"), make_reason("unplanned")
        for minute, reason in ((0, run), (10, stop), (11.5, jam), (13, run)):
            say(machine, reason, minute)
        assert times(machine).minor_stop_time == 0

    def test_stand_next_to_no_data_may_be_longer_than_it_looks(self, machine):
        run, stop, lost = make_reason("running"), make_reason("unplanned"), make_reason("no_data")
        for minute, reason in ((0, run), (10, lost), (20, stop), (21, run)):
            say(machine, reason, minute)
        assert (STOP, 20, 21) in drawn(machine)

    def test_open_stop_is_undetermined_until_it_is_long_enough(self, machine):
        run, stop = make_reason("running"), make_reason("unplanned")
        say(machine, run, 0)
        say(machine, stop, 10)
        assert drawn(machine, now=at(11.5))[-1] == (Category.UNDETERMINED, 10, 11.5)
        assert times(machine, now=at(11.5)).undetermined_time == 1.5 * MINUTE
        assert drawn(machine, now=at(12))[-1] == (STOP, 10, 12)

    def test_product_says_otherwise(self, machine):
        product = make_product(micro_stop_below=30)
        order = make_work_order(line=machine.line, product=product)
        make_run(line=machine.line, work_order=order, started_at=at(60))
        run, stop = make_reason("running"), make_reason("unplanned")
        for minute, reason in ((0, run), (10, stop), (11, run), (70, stop), (71, run)):
            say(machine, reason, minute)
        assert times(machine).minor_stop_time == MINUTE
        product.micro_stop_below = None
        master_data.save(product)
        assert times(machine).minor_stop_time == 2 * MINUTE

    def test_planned_stop_is_planned_however_short(self, machine):
        run, planned = make_reason("running"), make_reason("planned")
        for minute, reason in ((0, run), (10, planned), (11, run)):
            say(machine, reason, minute)
        assert times(machine).planned_stop_time == MINUTE


class TestStopsFromCounts:
    """A machine that sends nothing but pieces stands when none comes."""

    @pytest.fixture
    def machine(self):
        return machine_with(stop_detection="counts", stop_after=60)

    def test_it_stands_since_its_last_piece(self, machine):
        tag = make_count_tag(machine=machine)
        for minute in (10, 10.5, 11.5, 30, 30.2):
            counted(tag, minute)
        assert drawn(machine) == [
            (Category.NO_DATA, 0, 10),
            (RUN, 10, 11.5),
            (STOP, 11.5, 30),
            (RUN, 30, 30.2),
            (STOP, 30.2, 240),
        ]

    def test_nudges_are_no_start(self):
        machine = machine_with(stop_detection="counts", stop_after=60, run_after=3)
        tag = make_count_tag(machine=machine)
        for minute in (10, 10.5, 11, 20, 20.5, 40, 41, 42, 43):
            counted(tag, minute)
        assert drawn(machine)[1:] == [(RUN, 10, 11), (STOP, 11, 40), (RUN, 40, 43), (STOP, 43, 240)]

    def test_last_piece_may_be_followed_by_another(self, machine):
        tag = make_count_tag(machine=machine)
        counted(tag, 10)
        counted(tag, 10.5)
        assert drawn(machine, now=at(11.25))[-1] == (RUN, 10, 11.25)
        assert drawn(machine, now=at(11.6))[-1] == (STOP, 10.5, 11.6)

    def test_states_say_why_it_stands(self, machine):
        tag, run, jam = make_count_tag(machine=machine), make_reason("running"), make_reason("planned")
        counted(tag, 10)
        counted(tag, 10.5)
        say(machine, run, 5)
        say(machine, jam, 20)
        counted(tag, 30)
        counted(tag, 30.5)
        assert drawn(machine) == [
            (Category.NO_DATA, 0, 5),
            (RUN, 5, 10.5),
            (STOP, 10.5, 20),
            (Category.PLANNED, 20, 30),
            (RUN, 30, 30.5),
            (Category.PLANNED, 30.5, 240),
        ]

    def test_counter_that_does_not_move_is_no_production(self, machine):
        tag = make_count_tag(machine=machine, mode="running")
        for minute, value in ((10, 5), (11, 6), (12, 7), (13, 7), (14, 7), (15, 7)):
            counted(tag, minute, value)
        assert drawn(machine)[1:] == [(STOP, 10, 11), (RUN, 11, 12), (STOP, 12, 240)]

    def test_reason_of_a_counted_stop_is_open(self, machine):
        tag = make_count_tag(machine=machine)
        counted(tag, 10)
        counted(tag, 10.5)
        report([machine], WINDOW, now=NOW)
        first = HourReason.objects.get(machine=machine, starts_at=START, category="unplanned")
        assert (first.reason_id, first.occurrences, first.microseconds) == (None, 1, 49.5 * MINUTE)


class TestDatedPolicies:
    """What a plant decides holds from a day on and leaves what was before alone."""

    def test_window_across_a_change_follows_both(self):
        machine = machine_with()
        site = machine.line.area.site
        run, changeover = make_reason("running"), make_reason("changeover")
        say(machine, changeover, 0)
        say(machine, run, 60)
        say(machine, changeover, 24 * 60)
        say(machine, run, 25 * 60)
        OeePolicy.objects.create(site=site)
        OeePolicy.objects.create(site=site, valid_from=date(2026, 3, 3), changeover="planned")
        found = report([machine], Interval(START, START + timedelta(days=2)), now=START + timedelta(days=3))
        assert found.sums.times.actual_unit_setup_time == 60 * MINUTE
        assert found.sums.times.planned_stop_time == 60 * MINUTE
        assert [policy.changeover for policy in found.policies] == ["availability_loss", "planned"]

    def test_time_without_data_may_be_a_loss_and_coverage_still_tells(self):
        machine = machine_with()
        OeePolicy.objects.create(site=machine.line.area.site, no_data="availability_loss")
        say(machine, make_reason("running"), 60)
        found = report([machine], WINDOW, now=NOW)
        assert found.kpis.availability == Fraction(3, 4)
        assert found.kpis.coverage == Fraction(3, 4)

    @pytest.mark.parametrize(
        ("breaks", "pot", "pbt"), [("planned", 240, 210), ("unscheduled", 210, 210), ("availability_loss", 240, 240)]
    )
    def test_breaks(self, breaks, pot, pbt):
        machine = machine_with()
        shift = make_shift(site=machine.line.area.site, start_time="07:00", end_time="11:00")
        ShiftBreak.objects.create(shift=shift, start_time="08:00", end_time="08:30")
        OeePolicy.objects.create(site=machine.line.area.site, breaks=breaks)
        run, stop = make_reason("running"), make_reason("unplanned")
        for minute, reason in ((0, run), (60, stop), (90, run)):
            say(machine, reason, minute)
        found = times(machine)
        assert (found.planned_operation_time, found.planned_busy_time) == (pot * MINUTE, pbt * MINUTE)

    def test_running_in_a_break_is_no_stop_where_overtime_is_left_out(self):
        """It stands in no part of the break, so no availability is lost, and what it made is left out."""
        machine = machine_with()
        shift = make_shift(site=machine.line.area.site, start_time="07:00", end_time="11:00")
        ShiftBreak.objects.create(shift=shift, start_time="08:00", end_time="08:30")
        OeePolicy.objects.create(site=machine.line.area.site, breaks="availability_loss", overtime="exclude")
        say(machine, make_reason("running"), 0)
        say(machine, make_reason("unplanned"), 80)
        say(machine, make_reason("running"), 90)
        found = report([machine], WINDOW, now=NOW)
        assert found.sums.times.actual_unit_delay_time == 10 * MINUTE
        assert found.sums.times.break_time == 20 * MINUTE
        assert found.kpis.availability == Fraction(210, 220)

    @pytest.mark.parametrize(
        ("policy", "quality"), [("quality_loss", Fraction(90, 100)), ("exclude", Fraction(90, 93))]
    )
    def test_rejects_of_the_start_stand_apart(self, policy, quality):
        machine = machine_with()
        OeePolicy.objects.create(site=machine.line.area.site, startup_minutes=30, startup_rejects=policy)
        product = make_product()
        make_ideal_rate(machine=machine, product=product, value=Decimal(10))
        order = make_work_order(line=machine.line, product=product)
        make_run(line=machine.line, work_order=order, started_at=at(45))
        good, reject = make_count_tag(machine=machine), make_count_tag(machine=machine, role="reject")
        say(machine, make_reason("running"), 0)
        counted(reject, 74, 7)
        counted(reject, 75, 3)
        counted(good, 80, 90)
        found = report([machine], WINDOW, now=NOW)
        assert found.kpis.quality_ratio == quality
        assert found.sums.quantities.startup_scrap == (7 if policy == "quality_loss" else 0)

    def test_startup_time_edited_later_is_seen(self):
        machine = machine_with()
        policy = OeePolicy.objects.create(site=machine.line.area.site)
        make_run(line=machine.line, work_order=make_work_order(line=machine.line), started_at=at(0))
        counted(make_count_tag(machine=machine, role="reject"), 10, 4)
        say(machine, make_reason("running"), 0)
        assert report([machine], WINDOW, now=NOW).sums.quantities.startup_scrap == 0
        policy.startup_minutes = 11
        master_data.save(policy)
        assert report([machine], WINDOW, now=NOW).sums.quantities.startup_scrap == 4
