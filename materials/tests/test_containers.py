"""Containers: what may be packed, what lies in what, moves and shipments of all that is in one, history, races."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from core.errors import Conflict, Invalid
from materials import containers, packing
from materials.container_models import Container, ContainerContent, ContainerPolicy, ContainerStep
from materials.container_queries import (
    containers_of_lot,
    contents_at,
    inside_at,
    rebuild_containers,
)
from materials.ledger import rebuild_stock
from materials.lots import change_lot_status
from materials.models import MaterialTransaction
from materials.selectors import pick
from materials.services import split_lot
from materials.tests.packing import PackingRoom
from materials.tests.shop import AT
from materials.tracing import recall
from tests.factories import make_location

pytestmark = pytest.mark.django_db


@pytest.fixture
def room():
    return PackingRoom()


@pytest.fixture
def lot(room):
    return room.lot("L1", room.product(name="Cola", unit_id="pcs"), 10)


def inside(container):
    return {row.lot.number: row.quantity for row in container.contents.select_related("lot")}


# --- packing ---


def test_packing_moves_no_stock_and_is_summed(room, lot):
    carton = room.carton()
    room.pack(carton, lot, 3)
    room.pack(carton, lot, 4)
    room.unpack(carton, lot, 2)
    assert inside(carton) == {"L1": 5}
    assert room.there(lot) == 10
    assert MaterialTransaction.objects.count() == 1
    room.unpack(carton, lot, 5)
    assert inside(carton) == {}
    with pytest.raises(Conflict, match="there is 0 pcs, 1 was asked for"):
        room.unpack(carton, lot, 1)


def test_more_than_is_free_at_its_place_is_not_packed(room, lot):
    first, second = room.carton(), room.carton("C-2")
    room.pack(first, lot, 8)
    with pytest.raises(Conflict, match=r"2 pcs are free, 3 was asked for\. The rest is packed \(C-1\)"):
        room.pack(second, lot, 3)
    room.pack(second, lot, 2)
    elsewhere = room.carton("C-3", location=room.side)
    with pytest.raises(Conflict, match="at Line side: 0 pcs are free"):
        room.pack(elsewhere, lot, 1)


@pytest.mark.parametrize("status", ["hold", "quarantine", "rejected"])
def test_lot_that_must_not_be_used_is_not_packed(room, lot, status):
    change_lot_status(lot=lot, to_status=status, reason="Smells.", actor=room.anna, changed_at=AT)
    with pytest.raises(Conflict, match="Smells, says") as refusal:
        room.pack(room.carton(), lot, 1)
    assert refusal.value.code == status


def test_expired_lot_is_not_packed(room):
    old = room.lot("OLD", room.product(), 10, expiry_date=date(2026, 3, 1))
    with pytest.raises(Conflict, match="expired on 2026-03-01"):
        room.pack(room.carton(), old, 1)


def test_product_without_lots_is_packed_too(room):
    screw = room.product(lot_controlled=False, unit_id="pcs")
    room.do("receive", screw, 10, to_location=room.store)
    carton = room.carton()
    packing.pack(container=carton, product=screw, quantity=Decimal(4), **room.said)
    with pytest.raises(Conflict, match="4 are packed"):
        room.do("scrap", screw, 7, from_location=room.store, reason="Rust.")
    room.act("move", carton, to_location=room.side)
    assert screw.stock.get(location=room.side).quantity == 4


@pytest.mark.parametrize(
    ("made", "quantity", "field"),
    [({"product": "other"}, 1, "product"), ({}, 0, "quantity"), ({}, "0.0000001", "quantity"), ({}, "NaN", "quantity")],
)
def test_what_does_not_fit_is_refused(room, lot, made, quantity, field):
    carton = room.carton(**{name: room.product() for name in made})
    with pytest.raises(Invalid) as refusal:
        room.pack(carton, lot, quantity)
    assert refusal.value.field == field


def test_lot_is_named_where_the_product_is_kept_by_lots(room, lot):
    for wrong in ({"product": lot.product}, {"product": room.product(), "lot": lot}):
        with pytest.raises(Invalid) as refusal:
            packing.pack(container=room.carton(f"C{len(wrong)}"), quantity=Decimal(1), **wrong, **room.said)
        assert refusal.value.field == "lot"


def test_full_container_takes_no_more(room, lot):
    carton = room.carton(product=lot.product, capacity=Decimal(6))
    room.pack(carton, lot, 6)
    with pytest.raises(Conflict, match="holds 6 pcs; there are 6 in it, 1 more"):
        room.pack(carton, lot, 1)
    pallet = room.pallet(product=lot.product, capacity=Decimal(5))
    room.act("close", carton)
    with pytest.raises(Conflict, match="6 more are too many"):
        room.act("put_into", carton, into=pallet)
    with pytest.raises(Invalid, match="name that, too"):
        room.carton("C-9", capacity=Decimal(6))


# --- what is packed is not used from under a container ---


@pytest.mark.parametrize("kind", ["consume", "scrap", "ship", "move", "adjust"])
def test_packed_pieces_are_not_taken_from_stock(room, lot, kind):
    room.pack(room.carton(), lot, 8)
    more = {
        "consume": {"from_location": room.store, "work_order": room.order()},
        "scrap": {"from_location": room.store, "reason": "Broken."},
        "ship": {"from_location": room.store},
        "move": {"from_location": room.store, "to_location": room.side},
        "adjust": {"location": room.store, "reason": "Counted."},
    }[kind]
    sign = -1 if kind == "adjust" else 1
    with pytest.raises(Conflict, match=r"of 10 pcs, 8 are packed \(C-1\); 3 was asked for") as refusal:
        room.do(kind, lot.product, 3 * sign, lot=lot, **more)
    assert (refusal.value.code, refusal.value.facts) == ("packed", {"containers": ["C-1"]})
    room.do(kind, lot.product, 2 * sign, lot=lot, **more)


def test_split_and_reversal_leave_what_is_packed(room, lot):
    room.pack(room.carton(), lot, 8)
    with pytest.raises(Conflict, match="8 are packed"):
        split_lot(lot=lot, number="L1-A", quantity=Decimal(5), from_location=room.store, **room.said)
    with pytest.raises(Conflict, match="8 are packed"):
        room.undo(lot.transactions.get())


def test_suggestions_leave_out_what_is_packed(room, lot):
    room.pack(room.carton(), lot, 8)
    found = pick(product=lot.product, quantity=Decimal(5), location=room.store, at=AT)
    assert ([take.quantity for take in found.takes], found.shortage) == ([2], 3)


def test_product_that_may_be_negative_is_used_past_what_is_packed(room):
    water = room.product(lot_controlled=False, stock_policy="allow_negative")
    room.do("receive", water, 5, to_location=room.store)
    packing.pack(container=room.carton(), product=water, quantity=Decimal(4), **room.said)
    room.do("consume", water, 7, from_location=room.store, work_order=room.order())


# --- what is allowed when ---


def test_closed_container_is_left_as_it_is_and_the_refusal_says_what_is_allowed(room, lot):
    carton = room.packed(lot)
    for refused in (room.pack, room.unpack):
        with pytest.raises(Conflict, match=r"Container C-1 is closed; you cannot (un)?pack") as refusal:
            refused(carton, lot, 1)
        assert refusal.value.facts == {"allowed": ["reopen", "put_into", "move", "ship"]}
    room.act("reopen", carton)
    room.pack(carton, lot, 1)
    for action in ("reopen", "ship", "bring_back", "take_out"):
        with pytest.raises(Conflict, match="is open; you cannot"):
            room.act(action, carton, reason="x")


def test_container_in_another_is_only_taken_out_and_only_while_that_is_open(room, lot):
    pallet, (carton, _) = room.loaded(lot)
    for action, more in (("reopen", {}), ("ship", {}), ("move", {"to_location": room.side}), ("empty", {})):
        with pytest.raises(Conflict, match=r"C-1 lies in P-7; .* What can be done: take it out"):
            room.act(action, carton, **more)
    with pytest.raises(Conflict, match="P-7, which it lies in, is closed"):
        room.act("take_out", carton)
    room.act("reopen", pallet)
    room.act("take_out", carton)
    carton.refresh_from_db()
    assert carton.parent is None
    with pytest.raises(Conflict, match="is closed; you cannot put containers in it"):
        room.act("put_into", carton, into=room.packed(lot, 1, "C-8"))


def test_containers_are_nested_to_a_depth_and_a_number(room, lot, monkeypatch):
    monkeypatch.setattr(containers, "MOST_LEVELS", 3)
    nest = [room.packed(lot, 1, "N-0")]
    for number in (1, 2):
        nest.append(room.carton(f"N-{number}"))
        room.act("put_into", nest[-2], into=nest[-1])
        room.act("close", nest[-1])
    with pytest.raises(Conflict, match="at most 3 levels deep"):
        room.act("put_into", nest[-1], into=room.carton("N-3"))
    pallet = room.pallet(most_containers=1)
    room.act("put_into", room.packed(lot, 1, "C-1"), into=pallet)
    with pytest.raises(Conflict, match="P-7 holds 1 containers; it is full"):
        room.act("put_into", room.packed(lot, 1, "C-2"), into=pallet)
    monkeypatch.setattr(containers, "MOST_INSIDE", 3)
    monkeypatch.setattr(containers, "MOST_LEVELS", 9)
    with pytest.raises(Conflict, match="At most 3 containers"):
        room.act("put_into", nest[-1], into=room.pallet("P-8"))


def test_containers_meet_at_one_place_and_one_site(room, lot):
    carton, pallet = room.packed(lot), room.pallet(location=room.side)
    with pytest.raises(Conflict, match="C-1 is at Store, P-7 at Line side"):
        room.act("put_into", carton, into=pallet)
    with pytest.raises(Invalid, match="another site"):
        room.act("put_into", carton, into=PackingRoom().pallet())
    with pytest.raises(Invalid, match="into itself"):
        room.act("put_into", carton, into=carton)
    picky = room.pallet("P-8", product=room.product(name="Tea"))
    with pytest.raises(Invalid, match="P-8 holds Tea only; C-1 holds Cola"):
        room.act("put_into", carton, into=picky)


def test_database_refuses_an_open_container_in_another(room, lot):
    pallet, carton = room.pallet(), room.carton()
    with pytest.raises(IntegrityError), transaction.atomic():
        Container.objects.filter(pk=carton.pk).update(parent=pallet)
    with pytest.raises(IntegrityError), transaction.atomic():
        Container.objects.filter(pk=carton.pk).update(location=None)


# --- moves and shipments ---


def test_move_of_a_pallet_moves_all_that_is_in_it_once(room, lot):
    pallet, cartons = room.loaded(lot)
    step = room.act("move", pallet, to_location=room.side, idempotency_key="m-1")
    assert room.act("move", pallet, to_location=room.side, idempotency_key="m-1") == step
    assert (room.there(lot), room.there(lot, room.side)) == (6, 4)
    facts = MaterialTransaction.objects.filter(kind="move").order_by("pk")
    assert [(fact.quantity, fact.reason) for fact in facts] == [(2, "In C-1 on P-7."), (2, "In C-2 on P-7.")]
    assert {one.location for one in Container.objects.all()} == {room.side}
    assert [one.caused_by for one in cartons[0].steps.filter(kind="moved")] == [step]
    assert rebuild_stock()[1] == 0
    with pytest.raises(Conflict, match="moved it; move the container back"):
        room.undo(facts[0])
    with pytest.raises(Invalid, match="there already"):
        room.act("move", pallet, to_location=room.side)
    with pytest.raises(Invalid, match="another site"):
        room.act("move", pallet, to_location=make_location())
    with pytest.raises(Invalid, match="switched off"):
        room.act("move", pallet, to_location=make_location(site=room.site, is_active=False))


def test_shipment_is_all_or_nothing(room, lot):
    pallet, cartons = room.loaded(lot)
    bad = room.lot("BAD", room.product(), 5)
    room.act("reopen", pallet)
    room.act("put_into", room.packed(bad, 5, "C-9"), into=pallet)
    room.act("close", pallet)
    change_lot_status(lot=bad, to_status="hold", reason="Smells.", actor=room.anna, changed_at=AT)
    with pytest.raises(Conflict, match=r"C-9: Lot BAD of .* is on hold") as refusal:
        room.act("ship", pallet, recipient="Lidl")
    assert refusal.value.code == "hold"
    assert not MaterialTransaction.objects.filter(kind="ship").exists()
    assert set(Container.objects.values_list("status", flat=True)) == {"closed"}
    change_lot_status(lot=bad, to_status="released", reason="Fine.", actor=room.anna, changed_at=AT)
    room.act("ship", pallet, recipient="Lidl")
    assert (room.there(lot), room.there(bad)) == (6, 0)
    assert set(Container.objects.values_list("status", "location")) == {("shipped", None)}
    for action, more in (("move", {"to_location": room.side}), ("reopen", {}), ("ship", {})):
        with pytest.raises(Conflict, match=r"is shipped; you cannot .* What can be done: take the shipment back"):
            room.act(action, pallet, **more)
    with pytest.raises(Conflict, match="lies in P-7, shipped"):
        room.act("take_out", cartons[0])


def test_shipment_that_did_not_leave_is_taken_back(room, lot):
    pallet, _ = room.loaded(lot)
    room.act("move", pallet, to_location=room.side)
    room.act("ship", pallet, recipient="Lidl")
    with pytest.raises(Invalid, match="Say why"):
        room.act("bring_back", pallet)
    room.act("bring_back", pallet, reason="The lorry did not come.", idempotency_key="b")
    room.act("bring_back", pallet, reason="The lorry did not come.", idempotency_key="b")
    assert room.there(lot, room.side) == 4
    assert set(Container.objects.values_list("status", "location")) == {("closed", room.side.pk)}
    assert [str(one) for one in containers_of_lot(lot)] == [f"in carton C-{n} on pallet P-7" for n in (1, 2)]
    room.act("ship", pallet, recipient="Aldi")
    assert room.there(lot, room.side) == 0
    assert rebuild_stock()[1] == rebuild_containers()[1] == 0


def test_bin_comes_back_empty_and_what_it_carried_stays_shipped(room, lot):
    tote = room.packed(lot, 4)
    Container.objects.filter(pk=tote.pk).update(kind="bin")
    room.act("ship", tote, recipient="Lidl")
    with pytest.raises(Invalid) as refusal:
        room.act("empty", tote)
    assert refusal.value.field == "to_location"
    room.act("empty", tote, to_location=room.side)
    tote.refresh_from_db()
    assert (tote.status, tote.location, inside(tote)) == ("open", room.side, {})
    assert room.there(lot) == 6
    assert [str(one) for one in containers_of_lot(lot)] == ["in bin C-1, shipped to Lidl on 2026-03-02"]
    with pytest.raises(Conflict, match="is open; you cannot take the shipment back"):
        room.act("bring_back", tote, reason="x")
    assert rebuild_containers() == (1, 0)


def test_shipment_is_not_taken_back_once_part_of_it_is_gone(room, lot):
    pallet, (carton, _) = room.loaded(lot)
    Container.objects.filter(pk=carton.pk).update(kind="bin")
    room.act("ship", pallet)
    room.act("empty", carton, to_location=room.store)
    with pytest.raises(Conflict, match="Not all that was shipped in P-7"):
        room.act("bring_back", pallet, reason="x")


def test_emptied_container_leaves_everything_free_where_it_stands(room, lot):
    pallet, _ = room.loaded(lot)
    room.act("reopen", pallet)
    room.pack(pallet, lot, 3)
    step = room.act("empty", pallet)
    assert sorted(step.caused.values_list("kind", flat=True)) == ["taken_out", "taken_out", "unpacked"]
    assert (inside(pallet), pallet.inside.count(), room.there(lot)) == ({}, 0, 10)
    with pytest.raises(Invalid, match="move it afterwards"):
        room.act("empty", pallet, to_location=room.side)


# --- keys, numbers, times ---


def test_retry_has_one_effect_and_another_request_under_its_key_is_refused(room, lot):
    carton = room.carton(idempotency_key="o")
    assert room.carton(idempotency_key="o") == carton
    for _ in range(2):
        room.pack(carton, lot, 3, idempotency_key="p")
    assert inside(carton) == {"L1": 3}
    with pytest.raises(Conflict, match="Something else was recorded under the key 'p'"):
        room.pack(carton, lot, 4, idempotency_key="p")
    with pytest.raises(Conflict, match="Something else"):
        room.unpack(carton, lot, 3, idempotency_key="p")


def test_sscc_is_made_from_the_sites_prefix_and_given_once(room):
    with pytest.raises(Invalid, match="no GS1 company prefix"):
        room.carton("", new_sscc=True)
    ContainerPolicy.objects.create(site=room.site, gs1_company_prefix="5901234", extension_digit=3)
    first = room.carton("", new_sscc=True)
    # 3 5901234 000000001: 3·3+5+9·3+0+1·3+2+3·3+4+ … +1·3 = 62, so 8.
    assert (first.sscc, first.code) == ("359012340000000018", "359012340000000018")
    typed = room.carton("C-2", sscc_code="(00)359012340000000025")
    assert typed.sscc == "359012340000000025"
    assert room.carton("C-3", new_sscc=True).sscc == "359012340000000032"
    with pytest.raises(Conflict, match="Another container has this SSCC"):
        PackingRoom().carton("C-4", sscc_code=typed.sscc)
    with pytest.raises(Invalid, match="its last digit should be 5"):
        room.carton("C-5", sscc_code="359012340000000026")
    with pytest.raises(Invalid, match="18 digits"):
        room.carton("C-5", sscc_code="12")
    with pytest.raises(Invalid, match="Give it a code"):
        room.carton("")


def test_range_of_numbers_ends(room):
    ContainerPolicy.objects.create(site=room.site, gs1_company_prefix="590123456789")
    room.carton("C-1", new_sscc=True)
    Container.objects.update(sscc_serial=9999)
    with pytest.raises(Conflict, match="All numbers of this prefix are used"):
        room.carton("C-2", new_sscc=True)


def test_code_is_once_at_its_site(room):
    room.carton()
    with pytest.raises(Conflict, match="has a container C-1 already"):
        room.carton()
    assert PackingRoom().carton().code == "C-1"


def test_contents_are_known_at_any_time(room, lot):
    pallet, carton = room.pallet(), room.carton()
    hours = [
        {**room.said, "occurred_at": AT + timedelta(hours=n), "recorded_at": AT + timedelta(hours=n)} for n in range(6)
    ]
    room.pack(carton, lot, 3, **hours[1])
    room.unpack(carton, lot, 1, **hours[2])
    room.act("close", carton, **hours[3])
    room.act("put_into", carton, into=pallet, **hours[4])
    room.act("take_out", carton, **hours[5])
    found = [
        ([row.quantity for row in contents_at(carton, hour["occurred_at"])], inside_at(pallet, hour["occurred_at"]))
        for hour in hours
    ]
    assert found == [([], []), ([3], []), ([2], []), ([2], []), ([2], [carton]), ([2], [])]


def test_step_follows_the_last_one_and_clocks_may_differ_a_little(room, lot):
    carton = room.carton()
    step = room.pack(carton, lot, 1, occurred_at=AT - timedelta(minutes=4))
    assert step.occurred_at == AT
    with pytest.raises(Invalid, match="Something happened to it after that") as refusal:
        room.pack(carton, lot, 1, occurred_at=AT - timedelta(minutes=6))
    assert refusal.value.field == "occurred_at"
    with pytest.raises(Invalid, match="future"):
        room.pack(carton, lot, 1, occurred_at=AT + timedelta(minutes=6))


def test_recall_names_the_containers(room, lot):
    pallet, _ = room.loaded(lot, cartons=1)
    room.act("ship", pallet, recipient="Lidl")
    room.pack(room.carton("C-5"), lot, 3)
    (row,) = recall(lot).lots
    assert [str(one) for one in row.containers] == [
        "in carton C-5",
        "in carton C-1 on pallet P-7, shipped to Lidl on 2026-03-02",
    ]


def test_rebuild_mends_what_differs(room, lot):
    _, cartons = room.loaded(lot)
    ContainerContent.objects.filter(container=cartons[0]).update(quantity=9)
    Container.objects.filter(pk=cartons[1].pk).update(parent=None, status="open")
    assert rebuild_containers() == (3, 2)
    assert inside(cartons[0]) == {"L1": 2}
    assert rebuild_containers() == (3, 0)


# --- two at once ---


def at_once(acts, workers=8):
    def run(act):
        try:
            act()
        except Conflict as refusal:
            return refusal.message
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_of_many_who_pack_the_last_pieces_as_many_do_as_there_are(room, lot):
    cartons = [room.carton(f"C-{number}") for number in range(4)]
    order = room.order()

    def packs(number):
        return lambda: room.pack(cartons[number % 4], lot, 1)

    def uses():
        room.use(lot, 1, order)

    answers = at_once([uses if number % 3 == 0 else packs(number) for number in range(24)])
    packed = sum(row.quantity for row in ContainerContent.objects.all())
    assert room.there(lot) == packed
    assert answers.count(None) == 10
    assert rebuild_containers()[1] == rebuild_stock()[1] == 0


@pytest.mark.django_db(transaction=True)
def test_container_ends_in_one_other_whoever_puts_it_there(room, lot):
    carton, pallets = room.packed(lot), [room.pallet(f"P-{number}") for number in range(8)]

    def puts(pallet):
        return lambda: room.act("put_into", carton, into=pallet)

    assert at_once([puts(pallet) for pallet in pallets]).count(None) == 1
    assert ContainerStep.objects.filter(kind="put_in").count() == 1


@pytest.mark.django_db(transaction=True)
def test_pallet_moved_and_used_from_at_once_keeps_the_books(room, lot):
    pallet, _ = room.loaded(lot, cartons=3)
    order, other = room.order(), room.carton("C-9")

    def there():
        room.act("move", pallet, to_location=room.side)

    def back():
        room.act("move", pallet, to_location=room.store)

    def refusing(act):
        def quietly():
            try:
                act()
            except Invalid:
                raise Conflict("there already") from None

        return quietly

    acts = [refusing(there), refusing(back), lambda: room.use(lot, 1, order), lambda: room.pack(other, lot, 1)]
    at_once([acts[number % 4] for number in range(24)])
    for place in (room.store, room.side):
        rows = ContainerContent.objects.filter(container__location=place)
        assert sum(row.quantity for row in rows) <= room.there(lot, place)
    assert rebuild_containers()[1] == rebuild_stock()[1] == 0
