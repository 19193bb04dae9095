"""Files of the ERP, CSV and Excel, are imported as JSON is; what is refused is named by its row in the file."""

import io
from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from erp.files import CSV, XLSX
from erp.tests.partners import make_partner
from erp.tests.test_api import client_of
from products.models import Product
from tests.factories import make_line, make_user
from workorders.models import Customer, WorkOrder

pytestmark = pytest.mark.django_db


@pytest.fixture
def line():
    return make_line(code="L1")


@pytest.fixture
def erp(line):
    return client_of(make_partner(site=line.area.site).user)


def send(client, kind, content, content_type=CSV, status=200, **headers):
    content = content if isinstance(content, bytes) else content.encode()
    answer = client.generic("POST", f"/erp/import/{kind}/", content, content_type=content_type, headers=headers)
    assert answer.status_code == status, answer.data
    return answer.data


def workbook(*rows):
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def test_csv_of_a_german_excel_is_taken_and_the_same_again_changes_nothing(erp):
    file = "\ufeffexternal_id;line;target_quantity;customer\r\nSO-1;L1;12,5;Müller\r\n;;;\r\n# a remark;;;\r\nSO-2;L1;7;Müller\r\n"
    data = send(erp, "orders", file, f"{CSV}; charset=utf-8")
    assert data["counts"]["orders"] == {"created": 2, "updated": 0, "unchanged": 0, "refused": 0}
    assert WorkOrder.objects.get(external_id="SO-1").target_quantity == Decimal("12.5")
    assert Customer.objects.get().work_orders.count() == 2
    assert send(erp, "orders", file)["counts"]["orders"]["unchanged"] == 2


def test_refused_rows_have_the_numbers_of_the_file(erp):
    file = "external_id;line;target_quantity\nA;L1;1.234\n\nB;L1;1,5\nC;L9;2\n"
    data = send(erp, "orders", file, status=207)
    # Where one number has a comma, a point in another may mean thousands.
    assert [(one["row"], one["key"], one["field"]) for one in data["faults"]] == [
        (2, "A", "target_quantity"),
        (5, "C", "line"),
    ]


def test_workbook_is_taken_by_its_values(erp):
    # A formula that was never computed has no value: the cell says nothing, and a new product needs a name.
    content = workbook(["code", "name"], [100200, "=1+1"], [None] * 2)
    assert [(one["row"], one["field"]) for one in send(erp, "products", content, XLSX, 207)["faults"]] == [(2, "name")]
    content = workbook(["code", "name", "planned_scrap", "lot_controlled"], [100200, "Cola", 0.1, True])
    send(erp, "products", content, XLSX)
    product = Product.objects.get(code="100200")
    assert (product.name, product.planned_scrap, product.lot_controlled) == ("Cola", Decimal("0.1"), True)


@pytest.mark.parametrize(
    ("kind", "content", "content_type"),
    [
        ("orders", "external_id,colour\nA,red\n", CSV),
        ("orders", "external_id,external_id\nA,B\n", CSV),
        ("orders", "", CSV),
        ("orders", 'external_id,line\n"A,L1\n', CSV),
        ("orders", "external_id\nM\xfcller\n".encode("latin-1"), CSV),
        ("orders", "external_id\n" + "A\n" * 5001, CSV),
        ("orders", b"PK\x03\x04", XLSX),
        ("revisions", "product,code\nA,B\n", CSV),
        ("cars", "code\nA\n", CSV),
        ("orders", '{"external_id": "A"}', "application/json"),
    ],
)
def test_what_is_no_file_of_that_kind_is_a_422(erp, kind, content, content_type):
    send(erp, kind, content, content_type, status=422)


def test_list_as_json_and_a_key_that_is_repeated(erp):
    rows = '[{"external_id": "0000104711", "name": "Northern Stores"}]'
    first = send(erp, "customers", rows, "application/json", **{"Idempotency-Key": "k"})
    assert send(erp, "customers", rows, "application/json", **{"Idempotency-Key": "k"}) == first
    assert Customer.objects.get().code == "northern-stores"
    send(
        erp,
        "orders",
        '[{"external_id": "1", "line": "L1", "target_quantity": 1, "customer": "0000104711"}]',
        "application/json",
    )
    assert erp.get("/workorder/?customer=northern-stores").data["results"][0]["customer"] == "Northern Stores"
    send(erp, "customers", "external_id,name\n0000104711,North\n")
    assert erp.get("/workorder/?customer=0000104711").data["results"][0]["customer"] == "North"


def test_person_uploads_what_their_role_may_write(client, line):
    client.force_login(make_user("engineer", site=line.area.site))
    page = client.get("/erp/upload/").content.decode()
    assert "products.csv" in page
    assert "orders.csv" not in page
    assert client.get("/erp/upload/products.csv").content.startswith(b"\xef\xbb\xbf")
    file = SimpleUploadedFile("p.CSV", b"code,name\nP-1,Cola\nP 2,Lemon\n")
    answer = client.post("/erp/upload/", {"kind": "products", "file": file})
    assert answer.status_code == 200
    assert "<td>3</td><td>P 2</td><td>code</td>" in answer.content.decode()
    assert Product.objects.get().code == "P-1"
    file = SimpleUploadedFile("o.csv", b"external_id,line,target_quantity\nA,L1,1\n")
    assert client.post("/erp/upload/", {"kind": "orders", "file": file}).status_code == 422
    assert client.post("/erp/upload/", {"kind": "products"}).status_code == 422
    client.force_login(make_user("operator", site=line.area.site))
    assert client.get("/erp/upload/").status_code == 403
