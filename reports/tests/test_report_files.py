"""Reports say what screens say, to the last digit, on the page and in every file, for whoever may."""

import csv
import io
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import openpyxl
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from accounts import audit
from core import master_data
from core.intervals import Interval
from downtime.services import NewState, record_states
from oee.closing import close_shift
from oee.kpi_elements import answer
from oee.kpis import decimal_text, kpis_of, values_of
from oee.questions import Question
from quality.nonconformances import About, raise_nonconformance
from reports import audit_sections, quality_sections
from reports.document import words
from reports.files import WRITERS
from reports.kinds import KINDS, build, build_order
from reports.periods import Span, period_of
from reports.tests.plants import DAY, ENDS, NOW, STARTS, make_plant
from tests.factories import make_machine, make_reason, make_site, make_user, make_work_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant():
    return make_plant()


@pytest.fixture
def boss(plant):
    return make_user("supervisor", site=plant.site)


def document_of(plant, code="shift", span=Span.SHIFT, place=None, user=None):
    period = period_of(span, plant.machine, DAY, plant.shift.pk if span is Span.SHIFT else None)
    return build(KINDS[code], place or plant.line, period, user=user or make_user(is_superuser=True), now=NOW)


def figures_of(document):
    return {figure.code: figure for section in document.sections for figure in section.figures}


def test_numbers_are_those_of_the_kpi_service(plant):
    found = figures_of(document_of(plant))
    asked = answer(Question([plant.machine], Interval(STARTS, ENDS)), now=NOW)
    served = {one.kpi.code: one.value for one in values_of(asked.values, kpis_of([plant.machine]))}
    for code in ("oee_index", "availability", "effectiveness", "quality_ratio", "coverage"):
        assert found[code].value == served[code] is not None
    # 7 of 8 hours; 720 × 30 s in 7 h; 700 of 720.
    assert found["availability"].value == Fraction(7, 8)
    assert found["effectiveness"].value == Fraction(720 * 30, 7 * 3600)
    assert (found["good"].value, found["scrap"].value) == (700, 20)


def test_every_kpi_is_in_the_report_to_twelve_places(plant):
    document = document_of(plant)
    (table,) = next(section.tables for section in document.sections if section.code == "kpis")
    asked = answer(Question([plant.machine], Interval(STARTS, ENDS)), now=NOW)
    served = [decimal_text(one.value) for one in values_of(asked.values, kpis_of([plant.machine]))]
    assert [
        words(row.values[2], "exact", document.zone) if row.values[2] is not None else None for row in table.rows
    ] == served


def test_hours_add_up_to_the_shift(plant):
    document = document_of(plant)
    (table,) = next(section.tables for section in document.sections if section.code == "over_time")
    assert len(table.rows) == 8
    assert sum(row.values[-2] for row in table.rows) == 700
    assert sum(row.values[-1] for row in table.rows) == 20
    assert table.rows[0].values[0] == "06:00"


def test_days_of_a_week_add_up_to_it(plant):
    document = document_of(plant, "week", Span.WEEK)
    (table,) = next(section.tables for section in document.sections if section.code == "over_time")
    assert [row.values[0] for row in table.rows] == [str(DAY)]
    assert table.rows[0].values[-2] == figures_of(document)["good"].value == 700


def test_orders_have_what_they_made_in_the_time(plant):
    document = document_of(plant)
    (table,) = next(section.tables for section in document.sections if section.code == "orders")
    (row,) = table.rows
    assert row.values[0] == plant.order.order_number
    assert row.values[-2:] == (700, 20)


def test_pdf_says_the_numbers_the_period_and_the_letters_of_poland(plant):
    plant.machine.line.name = "Rozlew Żółć"
    plant.machine.line.save()
    content = WRITERS["pdf"](document_of(plant))
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert "75.00 %" in text or "Availability" in text
    for said in ("87.50 %", "700", "Morning", "Żółć", "Europe/Warsaw", "2026-03-02 06:00:00", "Jam", "page 1 of"):
        assert said in text, said


def test_pdf_leads_to_how_each_number_was_computed(plant):
    content = WRITERS["pdf"](document_of(plant))
    pages = PdfReader(io.BytesIO(content)).pages
    links = [
        str(note.get_object()["/A"]["/URI"])
        for page in pages
        for note in page.get("/Annots", [])
        if "/A" in note.get_object()
    ]
    assert any("/explain/?" in link and "kpi=oee_index" in link for link in links)
    assert any("/reports/shift/?" in link for link in links)


