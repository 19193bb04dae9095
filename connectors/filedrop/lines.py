"""What a line of a file says: items for `ingest`, values of signals, or what is wrong with it.

No files, no database.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from connectors.translation import Item, number, written
from ingest.items import Unreadable, read_batch, read_one

DELIMITERS = ",;\t|"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND = {"unix": 1, "unix-ms": 1000}
_ITEM_COLUMNS = ("tag", "machine", "line", "at", "value", "state", "detail")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


class Content(StrEnum):
    """What a line stands for."""

    ITEMS = "items"
    SIGNALS = "signals"
    COLUMNS = "columns"


class UnusableFile(ValueError):
    """Nothing in the file can be read; the message says why, `line` where."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


class BadLine(ValueError):
    """One line cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How lines are written. `delimiter` is empty when the file shows it, `zone` None when naive times are refused."""

    content: Content
    columns: tuple[str, ...] = ()
    delimiter: str = ""
    has_decimal_comma: bool = False
    encoding: str = "utf-8"
    time_column: str = "at"
    time_format: str = "iso"
    zone: ZoneInfo | None = None
    signal_column: str = "signal"
    value_column: str = "value"


@dataclass(slots=True)
class Line:
    """What one line says: items, or (signal, value, moment) of signals, or an error."""

    number: int
    text: str = ""
    items: list[Item] = field(default_factory=list)
    signals: list[tuple[str, Any, datetime]] = field(default_factory=list)
    error: str = ""


def shape_of(options: Mapping[str, Any]) -> Shape:
    """Return how lines are written, as the connector's options say."""
    return Shape(
        content=Content(options["content"]),
        columns=tuple(options["columns"].split()),
        delimiter={"auto": "", "tab": "\t"}.get(options["delimiter"], options["delimiter"]),
        has_decimal_comma=options["decimal_comma"],
        encoding=options["encoding"],
        time_column=options["time_column"],
        time_format=options["time_format"],
        zone=ZoneInfo(options["time_zone"]) if options["time_zone"] else None,
        signal_column=options["signal_column"],
        value_column=options["value_column"],
    )


def columns_of(header: str, shape: Shape) -> list[str]:
    """Return the names of a CSV's columns. Raises UnusableFile when those that the content needs are missing."""
    names = [name.strip() for name in _cells(header, shape.delimiter or _delimiter(header))]
    check_columns(names, shape)
    return names


def check_columns(names: Sequence[str], shape: Shape) -> None:
    """Raise UnusableFile when columns that the content needs are missing, or one is there twice."""
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UnusableFile(f"The column '{twice}' is there twice.")
    if shape.content is Content.ITEMS:
        is_count = {"tag", "at", "value"} <= set(names)
        is_state = {"at", "state"} <= set(names) and not {"machine", "line"}.isdisjoint(names)
        if not is_count and not is_state:
            raise UnusableFile("The first line must name the columns: tag, at, value or machine, at, state, detail.")
        return
    needed = [shape.time_column]
    if shape.content is Content.SIGNALS:
        needed += [shape.signal_column, shape.value_column]
    if missing := [name for name in needed if name not in names]:
        raise UnusableFile(f"The first line names no column '{missing[0]}'.")


def read_csv_line(raw: bytes, line_number: int, columns: Sequence[str], delimiter: str, shape: Shape) -> Line:
    """Return what a row says; a blank one says nothing. `delimiter` is empty when the row shows it."""
    line = _decoded(raw, line_number, shape)
    if line.error or not line.text.strip():
        return line
    try:
        cells = _cells(line.text, delimiter or _delimiter(line.text))
        while len(cells) > len(columns) and not cells[-1].strip():
            cells.pop()
        if len(cells) != len(columns):
            raise BadLine(f"The line has {len(cells)} cells, but there are {len(columns)} columns.")
        values = {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if cell.strip()}
        if shape.content is Content.ITEMS:
            values = {name: value for name, value in values.items() if name in _ITEM_COLUMNS}
        _fill(line, values, shape, is_text=True)
    except (BadLine, UnusableFile) as error:
        line.error = str(error)
    return line


def read_json_line(raw: bytes, line_number: int, shape: Shape) -> Line:
    """Return what a line of JSON says; a blank one says nothing."""
    line = _decoded(raw, line_number, shape)
    if line.error or not line.text.strip():
        return line
    try:
        _fill(line, read_one(line.text.encode())[0], shape, is_text=False)
    except (BadLine, Unreadable) as error:
        line.error = str(error)
    return line


