"""Lists leave as files: what is filtered, all of it, exact, harmless, for whoever may."""

import asyncio
import csv
import io
import json
from datetime import timedelta
from decimal import Decimal

import openpyxl
import pytest
from rest_framework.test import APIClient

from core import exports
from core.exports import Pieces, Streamed, cell_of, disposition, file_name
from core.spreadsheets import workbook_file
from core.tests.test_admin_spreadsheets import FORMULAS
from counts.models import CountHistory
from tests.factories import LONG_AGO, make_count_tag, make_machine, make_product, make_site, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    client = APIClient()
    client.force_authenticate(make_user("engineer"))
    return client


def as_csv(answer):
    assert answer.status_code == 200, answer.content
    text = b"".join(answer).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def as_workbook(answer):
    assert answer.status_code == 200, answer.content
    return openpyxl.load_workbook(io.BytesIO(b"".join(answer))).worksheets[0]


def test_a_list_is_exported_whole_under_the_names_of_the_api(api, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK", 2)
    products = [make_product() for _ in range(5)]
    rows = as_csv(api.get("/product/?format=csv&page_size=2"))
    assert [row["code"] for row in rows] == [product.code for product in products]
    assert list(rows[0]) == list(api.get("/product/").data["results"][0])


def test_an_export_has_what_is_filtered(api):
    make_product(name="Still water")
    make_product(name="Lemonade")
    assert [row["name"] for row in as_csv(api.get("/product/?search=still&format=csv"))] == ["Still water"]


def test_facts_paged_by_cursor_are_exported_in_the_order_of_their_pages(api, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK", 2)
    tag = make_count_tag()
    for minute in range(5):
        CountHistory.objects.create(
            tag=tag, occurred_at=LONG_AGO + timedelta(minutes=minute), value=Decimal(minute), recorded_at=LONG_AGO
        )
    listed = [row["id"] for row in api.get("/oee/count-history/").data["results"]]
    exported = as_csv(api.get("/oee/count-history/?format=csv"))
    assert [row["id"] for row in exported] == listed
    assert [Decimal(row["value"]) for row in exported] == [4, 3, 2, 1, 0]


def test_number_of_queries_follows_the_chunks_and_not_the_rows(api, monkeypatch, django_assert_max_num_queries):
    for _ in range(30):
        make_product()
    with django_assert_max_num_queries(12):
        assert len(as_csv(api.get("/product/?format=csv"))) == 30


@pytest.mark.parametrize("text", [*FORMULAS, "+48 600", "@home", "-2+3"])
def test_no_cell_of_any_file_is_a_formula(api, text):
    make_product(name=text)
    (row,) = as_csv(api.get("/product/?format=csv"))
    assert row["name"] == f"'{text}"
    sheet = as_workbook(api.get("/product/?format=xlsx"))
    (column,) = [cell.column for cell in sheet[1] if cell.value == "name"]
    assert sheet.cell(2, column).data_type == "s"


def test_decimals_leave_exactly(api):
    machine = make_machine(hourly_cost=Decimal("12.34"))
    (row,) = as_csv(api.get(f"/machine/?code={machine.code}&format=csv"))
    assert row["hourly_cost"] == str(api.get(f"/machine/{machine.pk}").data["hourly_cost"])
    assert cell_of(Decimal("0.1")) == Decimal("0.1")
    assert cell_of(0.1) == Decimal("0.1")
    assert cell_of(True) == "true"
    assert json.loads(cell_of({"a": [1]})) == {"a": [1]}


def test_in_a_workbook_numbers_are_numbers_and_moments_are_moments(api):
    tag = make_count_tag()
    CountHistory.objects.create(tag=tag, occurred_at=LONG_AGO, value=Decimal("-12.5"), recorded_at=LONG_AGO)
    sheet = as_workbook(api.get("/oee/count-history/?format=xlsx"))
    cells = {name.value: cell for name, cell in zip(sheet[1], sheet[2], strict=True)}
    assert (cells["value"].data_type, cells["value"].value) == ("n", -12.5)
    assert (cells["occurred_at"].is_date, cells["occurred_at"].value) == (True, LONG_AGO.replace(tzinfo=None))
    assert cells["occurred_at"].number_format.endswith('"Z"')
    (row,) = as_csv(api.get("/oee/count-history/?format=csv"))
    assert row["occurred_at"] == LONG_AGO.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("title", ["a" * 40, "[Line: 1/2]*?\\'", "'", ""])
def test_a_sheet_is_named_as_excel_allows_it(title):
    with workbook_file([["a"]], title) as file:
        name = openpyxl.load_workbook(file).sheetnames[0]
    assert 0 < len(name) <= 31
    assert not set(name) & set("[]:*?/\\'")


def test_a_negative_decimal_is_a_number_and_no_text():
    from core.spreadsheets import guarded

    assert guarded("-12.500") == "-12.500"
    assert guarded("-12.5+1") == "'-12.5+1"


@pytest.mark.parametrize("role", ["operator", "erp"])
def test_who_may_not_take_lists_away_is_told(role):
    client = APIClient()
    client.force_authenticate(make_user(role))
    assert client.get("/product/").status_code == 200
    refused = client.get("/product/?format=csv")
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/json"
    assert "detail" in json.loads(refused.content)


def test_another_sites_rows_are_not_in_the_file():
    mine, other = make_machine(), make_machine()
    client = APIClient()
    client.force_authenticate(make_user("engineer", site=mine.line.area.site))
    codes = [row["code"] for row in as_csv(client.get("/machine/?format=csv"))]
    assert mine.code in codes
    assert other.code not in codes


def test_an_empty_list_is_a_file_with_its_header(api):
    answer = api.get("/site/?code=none&format=csv")
    assert b"time_zone" in b"".join(answer)


def test_a_long_workbook_is_refused_with_the_way_out(api, monkeypatch):
    monkeypatch.setattr(exports, "AT_ONCE", 1)
    make_product()
    make_product()
    refused = api.get("/product/?format=xlsx")
    assert refused.status_code == 400
    assert "/reports/export/" in str(refused.data)
    assert len(as_csv(api.get("/product/?format=csv"))) == 2


def test_an_odd_filter_of_an_export_is_a_400_in_json(api):
    refused = api.get("/machine/?line=abc&format=csv")
    assert refused.status_code == 400
    assert "line" in json.loads(refused.content)


def test_what_is_not_paged_is_a_file_too(api):
    make_site()
    answer = api.get("/oee/kpi/?format=csv")
    assert answer.status_code == 200
    assert b"oee_index" in b"".join(answer)


def test_a_server_that_is_asynchronous_never_holds_the_whole_file():
    taken = []

    def pieces():
        for number in range(3):
            taken.append(number)
            yield b"x"

    async def read():
        seen = []
        async for _ in Streamed(pieces()):
            seen.append(len(taken))
        return seen

    assert asyncio.run(read()) == [1, 2, 3]


def test_a_workbook_that_nobody_reads_is_closed_all_the_same():
    file = workbook_file([["a"]])
    Streamed(Pieces(file)).close()
    assert file.closed


def test_a_files_name_is_plain_in_any_language():
    assert file_name("../Ä b\r\n; x=1", "csv") == "Ä-b-x-1.csv"
    assert disposition("Stillstände", "csv") == "attachment; filename*=utf-8''Stillst%C3%A4nde.csv"
