"""Delivery from the simulated shop floor: whatever the network does, the plant has every fact once, and its OEE."""

import json
import time
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import chain, repeat

import httpx
import pytest

from accounts.keys import device_scope
from core.intervals import Interval
from counts.models import CountHistory
from downtime.models import StateHistory
from enterprise.models import Line
from ingest import directory
from ingest.models import QuarantinedItem
from ingest.services import Delivery, accept
from oee.scopes import machines_of
from oee.selectors import report
from simulator.delivery import TIDY, Untidiness
from simulator.expectations import expected_of
from simulator.facts import CountFact, StateFact
from simulator.feed import LineFeed
from simulator.line_day import simulate_day
from simulator.progress import LineProgress, ProgressFile
from simulator.services import devices_memory, keep_orders, provide_device_keys
from simulator.shop_floor import ShopFloor
from simulator.vistula import GLASS, PET, VISTULA
from simulator.working_time import day_window

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 11)
NOW = STARTS = day_window(VISTULA, DAY).start
UNTIDY = Untidiness(late_share=0.3, late_seconds=(30, 300), duplicate_share=0.3, shuffled_share=1)


@pytest.fixture
def keys(plant, tmp_path):
    for names in (directory.tags, directory.machines, directory.constraint_machines, directory.reasons):
        names.forget()
    return provide_device_keys(VISTULA, tmp_path / "keys.json")


def open_floor(keys, tmp_path, *, lines=(PET,), untidiness=TIDY, works=(), answers_lost=()):
    """Return a shop floor on a network that works or not, and may lose the answer to what was stored.

    After the requests that the arguments speak of, all goes well.
    """
    works, answers_lost = chain(works, repeat(True)), chain(answers_lost, repeat(False))

    def network(request: httpx.Request) -> httpx.Response:
        if not next(works):
            raise httpx.ConnectError("no route")
        scope = device_scope(
            request.headers["Authorization"].removeprefix("Api-Key "), clock=time.monotonic(), now=STARTS
        )
        if scope is None:
            return httpx.Response(401, text="This device key is not valid.")
        items = json.loads(request.content)["items"]
        outcome = accept(Delivery(items, scope), recorded_at=datetime(2027, 1, 1, tzinfo=UTC))
        if next(answers_lost):
            raise httpx.ReadTimeout("lost")
        return httpx.Response(200, json=asdict(outcome))

    progress_file = ProgressFile(tmp_path / "progress.json", plant_id="test", seed=1)
    kept = progress_file.read()
    feeds = [LineFeed(VISTULA, line, kept.get(line.code) or LineProgress(DAY), seed=1) for line in lines]
    queues, transport = tmp_path / "queues", httpx.MockTransport(network)
    return ShopFloor.open(feeds, "http://mes", keys, queues, progress_file, untidiness, seed=1, transport=transport)


@pytest.fixture
def make_floor(keys, tmp_path):
    """Return a function that opens shop floors, all with the same memory; their clients are closed after the test."""
    floors = []

    def make(**options):
        floors.append(open_floor(keys, tmp_path, **options))
        return floors[-1]

    yield make
    for floor in floors:
        for station in floor.stations:
            station.client.close(timeout=0)


def run(floor, start, end, *, seconds=60):
    """Let the shop floor work from one moment to another, and deliver its backlog."""
    floor.plan_backlog(start)
    clock, now = 0.0, start
    while now < end or floor.backlog:
        clock += 60
        now = min(now + timedelta(seconds=seconds), end)
        floor.tick(now)
        floor.deliver_backlog(clock=clock)
    floor.stop()


def stored():
    states = StateHistory.objects.values_list("machine__code", "occurred_at", "reason__code", "detail")
    counts = CountHistory.objects.values_list("tag__tag_path", "occurred_at", "value")
    return sorted(states), sorted((tag, at, int(value)) for tag, at, value in counts)


def simulated(line, days, until):
    """Return what should be stored of some days up to a moment."""
    readings, facts = {}, []
    for number in range(days):
        day = simulate_day(VISTULA, line, DAY + timedelta(days=number), seed=1, readings=readings)
        readings = day.readings
        facts.extend(fact for fact in day.facts if fact.at <= until)
    states = sorted((f.machine, f.at, f.state, f.detail) for f in facts if isinstance(f, StateFact))
    return states, sorted((f.tag, f.at, f.value) for f in facts if isinstance(f, CountFact))


def test_history_and_live_stream_join_without_a_gap_or_a_double(make_floor):
    floor = make_floor()
    middle, end = STARTS + timedelta(days=1, hours=5), STARTS + timedelta(days=1, hours=7)
    run(floor, middle, end)
    assert stored() == simulated(PET, 2, end)
    assert (floor.tally.duplicates, floor.tally.refused) == (0, 0)


