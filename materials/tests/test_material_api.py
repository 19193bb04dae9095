"""The REST API of materials: one POST for every movement, retries, rights by role and site, traces, scans."""

import csv
import io

import pytest
from rest_framework.test import APIClient

from materials.models import MaterialLot, MaterialTransaction
from materials.tests.shop import AT, Shop
from tests.factories import make_user

pytestmark = pytest.mark.django_db
GTIN = "09501101530003"


@pytest.fixture
def shop():
    return Shop()


def client_of(role, site=None):
    client = APIClient()
    client.force_authenticate(make_user(role, site=site))
    return client


@pytest.fixture
def operator(shop):
    return client_of("operator", shop.site)


@pytest.fixture
def boss(shop):
    return client_of("supervisor", shop.site)


def post(client, kind, **body):
    return client.post("/material/transaction/", {"kind": kind, **body})


def test_movements_of_a_lot_from_receipt_to_reversal(shop, operator, boss):
    flour, dough, order = shop.product(), shop.product(), shop.order()
    store, side = shop.store.pk, shop.side.code
    body = {"product": flour.code, "quantity": "100", "to_location": store, "lot_number": "F1"}
    received = post(operator, "receive", **body, supplier_lot="S-7", expiry_date="2027-01-01")
    assert (received.status_code, received.data["lot_number"]) == (201, "F1")
    lot = received.data["lot"]
    refused = post(operator, "consume", lot=lot, quantity="1", from_location=store, work_order=order.pk)
    assert (refused.status_code, "in quarantine" in refused.data["lot"][0]) == (409, True)
    quality = client_of("quality", shop.site)
    decided = quality.post(f"/material/lot/{lot}/status/", {"status": "released", "reason": "Tested."})
    assert (decided.status_code, decided.data["from_status"]) == (201, "quarantine")
    assert post(operator, "issue", lot=lot, quantity="40", from_location=store, to_location=side).status_code == 201
    used = post(
        operator,
        "consume",
        product=flour.pk,
        lot_number="F1",
        quantity="30",
        from_location=side,
        work_order=order.pk,
        operation_code="10",
        idempotency_key="scan-7",
        unit_cost="0.5",
    )
    assert (used.status_code, used.data["total_cost"]) == (201, "15.000000000000")
    made = {"product": dough.pk, "quantity": "29", "to_location": store, "work_order": order.pk, "lot_number": "D1"}
    produced = post(operator, "produce", **made, inputs=[{"lot": lot, "quantity": "30"}])
    assert produced.status_code == 201
    split = post(operator, "split", lot=produced.data["lot"], lot_number="D1-A", quantity="9", from_location=store)
    assert (split.status_code, split.data["to_lot_number"]) == (201, "D1-A")
    undone = post(boss, "reversal", reverses=split.data["id"], reason="Wrong lot.")
    assert (undone.status_code, undone.data["lot_number"], undone.data["to_lot_number"]) == (201, "D1-A", "D1")
    rows = boss.get("/material/stock/", {"empty": "false", "ordering": "id"}).data["results"]
    assert [(row["lot_number"], row["location_code"], row["quantity"]) for row in rows] == [
        ("F1", shop.store.code, "60.000000"),
        ("F1", shop.side.code, "10.000000"),
        ("D1", shop.store.code, "29.000000"),
    ]
    listed = boss.get("/material/transaction/", {"lot": lot, "kind": "consume"}).data["results"]
    assert [row["idempotency_key"] for row in listed] == ["scan-7"]
    assert len(boss.get(f"/material/transaction/?location={shop.side.pk}").data["results"]) == 2
    assert boss.delete(f"/material/transaction/{listed[0]['id']}").status_code == 403
    balance = boss.get("/material/balance/", {"work_order": order.pk, "tolerance": "0.05"}).data
    assert [(row["difference"], row["within"]) for row in balance] == [("1.000000", True)]


