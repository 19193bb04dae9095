"""Take a workbook in: a ZIP of XML parts (ECMA-376), known to be plain before anything of it is used. Plain Python."""

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from core.workbook_bounds import has_long_stretch, is_of_sheets, tags_in
from reports.cells import cell_at, is_date_format

MAX_BYTES = 5 * 2**20
MAX_UNPACKED = 25 * 2**20
MAX_PARTS = 500
MAX_TAGS, MAX_TAGS_BESIDE = 800_000, 100_000
"""Tags and ends of tags: of all sheets with their texts, about 100,000 filled cells; of each other part."""
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
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
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")


class BadWorkbook(ValueError):
    """The workbook cannot be taken or filled; the message says why and what to do."""


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
            raise damaged() from error


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
        raise damaged() from error
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


def damaged() -> BadWorkbook:
    """Return the refusal of a workbook that cannot be read."""
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
    of_sheets = 0
    for part in book.parts:
        if part.endswith(".rels"):
            for name, attributes in _elements(book.read(part)):
                outwards = name == "Relationship" and attributes.get("TargetMode") == "External"
                if outwards and not attributes.get("Type", "").endswith("/hyperlink"):
                    raise BadWorkbook("The workbook takes something from elsewhere; save a copy without links.")
        elif part.endswith((".xml", ".vml")) and part != "[Content_Types].xml":
            data = book.read(part)
            if is_of_sheets(part):
                of_sheets += tags_in(data)
                _refuse_dense(of_sheets, MAX_TAGS)
            else:
                _refuse_dense(tags_in(data))
            # Read through once, so that a document type or broken XML is met now and not when it is filled.
            parse(data, expat.ParserCreate())


def _refuse_dense(tags: int, most: int = MAX_TAGS_BESIDE) -> None:
    """Raise BadWorkbook for more tags than a template has: a few bytes of a ZIP hold millions."""
    if tags > most:
        raise BadWorkbook("The workbook has far too much in it; delete what is empty or not needed, and save it anew.")


def parse(data: bytes, parser: Any) -> None:
    """Parse a part. Raises BadWorkbook for what is not plain UTF-8 XML, or has a tag or text of half a megabyte."""
    if has_long_stretch(data):
        raise BadWorkbook("The workbook holds a text that is longer than a cell can be; shorten it.")
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
        raise damaged() from error


def _elements(data: bytes) -> list[tuple[str, dict[str, str]]]:
    """Return the local name and attributes of every element of a small part."""
    _refuse_dense(tags_in(data))
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append((local_name(name), attributes))
    parse(data, parser)
    return found


def local_name(name: str) -> str:
    """Return a name without its prefix."""
    return name.rpartition(":")[2]


def rels_of(part: str) -> str:
    """Return the part that holds the relations of a part."""
    folder, _, name = part.rpartition("/")
    return f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"


def relations_of(book: Book, part: str) -> dict[str, tuple[str, str, str]]:
    """Return the relations of a part by id: (type, target part or address, mode)."""
    folder, rels = part.rpartition("/")[0], rels_of(part)
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
    relations = relations_of(book, book.workbook)
    names: list[tuple[dict[str, str], list[str]]] = []
    text: list[str] | None = None

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal text
        kind = local_name(name)
        if kind == "sheet":
            identifier = next(
                (value for key, value in attributes.items() if local_name(key) == "id" and ":" in key), ""
            )
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

    def characters(said: str) -> None:
        if text is not None:
            text.append(said)

    def end(name: str) -> None:
        nonlocal text
        if local_name(name) == "definedName":
            text = None

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    data = book.read(book.workbook)
    _refuse_dense(tags_in(data))
    parse(data, parser)
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
    return None if place is None else (unquoted(sheet), *place)


def unquoted(sheet: str) -> str:
    """Return a sheet's name as it is, not as formulas write it."""
    return sheet[1:-1].replace("''", "'") if sheet.startswith("'") and sheet.endswith("'") else sheet


def _date_styles(data: bytes) -> frozenset[int]:
    codes: dict[int, str] = {}
    formats: list[int] = []
    within = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal within
        kind = local_name(name)
        if kind in ("cellXfs", "cellStyleXfs", "dxfs"):
            within = kind
        elif kind == "numFmt" and within != "dxfs":
            codes[number_in(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif kind == "xf" and within == "cellXfs":
            formats.append(number_in(attributes.get("numFmtId")))

    def end(name: str) -> None:
        nonlocal within
        within = "" if local_name(name) == within else within

    parser = expat.ParserCreate()
    _refuse_dense(tags_in(data))
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parse(data, parser)
    return frozenset(place for place, kind in enumerate(formats) if is_date_format(kind, codes.get(kind)))


def number_in(text: str | None) -> int:
    """Return the number that an attribute holds; 0 for what is none."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 8 else 0
