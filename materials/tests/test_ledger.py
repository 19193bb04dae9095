"""The ledger of movements: stock is their sum, nothing is silently negative, a retry has one effect."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from core.errors import Conflict, Invalid
from materials.ledger import rebuild_stock
from materials.lots import NewLot, change_lot_status
from materials.models import LotStatusChange, MaterialTransaction, Stock
from materials.services import split_lot
from materials.tests.shop import AT, Shop
from tests.factories import make_location, make_work_order
from workorders.models import WorkOrder

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop()


def test_movements_add_up_to_the_stock(shop):
    flour, order = shop.product(), shop.order()
    lot = shop.lot("F1", flour, "100.5")
    shop.do("move", flour, "40", lot=lot, from_location=shop.store, to_location=shop.side)
    shop.do("consume", flour, "25.25", lot=lot, from_location=shop.side, work_order=order)
    shop.do("return", flour, "5", lot=lot, to_location=shop.store, work_order=order)
    shop.do("scrap", flour, "0.5", lot=lot, from_location=shop.store, reason="Wet.")
    shop.do("adjust", flour, "-1", lot=lot, location=shop.side, reason="Counted.")
    assert (shop.there(lot), shop.there(lot, shop.side)) == (Decimal(65), Decimal("13.75"))
    before = sorted(Stock.objects.values_list("product", "lot", "location", "quantity"))
    assert rebuild_stock() == (len(before), 0)
    assert sorted(Stock.objects.values_list("product", "lot", "location", "quantity")) == before


def test_rebuild_mends_what_somebody_changed_and_says_so(shop, capsys):
    lot = shop.lot("F1", shop.product())
    Stock.objects.update(quantity=7)
    call_command("rebuild_stock")
    assert "differed: 2" in capsys.readouterr().out
    assert shop.there(lot) == 10


def test_more_than_is_there_is_refused_naming_lot_place_and_quantity(shop):
    flour = shop.product(name="Flour")
    lot = shop.lot("F1", flour, 3)
    with pytest.raises(Conflict) as refusal:
        shop.use(lot, 5, shop.order())
    assert refusal.value.message == "Lot F1 of Flour at Store: there is 3 kg, 5 was asked for."
    assert shop.there(lot) == 3
    assert MaterialTransaction.objects.count() == 1


def test_product_may_be_allowed_to_go_negative(shop):
    water = shop.product(lot_controlled=False, stock_policy="allow_negative")
    shop.do("consume", water, 5, from_location=shop.store, work_order=shop.order())
    assert Stock.objects.get(product=water).quantity == -5
    assert rebuild_stock() == (1, 0)


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity", "0.0000001", "1e12"])
def test_odd_quantity_is_refused(shop, quantity):
    with pytest.raises(Invalid) as refusal:
        shop.do("receive", shop.product(lot_controlled=False), quantity, to_location=shop.store)
    assert refusal.value.field == "quantity"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"unit": "bar"}, "unit"),
        ({"lot": None}, "lot"),
        ({"occurred_at": AT + timedelta(hours=1)}, "occurred_at"),
        ({"unit_cost": Decimal(-1)}, "unit_cost"),
        ({"elsewhere": True}, "work_order"),
    ],
)
def test_contradiction_is_refused_naming_the_field(shop, more, field):
    lot = shop.lot("F1", shop.product())
    order = make_work_order(line=Shop().line) if more.pop("elsewhere", False) else shop.order()
    with pytest.raises(Invalid) as refusal:
        shop.do("consume", lot.product, 1, **{"lot": lot, "from_location": shop.store, "work_order": order, **more})
    assert refusal.value.field == field


def test_place_that_is_switched_off_takes_nothing(shop):
    lot = shop.lot("F1", shop.product())
    old = make_location(site=shop.site, is_active=False)
    with pytest.raises(Invalid):
        shop.do("move", lot.product, 1, lot=lot, from_location=shop.store, to_location=old)


def test_closed_order_takes_no_more_and_gives_back(shop):
    lot, order = shop.lot("F1", shop.product()), shop.order()
    shop.use(lot, 4, order)
    WorkOrder.objects.filter(pk=order.pk).update(status="closed")
    with pytest.raises(Conflict):
        shop.use(lot, 1, order)
    shop.do("return", lot.product, 4, lot=lot, to_location=shop.store, work_order=order)
    assert shop.there(lot) == 10


def test_order_gives_back_no_more_than_it_took(shop):
    lot, order = shop.lot("F1", shop.product()), shop.order()
    fact = shop.use(lot, 4, order)
    shop.do("return", lot.product, 3, lot=lot, to_location=shop.store, work_order=order)
    with pytest.raises(Conflict, match="only 1 kg of F1 to give back"):
        shop.do("return", lot.product, 2, lot=lot, to_location=shop.store, work_order=order)
    with pytest.raises(Conflict, match="to give back"):
        shop.undo(fact)


def test_repeated_request_has_one_effect_and_the_same_answer(shop):
    lot, order = shop.lot("F1", shop.product()), shop.order()
    first = shop.use(lot, 4, order, idempotency_key="scan-1")
    again = shop.do(
        "consume",
        lot.product,
        4,
        lot=lot,
        from_location=shop.store,
        work_order=order,
        idempotency_key="scan-1",
        occurred_at=AT - timedelta(minutes=1),
    )
    assert (again.transaction, again.is_new) == (first, False)
    assert shop.there(lot) == 6
    with pytest.raises(Conflict) as refusal:
        shop.use(lot, 5, order, idempotency_key="scan-1")
    assert refusal.value.field == "idempotency_key"


def test_reversal_has_the_opposite_effect_once(shop):
    lot, order = shop.lot("F1", shop.product()), shop.order()
    fact = shop.use(lot, 4, order)
    undone = shop.undo(fact, idempotency_key="undo-1")
    assert shop.undo(fact, idempotency_key="undo-1") == undone
    assert shop.there(lot) == 10
    with pytest.raises(Conflict, match="reversed already"):
        shop.undo(fact)
    with pytest.raises(Conflict, match="not reversed"):
        shop.undo(undone)


def test_receipt_of_what_is_used_since_cannot_be_reversed(shop):
    lot = shop.lot("F1", shop.product())
    receipt = lot.transactions.get()
    shop.use(lot, 4, shop.order())
    with pytest.raises(Conflict, match="Reverse what was done with it since"):
        shop.undo(receipt)


def test_sublot_has_its_lots_origin_and_its_split_can_be_reversed(shop):
    lot = shop.lot("F1", shop.product(), supplier_lot="S-77", expiry_date=AT.date())
    posted = split_lot(lot=lot, number="F1-A", quantity=Decimal(3), from_location=shop.store, **shop.said)
    sublot = posted.transaction.to_lot
    assert (sublot.parent, sublot.supplier_lot, sublot.status) == (lot, "S-77", "released")
    assert (shop.there(lot), shop.there(sublot)) == (7, 3)
    with pytest.raises(Conflict, match="choose another number"):
        split_lot(lot=lot, number="F1-A", quantity=Decimal(1), from_location=shop.store, **shop.said)
    shop.undo(posted.transaction)
    assert (shop.there(lot), shop.there(sublot)) == (10, 0)
    assert rebuild_stock()[1] == 0


def test_ledger_is_append_only(shop):
    fact = shop.lot("F1", shop.product()).transactions.get()
    for change in (
        lambda: MaterialTransaction.objects.filter(pk=fact.pk).update(quantity=1),
        lambda: MaterialTransaction.objects.filter(pk=fact.pk)._raw_delete("default"),
        lambda: LotStatusChange.objects.update(reason="x"),
    ):
        with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
            change()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "receive", "from_location": "store"},
        {"kind": "consume", "from_location": "store"},
        {"kind": "receive", "to_location": "store", "quantity": Decimal(0)},
        {"kind": "move", "from_location": "store", "to_location": "store"},
        {"kind": "scrap", "from_location": "store"},
        {"kind": "reversal", "from_location": "store", "reason": "x"},
    ],
)
def test_database_refuses_what_no_kind_is(shop, wrong):
    places = {name: shop.store for name in wrong if name.endswith("location")}
    row = {"product": shop.product(), "quantity": Decimal(1), "unit": "kg", "occurred_at": AT, "recorded_at": AT}
    with pytest.raises(IntegrityError), transaction.atomic():
        MaterialTransaction.objects.create(**{**row, "performed_by": shop.anna, **wrong, **places})


@pytest.mark.django_db(transaction=True)
def test_of_many_who_take_the_last_pieces_as_many_get_one_as_there_are(shop):
    bolt = shop.product(unit_id="pcs")
    lot, orders = shop.lot("B1", bolt, 10), [shop.order() for _ in range(4)]

    def take(number):
        try:
            shop.use(lot, 1, orders[number % 4], idempotency_key=f"take-{number % 30}")
        except Conflict as refusal:
            return refusal.message
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(take, range(32)))
    assert shop.there(lot) == 0
    assert MaterialTransaction.objects.filter(kind="consume").count() == 10
    assert set(answers) - {None} == {f"Lot B1 of {bolt} at Store: there is 0 pcs, 1 was asked for."} | {
        answer for answer in answers if answer and "Another movement" in answer
    }
    assert rebuild_stock()[1] == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_make_the_same_new_lot_at_once_make_one(shop):
    flour = shop.product()

    def take_in(number):
        try:
            new = NewLot(number="F1", status="released")
            shop.do("receive", flour, 1, to_location=shop.store, lot=new, idempotency_key=f"r-{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take_in, range(8)))
    assert shop.there(flour.lots.get()) == 8


@pytest.mark.django_db(transaction=True)
def test_lot_that_is_put_on_hold_meanwhile_is_not_used_afterwards(shop):
    lot, order = shop.lot("F1", shop.product(), 1000), shop.order()

    def act(number):
        try:
            if number == 8:
                change_lot_status(lot=lot, to_status="hold", reason="Smells.", actor=shop.anna, changed_at=AT)
                return None
            return shop.use(lot, 1, order).pk
        except Conflict:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        used = [fact for fact in pool.map(act, range(24)) if fact]
    assert shop.there(lot) == 1000 - len(used)
    with pytest.raises(Conflict, match="on hold"):
        shop.use(lot, 1, order)
