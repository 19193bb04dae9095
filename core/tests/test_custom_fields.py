"""Fields that a plant adds are typed, exact and everywhere: REST, filters, imports, exports, forms."""

import pytest
import tablib
from django.core.exceptions import ValidationError
from django.test import Client
from rest_framework.test import APIClient

from core import master_data
from core.errors import Conflict, Invalid
from core.models import CustomField
from enterprise.resources import MachineResource
from products.models import Product
from products.resources import ProductResource
from tests.factories import make_machine, make_product, make_user, make_work_order
from workorders import services

pytestmark = pytest.mark.django_db


def add_field(code, type="text", model="products.product", **values):
    return master_data.save(CustomField(code=code, label=code.capitalize(), type=type, model=model, **values))


@pytest.fixture
def boss():
    return make_user(is_superuser=True, is_staff=True)


@pytest.fixture
def api(boss):
    client = APIClient()
    client.force_authenticate(boss)
    return client


@pytest.fixture
def fields():
    add_field("colour", "choice", choices=["red", "green"])
    add_field("weight", "number")
    add_field("since", "date")
    add_field("vegan", "yes_no")
    add_field("note")


ALL = {"colour": "red", "weight": "0.1", "since": "2026-01-31", "vegan": True, "note": "ok"}


def test_values_travel_over_rest_exactly(api, fields):
    made = api.post("/product/", {"name": "Cola", "custom": {**ALL, "weight": 0.1}})
    assert (made.status_code, made.data["custom"]) == (201, ALL)
    url = f"/product/{made.data['id']}/"
    changed = api.patch(url, {"custom": {"weight": "1.50", "note": None}})
    assert changed.data["custom"] == {"colour": "red", "weight": "1.5", "since": "2026-01-31", "vegan": True}
    assert api.patch(url, {"name": "Cola light"}).data["custom"]["weight"] == "1.5"
    assert api.put(url, {"name": "Cola", "code": "c", "custom": {}}).data["custom"] == {}


@pytest.mark.parametrize(
    ("custom", "reason"),
    [
        ({"colour": "blue"}, "'blue' is none of: red, green"),
        ({"weight": "heavy"}, "Write a number"),
        ({"weight": "NaN"}, "no number"),
        ({"weight": "1e400"}, "more than 30 digits"),
        ({"weight": True}, "Write a number"),
        ({"since": "31.1.2026"}, "Write a date"),
        ({"since": 20260131}, "Write a date"),
        ({"vegan": "maybe"}, "Write yes or no"),
        ({"note": 5}, "Write text"),
        ({"note": "a\0b"}, "cannot be stored"),
        ({"taste": "sweet"}, "no field 'taste'"),
        ({"colour": ["red"]}, "none of"),
        ("red", ""),
    ],
)
def test_bad_value_is_refused_by_name(api, fields, custom, reason):
    answer = api.post("/product/", {"name": "Cola", "custom": custom})
    assert answer.status_code == 400
    assert reason in str(answer.data["custom"])


def test_lists_are_filtered_by_value(api, fields):
    for number, weight in enumerate(("1.5", "2", None)):
        custom = {"vegan": number == 0, **({"weight": weight} if weight else {})}
        master_data.save(Product(code=f"P{number}", name="P", custom=custom))

    def codes(query):
        return [row["code"] for row in api.get(f"/product/?{query}").data["results"]]

    assert codes("custom.weight=1.50") == ["P0"]
    assert codes("custom.weight=2&custom.vegan=no") == ["P1"]
    assert codes("custom.weight=") == ["P2"]
    refused = api.get("/product/?custom.taste=sweet"), api.get("/product/?custom.weight=heavy")
    assert [answer.status_code for answer in refused] == [400, 400]


