"""Read what other systems send as CSV or Excel: rows of an import, each with its number in the file.

The header is row 1 and names fields as JSON does; `custom.<code>` and `names.<language>` go into theirs. An empty cell
says nothing, an empty row and one that begins with # are passed over. Formulas of a workbook count by the value that
was saved with them. Where decimals have commas (files separated by semicolons only), they have no points.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from core.cells import as_text
from core.errors import Invalid
from core.spreadsheets import (
    MAX_UPLOAD_BYTES,
    Cell,
    CsvFormat,
    UnreadableFile,
    XlsxFormat,
    csv_text,
    delimiter_of,
    is_blank,
    is_comment,
    workbook,
)

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
_Nested = (serializers.DictField,)
_TooDeep = (serializers.ListField, serializers.ManyRelatedField, serializers.BaseSerializer)


def fields_of(shape: type[serializers.Serializer]) -> dict[str, serializers.Field]:
    """Return the fields of a row that a cell can hold, by name; those with a name of their own for each cell
    included.
    """
    fields = shape().fields
    return {
        name: field
        for name, field in fields.items()
        if not field.read_only and (isinstance(field, _Nested) or not isinstance(field, _TooDeep))
    }


def rows_of(
    content: bytes, content_type: str, shape: type[serializers.Serializer]
) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the rows of a file, and their numbers in it.

    Raises Invalid for what is no such file, or too much of one.
    """
    if len(content) > MAX_UPLOAD_BYTES:
        raise Invalid(f"The file is larger than {MAX_UPLOAD_BYTES // 2**20} MB; send it in parts.")
    comma = False
    try:
        if content_type == XLSX:
            data = XlsxFormat().create_dataset(content)
        else:
            text = content.decode("utf-8-sig")
            comma = delimiter_of(text) == ";"
            data = CsvFormat().create_dataset(text)
    except UnreadableFile as problem:
        raise Invalid(str(problem)) from None
    except UnicodeDecodeError:
        raise Invalid("The file is not in UTF-8; save it as 'CSV UTF-8'.") from None
    fields = fields_of(shape)
    headers = [str(header) for header in data.headers or []]
    _refuse_header(headers, fields)
    numbers = [n for n, row in enumerate(data, start=2) if not is_blank(row) and not is_comment(row)]
    kept = [data[number - 2] for number in numbers]
    places = [isinstance(fields.get(header), serializers.DecimalField) for header in headers]
    comma = comma and any(
        isinstance(cell, str) and _COMMA.fullmatch(cell)
        for row in kept
        for cell, is_number in zip(row, places, strict=True)
        if is_number
    )
    return [_row(headers, places, row, comma) for row in kept], numbers


def _refuse_header(headers: Sequence[str], fields: Mapping[str, serializers.Field]) -> None:
    for header in headers:
        name, dot, _ = header.partition(".")
        field = fields.get(name)
        if field is None or bool(dot) != isinstance(field, _Nested):
            raise Invalid(
                f"Unknown column '{header[:64]}'; there are {', '.join(_columns(fields))}.", field=header[:64]
            )
        if headers.count(header) > 1:
            raise Invalid(f"The column '{header[:64]}' is there twice.", field=header[:64])


def _row(headers: Sequence[str], is_number: Sequence[bool], cells: Sequence[Cell], comma: bool) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for header, number, cell in zip(headers, is_number, cells, strict=True):
        if cell is None or cell == "":
            continue
        text = cell.isoformat() if hasattr(cell, "isoformat") else as_text(cell)
        if number and comma:
            # What stays a point is refused as a number: nobody knows whether it separates thousands.
            text = text.replace(".", " . ").replace(",", ".")
        name, dot, inner = header.partition(".")
        if dot:
            row.setdefault(name, {})[inner] = text
        else:
            row[name] = text
    return row


def _columns(fields: Mapping[str, serializers.Field]) -> list[str]:
    return [f"{name}.…" if isinstance(field, _Nested) else name for name, field in fields.items()]


def template_of(shape: type[serializers.Serializer], *, as_workbook: bool) -> bytes:
    """Return an empty file with the columns of a kind: the second row, which is passed over, says what is needed."""
    fields = {name: field for name, field in fields_of(shape).items() if not isinstance(field, _Nested)}
    needs = ["needed" if field.required else "" for field in fields.values()]
    rows: list[Sequence[Cell]] = [list(fields), [f"# {needs[0]}", *needs[1:]]]
    return workbook({"Import": rows}) if as_workbook else csv_text(rows).encode()
