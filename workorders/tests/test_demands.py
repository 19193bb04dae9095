"""Orders are cut from demand by rule, exactly, and never twice."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core import master_data
from core.errors import Invalid
from materials.planning import generate
from tests.factories import (
    make_customer,
    make_line,
    make_location,
    make_lot,
    make_machine,
    make_order_reason,
    make_product,
    make_unit,
    make_user,
)
from workorders import life, services
from workorders.demands import generate_orders
from workorders.kinship import merge_orders, split_order
from workorders.lot_sizing import Rule, TooManyOrders, Want, cut_orders
from workorders.models import Demand, LotSizing, WorkOrder

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)
quantities = st.fractions(Fraction(1, 1000), 500, max_denominator=1000)


@settings(max_examples=200, deadline=None)
@given(
    wants=st.lists(st.tuples(quantities, st.integers(0, 30)), max_size=8),
    supply=st.fractions(0, 600, max_denominator=1000),
    rule=st.sampled_from(["lot_for_lot", "fixed_lot", "stock_level"]),
    size=quantities,
    minimum=st.none() | quantities,
    multiple=st.none() | quantities,
    level=quantities,
)
def test_orders_and_supply_cover_all_wants_at_every_moment(wants, supply, rule, size, minimum, multiple, level):
    size = max(size, Fraction(1))
    given_rule = Rule(rule, size, minimum, multiple, level / 2, level)
    wanted = [Want(number, open_, AT + DAY * day) for number, (open_, day) in enumerate(wants)]
    cuts = cut_orders(wanted, supply=supply, rule=given_rule, now=AT)
    for want in wanted:
        asked = sum(other.open for other in wanted if other.due_at <= want.due_at)
        assert supply + sum(cut.quantity for cut in cuts if cut.due_at <= want.due_at) >= asked
    for cut in cuts:
        assert sum(cut.covers.values(), Fraction(0)) <= cut.quantity
        if rule == "fixed_lot":
            assert cut.quantity == size
        else:
            assert cut.quantity >= (minimum or 0)
            assert multiple is None or cut.quantity % multiple == 0
    total, whole = sum(cut.quantity for cut in cuts), sum(want.open for want in wanted)
    if rule == "lot_for_lot" and minimum is None and multiple is None:
        assert total - max(Fraction(0), whole - supply) < len(cuts) * Fraction(1, 10**6) or not cuts
    if rule == "stock_level":
        assert supply + total - whole >= level / 2
    assert cut_orders(list(reversed(wanted)), supply=supply, rule=given_rule, now=AT) == cuts


def test_absurd_lot_is_refused():
    with pytest.raises(TooManyOrders):
        cut_orders([Want(1, Fraction(10**6), AT)], supply=Fraction(0), rule=Rule("fixed_lot", Fraction(1)), now=AT)


@pytest.fixture
def line():
    return make_machine().line


@pytest.fixture
def site(line):
    return line.area.site


@pytest.fixture
def cola():
    product = make_product(code="COLA", lot_controlled=True)
    product.units.create(unit=make_unit("case"), base_quantity=Decimal(12))
    return product


def want(site, product, quantity, days=5, **more):
    return master_data.save(
        Demand(site=site, product=product, quantity=Decimal(quantity), due_at=AT + DAY * days, **more)
    )


def size(site, line, product, rule="lot_for_lot", **more):
    return master_data.save(LotSizing(site=site, product=product, line=line, rule=rule, **more))


def run(site, stock=None, **more):
    return generate_orders(site=site, until=AT + DAY * 30, at=AT, stock=stock, **more)


def targets():
    return [o.target_quantity for o in WorkOrder.objects.order_by("id") if o.status != "cancelled"]


def test_demand_in_cases_becomes_an_order_once(site, line, cola):
    size(site, line, cola, lead_time_hours=24)
    demand = want(site, cola, 10, unit=make_unit("case"), customer=make_customer("North"), sales_order="SO-1")
    assert run(site, dry_run=True).orders[0].order is None
    assert WorkOrder.objects.count() == 0
    (plan,) = run(site).orders
    order = plan.order
    assert (order.order_number, order.target_quantity, order.status) == ("COLA-20260307-1", 120, "created")
    assert (order.customer.name, order.sales_order, order.planned_start_at) == ("North", "SO-1", AT + DAY * 4)
    assert demand.covered_by.get().quantity == 120
    assert run(site).orders == []
    life.cancel(work_order=order, reason=make_order_reason(), at=AT)
    assert [plan.quantity for plan in run(site).orders] == [120]
    assert run(site).orders == []


def test_stock_and_surplus_are_used_first(site, line, cola):
    size(site, line, cola, "fixed_lot", lot_size=100)
    want(site, cola, 150, 3)
    want(site, cola, 80, 6)
    want(site, cola, 20, 40)
    stock = {cola.pk: Fraction(30)}
    assert [plan.quantity for plan in run(site, stock).orders] == [100, 100]
    assert run(site, stock).orders == []
    want(site, cola, 1, 7)
    assert [plan.quantity for plan in run(site, stock).orders] == [100]


def test_stock_is_filled_up_once(site, line, cola):
    size(site, line, cola, "stock_level", reorder_point=50, stock_level=200)
    assert [plan.quantity for plan in run(site).orders] == [200]
    assert run(site).orders == []
    want(site, cola, 160)
    assert [plan.quantity for plan in run(site).orders] == [160]
    assert run(site).orders == []


def test_what_was_made_for_a_demand_stays_its_own(site, line, cola):
    size(site, line, cola)
    first = want(site, cola, 100, 3)
    order = run(site).orders[0].order
    life.complete(work_order=life.start(work_order=order, at=AT), quantity=Decimal(90), at=AT)
    # The 90 lie in stock and are the first demand's; the 10 that lack are wanted again.
    want(site, cola, 40, 6)
    made = run(site, {cola.pk: Fraction(90)})
    assert (made.orders[0].quantity, [d.pk for d in made.orders[0].covers]) == (10, [first.pk])
    assert [plan.quantity for plan in made.orders] == [10, 40]
    assert run(site, {cola.pk: Fraction(90)}).orders == []


def test_split_and_merged_orders_still_cover(site, line, cola):
    size(site, line, cola)
    want(site, cola, 100, 3)
    want(site, cola, 50, 4)
    one, two = (plan.order for plan in run(site).orders)
    child = split_order(work_order=one, quantity=Decimal(30), at=AT)
    assert run(site).orders == []
    services.release_order(work_order=child, at=AT)
    life.complete(work_order=life.start(work_order=child, at=AT), at=AT)
    assert run(site, {cola.pk: Fraction(30)}).orders == []
    one.refresh_from_db()
    merge_orders(work_order=one, others=[two], at=AT)
    assert run(site, {cola.pk: Fraction(30)}).orders == []
    assert sum(targets()) == 150


def test_demand_without_a_rule_is_named_and_odd_demand_refused(site, line, cola):
    demand = want(site, cola, 5)
    assert run(site).without_rule == [demand]
    for more, field in (({"unit": make_unit("barrel")}, "unit"), ({"line": make_line()}, "line")):
        with pytest.raises(Invalid) as refused:
            want(site, cola, 5, **more)
        assert refused.value.field == field
    with pytest.raises(Invalid):
        size(site, make_line(), cola)


def test_stock_counts_as_far_as_it_may_be_used(site, line, cola):
    size(site, line, cola)
    want(site, cola, 100)
    place = make_location(site=site)
    make_lot(30, location=place, product=cola)
    make_lot(40, location=place, product=cola, status="quarantine")
    make_lot(50, location=make_location(), product=cola)
    found = generate(site=site, until=AT + DAY * 30, at=AT)
    assert [plan.quantity for plan in found.orders] == [70]


def test_over_rest(site, line, cola):
    client = APIClient()
    client.force_authenticate(make_user("supervisor", site=site))
    body = {"site": site.pk, "product": cola.code, "quantity": "7", "due_at": (AT + DAY).isoformat()}
    demand = client.post("/workorder/demand/", body)
    assert demand.status_code == 201, demand.data
    size(site, line, cola)
    ask = {"site": site.pk, "until": (AT + DAY * 2).isoformat()}
    dry = client.post("/workorder/generate/", {**ask, "dry_run": True})
    assert (dry.status_code, dry.data["orders"][0]["order"]) == (200, None)
    done = client.post("/workorder/generate", ask)
    assert (done.status_code, done.data["orders"][0]["covers"]) == (201, {str(demand.data["id"]): "7.000000"})
    assert client.post("/workorder/generate/", ask).data["orders"] == []
    (row,) = client.get("/workorder/demand/").data["results"]
    assert row["covered_by"] == [{"order": done.data["orders"][0]["order"], "quantity": "7.000000"}]
    other = APIClient()
    other.force_authenticate(make_user("operator", site=site))
    assert other.post("/workorder/generate/", ask).status_code == 403
    assert client.post("/workorder/generate/", {"site": make_line().area.site.pk, "until": "x"}).status_code == 400
