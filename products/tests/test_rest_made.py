"""What can be made, over REST and in files: answers, refusals, sites, documents."""

from io import BytesIO

import pytest
import tablib
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient

from products import services
from products.models import BillOfMaterialLine, Routing, RoutingOperation
from products.resources import BillOfMaterialResource, ProductRevisionResource, RoutingResource
from tests.factories import (
    LONG_AGO,
    make_bill_line,
    make_machine,
    make_product,
    make_revision,
    make_routing,
    make_routing_operation,
    make_site,
    make_unit,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db


def client_of(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def boss():
    return make_user(is_superuser=True, is_staff=True)


@pytest.fixture
def api(boss):
    return client_of(boss)


def png():
    made = BytesIO()
    Image.new("RGB", (20, 10)).save(made, format="PNG")
    return SimpleUploadedFile("step.png", made.getvalue(), content_type="image/png")


def test_unit_is_named_by_its_code(api):
    made = api.post("/product/", {"name": "Flour", "unit": "kg"})
    assert (made.status_code, made.data["unit"]) == (201, "kg")
    assert api.post("/product/", {"name": "Salt"}).data["unit"] == "pcs"
    assert [row["name"] for row in api.get("/product/?unit=kg").data["results"]] == ["Flour"]
    refused = api.post("/product/", {"name": "Oil", "unit": "barrel"})
    assert refused.status_code == 400
    assert "There is no unit of measure 'barrel'" in str(refused.data["unit"])
    for bad in (5, None, ["kg"], "a\0"):
        assert api.post("/product/", {"name": "Oil", "unit": bad}).status_code == 400


def test_quantity_is_converted(api):
    product = make_product()
    api.post("/product-unit/", {"product": product.pk, "quantity": "6.3", "unit": "kg", "base_quantity": "12"})
    answer = api.get(f"/product/{product.pk}/convert/?quantity=1&from_unit=kg&to_unit=pcs")
    assert answer.data == {"quantity": "1.904761905", "exact": "40/21", "unit": "pcs"}
    refused = api.get(f"/product/{product.pk}/convert/?quantity=1&from_unit=l&to_unit=pcs")
    assert (refused.status_code, "pcs" in refused.data["detail"]) == (400, True)
    assert api.get(f"/product/{product.pk}/convert/?quantity=x&from_unit=l").status_code == 400


def test_revision_is_released_edited_no_more_and_copied(api):
    revision = make_revision(code="A")
    line = make_bill_line(revision, make_product())
    url = f"/product-revision/{revision.pk}/"
    assert api.patch(url, {"status": "released"}).data["status"] == "draft"
    released = api.post(f"{url}release/", {"valid_from": "2026-03-01T00:00:00Z"})
    assert (released.status_code, released.data["status"]) == (200, "released")
    refused = api.patch(f"/bill-of-material/{line.pk}/", {"quantity": "9"})
    assert (refused.status_code, "stays as it is" in str(refused.data)) == (409, True)
    assert api.post(f"{url}release/").status_code == 409
    copy = api.post(f"{url}copy/", {"code": "B"})
    assert (copy.status_code, copy.data["status"]) == (201, "draft")
    assert api.post(f"{url}copy/", {"code": "B"}).status_code == 400
    assert api.post(f"{url}obsolete/").data["status"] == "obsolete"


def test_bill_is_exploded_and_its_uses_found(api):
    top, part = make_product(code="TOP"), make_product(code="PART")
    revision = make_revision(product=top, base_quantity=3)
    make_bill_line(revision, part, 1)
    services.release_revision(revision=revision, valid_from=LONG_AGO)
    (row,) = api.get(f"/product-revision/{revision.pk}/explode/?quantity=10&at=2026-03-01T00:00:00Z").data
    assert (row["component_code"], row["quantity"], row["exact"]) == ("PART", "3.333333333", "10/3")
    (use,) = api.get(f"/product/{part.pk}/where-used/").data
    assert (list(use["path"]), use["revision"]) == (["PART", "TOP"], revision.pk)
    for bad in ("quantity=-1", "quantity=x", "at=2026-03-01T00:00:00", "at=never"):
        assert api.get(f"/product-revision/{revision.pk}/explode/?{bad}").status_code == 400


def test_circle_is_a_400_that_names_it(api):
    top, part = make_product(code="TOP"), make_product(code="PART")
    make_bill_line(make_revision(product=top), part)
    body = {"revision": make_revision(product=part).pk, "component": "TOP", "quantity": "1"}
    refused = api.post("/bill-of-material/", body)
    assert (refused.status_code, "PART → TOP → PART" in str(refused.data["component"])) == (400, True)


def test_operation_at_a_machine_is_only_for_its_site(api):
    here = make_site()
    machine = make_machine()
    engineer = client_of(make_user("engineer", machine.line.area.site))
    stranger = client_of(make_user("engineer", here))
    general, local = make_routing_operation(code="A"), make_routing_operation(code="B", machine=machine)
    for client, statuses in ((engineer, (200, 200)), (stranger, (200, 404))):
        found = [client.get(f"/routing-operation/{one.pk}/").status_code for one in (general, local)]
        assert tuple(found) == statuses
        assert client.patch(f"/routing-operation/{general.pk}/", {"name": "x"}).status_code == 200
    assert stranger.patch(f"/routing-operation/{general.pk}/", {"machine": machine.pk}).status_code == 400
    assert engineer.patch(f"/routing-operation/{general.pk}/", {"machine": machine.pk}).status_code == 200
    operator = client_of(make_user("operator", machine.line.area.site))
    assert operator.patch(f"/routing-operation/{local.pk}/", {"name": "x"}).status_code == 403


def test_document_is_uploaded_and_shown_to_people_of_the_site(api):
    machine = make_machine()
    operation = make_routing_operation(machine=machine)
    body = {"operation": operation.pk, "caption": "How", "file": png()}
    made = api.post("/operation-document/", body, format="multipart")
    assert (made.status_code, made.data["content_type"]) == (201, "image/png"), made.data
    url = f"/operation-document/{made.data['id']}/content/"
    people = (make_user("operator", machine.line.area.site), make_user("operator", make_site()), make_user())
    assert [client_of(one).get(url).status_code for one in people] == [200, 404, 403]
    assert APIClient().get(url).status_code == 401
    shown = api.get(url)
    assert (shown["Content-Type"], shown["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert Image.open(BytesIO(shown.content)).size == (20, 10)
    for wrong in (SimpleUploadedFile("x.png", b"<svg/>", content_type="image/png"), ""):
        refused = api.post("/operation-document/", {**body, "file": wrong}, format="multipart")
        assert (refused.status_code, "file" in refused.data) == (400, True)
    assert client_of(make_user("operator")).post("/operation-document/", body, format="multipart").status_code == 403


def test_release_of_an_order_over_rest(api):
    revision = make_revision()
    make_bill_line(revision, make_product(code="SYRUP"), 2)
    routing = make_routing("FILL", revision=revision)
    api.post(
        "/operation-parameter/", {"operation": routing.operations.get().pk, "code": "T", "name": "T", "target": 80}
    )
    services.release_revision(revision=revision, valid_from=LONG_AGO)
    line = make_machine().line
    order = make_work_order(line=line, product=revision.product)
    released = api.post(f"/workorder/{order.pk}/release/")
    assert (released.status_code, released.data["revision"]) == (200, revision.pk)
    assert api.post(f"/workorder/{order.pk}/release/").status_code == 409
    (operation,) = api.get(f"/operation/?work_order={order.pk}").data["results"]
    assert operation["parameters"][0]["target"] == "80.000000"
    (material,) = api.get(f"/order-material/?work_order={order.pk}").data["results"]
    assert (material["quantity_required"], material["unit"]) == ("2000.000000", "pcs")
    # A status that is written releases, too.
    by_patch = make_work_order(line=line, product=revision.product)
    assert api.patch(f"/workorder/{by_patch.pk}/", {"status": "released"}).data["released_at"] is not None
    assert by_patch.operations.count() == 1
    stranger = client_of(make_user("supervisor", make_site()))
    assert stranger.get(f"/operation/{operation['id']}/").status_code == 404
    assert stranger.post(f"/workorder/{by_patch.pk}/release/").status_code == 404
    assert api.post("/operation/", {}).status_code == 405


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"priority": 11}, "priority"),
        ({"parent_kind": "rework"}, "non_field_errors"),
        ({"unit": "barrel"}, "unit"),
        ({"external_id": ""}, "external_id"),
        ({"under_tolerance": "1.5"}, "under_tolerance"),
    ],
)
def test_bad_order_is_refused_by_field(api, values, field):
    body = {"order_number": "A", "line": make_machine().line.pk, "target_quantity": "5", **values}
    refused = api.post("/workorder/", body)
    assert (refused.status_code, list(refused.data)) == (400, [field])