def test_workbook_and_csv_have_the_same_exact_numbers(plant):
    document = document_of(plant)
    exact = figures_of(document)["effectiveness"].value
    book = openpyxl.load_workbook(io.BytesIO(WRITERS["xlsx"](document)))
    rows = [[cell.value for cell in row] for sheet in book for row in sheet.iter_rows()]
    (found,) = [row for row in rows if row[0] == "Effectiveness (performance)" and "/explain/" in str(row[3])][:1]
    assert Decimal(str(found[2])) == Decimal(decimal_text(exact))
    text = WRITERS["csv"](document).decode()
    assert text.startswith("\ufeff")
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    (line,) = [line for line in lines if line and line[0] == "Effectiveness (performance)" and len(line) > 3][:1]
    assert Decimal(line[2]) == Decimal(decimal_text(exact))


def test_moments_of_a_report_are_moments_on_the_sites_clock_in_excel_and_in_csv(plant):
    document = document_of(plant)
    told = [
        (value.astimezone(document.zone), value)
        for section in document.sections
        for table in section.tables
        for row in table.rows
        for value in row.values
        if isinstance(value, datetime)
    ]
    assert told
    book = openpyxl.load_workbook(io.BytesIO(WRITERS["xlsx"](document)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.is_date]
    written = {(cell.value, cell.number_format.rpartition("ss")[2]) for cell in cells}
    assert {(local.replace(tzinfo=None), f'"{local.isoformat()[-6:]}"') for local, _ in told} <= written
    assert told[0][0].isoformat() in WRITERS["csv"](document).decode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_of_a_report_is_a_formula(text):
    plant = make_plant(jam=text)
    document = document_of(plant)
    book = openpyxl.load_workbook(io.BytesIO(WRITERS["xlsx"](document)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert [cell for cell in cells if str(cell.value).strip() == text.strip()]
    for line in csv.reader(io.StringIO(WRITERS["csv"](document).decode().removeprefix("\ufeff"))):
        assert not [cell for cell in line if cell.startswith(("=", "+", "@", "\t"))]
        assert text not in line
    assert WRITERS["pdf"](document).startswith(b"%PDF")


@pytest.mark.parametrize("code", [code for code, kind in KINDS.items() if kind.spans])
def test_every_report_is_a_page_and_three_files(client, plant, code):
    client.force_login(make_user(is_superuser=True))
    place = {"machine": plant.machine.pk} if code == "machine" else {"site": plant.site.pk}
    with time_machine.travel(NOW, tick=False):
        page = client.get(reverse("reports:report", args=[code]), {**place, "date": str(DAY)})
        assert page.status_code == 200, page.content[:500]
        assert "Europe/Warsaw" in page.content.decode()
        for form in WRITERS:
            file = client.get(reverse("reports:report", args=[code]), {**place, "date": str(DAY), "format": form})
            assert file.status_code == 200
            assert file["Content-Disposition"].endswith(f'.{form}"')


def test_order_has_a_report_of_its_runs(client, plant, boss):
    document = build_order(plant.order, user=boss, now=NOW)
    found = figures_of(document)
    assert found["good"].value == 700
    assert found["oee_index"].value is not None
    client.force_login(boss)
    answer_ = client.get(reverse("reports:order", args=[plant.order.order_number]))
    assert answer_.status_code == 200
    assert plant.product.name in answer_.content.decode()


def test_an_order_without_a_run_has_its_progress_only(plant, boss):
    document = build_order(make_work_order(line=plant.line), user=boss, now=NOW)
    assert [section.code for section in document.sections] == ["progress"]


def test_a_closed_shift_names_who_signed_it(plant, boss):
    close_shift(place=plant.line, shift_id=plant.shift.pk, shift_date=DAY, actor=boss, now=NOW)
    document = document_of(plant)
    (table,) = document.sections[0].tables
    assert table.rows[0].values[0] == str(boss)


def test_another_sites_report_is_not_there(client, plant):
    client.force_login(make_user("supervisor", site=make_site()))
    for given in ({"line": plant.line.pk}, {"place": f"machine-{plant.machine.pk}"}, {"site": plant.site.code}):
        for form in ({}, {"format": "pdf"}):
            code = "machine" if "place" in given else "day"
            assert client.get(reverse("reports:report", args=[code]), {**given, **form}).status_code == 404
    assert client.get(reverse("reports:order", args=[plant.order.order_number])).status_code == 404


def test_audit_is_for_who_may_read_it(client, plant):
    client.force_login(make_user("operator", site=plant.site))
    address = reverse("reports:report", args=["audit"])
    assert client.get(address, {"site": plant.site.pk}).status_code == 403
    assert (
        client.get(reverse("reports:report", args=["day"]), {"site": plant.site.pk, "date": str(DAY)}).status_code
        == 200
    )
    client.force_login(make_user())
    assert client.get(reverse("reports:index")).status_code == 403


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"date": "2026-02-30"}, 400),
        ({"date": "0001-01-01"}, 400),
        ({"date": "9999-12-31"}, 400),
        ({"span": "year"}, 400),
        ({"shift": "x"}, 400),
        ({"shift": "99999999999999999999"}, 400),
        ({"shift": "123456789", "date": str(DAY)}, 404),
        ({"format": "exe", "date": str(DAY)}, 404),
        ({"line": "99999999999999999999"}, 404),
        ({"shift": "9" * 5000}, 400),
        ({"line": "9" * 5000}, 404),
        ({"line": "no such"}, 404),
        ({"site": "1"}, 400),
    ],
)
def test_bad_input_is_a_4xx(client, plant, boss, given, status):
    client.force_login(boss)
    if "date" not in given:
        given = {"date": str(DAY), **given}
    asked = {"line": plant.line.pk, **given}
    with time_machine.travel(NOW, tick=False):
        assert client.get(reverse("reports:report", args=["shift"]), asked).status_code == status


