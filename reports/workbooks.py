"""Fill a workbook of somebody else's, cell by cell, and leave every other byte of its parts as it was. Plain Python.

A workbook is a ZIP of XML parts (ECMA-376). Libraries that read and write it anew lose what they do not know: charts,
pictures, conditional formats, printer settings. Here a sheet's XML is read only to learn where its cells lie; the
elements of the cells to fill are replaced, all other bytes are copied.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import IO, Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr, unescape

from reports.cells import BadValue, cell_at, cell_xml, column_letters, is_date_format
from reports.fields import BadPath, Value, list_at, value_at

MAX_BYTES = 5 * 2**20
MAX_UNPACKED = 25 * 2**20
MAX_PARTS = 500
MAX_ITEMS = 5_000
MAX_SHEETS = 300
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_WORKSHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_FORBIDDEN = {
    "vbaproject": "macros",
    "externallink": "links to other workbooks",
    "activex": "controls",
    "embeddings/": "embedded files",
    "ctrlprops/": "controls",
    "connections.xml": "connections to data",
    "querytable": "connections to data",
    "macrosheet": "macros",
    "dialogsheet": "macros",
    "customui": "macros",
    "webextension": "extensions",
}
_TAG = re.compile(rb"<[^\s/>]+(?:\s+[^\s=]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_BROKEN_NAME = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


class BadWorkbook(ValueError):
    """The workbook cannot be taken or filled; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Field:
    """A cell, or the head of a repeating block's column, and the path of what fills it; see `WorkbookMapping`."""

    target: str
    path: str
    list_path: str = ""
    row_step: int = 1
    max_rows: int | None = None


@dataclass(slots=True)
class Sheet:
    """A sheet: its name, its part, its element in the workbook's XML."""

    name: str
    part: str


@dataclass(slots=True)
class Book:
    """A workbook's parts, and what is known of them."""

    parts: dict[str, zipfile.ZipInfo]
    archive: zipfile.ZipFile
    workbook: str
    sheets: list[Sheet] = field(default_factory=list)
    names: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    """Named cells: the sheet's name, column and row; of a named range, its upper left cell."""
    from_1904: bool = False
    date_styles: frozenset[int] = frozenset()

    def read(self, part: str) -> bytes:
        """Return a part's bytes."""
        try:
            entry = self.parts[part]
            # Told how much to read, zlib stops there; asked for all, it would unpack whatever an entry conceals.
            with self.archive.open(entry) as stream:
                return stream.read(entry.file_size + 1)
        except KeyError:
            raise BadWorkbook(f"The workbook lacks its part {part}; save it anew as .xlsx.") from None
        except Exception as error:
            # zlib and zipfile have errors of many kinds for a damaged part.
            raise _damaged() from error


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


# --- taking a workbook in ---


