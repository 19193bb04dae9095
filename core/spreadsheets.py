"""CSV and XLSX files as people send them: bounded before they are read, harmless when they are opened."""

import csv
import io
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import IO, Any
from xml.parsers import expat

import tablib
import xlsxwriter
from import_export.formats import base_formats

from core.exact import plain_number
from core.workbook_bounds import has_long_stretch, is_of_sheets, tags_in

MAX_UPLOAD_BYTES = 5 * 1024 * 1024
MAX_UNPACKED_BYTES = 25 * 1024 * 1024
MAX_PARTS = 500
MAX_ROWS = 5_000
MAX_COLUMNS = 60
MAX_TAGS, MAX_TAGS_BESIDE = 400_000, 30_000
"""Of all sheets with their texts: 100,000 numbers; of all other parts, together.

The library makes an object of each.
"""

# A spreadsheet program takes a text that begins with one of these for a formula; an apostrophe makes it text again.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# What is a number anyhow can do no harm: a negative decimal as REST writes it.
NEGATIVE = re.compile(r"-[0-9]+\.[0-9]+")
COMMENT = "#"

Cell = Any
TEXT_IS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""What a workbook is opened with so that none of its texts becomes anything else."""
# Excel's calendar of 1900 has a 29 February 1900.
_FIRST_YEAR = 1901
_MOMENT_WIDTH = 26
_NOT_IN_SHEETS = re.compile(r"[\[\]:*?/\\'\x00-\x1f]+")


class UnreadableFile(ValueError):
    """The file is too big, damaged or not what its name says; the message says what to do."""


class CsvFormat(base_formats.CSV):  # type: ignore[misc]
    """CSV in UTF-8, separated by comma, semicolon or tab."""

    def create_dataset(self, in_stream: str | bytes, **kwargs: Any) -> tablib.Dataset:
        text = in_stream.decode("utf-8-sig") if isinstance(in_stream, bytes) else in_stream
        text = text.removeprefix("\ufeff")
        delimiter = delimiter_of(text)
        try:
            rows = list(bounded(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)))
        except csv.Error as error:
            raise UnreadableFile(f"The file is no valid CSV: {error}.") from error
        return dataset([[without_guard(cell) for cell in row] for row in rows])

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> str:
        return csv_text([dataset.headers or [], *dataset])


def delimiter_of(text: str) -> str:
    """Return what separates the cells of a CSV: of comma, semicolon and tab the one that its header has most of."""
    return max(",;\t", key=text.partition("\n")[0].count)


class XlsxFormat(base_formats.XLSX):  # type: ignore[misc]
    """The first sheet of an Excel workbook."""

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        import openpyxl

        refuse_bomb(in_stream)
        try:
            book = openpyxl.load_workbook(io.BytesIO(in_stream), read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            # What the sheet says of its own size may be wrong, and is then believed.
            sheet.reset_dimensions()
            rows = list(bounded(sheet.iter_rows(values_only=True)))
        except UnreadableFile:
            raise
        except Exception as error:
            # The parser's own errors are of many kinds, down to KeyError and those of XML.
            raise UnreadableFile("The file is no Excel workbook that can be read; save it anew as .xlsx.") from error
        return dataset(rows)

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        return workbook({dataset.title or "Data": [dataset.headers or [], *dataset]})


def refuse_bomb(content: bytes) -> None:
    """Raise UnreadableFile when the workbook's parts would unpack to more than is sensible, or than they say."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile as error:
        raise UnreadableFile("The file is no Excel workbook; save it as .xlsx or as CSV.") from error
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise UnreadableFile(
            f"The workbook unpacks to more than {MAX_UNPACKED_BYTES // 1024**2} MB; keep only the rows to import."
        )
    if any(_conceals(content, part) for part in parts):
        raise UnreadableFile("The workbook is damaged; open it in Excel and save it anew as .xlsx.")
    _refuse_dense(content, parts)


def _refuse_dense(content: bytes, parts: list[zipfile.ZipInfo]) -> None:
    """Raise UnreadableFile for XML that the library would make far too much of: it reads a row, or a part,
    as a whole.
    """
    of_sheets = beside = 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in parts:
            try:
                data = archive.read(part)
            except Exception as error:
                # zlib and zipfile have errors of many kinds for a damaged part.
                raise UnreadableFile("The workbook is damaged; open it in Excel and save it anew as .xlsx.") from error
            tags = tags_in(data)
            of_sheets += tags if is_of_sheets(part.filename) else 0
            beside += 0 if is_of_sheets(part.filename) or not part.filename.endswith((".xml", ".rels")) else tags
            if of_sheets > MAX_TAGS or beside > MAX_TAGS_BESIDE or has_long_stretch(data):
                raise UnreadableFile(
                    "The workbook has far too much in it; start from the template, and import it in parts."
                )
            if part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml"):
                _refuse_large_sheet(data)


