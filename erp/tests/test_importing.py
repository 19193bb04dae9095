"""What the ERP sends is made, changed or left as it is; a bad row says its field and keeps no other out."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from core.models import OutboxMessage
from erp.importing import MOST_ROWS
from erp.tests.partners import make_partner
from erp.tests.test_api import client_of
from materials.models import MaterialTransaction, Stock
from products.models import Product, ProductRevision
from products.services import release_revision
from tests.factories import (
    make_line,
    make_location,
    make_order_reason,
    make_product,
    make_revision,
    make_routing,
    make_user,
    make_work_order,
)
from workorders.models import Demand, WorkOrder
from workorders.services import end_run, release_order, start_run

pytestmark = pytest.mark.django_db
URL = "/erp/import/"
AT = "2026-03-02T08:00:00Z"
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def line():
    return make_line(code="L1")


@pytest.fixture
def erp(line):
    return client_of(make_partner(site=line.area.site).user)


def send(client, expected=200, /, headers=None, **rows):
    answer = client.post(URL, rows, headers=headers or {})
    assert answer.status_code == expected, answer.data
    return answer.data


def counts(data, kind):
    return tuple(data["counts"][kind][name] for name in ("created", "updated", "unchanged", "refused"))


def test_everything_at_once_and_the_same_again_changes_nothing(erp, line):
    store = make_location(site=line.area.site)
    rows = {
        "orders": [{"external_id": "SO-1", "line": "L1", "product": "100200", "target_quantity": "500", "due_at": AT}],
        "products": [{"code": "100200", "name": "Cola 1 l"}, {"code": "100300", "name": "Preform"}],
        "revisions": [
            {
                "product": "100200",
                "code": "A",
                "bill": [{"position": 10, "component": "100300", "quantity": "1.02"}],
                "routings": [
                    {
                        "code": "main",
                        "is_default": True,
                        "operations": [{"sequence": 10, "code": "FILL", "name": "Fill", "line": "L1"}],
                    }
                ],
                "release_from": "2026-01-01T00:00:00Z",
            }
        ],
        "demands": [
            {"external_id": "D-1", "site": line.area.site.code, "product": "100200", "quantity": "9", "due_at": AT}
        ],
        "stock": [{"product": "100300", "location": store.code, "quantity": "1200.5"}],
    }
    data = send(erp, **rows)
    assert [counts(data, kind) for kind in rows] == [
        (1, 0, 0, 0),
        (2, 0, 0, 0),
        (1, 0, 0, 0),
        (1, 0, 0, 0),
        (0, 1, 0, 0),
    ]
    order = WorkOrder.objects.get()
    assert (order.order_number, order.product.code, order.target_quantity) == ("SO-1", "100200", 500)
    revision = ProductRevision.objects.get()
    assert (revision.status, revision.bill_lines.get().quantity) == ("released", Decimal("1.02"))
    assert Stock.objects.get().quantity == Decimal("1200.5")
    before = {model: model.history.count() for model in (WorkOrder, Product, ProductRevision, Demand)}
    again = send(erp, **rows)
    assert {tuple(found.values()) for found in again["counts"].values()} == {(0, 0, 1, 0), (0, 0, 2, 0)}
    assert {model: model.history.count() for model in before} == before
    assert MaterialTransaction.objects.count() == 1


def test_bad_rows_are_named_and_the_good_ones_taken(erp):
    data = send(
        erp,
        207,
        products=[
            {"code": "A", "name": "A"},
            {"code": "B", "name": "B", "colour": "red"},
            {"name": "C"},
            {"code": "a/b"},
        ],
        orders=[
            {"external_id": "1", "line": "L1", "target_quantity": "NaN"},
            {"external_id": "2", "line": "nowhere", "target_quantity": 1},
            {"external_id": "3", "line": "L1", "target_quantity": 1, "planned_start_at": "2026-03-29T02:30:00"},
            {"external_id": "4", "line": "L1", "target_quantity": 1},
            {"external_id": ["x"], "line": "L1", "target_quantity": 1},
            {"external_id": "6\0", "line": "L1", "target_quantity": 1},
        ],
    )
    assert (counts(data, "products"), counts(data, "orders")) == ((1, 0, 0, 3), (1, 0, 0, 5))
    found = {(fault["kind"], fault["row"], fault["field"]) for fault in data["faults"]}
    assert {
        ("products", 2, "colour"),
        ("products", 3, "code"),
        ("products", 4, "name"),
        ("orders", 1, "target_quantity"),
        ("orders", 2, "line"),
        ("orders", 3, "planned_start_at"),
        ("orders", 5, "external_id"),
        ("orders", 6, "external_id"),
    } <= found
    assert all(fault["message"] for fault in data["faults"])
    assert WorkOrder.objects.get().external_id == "4"


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        7,
        "x",
        None,
        {"cars": []},
        {"orders": {}},
        {"orders": [1]},
        {"orders": [[]]},
        {"orders": [{}] * (MOST_ROWS + 1)},
    ],
    ids=lambda body: str(body)[:20],
)
def test_what_is_no_import_is_a_422(erp, body):
    assert erp.post(URL, body, format="json").status_code == 422


def test_key_gives_the_same_answer_and_another_content_is_refused(erp):
    headers = {"Idempotency-Key": "run-77"}
    rows = {"products": [{"code": "A", "name": "A"}, {"code": "B"}]}
    first = send(erp, 207, headers, **rows)
    assert send(erp, 207, headers, **rows) == first
    assert erp.post(URL, {"products": []}, headers=headers).status_code == 422
    assert Product.objects.filter(code="A").count() == 1


def test_order_that_is_released_follows_the_stated_rules(erp, line):
    """Its dates, priority and customer change; its product does not; its quantity until work has begun."""
    product = make_product()
    revision = {"product": product.code, "code": "A", "bill": [], "release_from": "2026-01-01T00:00:00Z"}
    order = {"external_id": "7", "line": "L1", "product": product.code, "target_quantity": "10"}
    send(erp, revisions=[revision], orders=[order])
    release_order(work_order=WorkOrder.objects.get(), at=WorkOrder.objects.get().history.latest().history_date)
    data = send(erp, orders=[{**order, "due_at": AT, "priority": 1, "target_quantity": "12"}])
    assert counts(data, "orders") == (0, 1, 0, 0)
    (fault,) = send(erp, 207, orders=[{**order, "product": make_product().code}])["faults"]
    assert (fault["field"], fault["message"]) == ("revision", "The revision is another product's.")
    (fault,) = send(
        erp, 207, revisions=[{**revision, "bill": [{"position": 10, "component": make_product().code, "quantity": 1}]}]
    )["faults"]
    assert "copy it to a new revision" in fault["message"]
    (fault,) = send(erp, 207, orders=[{"external_id": "7", "status": "closed"}])["faults"]
    assert "cannot become closed" in fault["message"]
    assert WorkOrder.objects.get().target_quantity == 12


def test_order_that_has_begun_keeps_its_quantity_and_line_and_is_cancelled_with_a_reason(erp, line):
    make_line(code="L2", area=line.area)
    product, reason = make_product(), make_order_reason("customer")
    revision = make_revision(product=product)
    make_routing("FILL", revision=revision)
    release_revision(revision=revision, valid_from=NOW)
    order = {"external_id": "7", "line": "L1", "product": product.code, "target_quantity": "10"}
    send(erp, orders=[order])
    work_order = WorkOrder.objects.get()
    release_order(work_order=work_order, at=NOW)
    send(erp, orders=[{**order, "line": "L2", "target_quantity": "11"}])
    send(erp, orders=[order])
    run = start_run(work_order=work_order, line=line, started_at=NOW)
    end_run(run=run, ended_at=NOW + timedelta(hours=1))
    work_order.operations.update(status="in_progress")

    def refused(**said):
        (fault,) = send(erp, 207, orders=[{"external_id": "7", **said}])["faults"]
        return fault["field"]

    assert refused(target_quantity="12") == "target_quantity"
    assert refused(line="L2") == "line"
    assert refused(routing_code="OTHER") == "routing_code"
    assert refused(status="cancelled") == "status_reason"
    send(erp, orders=[{"external_id": "7", "planned_end_at": AT, "customer": "Acme", "description": "Rush"}])
    send(erp, orders=[{"external_id": "7", "status": "cancelled", "status_reason": reason.code}])
    assert WorkOrder.objects.get().status == "cancelled"


def test_draft_becomes_what_was_sent_last(erp):
    parts = [make_product() for _ in range(3)]
    bill = [{"position": 10 * n, "component": part.code, "quantity": n} for n, part in enumerate(parts, start=1)]
    product = make_product()
    send(erp, revisions=[{"product": product.code, "code": "A", "bill": bill}])
    send(erp, revisions=[{"product": product.code, "code": "A", "bill": [{**bill[0], "quantity": 5}, bill[2]]}])
    rows = ProductRevision.objects.get().bill_lines.values_list("position", "quantity")
    assert list(rows) == [(10, 5), (30, 3)]


def test_stock_is_booked_as_the_difference(erp, line):
    store, product = make_location(site=line.area.site), make_product(lot_controlled=True)
    row = {"product": product.code, "location": store.code, "lot": "F1", "quantity": "10"}
    for quantity in ("10", "7.5", "7.50", "0"):
        send(erp, stock=[{**row, "quantity": quantity}])
    rows = MaterialTransaction.objects.order_by("id").values_list("kind", "quantity")
    assert list(rows) == [("receive", 10), ("adjust", Decimal("2.5")), ("adjust", Decimal("7.5"))]
    assert OutboxMessage.objects.filter(type__startswith="material.").count() == 3


def test_other_sites_are_out_of_reach(erp):
    elsewhere = make_line(code="L9")
    theirs = make_work_order(line=elsewhere, external_id="X-1")
    data = send(
        erp,
        207,
        orders=[
            {"external_id": "X-1", "description": "mine now"},
            {"external_id": "X-2", "line": "L9", "target_quantity": 1},
        ],
    )
    assert counts(data, "orders") == (0, 0, 0, 2)
    theirs.refresh_from_db()
    assert theirs.description == ""


@pytest.mark.parametrize(
    ("role", "status"), [(None, 403), ("operator", 403), ("engineer", 403), ("admin", 403), ("erp", 200)]
)
def test_who_may_import(role, status):
    client = APIClient()
    assert client.post(URL, {}).status_code == 401
    client.force_authenticate(make_user(role))
    assert client.post(URL, {"products": [{"code": "A", "name": "A"}]}).status_code == status
