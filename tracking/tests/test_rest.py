"""Units over REST: rights, wrong stages, keys, and what is asked of them."""

from io import BytesIO

import pytest
from PIL import Image
from rest_framework.test import APIClient

from tests.factories import make_machine, make_product, make_serial_unit, make_site, make_stage_form, make_user
from tracking.models import SerialUnit, StageEntry

pytestmark = pytest.mark.django_db


def client_of(role, site):
    client = APIClient()
    client.force_authenticate(make_user(role, site=site))
    return client


def entry(key, value="ok", **more):
    return {"stage": "A", "entries": [{"field": "check", "value": value, "key": key}], **more}


def test_unit_is_created_filled_in_and_read(django_assert_max_num_queries):
    site, product = make_site(), make_product()
    make_stage_form(product, "A", {"code": "check"})
    client = client_of("operator", site)
    body = {"product": product.pk, "site": site.pk, "serials": ["P/1", "P/2"]}
    first, _ = client.post("/tracking/unit/", body).data
    assert client.post("/tracking/unit/", body).status_code == 201
    assert SerialUnit.objects.count() == 2
    at = f"/tracking/unit/{first['id']}"
    assert client.post(f"{at}/enter", entry("k")).data["overall"] == "ready"
    assert client.post(f"{at}/enter", entry("k")).status_code == 200
    assert StageEntry.objects.count() == 1
    with django_assert_max_num_queries(12):
        assert len(client.get("/tracking/unit/?search=P/").data["results"]) == 2
    assert client.get(f"{at}/record").data["stages"][0]["fields"][0]["value"] == "ok"
    (row,) = client.get(f"/tracking/first-pass-yield/?product={product.pk}").data
    assert (row["first_passes"], row["good"], row["first_pass_yield"]) == (1, 1, "1.000000")
    assert client.post(f"{at}/dispatch", {"key": "d"}).data["status"] == "dispatched"


