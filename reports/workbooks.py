"""Fill a workbook of somebody else's, cell by cell, and leave every other byte of its parts as it was. Plain Python.

A workbook is a ZIP of XML parts (ECMA-376). Libraries that read and write it anew lose what they do not know: charts,
pictures, conditional formats, printer settings. Here a sheet's XML is read only to learn where its cells lie; the
elements of the cells to fill are replaced, all other bytes are copied.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from reports.cells import BadValue, cell_at, cell_xml, column_letters
from reports.fields import BadPath, Value, list_at, value_at
from reports.packages import BadWorkbook, Book, Sheet, damaged, local_name, number_in, open_book, parse, unquoted

MAX_ITEMS = 5_000
MAX_ROWS = 50_000
_TAG = re.compile(rb"<[^\s/>]+(?:\s+[^\s=]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")


@dataclass(frozen=True, slots=True)
class Field:
    """A cell, or the head of a repeating block's column, and the path of what fills it; see `WorkbookMapping`."""

    target: str
    path: str
    list_path: str = ""
    row_step: int = 1
    max_rows: int | None = None


@dataclass(slots=True)
class _Cell:
    column: int
    start: int
    end: int
    attributes: dict[str, str]
    has_formula: bool = False


@dataclass(slots=True)
class _Row:
    number: int
    start: int
    end: int
    is_empty: bool
    attributes: dict[str, str]
    cells: list[_Cell] = field(default_factory=list)


@dataclass(slots=True)
class _Layout:
    """Where a sheet's rows and cells lie in its bytes; cells only of the rows that were asked for."""

    prefix: str = ""
    start: int = -1
    end: int = -1
    is_empty: bool = False
    rows: list[_Row] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    arrays: list[tuple[int, int, int, int]] = field(default_factory=list)
    columns: list[tuple[int, int, str]] = field(default_factory=list)


# --- what goes where ---


def resolve(book: Book, target: str) -> tuple[Sheet, int, int]:
    """Return the sheet, column and row that a target names. Raises BadWorkbook."""
    said = target.strip()
    if said in book.names:
        name, column, row = book.names[said]
    else:
        before, mark, cell = said.rpartition("!")
        place = cell_at(cell)
        if place is None:
            raise BadWorkbook(f"'{target}' is neither a cell nor a name in this workbook.")
        name = unquoted(before) if mark else next(sheet.name for sheet in book.sheets if sheet.part)
        column, row = place
    sheet = next((one for one in book.sheets if one.name == name and one.part), None)
    if sheet is None:
        raise BadWorkbook(f"'{target}': there is no sheet '{name}' in this workbook.")
    return sheet, column, row


Edits = dict[str, dict[tuple[int, int], Value]]
"""By a sheet's part: the values of its cells by (row, column)."""


def edits_of(book: Book, fields: Iterable[Field], data: Mapping[str, Any]) -> Edits:
    """Return what to write where, for one record. Raises BadWorkbook, naming the target."""
    edits: Edits = {}
    for one in fields:
        sheet, column, row = resolve(book, one.target)
        cells = edits.setdefault(sheet.part, {})
        try:
            values = _values(one, data)
        except BadPath as problem:
            raise BadWorkbook(f"{one.target}: {problem}") from None
        for number, value in enumerate(values):
            place = (row + number * one.row_step, column)
            if place in cells:
                raise BadWorkbook(f"{one.target}: two fields are written to {column_letters(column)}{place[0]}.")
            cells[place] = value
    return edits


def _values(one: Field, data: Mapping[str, Any]) -> list[Value]:
    if not one.list_path:
        return [value_at(data, one.path)]
    items = list_at(data, one.list_path)
    most = one.max_rows or MAX_ITEMS
    if len(items) > most:
        raise BadPath(f"'{one.list_path}' has {len(items)} rows, and the block has room for {most}.")
    values = [value_at(item, one.path) for item in items]
    return values + [None] * ((one.max_rows or 0) - len(values))


# --- writing ---


