"""Fill a copy of a workbook's sheet for each record, all in one file. Plain Python."""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr, unescape

from reports.packages import BadWorkbook, Book, Sheet, local_name, number_in, open_book, parse, relations_of, rels_of
from reports.workbooks import (
    Field,
    copy_parts,
    edited,
    edits_of,
    has_formulas,
    prefix_of,
    recalculating,
    resolve,
    tag_at,
    with_attribute,
)

MAX_SHEETS = 10_000
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORKSHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_BROKEN_NAME = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_COPIED = frozenset(("printerSettings", "drawing", "image", "hyperlink"))


class _Pipe(io.RawIOBase):
    """What is written into it is taken out in pieces; nobody can go back in it, so that nothing has to be kept."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def fill_sheets(
    content: bytes, fields: Sequence[Field], records: Iterable[tuple[str, Mapping[str, Any], tzinfo]]
) -> Iterator[bytes]:
    """Yield, in pieces, a workbook with a filled copy of the mapped sheet for each record (title, data, zone).

    The sheet itself stays, hidden and empty, so that what refers to it still does. Raises BadWorkbook when more than
    one sheet is mapped, or when the sheet holds what a copy would not be right with: tables, charts, comments, formulas
    that name the sheet itself; all of that before the first piece, which holds the first record.
    """
    book = open_book(content)
    if not fields:
        raise BadWorkbook("No cell is mapped yet.")
    mapped = {resolve(book, one.target)[0].part for one in fields}
    if len(mapped) > 1:
        raise BadWorkbook("Cells of several sheets are mapped; a file with one sheet for each record takes one.")
    sheet = next(one for one in book.sheets if one.part in mapped)
    original = book.read(sheet.part)
    relations = relations_of(book, sheet.part)
    _check_copyable(book, sheet, original, relations)
    folder = sheet.part.rpartition("/")[0]
    rels = rels_of(sheet.part)
    taken = {one.name.lower() for one in book.sheets}
    titles: list[str] = []
    overrides: list[str] = []
    out = _Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for number, (title, data, zone) in enumerate(records, start=1):
            if number > MAX_SHEETS:
                raise BadWorkbook(f"A file has at most {MAX_SHEETS} sheets; take a table instead.")
            part = f"{folder}/mes{number}.xml"
            filled = edited(book, sheet.part, edits_of(book, fields, data).get(sheet.part, {}), zone)
            target.writestr(part, filled if number == 1 else _unselected(filled))
            if rels in book.parts:
                _copy_relations(book, target, sheet.part, part, number, overrides)
            titles.append(_sheet_name(title, taken))
            overrides.append(f'PartName="/{part}" ContentType="{_WORKSHEET_TYPE}"')
            yield out.taken()
        if not titles:
            raise BadWorkbook("There is no record to fill it with.")
        workbook = book.read(book.workbook)
        workbook = _with_sheets(book, workbook, sheet, titles)
        if has_formulas(book):
            workbook = recalculating(workbook)
        copy_parts(
            book,
            target,
            {
                sheet.part: _unselected(original),
                book.workbook: workbook,
                "[Content_Types].xml": _appended(book.read("[Content_Types].xml"), "Override", overrides),
                rels_of(book.workbook): _appended(
                    book.read(rels_of(book.workbook)),
                    "Relationship",
                    [
                        f'Id="mes{number}" Type="{_RELATIONS}/worksheet" Target="/{folder}/mes{number}.xml"'
                        for number in range(1, len(titles) + 1)
                    ],
                ),
            },
        )
    yield out.taken()


def _check_copyable(book: Book, sheet: Sheet, data: bytes, relations: Mapping[str, tuple[str, str, str]]) -> None:
    kinds = {kind for kind, _, _ in relations.values()}
    for kind, target, mode in relations.values():
        if kind == "drawing" and mode == "Internal":
            kinds |= {inner for inner, _, _ in relations_of(book, target).values()}
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
    data = book.read(rels_of(part))
    for kind, drawing, mode in relations_of(book, part).values():
        if kind != "drawing" or mode != "Internal":
            continue
        folder, _, name = drawing.rpartition("/")
        new = f"{folder}/mes{number}_{name}"
        target.writestr(new, book.read(drawing))
        if rels_of(drawing) in book.parts:
            target.writestr(rels_of(new), book.read(rels_of(drawing)))
        overrides.append(f'PartName="/{new}" ContentType="application/vnd.openxmlformats-officedocument.drawing+xml"')
        data = re.sub(rb"(?<=[/\"'])" + re.escape(name.encode()) + rb"(?=[\"'])", f"mes{number}_{name}".encode(), data)
    target.writestr(rels_of(copy), data)


def _appended(data: bytes, element: str, attributes: Iterable[str]) -> bytes:
    """Return a list of elements with more at its end."""
    end = data.rindex(b"</")
    prefix = prefix_of(data[end + 2 : data.index(b">", end)].decode().strip())
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
        kind, at = local_name(name), parser.CurrentByteIndex
        if kind == "sheet":
            seen += 1
            prefix = prefix_of(name)
            relation = next((key for key in attributes if local_name(key) == "id" and ":" in key), "r:id")
            ids.append(number_in(attributes.get("sheetId")))
            if seen == own:
                tag = tag_at(data, at)
                changes.append((at, at + len(tag), with_attribute(tag, "state", "hidden").decode()))
        elif kind == "workbookView":
            tag = tag_at(data, at)
            shown = with_attribute(with_attribute(tag, "activeTab", str(first)), "firstSheet", "0")
            changes.append((at, at + len(tag), shown.decode()))
        elif kind == "definedName" and attributes.get("localSheetId") == str(own):
            text = []
            local.append((tag_at(data, at), text))

    def end(name: str) -> None:
        nonlocal sheets_end, names_end, text
        kind, at = local_name(name), parser.CurrentByteIndex
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
    parse(data, parser)
    free = max(ids, default=0) + 1
    more = "".join(
        f'<{prefix}sheet name={quoteattr(title)} sheetId="{free + number}" {relation}="mes{number + 1}"/>'
        for number, title in enumerate(titles)
    )
    changes.append((sheets_end, sheets_end, more))
    names = "".join(
        with_attribute(tag, "localSheetId", str(first + number)).decode()
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
