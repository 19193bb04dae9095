"""Slow cycles: how far below the ideal rate, how many pieces lost, and only of the time in which the machine ran."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from core.intervals import Interval
from counts.services import NewReading, record_readings
from downtime.services import NewState, record_states
from enterprise.models import Machine
from oee.engine.cycles import mean_and_deviation
from oee.slow_cycles import cycles_of, slow_runs
from tests.factories import (
    make_count_tag,
    make_ideal_rate,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
NOW = START + timedelta(days=1)
WINDOW = Interval(START, START + timedelta(hours=1))


def at(seconds):
    return START + timedelta(seconds=seconds)


@pytest.fixture
def machine():
    machine = make_machine(slow_cycle_above=120)
    product = make_product(code="P")
    make_ideal_rate(machine=machine, product=product, value=Decimal(10))
    make_run(line=machine.line, work_order=make_work_order(line=machine.line, product=product), started_at=at(-7200))
    record_states([NewState(machine.pk, at(-3600), make_reason("running").pk)], recorded_at=NOW)
    return Machine.objects.select_related("line__area__site").get(pk=machine.pk)


def pieces(machine, *moments, tag=None):
    tag = tag or make_count_tag(machine=machine)
    record_readings([NewReading(tag.pk, machine.pk, False, at(s), Decimal(1)) for s in moments], recorded_at=NOW)


def test_slow_cycles_in_a_row_are_one_stretch(machine):
    pieces(machine, 0, 10, 20, 35, 55, 65, 95)
    found = [run.stretch for run in slow_runs([machine], WINDOW, now=NOW)]
    assert [(one.start, one.end, one.pieces) for one in found] == [(at(20), at(55), 2), (at(65), at(95), 1)]
    assert (found[0].share_of_ideal, found[0].lost_pieces) == (Fraction(20, 35), Fraction(3, 2))
    assert (found[1].share_of_ideal, found[1].lost_pieces) == (Fraction(1, 3), 2)


def test_cycle_as_slow_as_the_limit_is_not_slow(machine):
    pieces(machine, 0, 12)
    assert not slow_runs([machine], WINDOW, now=NOW)


def test_stops_are_no_slow_cycles(machine):
    stop, run = make_reason("unplanned"), make_reason("running")
    record_states([NewState(machine.pk, at(12), stop.pk), NewState(machine.pk, at(100), run.pk)], recorded_at=NOW)
    pieces(machine, 0, 10, 108)
    assert not slow_runs([machine], WINDOW, now=NOW)


def test_product_says_otherwise_and_none_looks_for_none(machine):
    pieces(machine, 0, 15)
    assert slow_runs([machine], WINDOW, now=NOW)
    machine.line.runs.get().work_order.product.__class__.objects.update(slow_cycle_above=200)
    assert not slow_runs([machine], WINDOW, now=NOW)


def test_pieces_of_several_counters_make_one_row_of_cycles(machine):
    pieces(machine, 0, 20)
    pieces(machine, 10, 30, tag=make_count_tag(machine=machine, role="reject"))
    assert [cycle.running_seconds for cycle in cycles_of([machine], WINDOW, now=NOW)[machine]] == [10, 10, 10]


def test_mean_and_deviation_of_cycle_times(machine):
    pieces(machine, 0, 8, 20, 28, 40)
    mean, deviation = mean_and_deviation(cycles_of([machine], WINDOW, now=NOW)[machine])
    assert (mean, deviation) == (10, 2)
    assert mean_and_deviation(()) == (None, None)


def test_piece_before_the_window_begins_its_first_cycle(machine):
    pieces(machine, -30, 5)
    (cycle,) = cycles_of([machine], WINDOW, now=NOW)[machine]
    assert (cycle.start, cycle.running_seconds) == (at(-30), 35)


def test_api_lists_them(machine, client):
    pieces(machine, 0, 20)
    client.force_login(make_user("supervisor", machine.line.area.site))
    window = {"machine": machine.code, "starts_at": at(0).isoformat(), "ends_at": at(3600).isoformat()}
    answer = client.get("/oee/slow-run/", window).json()
    assert (answer["count"], answer["results"][0]["share_of_ideal"]) == (1, "0.500000000000")
    refused = client.get("/oee/slow-run/", {**window, "ends_at": at(9 * 86_400).isoformat()})
    assert (refused.status_code, "ends_at" in refused.json()) == (400, True)
