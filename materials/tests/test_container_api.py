"""Containers over REST: from open to shipped, retries, rights, bad bodies, scans and labels."""

import pytest
from rest_framework.test import APIClient

from labels.models import Label
from materials.container_models import Container, ContainerPolicy, ContainerStep
from materials.tests.packing import PackingRoom
from tests.factories import make_label_layout, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def room():
    return PackingRoom()


@pytest.fixture
def lot(room):
    return room.lot("L1", room.product(name="Cola", unit_id="pcs"), 10)


def client_of(role, site):
    client = APIClient()
    client.force_authenticate(make_user(role, site=site))
    return client


@pytest.fixture
def operator(room):
    return client_of("operator", room.site)


def post(client, container, action, **body):
    return client.post(f"/material/container/{container}/{action}/", body)


def test_carton_from_open_to_shipped(room, lot, operator):
    ContainerPolicy.objects.create(site=room.site, gs1_company_prefix="5901234")
    made = operator.post("/material/container/", {"location": room.store.code, "kind": "carton", "new_sscc": True})
    assert made.status_code == 201, made.data
    carton, number = made.data["id"], made.data["sscc"]
    packed = post(operator, carton, "pack", lot_number="L1", quantity="4", idempotency_key="p")
    assert (packed.status_code, packed.data["kind"], packed.data["quantity"]) == (201, "packed", "4.000000")
    again = post(operator, carton, "pack", lot_number="L1", quantity="4", idempotency_key="p")
    assert (again.status_code, again.data) == (200, packed.data)
    refused = post(operator, carton, "ship", recipient="Lidl")
    assert refused.status_code == 409
    assert "close" in refused.data["allowed"]
    assert post(operator, carton, "close").status_code == 201
    pallet = operator.post("/material/container/", {"location": room.store.pk, "kind": "pallet", "code": "P-7"}).data[
        "id"
    ]
    assert post(operator, carton, "put-into", into=pallet).status_code == 201
    assert post(operator, pallet, "close").status_code == 201
    assert post(operator, pallet, "move", to_location=room.side.code).status_code == 201
    assert post(operator, pallet, "ship", recipient="Lidl").status_code == 201
    there = operator.get(f"/material/lot/{lot.pk}/containers/").data
    assert [(row["path"], row["recipient"], row["location"]) for row in there] == [
        (f"carton {number} on pallet P-7", "Lidl", None)
    ]
    recall = operator.get(f"/material/lot/{lot.pk}/recall/").data["lots"][0]
    assert [row["code"] for row in recall["containers"]] == [number]
    assert f"in carton {number} on pallet P-7, shipped to Lidl" in (
        operator.get(f"/material/lot/{lot.pk}/recall.csv").content.decode()
    )
    one = operator.get(f"/material/container/{carton}/").data
    assert (one["status"], one["parent_code"], one["contents"][0]["lot_number"]) == ("shipped", "P-7", "L1")
    history = operator.get(f"/material/container/{carton}/history/").data["results"]
    assert [row["kind"] for row in history] == ["shipped", "moved", "put_in", "closed", "packed", "opened"]
    assert operator.get(f"/material/container/{pallet}/contents/").data["containers"] == [number]
    assert (
        operator.get(f"/material/container/{carton}/contents/", {"at": "2020-01-01T00:00:00Z"}).data["contents"] == []
    )
    assert post(operator, pallet, "bring-back", reason="x").status_code == 403
    boss = client_of("supervisor", room.site)
    assert post(boss, pallet, "bring-back").status_code == 400
    assert post(boss, pallet, "bring-back", reason="No lorry.").status_code == 201


def test_scan_of_an_sscc_finds_the_container(room, operator):
    number = "359012340000000018"
    carton = room.carton("C-1", sscc_code=number)
    for code in (f"(00){number}", f"]C100{number}", number, "C-1"):
        found = operator.get("/material/scan/", {"code": code}).data["containers"]
        assert [row["id"] for row in found] == [carton.pk], code
    stranger = client_of("operator", PackingRoom().site)
    assert stranger.get("/material/scan/", {"code": f"(00){number}"}).data["containers"] == []


