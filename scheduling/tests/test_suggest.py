"""Suggestions from stored orders, and taking them over."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from core.errors import Conflict
from scheduling.services import Accepted, accept, suggest
from tests.factories import (
    make_changeover_target,
    make_ideal_rate,
    make_line,
    make_machine,
    make_product,
    make_schedule,
    make_shift,
    make_user,
    make_work_order,
)
from workorders.models import Operation, Schedule, WorkOrder

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Plant:
    """A line that makes a piece in 36 s (100 an hour), from 06:00 to 14:00 in Warsaw."""

    def __init__(self):
        self.machine = make_machine()
        self.line = self.machine.line
        make_shift(site=self.line.area.site, weekdays=[1, 2, 3, 4, 5])
        self.products = [make_product(), make_product()]
        for product in self.products:
            make_ideal_rate(machine=self.machine, product=product, value=Decimal(36))

    def order(self, pieces, product=0, **more):
        more = {"line": self.line, **more}
        return make_work_order(product=self.products[product], target_quantity=Decimal(pieces), **more)

    def suggest(self, *orders, start=MONDAY, **more):
        return suggest(orders=orders, start=start, now=MONDAY, **more)


def spans(found):
    return [
        ((one.planned_start_at - MONDAY) / HOUR, (one.planned_end_at - MONDAY) / HOUR, one.planned_quantity)
        for one in found.entries
    ]


def test_order_is_cut_at_the_shifts_end_and_its_quantities_add_up():
    plant = Plant()
    found = plant.suggest(plant.order(1000))
    assert spans(found) == [(5, 13, Decimal(800)), (29, 31, Decimal(200))]
    assert "no shift on" in found.entries[0].why
    assert found.entries[0].why.endswith("until Mon 2026-03-02 06:00 CET")


def test_setup_comes_from_the_changeover_targets():
    plant = Plant()
    make_changeover_target(line=plant.line, from_product=plant.products[0], target_minutes=Decimal(30))
    orders = [plant.order(100, 0, due_at=MONDAY), plant.order(100, 1), plant.order(100, 0, due_at=MONDAY + HOUR)]
    found = plant.suggest(*orders)
    assert [span[:2] for span in spans(found)] == [(5, 6), (6, 7), (7, 8.5)]
    assert found.setup == timedelta(minutes=30)


def test_what_is_planned_already_stays_and_is_the_reason():
    plant = Plant()
    make_schedule(
        line=plant.line,
        kind="maintenance",
        note="Belt",
        planned_start_at=MONDAY + 5 * HOUR,
        planned_end_at=MONDAY + 7 * HOUR,
    )
    (entry,) = plant.suggest(plant.order(100)).entries
    assert entry.planned_start_at == MONDAY + 7 * HOUR
    assert entry.why == f"starts then because {plant.line} is busy with Belt until Mon 2026-03-02 08:00 CET"


def test_orders_without_a_rate_or_planned_already_are_refused_with_the_reason():
    plant = Plant()
    unknown = make_work_order(line=plant.line, product=make_product())
    planned = make_schedule(line=plant.line).work_order
    done = plant.order(1, status=WorkOrder.Status.COMPLETED)
    reasons = {order.pk: why for order, why in plant.suggest(unknown, planned, done).refused}
    assert "set an ideal rate or a run time" in reasons[unknown.pk]
    assert (reasons[planned.pk], reasons[done.pk]) == ("it is planned already", "it is completed")


def test_operations_on_two_lines_follow_each_other():
    plant = Plant()
    other = make_machine(line=make_line(area=plant.line.area)).line
    order = plant.order(100)
    for number, line in enumerate((plant.line, other), start=1):
        Operation.objects.create(
            work_order=order,
            sequence=10 * number,
            code=f"OP{number}",
            name="Step",
            line=line,
            planned_quantity=Decimal(100),
            run_time_per_unit=Decimal(18),
        )
    for direction in ("forward", "backward"):
        first, second = plant.suggest(order, direction=direction).entries
        assert (first.line, second.line) == (plant.line, other)
        assert first.planned_end_at <= second.planned_start_at


def test_night_in_which_clocks_change_is_an_hour_shorter():
    plant = Plant()
    make_shift(line=plant.line, start_time=time(22), end_time=time(6))
    saturday = datetime(2026, 3, 28, 12, tzinfo=UTC)
    first, _ = plant.suggest(plant.order(800), start=saturday).entries
    assert (first.planned_quantity, first.planned_end_at - first.planned_start_at) == (700, 7 * HOUR)


def test_accepting_places_all_or_none_and_again_changes_nothing():
    plant = Plant()
    found = plant.suggest(plant.order(1000), plant.order(100, 1))
    entries = [
        Accepted(
            one.work_order, one.line, one.planned_start_at, one.planned_end_at, one.operation, one.planned_quantity
        )
        for one in found.entries
    ]
    placed = accept(entries=entries, actor=None, now=MONDAY)
    assert [one.pk for one in accept(entries=entries, actor=None, now=MONDAY)] == [one.pk for one in placed]
    assert Schedule.objects.count() == 3
    Schedule.objects.all().delete()
    make_schedule(line=plant.line, planned_start_at=entries[-1].planned_start_at)
    with pytest.raises(Conflict, match="collides with order"):
        accept(entries=entries, actor=None, now=MONDAY)
    assert Schedule.objects.count() == 1


def test_order_goes_to_a_faster_line_that_was_asked_for_and_becomes_its():
    plant = Plant()
    fast = make_machine(line=make_line(area=plant.line.area))
    make_ideal_rate(machine=fast, product=plant.products[0], value=Decimal(18))
    order = plant.order(100)
    assert plant.suggest(order).entries[0].line == plant.line
    (entry,) = plant.suggest(order, lines=[plant.line, fast.line]).entries
    assert entry.line == fast.line
    accept(entries=[Accepted(order, entry.line, entry.planned_start_at, entry.planned_end_at)], actor=None, now=MONDAY)
    order.refresh_from_db()
    assert order.line == fast.line


def test_rest_suggests_and_accepts():
    plant = Plant()
    client = APIClient()
    client.force_authenticate(make_user("supervisor", plant.line.area.site))
    body = {"orders": [plant.order(1000).pk], "start": "2026-03-02T00:00:00Z", "efficiency": "0.5"}
    found = client.post("/scheduling/suggest/", body)
    assert found.status_code == 200, found.data
    assert [entry["planned_quantity"] for entry in found.data["entries"]] == ["400.000000", "400.000000", "200.000000"]
    names = ("work_order", "line", "planned_start_at", "planned_end_at", "planned_quantity", "operation")
    entries = [{name: entry[name] for name in names} for entry in found.data["entries"]]
    assert client.post("/scheduling/accept/", {"entries": entries}).status_code == 201
    assert client.post("/scheduling/accept/", {"entries": entries}).status_code == 201
    assert Schedule.objects.count() == 3
    for wrong, field in (
        ({**body, "direction": "sideways"}, "direction"),
        ({**body, "orders": []}, "orders"),
        ({**body, "direction": "backward", "less_setup": True}, "less_setup"),
        ({**body, "start": "9999-12-31T00:00:00Z"}, "start"),
        ({**body, "orders": [make_work_order(line=make_machine().line).pk]}, "orders"),
    ):
        refused = client.post("/scheduling/suggest/", wrong)
        assert (refused.status_code, field in refused.data) == (400, True), refused.data
    client.force_authenticate(make_user("operator", plant.line.area.site))
    assert client.post("/scheduling/accept/", {"entries": entries}).status_code == 403