def test_required_field_is_asked_of_people_and_systems_only(api):
    add_field("batch_size", "number", model="workorders.workorder", required=True)
    line = make_machine().line
    body = {"order_number": "A", "line": line.pk, "target_quantity": "5"}
    refused = api.post("/workorder/", body)
    assert (refused.status_code, "batch_size" in str(refused.data["custom"])) == (400, True)
    assert api.post("/workorder/", {**body, "custom": {"batch_size": 100}}).status_code == 201
    # An order of before the field exists can still be worked on, and so can one that a machine began.
    order = make_work_order(line=line)
    assert api.patch(f"/workorder/{order.pk}/", {"description": "urgent"}).status_code == 200
    services.start_run(work_order=order, line=line, started_at=order.history.first().history_date)


def test_value_stays_when_its_choice_or_field_is_withdrawn(api, fields):
    product = master_data.save(Product(code="P", name="P", custom={"colour": "red"}))
    field = CustomField.objects.get(code="colour")
    field.choices = ["green"]
    master_data.save(field)
    field.is_active = False
    master_data.save(field)
    answer = api.patch(f"/product/{product.pk}/", {"name": "Other", "custom": {"note": "x"}})
    assert answer.data["custom"] == {"colour": "red", "note": "x"}


def test_columns_go_out_and_come_in_again(boss, fields):
    master_data.save(Product(code="P", name="P", custom=ALL))
    resource = ProductResource(actor=boss)
    out = resource.export()
    assert set(out.headers) >= {f"custom.{code}" for code in ALL}
    Product.objects.all().delete()
    result = resource.import_data(out, raise_errors=True)
    assert not result.has_validation_errors()
    assert Product.objects.get().custom == ALL


def test_import_names_the_field_at_fault(boss, fields):
    add_field("site_code", required=True)
    resource = ProductResource(actor=boss)
    rows = tablib.Dataset(("P", "P", "blue"), headers=("code", "name", "custom.colour"))
    result = resource.import_data(rows)
    assert "colour: 'blue' is none of" in str(result.invalid_rows[0].error)
    rows = tablib.Dataset(("P", "P"), headers=("code", "name"))
    assert "custom.site_code" in str(resource.import_data(rows).invalid_rows[0].error)
    assert "custom.site_code" in ProductResource.column_names()
    assert not any(name.startswith("custom.") for name in MachineResource.column_names())


def test_admin_form_shows_and_saves_the_fields(boss, fields):
    client = Client()
    client.force_login(boss)
    product = make_product(code="P", name="P")
    url = f"/admin/products/product/{product.pk}/change/"
    empty = {
        f"{name}-{what}_FORMS": "0" for name in ("ideal_rates", "units", "revisions") for what in ("TOTAL", "INITIAL")
    }
    body = {"code": "P", "name": "P", "unit": "pcs", "is_active": "on", **empty}
    body |= {"material_type": "finished", "stock_policy": "refuse_negative"}
    page = client.get(url).content.decode()
    assert 'name="custom_colour"' in page
    sent = {"custom_colour": "red", "custom_weight": "0.10", "custom_since": "2026-01-31", "custom_vegan": "yes"}
    answer = client.post(url, {**body, **sent, "custom_note": "ok"})
    assert answer.status_code == 302, answer.context["errors"]
    product.refresh_from_db()
    assert product.custom == ALL
    assert 'value="0.1"' in client.get(url).content.decode()
    assert client.post(url, {**body, "custom_colour": "blue"}).status_code == 200


def test_field_keeps_what_its_values_were_written_with(fields):
    for name, value in {"code": "color", "type": "text", "model": "enterprise.machine"}.items():
        field = CustomField.objects.get(code="weight")
        setattr(field, name, value)
        with pytest.raises(Conflict, match="add another one"):
            master_data.save(field)


def test_field_of_nothing_and_choice_of_nothing_are_refused():
    with pytest.raises(Invalid, match=r"is none of: enterprise\.machine, products\.product, workorders\.workorder"):
        add_field("x", model="core.retention")
    with pytest.raises(ValidationError, match="has values to choose from"):
        add_field("x", "choice")