def test_bills_and_routings_are_imported_and_exported(boss):
    make_product(code="COLA")
    syrup = make_product(code="SYRUP", unit=make_unit("l"))
    machine = make_machine()
    revisions = tablib.Dataset(("COLA", "A", "1000"), headers=("product", "code", "base_quantity"))
    assert not ProductRevisionResource(actor=boss).import_data(revisions, raise_errors=True).has_validation_errors()
    routing = tablib.Dataset(
        ("COLA", "A", "main", "10", "MIX", "Mix", machine.code, "600"),
        ("COLA", "A", "main", "20", "FILL", "Fill", "", ""),
        ("COLA", "A", "slow", "10", "MIX", "Mix", "", ""),
        headers=("product", "revision", "routing", "sequence", "code", "name", "machine", "setup_time"),
    )
    assert not RoutingResource(actor=boss).import_data(routing, raise_errors=True).has_validation_errors()
    assert list(Routing.objects.order_by("code").values_list("code", "is_default")) == [("main", True), ("slow", False)]
    assert RoutingOperation.objects.filter(machine=machine, setup_time=600).count() == 1
    bill = tablib.Dataset(
        ("COLA", "A", "10", "SYRUP", "80", "l", "MIX"),
        headers=("product", "revision", "position", "component", "quantity", "unit", "operation_code"),
    )
    resource = BillOfMaterialResource(actor=boss)
    assert not resource.import_data(bill, raise_errors=True).has_validation_errors()
    # Again, changed: the same row.
    bill = tablib.Dataset(("COLA", "A", "10", "81"), headers=("product", "revision", "position", "quantity"))
    assert not resource.import_data(bill, raise_errors=True).has_validation_errors()
    stored = BillOfMaterialLine.objects.get()
    assert (stored.component, stored.quantity) == (syrup, 81)
    out = resource.export()
    assert (out["product"], out["revision"], out["component"], out["unit"]) == (["COLA"], ["A"], ["SYRUP"], ["l"])
    back = RoutingResource(actor=boss).export()
    assert (back["routing"], back["code"]) == (["main", "main", "slow"], ["MIX", "FILL", "MIX"])
    assert all(row.import_type == "skip" for row in resource.import_data(out).rows)


def test_import_into_a_released_or_unknown_revision_is_refused(boss):
    services.release_revision(revision=make_revision(product=make_product(code="P"), code="A"), valid_from=LONG_AGO)
    make_product(code="X")
    headers = ("product", "revision", "position", "component", "quantity")
    for revision, reason in (("A", "stays as it is"), ("B", "no revision 'B' of a product 'P'")):
        result = BillOfMaterialResource(actor=boss).import_data(
            tablib.Dataset(("P", revision, "10", "X", "1"), headers=headers)
        )
        assert reason in str(result.invalid_rows[0].error)
    steps = tablib.Dataset(
        ("P", "A", "main", "10", "MIX", "Mix"),
        headers=("product", "revision", "routing", "sequence", "code", "name"),
    )
    assert "stays as it is" in str(RoutingResource(actor=boss).import_data(steps).invalid_rows[0].error)
