"""Maintenance is due by real running and cycles, a machine that is down takes no work, parts leave stock,
tools wear out.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import Role
from core.errors import Conflict, Invalid
from counts.services import NewReading, record_readings
from downtime.services import NewState, record_states
from enterprise.models import Machine
from execution.models import ExecutionPolicy
from execution.services import start_operation
from execution.tests.floor import make_floor, minutes, taken
from maintenance import services
from maintenance.models import Basis, MaintenanceOrder, MaintenancePlan, MaintenanceStep, Tool
from maintenance.selectors import cost_of_parts, due_list, orders_of_stop, tool_lives
from maintenance.services import Said
from materials.models import Stock
from materials.services import receive
from tests.factories import (
    make_count_tag,
    make_location,
    make_machine,
    make_maintenance_plan,
    make_product,
    make_reason,
    make_tool,
    make_user,
    make_work_order,
)
from workorders.services import start_run

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOW = DAY + timedelta(days=2)
_Kind = MaintenanceStep.Kind


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


@pytest.fixture
def machine() -> Machine:
    """A machine that ran from 0 to 6, stood from 6 to 8, ran from 8 to 12 and made 100 pieces an hour,
    and stands since.
    """
    machine = Machine.objects.select_related("line__area__site").get(pk=make_machine().pk)
    run, stop = make_reason("running"), make_reason("unplanned")
    tag = make_count_tag(machine=machine)
    states = [(0, run), (6, stop), (8, run), (12, stop)]
    record_states([NewState(machine.pk, at(hour), reason.pk, "test") for hour, reason in states], recorded_at=NOW)
    made = [hour for hour in range(12) if not 6 <= hour < 8]
    record_readings([NewReading(tag.pk, machine.pk, False, at(hour + 0.5), 100) for hour in made], recorded_at=NOW)
    return machine


@pytest.fixture
def ada():
    return make_user("engineer")


def said(who, when=NOW, **more):
    return Said(at=when, recorded_at=NOW + timedelta(minutes=1), actor=who, **more)


def test_plans_are_due_by_real_running_by_pieces_and_by_days(machine):
    for basis, every in ((Basis.RUN_HOURS, 8), (Basis.CYCLES, 2000), (Basis.CALENDAR, 2)):
        make_maintenance_plan(machine=machine, basis=basis, every=every, counted_from=at(2), code=basis)
    found = {row.plan.basis: row for row in due_list(MaintenancePlan.objects.all(), now=NOW)}
    # Since 02:00: four hours of running, two standing, four of running.
    assert found["run_hours"].wear.used == 8
    assert found["run_hours"].wear.is_due
    assert found["cycles"].wear.used == 800
    assert (found["cycles"].wear.is_due, found["cycles"].wear.percent_left) == (False, 60)
    # In 28 days it made 1,000 pieces; 1,200 are left.
    assert found["cycles"].wear.due_at == NOW + timedelta(days=28) * 1.2
    assert found["calendar"].wear.used == Fraction(46, 24)
    assert found["calendar"].wear.due_at == at(50)
    assert found["calendar"].wear.is_soon


def test_nothing_is_known_of_a_machine_without_facts():
    make_maintenance_plan()
    (row,) = due_list(MaintenancePlan.objects.all(), now=NOW)
    assert (row.wear.used, row.wear.is_due, row.wear.due_at) == (None, False, None)


def test_the_worker_orders_what_is_due_once_and_finishing_it_counts_anew(machine, ada):
    make_maintenance_plan(machine=machine, every=8, counted_from=at(0))
    (order,) = services.order_due_plans(now=NOW)
    assert services.order_due_plans(now=NOW) == []
    services.take_step(order=order, kind=_Kind.STARTED, said=said(ada))
    order.refresh_from_db()
    assert order.is_down  # by its plan, the machine stands meanwhile
    services.take_step(order=order, kind=_Kind.FINISHED, said=said(ada))
    (row,) = due_list(MaintenancePlan.objects.all(), now=NOW + timedelta(hours=3))
    assert (row.since, row.wear.used, row.order) == (NOW, 0, None)


def test_a_machine_that_is_down_takes_no_run_until_it_is_released(machine, ada):
    order, _ = services.ask(machine=machine, title="Belt torn", machine_down=True, said=said(ada, at(13)))
    work = make_work_order(line=machine.line)
    with pytest.raises(Conflict, match="Belt torn") as refused:
        start_run(work_order=work, line=machine.line, started_at=NOW)
    assert refused.value.code == "maintenance"
    # What was made before it broke may still be written down.
    start_run(work_order=work, line=machine.line, started_at=at(8), ended_at=at(12))
    services.take_step(order=order, kind=_Kind.UP, said=said(ada))
    start_run(work_order=work, line=machine.line, started_at=NOW)


def test_no_operation_is_started_on_a_machine_that_is_down_whatever_the_policy_says(ada):
    floor = make_floor("CUT")
    ExecutionPolicy.objects.create(site=floor.machine.line.area.site, machine_down="ignore")
    services.ask(machine=floor.machine, title="Belt torn", machine_down=True, said=said(ada, minutes(1)))
    with pytest.raises(Conflict, match="Belt torn") as refused:
        start_operation(operation=floor.first, taken=taken(5, now=NOW))
    assert refused.value.code == "maintenance"


def test_a_request_is_repeated_without_a_second_effect_and_wrong_steps_are_named(machine, ada):
    first, is_new = services.ask(machine=machine, title="Leak", machine_down=True, said=said(ada, idempotency_key="k"))
    again, is_new_again = services.ask(machine=machine, title="Leak", said=said(ada, idempotency_key="k"))
    assert (first.pk, is_new, is_new_again) == (again.pk, True, False)
    assert sorted(first.steps.values_list("kind", flat=True)) == ["down", "requested"]
    with pytest.raises(Conflict, match="stays"):
        services.ask(machine=machine, title="Other", said=said(ada, idempotency_key="k"))
    with pytest.raises(Conflict) as refused:
        services.take_step(order=first, kind=_Kind.FINISHED, said=said(ada))
    assert refused.value.facts["allowed"] == ["planned", "started", "cancelled", "up"]
    with pytest.raises(Invalid) as unsaid:
        services.take_step(order=first, kind=_Kind.CANCELLED, said=said(ada))
    assert unsaid.value.field == "note"


def test_a_stop_leads_to_its_order_and_back(machine, ada):
    order, _ = services.ask(machine=machine, title="Jam", stop_at=at(7), said=said(ada))
    assert list(orders_of_stop(machine, at(6), at(8))) == [order]
    assert not orders_of_stop(machine, at(12), NOW).exists()
    with pytest.raises(Invalid) as refused:
        services.ask(machine=machine, title="Jam", stop_at=at(3), said=said(ada))
    assert refused.value.field == "stop_at"


def test_spare_parts_leave_stock_once_and_carry_their_cost(machine, ada):
    part, place = make_product(), make_location(site=machine.line.area.site)
    receive(product=part, quantity=Decimal(3), to_location=place, actor=ada, occurred_at=at(0), recorded_at=NOW)
    order, _ = services.ask(machine=machine, title="Bearing", said=said(ada))
    for _ in range(2):
        services.use_part(
            order=order,
            product=part,
            quantity=Decimal(2),
            from_location=place,
            unit_cost=Decimal("12.5"),
            said=said(ada, idempotency_key="use"),
        )
    assert Stock.objects.get(product=part).quantity == 1
    assert cost_of_parts(order) == 25
    with pytest.raises(Conflict):
        services.use_part(order=order, product=part, quantity=Decimal(2), from_location=place, said=said(ada))
    assert order.parts.count() == 1
    services.take_step(order=order, kind=_Kind.CANCELLED, said=said(ada, note="Not needed"))
    with pytest.raises(Conflict, match="over"):
        services.use_part(order=order, product=part, quantity=Decimal(1), from_location=place, said=said(ada))
    assert Stock.objects.get(product=part).quantity == 1


def test_a_tool_wears_out_where_it_is_mounted_and_is_renewed(machine, ada):
    tool = make_tool(site=machine.line.area.site)
    other = make_machine(line=machine.line)

    def life():
        (found,) = tool_lives(Tool.objects.all(), now=NOW)
        return found

    assert life().wear.used == 0
    services.mount_tool(tool=tool, machine=machine, said=said(ada, at(1)))
    assert (life().wear.used, life().wear.percent_left) == (900, 10)
    assert life().wear.is_soon
    with pytest.raises(Conflict, match="mounted on"):
        services.mount_tool(tool=tool, machine=other, said=said(ada, at(3)))
    services.remove_tool(tool=tool, said=said(ada, at(4)))
    assert life().wear.used == 300
    services.mount_tool(tool=tool, machine=machine, is_renewed=True, said=said(ada, at(9)))
    assert life().wear.used == 300  # 09:00 to 12:00, counted anew


def test_rest_asks_steps_and_lists_and_keeps_rights(machine):
    operator, engineer = APIClient(), APIClient()
    operator.force_authenticate(make_user(Role.OPERATOR, site=machine.line.area.site))
    engineer.force_authenticate(make_user(Role.ENGINEER, site=machine.line.area.site))
    stranger = APIClient()
    stranger.force_authenticate(make_user(Role.ENGINEER, site=make_machine().line.area.site))
    made = operator.post("/maintenance/order", {"machine": machine.pk, "title": "Leak", "machine_down": True})
    assert (made.status_code, made.data["status"]) == (201, "requested")
    step = f"/maintenance/order/{made.data['id']}/step"
    assert operator.post(step, {"kind": "started"}).status_code == 403
    assert stranger.post(step, {"kind": "started"}).status_code == 404
    assert engineer.post(step, {"kind": "nonsense"}).status_code == 400
    assert engineer.post(step, {"kind": "finished"}).status_code == 409
    assert engineer.post(step, {"kind": "started"}).status_code == 201
    assert engineer.post(step, {"kind": "planned", "planned_for": "x"}).status_code == 400
    make_maintenance_plan(machine=machine, every=8)
    tool = make_tool(site=machine.line.area.site)
    mount = f"/maintenance/tool/{tool.pk}/mount"
    body = {"machine": machine.pk, "at": at(1).isoformat(), "idempotency_key": "m"}
    assert operator.post(mount, body).status_code == 403
    assert [engineer.post(mount, body).status_code for _ in range(2)] == [201, 200]
    assert operator.get("/maintenance/due").data[0]["is_due"] is True
    assert operator.get(f"/maintenance/tool-life?machine={machine.pk}").data[0]["percent_left"] == 10
    assert stranger.get("/maintenance/due").data == []
    assert operator.get("/maintenance/due?machine=x").status_code == 400


def test_pages_show_ask_and_do(client, machine):
    make_maintenance_plan(machine=machine, every=8)
    make_tool(site=machine.line.area.site)
    client.force_login(make_user(Role.ENGINEER, site=machine.line.area.site))
    url = reverse("screens:maintenance")
    key = f"{machine.pk}-{int(at(7).timestamp() * 1_000_000)}"
    asked = client.get(f"{url}?machine={machine.pk}&stop={key}").content.decode()
    assert "due" in asked
    assert key in asked
    form = {"act": "ask", "machine": machine.pk, "title": "Jam", "stop": key, "idempotency_key": "k"}
    assert client.post(url, {**form, "title": ""}).status_code == 400
    for _ in range(2):
        assert client.post(url, form).status_code == 302
    order = MaintenanceOrder.objects.get()
    page = reverse("screens:maintenance-order", args=[order.pk])
    assert reverse("screens:stop", args=[key]) in client.get(page).content.decode()
    assert page in client.get(reverse("screens:stop", args=[key])).content.decode()
    assert client.post(page, {"act": "start", "idempotency_key": "s"}).status_code == 302
    assert client.post(page, {"act": "part", "product": "none", "idempotency_key": "p"}).status_code == 400
    assert client.post(page, {"act": "finish", "idempotency_key": "f", "note": "Belt"}).status_code == 302
    assert client.post(page, {"act": "finish", "idempotency_key": "g"}).status_code == 400
    client.force_login(make_user(Role.ENGINEER, site=make_machine().line.area.site))
    assert client.get(page).status_code == 404


def test_the_list_costs_the_same_for_any_number_of_plans(client, machine):
    client.force_login(make_user(Role.ENGINEER))
    costs = []
    for size in (1, 8):
        for _ in range(size):
            make_maintenance_plan(machine=machine)
            tool = make_tool(site=machine.line.area.site)
            services.mount_tool(tool=tool, machine=machine, said=said(make_user()))
            services.ask(machine=machine, title="x", said=said(make_user()))
        client.get(reverse("screens:maintenance"))
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("screens:maintenance"))
        costs.append(len(asked))
    assert costs[0] == costs[1], costs
    assert costs[0] <= 32, costs