def open_book(content: bytes) -> Book:
    """Return a workbook's parts, known to be plain: no macros, no links outwards, nothing that unpacks to too much.

    Raises BadWorkbook. Reads at most 25 MiB, one part at a time.
    """
    if len(content) > MAX_BYTES:
        raise BadWorkbook(f"The workbook is larger than {MAX_BYTES // 2**20} MB.")
    if not content.startswith(b"PK\x03\x04"):
        raise BadWorkbook("The file is no Excel workbook; save it as .xlsx, without a password.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _damaged() from error
    # A ZIP ends where its directory does, and begins with its first part: nothing else is hidden around it.
    if archive.comment or content[-22:-18] != b"PK\x05\x06" or min((e.header_offset for e in entries), default=1):
        raise BadWorkbook("The file holds more than a workbook; save it anew as .xlsx.")
    if len(entries) > MAX_PARTS or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise BadWorkbook(f"The workbook unpacks to more than {MAX_UNPACKED // 2**20} MB.")
    parts: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadWorkbook("The workbook is encrypted or packed oddly; save it anew as .xlsx.")
        if entry.filename.startswith(("/", "\\")) or ".." in entry.filename.split("/") or entry.filename in parts:
            raise BadWorkbook("The workbook's parts are named oddly; save it anew as .xlsx.")
        for word, meaning in _FORBIDDEN.items():
            if word in entry.filename.lower():
                raise BadWorkbook(f"The workbook holds {meaning}; save a copy without.")
        parts[entry.filename] = entry
    book = Book(parts, archive, "")
    _check_parts(book)
    _read_workbook(book)
    return book


def _damaged() -> BadWorkbook:
    return BadWorkbook("The workbook is damaged; open it in Excel and save it anew as .xlsx.")


def _check_parts(book: Book) -> None:
    types = {
        attributes.get("PartName", ""): attributes.get("ContentType", "")
        for name, attributes in _elements(book.read("[Content_Types].xml"))
        if name == "Override"
    }
    mains = [part for part, kind in types.items() if kind == _SHEET_TYPE]
    if any("macroEnabled" in kind or "vba" in kind.lower() for kind in types.values()):
        raise BadWorkbook("The workbook holds macros; save a copy without.")
    if len(mains) != 1:
        raise BadWorkbook("The file is no Excel workbook (.xlsx); templates and other files are not taken.")
    book.workbook = mains[0].lstrip("/")
    for part in book.parts:
        if part.endswith(".rels"):
            for name, attributes in _elements(book.read(part)):
                outwards = name == "Relationship" and attributes.get("TargetMode") == "External"
                if outwards and not attributes.get("Type", "").endswith("/hyperlink"):
                    raise BadWorkbook("The workbook takes something from elsewhere; save a copy without links.")
        elif part.endswith((".xml", ".vml")) and part != "[Content_Types].xml":
            # Read through once, so that a document type or broken XML is met now and not when it is filled.
            _parse(book.read(part), expat.ParserCreate())


def _parse(data: bytes, parser: Any) -> None:
    declared = _DECLARED.match(data[3:] if data.startswith(b"\xef\xbb\xbf") else data)
    if declared is not None and declared.group(1).lower() not in (b"utf-8", b"us-ascii", b"ascii"):
        raise BadWorkbook("The workbook is not written in UTF-8; save it anew as .xlsx.")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]:
        raise BadWorkbook("The workbook is not written in UTF-8; save it anew as .xlsx.")

    def refuse(*_: Any) -> None:
        raise BadWorkbook("The workbook's XML has a document type; save it anew as .xlsx.")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise _damaged() from error


def _elements(data: bytes) -> list[tuple[str, dict[str, str]]]:
    """Return the local name and attributes of every element of a small part."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append((_local(name), attributes))
    _parse(data, parser)
    return found


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _relations(book: Book, part: str) -> dict[str, tuple[str, str, str]]:
    """Return the relations of a part by id: (type, target part or address, mode)."""
    folder, _, name = part.rpartition("/")
    rels = f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"
    if rels not in book.parts:
        return {}
    found = {}
    for element, attributes in _elements(book.read(rels)):
        if element == "Relationship":
            mode, target = attributes.get("TargetMode", "Internal"), attributes.get("Target", "")
            if mode == "Internal":
                target = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
            found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], target, mode)
    return found


def _read_workbook(book: Book) -> None:
    relations = _relations(book, book.workbook)
    names: list[tuple[dict[str, str], list[str]]] = []
    text: list[str] | None = None

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal text
        kind = _local(name)
        if kind == "sheet":
            identifier = next((value for key, value in attributes.items() if _local(key) == "id" and ":" in key), "")
            relation = relations.get(identifier)
            if relation is not None and relation[0] == "worksheet":
                book.sheets.append(Sheet(attributes.get("name", ""), relation[1]))
            else:
                book.sheets.append(Sheet(attributes.get("name", ""), ""))
        elif kind == "workbookPr":
            book.from_1904 = attributes.get("date1904") in ("1", "true")
        elif kind == "definedName":
            text = []
            names.append((attributes, text))

    def characters(data: str) -> None:
        if text is not None:
            text.append(data)

    def end(name: str) -> None:
        nonlocal text
        if _local(name) == "definedName":
            text = None

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    _parse(book.read(book.workbook), parser)
    if not any(sheet.part for sheet in book.sheets):
        raise BadWorkbook("The workbook has no sheet.")
    for attributes, pieces in names:
        place = _named_place("".join(pieces))
        name = attributes.get("name", "")
        if place and place[0] in {sheet.name for sheet in book.sheets} and not name.startswith("_xlnm."):
            book.names.setdefault(name, place)
    styles = next((target for kind, target, _ in relations.values() if kind == "styles"), None)
    if styles is not None:
        book.date_styles = _date_styles(book.read(styles))


def _named_place(reference: str) -> tuple[str, int, int] | None:
    sheet, mark, cells = reference.strip().rpartition("!")
    place = cell_at(cells.partition(":")[0]) if mark else None
    return None if place is None else (_unquoted(sheet), *place)


def _unquoted(sheet: str) -> str:
    return sheet[1:-1].replace("''", "'") if sheet.startswith("'") and sheet.endswith("'") else sheet


def _date_styles(data: bytes) -> frozenset[int]:
    codes: dict[int, str] = {}
    formats: list[int] = []
    within = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal within
        kind = _local(name)
        if kind in ("cellXfs", "cellStyleXfs", "dxfs"):
            within = kind
        elif kind == "numFmt" and within != "dxfs":
            codes[_number(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif kind == "xf" and within == "cellXfs":
            formats.append(_number(attributes.get("numFmtId")))

    def end(name: str) -> None:
        nonlocal within
        within = "" if _local(name) == within else within

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    _parse(data, parser)
    return frozenset(place for place, kind in enumerate(formats) if is_date_format(kind, codes.get(kind)))


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 8 else 0


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
        name = _unquoted(before) if mark else next(sheet.name for sheet in book.sheets if sheet.part)
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
    changed = {part: _edited(book, part, cells, zone) for part, cells in edits.items()}
    if _has_formulas(book):
        changed[book.workbook] = _recalculating(book.read(book.workbook))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        _copy(book, target, changed)
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


def _copy(book: Book, target: zipfile.ZipFile, changed: Mapping[str, bytes]) -> None:
    for name, entry in book.parts.items():
        kept = zipfile.ZipInfo(name, entry.date_time)
        kept.compress_type, kept.external_attr, kept.create_system = (
            entry.compress_type,
            entry.external_attr,
            entry.create_system,
        )
        target.writestr(kept, changed[name] if name in changed else book.read(name))


def _has_formulas(book: Book) -> bool:
    formula = re.compile(rb"<(?:[A-Za-z0-9_.-]+:)?f[\s>/]")
    return any(sheet.part and formula.search(book.read(sheet.part)) is not None for sheet in book.sheets)


def _recalculating(data: bytes) -> bytes:
    """Return the workbook's XML such that formulas are computed when it is opened."""
    places: dict[str, tuple[int, str]] = {}
    ends: dict[str, int] = {}
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        places.setdefault(_local(name), (parser.CurrentByteIndex, name))

    def end(name: str) -> None:
        ends[_local(name)] = _end(data, parser.CurrentByteIndex, name)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    _parse(data, parser)
    if "calcPr" in places:
        at = places["calcPr"][0]
        tag = _tag(data, at)
        return data[:at] + _with_attribute(tag, "fullCalcOnLoad", "1") + data[at + len(tag) :]
    after = next(
        ends[name] for name in ("definedNames", "externalReferences", "functionGroups", "sheets") if name in ends
    )
    prefix = _prefix(places["sheets"][1])
    return data[:after] + f'<{prefix}calcPr fullCalcOnLoad="1"/>'.encode() + data[after:]