def fill(content: bytes, fields: Sequence[Field], data: Mapping[str, Any], *, zone: tzinfo) -> bytes:
    """Return the workbook with its cells filled with one record. Raises BadWorkbook.

    Only the elements of the cells that are mapped change, and, where there are formulas, one attribute of the workbook
    that has them computed when it is opened.
    """
    book = open_book(content)
    edits = edits_of(book, fields, data)
    changed = {part: edited(book, part, cells, zone) for part, cells in edits.items()}
    if has_formulas(book):
        changed[book.workbook] = recalculating(book.read(book.workbook))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        copy_parts(book, target, changed)
    return out.getvalue()


def check(content: bytes, fields: Iterable[Field]) -> None:
    """Raise BadWorkbook when a field's first cell could not be filled: not there, a formula, inside merged cells."""
    book = open_book(content)
    wanted: dict[str, dict[tuple[int, int], Value]] = {}
    for one in fields:
        sheet, column, row = resolve(book, one.target)
        wanted.setdefault(sheet.part, {})[(row, column)] = None
    for part, cells in wanted.items():
        layout = _layout(book.read(part), {row for row, _ in cells})
        for place in cells:
            _check_place(layout, place)


def copy_parts(book: Book, target: zipfile.ZipFile, changed: Mapping[str, bytes]) -> None:
    """Copy the parts of a workbook, with some of them changed."""
    for name, entry in book.parts.items():
        kept = zipfile.ZipInfo(name, entry.date_time)
        kept.compress_type, kept.external_attr, kept.create_system = (
            entry.compress_type,
            entry.external_attr,
            entry.create_system,
        )
        target.writestr(kept, changed[name] if name in changed else book.read(name))


def has_formulas(book: Book) -> bool:
    """Say whether any sheet has a formula."""
    formula = re.compile(rb"<(?:[A-Za-z0-9_.-]+:)?f[\s>/]")
    return any(sheet.part and formula.search(book.read(sheet.part)) is not None for sheet in book.sheets)


def recalculating(data: bytes) -> bytes:
    """Return the workbook's XML such that formulas are computed when it is opened."""
    places: dict[str, tuple[int, str]] = {}
    ends: dict[str, int] = {}
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        places.setdefault(local_name(name), (parser.CurrentByteIndex, name))

    def end(name: str) -> None:
        ends[local_name(name)] = _end(data, parser.CurrentByteIndex, name)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parse(data, parser)
    if "calcPr" in places:
        at = places["calcPr"][0]
        tag = tag_at(data, at)
        return data[:at] + with_attribute(tag, "fullCalcOnLoad", "1") + data[at + len(tag) :]
    after = next(
        ends[name] for name in ("definedNames", "externalReferences", "functionGroups", "sheets") if name in ends
    )
    prefix = prefix_of(places["sheets"][1])
    return data[:after] + f'<{prefix}calcPr fullCalcOnLoad="1"/>'.encode() + data[after:]


def with_attribute(tag: bytes, name: str, value: str) -> bytes:
    """Return a start tag with an attribute set, all its other bytes as they were."""
    there = re.compile(rb"(\s" + name.encode() + rb"\s*=\s*)(\"[^\"]*\"|'[^']*')")
    new = quoteattr(value).encode()
    if there.search(tag):
        return there.sub(lambda found: found.group(1) + new, tag, count=1)
    cut = len(tag) - (2 if tag.endswith(b"/>") else 1)
    return tag[:cut].rstrip() + b" " + name.encode() + b"=" + new + tag[cut:]


def prefix_of(name: str) -> str:
    """Return the prefix of a name with its colon; empty without one."""
    before, mark, _ = name.rpartition(":")
    return before + mark


def tag_at(data: bytes, at: int) -> bytes:
    """Return the start tag that stands at a place."""
    found = _TAG.match(data, at)
    if found is None:
        raise damaged()
    return found.group()


