"""What quality decides about pieces after they were counted moves them, once."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from execution.services import record_operation_run
from execution.tests.floor import AT, NOW, count, made, make_floor, minutes, report, taken
from materials.lots import NewLot
from materials.services import produce
from quality.nonconformances import About, dispose, raise_nonconformance
from tests.factories import (
    make_count_tag,
    make_location,
    make_machine,
    make_product,
    make_run,
    make_user,
    make_work_order,
)
from workorders.life import Quantities as Confirmed
from workorders.life import confirm
from workorders.models import WorkOrder
from workorders.selectors import made as made_by_order

pytestmark = pytest.mark.django_db


def decided(floor, kind, quantity, counted_as="good", at=20, operation_code="", **about):
    """Let quality decide about pieces of an order, once more for the retry; nothing of it is at a place."""
    site, who = floor.machine.line.area.site, floor.user
    said = About(**({"work_order": floor.order} | about), operation_code=operation_code)
    ncr, _ = raise_nonconformance(
        site=site, title="Scratched", said=said, quantity=Decimal(quantity), actor=who, raised_at=minutes(at)
    )
    for _ in range(2):
        dispose(
            nonconformance=ncr,
            kind=kind,
            quantity=Decimal(quantity),
            counted_as=counted_as,
            reason="Looked at",
            actor=who,
            decided_at=minutes(at),
            recorded_at=minutes(at),
            idempotency_key=f"{ncr.number}",
        )


def order_made(floor):
    found = made_by_order(WorkOrder.objects.get(pk=floor.order.pk), now=NOW)
    return found.good, found.scrap, found.rework, found.source


@pytest.mark.parametrize(
    ("kind", "counted_as", "expected"),
    [
        ("scrap", "good", (87, 8, 2)),
        ("scrap", "rework", (90, 8, -1)),
        ("scrap", "scrap", (90, 5, 2)),
        ("scrap", "", (90, 5, 2)),
        ("rework", "good", (87, 5, 5)),
        ("use_as_is", "scrap", (93, 2, 2)),
        ("return", "good", (90, 5, 2)),
    ],
)
def test_disposition_moves_pieces_from_what_they_were_counted_as_once(kind, counted_as, expected):
    floor = make_floor("CUT", "PACK")
    cut, pack = floor.operations.values()
    for operation in (cut, pack):
        record_operation_run(operation=operation, machine=floor.machine, started_at=minutes(0), taken=taken(5))
    report(pack, 90, 5, rework=2)
    decided(floor, kind, 3, counted_as)
    assert made(pack) == expected
    assert order_made(floor) == (*expected, "operations")


def test_decided_pieces_of_an_operation_are_taken_from_it_and_from_nothing_else():
    floor = make_floor("CUT", "PACK")
    cut, pack = floor.operations.values()
    for operation in (cut, pack):
        record_operation_run(operation=operation, machine=floor.machine, started_at=minutes(0), taken=taken(5))
    decided(floor, "scrap", 3, operation_code="CUT")
    report(cut, 90)
    report(pack, 80)
    assert (made(cut), made(pack)) == ((87, 3, 0), (80, 0, 0))
    assert order_made(floor) == (80, 3, 0, "operations")


def test_what_was_decided_before_a_confirmation_is_in_it_and_what_is_decided_later_is_moved():
    floor = make_floor("PACK")
    record_operation_run(operation=floor.first, machine=floor.machine, started_at=minutes(0), taken=taken(5))
    decided(floor, "scrap", 3, at=10)
    confirm(work_order=floor.order, quantities=Confirmed(good=Decimal(50)), at=minutes(15), actor=floor.user)
    decided(floor, "scrap", 4, at=20)
    confirm(work_order=floor.order, quantities=Confirmed(good=Decimal(40)), at=minutes(25), actor=floor.user)
    assert order_made(floor) == (86, 4, 0, "confirmations")


def test_ledger_and_what_was_decided_of_its_lot_are_counted_once():
    floor = make_floor("PACK")
    store = make_location(site=floor.machine.line.area.site)
    said = {"occurred_at": AT, "recorded_at": NOW, "actor": floor.user, "work_order": floor.order}
    posted = produce(
        product=floor.order.product, quantity=Decimal(30), to_location=store, lot=NewLot(number="L-1"), **said
    )
    lot = posted.transaction.lot
    # Of the order itself the ledger books the scrap; of its lot at a place it does not, and the decision tells.
    decided(floor, "scrap", 2)
    assert order_made(floor) == (30, 2, None, "ledger")
    decided(floor, "use_as_is", 1, "scrap", work_order=None, lot=lot)
    assert order_made(floor) == (31, 1, None, "ledger")


def test_runs_of_a_line_are_sorted_anew_too():
    machine = make_machine()
    tag = make_count_tag(machine=machine)
    order = make_work_order(line=machine.line, product=make_product())
    make_run(line=machine.line, work_order=order, started_at=minutes(0))
    count(tag, (10, 50))
    decided(SimpleNamespace(order=order, machine=machine, user=make_user()), "scrap", 4)
    assert order_made(SimpleNamespace(order=order)) == (46, 4, 0, "runs")