def test_retry_is_answered_as_the_first_time(shop, operator):
    body = {"product": shop.product().pk, "quantity": 1, "to_location": shop.store.pk, "lot_number": "F1"}
    first = post(operator, "receive", **body, idempotency_key="r-1")
    again = post(operator, "receive", **body, idempotency_key="r-1")
    assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
    other = post(operator, "receive", **{**body, "quantity": 2}, idempotency_key="r-1")
    assert (other.status_code, "idempotency_key" in other.data) == (409, True)


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("eat", {}, "kind"),
        ("receive", {"quantity": 1}, "to_location"),
        ("receive", {"quantity": 1, "to_location": "STORE"}, "product"),
        ("receive", {"quantity": -1, "to_location": "STORE", "product": "P"}, "quantity"),
        ("receive", {"quantity": "NaN", "to_location": "STORE", "product": "P"}, "quantity"),
        ("receive", {"quantity": "1e30", "to_location": "STORE", "product": "P"}, "quantity"),
        ("receive", {"quantity": 1, "to_location": "STORE", "product": "P"}, "lot"),
        ("receive", {"quantity": 1, "to_location": "nowhere", "product": "P"}, "to_location"),
        ("receive", {"quantity": 1, "to_location": "STORE", "product": "P", "colour": 1}, "colour"),
        ("receive", {"quantity": 1, "to_location": "STORE", "product": "P", "lot_number": "a\0"}, "lot_number"),
        ("receive", {"quantity": 1, "to_location": "STORE", "product": "P", "lot_number": "L", "unit": "bar"}, "unit"),
        ("receive", {"quantity": 1, "to_location": "STORE", "product": "P", "batch": "B"}, "batch"),
        ("receive", {"quantity": 1, "to_location": "STORE", "product": "P", "occurred_at": "2026-03-02T08:00:00"}, "occurred_at"),
        ("consume", {"quantity": 1, "from_location": "STORE", "product": "P", "lot_number": "no"}, "work_order"),
        ("move", {"quantity": 1, "from_location": "STORE", "to_location": "STORE", "product": "P", "lot_number": "no"}, "lot_number"),
        ("adjust", {"quantity": 1, "product": "P", "reason": "x"}, "to_location"),
        ("adjust", {"quantity": -5, "to_location": "STORE", "product": "P", "reason": "x"}, "quantity"),
        ("reversal", {"reverses": 1, "reason": "x"}, "reverses"),
        ("receive", {"quantity": 1, "to_location": "STORE", "product": "P", "idempotency_key": "a b"}, "idempotency_key"),
    ],
)  # fmt: skip
def test_bad_movement_is_a_400_naming_the_field(shop, boss, kind, body, field):
    names = {"STORE": shop.store.code, "P": shop.product(code="P").code}
    answer = post(boss, kind, **{name: names.get(str(value), value) for name, value in body.items()})
    assert answer.status_code == 400
    assert field in answer.data, answer.data
    assert not MaterialTransaction.objects.exists()


@pytest.mark.parametrize(
    ("role", "kind", "expected"),
    [
        ("operator", "receive", 201),
        ("supervisor", "receive", 201),
        ("quality", "receive", 403),
        ("engineer", "receive", 403),
        ("operator", "adjust", 403),
        ("supervisor", "adjust", 201),
        ("operator", "reversal", 403),
        ("supervisor", "reversal", 201),
        ("operator", "status", 403),
        ("engineer", "status", 403),
        ("quality", "status", 201),
        ("supervisor", "status", 201),
    ],
)
def test_role_may_what_it_may(shop, role, kind, expected):
    lot, client = shop.lot("F1", shop.product()), client_of(role, shop.site)
    body = {"product": lot.product_id, "quantity": 1, "to_location": shop.store.pk, "lot_number": "F1", "reason": "x"}
    if kind == "status":
        answer = client.post(f"/material/lot/{lot.pk}/status/", {"status": "hold", "reason": "x"})
    elif kind == "reversal":
        answer = post(client, kind, reverses=lot.transactions.get().pk, reason="x")
    else:
        answer = post(client, kind, **body)
    assert answer.status_code == expected, answer.data


def test_who_takes_in_does_not_release_as_well(shop, operator, boss):
    body = {"product": shop.product().pk, "quantity": 1, "to_location": shop.store.pk, "lot_status": "released"}
    assert post(operator, "receive", **body, lot_number="F1").status_code == 403
    assert post(boss, "receive", **body, lot_number="F1").status_code == 201


def test_another_sites_lots_and_places_do_not_exist(shop, operator):
    there = Shop()
    foreign = there.lot("X1", there.product())
    for path in ("", "trace/", "recall/", "recall.csv", "status-changes/"):
        assert operator.get(f"/material/lot/{foreign.pk}/{path}").status_code == 404
    for path in ("lot", "stock", "transaction", "location"):
        ids = [row["id"] for row in operator.get(f"/material/{path}/").data["results"]]
        assert len(ids) == (2 if path == "location" else 0)
    body = {"product": foreign.product_id, "quantity": 1, "lot_number": "X2", "to_location": there.store.pk}
    assert "to_location" in post(operator, "receive", **body).data
    both = {"lot": foreign.pk, "quantity": 1, "from_location": shop.store.pk, "to_location": shop.side.pk}
    assert "lot" in post(operator, "move", **both).data
    assert operator.get("/material/scan/", {"code": "X1"}).data["lots"] == []
    query = {"work_order": there.order().pk}
    assert operator.get("/material/balance/", query).status_code == 400


def test_lot_is_noted_about_and_never_made_another(shop, boss, operator):
    lot = shop.lot("F1", shop.product())
    answer = boss.patch(f"/material/lot/{lot.pk}/", {"certificate": "COA-7", "status": "hold", "number": "F2"})
    assert (answer.status_code, answer.data["certificate"]) == (200, "COA-7")
    assert (answer.data["status"], answer.data["number"]) == ("released", "F1")
    assert operator.patch(f"/material/lot/{lot.pk}/", {"certificate": "x"}).status_code == 403
    wrong = boss.patch(f"/material/lot/{lot.pk}/", {"made_date": "2026-05-01", "expiry_date": "2026-04-01"})
    assert wrong.status_code == 400
    refused = boss.post(f"/material/lot/{lot.pk}/status/", {"status": "released", "reason": "x"})
    assert (refused.status_code, "it can become" in refused.data["status"][0]) == (409, True)
    boss.post(f"/material/lot/{lot.pk}/status/", {"status": "hold", "reason": "Smells."})
    said = boss.get(f"/material/lot/{lot.pk}/status-changes/").data["results"]
    assert [row["to_status"] for row in said] == ["hold", "released"]