def test_list_is_filtered_and_searched_without_a_query_for_each(room, lot, operator, django_assert_max_num_queries):
    room.packed(lot, 2, "C-1")
    room.pallet("P-7", location=room.side)

    def listed(**query):
        with django_assert_max_num_queries(12):
            return [row["code"] for row in operator.get("/material/container/", query).data["results"]]

    assert listed() == ["P-7", "C-1"]
    assert (
        listed(lot=lot.pk) == listed(lot_number="L1") == listed(holds=lot.product_id) == listed(search="L1") == ["C-1"]
    )
    assert listed(status="open") == listed(kind="pallet") == listed(location=room.side.pk) == ["P-7"]


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("", {"code": "C-2"}, "location"),
        ("", {"location": "STORE"}, "code"),
        ("", {"location": "STORE", "code": "a b"}, "code"),
        ("", {"location": "STORE", "sscc": "123"}, "sscc"),
        ("", {"location": "STORE", "code": "C-2", "kind": "crate"}, "kind"),
        ("", {"location": "STORE", "code": "C-2", "capacity": "5"}, "capacity"),
        ("", {"location": "STORE", "code": "C-2", "new_sscc": True}, "new_sscc"),
        ("", {"location": "STORE", "code": "C-2", "colour": "red"}, "colour"),
        ("pack", {"quantity": "1"}, "product"),
        ("pack", {"quantity": "1", "lot_number": "nope"}, "lot_number"),
        ("pack", {"quantity": "NaN", "lot_number": "L1"}, "quantity"),
        ("pack", {"quantity": "-1", "lot_number": "L1"}, "quantity"),
        ("pack", {"quantity": "1", "lot_number": "L1", "unit": "bar"}, "unit"),
        ("pack", {"quantity": "1", "lot_number": "L1", "occurred_at": "2026-03-02T08:00:00"}, "occurred_at"),
        ("pack", {"quantity": "1", "lot_number": "L1", "idempotency_key": "a b"}, "idempotency_key"),
        ("put-into", {"into": 99999999}, "into"),
        ("move", {"to_location": "nowhere"}, "to_location"),
        ("close", {"why": "x"}, "why"),
    ],
)
def test_bad_body_is_a_400_naming_the_field(room, lot, operator, action, body, field):
    carton = room.carton()
    body = {name: room.store.code if value == "STORE" else value for name, value in body.items()}
    answer = post(operator, carton.pk, action, **body) if action else operator.post("/material/container/", body)
    assert (answer.status_code, list(answer.data)) == (400, [field]), answer.data
    assert ContainerStep.objects.count() == 1


def test_roles_and_sites(room, lot, operator):
    carton = room.carton()
    for role in ("quality", "engineer"):
        client = client_of(role, room.site)
        assert client.get(f"/material/container/{carton.pk}/").status_code == 200
        assert post(client, carton.pk, "close").status_code == 403
        assert client.post("/material/container/", {"location": room.store.pk, "code": "C-2"}).status_code == 403
    stranger = client_of("operator", PackingRoom().site)
    assert post(stranger, carton.pk, "close").status_code == 404
    assert stranger.get("/material/container/").data["results"] == []
    foreign = PackingRoom().pallet()
    room.act("close", carton)
    assert list(post(operator, carton.pk, "put-into", into=foreign.pk).data) == ["into"]
    assert Container.objects.get(pk=carton.pk).parent is None


def test_label_of_an_sscc_is_printed(room, lot):
    layout = make_label_layout(
        site=room.site,
        labels_what="container",
        symbology="gs1_128",
        payload="(00){code}",
        text_lines=["{container} {product} {quantity} {unit} {lot}"],
        width_mm="105",
        height_mm="74",
    )
    carton = room.carton("C-1", sscc_code="359012340000000018")
    room.pack(carton, lot, 4)
    boss = client_of("supervisor", room.site)
    answer = post(boss, carton.pk, "label", layout=layout.pk, idempotency_key="l")
    assert answer.status_code == 201, answer.data
    label = Label.objects.get(batch=answer.data["batch"])
    assert (label.payload, label.texts) == ("(00)359012340000000018", ["C-1 Cola 4 pcs L1"])
    assert post(boss, carton.pk, "label", layout=layout.pk, idempotency_key="l").status_code == 200
    plain = room.carton("C-2")
    assert list(post(boss, plain.pk, "label", layout=layout.pk).data) == ["sscc"]