def test_pattern_needs_its_key_to_be_repeated():
    site, product = make_site(), make_product()
    make_stage_form(product, "A", {"code": "check"})
    client = client_of("operator", site)
    body = {"product": product.code, "site": site.code, "pattern": "BP-###", "count": 3}
    answers = [client.post("/tracking/unit/", body, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert [row["serial"] for row in answers[1].data] == ["BP-001", "BP-002", "BP-003"]
    assert SerialUnit.objects.count() == 3
    assert client.post("/tracking/unit/", {**body, "serials": ["x"]}).status_code == 400


def test_wrong_stage_is_a_409_that_says_what_is_due():
    unit = make_serial_unit("U-1")
    client = client_of("operator", unit.site)
    refused = client.post(f"/tracking/unit/{unit.pk}/complete", {"stage": "B", "key": "1"})
    assert (refused.status_code, refused.data["due"]) == (409, "A")
    assert "U-1: A comes next" in refused.data["stage"][0]
    missing = client.post(f"/tracking/unit/{unit.pk}/complete", {"stage": "A", "key": "1"})
    assert (missing.status_code, missing.data["stage"]) == (400, ["Fill in first: Check."])


@pytest.mark.parametrize(
    ("role", "action", "status"),
    [
        ("operator", "hold", 200),
        ("operator", "scrap", 403),
        ("operator", "rework", 403),
        ("supervisor", "scrap", 200),
        ("supervisor", "use-as-is", 403),
        ("quality", "use-as-is", 409),
        ("engineer", "hold", 403),
        ("erp", "hold", 403),
    ],
)
def test_role_may_what_is_its_business(role, action, status):
    unit = make_serial_unit()
    body = {"key": "1", "reason": "Because", "stage": "A"}
    answer = client_of(role, unit.site).post(f"/tracking/unit/{unit.pk}/{action}", body)
    assert answer.status_code == status, answer.data


def test_technician_may_not_fill_in_for_quality_nor_change_a_not_ok():
    unit = make_serial_unit()
    client = client_of("operator", unit.site)
    client.post(f"/tracking/unit/{unit.pk}/enter", entry("1", "not_ok"))
    assert client.post(f"/tracking/unit/{unit.pk}/enter", entry("2", "ok")).status_code == 403


def test_another_sites_unit_does_not_exist():
    unit = make_serial_unit("U-9")
    client = client_of("operator", make_site())
    for path in (f"/tracking/unit/{unit.pk}", f"/tracking/unit/{unit.pk}/record", "/tracking/unit/scan?code=U-9"):
        assert client.get(path).status_code == 404
    assert client.post(f"/tracking/unit/{unit.pk}/enter", entry("1")).status_code == 404
    assert client.get("/tracking/unit/").data["results"] == []


def test_scan_answers_with_the_next_thing_to_do():
    unit = make_serial_unit("A/B 7")
    client = client_of("operator", unit.site)
    station = make_machine()
    answer = client.get("/tracking/unit/scan", {"code": "https://mes/entry/A%2FB%207"}).data
    assert (answer["unit"]["id"], answer["stage"]["code"], answer["missing"]) == (unit.pk, "A", ["Check"])
    assert client.get("/tracking/unit/scan", {"code": "A/B 7", "station": station.pk}).status_code == 400


def test_picture_is_kept_and_shown():
    product, site = make_product(), make_site()
    make_stage_form(product, "A", {"code": "pic", "kind": "photo"})
    unit = make_serial_unit(product=product, site=site)
    client = client_of("operator", site)
    file = BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    file.name = "a.png"
    file.seek(0)
    kept = client.post(f"/tracking/unit/{unit.pk}/photo", {"file": file}, format="multipart")
    assert kept.status_code == 201, kept.data
    body = {"stage": "A", "entries": [{"field": "pic", "value": str(kept.data["id"]), "key": "1"}]}
    assert client.post(f"/tracking/unit/{unit.pk}/enter", body).data["overall"] == "ready"
    assert client.get(f"/tracking/unit/{unit.pk}/photo/{kept.data['id']}")["Content-Type"].startswith("image/")
    assert client.post(f"/tracking/unit/{unit.pk}/photo", {}, format="multipart").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"stage": "A", "entries": []},
        {"stage": "A", "entries": "x"},
        {"stage": "A", "entries": [{"field": "check"}]},
        {"stage": "Z", "entries": [{"field": "check", "value": "ok", "key": "1"}]},
        {"stage": "A", "entries": [{"field": "nope", "value": "ok", "key": "1"}]},
        {
            "stage": "A",
            "entries": [{"field": "check", "value": "ok", "key": "1", "occurred_at": "2999-01-01T00:00:00Z"}],
        },
        {"stage": "A", "entries": [{"field": "check", "value": "ok", "key": "1"}] * 2},
        {"stage": "A\0", "entries": [{"field": "check", "value": "ok", "key": "1"}]},
    ],
)
def test_odd_body_is_a_400(body):
    unit = make_serial_unit()
    assert client_of("operator", unit.site).post(f"/tracking/unit/{unit.pk}/enter", body).status_code == 400


def test_form_is_released_over_rest_and_stays():
    client = APIClient()
    client.force_authenticate(make_user(is_superuser=True))
    body = {"product": make_product().pk, "operation_code": "A", "name": "A", "positions": ["X", "Y"]}
    form = client.post("/tracking/stage-form/", body).data
    field = {"form": form["id"], "code": "f", "label": "F", "per_position": True}
    made = client.post("/tracking/stage-field/", field).data
    assert client.post(f"/tracking/stage-form/{form['id']}/release").data["status"] == "released"
    assert client.patch(f"/tracking/stage-field/{made['id']}", {"label": "G"}).status_code == 409
    assert client.delete(f"/tracking/stage-field/{made['id']}").status_code == 409
    assert client.patch(f"/tracking/stage-form/{form['id']}", {"name": "B"}).status_code == 409
    assert client.delete(f"/tracking/stage-form/{form['id']}").status_code == 409
    assert client.post(f"/tracking/stage-form/{form['id']}/revise").data["version"] == 2
