"""A KPI's points are what a report of the same stretch says, and cost no query more when there are more of them."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import Invalid
from core.intervals import Interval
from counts.services import NewReading, record_readings
from downtime.services import NewState, record_states
from oee.kpi_elements import answer
from oee.kpis import CATALOGUE, values_of
from oee.questions import Question
from oee.scopes import machines_of
from oee.slicing import Part, slices_of
from oee.trends import Step, has_trend, trend
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
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = MONDAY + timedelta(days=4, hours=9, minutes=20)
KPIS = {kpi.code: kpi for kpi in CATALOGUE}


@pytest.fixture
def line():
    """A line with three shifts, that stops for a quarter of an hour each three hours and counts while it runs."""
    machine = make_machine()
    site = machine.line.area.site
    site.time_zone = "UTC"
    site.save()
    for name, start, end in (("Early", 6, 14), ("Late", 14, 22), ("Night", 22, 6)):
        make_shift(site=site, name=name, start_time=time(start), end_time=time(end))
    product = make_product()
    make_ideal_rate(product=product, machine=machine, value=30)
    run, jam = make_reason(), make_reason("unplanned")
    tag = make_count_tag(machine=machine)
    make_run(line=machine.line, work_order=make_work_order(line=machine.line, product=product), started_at=MONDAY)
    states, counts = [], []
    for number in range(4 * 8):
        at = MONDAY + number * timedelta(hours=3)
        states += [NewState(machine.pk, at, run.pk), NewState(machine.pk, at + timedelta(hours=2, minutes=45), jam.pk)]
        counts.append(NewReading(tag.pk, machine.pk, False, at + timedelta(minutes=50), 40 + number))
    record_states(states, recorded_at=NOW)
    record_readings(counts, recorded_at=NOW)
    return machine.line


def one_by_one(line, window, kpi):
    found = answer(Question(machines_of(line), window), now=NOW)
    return values_of(found.values, [kpi])[0].value


@pytest.mark.parametrize("code", ["oee_index", "availability", "effectiveness", "mtbf", "throughput_rate"])
def test_each_hour_is_what_a_report_of_the_hour_says(line, code):
    window = Interval(MONDAY + timedelta(hours=5), MONDAY + timedelta(hours=12))
    points = trend([machines_of(line)], window, kpi=KPIS[code], step=Step.HOUR, now=NOW)
    assert [point.start for point in points] == [window.start + number * timedelta(hours=1) for number in range(7)]
    for point in points:
        assert point.values[0] == one_by_one(line, Interval(point.start, point.start + timedelta(hours=1)), KPIS[code])
    assert any(point.values[0] for point in points)


@pytest.mark.parametrize("code", ["oee_index", "mttr"])
def test_each_shift_is_what_a_report_of_the_shift_says_also_one_over_midnight(line, code):
    start = MONDAY + timedelta(hours=6)
    points = trend(
        [machines_of(line)], Interval(start, start + timedelta(days=2)), kpi=KPIS[code], step=Step.SHIFT, now=NOW
    )
    assert [(point.name, point.day.day) for point in points] == [
        ("Early", 2), ("Late", 2), ("Night", 2), ("Early", 3), ("Late", 3), ("Night", 3),
    ]  # fmt: skip
    for point in points:
        assert point.values[0] == one_by_one(line, Interval(point.start, point.start + timedelta(hours=8)), KPIS[code])


def test_a_night_belongs_to_the_day_on_which_it_began(line):
    window = Interval(MONDAY, MONDAY + timedelta(days=2))
    points = trend([machines_of(line)], window, kpi=KPIS["oee_index"], step=Step.DAY, now=NOW)
    # Sunday's night reaches into Monday.
    assert [point.day.day for point in points] == [1, 2, 3]
    production_day = Interval(MONDAY + timedelta(hours=6), MONDAY + timedelta(hours=30))
    assert points[1].values[0] == one_by_one(line, production_day, KPIS["oee_index"])


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Asia/Kolkata", "America/New_York"])
def test_sums_by_day_are_those_of_the_hours_that_begin_on_it_wherever_the_clock_stands(line, zone):
    machine, other = line.machines.get(), make_machine(line=line, position=2)
    window = Interval(MONDAY - timedelta(hours=9), MONDAY + timedelta(days=3))
    clocks = {machine.pk: ZoneInfo(zone), other.pk: ZoneInfo("UTC")}
    days, hours = (
        slices_of([machine, other], window, now=NOW, **apart) for apart in ({"by_day": clocks}, {"by_hour": True})
    )
    for one in (machine, other):
        added = defaultdict(Counter)
        for pieces in (days, hours):
            for piece in pieces[one.pk]:
                day = piece.key.hour.astimezone(clocks[one.pk]).date()
                added[pieces is days, day].update(piece.microseconds)
        by_day, by_hour = (
            {day: dict(of) for (is_days, day), of in added.items() if is_days is kind} for kind in (True, False)
        )
        assert by_day == by_hour
        assert len(by_day) >= 4
        assert len(days[one.pk]) < len(hours[one.pk])


def test_groups_stand_beside_each_other_and_a_product_that_was_not_made_has_nothing(line):
    other = make_machine(line=line, position=2)
    window = Interval(MONDAY + timedelta(hours=6), MONDAY + timedelta(hours=8))
    groups = [machines_of(line), [other]]
    points = trend(groups, window, kpi=KPIS["availability"], step=Step.HOUR, now=NOW)
    assert [point.values[1] for point in points] == [None, None]
    assert points[0].values[0] == Fraction(1)
    nothing = trend(
        groups, window, kpi=KPIS["availability"], step=Step.HOUR, now=NOW, part=Part(run_ids=frozenset([0]))
    )
    assert all(value is None for point in nothing for value in point.values)


def test_more_points_cost_no_more_queries(line):
    def queries(days):
        with CaptureQueriesContext(connection) as captured:
            window = Interval(MONDAY, MONDAY + timedelta(days=days))
            trend([machines_of(line)], window, kpi=KPIS["mtbf"], step=Step.HOUR, now=NOW)
        return len(captured)

    queries(4)  # computes the hours once
    assert queries(4) == queries(1)


def test_what_only_whole_windows_tell_has_no_trend(line):
    assert has_trend(KPIS["oee_index"])
    assert not has_trend(KPIS["worker_efficiency"])
    window = Interval(MONDAY, MONDAY + timedelta(days=1))
    with pytest.raises(Invalid, match="whole windows only"):
        trend([machines_of(line)], window, kpi=KPIS["worker_efficiency"], step=Step.DAY, now=NOW)
    with pytest.raises(Invalid, match="too long"):
        trend(
            [machines_of(line)],
            Interval(MONDAY - timedelta(days=60), MONDAY),
            kpi=KPIS["oee_index"],
            step=Step.HOUR,
            now=NOW,
        )


def test_nothing_is_known_of_what_is_to_come(line):
    window = Interval(NOW + timedelta(days=1), NOW + timedelta(days=2))
    assert trend([machines_of(line)], window, kpi=KPIS["oee_index"], step=Step.DAY, now=NOW) == []
