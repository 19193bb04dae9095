"""Back-flushing, and what went in against what came out."""

from datetime import date
from decimal import Decimal

import pytest

from core.errors import Conflict, Invalid
from materials.backflush import Requirement, backflush
from materials.balance import mass_balance
from materials.ledger import rebuild_stock
from materials.models import MaterialTransaction
from materials.tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop()


def flush(shop, order, produced, *requirements, **more):
    return backflush(
        work_order=order,
        produced_quantity=Decimal(produced),
        requirements=[Requirement(product, Decimal(per)) for product, per in requirements],
        location=shop.store,
        **{**shop.said, **more},
    )


def test_what_must_have_been_used_is_taken_first_expired_first(shop):
    sugar, cap = shop.product(), shop.product(lot_controlled=False, unit_id="pcs")
    shop.lot("late", sugar, 5, expiry_date=date(2026, 4, 1))
    shop.lot("early", sugar, 5, expiry_date=date(2026, 3, 9))
    shop.do("receive", cap, 100, to_location=shop.store)
    done = flush(shop, shop.order(), 60, (sugar, "0.1"), (cap, 1))
    taken = [(fact.lot.number if fact.lot else None, fact.quantity) for fact in done.transactions]
    assert taken == [("early", 5), ("late", 1), (None, 60)]
    assert rebuild_stock()[1] == 0


def test_shortage_is_refused_whole_or_taken_and_reported(shop):
    sugar, cap, order = shop.product(name="Sugar"), shop.product(name="Cap"), shop.order()
    shop.lot("S", sugar, 5)
    with pytest.raises(Conflict) as refusal:
        flush(shop, order, 60, (sugar, "0.1"), (cap, 1))
    assert "Sugar: 6 kg needed at Store, 5 to be used there. Cap: 60 kg needed" in refusal.value.message
    assert not MaterialTransaction.objects.filter(kind="consume").exists()
    done = flush(shop, order, 60, (sugar, "0.1"), (cap, 1), on_shortage="take", idempotency_key="b-1")
    assert [(short.product, short.missing) for short in done.shortages] == [(sugar, 1), (cap, 60)]
    shop.lot("S2", sugar, 5)
    again = flush(shop, order, 60, (sugar, "0.1"), (cap, 1), on_shortage="take", idempotency_key="b-1")
    assert (again.is_new, again.transactions, again.shortages) == (False, done.transactions, done.shortages)
    with pytest.raises(Conflict):
        flush(shop, shop.order(), 60, (sugar, "0.1"), idempotency_key="b-1")


def test_what_may_be_negative_is_booked_whole(shop):
    water = shop.product(lot_controlled=False, stock_policy="allow_negative")
    done = flush(shop, shop.order(), 3, (water, "0.333333"))
    assert ([fact.quantity for fact in done.transactions], done.shortages) == ([Decimal("0.999999")], [])


def test_same_product_for_two_operations_is_not_taken_twice(shop):
    sugar = shop.product()
    shop.lot("S", sugar, 5)
    needs = [Requirement(sugar, Decimal(1), "10"), Requirement(sugar, Decimal(1), "20")]
    done = backflush(
        work_order=shop.order(),
        produced_quantity=Decimal(3),
        requirements=needs,
        location=shop.store,
        on_shortage="take",
        **shop.said,
    )
    assert [(fact.operation_code, fact.quantity) for fact in done.transactions] == [("10", 3), ("20", 2)]
    assert [short.missing for short in done.shortages] == [1]


@pytest.mark.parametrize(("produced", "per", "field"), [(0, 1, "produced_quantity"), (1, 0, "requirements")])
def test_nothing_is_flushed_for_nothing(shop, produced, per, field):
    with pytest.raises(Invalid) as refusal:
        flush(shop, shop.order(), produced, (shop.product(), per))
    assert refusal.value.field == field


def test_balance_is_exact_by_unit_and_says_what_cannot_be_compared(shop):
    order, dough = shop.order(), shop.product()
    flour, label = shop.lot("F1", shop.product(), 100), shop.lot("L1", shop.product(unit_id="pcs"), 500)
    shop.use(flour, "50.5", order)
    shop.use(label, 40, order)
    shop.undo(shop.use(flour, 7, order))
    shop.do("return", flour.product, "0.5", lot=flour, to_location=shop.store, work_order=order)
    shop.make("D1", dough, 48, order)
    shop.do("scrap", dough, 1, lot=dough.lots.get(), work_order=order, reason="Fell.")
    # What is thrown away from stock later left the order before.
    shop.do("scrap", dough, 5, lot=dough.lots.get(), from_location=shop.store, work_order=order, reason="Old.")
    kg, pcs = mass_balance(order)
    assert (kg.went_in, kg.came_out, kg.difference, kg.within) == (50, 49, 1, True)
    assert kg.material_yield == Decimal("0.96")
    assert (pcs.went_in, pcs.difference, pcs.within) == (40, None, None)
    assert mass_balance(order, tolerance=Decimal("0.01"))[0].within is False