def test_trace_is_a_graph_and_recall_a_file(shop, boss):
    flour, order = shop.lot("F1", shop.product(code="FLOUR")), shop.order(order_number="MIX")
    shop.use(flour, 4, order)
    dough = shop.make("D1", shop.product(code="DOUGH"), 6, order)
    graph = boss.get(f"/material/lot/{flour.pk}/trace/").data
    assert [(node["number"], node["depth"]) for node in graph["nodes"]] == [("F1", 0), ("D1", 1)]
    assert graph["edges"] == [
        {
            "input_lot": flour.pk,
            "output_lot": dough.pk,
            "work_order": order.pk,
            "order_number": "MIX",
            "quantity": "4.000000",
        }
    ]
    back = boss.get(f"/material/lot/{dough.pk}/trace/?direction=backward").data
    assert [node["number"] for node in back["nodes"]] == ["D1", "F1"]
    assert boss.get(f"/material/lot/{dough.pk}/trace/?direction=up").status_code == 400
    report = boss.get(f"/material/lot/{flour.pk}/recall/").data
    assert (report["orders"], [row["still_in_house"] for row in report["lots"]]) == (["MIX"], ["6.000000", "6.000000"])
    answer = boss.get(f"/material/lot/{flour.pk}/recall.csv")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["lot"], row["still_in_house"], row["made_by"]) for row in rows] == [
        ("F1", "6", ""),
        ("D1", "6", "MIX"),
    ]


def test_scan_says_what_a_code_means_here(shop, operator):
    product = shop.product(gtin=GTIN[1:])
    lot = shop.lot("AB-1", product, serial="4711")
    shop.lot("AB-1", shop.product())
    found = operator.get("/material/scan/", {"code": f"]C101{GTIN}17270131" + "10AB-1\x1d214711"}).data
    assert (found["is_gs1"], found["product"], [row["id"] for row in found["lots"]]) == (True, product.code, [lot.pk])
    assert [(element["ai"], element["value"]) for element in found["elements"]][1] == ("17", "2027-01-31")
    assert [row["id"] for row in operator.get("/material/scan/", {"code": f"(01){GTIN}(21)4711"}).data["lots"]] == [
        lot.pk
    ]
    plain = operator.get("/material/scan/", {"code": "AB-1"}).data
    assert (plain["is_gs1"], len(plain["lots"]), bool(plain["problem"])) == (False, 2, True)
    assert operator.get("/material/scan/", {"code": shop.store.code}).data["location"] == shop.store.code
    assert operator.get("/material/scan/").status_code == 400
    assert operator.get("/material/scan/", {"code": "\0"}).status_code in (200, 400)


def test_pick_and_backflush(shop, operator):
    sugar, order = shop.product(code="SUGAR"), shop.order()
    shop.lot("late", sugar, 5, expiry_date="2099-04-01")
    shop.lot("early", sugar, 5, expiry_date="2099-03-09")
    asked = {"product": "SUGAR", "location": shop.store.pk, "quantity": "6"}
    found = operator.get("/material/pick/", asked).data
    assert [(take["lot_number"], take["quantity"]) for take in found["takes"]] == [
        ("early", "5.000000"),
        ("late", "1.000000"),
    ]
    body = {
        "work_order": order.pk,
        "produced_quantity": "100",
        "requirements": [{"product": "SUGAR", "quantity_per_unit": "0.2"}],
        "location": shop.store.code,
        "idempotency_key": "b-1",
    }
    refused = operator.post("/material/backflush/", body)
    assert (refused.status_code, "20 kg needed" in refused.data["requirements"][0]) == (409, True)
    done = operator.post("/material/backflush/", {**body, "on_shortage": "take"})
    assert (done.status_code, done.data["shortages"][0]["missing"]) == (201, "10.000000")
    again = operator.post("/material/backflush/", {**body, "on_shortage": "take"})
    assert (again.status_code, again.data) == (200, done.data)
    assert operator.post("/material/backflush/", {**body, "requirements": []}).status_code == 400
    assert client_of("quality", shop.site).post("/material/backflush/", body).status_code == 403


@pytest.mark.parametrize("path", ["lot", "transaction", "stock"])
def test_length_of_a_list_does_not_change_its_queries(shop, boss, path, django_assert_max_num_queries):
    for number in range(6):
        shop.lot(f"F{number}", shop.product())
    assert MaterialLot.objects.first().status_at(AT) == "released"
    with django_assert_max_num_queries(6):
        assert len(boss.get(f"/material/{path}/").data["results"]) == 6