def test_late_repeated_and_shuffled_items_end_in_the_same_facts(make_floor):
    floor = make_floor(untidiness=UNTIDY)
    end = STARTS + timedelta(hours=4)
    run(floor, STARTS + timedelta(hours=1), end, seconds=20)
    assert stored() == simulated(PET, 1, end)
    assert floor.tally.duplicates > 100
    assert not QuarantinedItem.objects.exists()


def test_a_server_that_is_away_or_whose_answer_is_lost_costs_no_fact(make_floor):
    works = [False, False, True, False, True, True, False, False, False]
    floor = make_floor(untidiness=UNTIDY, works=works, answers_lost=[True, False, True])
    end = STARTS + timedelta(hours=4)
    run(floor, STARTS + timedelta(hours=3), end)
    assert stored() == simulated(PET, 1, end)


def test_the_devices_go_on_where_they_were_stopped(make_floor):
    first_end, second_start = STARTS + timedelta(hours=4), STARTS + timedelta(days=1, hours=2)
    run(make_floor(untidiness=UNTIDY), STARTS + timedelta(hours=3), first_end)
    again = make_floor()
    run(again, second_start, second_start + timedelta(hours=1))
    assert stored() == simulated(PET, 2, second_start + timedelta(hours=1))
    assert again.tally.duplicates == 0


def test_what_was_not_acknowledged_before_a_stop_comes_after_the_next_start(make_floor):
    end = STARTS + timedelta(hours=4)
    floor = make_floor(works=chain([True, True], repeat(False)))
    floor.plan_backlog(STARTS + timedelta(hours=3))
    floor.deliver_backlog(clock=1)
    floor.tick(end)
    floor.stop(seconds=0.05)
    again = make_floor()
    run(again, end, end + timedelta(minutes=10))
    assert stored() == simulated(PET, 1, end + timedelta(minutes=10))


def test_devices_that_are_killed_in_an_outage_deliver_their_queue_after_the_next_start(make_floor):
    start, end = STARTS + timedelta(hours=3), STARTS + timedelta(hours=4)
    killed = make_floor(works=chain([True, True], repeat(False)))
    killed.plan_backlog(start)
    killed.deliver_backlog(clock=1)
    killed.tick(end)
    killed.keep_progress()
    waiting = killed.stations[0].client.queue_length()
    assert waiting > 100
    again = make_floor()
    again.plan_backlog(end)
    assert again.backlog[0].facts == []
    again.tick(end)
    assert (again.tally.accepted, again.tally.duplicates) == (waiting, 0)
    assert stored() == simulated(PET, 1, end)


def test_the_newest_day_of_every_line_comes_first(make_floor):
    floor = make_floor(lines=(PET, GLASS))
    floor.plan_backlog(STARTS + timedelta(days=2, hours=3))
    days = [(batch.day, batch.station.code) for batch in floor.backlog]
    assert [day for day, _ in days] == sorted((day for day, _ in days), reverse=True)
    assert {code for day, code in days if day == DAY + timedelta(days=2)} == {"PET", "GLASS"}


def test_devices_that_lost_their_memory_go_on_without_a_conflict(make_floor, tmp_path):
    run(make_floor(), STARTS + timedelta(days=1), STARTS + timedelta(days=1, hours=1))
    memory = devices_memory(VISTULA, PET, now=STARTS + timedelta(days=3), history_days=7)
    assert memory.from_day == DAY + timedelta(days=1)
    ProgressFile(tmp_path / "progress.json", plant_id="test", seed=1).write({"PET": memory})
    end = STARTS + timedelta(days=1, hours=2)
    run(make_floor(), end, end)
    assert stored() == simulated(PET, 2, end)
    assert not QuarantinedItem.objects.exists()


@pytest.mark.parametrize("line", [PET, GLASS], ids=lambda line: line.code)
def test_oee_finds_in_the_stored_facts_what_was_simulated(make_floor, line):
    end = STARTS + timedelta(days=1)
    run(make_floor(lines=(line,)), end, end)
    keep_orders(VISTULA, Interval(STARTS, end), now=end)
    day = simulate_day(VISTULA, line, DAY, seed=1, readings={})
    expected = expected_of(VISTULA, day)
    found = report(machines_of(Line.objects.get(code=line.code)), Interval(STARTS, end), now=end)
    assert found.sums.times.actual_production_time == expected.running * 1000
    assert (found.sums.quantities.good, found.sums.quantities.scrap) == (expected.good, expected.reject)
    assert found.kpis.availability == expected.availability
    assert found.kpis.effectiveness == expected.performance
    assert found.kpis.quality_ratio == expected.quality
    assert found.kpis.oee_index == expected.oee
