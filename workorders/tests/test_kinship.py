"""Orders that come from orders: what is split, merged and reworked adds up."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core.errors import Conflict, Invalid
from products.services import release_revision
from tests.factories import (
    make_bill_line,
    make_machine,
    make_order_reason,
    make_product,
    make_revision,
    make_routing,
    make_user,
    make_work_order,
)
from workorders import life, services
from workorders.kinship import merge_orders, rework_order, split_order
from workorders.models import WorkOrder
from workorders.selectors import family

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def line():
    return make_machine().line


@pytest.fixture
def cola():
    revision = make_revision(product=make_product(code="COLA"), base_quantity=Decimal(1000))
    make_bill_line(revision, make_product(code="SYRUP"), 80)
    make_routing("FILL", revision=revision)
    release_revision(revision=revision, valid_from=AT)
    return revision.product


def order_of(product, line, target=100, *, released=True, **more):
    order = make_work_order(line=line, product=product, target_quantity=Decimal(target), **more)
    return services.release_order(work_order=order, at=AT) if released else order


def live_total():
    return sum(order.target_quantity for order in WorkOrder.objects.exclude(status="cancelled"))


def test_split_of_a_released_order_copies_both_anew(cola, line):
    order = order_of(cola, line, 500, customer="North", priority=2)
    child = split_order(work_order=order, quantity=Decimal(200), at=AT)
    order.refresh_from_db()
    assert (order.target_quantity, child.target_quantity, child.order_number) == (300, 200, f"{order}-S1")
    assert (child.status, child.parent, child.parent_kind, child.customer.name) == ("released", order, "split", "North")
    assert [order.materials.get().quantity_required, child.materials.get().quantity_required] == [24, 16]
    assert child.operations.get().planned_quantity == 200
    assert [row.pk for row in family(child)] == [order.pk, child.pk]
    assert split_order(work_order=order, quantity=Decimal(1), at=AT).order_number == f"{order}-S2"
    with pytest.raises(Conflict, match="already"):
        split_order(work_order=order, quantity=Decimal(1), number=child.order_number, at=AT)


def test_split_is_refused_once_work_began_and_for_odd_quantities(cola, line):
    order = order_of(cola, line)
    for quantity in ("0", "-1", "100", "101", "NaN", "0.0000001"):
        with pytest.raises(Invalid) as refused:
            split_order(work_order=order, quantity=Decimal(quantity), at=AT)
        assert refused.value.field == "quantity"
    run = services.start_run(work_order=order, line=line, started_at=AT)
    with pytest.raises(Conflict, match="in_progress"):
        split_order(work_order=order, quantity=Decimal(1), at=AT)
    assert run.ended_at is None
    assert WorkOrder.objects.count() == 1


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.decimals("0.000001", "30", places=6), min_size=1, max_size=3), released=st.booleans())
def test_totals_are_conserved_by_any_splits_and_merges(cola, line, parts, released):
    WorkOrder.objects.update(status="cancelled")
    order = order_of(cola, line, 100, released=released)
    children = [split_order(work_order=order, quantity=part, at=AT) for part in parts]
    assert live_total() == 100
    merged = merge_orders(work_order=children[0], others=[order, *children[1:]], at=AT)
    assert (live_total(), merged.target_quantity) == (100, 100)
    order.refresh_from_db()
    assert (order.status, order.merged_into_id) == ("cancelled", merged.pk)
    if released:
        assert merged.materials.get().quantity_required == 8


def test_merge_names_what_differs(cola, line):
    order = order_of(cola, line)
    cases = [
        (order_of(make_product(), line), "another product"),
        (order_of(cola, make_machine().line), "another line"),
        (order_of(cola, line, released=False, revision=order.revision), "release the other"),
        (life.start(work_order=order_of(cola, line), at=AT), "in_progress"),
    ]
    for other, why in cases:
        with pytest.raises(Conflict, match=why):
            merge_orders(work_order=order, others=[other], at=AT)
    for others in ([], [order], [cases[0][0]] * 2):
        with pytest.raises(Invalid):
            merge_orders(work_order=order, others=others, at=AT)
    order.refresh_from_db()
    assert order.target_quantity == 100


def test_rework_is_at_most_what_was_made(cola, line):
    order = order_of(cola, line)
    with pytest.raises(Conflict, match="Nothing"):
        rework_order(work_order=order, quantity=Decimal(1), reason="Bent", at=AT)
    order = life.start(work_order=order, at=AT)
    life.confirm(work_order=order, quantities=life.Quantities(good=Decimal(60), rework=Decimal(5)), at=AT)
    child = rework_order(work_order=order, quantity=Decimal(5), reason="Label askew", at=AT)
    assert (child.parent, child.parent_kind, child.order_number) == (order, "rework", f"{order}-R1")
    assert "Label askew" in child.description
    with pytest.raises(Conflict, match="60 pcs are left"):
        rework_order(work_order=order, quantity=Decimal(61), reason="All", at=AT)
    life.cancel(work_order=child, reason=make_order_reason(), at=AT)
    assert rework_order(work_order=order, quantity=Decimal(65), reason="All", at=AT).target_quantity == 65


def test_over_rest(cola, line):
    client = APIClient()
    client.force_authenticate(make_user("supervisor", site=line.area.site))
    order, foreign = order_of(cola, line), order_of(cola, make_machine().line)
    one = f"/workorder/{order.pk}"
    child = client.post(f"{one}/split/", {"quantity": "40"})
    assert (child.status_code, child.data["target_quantity"]) == (201, "40.000000")
    assert client.post(f"{one}/merge/", {"orders": [foreign.pk]}).status_code == 400
    merged = client.post(f"{one}/merge/", {"orders": [child.data["id"]]})
    assert (merged.status_code, merged.data["target_quantity"]) == (200, "100.000000")
    assert client.get(f"/workorder/{child.data['id']}").data["merged_into"] == order.pk
    assert client.post(f"{one}/rework/", {"quantity": "1", "reason": "x"}).status_code == 409
    assert client.post(f"/workorder/{foreign.pk}/split/", {"quantity": "1"}).status_code == 404