def _with_attribute(tag: bytes, name: str, value: str) -> bytes:
    """Return a start tag with an attribute set, all its other bytes as they were."""
    there = re.compile(rb"(\s" + name.encode() + rb"\s*=\s*)(\"[^\"]*\"|'[^']*')")
    new = quoteattr(value).encode()
    if there.search(tag):
        return there.sub(lambda found: found.group(1) + new, tag, count=1)
    cut = len(tag) - (2 if tag.endswith(b"/>") else 1)
    return tag[:cut].rstrip() + b" " + name.encode() + b"=" + new + tag[cut:]


def _prefix(name: str) -> str:
    before, mark, _ = name.rpartition(":")
    return before + mark


def _tag(data: bytes, at: int) -> bytes:
    found = _TAG.match(data, at)
    if found is None:
        raise _damaged()
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
        kind, depth, at = _local(name), len(path), parser.CurrentByteIndex
        within = path[-1] if path else ""
        if kind == "sheetData" and depth == 1:
            found.start, found.prefix = at, _prefix(name)
        elif kind == "row" and within == "sheetData" and depth == 2:
            number = _number(attributes.get("r")) or number + 1
            column = 0
            row = _Row(number, at, at, False, attributes if number in wanted else {})
            found.rows.append(row)
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
            found.columns.append((_number(attributes.get("min")), _number(attributes.get("max")), attributes["style"]))
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
    _parse(data, parser)
    if found.start < 0:
        raise _damaged()
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