def _end(data: bytes, at: int, name: str) -> int:
    """Return where an element ends, given the place that the parser names at its end: the end tag, or behind `/>`."""
    closing = f"</{name}".encode()
    return data.index(b">", at) + 1 if data.startswith(closing, at) else at


def _area(reference: str) -> tuple[int, int, int, int] | None:
    first, _, last = reference.partition(":")
    start, stop = cell_at(first), cell_at(last or first)
    return None if start is None or stop is None else (start[1], start[0], stop[1], stop[0])


def _layout(data: bytes, wanted: set[int]) -> _Layout:
    """Return where rows and cells lie; cells only of the wanted rows."""
    found = _Layout()
    path: list[str] = []
    row: _Row | None = None
    cell: _Cell | None = None
    number = column = 0
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, cell, number, column
        kind, depth, at = local_name(name), len(path), parser.CurrentByteIndex
        within = path[-1] if path else ""
        if kind == "sheetData" and depth == 1:
            found.start, found.prefix = at, prefix_of(name)
        elif kind == "row" and within == "sheetData" and depth == 2:
            number = number_in(attributes.get("r")) or number + 1
            column = 0
            row = _Row(number, at, at, False, attributes if number in wanted else {})
            found.rows.append(row)
            if len(found.rows) > MAX_ROWS:
                raise BadWorkbook(f"A sheet has more than {MAX_ROWS:,} rows; delete the empty ones at its end.")
        elif kind == "c" and within == "row" and depth == 3 and row is not None:
            place = cell_at(attributes.get("r", ""))
            column = place[0] if place else column + 1
            cell = _Cell(column, at, at, attributes) if number in wanted else None
            if cell is not None:
                row.cells.append(cell)
        elif kind == "f" and within == "c" and depth == 4:
            if cell is not None:
                cell.has_formula = True
            area = _area(attributes.get("ref", "")) if attributes.get("t") in ("array", "dataTable") else None
            if area is not None:
                found.arrays.append(area)
        elif kind == "mergeCell" and (area := _area(attributes.get("ref", ""))):
            found.merged.append(area)
        elif kind == "col" and within == "cols" and attributes.get("style"):
            found.columns.append(
                (number_in(attributes.get("min")), number_in(attributes.get("max")), attributes["style"])
            )
        path.append(kind)

    def end(name: str) -> None:
        nonlocal cell
        kind = path.pop()
        at = parser.CurrentByteIndex
        depth = len(path)
        if kind == "c" and depth == 3 and cell is not None:
            cell.end = _end(data, at, name)
            cell = None
        elif kind == "row" and depth == 2 and row is not None:
            row.end = _end(data, at, name)
            row.is_empty = not data.startswith(f"</{name}".encode(), at)
        elif kind == "sheetData" and depth == 1:
            found.end = _end(data, at, name)
            found.is_empty = not data.startswith(f"</{name}".encode(), at)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parse(data, parser)
    if found.start < 0:
        raise damaged()
    return found


def _check_place(layout: _Layout, place: tuple[int, int]) -> None:
    row, column = place
    where = f"{column_letters(column)}{row}"
    if row > 1_048_576:
        raise BadWorkbook("A block runs past the end of its sheet.")
    for top, left, bottom, right in layout.merged:
        if top <= row <= bottom and left <= column <= right and (row, column) != (top, left):
            raise BadWorkbook(f"{where} lies inside merged cells; write to {column_letters(left)}{top}.")
    for top, left, bottom, right in layout.arrays:
        if top <= row <= bottom and left <= column <= right:
            raise BadWorkbook(f"{where} belongs to a formula; it is not overwritten.")
    for there in layout.rows:
        if there.number == row and any(cell.column == column and cell.has_formula for cell in there.cells):
            raise BadWorkbook(f"{where} holds a formula; it is not overwritten.")


