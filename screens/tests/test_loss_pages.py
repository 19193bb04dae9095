"""The pages of losses, and of plan and actual."""

import csv
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from urllib.parse import unquote

import openpyxl
import pytest

from screens import plan_actual
from screens.tests.supervised import THAT_DAY, Plant
from tests.factories import (
    make_line,
    make_machine,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant():
    return Plant()


@pytest.fixture
def boss(client, plant):
    client.force_login(plant.boss)
    return client


DAYS = {"first": "2026-03-02", "last": "2026-03-02"}


def test_pareto_by_product_leads_to_the_stops_behind_it(boss, plant):
    page = boss.get(plant.url("pareto", by="product", measure="pieces", **DAYS))
    (row,) = page.context["rows"]
    assert row.name.startswith(plant.product.code)
    assert (row.row.duration, row.row.occurrences) == (timedelta(minutes=35), 2)
    assert row.row.lost_pieces == 35 * 60
    assert page.context["chart"].labels == [row.name]
    behind = boss.get(row.url)
    assert behind.context["page"].paginator.count == 2
    (of_shift,) = boss.get(plant.url("pareto", by="shift", **DAYS)).context["rows"]
    assert boss.get(of_shift.url).context["page"].paginator.count == 2
    (of_reason,) = boss.get(plant.url("pareto", by="reason", **DAYS)).context["rows"]
    assert boss.get(of_reason.url).context["page"].paginator.count == 2


def test_waterfall_adds_up_in_time_and_in_pieces(boss, plant):
    answer = boss.get(plant.url("waterfall", format="csv", **DAYS))
    rows = list(csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines()))
    assert sum(Decimal(row["Time (s)"]) for row in rows) == 24 * 3600
    pieces = {row["Code"]: Decimal(row["Pieces"]) for row in rows if row["Pieces"]}
    assert pieces["productive"] == 7200
    assert sum(pieces.values()) == 8 * 3600
    assert boss.get(plant.url("waterfall", **DAYS)).context["losses"].has_pieces


def test_plan_and_actual_by_day_line_and_order(boss, plant):
    (day,) = boss.get(plant.url("plan-actual", **DAYS)).context["rows"]
    assert (day.name, day.planned, day.good) == ("2026-03-02", 8 * 3600 * Decimal("0.85"), 7200)
    (line,) = boss.get(plant.url("plan-actual", by="line", **DAYS)).context["rows"]
    assert (line.name, line.delta) == ("Bottling", 7200 - 24480)
    (order,) = boss.get(plant.url("plan-actual", by="order", **DAYS)).context["rows"]
    assert (order.name, order.planned, order.good) == (plant.order.order_number, 1000, 7200)


def test_a_file_of_orders_has_more_than_the_page(boss, plant, monkeypatch):
    make_work_order(product=plant.product, line=plant.line, due_at=plant.order.due_at)
    monkeypatch.setattr(plan_actual, "MOST_ORDERS", 1)
    url = plant.url("plan-actual", by="order", **DAYS)
    assert len(boss.get(url).context["rows"]) == 1
    rows = list(csv.DictReader(boss.get(f"{url}&format=csv").getvalue().decode("utf-8-sig").splitlines()))
    assert rows[0]["Order"] == plant.order.order_number
    assert len(rows) == 2


def test_files_hold_no_formulas(boss, plant):
    type(plant.jam).objects.filter(pk=plant.stands.pk).update(name="=HYPERLINK(1)")
    for name in ("pareto", "stops"):
        answer = boss.get(plant.url(name, line=plant.line.code, show="all", format="csv", **DAYS, **THAT_DAY))
        assert "'=HYPERLINK" in answer.getvalue().decode()
        book = boss.get(plant.url(name, line=plant.line.code, show="all", format="xlsx", **DAYS, **THAT_DAY))
        sheet = openpyxl.load_workbook(BytesIO(book.getvalue())).worksheets[0]
        assert ("=HYPERLINK(1)", "s") in [(cell.value, cell.data_type) for row in sheet.iter_rows() for cell in row]


def test_a_pareto_in_excel_has_numbers_moments_and_the_readers_words(boss, plant):
    boss.cookies["django_language"] = "de"
    answer = boss.get(plant.url("pareto", format="xlsx", line=plant.line.code, **DAYS))
    named = unquote(answer["Content-Disposition"])
    assert named.endswith("Pareto-der-Stillstände-Bottling-2026-03-02-2026-03-02.xlsx")
    book = openpyxl.load_workbook(BytesIO(answer.getvalue()))
    (sheet,) = book.worksheets
    assert sheet.title == "Pareto der Stillstände"
    told = {name.value: cell for name, cell in zip(sheet[1], sheet[2], strict=True)}
    assert (told["Grund"].value, told["Zeit (s)"].value, told["Zählwert"].value) == ("Stand", 2100, 2)
    assert (str(told["Von"].value), told["Von"].number_format[-8:]) == ("2026-03-02 00:00:00", '"+01:00"')
    assert str(told["Bis"].value) == "2026-03-03 00:00:00"


def test_who_may_only_look_is_offered_no_file(client, plant):
    client.force_login(make_user("operator", site=plant.site))
    for name in ("pareto", "waterfall", "plan-actual", "stops"):
        assert "format=xlsx" not in client.get(plant.url(name)).content.decode(), name
        assert client.get(plant.url(name, format="csv")).status_code == 403, name


def test_choosing_another_site_lets_go_of_the_line_and_area_of_the_last_one(client, plant):
    other = make_machine(line=make_line(name="Elsewhere")).line
    client.force_login(make_user("supervisor"))
    site, line = {"site": other.area.site.code}, {"line": plant.line.code}
    moved = {**site, "area": plant.line.area.code, **line}
    for name, query in (("pareto", moved), ("waterfall", {**site, **line}), ("plan-actual", moved)):
        answer = client.get(plant.url(name, **query, **DAYS))
        assert answer.status_code == 200, name
        assert (answer.context["period"].line, answer.context["period"].lines) == (None, (other,)), name
    chosen = client.get(plant.url("floor", **moved)).context["chosen"]
    assert (chosen.site, chosen.area, chosen.lines) == (other.area.site, None, (other,))
