"""Fill workbooks with records: one, a sheet for each, or a table with a row for each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import chain, islice
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import Invalid, NotFound
from reports import sources
from reports.cells import column_letters
from reports.fields import BadPath, Value, list_at, value_at
from reports.models import WorkbookMapping, WorkbookTemplate, WorkbookVersion
from reports.packages import BadWorkbook, open_book
from reports.sheets import MAX_SHEETS, fill_sheets
from reports.workbooks import Field, fill

MAX_RECORDS = 100_000
MAX_COLUMNS = 1_000
CHUNK = 500


def fields_of(mappings: Iterable[WorkbookMapping]) -> list[Field]:
    """Return mappings as the workbook's engine has them."""
    return [
        Field(one.target, one.path, one.list_path, one.row_step, one.max_rows)
        for one in sorted(mappings, key=lambda one: one.pk or 0)
    ]


def newest(template: WorkbookTemplate) -> WorkbookVersion:
    """Return the file that is filled. Raises Invalid when none was uploaded."""
    version: WorkbookVersion | None = template.versions.order_by("-number").first()
    if version is None:
        raise Invalid("No workbook was uploaded for it yet.", field="file")
    return version


def source_of(template: WorkbookTemplate) -> sources.Source:
    """Return what a template is filled with. Raises Invalid when that is no longer there."""
    try:
        return sources.get(template.source)
    except KeyError:
        raise Invalid(f"Nothing is known of '{template.source}' here.", field="source") from None


def zone_of(data: Mapping[str, Any]) -> tzinfo:
    """Return the zone in which a record's moments are shown."""
    return ZoneInfo(str(data["time_zone"])) if data.get("time_zone") else UTC


def filled(template: WorkbookTemplate, record_id: int, *, user: Any) -> tuple[str, bytes]:
    """Return the title of a record and the workbook filled with it.

    Raises NotFound for a record that is none, or not for this person, and Invalid for what cannot be filled.
    """
    source = source_of(template)
    record = source.records(user).filter(pk=record_id).first()
    if record is None:
        raise NotFound(f"There is no {source.label.lower()} {record_id}.", field="record")
    (data,) = source.read([record], user)
    try:
        content = fill(bytes(newest(template).content), fields_of(template.mappings.all()), data, zone=zone_of(data))
    except BadWorkbook as problem:
        raise Invalid(str(problem), field="template") from None
    return source.title(record), content


def records_of(source: sources.Source, records: Any, *, user: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the title and fields of each record, read set-wise by a few hundred."""
    waiting = records.iterator(chunk_size=CHUNK)
    while some := list(islice(waiting, CHUNK)):
        for record, data in zip(some, source.read(some, user), strict=True):
            yield source.title(record), data


def master_file(template: WorkbookTemplate, records: Any, *, user: Any) -> Iterator[bytes]:
    """Return the pieces of a file with one filled sheet for each record, at most 10,000.

    Raises Invalid for a template that cannot be filled so, or not with the first record. A later record that does not
    fit ends the pieces with BadWorkbook: what was sent is no whole file then.
    """
    source = source_of(template)
    if records.count() > MAX_SHEETS:
        raise Invalid(f"A file has at most {MAX_SHEETS:,} sheets; ask for fewer, or for a table.", field="record")
    pieces = fill_sheets(
        bytes(newest(template).content),
        fields_of(template.mappings.all()),
        ((title, data, zone_of(data)) for title, data in records_of(source, records, user=user)),
    )
    try:
        first = next(pieces)
    except BadWorkbook as problem:
        raise Invalid(str(problem), field="template") from None
    return chain([first], pieces)


def columns_of(fields: Sequence[Field]) -> list[tuple[str, Field, int]]:
    """Return the columns of a table: header, field, and which of its items.

    A block has a column for each row that it has room for; one without a limit has no columns.
    """
    columns = []
    for one in fields:
        if not one.list_path:
            columns.append((one.path, one, 0))
        else:
            columns += [
                (f"{one.list_path}.{number + 1}.{one.path}", one, number) for number in range(one.max_rows or 0)
            ]
    if not columns or len(columns) > MAX_COLUMNS:
        raise Invalid(f"A table has 1 to {MAX_COLUMNS} columns; map some fields first.", field="template")
    return columns


def table_rows(template: WorkbookTemplate, records: Any, *, user: Any) -> Iterator[list[Value]]:
    """Yield the header and a row for each record."""
    source = source_of(template)
    if records.count() > MAX_RECORDS:
        raise Invalid(f"A table has at most {MAX_RECORDS:,} rows; ask for fewer.", field="record")
    columns = columns_of(fields_of(template.mappings.all()))
    # Read before the first row leaves: afterwards an error cannot be answered any more.
    if records:
        first = source.read(list(records[:1]), user)
        _row(columns, first[0])

    def rows() -> Iterator[list[Value]]:
        yield [header for header, _, _ in columns]
        for _, data in records_of(source, records, user=user):
            yield _row(columns, data)

    return rows()


def _row(columns: Sequence[tuple[str, Field, int]], data: Mapping[str, Any]) -> list[Value]:
    zone, row = zone_of(data), []
    for _, one, number in columns:
        try:
            if one.list_path:
                items = list_at(data, one.list_path)
                value = value_at(items[number], one.path) if number < len(items) else None
            else:
                value = value_at(data, one.path)
        except BadPath as problem:
            raise Invalid(f"{one.target}: {problem}", field="template") from None
        row.append(value.astimezone(zone).replace(tzinfo=None) if isinstance(value, datetime) else value)
    return row


def places_of(template: WorkbookTemplate) -> list[tuple[str, str]]:
    """Return what of the newest version can be mapped: each name and where it lies, then each sheet."""
    version = template.versions.order_by("-number").first()
    if version is None:
        return []
    book = open_book(bytes(version.content))
    names = [
        (name, f"{sheet}!{column_letters(column)}{row}") for name, (sheet, column, row) in sorted(book.names.items())
    ]
    return names + [(f"{sheet.name}!A1", "sheet") for sheet in book.sheets if sheet.part]
