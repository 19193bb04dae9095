"""Non-conformances: what they hold, what is decided of them, and when they are closed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core.errors import Conflict, Invalid
from materials.models import MaterialTransaction
from quality.corrective_actions import add_action, check_action, finish_action
from quality.dispositions import dispose
from quality.models import CorrectiveAction
from quality.nonconformances import (
    About,
    approve_nonconformance,
    change_nonconformance,
    close_nonconformance,
    raise_nonconformance,
)
from quality.tests.bench import AT, Bench, minutes
from tests.factories import (
    make_location,
    make_lot,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def bench():
    return Bench()


def contained_lot(bench, quantity=100):
    place = make_location(site=bench.site)
    lot = make_lot(quantity, location=place, at=AT)
    ncr, _ = raise_nonconformance(
        site=bench.site,
        title="Wet",
        said=About(lot=lot),
        quantity=Decimal(quantity),
        actor=bench.olek,
        raised_at=AT,
        idempotency_key="k",
    )
    lot.refresh_from_db()
    return place, lot, ncr


def decide(bench, ncr, kind, quantity, **more):
    return dispose(
        nonconformance=ncr,
        kind=kind,
        quantity=Decimal(quantity),
        reason="Looked at.",
        decided_at=minutes(5),
        recorded_at=minutes(5),
        **{"actor": bench.ewa, **more},
    )[0]


def test_raising_is_answered_once_and_holds_the_lot(bench):
    _, lot, ncr = contained_lot(bench)
    again = raise_nonconformance(
        site=bench.site, title="Wet", said=About(lot=lot), actor=bench.olek, raised_at=AT, idempotency_key="k"
    )
    assert (again, lot.status, ncr.number) == ((ncr, False), "hold", "NCR-000001")


def test_scrap_and_use_as_is_move_the_lot_and_its_stock(bench):
    place, lot, ncr = contained_lot(bench)
    with pytest.raises(Invalid) as refused:
        decide(bench, ncr, "scrap", 30)
    assert refused.value.field == "from_location"
    first = decide(bench, ncr, "scrap", 30, from_location=place, idempotency_key="d")
    assert decide(bench, ncr, "scrap", 30, from_location=place, idempotency_key="d") == first
    assert (MaterialTransaction.objects.filter(kind="scrap").count(), lot.stock.get().quantity) == (1, 70)
    with pytest.raises(Conflict, match="Only 70"):
        decide(bench, ncr, "use_as_is", 71)
    lot.refresh_from_db()
    assert lot.status == "hold"
    decide(bench, ncr, "use_as_is", 70)
    lot.refresh_from_db()
    ncr.refresh_from_db()
    assert (lot.status, ncr.is_contained) == ("released", False)


def test_returned_lot_is_rejected(bench):
    _, lot, ncr = contained_lot(bench)
    decide(bench, ncr, "return", 100)
    lot.refresh_from_db()
    assert lot.status == "rejected"


def test_lot_with_another_open_one_stays_on_hold(bench):
    _, lot, ncr = contained_lot(bench)
    raise_nonconformance(site=bench.site, title="Cold", said=About(lot=lot), actor=bench.olek, raised_at=AT)
    decide(bench, ncr, "use_as_is", 100)
    lot.refresh_from_db()
    assert lot.status == "hold"


def test_nothing_is_closed_before_its_actions_were_found_effective(bench):
    _, _, ncr = contained_lot(bench)
    day = AT.date()
    action = add_action(
        nonconformance=ncr,
        description="Roof repaired",
        owner=bench.olek,
        due_date=day,
        check_date=day + timedelta(7),
    )
    decide(bench, ncr, "use_as_is", 100)
    with pytest.raises(Conflict, match=r"not approved; 'Roof repaired' is not done"):
        close_nonconformance(nonconformance=ncr, actor=bench.ewa, closed_at=minutes(9))
    with pytest.raises(Conflict, match="Whoever decided"):
        approve_nonconformance(nonconformance=ncr, actor=bench.ewa, approved_at=minutes(9))
    adam = make_user("quality", site=bench.site)
    approve_nonconformance(nonconformance=ncr, actor=adam, approved_at=minutes(9))
    checked = {"action": action, "verdict": "effective", "note": "", "actor": bench.ewa}
    with pytest.raises(Conflict, match="not done yet"):
        check_action(**checked, checked_at=AT + timedelta(8))
    finish_action(action=action, note="Done", actor=bench.olek, done_at=minutes(10))
    with pytest.raises(Conflict, match="2026-03-09"):
        check_action(**checked, checked_at=AT + timedelta(6))
    with pytest.raises(Conflict, match="owner"):
        check_action(**{**checked, "actor": bench.olek}, checked_at=AT + timedelta(8))
    with pytest.raises(Conflict, match="not checked"):
        close_nonconformance(nonconformance=ncr, actor=bench.ewa, closed_at=AT + timedelta(8))
    check_action(**checked, checked_at=AT + timedelta(8))
    closed = close_nonconformance(nonconformance=ncr, actor=bench.ewa, closed_at=AT + timedelta(8))
    assert (closed.status, CorrectiveAction.objects.get().is_closed) == ("closed", True)


def test_what_is_decided_after_the_approval_needs_another_one(bench):
    _, _, ncr = contained_lot(bench)
    adam = make_user("quality", site=bench.site)
    decide(bench, ncr, "use_as_is", 100)
    approve_nonconformance(nonconformance=ncr, actor=adam, approved_at=minutes(9))
    change_nonconformance(nonconformance=ncr, quantity=Decimal(110), actor=adam, at=minutes(10))
    decide(bench, ncr, "use_as_is", 10, actor=adam)
    with pytest.raises(Conflict, match="not approved"):
        close_nonconformance(nonconformance=ncr, actor=adam, closed_at=minutes(12))
    with pytest.raises(Conflict, match="Whoever decided"):
        approve_nonconformance(nonconformance=ncr, actor=adam, approved_at=minutes(13))


def test_closed_non_conformance_stays_and_blocks_nothing_again(bench):
    _, lot, ncr = contained_lot(bench)
    decide(bench, ncr, "use_as_is", 100)
    approve_nonconformance(nonconformance=ncr, actor=make_user("quality", site=bench.site), approved_at=minutes(9))
    close_nonconformance(nonconformance=ncr, actor=bench.ewa, closed_at=minutes(10))
    for said in ({"is_contained": True}, {"root_cause": "Another"}, {"quantity": Decimal(200)}):
        with pytest.raises(Conflict, match="closed"):
            change_nonconformance(nonconformance=ncr, **said, actor=bench.ewa, at=minutes(11))
    lot.refresh_from_db()
    ncr.refresh_from_db()
    assert (lot.status, ncr.is_contained, ncr.quantity) == ("released", False, 100)