def read_json_document(raw: bytes, shape: Shape) -> list[Line]:
    """Return what each object of a JSON document says: `{"items": [...]}`, a list, or one object. Raises UnusableFile.

    Lines are numbered like the objects, from 1.
    """
    try:
        body = raw.decode(shape.encoding).removeprefix("\ufeff").encode()
        try:
            objects = read_batch(body)
        except Unreadable:
            if body.lstrip().startswith(b"["):
                raise
            objects = read_one(body)
    except (UnicodeDecodeError, Unreadable) as error:
        raise UnusableFile(str(error)) from None
    lines = []
    for number_, item in enumerate(objects, start=1):
        line = Line(number_, str(item)[:500])
        try:
            _fill(line, item, shape, is_text=False)
        except BadLine as error:
            line.error = str(error)
        lines.append(line)
    return lines


def moment(value: Any, shape: Shape) -> datetime:
    """Return the moment that a time column says, in UTC. Raises BadLine."""
    if value is None or value == "":
        raise BadLine("The time is missing.")
    try:
        if shape.time_format in _PER_SECOND:
            seconds = Decimal(str(value)) / _PER_SECOND[shape.time_format]
            return _EPOCH + timedelta(microseconds=int((seconds * 1_000_000).to_integral_value()))
        text = str(value).strip()
        is_iso = shape.time_format == "iso"
        at = datetime.fromisoformat(text) if is_iso else datetime.strptime(text, shape.time_format)  # noqa: DTZ007
        if at.tzinfo is None:
            if shape.zone is None:
                raise BadLine(f"The time '{text}' has no zone; set the time zone of the connector.")
            # The hour that comes twice in autumn is taken as its first.
            at = at.replace(tzinfo=shape.zone)
        return at.astimezone(UTC)
    except BadLine:
        raise
    except (ValueError, OverflowError, InvalidOperation):
        raise BadLine(f"'{str(value)[:64]}' is no time in the format '{shape.time_format}'.") from None


def _decoded(raw: bytes, line_number: int, shape: Shape) -> Line:
    try:
        text = raw.decode(shape.encoding)
    except UnicodeDecodeError as error:
        return Line(
            line_number,
            raw.decode(shape.encoding, "replace"),
            error=f"The line is not {shape.encoding}: {error.reason}.",
        )
    text = text.rstrip("\r\n")
    return Line(line_number, text.removeprefix("\ufeff") if line_number == 1 else text)


def _fill(line: Line, values: Any, shape: Shape, *, is_text: bool) -> None:
    """Put what the named values stand for into a line. Raises BadLine."""
    if shape.content is Content.ITEMS:
        line.items.append(_item(values, shape, is_text=is_text))
        return
    if not isinstance(values, dict):
        raise BadLine("The line is no JSON object.")
    at = moment(values.get(shape.time_column), shape)
    if shape.content is Content.COLUMNS:
        named = [(name, value) for name, value in values.items() if name != shape.time_column]
    else:
        if not values.get(shape.signal_column):
            raise BadLine(f"There is nothing in '{shape.signal_column}'.")
        named = [(str(values[shape.signal_column]), values.get(shape.value_column))]
        if is_text and named[0][1] is None:
            raise BadLine(f"There is nothing in '{shape.value_column}'.")
    line.signals += [(name, _plain(value, shape), at) for name, value in named]


def _item(values: Any, shape: Shape, *, is_text: bool) -> Item:
    """Return an item; what is wrong in it is left for `ingest` to say and to keep."""
    if not isinstance(values, dict):
        return values  # type: ignore[no-any-return]
    item = dict(values)
    if "at" in item:
        try:
            item["at"] = written(moment(item["at"], shape))
        except BadLine:
            item["at"] = str(item["at"])
    if is_text and "value" in item:
        item["value"] = number(_plain(item["value"], shape))
    return item


def _plain(value: Any, shape: Shape) -> Any:
    if shape.has_decimal_comma and isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
        return value.replace(",", ".")
    return value


def _delimiter(text: str) -> str:
    return max(DELIMITERS, key=text.count)


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise UnusableFile(f"The line is no CSV: {error}.") from None
