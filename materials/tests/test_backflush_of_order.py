"""Back-flushing by what an order keeps of its bill, other units, and a balance across units."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core.errors import Conflict, Invalid
from execution.reporting import report_production, reverse_report
from execution.services import start_operation
from execution.taking import Quantities, Taken
from materials.backflush import backflush_of_order
from materials.balance import mass_balance
from materials.ledger import rebuild_stock, to_millionths
from materials.models import BackflushPolicy, MaterialTransaction
from materials.tests.shop import Shop
from products.models import ProductUnit
from tests.factories import make_machine, make_unit
from workorders import life
from workorders.models import Operation, OrderMaterial, WorkOrder

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop()


def pack(product, unit, base, quantity=1):
    return ProductUnit.objects.create(
        product=product, unit=make_unit(unit), quantity=Decimal(quantity), base_quantity=Decimal(base)
    )


@pytest.fixture
def order(shop):
    """An order of 100 pieces: MIX takes 8 kg of sugar, FILL (milestone) 100 caps, PACK a foil;
    5 kg of whey come out.
    """
    made = shop.order(product=shop.product(unit_id="pcs", lot_controlled=False), target_quantity=100)
    shop.sugar = shop.product(name="Sugar")
    shop.cap, shop.foil = (shop.product(name=name, lot_controlled=False, unit_id="pcs") for name in ("Cap", "Foil"))
    shop.whey = shop.product(name="Whey")
    steps = [
        Operation.objects.create(
            work_order=made,
            sequence=number,
            code=code,
            name=code,
            is_milestone=code == "FILL",
            planned_quantity=100,
        )
        for number, code in ((10, "MIX"), (20, "FILL"), (30, "PACK"))
    ]
    needs = ((shop.sugar, 8, 0), (shop.cap, 100, 1), (shop.foil, 1, 2), (shop.whey, -5, 0))
    for number, (product, quantity, step) in enumerate(needs, 1):
        OrderMaterial.objects.create(
            work_order=made,
            position=number,
            product=product,
            operation=steps[step],
            quantity_required=quantity,
            unit=product.unit,
        )
    shop.lot("S", shop.sugar, 50)
    for product in (shop.cap, shop.foil):
        shop.do("receive", product, 1000, to_location=shop.store)
    return made


def flush(shop, order, produced, code="", **more):
    operation = order.operations.get(code=code) if code else None
    return backflush_of_order(
        work_order=order,
        produced_quantity=Decimal(produced),
        operation=operation,
        location=shop.store,
        **{**shop.said, **more},
    )


def booked(done):
    return {(fact.product.name, fact.kind): fact.quantity for fact in done.transactions}


def test_each_report_books_what_its_operation_takes_and_yields(shop, order):
    done = flush(shop, order, 25, "MIX", idempotency_key="r-1")
    assert booked(done) == {("Sugar", "consume"): 2, ("Whey", "produce"): Decimal("1.25")}
    whey = next(fact.lot for fact in done.transactions if fact.kind == "produce")
    assert (whey.number, whey.status) == (order.order_number, "released")
    again = flush(shop, order, 25, "MIX", idempotency_key="r-1")
    assert (again.is_new, again.transactions) == (False, done.transactions)
    with pytest.raises(Conflict):
        flush(shop, order, 20, "MIX", idempotency_key="r-1")
    assert booked(flush(shop, order, 100)).keys() >= {("Cap", "consume"), ("Foil", "consume")}
    assert rebuild_stock()[1] == 0


def test_milestone_books_what_comes_before_it(shop, order):
    BackflushPolicy.objects.create(site=shop.site, mode="milestone")
    assert flush(shop, order, 10, "MIX").is_due is False
    assert booked(flush(shop, order, 10, "FILL")) == {
        ("Sugar", "consume"): Decimal("0.8"),
        ("Cap", "consume"): 10,
        ("Whey", "produce"): Decimal("0.5"),
    }
    assert booked(flush(shop, order, 10)) == {("Foil", "consume"): Decimal("0.1")}


def test_by_order_books_once_and_the_products_policy_holds_over_the_sites(shop, order):
    BackflushPolicy.objects.create(site=shop.site, mode="milestone")
    BackflushPolicy.objects.create(site=shop.site, product=order.product, mode="order")
    assert not flush(shop, order, 10, "FILL").is_due
    assert booked(flush(shop, order, 50))[("Cap", "consume")] == 50


def test_produced_is_said_in_any_unit_of_the_product(shop, order):
    pack(order.product, "case", 12)
    assert booked(flush(shop, order, 2, "FILL", unit="case"))[("Cap", "consume")] == 24
    with pytest.raises(Invalid) as refusal:
        flush(shop, order, 2, "FILL", unit="kg")
    assert refusal.value.field == "unit"


def test_order_without_materials_and_foreign_operation_are_refused(shop, order):
    with pytest.raises(Invalid) as refusal:
        flush(shop, shop.order(), 1)
    assert refusal.value.field == "requirements"
    with pytest.raises(Invalid):
        backflush_of_order(
            work_order=order,
            produced_quantity=Decimal(1),
            operation=Operation(work_order=shop.order(), code="X"),
            location=shop.store,
            **shop.said,
        )


def test_movement_in_another_unit_keeps_both(shop):
    cap = shop.product(lot_controlled=False, unit_id="pcs")
    pack(cap, "case", 12)
    done = shop.do("receive", cap, 3, to_location=shop.store, unit="case", idempotency_key="k")
    fact = done.transaction
    assert (fact.quantity, fact.unit, fact.given_quantity, fact.given_unit) == (36, "pcs", 3, "case")
    ProductUnit.objects.filter(product=cap).update(base_quantity=10)
    assert shop.do("receive", cap, 3, to_location=shop.store, unit="case", idempotency_key="k").is_new is False
    with pytest.raises(Conflict):
        shop.do("receive", cap, 36, to_location=shop.store, idempotency_key="k")
    back = shop.undo(fact)
    assert (back.quantity, back.given_quantity, back.given_unit) == (36, 3, "case")
    assert rebuild_stock()[1] == 0


@pytest.mark.parametrize(("quantity", "unit", "field"), [(1, "case", "unit"), (1, "nothing", "unit")])
def test_unit_that_nothing_converts_is_refused(shop, quantity, unit, field):
    make_unit("case")
    with pytest.raises(Invalid) as refusal:
        shop.do("receive", shop.product(lot_controlled=False), quantity, to_location=shop.store, unit=unit)
    assert refusal.value.field == field
    assert not MaterialTransaction.objects.exists()


@given(reports=st.lists(st.integers(1, 40), min_size=1, max_size=4))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reports_add_up_to_the_plan_within_their_rounding(shop, order, reports):
    before = shop.there(shop.sugar.lots.get())
    for pieces in reports:
        flush(shop, order, pieces, "MIX", on_shortage="take")
    taken = before - shop.there(shop.sugar.lots.get())
    exact = Fraction(8, 100) * sum(reports)
    assert taken == min(before, to_millionths(exact))


@given(numerator=st.integers(1, 10**9), denominator=st.integers(1, 10**6))
def test_rounding_is_never_off_by_more_than_half_a_millionth(numerator, denominator):
    exact = Fraction(numerator, denominator)
    assert abs(Fraction(to_millionths(exact)) - exact) <= Fraction(1, 2 * 10**6)


def test_balance_weighs_pieces_where_the_product_says_what_they_weigh(shop):
    made = shop.product(unit_id="pcs", lot_controlled=False, balance_tolerance=Decimal("0.05"))
    order = shop.order(product=made)
    flour, salt = shop.lot("F", shop.product(), 100), shop.lot("S", shop.product(unit_id="g"), 5000)
    shop.use(flour, 10, order)
    shop.use(salt, 500, order)
    shop.do("produce", made, 20, to_location=shop.store, work_order=order)
    assert [(row.unit, row.difference) for row in mass_balance(order)] == [("g", None), ("pcs", None)]
    pack(made, "kg", 2)
    grams, pieces = mass_balance(order)
    assert (grams.unit, grams.went_in, grams.came_out, grams.within) == ("g", 10500, 10000, True)
    assert grams.converted_from == ("kg", "pcs")
    assert grams.tolerance == Decimal("0.05")
    assert (pieces.unit, pieces.went_in, pieces.produced) == ("pcs", 0, 20)


def test_rest_takes_requirements_from_the_order(shop, order):
    api = APIClient()
    api.force_authenticate(shop.anna)
    body = {
        "work_order": order.pk,
        "produced_quantity": "10",
        "operation_code": "FILL",
        "location": shop.store.code,
        "idempotency_key": "f-1",
    }
    done = api.post("/material/backflush/", body, format="json")
    assert (done.status_code, done.data["is_due"], len(done.data["transactions"])) == (201, True, 1), done.data
    assert api.post("/material/backflush/", body, format="json").status_code == 200
    for wrong, field in (
        ({"operation_code": "NO"}, "operation_code"),
        ({"unit": "no"}, "unit"),
        ({"unit": "kg", "requirements": [{"product": shop.cap.pk, "quantity_per_unit": "1"}]}, "requirements"),
    ):
        refused = api.post("/material/backflush/", {**body, "idempotency_key": "f-2", **wrong}, format="json")
        assert (refused.status_code, list(refused.data)) == (400, [field])
    BackflushPolicy.objects.create(site=shop.site, mode="order")
    later = api.post("/material/backflush/", {**body, "idempotency_key": "f-3"}, format="json")
    assert (later.status_code, later.data["is_due"], later.data["transactions"]) == (200, False, [])


# --- without anybody asking ---


@pytest.fixture
def released(shop, order):
    """The order as it stands, released, on a line with a machine."""
    make_machine(line=order.line)
    WorkOrder.objects.filter(pk=order.pk).update(status="released", released_at=shop.said["occurred_at"])
    order.refresh_from_db()
    return order


def test_a_report_books_by_itself_where_the_policy_names_a_place_and_takes_it_back_with_itself(shop, released):
    policy = BackflushPolicy.objects.create(site=shop.site, mode="piece")
    at, actor = shop.said["occurred_at"], shop.said["actor"]
    step = released.operations.get(code="MIX")
    start_operation(operation=step, taken=Taken(at=at, recorded_at=at, actor=actor))

    def report(good):
        return report_production(
            operation=step,
            quantities=Quantities(good=Decimal(good), scrap=Decimal(1)),
            taken=Taken(at=at, recorded_at=at, actor=actor),
        )[0]

    report(4)
    assert not MaterialTransaction.objects.filter(kind="consume").exists()
    policy.location = shop.store
    policy.save()
    written = report(24)
    assert MaterialTransaction.objects.get(kind="consume").quantity == 2  # of 25 pieces, scrap included
    reverse_report(report=written, actor=actor, recorded_at=at, note="Counted twice")
    used = MaterialTransaction.objects.get(kind="consume")
    assert used.reversed_by.reason == "Counted twice"
    assert rebuild_stock()[1] == 0


def test_shortage_never_stops_a_report(shop, released):
    BackflushPolicy.objects.create(site=shop.site, mode="piece", location=shop.store)
    at, actor = shop.said["occurred_at"], shop.said["actor"]
    step = released.operations.get(code="MIX")
    start_operation(operation=step, taken=Taken(at=at, recorded_at=at, actor=actor))
    report_production(
        operation=step,
        quantities=Quantities(good=Decimal(10_000)),
        taken=Taken(at=at, recorded_at=at, actor=actor),
    )
    assert MaterialTransaction.objects.get(kind="consume").quantity == 50  # all that was there of 800


def test_a_completed_order_books_by_itself_and_a_reopened_one_takes_it_back(shop, released):
    BackflushPolicy.objects.create(site=shop.site, mode="order", location=shop.store)
    at, actor = shop.said["occurred_at"], shop.said["actor"]
    life.start(work_order=released, at=at, actor=actor)
    life.complete(work_order=released, at=at, actor=actor, quantity=Decimal(50))

    def used():
        rows = MaterialTransaction.objects.filter(work_order=released, reversed_by__isnull=True, kind="consume")
        return {row.product.name: row.quantity for row in rows}

    assert used() == {"Sugar": 4, "Cap": 50, "Foil": Decimal("0.5")}
    life.reopen(work_order=released, at=at, actor=actor)
    assert used() == {}
    life.complete(work_order=released, at=at, actor=actor, quantity=Decimal(100))
    assert used() == {"Sugar": 8, "Cap": 100, "Foil": 1}
    assert rebuild_stock()[1] == 0
