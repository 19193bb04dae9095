"""Containers of the past: filled and shipped at once, they end as those that people packed one by one."""

from decimal import Decimal

import pytest
from django.db import transaction

from core.errors import Conflict, Invalid
from materials.bulk import Shipped, load_movements
from materials.container_bulk import Filled, load_containers
from materials.container_models import Container, ContainerContent, ContainerMovement, ContainerStep
from materials.container_queries import rebuild_containers
from materials.ledger import rebuild_stock
from materials.lots import change_lot_status
from materials.models import MaterialLot, MaterialTransaction, Stock
from materials.tests.packing import PackingRoom
from materials.tests.shop import AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def room():
    return PackingRoom()


@pytest.fixture
def lot(room):
    made = room.lot("L1", room.product(name="Cola", unit_id="pcs"), 10)
    order = room.order(product=made.product)
    MaterialLot.objects.filter(pk=made.pk).update(work_order=order)
    return MaterialLot.objects.select_related("product", "site", "work_order__product").get(pk=made.pk)


def filled(room, lot, code, quantity, **overrides):
    given = {"kind": Container.Kind.PALLET, "place": room.store, "lot": lot, "quantity": Decimal(quantity)}
    return Filled(**{"code": code, "opened_at": AT, "packed_at": AT, "closed_at": AT, **given, **overrides})


def contents():
    steps = ContainerStep.objects.values_list(
        "container__code", "kind", "lot", "quantity", "unit", "from_location", "to_location", "recipient", "occurred_at"
    )
    moved = MaterialTransaction.objects.values_list("kind", "lot", "quantity", "from_location", "occurred_at", "reason")
    return [
        sorted(rows, key=str)
        for rows in (
            Container.objects.values_list("code", "kind", "status", "location", "site"),
            ContainerContent.objects.values_list("container__code", "product", "lot", "quantity"),
            steps,
            moved,
            ContainerMovement.objects.values_list("step__container__code", "transaction__quantity"),
            Stock.objects.values_list("product", "lot", "location", "quantity"),
        )
    ]


def test_containers_written_at_once_are_those_that_were_packed_and_shipped_one_by_one(room, lot):
    def one_by_one():
        for code, quantity in (("P-1", 6), ("P-2", 3)):
            pallet = room.pallet(code)
            room.pack(pallet, lot, quantity)
            room.act("close", pallet)
            room.act("ship", pallet, recipient="Hotel")

    def at_once():
        pallets = load_containers([filled(room, lot, "P-1", 6), filled(room, lot, "P-2", 3)], actor=room.anna)
        (rest,) = [
            fact
            for fact in load_movements(
                [Shipped(at=AT, order=lot.work_order, place=room.store, containers=pallets, recipient="Hotel")],
                actor=room.anna,
            ).facts
            if not fact.reason
        ]
        assert rest.quantity == 1

    found = []
    for write in (one_by_one, at_once):
        with transaction.atomic():
            write()
            assert rebuild_containers()[1] == 0
            found.append(contents())
            transaction.set_rollback(True)
    # The one piece that is on no pallet is shipped with them, loose.
    loose = [row for row in found[1][3] if not row[-1] and row[0] == "ship"]
    assert [row[2] for row in loose] == [1]
    found[1][3] = [row for row in found[1][3] if row not in loose]
    assert [row[-1] for row in found[0][5]] == [1]
    assert found[0][:5] == found[1][:5]


@pytest.mark.parametrize(
    ("change", "refusal", "words"),
    [
        ({"quantity": Decimal(11)}, Conflict, "10 are free, 11 were packed"),
        ({"quantity": Decimal(0)}, Invalid, "greater than zero"),
        ({"opened_at": AT.replace(year=2027)}, Invalid, "in this order"),
    ],
)
def test_what_could_not_have_been_packed_is_refused(room, lot, change, refusal, words):
    with pytest.raises(refusal, match=words):
        load_containers([filled(room, lot, "P-1", **{"quantity": Decimal(5), **change})], actor=room.anna)
    assert not Container.objects.exists()


def test_a_lot_on_hold_is_not_packed_and_a_code_is_given_once(room, lot):
    load_containers([filled(room, lot, "P-1", 5)], actor=room.anna)
    with pytest.raises(Conflict, match="P-1"):
        load_containers([filled(room, lot, "P-1", 5)], actor=room.anna)
    change_lot_status(lot=lot, to_status="hold", reason="Smells.", actor=room.anna, changed_at=AT)
    with pytest.raises(Conflict, match="Smells"):
        load_containers([filled(room, lot, "P-2", 5)], actor=room.anna)
    assert rebuild_stock()[1] == 0