def edited(book: Book, part: str, cells: Mapping[tuple[int, int], Value], zone: tzinfo) -> bytes:
    """Return a sheet's bytes with cells replaced or put in, everything else as it was."""
    data = book.read(part)
    by_row: dict[int, dict[int, Value]] = {}
    for (number, column), value in cells.items():
        by_row.setdefault(number, {})[column] = value
    layout = _layout(data, set(by_row))
    for place in cells:
        _check_place(layout, place)
    known = {row.number: row for row in layout.rows}
    changes: list[tuple[int, int, str]] = []
    for number, values in by_row.items():
        row = known.get(number)
        if row is None:
            written = "".join(
                _cell(book, layout, None, None, number, column, values[column], zone) for column in sorted(values)
            )
            # The next row below is found by its place among all rows.
            after = next((there.start for there in layout.rows if there.number > number), None)
            at = after if after is not None else _inner_end(data, layout)
            changes.append((at, at, f'<{layout.prefix}row r="{number}">{written}</{layout.prefix}row>'))
        else:
            changes += _changes_in_row(book, layout, data, row, values, zone)
    if layout.is_empty and changes:
        # An empty sheet has no place inside its element yet.
        inner = "".join(text for _, _, text in sorted(changes, key=_row_of))
        tag = tag_at(data, layout.start)
        opened = tag[:-2].rstrip() + b">" + inner.encode() + f"</{layout.prefix}sheetData>".encode()
        return data[: layout.start] + opened + data[layout.start + len(tag) :]
    return _spliced(data, changes)


def _row_of(change: tuple[int, int, str]) -> int:
    found = re.search(r'r="(\d+)"', change[2])
    return int(found.group(1)) if found else 0


def _inner_end(data: bytes, layout: _Layout) -> int:
    return layout.end if layout.is_empty else data.rindex(b"</", layout.start, layout.end)


def _changes_in_row(
    book: Book, layout: _Layout, data: bytes, row: _Row, values: Mapping[int, Value], zone: tzinfo
) -> list[tuple[int, int, str]]:
    if row.is_empty:
        tag = tag_at(data, row.start)
        written = "".join(
            _cell(book, layout, row, None, row.number, column, values[column], zone) for column in sorted(values)
        )
        opened = tag[:-2].rstrip().decode() + ">" + written + f"</{layout.prefix}row>"
        return [(row.start, row.start + len(tag), opened)]
    changes = []
    for column in sorted(values):
        there = next((cell for cell in row.cells if cell.column == column), None)
        written = _cell(book, layout, row, there, row.number, column, values[column], zone)
        if there is not None:
            changes.append((there.start, there.end, written))
        else:
            after = next((cell.start for cell in row.cells if cell.column > column), None)
            at = after if after is not None else data.rindex(b"</", row.start, row.end)
            changes.append((at, at, written))
    return changes


def _cell(
    book: Book,
    layout: _Layout,
    row: _Row | None,
    there: _Cell | None,
    number: int,
    column: int,
    value: Value,
    zone: tzinfo,
) -> str:
    """Return the cell's element with the format that it, its row or its column has."""
    if there is not None:
        style = there.attributes.get("s")
    elif row is not None and row.attributes.get("customFormat") in ("1", "true"):
        style = row.attributes.get("s")
    else:
        style = next((kind for first, last, kind in layout.columns if first <= column <= last), None)
    kept = [f's="{number_in(style)}"'] if style is not None else []
    reference = f"{column_letters(column)}{number}"
    try:
        return cell_xml(
            reference,
            value,
            attributes=kept,
            prefix=layout.prefix,
            is_date=number_in(style) in book.date_styles,
            from_1904=book.from_1904,
            zone=zone,
        )
    except BadValue as problem:
        raise BadWorkbook(f"{reference}: {problem}") from None


def _spliced(data: bytes, changes: Iterable[tuple[int, int, str]]) -> bytes:
    """Return bytes with spans replaced; what is put in at one place keeps its order by row."""
    pieces, at = [], 0
    for start, stop, text in sorted(changes, key=lambda change: (change[0], change[1], _row_of(change))):
        pieces += [data[at:start], text.encode()]
        at = stop
    return b"".join([*pieces, data[at:]])
