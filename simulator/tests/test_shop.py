"""The job shop: repeatable, in its shifts, exact in the MES, and the same life however often it is stopped."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from django.db import transaction

from accounts.keys import DeviceScope
from batchrecords.assembly import assemble, standing
from batchrecords.models import BatchRecord, Signature
from core.intervals import Interval
from enterprise.models import Line, Machine
from execution.models import OperationStep
from ingest import directory
from ingest.services import Delivery, accept
from labor.models import LaborEntry
from materials.models import MaterialTransaction
from oee.scopes import machines_of
from oee.selectors import report
from quality.models import Inspection
from simulator import diary
from simulator.facts import CountFact, StateFact
from simulator.models import SimulatedHour
from simulator.plant import BREAK, NOT_SCHEDULED, RUNNING
from simulator.shop import deeds
from simulator.shop.deeds import Kind, deeds_between
from simulator.shop.doing import Doer
from simulator.shop.expectations import expected_machines, expected_orders
from simulator.shop.floor import ShopFloor
from simulator.shop.jobs import jobs_of_hour
from simulator.shop.life import Life
from simulator.shop.machine_feed import facts_between
from simulator.shop.machining import MACHINING, SETUP
from simulator.shop.plan import Arrivals
from simulator.shop.setup import create_shop
from simulator.shop.working import Fault
from workorders.models import WorkOrder

HOUR = timedelta(hours=1)
BEGINS = datetime(2026, 3, 9, 5, tzinfo=UTC)  # Monday, 06:00 in Prague
WEEK = timedelta(days=7)
UNTIL = BEGINS + 4 * HOUR
# One machine of three kinds, and one small order an hour: small enough to live four hours in a test.
SMALL = replace(
    MACHINING,
    kinds=tuple(
        replace(kind, machines=kind.machines[:1]) for kind in MACHINING.kinds if kind.code in {"TURN", "MILL", "CHECK"}
    ),
    parts=(replace(MACHINING.part("OPR-SCREW"), bill=(("OPR-TI-6", MACHINING.parts[0].bill[0][1]),)),),
    materials=tuple(one for one in MACHINING.materials if one.code == "OPR-TI-6"),
    weekday_arrivals=(Arrivals(0, 24, 1, 1),),
    crews=tuple(replace(crew, members=crew.members[:2]) for crew in MACHINING.crews),
    tools=MACHINING.tools[:1],
    quantities=(30, 60, 10),
    setup_minutes=(10, 20),
)


@pytest.fixture(scope="module")
def week():
    floor = ShopFloor(MACHINING, seed=1, begins_at=BEGINS)
    floor.run(BEGINS + WEEK)
    return floor


def facts_of(floor, until):
    return [facts_between(floor, machine, BEGINS - HOUR, until) for machine in floor.plan.machines]


def test_a_shop_has_the_same_life_however_often_somebody_looks():
    until = BEGINS + timedelta(days=1)
    at_once, by_and_by = (ShopFloor(MACHINING, seed=1, begins_at=BEGINS) for _ in range(2))
    for number in range(3 * 24):
        by_and_by.run(BEGINS + HOUR * number / 3)
    assert facts_of(at_once, until) == facts_of(by_and_by, until)
    by_hour = [deeds_between(by_and_by, BEGINS + hour * HOUR, BEGINS + (hour + 1) * HOUR) for hour in range(24)]
    assert [(deed.at, deed.key, deed.person) for deed in deeds_between(at_once, BEGINS, until)] == [
        (deed.at, deed.key, deed.person) for deeds in by_hour for deed in deeds
    ]
    assert facts_of(ShopFloor(MACHINING, seed=2, begins_at=BEGINS), until) != facts_of(at_once, until)


def test_orders_come_as_the_hour_has_it_fewer_at_night_and_on_weekends():
    ranges = {8: (4, 5), 15: (3, 4), 23: (1, 2), 3: (1, 2)}
    for hour, (fewest, most) in ranges.items():
        found = {len(jobs_of_hour(MACHINING, BEGINS + (hour - 6) * HOUR, seed=seed)) for seed in range(20)}
        assert found == {fewest, most}
    saturday_noon = BEGINS + timedelta(days=5, hours=6)
    assert {len(jobs_of_hour(MACHINING, saturday_noon, seed=seed)) for seed in range(20)} == {1, 2}


def test_orders_are_small_and_most_are_for_customers(week):
    assert all(50 <= job.quantity <= 500 and 30 * 60_000 <= sum(job.setups) <= 90 * 60_000 for job in week.jobs)
    assert 0.72 < sum(bool(job.customer) for job in week.jobs) / len(week.jobs) < 0.88


def test_at_most_five_orders_an_hour_are_started_the_most_urgent_first_and_none_without_a_shift(week):
    by_hour = Counter(order.released_at.replace(minute=0, second=0, microsecond=0) for order in week.orders)
    assert max(by_hour.values()) == 5
    assert all(week.calendar.shift_at(order.released_at) is not None for order in week.orders)
    for one, following in pairwise(week.orders):
        if (one.released_at.day, one.released_at.hour) == (following.released_at.day, following.released_at.hour):
            assert one.job.priority <= following.job.priority


def test_nothing_runs_in_breaks_or_without_a_shift_and_machines_do_one_thing_at_a_time(week):
    sunday_night = Interval(BEGINS + timedelta(days=6, hours=12), BEGINS + WEEK)
    for machine, works in week.works.items():
        for step in works:
            for stretch in step.work.stretches:
                if stretch.reason not in {BREAK, NOT_SCHEDULED}:
                    assert week.calendar.span_at(stretch.start).contains(Interval(stretch.start, stretch.end))
        assert all(one.work.end <= following.work.start for one, following in pairwise(works))
        said = facts_between(week, machine, sunday_night.start, sunday_night.end - HOUR / 60)
        assert not [fact for fact in said if isinstance(fact, CountFact) or fact.state in {RUNNING, SETUP}]


def test_a_week_is_as_good_and_as_bad_as_the_bands_say(week):
    machines = expected_machines(week, BEGINS, BEGINS + WEEK)
    scheduled = sum((span.end - span.start for span in week.calendar.spans_in(BEGINS, BEGINS + WEEK)), timedelta())
    busy = sum(machine.busy for machine in machines) / (scheduled / timedelta(microseconds=1)) / len(machines)
    assert 0.70 < busy < 0.85
    orders = expected_orders(week, BEGINS, BEGINS + WEEK)
    assert 0.85 < orders.on_time / orders.completed < 0.99
    assert 0.92 < orders.good / orders.wanted < 0.995
    assert 96 <= sum(len(works) for works in week.works.values()) / 7 <= 240


def test_a_fault_to_come_changes_nothing_before_it():
    at = BEGINS + 5 * HOUR + timedelta(minutes=7)
    fault = Fault("OPR-TURN-1", at, 30, "SPINDLE", "Too warm")
    quiet, broken = (ShopFloor(MACHINING, seed=1, begins_at=BEGINS, faults=faults) for faults in ([], [fault]))
    before = at - timedelta(milliseconds=1)
    assert facts_of(quiet, before) == facts_of(broken, before)
    said = facts_between(broken, "OPR-TURN-1", before, at + HOUR)
    assert StateFact("OPR-TURN-1", at, "SPINDLE", "Too warm") in said


# --- in the database ---


@pytest.fixture(scope="module")
def shop(django_db_setup, django_db_blocker):
    """Make the small shop once; what a test does to it ends with the test.

    Returns its site and its people's passwords.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        site, people = create_shop(SMALL, now=BEGINS)
        yield site, {person.username: person.password for person in people}
        transaction.set_rollback(True)


