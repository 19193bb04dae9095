"""The customer's workbook is filled cell by cell; every other byte stays, and hostile files are refused."""

import io
import os
import re
import subprocess
import sys
import warnings
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import xlsxwriter
from PIL import Image

from reports.cells import is_date_format, serial
from reports.packages import BadWorkbook, open_book
from reports.sheets import fill_sheets
from reports.workbooks import Field, check, fill

WARSAW = ZoneInfo("Europe/Warsaw")
AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
CARD = "xl/worksheets/sheet1.xml"


def make_card(*, chart=False, own_name=False):
    """Make a process card with most of what a spreadsheet can hold."""
    out, picture = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(picture, "PNG")
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        # Made twice, it is the same file.
        book.set_properties({"created": AT})
        card, totals = book.add_worksheet("Process Card"), book.add_worksheet("Totals")
        moment = book.add_format({"num_format": "dd.mm.yyyy hh:mm", "bg_color": "yellow"})
        bold = book.add_format({"bold": True})
        card.merge_range("J6:L6", "pack", bold)
        card.write("A1", "Process card <& co>", bold)
        card.write_blank("N8", None, moment)
        card.set_column("Q:Q", 10, moment)
        card.set_row(30, 20, bold)
        card.write_formula("B2", "=SUM(C8:C20)", bold, 0)
        card.write_array_formula("F1:F3", "{=A1:A3}", None, 0)
        for row in (8, 9, 10, 12):
            card.write(row - 1, 0, row)
        card.insert_image("Q2", "x.png", {"image_data": picture})
        card.conditional_format("C8:C20", {"type": "data_bar", "data_bar_2010": True})
        card.data_validation("D8", {"validate": "list", "source": ["OK", "NOT OK"]})
        card.print_area("A1:S69")
        card.write_url("A50", "https://example.com/?a=1&b=2")
        totals.write_formula("A1", "='Process Card'!B2")
        book.define_name("PACK_ID", "='Process Card'!$J$6")
        if chart:
            drawn = book.add_chart({"type": "line"})
            drawn.add_series({"values": "='Process Card'!$C$8:$C$12"})
            card.insert_chart("A60", drawn)
        if own_name:
            card.write_formula("B3", "='Process Card'!B2")
    return out.getvalue()


def parts_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def filled(content, fields, data):
    return fill(content, fields, data, zone=WARSAW)


def loaded(content):
    """Return a workbook as openpyxl knows it; it warns of the extensions that it would lose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(io.BytesIO(content))


def sheet_of(content, name="Process Card"):
    return loaded(content)[name]


def with_part(content, name, data):
    """Return the workbook with a part replaced or added."""
    out = io.BytesIO()
    parts = parts_of(content) | {name: data}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, bytes_ in parts.items():
            archive.writestr(part, bytes_)
    return out.getvalue()


def without_cells(sheet, *references):
    """Return a sheet's XML without the named cells, and without rows that then hold nothing and say nothing."""
    for reference in references:
        sheet = re.sub(rf'<c r="{reference}"(?:[^>]*/>|[^>]*>.*?</c>)', "", sheet)
    return re.sub(r'<row r="\d+"></row>', "", sheet)


def test_only_the_mapped_cells_change_and_every_other_part_is_the_same_byte_for_byte():
    content = make_card(chart=True)
    fields = [Field("PACK_ID", "n"), Field("N8", "at"), Field("A8", "q"), Field("S69", "n"), Field("D9", "n")]
    result = filled(content, fields, {"n": "PK-1", "at": AT, "q": 5})
    before, after = parts_of(content), parts_of(result)
    assert list(before) == list(after)
    assert [name for name in before if before[name] != after[name]] == [CARD]
    cells = ("J6", "N8", "A8", "S69", "D9")
    assert without_cells(before[CARD].decode(), *cells) == without_cells(after[CARD].decode(), *cells)


def test_values_are_typed_and_formats_kept():
    fields = [Field("PACK_ID", "text"), Field("N8", "at"), Field("Q9", "day"), Field("A8", "number"), Field("A9", "at")]
    fields += [
        Field("A10", "exact"),
        Field("C8", "yes"),
        Field("A12", "none"),
        Field("E31", "text"),
        Field("D12", "no.x"),
    ]
    data = {"text": 'PK ż <1> & "2"\n', "at": AT, "day": date(2026, 3, 2), "number": Decimal("1.50"), "none": None}
    sheet = sheet_of(
        filled(make_card(), fields, data | {"exact": Decimal("0.1234567890123456789"), "yes": True, "no": None})
    )
    blank = sheet_of(make_card())
    assert sheet["J6"].value == 'PK ż <1> & "2"\n'
    assert sheet["N8"].value == datetime(2026, 3, 2, 9, 30)  # noqa: DTZ001
    assert (sheet["Q9"].value.date(), sheet["A8"].value, sheet["A9"].value) == (
        date(2026, 3, 2),
        1.5,
        "2026-03-02 09:30:00",
    )
    assert (sheet["A10"].value, sheet["C8"].value, sheet["A12"].value) == ("0.1234567890123456789", True, None)
    assert sheet["D12"].value is None
    for cell in ("J6", "N8", "A8"):
        assert sheet[cell].number_format == blank[cell].number_format
        assert (sheet[cell].font.b, sheet[cell].fill.bgColor.rgb) == (blank[cell].font.b, blank[cell].fill.bgColor.rgb)
    # A new cell looks like its row or column does.
    assert (sheet["Q9"].number_format, sheet["E31"].font.b) == ("dd.mm.yyyy hh:mm", True)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "'=1", "{=1}"])
