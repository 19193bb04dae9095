"""What was there while a lot was made."""

from datetime import timedelta
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from core.intervals import Interval
from counts.models import CountHistory
from downtime.models import StateHistory
from labor.models import LaborEntry
from materials.tests.shop import AT, Shop
from oee.lot_conditions import MadeSpan, spans_of, what_was_there
from tests.factories import (
    make_count_tag,
    make_employee,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_user,
)
from workorders.models import Changeover, Operation, OrderParameter

pytestmark = pytest.mark.django_db
NOW = AT + timedelta(hours=10)


def at(hours):
    return AT + timedelta(minutes=round(hours * 60))


def span(start, end):
    return Interval(at(start), at(end))


@pytest.fixture
def shop():
    made = Shop()
    made.machine = make_machine(line=made.line)
    made.soup = made.product(name="Soup")
    made.order_ = made.order(product=made.soup)
    made.run = make_run(line=made.line, work_order=made.order_, started_at=at(1), ended_at=at(5))
    return made


def put(shop, number, hours, order=None, product=None):
    return shop.make(number, product or shop.soup, 5, order or shop.order_, occurred_at=at(hours), recorded_at=NOW)


def test_lot_was_made_between_the_production_before_and_its_own(shop):
    one, two = put(shop, "A", 2), put(shop, "B", 4)
    put(shop, "A", 3)
    put(shop, "WHEY", 3.5, product=make_product(lot_controlled=True, unit_id="kg"))
    assert [made.span for made in spans_of(one, now=NOW)] == [span(1, 3)]
    assert [made.span for made in spans_of(two, now=NOW)] == [span(3, 4)]


def test_runs_clip_and_a_reversed_production_does_not_count(shop):
    make_run(line=shop.line, work_order=shop.order_, started_at=at(6))
    lot = put(shop, "A", 7)
    assert [made.span for made in spans_of(lot, now=NOW)] == [span(1, 5), span(6, 7)]
    shop.undo(lot.transactions.get(), occurred_at=NOW, recorded_at=NOW)
    assert spans_of(lot, now=NOW) == []
    assert what_was_there(lot, now=NOW).machines == ()


def there(shop):
    jam = make_reason("unplanned", code="JAM")
    run = make_reason()
    for hours, reason in ((0, run), (2.5, jam), (2.75, run), (3.5, jam)):
        StateHistory.objects.create(machine=shop.machine, occurred_at=at(hours), reason=reason, recorded_at=NOW)
    tag = make_count_tag(machine=shop.machine)
    for hours, value in ((1.5, 100), (2.25, 7), (2.99, 3), (3, 50)):
        CountHistory.objects.create(tag=tag, occurred_at=at(hours), value=Decimal(value), recorded_at=NOW)
    put(shop, "A", 2)
    lot = put(shop, "B", 3)
    anna = make_employee(site=shop.site, name="Anna")
    for start, end, order in ((1, 2.5, shop.order_), (3, 4, shop.order_), (2, 3, shop.order())):
        LaborEntry.objects.create(
            employee=anna, work_order=order, started_at=at(start), ended_at=at(end), recorded_at=NOW
        )
    step = Operation.objects.create(work_order=shop.order_, code="COOK", name="Cook", planned_quantity=1)
    OrderParameter.objects.create(operation=step, code="T", name="Temperature", target=Decimal("80.5"))
    Changeover.objects.create(
        line=shop.line, run=shop.run, started_at=at(0.5), ended_at=at(1.1), started_by=shop.anna, recorded_at=NOW
    )
    return lot


def test_states_counts_people_changeovers_and_set_points_of_the_time(shop):
    lot = there(shop)
    found = what_was_there(lot, now=NOW)
    (machine,) = found.machines
    assert {row.category: (row.duration, row.occurrences) for row in machine.states} == {
        "running": (timedelta(minutes=45), 2),
        "unplanned": (timedelta(minutes=15), 1),
    }
    assert machine.counts == {"good": 10}
    assert [(then.entry.employee.name, then.parts) for then in found.people] == [("Anna", (span(2, 2.5),))]
    assert [row.code for row in found.set_points] == ["T"]
    assert [row.run for row in found.changeovers] == [shop.run]
    assert found.is_complete
    finer = what_was_there(lot, now=NOW, spans=[MadeSpan(shop.run, span(2.5, 2.6))])
    assert [row.category for row in finer.machines[0].states] == ["unplanned"]


def test_rest_says_it_to_people_of_the_site(shop):
    lot = there(shop)
    api = APIClient()
    api.force_authenticate(shop.anna)
    told = api.get(f"/material/lot/{lot.pk}/conditions/")
    assert told.status_code == 200, told.data
    assert told.data["spans"][0]["order_number"] == shop.order_.order_number
    assert told.data["machines"][0]["counts"] == {"good": "10.000000"}
    assert [row["name"] for row in told.data["people"]] == ["Anna"]
    api.force_authenticate(make_user("erp", site=shop.site))
    assert api.get(f"/material/lot/{lot.pk}/conditions/").data["people"] is None
    api.force_authenticate(make_user("operator", site=make_machine().line.area.site))
    assert api.get(f"/material/lot/{lot.pk}/conditions/").status_code == 404
    assert api.get("/material/lot/999999/conditions/").status_code == 404


def test_a_years_lot_is_cut_and_says_so(shop):
    long = MadeSpan(shop.run, Interval(AT - timedelta(days=400), AT))
    found = what_was_there(put(shop, "A", 2), now=NOW, spans=[long])
    assert (found.is_complete, found.spans[0].span.start) == (False, AT - timedelta(days=31))
