"""Lots: guarded status, what may not be used, first expired first."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from core import master_data
from core.errors import Conflict, Invalid
from materials.lots import NewLot, change_lot_status
from materials.models import LotStatusChange, MaterialLot, PickingPolicy
from materials.selectors import pick
from materials.tests.shop import AT, Shop
from tests.factories import make_location

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop()


def decide(shop, lot, status, reason="Tested."):
    return change_lot_status(lot=lot, to_status=status, reason=reason, actor=shop.anna, changed_at=AT)


def test_what_comes_in_waits_for_release_and_what_is_made_does_not(shop):
    flour = shop.product(shelf_life_days=10)
    bought = shop.do("receive", flour, 1, to_location=shop.store, lot=NewLot(number="F1")).transaction.lot
    made = shop.make("D1", shop.product(shelf_life_days=10), 1, shop.order())
    assert (bought.status, bought.expiry_date) == ("quarantine", None)
    assert (made.status, made.made_date, made.expiry_date) == ("released", date(2026, 3, 2), date(2026, 3, 12))
    assert LotStatusChange.objects.filter(from_status="").count() == 2


@pytest.mark.parametrize("status", ["quarantine", "hold", "rejected"])
def test_lot_that_is_not_released_is_refused_with_who_said_why(shop, status):
    lot, order = shop.lot("F1", shop.product(name="Flour")), shop.order()
    decide(shop, lot, status, "Beetles.")
    for kind in ("consume", "issue"):
        with pytest.raises(Conflict) as refusal:
            shop.do(kind, lot.product, 1, lot=lot, from_location=shop.store, work_order=order)
        assert "Lot F1 of Flour cannot be used" in refusal.value.message
        assert f"(Beetles, says {shop.anna})" in refusal.value.message
        assert refusal.value.field == "lot"
    shop.do("move", lot.product, 1, lot=lot, from_location=shop.store, to_location=shop.side)


def test_lot_may_be_used_on_its_last_day_at_its_site_and_not_after(shop):
    lot, order = shop.lot("F1", shop.product(), expiry_date=date(2026, 3, 2)), shop.order()
    midnight = AT.replace(hour=23)  # 00:00 in Warsaw
    later = {"recorded_at": AT + timedelta(days=1)}
    shop.use(lot, 1, order, occurred_at=midnight - timedelta(seconds=1), **later)
    with pytest.raises(Conflict, match="expired on 2026-03-02"):
        shop.use(lot, 1, order, occurred_at=midnight, **later)
    assert (lot.status_at(AT), lot.status_at(midnight)) == ("released", "expired")


def test_step_that_a_lots_life_does_not_have_says_what_is_allowed(shop):
    lot = shop.lot("F1", shop.product())
    decide(shop, lot, "rejected", "Beetles.")
    with pytest.raises(Conflict) as refusal:
        decide(shop, lot, "released")
    assert refusal.value.message == "A lot that is rejected cannot become released; it can become: quarantine."
    with pytest.raises(Invalid):
        decide(shop, lot, "expired")
    with pytest.raises(Invalid) as refusal:
        decide(shop, lot, "quarantine", " ")
    assert refusal.value.field == "reason"


def test_edit_of_a_lot_leaves_its_status_and_product_alone(shop):
    lot = shop.lot("F1", shop.product())
    stale = MaterialLot.objects.get(pk=lot.pk)
    decide(shop, lot, "hold", "Smells.")
    stale.certificate = "COA-7"
    master_data.save(stale)
    lot.refresh_from_db()
    assert (lot.status, lot.certificate) == ("hold", "COA-7")
    lot.product = shop.product()
    with pytest.raises(Invalid):
        master_data.save(lot)


def test_first_to_expire_is_picked_first_and_what_is_missing_is_said(shop):
    milk = shop.product()
    for number, day in (("late", 20), ("none", None), ("early", 10), ("gone", 1)):
        shop.lot(number, milk, 3, expiry_date=date(2026, 3, day) if day else None)
    held = shop.lot("held", milk, 3, expiry_date=date(2026, 3, 5))
    decide(shop, held, "hold")
    found = pick(product=milk, quantity=Decimal(10), location=shop.store, at=AT)
    assert [(take.lot.number, take.quantity) for take in found.takes] == [("early", 3), ("late", 3), ("none", 3)]
    assert found.shortage == 1
    assert pick(product=milk, quantity=Decimal(1), location=shop.side, at=AT).shortage == 1


def test_policy_says_whether_another_lot_may_go_first(shop):
    milk, order = shop.product(), shop.order()
    shop.lot("early", milk, 3, expiry_date=date(2026, 3, 10))
    late = shop.lot("late", milk, 9, expiry_date=date(2026, 3, 20))
    shop.use(late, 1, order)
    policy = PickingPolicy.objects.create(site=shop.site, rule="reason")
    with pytest.raises(Invalid) as refusal:
        shop.use(late, 1, order)
    assert (refusal.value.field, "Lot early at" in refusal.value.message) == ("reason", True)
    shop.use(late, 1, order, reason="Early is at the bottom.")
    policy.rule = "enforce"
    policy.save()
    with pytest.raises(Conflict, match="expires first, on 2026-03-10"):
        shop.use(late, 1, order, reason="Early is at the bottom.")
    PickingPolicy.objects.create(site=shop.site, product=milk, rule="suggest")
    shop.use(late, 1, order)


def test_place_is_never_inside_itself_or_at_two_sites(shop):
    shelf = make_location(site=shop.site, parent=shop.store)
    shop.store.parent = shelf
    with pytest.raises(Invalid) as refusal:
        master_data.save(shop.store)
    assert refusal.value.field == "parent"
    elsewhere = make_location()
    shelf.parent = elsewhere
    with pytest.raises(Invalid):
        master_data.save(shelf)
    shop.lot("F1", shop.product())
    shop.store.parent, shop.store.site = None, elsewhere.site
    with pytest.raises(Conflict):
        master_data.save(shop.store)