def start(shop) -> Life:
    """Start the shop's simulator anew, as after a kill: all that it remembers is in the database."""
    site, passwords = shop
    simulation = diary.plan_life(site=site, seed=1, begins_at=BEGINS)
    floor = ShopFloor(SMALL, seed=1, begins_at=BEGINS)
    return Life(floor, Doer(SMALL, site, seed=1, passwords=passwords), simulation)


def is_used_up(left):
    return next(left, None) is None


KINDS_OF_FACTS = (WorkOrder, OperationStep, LaborEntry, MaterialTransaction, Inspection, BatchRecord, Signature)


@pytest.mark.django_db
def test_a_life_that_is_killed_between_two_deeds_goes_on_and_the_mes_finds_what_was_simulated(shop, monkeypatch):
    monkeypatch.setattr(deeds, "CLOSES_AFTER", timedelta(minutes=50))
    monkeypatch.setattr(deeds, "SIGNED_AFTER", [timedelta(minutes=minutes) for minutes in (15, 25, 40)])
    for kill_after in (5, 17, 31):
        start(shop).go_on(UNTIL, recorded_at=UNTIL, stops=partial(is_used_up, iter(range(kill_after))))
    floor = ShopFloor(SMALL, seed=1, begins_at=BEGINS)
    *_, approval = (one for one in deeds_between(floor, BEGINS, UNTIL) if (one.kind, one.number) == (Kind.SIGN, 2))
    start(shop).go_on(approval.at, recorded_at=UNTIL)
    record = BatchRecord.objects.get(work_order__order_number=approval.of.job.number)
    assert signatures(record) == [("prepared", 1), ("reviewed", 1)]
    # What machines say after a record was signed is signed anew.
    deliver(shop[0], floor)
    start(shop).go_on(UNTIL, recorded_at=UNTIL)
    assert signatures(record)[2:] == [("prepared", 2), ("reviewed", 2), ("approved", 2)]
    assert standing(assemble(record, now=UNTIL)).holds("approved")
    due = Counter(deed.kind for deed in deeds_between(floor, BEGINS, UNTIL))
    assert due[Kind.CLOSE] > 0
    steps = (Kind.SETUP, Kind.PRODUCE, Kind.PAUSE, Kind.RESUME, Kind.FINISH)
    assert WorkOrder.objects.count() == due[Kind.CREATE]
    assert OperationStep.objects.count() == sum(due[kind] for kind in steps)
    assert LaborEntry.objects.count() == due[Kind.LABOR]
    assert Inspection.objects.filter(finished_at__isnull=False).count() == due[Kind.CHECK] + due[Kind.COMPLETE]
    assert Signature.objects.values("record", "meaning").distinct().count() == due[Kind.SIGN]
    assert WorkOrder.objects.filter(status="closed").count() == due[Kind.CLOSE]
    hours = SimulatedHour.objects.all()
    assert [hour.is_done for hour in hours] == [True] * 4
    assert sum(hour.refused for hour in hours) == 0
    assert sum(hour.created for hour in hours) == due[Kind.CREATE]
    assert sum(hour.operations for hour in hours) == due[Kind.FINISH]

    made = [kind.objects.count() for kind in KINDS_OF_FACTS]
    said = list(hours.values())
    again = start(shop)
    diary.done_until(again._simulation, BEGINS + 2 * HOUR)
    again.go_on(BEGINS + 3 * HOUR, recorded_at=UNTIL)
    assert [kind.objects.count() for kind in KINDS_OF_FACTS] == made
    assert list(hours.values()) == said

    for expected in expected_machines(floor, BEGINS, UNTIL):
        line = Line.objects.get(code=expected.machine)
        found = report(machines_of(line), Interval(BEGINS, UNTIL), now=UNTIL)
        times = found.sums.times
        assert (times.actual_production_time, times.actual_unit_setup_time) == (expected.running, expected.setup)
        assert times.actual_unit_delay_time == expected.stopped
        assert (found.sums.quantities.good, found.sums.quantities.scrap) == (expected.good, expected.reject)
        kpis = found.kpis
        assert (kpis.utilisation, kpis.setup_rate) == (expected.utilisation, expected.setup_rate)
        assert (kpis.availability, kpis.effectiveness) == (expected.availability, expected.effectiveness)
        assert (kpis.quality_ratio, kpis.oee_index) == (expected.quality, expected.oee)
        assert expected.good > 0
    orders = expected_orders(floor, BEGINS, UNTIL)
    completed = WorkOrder.objects.filter(status_changes__to_status="completed").values_list(
        "status_changes__changed_at", "due_at"
    )
    over = [(at, due) for at, due in completed.filter(status_changes__to_status="completed") if at]
    assert (len(over), sum(at <= due for at, due in over)) == (orders.completed, orders.on_time)


def signatures(record) -> list[tuple[str, int]]:
    return list(record.signatures.order_by("id").values_list("meaning", "revision"))


def deliver(site, floor) -> None:
    """Let the machines say all that they have to up to UNTIL."""
    for names in (directory.tags, directory.machines, directory.constraint_machines, directory.reasons):
        names.forget()
    scope = DeviceScope("test", site.pk, frozenset(Machine.objects.values_list("pk", flat=True)))
    items = [fact.item() for facts in facts_of(floor, UNTIL) for fact in facts]
    outcome = accept(Delivery(items, scope), recorded_at=UNTIL)
    assert not outcome.refused
