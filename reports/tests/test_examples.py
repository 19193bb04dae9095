"""Examples for people outside: one pack is made, its workbook filled, its batch record signed and printed."""

import io
import os
from pathlib import Path

import openpyxl
import pytest
from django.core.management import call_command
from pypdf import PdfReader

from reports.comparing import compare
from reports.process_card import template
from tracking.models import SerialUnit

pytestmark = pytest.mark.django_db


def test_filled_workbook_differs_from_its_template_in_mapped_cells_only_and_nothing_stays_behind(tmp_path):
    folder = Path(os.environ.get("MES_EXAMPLES") or tmp_path)
    said = io.StringIO()
    call_command("write_examples", str(folder), stdout=said)
    empty, full = ((folder / f"process-card{end}.xlsx").read_bytes() for end in ("", "-filled"))
    found = compare(empty, full)
    assert found.formats == ()
    assert found.other_parts == ("xl/worksheets/sheet1.xml",)
    assert found.formulas == 11
    changed = {one.cell: one.now for one in found.differences}
    assert changed["J5"] == changed["K5"] == 14.5
    assert changed["F15"] == "ok"
    assert changed["G15"] == 2
    assert {cell[0] for cell in changed} <= set("JKPBFGHILNQE")
    assert openpyxl.load_workbook(io.BytesIO(full)).active["J6"].value.startswith("=COUNTIF")
    printed = "".join(page.extract_text() for page in PdfReader(folder / "batch-record.pdf").pages)
    assert "EOL testing was NOT" in printed
    # Its modules were built in by their serial numbers.
    assert "No use of" not in printed
    assert printed.count("holds") == 4
    assert "formats, formulas and shapes that differ: none" in said.getvalue()
    assert not SerialUnit.objects.exists()


def test_comparison_tells_a_changed_format_and_formula_from_a_filled_cell():
    book = openpyxl.load_workbook(io.BytesIO(template()))
    book["Process Card"]["J6"] = "=1"
    book["Process Card"]["J4"] = "PK"
    book["Process Card"]["B10"].number_format = "0.0"
    out = io.BytesIO()
    book.save(out)
    found = compare(template(), out.getvalue())
    assert [(one.cell, one.now) for one in found.differences] == [("J4", "PK")]
    assert "Process Card!J6: its formula" in found.formats
    assert "Process Card!B10: its format" in found.formats