def test_no_text_becomes_a_formula(text):
    result = filled(make_card(), [Field("PACK_ID", "n")], {"n": text})
    cell = sheet_of(result)["J6"]
    assert (cell.value, cell.data_type) == (text, "s")
    assert parts_of(result)[CARD].count(b"<f") == parts_of(make_card())[CARD].count(b"<f")


def test_text_that_xml_cannot_hold_or_that_looks_escaped_is_kept_as_text():
    result = filled(make_card(), [Field("PACK_ID", "n"), Field("A8", "m")], {"n": "a\x00b\x1f", "m": "_x0041_"})
    assert sheet_of(result)["J6"].value == "a\ufffdb\ufffd"
    # Excel reads _x005F_ as the underscore that it stands for.
    assert b"_x005F_x0041_" in parts_of(result)[CARD]


def test_blocks_repeat_downwards_and_are_emptied_below():
    rows = [{"q": Decimal(2), "t": "a"}, {"q": 3, "t": "b"}]
    fields = [Field("C8", "q", "rows", 1, 5), Field("D40", "t", "rows", 2)]
    content = filled(make_card(), [Field(f"C{n}", "old") for n in range(8, 13)], {"old": 9})
    sheet = sheet_of(filled(content, fields, {"rows": rows}))
    assert [sheet[f"C{n}"].value for n in range(8, 14)] == [2, 3, None, None, None, None]
    assert [sheet[f"D{n}"].value for n in range(40, 44)] == ["a", None, "b", None]
    with pytest.raises(BadWorkbook, match="3 rows, and the block has room for 2"):
        filled(content, [Field("C8", "q", "rows", 1, 2)], {"rows": [*rows, *rows[:1]]})


def test_formulas_are_computed_when_it_is_opened():
    content = make_card()
    plain = parts_of(content)["xl/workbook.xml"].replace(b' fullCalcOnLoad="1"', b"")
    for workbook in (plain, re.sub(rb"<calcPr[^>]*/>", b"", plain)):
        changed = parts_of(filled(with_part(content, "xl/workbook.xml", workbook), [Field("A8", "n")], {"n": 1}))
        assert changed["xl/workbook.xml"].replace(b' fullCalcOnLoad="1"', b"").replace(b"<calcPr/>", b"") == workbook
        assert b'fullCalcOnLoad="1"' in changed["xl/workbook.xml"]
    assert sheet_of(filled(content, [Field("A8", "n")], {"n": 1}))["B2"].value == "=SUM(C8:C20)"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("B2", "holds a formula"),
        ("F2", "belongs to a formula"),
        ("K6", "inside merged cells; write to J6"),
        ("NOBODY", "neither a cell nor a name"),
        ("Nowhere!A1", "no sheet 'Nowhere'"),
        ("XFE1", "neither a cell"),
        ("A1048577", "neither a cell"),
    ],
)
def test_cell_that_must_not_be_filled_is_refused_by_name(target, said):
    with pytest.raises(BadWorkbook, match=said):
        check(make_card(), [Field(target, "n")])


def test_cell_is_named_by_sheet_name_or_defined_name():
    for target in ("J6", "$J$6", "Process Card!J6", "'Process Card'!j6", "PACK_ID"):
        assert sheet_of(filled(make_card(), [Field(target, "n")], {"n": "x"}))["J6"].value == "x"
    assert sheet_of(filled(make_card(), [Field("Totals!B1", "n")], {"n": "x"}), "Totals")["B1"].value == "x"


def test_unknown_field_is_refused_naming_the_cell():
    with pytest.raises(BadWorkbook, match=r"J6: There is no field 'a\.c'"):
        filled(make_card(), [Field("J6", "Pack: {a.c}")], {"a": {"b": 1}})