def _refuse_large_sheet(data: bytes) -> None:
    """Raise UnreadableFile at the first row too many, or cell too far;
    before the sheet is read with all that it says.
    """
    rows = cells = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal rows, cells
        kind = name.rpartition(":")[2]
        if kind == "row":
            rows, cells = rows + 1, 0
        elif kind == "c":
            cells += 1
        if rows > MAX_ROWS + 1 or cells > MAX_COLUMNS:
            # Raises for the one or the other, in the same words as for CSV.
            list(bounded([[None] * cells] if cells > MAX_COLUMNS else [[]] * rows))

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        raise UnreadableFile("The workbook is damaged; open it in Excel and save it anew as .xlsx.") from None


def _conceals(content: bytes, part: zipfile.ZipInfo) -> bool:
    """Say whether a part unpacks to more than its entry says: whoever asks zipfile for all of it unpacks all of it."""
    header = content[part.header_offset : part.header_offset + 30]
    if len(header) < 30 or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return True
    start = part.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    packed = memoryview(content)[start : start + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        return part.compress_size != part.file_size
    unpacker, left, waiting = zlib.decompressobj(-zlib.MAX_WBITS), part.file_size, bytes(packed)
    try:
        while waiting and not unpacker.eof and left >= 0:
            left -= len(unpacker.decompress(waiting, 2**18))
            waiting = unpacker.unconsumed_tail
    except zlib.error:
        return True
    return left < 0


def bounded(rows: Iterable[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    """Yield rows, and raise UnreadableFile at the first one too many or too wide."""
    rows = iter(rows)
    for row in islice(rows, MAX_ROWS + 1):
        if len(row) > MAX_COLUMNS:
            raise UnreadableFile(f"The sheet has more than {MAX_COLUMNS} columns; keep only those of the template.")
        yield row
    if next(rows, None) is not None:
        raise UnreadableFile(
            f"The sheet has more than {MAX_ROWS:,} rows (empty ones between count too); import it in parts."
        )


def dataset(rows: list[Sequence[Cell]]) -> tablib.Dataset:
    """Return rows, the first one headers, as a dataset: text stripped, short rows filled up, empty ends cut off."""
    cleaned = [[cell.strip() if isinstance(cell, str) else cell for cell in row] for row in rows]
    while cleaned and is_blank(cleaned[-1]):
        cleaned.pop()
    if not cleaned:
        raise UnreadableFile("The file is empty; start from the template.")
    headers = ["" if cell is None else str(cell) for cell in cleaned[0]]
    while headers and not headers[-1]:
        headers.pop()
    data = tablib.Dataset(headers=headers)
    for number, row in enumerate(cleaned[1:], start=2):
        if not is_blank(row[len(headers) :]):
            raise UnreadableFile(f"Row {number} has more cells than there are columns; is a text with commas unquoted?")
        data.append([*row[: len(headers)], *[None] * (len(headers) - len(row))])
    return data


def is_blank(row: Iterable[Cell]) -> bool:
    """Say whether every cell is empty."""
    return all(cell is None or cell == "" for cell in row)


def is_comment(row: Sequence[Cell]) -> bool:
    """Say whether a row is a remark: its first cell begins with #."""
    return bool(row) and isinstance(row[0], str) and row[0].startswith(COMMENT)


def csv_pieces(rows: Iterable[Sequence[Cell]], chunk: int = 500) -> Iterator[str]:
    """Yield rows as CSV, some hundred at a time; the byte-order mark stands once, at the beginning."""
    waiting = iter(rows)
    mark = ""
    while some := list(islice(waiting, chunk)):
        yield csv_text(some).removeprefix(mark)
        mark = "\ufeff"


def csv_text(rows: Iterable[Sequence[Cell]]) -> str:
    """Return rows as CSV (UTF-8 with a byte-order mark, so that spreadsheet programs recognise it)."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([[guarded(cell) for cell in row] for row in rows])
    return "\ufeff" + out.getvalue()


def guarded(cell: Cell) -> str:
    """Return a cell's text such that no spreadsheet program takes it for a formula; numbers stay numbers."""
    if cell is None:
        return ""
    if isinstance(cell, int | Decimal):
        return plain_number(cell)
    text = _with_offset(cell) if isinstance(cell, datetime) and cell.tzinfo else str(cell)
    if NEGATIVE.fullmatch(text):
        return text
    return f"'{text}" if text.startswith((*FORMULA_STARTS, "'")) else text


def moment_text(at: datetime) -> str:
    """Write a moment as addresses and REST have it: in UTC."""
    return _with_offset(at.astimezone(UTC))


def _with_offset(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def without_guard(text: str) -> str:
    """Return what `guarded` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith((*FORMULA_STARTS, "'")) else text


def workbook(sheets: dict[str, list[Sequence[Cell]]]) -> bytes:
    """Return an Excel workbook; the first row of each sheet is its header. Text is never a formula or a link."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, **TEXT_IS_TEXT}) as book:
        for title, rows in sheets.items():
            _fill(book, title, rows).autofit()
    return out.getvalue()


def workbook_file(rows: Iterable[Sequence[Cell]], title: str = "Data") -> IO[bytes]:
    """Return rows, the first one the header, as a workbook in a temporary file, written row by row: memory holds one.

    Text is never a formula or a link; days and moments are such. Excel knows no zones: a moment that has one is shown
    with its offset, as 2026-03-02 06:00:00+01:00, or Z.
    """
    with ExitStack() as stack:
        out: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
        with xlsxwriter.Workbook(out, {"constant_memory": True, **TEXT_IS_TEXT}) as book:
            _fill(book, title, rows)
        out.seek(0)
        # Whoever takes it closes it.
        stack.pop_all()
    return out


def _fill(book: Any, title: str, rows: Iterable[Sequence[Cell]]) -> Any:
    header = book.add_format({"bold": True, "bottom": 1})
    writer = CellWriter(book)
    sheet = book.add_worksheet(sheet_name(title))
    sheet.freeze_panes(1, 0)
    wide: set[int] = set()
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, date) and column not in wide:
                # In a column of the usual width Excel shows a moment as ####.
                wide.add(column)
                sheet.set_column(column, column, _MOMENT_WIDTH)
            writer.write(sheet, number, column, cell, None if number else header)
    return sheet


class CellWriter:
    """Writes the cells of one workbook as what they are, days and moments, too: moments with the offset they have."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._styles: dict[str, Any] = {}

    def write(self, sheet: Any, row: int, column: int, cell: Cell, style: Any = None) -> None:
        """Write a cell; a day has a style of its own."""
        if not isinstance(cell, date):
            write_cell(sheet, row, column, cell, style)
        elif cell.year < _FIRST_YEAR:
            write_cell(sheet, row, column, guarded(cell), style)
        elif not isinstance(cell, datetime):
            sheet.write_datetime(row, column, cell, self._style("yyyy-mm-dd"))
        else:
            plain = cell.replace(tzinfo=None)
            offset = _with_offset(cell).removeprefix(plain.isoformat())
            shown = f'yyyy-mm-dd hh:mm:ss"{offset}"' if offset else "yyyy-mm-dd hh:mm:ss"
            sheet.write_datetime(row, column, plain, self._style(shown))

    def _style(self, number_format: str) -> Any:
        if number_format not in self._styles:
            self._styles[number_format] = self._book.add_format({"num_format": number_format})
        return self._styles[number_format]


def sheet_name(title: str) -> str:
    """Return what a sheet of that title may be called: at most 31 characters, none that Excel refuses."""
    return _NOT_IN_SHEETS.sub(" ", title)[:31].strip() or "Data"


def write_cell(sheet: Any, row: int, column: int, cell: Cell, style: Any = None) -> None:
    """Write a cell as what it is: a truth, a number, or a text.

    Excel keeps 15 digits of a number; one with more would not come back the same, and is written as text.
    """
    if cell is None or cell == "":
        return
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell, style)
    elif not isinstance(cell, int | Decimal):
        sheet.write_string(row, column, str(cell), style)
    elif len(digits := plain_number(cell).lstrip("-").replace(".", "").strip("0") or "0") <= 15 and digits.isdecimal():
        sheet.write_number(row, column, float(cell), style)
    else:
        sheet.write_string(row, column, plain_number(cell), style)
