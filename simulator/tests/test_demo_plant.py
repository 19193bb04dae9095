"""The demo plant in the database: made once, whatever is repeated, and kept running as its people would."""

import stat
from datetime import UTC, datetime, timedelta

import pytest

from accounts.keys import DeviceScope
from accounts.models import DeviceKey, Membership, User
from core.intervals import Interval
from counts.models import CountTag
from downtime.models import StateReason
from enterprise.models import CalendarException, Machine, Shift
from ingest.services import Delivery, accept
from products.models import IdealRate
from quality import charting
from quality.figures import pareto
from quality.models import ControlChart, Inspection, NonConformance, Signal
from quality.selectors import due_at
from simulator.facts import MeasureFact
from simulator.feed import LineFeed
from simulator.inspecting import create_quality
from simulator.progress import LineProgress
from simulator.reason_names import REASON_NAMES
from simulator.services import create_people, create_plant, keep_orders, plant_identity, provide_device_keys
from simulator.shop.machining import MACHINING
from simulator.vistula import VISTULA
from simulator.working_time import order_slots
from workorders.models import Run, Schedule, WorkOrder
from workorders.services import end_run

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
WINDOW = Interval(NOW - timedelta(days=2), NOW + timedelta(days=2))


def test_a_plant_made_twice_is_made_once(plant):
    kinds = (Machine, CountTag, StateReason, Shift, CalendarException, IdealRate)
    made = [kind.objects.count() for kind in kinds]
    identity = plant_identity(VISTULA)
    create_plant(VISTULA, now=NOW + timedelta(hours=1))
    assert [kind.objects.count() for kind in kinds] == made
    assert plant_identity(VISTULA) == identity


def test_every_line_has_its_machines_in_order_and_its_constraint(plant):
    for line in VISTULA.lines:
        machines = Machine.objects.filter(line__code=line.code)
        assert [machine.code for machine in machines] == [plan.code for plan in line.machines]
        assert machines.get(is_constraint=True).code == line.constraint.code


def test_the_tree_of_reasons_is_deep_and_has_every_category(plant):
    depths = {reason.tree_depth for reason in StateReason.objects.with_tree_fields()}
    assert max(depths) >= 3
    assert set(StateReason.objects.values_list("category", flat=True)) == set(StateReason.Category)


def test_a_machine_that_waits_for_its_neighbours_has_not_failed(plant):
    waits = dict(StateReason.objects.exclude(waits_for="").values_list("code", "waits_for"))
    assert waits == {"STARVED": "upstream", "BLOCKED": "downstream"}
    assert not StateReason.objects.exclude(waits_for="").filter(is_failure=True).exists()


def test_every_reason_of_the_demo_plants_has_a_name_in_each_language():
    def codes(plans):
        return {code for plan in plans for code in (plan.code, *codes(plan.children))}

    for plant in (VISTULA, MACHINING):
        for reasons in plant.reasons.values():
            for code in codes(reasons):
                assert REASON_NAMES.get(code, {}).keys() == {"de", "es", "pl"}, code


def test_people_keep_their_passwords_until_they_are_reset(plant):
    first = create_people(VISTULA, plant, reset_passwords=False)
    assert {person.username for person in first} == {plan.username for plan in VISTULA.people}
    assert all(User.objects.get(username=person.username).check_password(person.password) for person in first)
    assert create_people(VISTULA, plant, reset_passwords=False) == []
    again = create_people(VISTULA, plant, reset_passwords=True)
    assert {person.password for person in again}.isdisjoint(person.password for person in first)
    assert User.objects.get(username="operator").check_password(again[-1].password)
    assert Membership.objects.count() == len(VISTULA.people)


def test_device_keys_are_kept_where_only_their_owner_reads_them(plant, tmp_path):
    path = tmp_path / "devices" / "keys.json"
    keys = provide_device_keys(VISTULA, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert provide_device_keys(VISTULA, path) == keys
    assert DeviceKey.objects.count() == 2


def test_a_revoked_key_is_replaced_and_the_others_stay(plant, tmp_path):
    path = tmp_path / "keys.json"
    keys = provide_device_keys(VISTULA, path)
    DeviceKey.objects.filter(line__code="PET").update(revoked=True)
    replaced = provide_device_keys(VISTULA, path)
    assert replaced["PET"] != keys["PET"]
    assert replaced["GLASS"] == keys["GLASS"]


def test_orders_are_done_running_or_scheduled_by_the_clock(plant):
    running = Run.objects.filter(ended_at__isnull=True)
    assert {run.line.code for run in running} == {"PET", "GLASS"}
    assert all(run.work_order.status == WorkOrder.Status.IN_PROGRESS for run in running)
    past = WorkOrder.objects.filter(planned_end_at__lte=NOW - timedelta(hours=1))
    assert set(past.values_list("status", flat=True)) == {WorkOrder.Status.COMPLETED}
    coming = WorkOrder.objects.filter(planned_start_at__gt=NOW)
    assert set(coming.values_list("status", flat=True)) == {WorkOrder.Status.SCHEDULED}
    assert Schedule.objects.count() == WorkOrder.objects.count()


def test_keeping_orders_again_changes_nothing_until_one_is_due(plant):
    assert keep_orders(VISTULA, WINDOW, now=NOW) == 0
    before = Run.objects.get(line__code="PET", ended_at__isnull=True)
    plan = VISTULA.line("PET")
    later = next(slot.end for slot in order_slots(VISTULA, plan, WINDOW) if slot.number == str(before.work_order))
    assert keep_orders(VISTULA, WINDOW, now=later) > 0
    before.refresh_from_db()
    assert before.ended_at == later
    assert Run.objects.get(line__code="PET", ended_at__isnull=True).started_at == later


def test_an_order_that_people_ended_early_is_left_as_they_ended_it(plant):
    run = end_run(run=Run.objects.get(line__code="PET", ended_at__isnull=True), ended_at=NOW)
    keep_orders(VISTULA, WINDOW, now=NOW + timedelta(minutes=1))
    run.refresh_from_db()
    assert run.ended_at == NOW
    assert not Run.objects.filter(line__code="PET", ended_at__isnull=True).exists()


def test_quality_of_the_demo_has_something_on_every_page(plant):
    create_people(VISTULA, plant, reset_passwords=False)
    assert create_quality(VISTULA, plant, now=NOW, seed=1)
    assert not create_quality(VISTULA, plant, now=NOW, seed=1)
    charts = {chart.code: charting.chart_data(chart) for chart in ControlChart.objects.all()}
    assert {code: data.chart is not None and len(data.points) > 10 for code, data in charts.items()} == dict.fromkeys(
        ("VB-FILL-PET", "VB-FILL-GLASS", "VB-TORQUE-PET"), True
    )
    assert Signal.objects.exists()
    assert set(NonConformance.objects.values_list("status", flat=True)) == set(NonConformance.Status)
    assert set(Inspection.objects.values_list("status", flat=True)) == {"open", "passed", "conditional"}
    assert any(one.is_overdue for one in due_at([plant], now=NOW))
    assert len(pareto([plant], WINDOW)) > 4
    # What the scale measures from now on is taken by the chart.
    feed = LineFeed(VISTULA, VISTULA.lines[0], LineProgress(NOW.date()), seed=1, measures=True)
    items = [one.item() for one in feed.between(NOW, NOW + timedelta(minutes=3)) if isinstance(one, MeasureFact)]
    scope = DeviceScope("key:test", plant.pk, frozenset(Machine.objects.values_list("pk", flat=True)))
    assert accept(Delivery(items, scope), recorded_at=NOW + timedelta(minutes=4)).accepted == len(items) == 3