def tables_of(document):
    return {table.code: table for section in document.sections for table in section.tables}


def test_what_is_left_out_of_a_table_is_counted(plant, boss, monkeypatch):
    monkeypatch.setattr(quality_sections, "MOST_ROWS", 2)
    monkeypatch.setattr(audit_sections, "MOST_ROWS", 2)
    for number in range(5):
        said = {"title": f"Bent {number}", "said": About(machine=plant.machine)}
        raise_nonconformance(site=plant.site, **said, actor=boss, raised_at=STARTS)
        audit.note(boss, site=plant.site, action=f"test.{number % 2}", actor=boss, now=STARTS)
    found = tables_of(document_of(plant, "quality"))["nonconformances"]
    assert (len(found.rows), found.left_out) == (2, 3)
    tables = tables_of(document_of(plant, "audit"))
    assert (len(tables["entries"].rows), tables["entries"].left_out) == (2, 3)
    assert [row.values for row in tables["actions"].rows] == [("test.0", 3), ("test.1", 2)]


def test_what_is_to_come_is_refused(client, plant, boss):
    client.force_login(boss)
    with time_machine.travel(NOW, tick=False):
        later = {"line": plant.line.pk, "date": str(DAY + timedelta(days=3))}
        assert client.get(reverse("reports:report", args=["day"]), later).status_code == 400
    assert client.get(reverse("reports:report", args=["none"]), {"line": plant.line.pk}).status_code == 404
    assert client.get(reverse("reports:report", args=["shift"])).status_code == 200


def test_a_place_without_a_machine_says_so(client, plant, boss):
    area = plant.line.area
    plant.machine.is_active = False
    master_data.save(plant.machine)
    client.force_login(boss)
    refused = client.get(reverse("reports:report", args=["day"]), {"area": area.pk})
    assert refused.status_code == 404
    assert b"no active machine" in refused.content


def test_queries_do_not_grow_with_machines_and_stops(plant):
    def add(number):
        other = make_machine(line=plant.line, position=number)
        states = [NewState(other.pk, STARTS + timedelta(minutes=10 * n), make_reason("unplanned").pk) for n in range(3)]
        record_states(states, recorded_at=NOW)

    def queries():
        document_of(plant, place=plant.site)
        with CaptureQueriesContext(connection) as caught:
            document_of(plant, place=plant.site)
        return len(caught)

    add(5)
    before = queries()
    for number in range(6, 9):
        add(number)
    assert queries() <= before


@pytest.mark.parametrize(
    ("code", "span", "most"), [("shift", Span.SHIFT, 57), ("downtime", Span.DAY, 57), ("week", Span.MONTH, 49)]
)
def test_a_report_reads_what_its_parts_share_once(plant, boss, django_assert_max_num_queries, code, span, most):
    period = period_of(span, plant.machine, DAY, plant.shift.pk if span is Span.SHIFT else None)
    build(KINDS[code], plant.line, period, user=boss, now=NOW)
    with django_assert_max_num_queries(most):
        build(KINDS[code], plant.line, period, user=boss, now=NOW)


def test_a_month_costs_no_queries_for_its_days(plant, boss, django_assert_max_num_queries):
    period = period_of(Span.MONTH, plant.machine, DAY)
    now = period.window.end + timedelta(days=2)
    document = build(KINDS["week"], plant.line, period, user=boss, now=now)
    assert len(tables_of(document)["over_time"].rows) == 31
    with django_assert_max_num_queries(49):
        build(KINDS["week"], plant.line, period, user=boss, now=now)
