"""What is in what: by order or as given, taken back when reversed, never in a circle, found over any depth."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection

from core.errors import Conflict
from materials.genealogy import edges, reached
from materials.ledger import rebuild_stock
from materials.models import GenealogyLink, MaterialLot
from materials.services import split_lot
from materials.tests.shop import AT, Shop
from materials.tracing import recall, recall_csv, trace
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop()


def numbers(lot, *, forward=True):
    found = trace(lot, forward=forward)
    return {found.lots[pk].number: depth for pk, depth in found.depths.items() if depth}


def test_all_that_an_order_used_before_and_after_is_in_all_that_it_made(shop):
    order, dough = shop.order(), shop.product(name="Dough")
    flour, water, salt = (shop.lot(name, shop.product()) for name in ("F1", "W1", "S1"))
    shop.use(flour, 4, order)
    first = shop.make("D1", dough, 3, order)
    shop.use(water, 2, order)
    second = shop.make("D2", dough, 3, order)
    assert numbers(first, forward=False) == numbers(second, forward=False) == {"F1": 1, "W1": 1}
    assert numbers(flour) == {"D1": 1, "D2": 1}
    assert numbers(salt) == {}


def test_trace_goes_over_several_orders_and_splits(shop):
    flour = shop.lot("F1", shop.product())
    half = split_lot(
        lot=flour, number="F1-A", quantity=Decimal(5), from_location=shop.store, **shop.said
    ).transaction.to_lot
    mix, bake = shop.order(), shop.order()
    shop.use(half, 5, mix)
    dough = shop.make("D1", shop.product(), 5, mix)
    shop.use(dough, 5, bake)
    bread = shop.make("B1", shop.product(), 9, bake)
    assert numbers(flour) == {"F1-A": 1, "D1": 2, "B1": 3}
    assert numbers(bread, forward=False) == {"D1": 1, "F1-A": 2, "F1": 3}


def test_reversed_use_is_no_longer_in_it(shop):
    order = shop.order()
    flour, water = shop.lot("F1", shop.product()), shop.lot("W1", shop.product())
    used = shop.use(flour, 4, order)
    shop.use(water, 1, order)
    made = shop.make("D1", shop.product(), 3, order)
    shop.undo(used)
    assert numbers(made, forward=False) == {"W1": 1}
    shop.do("return", water.product, 1, lot=water, to_location=shop.store, work_order=order)
    assert numbers(made, forward=False) == {}
    shop.use(flour, 1, order)
    assert trace(made, forward=False).edges[0].quantity == 1


def test_reversed_production_takes_its_links_back(shop):
    order, flour = shop.order(), shop.lot("F1", shop.product())
    shop.use(flour, 4, order)
    made = shop.make("D1", shop.product(), 3, order)
    shop.undo(made.transactions.get())
    assert numbers(flour) == {}
    shop.use(flour, 1, order)
    assert numbers(flour) == {}


def test_given_inputs_are_kept_to(shop):
    order, dough = shop.order(), shop.product()
    first, second = shop.lot("F1", shop.product()), shop.lot("F2", shop.product())
    for lot in (first, second):
        shop.use(lot, 4, order)
    made = shop.make("D1", dough, 3, order, inputs=[(first, Decimal(4))])
    late = shop.lot("F3", shop.product())
    shop.use(late, 1, order)
    assert numbers(made, forward=False) == {"F1": 1}
    with pytest.raises(Conflict) as refusal:
        shop.make("D2", dough, 3, order, inputs=[(first, Decimal(1))])
    assert refusal.value.field == "inputs"
    other = shop.make("D3", dough, 1, order)
    assert numbers(other, forward=False) == {"F1": 1, "F2": 1, "F3": 1}
    with pytest.raises(Conflict, match="reverse their production first"):
        shop.undo(first.transactions.filter(kind="consume").get())
    shop.undo(made.transactions.get())
    assert numbers(made, forward=False) == {}
    shop.undo(first.transactions.filter(kind="consume").get())


def test_an_input_that_is_named_twice_is_no_more_than_was_used_of_it(shop):
    order, dough, flour = shop.order(), shop.product(), shop.lot("F1", shop.product())
    shop.use(flour, 4, order)
    with pytest.raises(Conflict) as refusal:
        shop.make("D1", dough, 3, order, inputs=[(flour, Decimal(3)), (flour, Decimal(2))])
    assert refusal.value.field == "inputs"
    made = shop.make("D1", dough, 3, order, inputs=[(flour, Decimal(3)), (flour, Decimal(1))])
    assert numbers(made, forward=False) == {"F1": 1}
    assert GenealogyLink.objects.get(output_lot=made).quantity == 4


def test_lot_is_never_in_itself_over_any_number_of_steps(shop):
    steps = [shop.order() for _ in range(3)]
    lot = first = shop.lot("A", shop.product(), 5)
    for number, order in enumerate(steps):
        shop.use(lot, 1, order)
        lot = shop.make(f"L{number}", shop.product(), 5, order)
    for used, why in ((lot, "already in"), (first, "made of itself")):
        order = shop.order()
        shop.use(used, 1, order)
        with pytest.raises(Conflict, match=why):
            shop.do("produce", first.product, 1, lot=first, to_location=shop.store, work_order=order)
    with pytest.raises(Conflict, match="already in"):
        shop.use(lot, 1, steps[0])


def test_recall_says_what_is_affected_how_much_and_where_it_is(shop):
    mix, bake = shop.order(order_number="MIX"), shop.order(order_number="BAKE")
    flour = shop.lot("F1", shop.product(name="=Flour", code="FLOUR"), 10)
    shop.use(flour, 4, mix)
    dough = shop.make("D1", shop.product(), 6, mix)
    shop.use(dough, 5, bake)
    bread = shop.make("B1", shop.product(unit_id="pcs"), 9, bake)
    shop.do("move", bread.product, 2, lot=bread, from_location=shop.store, to_location=shop.side)
    shop.do("scrap", bread.product, 3, lot=bread, from_location=shop.store, reason="Burnt.")
    found = recall(flour)
    rows = {row.lot.number: (row.depth, row.brought_in, row.still_in_house, row.gone) for row in found.lots}
    assert rows == {"F1": (0, 10, 6, 4), "D1": (1, 6, 1, 5), "B1": (2, 9, 6, 3)}
    assert found.orders == ["BAKE", "MIX"]
    assert {there.location: there.quantity for there in found.lots[2].in_house} == {shop.store: 4, shop.side: 2}
    text = recall_csv(found, status_of={row.lot.pk: row.lot.status_at(AT) for row in found.lots})
    assert "0,FLOUR,F1,released,,,,MIX,10,6,4,0,0,4,kg," in text


def test_lots_of_other_peoples_sites_are_counted_and_not_shown(shop):
    there = Shop()
    lot = shop.lot("F1", shop.product())
    order = there.order()
    shop.do("move", lot.product, 5, lot=lot, from_location=shop.store, to_location=there.store)
    there.use(lot, 5, order)
    there.make("D1", there.product(), 5, order)
    mine, everybody = make_user("quality", site=shop.site), make_user("quality")
    assert (len(recall(lot, user=mine).lots), recall(lot, user=mine).hidden) == (1, 1)
    assert (len(recall(lot, user=everybody).lots), recall(lot, user=everybody).hidden) == (2, 0)
    assert recall(lot, user=mine).orders == []


def test_trace_of_thousands_of_links_finds_every_one_in_a_fixed_number_of_queries(shop, django_assert_max_num_queries):
    lots, per_layer = 2_000, 100
    product, order = shop.product(), shop.order()
    MaterialLot.objects.bulk_create(
        MaterialLot(product=product, number=f"N{n}", site=shop.site, recorded_at=AT) for n in range(lots)
    )
    ids = list(MaterialLot.objects.order_by("pk").values_list("pk", flat=True))
    # Layers of 100 lots, each made of five lots of the layer before, as in a process of 20 steps.
    links = [
        (ids[n - n % per_layer - per_layer + (n + k * 7) % per_layer], ids[n])
        for n in range(per_layer, lots)
        for k in range(5)
    ]
    GenealogyLink.objects.bulk_create(
        GenealogyLink(input_lot_id=source, output_lot_id=target, work_order=order, quantity=1, occurred_at=AT)
        for source, target in links
    )
    onward = defaultdict(set)
    for source, target in links:
        onward[source].add(target)
    # From near the end the answer is small, from the beginning it is nearly everything.
    for start in (ids[-per_layer * 5], ids[0]):
        expected, ahead = set(), {start}
        while ahead:
            expected |= ahead
            ahead = set().union(*(onward[lot] for lot in ahead)) - expected
        lot = MaterialLot.objects.get(pk=start)
        with django_assert_max_num_queries(12):
            found = trace(lot, forward=True)
        assert len(found.edges) == sum(source in expected for source, _ in links)
        assert set(reached(start)) | {start} == expected
        with django_assert_max_num_queries(20):
            affected = {row.lot.pk for row in recall(lot).lots}
        assert affected | {start} == expected


@pytest.mark.django_db(transaction=True)
def test_many_who_use_and_make_the_same_lots_at_once_neither_deadlock_nor_close_a_circle(shop):
    product, orders = shop.product(), [shop.order() for _ in range(6)]
    lots = [shop.lot(f"A{number}", product, 100) for number in range(6)]

    def work(number):
        # Each order uses one lot and adds to the next: six of them would close a circle, so the last is refused.
        step = number % 6
        try:
            shop.use(lots[step], 1, orders[step])
            after = lots[(step + 1) % 6]
            shop.do("produce", product, 1, lot=after, to_location=shop.store, work_order=orders[step])
        except Conflict as refusal:
            return refusal.message
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(work, range(36)))
    assert any(answers)
    for lot in lots:
        assert lot.pk not in {edge[1] for edge in edges(lot.pk, forward=True)}
    assert rebuild_stock()[1] == 0


def test_recall_says_where_everything_went(shop):
    order = shop.order(customer="Meyer")
    flour = shop.lot("F1", shop.product(), 10)
    shop.use(flour, 4, order)
    shop.do("return", flour.product, 1, lot=flour, to_location=shop.store, work_order=order)
    shop.do("scrap", flour.product, "0.5", lot=flour, from_location=shop.store, reason="Wet.")
    dough = shop.make("D1", shop.product(), 6, order)
    shop.do("ship", dough.product, 2, lot=dough, from_location=shop.store)
    shop.undo(shop.do("ship", dough.product, 1, lot=dough, from_location=shop.store).transaction)
    part = split_lot(lot=dough, number="D1a", quantity=Decimal(1), from_location=shop.store, **shop.said).transaction
    shop.undo(part)
    rows = {row.lot.number: row for row in recall(flour).lots}
    told = {
        n: (r.brought_in, r.flow.consumed, r.flow.scrapped, r.flow.shipped, r.still_in_house) for n, r in rows.items()
    }
    assert told["F1"] == (10, 3, Decimal("0.5"), 0, Decimal("6.5"))
    assert told["D1"] == (6, 0, 0, 2, 4)
    assert (rows["D1"].customers, rows["D1"].gone) == (["Meyer"], 2)


def test_rejected_lot_is_not_shipped(shop):
    flour = shop.lot("F1", shop.product(), 10, status="quarantine")
    with pytest.raises(Conflict):
        shop.do("ship", flour.product, 1, lot=flour, from_location=shop.store)