def _edited(book: Book, part: str, cells: Mapping[tuple[int, int], Value], zone: tzinfo) -> bytes:
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
        tag = _tag(data, layout.start)
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
        tag = _tag(data, row.start)
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
    kept = [f's="{_number(style)}"'] if style is not None else []
    reference = f"{column_letters(column)}{number}"
    try:
        return cell_xml(
            reference,
            value,
            attributes=kept,
            prefix=layout.prefix,
            is_date=_number(style) in book.date_styles,
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


# --- one file, one sheet for each record ---

_COPIED = frozenset(("printerSettings", "drawing", "image", "hyperlink"))


def fill_sheets(
    content: bytes,
    fields: Sequence[Field],
    records: Iterable[tuple[str, Mapping[str, Any], tzinfo]],
    out: IO[bytes],
) -> int:
    """Write a workbook with a filled copy of the mapped sheet for each record (title, data, zone); return how many.

    The sheet itself stays, hidden and empty, so that what refers to it still does. Raises BadWorkbook when more than one
    sheet is mapped, or when the sheet holds what a copy would not be right with: tables, charts, comments, formulas that
    name the sheet itself.
    """
    book = open_book(content)
    if not fields:
        raise BadWorkbook("No cell is mapped yet.")
    mapped = {resolve(book, one.target)[0].part for one in fields}
    if len(mapped) > 1:
        raise BadWorkbook("Cells of several sheets are mapped; a file with one sheet for each record takes one.")
    sheet = next(one for one in book.sheets if one.part in mapped)
    original = book.read(sheet.part)
    relations = _relations(book, sheet.part)
    _check_copyable(book, sheet, original, relations)
    folder, _, name = sheet.part.rpartition("/")
    rels = f"{folder}/_rels/{name}.rels"
    taken = {one.name.lower() for one in book.sheets}
    titles: list[str] = []
    overrides: list[str] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for number, (title, data, zone) in enumerate(records, start=1):
            if number > MAX_SHEETS:
                raise BadWorkbook(f"A file has at most {MAX_SHEETS} sheets; take a table instead.")
            part = f"{folder}/mes{number}.xml"
            filled = _edited(book, sheet.part, edits_of(book, fields, data).get(sheet.part, {}), zone)
            target.writestr(part, filled if number == 1 else _unselected(filled))
            if rels in book.parts:
                _copy_relations(book, target, sheet.part, part, number, overrides)
            titles.append(_sheet_name(title, taken))
            overrides.append(f'PartName="/{part}" ContentType="{_WORKSHEET_TYPE}"')
        if not titles:
            raise BadWorkbook("There is no record to fill it with.")
        workbook = book.read(book.workbook)
        workbook = _with_sheets(book, workbook, sheet, titles)
        if _has_formulas(book):
            workbook = _recalculating(workbook)
        _copy(
            book,
            target,
            {
                sheet.part: _unselected(original),
                book.workbook: workbook,
                "[Content_Types].xml": _appended(book.read("[Content_Types].xml"), "Override", overrides),
                _rels_of(book.workbook): _appended(
                    book.read(_rels_of(book.workbook)),
                    "Relationship",
                    [
                        f'Id="mes{number}" Type="{_RELATIONS}/worksheet" Target="/{folder}/mes{number}.xml"'
                        for number in range(1, len(titles) + 1)
                    ],
                ),
            },
        )
    return len(titles)


def _rels_of(part: str) -> str:
    folder, _, name = part.rpartition("/")
    return f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"


def _check_copyable(book: Book, sheet: Sheet, data: bytes, relations: Mapping[str, tuple[str, str, str]]) -> None:
    kinds = {kind for kind, _, _ in relations.values()}
    for kind, target, mode in relations.values():
        if kind == "drawing" and mode == "Internal":
            kinds |= {inner for inner, _, _ in _relations(book, target).values()}
    odd = sorted(kinds - _COPIED)
    if odd:
        raise BadWorkbook(
            f"The sheet holds what cannot be copied ({', '.join(odd)}); fill one workbook for each record instead."
        )
    text = unescape(data.decode(), {"&quot;": '"', "&apos;": "'"})
    quoted = "'" + sheet.name.replace("'", "''") + "'!"
    if quoted in text or re.search(rf"(?<![\w.']){re.escape(sheet.name)}!", text):
        raise BadWorkbook("Formulas of the sheet name the sheet itself; fill one workbook for each record instead.")


def _unselected(data: bytes) -> bytes:
    """Return a sheet that is not the chosen one."""
    return re.sub(
        rb"(<(?:[A-Za-z0-9_.-]+:)?sheetView\b[^>]*?)\s+tabSelected\s*=\s*(?:\"[^\"]*\"|'[^']*')", rb"\1", data
    )


def _copy_relations(
    book: Book, target: zipfile.ZipFile, part: str, copy: str, number: int, overrides: list[str]
) -> None:
    """Write the relations of a copied sheet; a drawing belongs to one sheet, so it is copied too."""
    data = book.read(_rels_of(part))
    for kind, drawing, mode in _relations(book, part).values():
        if kind != "drawing" or mode != "Internal":
            continue
        folder, _, name = drawing.rpartition("/")
        new = f"{folder}/mes{number}_{name}"
        target.writestr(new, book.read(drawing))
        if _rels_of(drawing) in book.parts:
            target.writestr(_rels_of(new), book.read(_rels_of(drawing)))
        overrides.append(f'PartName="/{new}" ContentType="application/vnd.openxmlformats-officedocument.drawing+xml"')
        data = re.sub(rb"(?<=[/\"'])" + re.escape(name.encode()) + rb"(?=[\"'])", f"mes{number}_{name}".encode(), data)
    target.writestr(_rels_of(copy), data)


def _appended(data: bytes, element: str, attributes: Iterable[str]) -> bytes:
    """Return a list of elements with more at its end."""
    end = data.rindex(b"</")
    prefix = _prefix(data[end + 2 : data.index(b">", end)].decode().strip())
    more = "".join(f"<{prefix}{element} {one}/>" for one in attributes)
    return data[:end] + more.encode() + data[end:]


def _sheet_name(title: str, taken: set[str]) -> str:
    """Return a title as a sheet's name: 31 characters, none that Excel refuses, once."""
    stem = _BROKEN_NAME.sub("_", title).strip("' ")[:31] or "Sheet"
    name, number = stem, 1
    while name.lower() in taken or name.lower() == "history":
        number += 1
        ending = f" ({number})"
        name = stem[: 31 - len(ending)] + ending
    taken.add(name.lower())
    return name


def _with_sheets(book: Book, data: bytes, sheet: Sheet, titles: Sequence[str]) -> bytes:
    """Return the workbook's XML with more sheets at the end, each with the print areas of the one that was copied."""
    changes: list[tuple[int, int, str]] = []
    sheets_end = names_end = -1
    ids: list[int] = []
    local: list[tuple[bytes, list[str]]] = []
    text: list[str] | None = None
    prefix = relation = ""
    own = next(place for place, one in enumerate(book.sheets) if one is sheet)
    first = len(book.sheets)
    seen = -1
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal prefix, relation, seen, text
        kind, at = _local(name), parser.CurrentByteIndex
        if kind == "sheet":
            seen += 1
            prefix = _prefix(name)
            relation = next((key for key in attributes if _local(key) == "id" and ":" in key), "r:id")
            ids.append(_number(attributes.get("sheetId")))
            if seen == own:
                tag = _tag(data, at)
                changes.append((at, at + len(tag), _with_attribute(tag, "state", "hidden").decode()))
        elif kind == "workbookView":
            tag = _tag(data, at)
            shown = _with_attribute(_with_attribute(tag, "activeTab", str(first)), "firstSheet", "0")
            changes.append((at, at + len(tag), shown.decode()))
        elif kind == "definedName" and attributes.get("localSheetId") == str(own):
            text = []
            local.append((_tag(data, at), text))

    def end(name: str) -> None:
        nonlocal sheets_end, names_end, text
        kind, at = _local(name), parser.CurrentByteIndex
        if kind == "sheets":
            sheets_end = at
        elif kind == "definedNames":
            names_end = at
        elif kind == "definedName":
            text = None

    def characters(piece: str) -> None:
        if text is not None:
            text.append(piece)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    _parse(data, parser)
    free = max(ids, default=0) + 1
    more = "".join(
        f'<{prefix}sheet name={quoteattr(title)} sheetId="{free + number}" {relation}="mes{number + 1}"/>'
        for number, title in enumerate(titles)
    )
    changes.append((sheets_end, sheets_end, more))
    names = "".join(
        _with_attribute(tag, "localSheetId", str(first + number)).decode()
        + escape(_renamed("".join(pieces), sheet.name, title))
        + f"</{prefix}definedName>"
        for tag, pieces in local
        for number, title in enumerate(titles)
    )
    if names:
        changes.append((names_end, names_end, names))
    pieces, at = [], 0
    for begin, stop, written in sorted(changes, key=lambda change: change[0]):
        pieces += [data[at:begin], written.encode()]
        at = stop
    return b"".join([*pieces, data[at:]])


def _renamed(reference: str, name: str, title: str) -> str:
    new = "'" + title.replace("'", "''") + "'!"
    quoted = "'" + name.replace("'", "''") + "'!"
    return reference.replace(quoted, new).replace(f"{name}!", new) if quoted != new else reference