def test_sheet_written_by_others_is_filled_too():
    """Prefixes, missing references, other quotes and no rows at all are all allowed by the format."""
    prefixed = (
        b"<?xml version='1.0' encoding='UTF-8'?>\n<x:worksheet xmlns:x='http://schemas.openxmlformats.org/spreadsheetml/"
        b"2006/main'><x:sheetData><x:row><x:c><x:v>1</x:v></x:c><x:c/><x:c t='b' ><x:v>1</x:v></x:c></x:row>"
        b"<x:row r='4' /></x:sheetData></x:worksheet>"
    )
    book = with_part(make_card(), CARD, prefixed)
    sheet = sheet_of(filled(book, [Field(target, "n") for target in ("A1", "B1", "D1", "A3", "B4", "C9")], {"n": "x"}))
    assert [sheet[cell].value for cell in ("A1", "B1", "C1", "D1", "A3", "B4", "C9")] == [*"xx", True, *"xxxx"]
    empty = re.sub(rb"<x:sheetData>.*</x:sheetData>", b"<x:sheetData />", prefixed)
    sheet = sheet_of(filled(with_part(make_card(), CARD, empty), [Field("B3", "n"), Field("A1", "n")], {"n": "y"}))
    assert (sheet["B3"].value, sheet["A1"].value) == ("y", "y")


def test_one_is_filled_in_under_two_seconds():
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Card")
        for row in range(3000):
            for column in range(20):
                sheet.write(row, column, f"{row}")
    began = sum(os.times()[:4])
    result = filled(out.getvalue(), [Field("A1", "n", "rows")], {"rows": [{"n": n} for n in range(2000)]})
    assert sum(os.times()[:4]) - began < 2
    assert sheet_of(result, "Card")["A2000"].value == 1999


def test_sheet_with_rows_without_end_is_refused():
    content = with_part(make_card(), CARD, b"<worksheet><sheetData>" + b"<row/>" * 50_001 + b"</sheetData></worksheet>")
    with pytest.raises(BadWorkbook, match="50,000 rows"):
        filled(content, [Field("Process Card!B2", "n")], {"n": 1})


# --- a sheet for each record ---


def sheets(content, count, titles=None):
    titles = titles or [f"PK-{number}" for number in range(count)]
    fields = [Field("PACK_ID", "n"), Field("N8", "at")]
    return b"".join(fill_sheets(content, fields, ((one, {"n": one, "at": AT}, WARSAW) for one in titles)))


def test_each_record_has_a_sheet_with_pictures_and_print_area():
    book = loaded(sheets(make_card(), 3))
    assert book.sheetnames == ["Process Card", "Totals", "PK-0", "PK-1", "PK-2"]
    assert (book["Process Card"].sheet_state, book["Process Card"]["J6"].value) == ("hidden", "pack")
    assert [book[f"PK-{n}"]["J6"].value for n in range(3)] == ["PK-0", "PK-1", "PK-2"]
    assert [book[f"PK-{n}"].print_area for n in range(3)] == [f"'PK-{n}'!$A$1:$S$69" for n in range(3)]
    assert [len(book[f"PK-{n}"]._images) for n in range(3)] == [1, 1, 1]
    assert book.active.title == "PK-0"
    before, after = parts_of(make_card()), parts_of(sheets(make_card(), 3))
    for name in ("xl/styles.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet2.xml", "xl/drawings/drawing1.xml"):
        assert before[name] == after[name]


def test_each_sheet_leaves_before_the_next_one_is_read():
    read = []

    def records():
        for number in range(50):
            read.append(number)
            yield f"PK-{number}", {"n": number}, WARSAW

    pieces = fill_sheets(make_card(), [Field("PACK_ID", "n")], records())
    for number in range(50):
        assert next(pieces)
        assert len(read) == number + 1
    assert loaded(b"".join(fill_sheets(make_card(), [Field("PACK_ID", "n")], records())))["PK-49"]["J6"].value == 49


def test_titles_become_names_that_excel_takes():
    book = loaded(sheets(make_card(), 0, ["a/b", "A:B", "x" * 40, "x" * 41, "", "History", "totals"]))
    names = ["a_b", "A_B (2)", "x" * 31, "x" * 27 + " (2)", "Sheet", "History (2)", "totals (2)"]
    assert book.sheetnames[2:] == names


def test_sheet_that_cannot_be_copied_rightly_is_refused():
    for content, said in ((make_card(chart=True), "chart"), (make_card(own_name=True), "name the sheet itself")):
        with pytest.raises(BadWorkbook, match=said):
            sheets(content, 1)
    with pytest.raises(BadWorkbook, match="several sheets"):
        next(fill_sheets(make_card(), [Field("A8", "n"), Field("Totals!A9", "n")], []))


# --- hostile files ---


def bomb():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in parts_of(make_card()).items():
            archive.writestr(name, data)
        archive.writestr("xl/worksheets/sheet9.xml", b" " * 600_000_000)
    return out.getvalue()


