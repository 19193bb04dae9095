"""Files that people send and open: bounded, harmless, the same when they come back."""

import csv
import io
import time
import zipfile
from decimal import Decimal

import openpyxl
import pytest
import tablib
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from core import spreadsheets
from core.cells import parse
from core.spreadsheets import CsvFormat, UnreadableFile, XlsxFormat

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "'=1"]


def table(*rows):
    return tablib.Dataset(*rows[1:], headers=rows[0])


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_looks_like_a_formula_is_exported_as_text(text):
    exported = CsvFormat().export_data(table(["name"], [text]))
    assert list(csv.reader(io.StringIO(exported)))[1][0].startswith("'")
    book = openpyxl.load_workbook(io.BytesIO(XlsxFormat().export_data(table(["name"], [text]))))
    assert book.worksheets[0]["A2"].data_type == "s"


# What is stored is stripped of white space at its ends, and has no control characters.
stored = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).map(str.strip)


@given(st.lists(st.tuples(stored, stored), max_size=5))
def test_text_survives_the_way_out_and_back_as_csv(rows):
    rows = [row for row in rows if any(row)]
    back = CsvFormat().create_dataset(CsvFormat().export_data(table(["a", "b"], *rows)))
    assert [tuple(cell or "" for cell in row) for row in back] == rows


@pytest.mark.parametrize(
    "number", [Decimal("0.1"), Decimal("123456789012345678.123456"), Decimal("1E+3"), Decimal("0.30000000000000004"), 7]
)
def test_a_number_survives_the_way_out_and_back_exactly(number):
    for kind in (CsvFormat, XlsxFormat):
        back = kind().create_dataset(kind().export_data(table(["n"], [number])))
        assert Decimal(str(back[0][0])) == number


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_of_any_usual_delimiter_is_read(delimiter):
    back = CsvFormat().create_dataset(f"code{delimiter}name\r\nA{delimiter} Filler \r\n")
    assert back.dict == [{"code": "A", "name": "Filler"}]


def test_a_workbook_that_unpacks_to_much_more_is_refused_before_it_is_read():
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (spreadsheets.MAX_UNPACKED_BYTES + 1))
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(UnreadableFile, match="unpacks to more than 25 MB"):
        XlsxFormat().create_dataset(bomb.getvalue())


def test_a_file_with_too_many_rows_is_refused():
    with pytest.raises(UnreadableFile, match="more than 5,000 rows"):
        CsvFormat().create_dataset("code\n" + "A\n" * (spreadsheets.MAX_ROWS + 1))


def test_a_row_far_down_an_empty_sheet_is_refused_not_lost():
    book = openpyxl.Workbook()
    book.active["A1"] = "code"
    book.active["A1000000"] = "far"
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(UnreadableFile, match="more than 5,000 rows"):
        XlsxFormat().create_dataset(out.getvalue())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", b"code,name\nA,B\n"])
def test_what_is_no_workbook_is_refused_in_words(content):
    with pytest.raises(UnreadableFile, match="no Excel workbook"):
        XlsxFormat().create_dataset(content)


@pytest.mark.parametrize("content", ["", "\n\n", ",,\n"])
def test_an_empty_file_is_refused_in_words(content):
    with pytest.raises(UnreadableFile, match="empty"):
        CsvFormat().create_dataset(content)


def test_a_row_longer_than_the_header_is_refused_with_its_number():
    with pytest.raises(UnreadableFile, match="Row 3"):
        CsvFormat().create_dataset("code,name\nA,B\nC,D,E\n")


def test_workbook_whose_parts_are_larger_than_they_say_is_refused():
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/styles.xml", b" " * 30_000_000)
    lying = bytearray(bomb.getvalue())
    at = lying.rindex(b"xl/styles.xml") - 46
    lying[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    with pytest.raises(UnreadableFile, match="damaged"):
        XlsxFormat().create_dataset(bytes(lying))


@pytest.mark.parametrize("text", ["--5", "5-", "1.5", "-", "9" * 21])
def test_what_is_no_whole_number_is_refused_in_words(text):
    with pytest.raises(ValueError, match="Write a whole number"):
        parse(models.IntegerField(), text)


def dense(part, inner, before=b"<sheetData>", after=b"</sheetData>"):
    """Return a few kilobytes of a workbook with a part that holds this between two marks."""
    packed = io.BytesIO(XlsxFormat().export_data(table(["code"], ["a"])))
    made = io.BytesIO()
    with zipfile.ZipFile(packed) as book, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as copy:
        for name in book.namelist():
            data = book.read(name)
            if name == part:
                data = data[: data.index(before) + len(before)] + inner + data[data.rindex(after) :]
            copy.writestr(name, data)
    return made.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
DENSE = {
    "cells": lambda: dense(SHEET, b"<row>" + b"<c><v>1</v></c>" * 90_000 + b"</row>"),
    "many cells": lambda: dense(SHEET, b"<row>" + b"<c><v>1</v></c>" * 1_600_000 + b"</row>"),
    "rows": lambda: dense(SHEET, b"<row/>" * 390_000),
    "many rows": lambda: dense(SHEET, b"<row/>" * 4_000_000),
    "deep": lambda: dense(SHEET, b"<a>" * 3_000_000),
    "attributes": lambda: dense(SHEET, b"<row " + b" ".join(b'a%d="1"' % n for n in range(400_000)) + b"/>"),
    "fonts": lambda: dense("xl/styles.xml", b"<font/>" * 1_400_000, b"<fonts", b"</fonts>"),
    "texts": lambda: dense("xl/sharedStrings.xml", b"<si/>" * 2_000_000, b">", b"</sst>"),
    "relations": lambda: dense("xl/_rels/workbook.xml.rels", b"<Relationship/>" * 900_000, b">", b"</Relationships>"),
}


@pytest.mark.parametrize("name", DENSE)
def test_few_bytes_that_a_parser_makes_much_of_are_refused_before(name):
    content = DENSE[name]()
    began = time.process_time()
    with pytest.raises(UnreadableFile):
        XlsxFormat().create_dataset(content)
    assert time.process_time() - began < 1
