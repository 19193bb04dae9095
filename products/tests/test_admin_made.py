"""The pages on which an engineer sets up what can be made."""

from io import BytesIO

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from products import services
from products.models import (
    BillOfMaterialLine,
    OperationDocument,
    OperationParameter,
    ProductRevision,
    ProductUnit,
    Routing,
    RoutingOperation,
)
from tests.factories import (
    LONG_AGO,
    make_bill_line,
    make_machine,
    make_product,
    make_revision,
    make_routing,
    make_unit,
    make_user,
    make_work_order,
)
from workorders.models import Operation

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    client = Client()
    client.force_login(make_user("engineer", is_staff=True))
    return client


@pytest.fixture
def revision():
    revision = make_revision(code="A")
    ProductUnit.objects.create(product=revision.product, unit=make_unit("case"), base_quantity=12)
    make_bill_line(revision, make_product())
    operation = make_routing("FILL", revision=revision).operations.get()
    OperationParameter.objects.create(operation=operation, code="T", name="T", target=5)
    OperationDocument.objects.create(operation=operation, caption="How", content_type="image/png", size=1, content=b"x")
    return revision


def inline(name, *rows, initial=0):
    sent = {f"{name}-TOTAL_FORMS": str(len(rows)), f"{name}-INITIAL_FORMS": str(initial)}
    for number, row in enumerate(rows):
        sent |= {f"{name}-{number}-{field}": value for field, value in row.items()}
    return sent


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize(
    "model", [ProductRevision, BillOfMaterialLine, Routing, RoutingOperation, ProductUnit, "product"]
)
def test_pages_show_with_content(client, revision, model, released, django_assert_max_num_queries):
    if released:
        services.release_revision(revision=revision, valid_from=LONG_AGO)
    model = type(revision.product) if model == "product" else model
    name = f"products_{model._meta.model_name}"
    with django_assert_max_num_queries(30):
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:{name}_add")).status_code == 200
    one = revision.product if name == "products_product" else model.objects.first()
    page = client.get(reverse(f"admin:{name}_change", args=[one.pk]))
    assert page.status_code == 200
    assert client.get(reverse(f"admin:{name}_history", args=[one.pk])).status_code == 200
    frozen = released and model in (BillOfMaterialLine, Routing, RoutingOperation)
    assert ("_save" in page.content.decode()) != frozen


def test_revision_is_set_up_released_and_copied_by_forms_alone(client):
    product, part = make_product(), make_product()
    answer = client.post(
        reverse("admin:products_productrevision_add"),
        {
            "product": product.pk, "code": "A", "base_quantity": "1",
            **inline("bill_lines", {"position": 10, "component": part.pk, "kind": "component", "quantity": "2",
                                    "scrap_factor": "0", "operation_code": "FILL"}),
            **inline("routings", {"code": "main", "is_default": "on"}),
        },
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    revision = ProductRevision.objects.get()
    routing = revision.routings.get()
    answer = client.post(
        reverse("admin:products_routing_change", args=[routing.pk]),
        {
            "revision": revision.pk,
            "code": "main",
            "is_default": "on",
            **inline("operations", {"sequence": 10, "code": "FILL", "name": "Fill"}),
        },
    )
    assert answer.status_code == 302, answer.context["errors"]
    act(client, revision, "release_now")
    revision.refresh_from_db()
    assert revision.status == "released"
    page = act(client, revision, "release_now")
    assert "released already" in page
    act(client, revision, "copy_to_draft")
    assert ProductRevision.objects.get(status="draft").code == "A-2"
    act(client, revision, "make_obsolete")
    revision.refresh_from_db()
    assert revision.status == "obsolete"


def act(client, revision, action):
    url = reverse("admin:products_productrevision_changelist")
    return client.post(url, {"action": action, "_selected_action": [revision.pk]}, follow=True).content.decode()


def test_document_is_taken_on_the_page_of_its_operation(client, revision):
    operation = RoutingOperation.objects.get()
    OperationDocument.objects.all().delete()
    made = BytesIO()
    Image.new("RGB", (20, 10)).save(made, format="PNG")
    url = reverse("admin:products_routingoperation_change", args=[operation.pk])
    body = {
        "routing": operation.routing_id,
        "sequence": 10,
        "code": "FILL",
        "name": "Fill",
        **inline("parameters"),
    }

    def post(content):
        file = SimpleUploadedFile("x.png", content)
        return client.post(url, {**body, **inline("documents", {"position": 10, "caption": "How", "file": file})})

    refused = post(b"<svg/>")
    assert "Choose a picture" in refused.content.decode()
    assert post(made.getvalue()).status_code == 302
    document = OperationDocument.objects.get()
    assert (document.content_type, document.size) == ("image/png", len(bytes(document.content)))
    assert reverse("operationdocument-content", args=[document.pk]) in client.get(url).content.decode()


def test_conversion_that_contradicts_is_shown_on_the_form(client, revision):
    product = revision.product
    answer = client.post(
        reverse("admin:products_product_change", args=[product.pk]),
        {
            "code": product.code,
            "name": product.name,
            "unit": "pcs",
            "is_active": "on",
            "material_type": "finished",
            "stock_policy": "refuse_negative",
            **inline("ideal_rates"),
            **inline("units", {"quantity": "1", "unit": "dz", "base_quantity": "10"}),
            **inline("revisions"),
        },
    )
    assert answer.status_code == 200
    assert "follows from" in answer.content.decode()


def test_released_order_shows_what_was_copied(revision):
    services.release_revision(revision=revision, valid_from=LONG_AGO)
    order = make_work_order(line=make_machine().line, product=revision.product)
    supervisor = Client()
    supervisor.force_login(make_user("supervisor", is_staff=True))
    url = reverse("admin:workorders_workorder_change", args=[order.pk])
    body = {"order_number": order.order_number, "line": order.line_id, "product": order.product_id}
    body |= {"target_quantity": "1000", "status": "released", **inline("schedules"), **inline("runs")}
    answer = supervisor.post(url, body)
    assert answer.status_code == 302, answer.context["errors"]
    operation = Operation.objects.get(work_order=order)
    page = supervisor.get(url).content.decode()
    assert "FILL" in page
    for address in (
        reverse("admin:workorders_operation_changelist"),
        reverse("admin:workorders_operation_change", args=[operation.pk]),
    ):
        assert supervisor.get(address).status_code == 200
    answer = supervisor.post(
        url,
        {
            **body,
            "status": "in_progress",
            "revision": revision.pk,
            **inline("operations", initial=0),
            **inline("materials"),
        },
    )
    assert answer.status_code == 302, answer.context["errors"]


def test_menu_leads_to_pages_that_exist(client):
    for name in ("core_customfield", "enterprise_machineclass", "products_unitofmeasure"):
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200
        assert client.get(reverse(f"admin:{name}_add")).status_code == 200
    assert admin.site.is_registered(Operation)