def lying_bomb():
    """Return a workbook whose directory says that a part is small."""
    content = bytearray(bomb())
    at = content.rindex(b"xl/worksheets/sheet9.xml") - 46
    content[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    return bytes(content)


def entities():
    lines = [b'<!ENTITY a0 "ha">'] + [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">'.encode() for n in range(1, 12)]
    sheet = (
        b"<?xml version='1.0'?><!DOCTYPE x ["
        + b"".join(lines)
        + b"]><worksheet><sheetData>&a11;</sheetData></worksheet>"
    )
    return with_part(make_card(), CARD, sheet)


def encoded():
    sheet = parts_of(make_card())[CARD].decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")
    return with_part(make_card(), CARD, sheet)


def linked():
    rels = (
        b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        b'<Relationship Id="r9" Type="http://x/image" Target="http://10.0.0.1/x.png" TargetMode="External"/></Relationships>'
    )
    return with_part(make_card(), "xl/worksheets/_rels/sheet2.xml.rels", rels)


def macros():
    types = parts_of(make_card())["[Content_Types].xml"].replace(
        b"spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main"
    )
    return with_part(make_card(), "[Content_Types].xml", types)


def dense(part, inner):
    """Return a few kilobytes that unpack to a part with a million of something."""
    at = parts_of(make_card())[part].rindex(b"</")
    return with_part(make_card(), part, parts_of(make_card())[part][:at] + inner + parts_of(make_card())[part][at:])


HOSTILE = {
    "empty": lambda: b"",
    "text": lambda: b"a;b\n1;2\n",
    "svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "old excel": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1000,
    "plain zip": lambda: with_part(make_card(), "[Content_Types].xml", b"<Types/>"),
    "cut": lambda: make_card()[:-100],
    "bomb": bomb,
    "lying bomb": lying_bomb,
    "entities": entities,
    "utf-16": encoded,
    "outward link": linked,
    "macros": lambda: with_part(make_card(), "xl/vbaProject.bin", b"x"),
    "macro type": macros,
    "other workbook": lambda: with_part(make_card(), "xl/externalLinks/externalLink1.xml", b"<a/>"),
    "embedded": lambda: with_part(make_card(), "xl/embeddings/oleObject1.bin", b"x"),
    "data": lambda: with_part(make_card(), "xl/connections.xml", b"<a/>"),
    "upwards": lambda: with_part(make_card(), "../x.xml", b"<a/>"),
    "before": lambda: b"MZ" + make_card(),
    "behind": lambda: make_card() + b"<script>",
    "broken xml": lambda: with_part(make_card(), "xl/styles.xml", b"<a>"),
    "rows": lambda: dense(CARD, b"<row/>" * 4_000_000),
    "cells": lambda: dense(CARD, b"<row>" + b"<c><v>1</v></c>" * 1_500_000 + b"</row>"),
    "deep": lambda: dense(CARD, b"<a>" * 3_000_000),
    "names": lambda: dense("xl/workbook.xml", b'<definedName name="a">S!$A$1</definedName>' * 400_000),
    "attributes": lambda: dense(CARD, b"<row " + b" ".join(b'a%d="1"' % n for n in range(400_000)) + b"/>"),
    "too long": lambda: make_card() + b"\0" * (5 * 2**20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_quickly(name):
    content = HOSTILE[name]()
    began = sum(os.times()[:4])
    with pytest.raises(BadWorkbook):
        open_book(content)
    assert sum(os.times()[:4]) - began < 2


@pytest.mark.parametrize("name", ["lying bomb", "rows"])
def test_refusal_takes_less_than_100_mib(name, tmp_path):
    path = tmp_path / "x.xlsx"
    path.write_bytes(HOSTILE[name]())
    script = (
        "import sys\nfrom reports.packages import BadWorkbook, open_book\n"
        "try:\n    open_book(open(sys.argv[1], 'rb').read())\nexcept BadWorkbook:\n"
        "    print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100 * 1024


def test_dates_are_told_by_their_format_and_counted_by_the_workbooks_calendar():
    dates = [(14, None), (22, None), (164, "dd.mm.yyyy"), (165, "[$-409]h:mm AM/PM;@"), (166, "[h]:mm")]
    numbers = [(0, None), (2, None), (164, '0.00" d"'), (165, "[Red]0.0"), (166, "General"), (167, "\\d0")]
    assert all(is_date_format(*one) for one in dates)
    assert not any(is_date_format(*one) for one in numbers)
    assert serial(date(1900, 3, 1), from_1904=False) == 61
    assert serial(date(1900, 2, 28), from_1904=False) is None
    assert serial(date(2026, 3, 2), from_1904=False) - serial(date(2026, 3, 2), from_1904=True) == 1462
