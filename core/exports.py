"""Give any list as a file: CSV or Excel, what is filtered, all of it, in bounded memory, harmless when it is opened.

Rows are those of REST, under its names. A REST list is asked for with `?format=csv` or `xlsx`: its own handler is
called for one chunk after another, so that what a list says of its rows is what the file says. A page gives the list
and the serializer (`export_list`), or what it worked out as a table (`export_table`), under the reader's words. What is
long is made in the background, as the same request, by the app that has a place for files (`BACKGROUND`).

In a workbook numbers are numbers and moments are moments; CSV writes both as REST does.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import content_disposition_header
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer

from core.errors import Invalid
from core.spreadsheets import Cell, csv_pieces, workbook_file

FORMATS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
KIND = "export"
CHUNK = 1000
AT_ONCE = 20_000
"""A list with more rows than this is made into a workbook in the background."""
MOST_WORKBOOK_ROWS = 1_048_575
"""What a sheet of Excel holds, its header aside."""
BACKGROUND = "reports:export-new"
_PIECE = 2**16
_UNSAFE = re.compile(r"[^\w-]+")
_NO_FILTERS = ("format", "page", "page_size", "tv")
_READ_BACK: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], Callable[[str], Cell]], ...] = (
    (serializers.DecimalField, Decimal),
    (serializers.DateTimeField, datetime.fromisoformat),
    (serializers.DateField, date.fromisoformat),
)
"""What REST writes as a text and a workbook has as what it is, by the field that wrote it."""


@dataclass(frozen=True, slots=True)
class Table:
    """A list on its way into a file: names of columns, rows, and how many rows there are (None = not known).

    The sheet has its name; the file's says, too, what it is `about`: a place, a time, a filter.
    """

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    total: int | None = None
    about: str = ""

    @property
    def title(self) -> str:
        """What its file is called, without its form."""
        return f"{self.name} {self.about}".strip()

    @property
    def lines(self) -> Iterator[Sequence[Cell]]:
        """The header and the rows."""
        return chain([list(self.header)], self.rows)


class Streamed(StreamingHttpResponse):
    """A file sent in pieces, one at a time: an asynchronous server, too, never holds all of it."""

    table: Table | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        pieces = iter(self)
        while piece := await sync_to_async(_next_of)(pieces):
            yield piece


def _next_of(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")


def file_response(table: Table, form: str) -> Streamed:
    """Answer a table as a file. The rows are read while it is sent; those of a workbook before."""
    if form == "csv":
        answer = Streamed((piece.encode() for piece in csv_pieces(table.lines)), content_type="text/csv; charset=utf-8")
    else:
        answer = Streamed(Pieces(workbook_file(table.lines, table.name)), content_type=FORMATS["xlsx"])
    answer["Content-Disposition"] = disposition(table.title, form)
    answer["Cache-Control"] = "no-store"
    return answer


def later(table: Table) -> Streamed:
    """Answer a table to whoever makes a file of it in the background."""
    answer = Streamed(())
    answer.table = table
    return answer


class Pieces(Iterator[bytes]):
    """A file in pieces. It is closed at its end, or by whoever wants no more of it, even before the first one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __next__(self) -> bytes:
        if not self._file.closed and (piece := self._file.read(_PIECE)):
            return piece
        self.close()
        raise StopIteration

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def file_name(name: str, form: str) -> str:
    """Return a name for a file: letters of any language, digits and dashes only."""
    return f"{_UNSAFE.sub('-', name).strip('-')[:80] or 'list'}.{form}"


def disposition(name: str, form: str) -> str:
    """Return the header that has a browser save an answer under a name."""
    return content_disposition_header(True, file_name(name, form)) or "attachment"


# --- Pages ---


def format_of(request: HttpRequest) -> str | None:
    """Return the kind of file that a page's list is asked for as; None = it is to be looked at."""
    asked = request.GET.get("format")
    return asked if asked in FORMATS else None


def may_export(user: Any) -> bool:
    """Say whether a person may take lists away."""
    return bool(user.is_authenticated and user.may("add", KIND))


def export_list(
    request: HttpRequest,
    rows: Any,
    serializer: type[serializers.BaseSerializer[Any]],
    *,
    name: str,
    prepare: Callable[[list[Any]], Sequence[Any]] = list,
) -> HttpResponseBase:
    """Answer a page's list (filtered, in order, scoped) as the file asked for;
    a long workbook is made in the background.

    `rows` is a query or a sequence; `prepare` makes of some of them what the serializer takes. The file's name has
    what is filtered by, from the address.
    """
    context = {"request": request}
    made = (serializer(prepare(chunk), many=True, context=context).data for chunk in chunks(rows))
    child: Any = serializer(context=context)
    about = " ".join(str(value) for key, value in request.GET.items() if value and key not in _NO_FILTERS)
    table = _table(name, made, child.fields, lambda: length_of(rows), is_workbook=format_of(request) == "xlsx")
    return export_table(request, replace(table, about=about))


def export_table(request: HttpRequest, table: Table) -> HttpResponseBase:
    """Answer what a page worked out as the file asked for. Raises PermissionDenied for who may not take lists away."""
    form = format_of(request)
    if form is None or not may_export(request.user):
        raise PermissionDenied("Your role does not allow to take lists away.")
    if is_in_background(request):
        return later(table)
    if form == "xlsx" and (table.total or 0) > AT_ONCE:
        return HttpResponseRedirect(f"{reverse(BACKGROUND)}?{urlencode({'path': request.get_full_path()})}")
    return file_response(table, form)


def is_in_background(request: Any) -> bool:
    """Say whether a request is made by the worker, for a file."""
    return bool(getattr(request, "makes_a_file", False))


def length_of(rows: Any) -> int:
    """Return how many rows there are."""
    return rows.count() if isinstance(rows, QuerySet) else len(rows)


def chunks(rows: Any) -> Iterator[list[Any]]:
    """Yield rows in chunks, read by a cursor of the server: memory holds one chunk, however many rows there are."""
    waiting = iter(rows.iterator(chunk_size=CHUNK) if isinstance(rows, QuerySet) else rows)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk


def _table(
    name: str,
    chunks_: Iterable[Sequence[Mapping[str, Any]]],
    fields: Mapping[str, Any],
    total: Callable[[], int],
    *,
    is_workbook: bool,
) -> Table:
    waiting = iter(chunks_)
    first = next(waiting, [])
    header = list(first[0]) if first else list(fields)
    read_back = [_reader_of(fields.get(name)) if is_workbook else None for name in header]
    rows = (
        [_cell(row.get(name), read) for name, read in zip(header, read_back, strict=True)]
        for chunk in chain([first], waiting)
        for row in chunk
    )
    return Table(name, header, rows, total())


def _reader_of(field: Any) -> Callable[[str], Cell] | None:
    return next((read for kind, read in _READ_BACK if isinstance(field, kind)), None)


def _cell(value: Any, read: Callable[[str], Cell] | None) -> Cell:
    return read(value) if read is not None and isinstance(value, str) and value else cell_of(value)


def cell_of(value: Any) -> Cell:
    """Return a value of REST as one cell: truth as true and false, what has parts as JSON."""
    match value:
        case bool():
            return "true" if value else "false"
        case dict() | list() | tuple():
            return JSONRenderer().render(value).decode()
        case float():
            return Decimal(repr(value)) if value == value and abs(value) != float("inf") else str(value)
        case None | int() | Decimal() | str() | date():
            return value
    return str(value)


# --- REST ---


class ListAsked(Exception):
    """A list is asked for as a file; it is answered where errors are."""

    def __init__(self, rows: Any) -> None:
        super().__init__("A list is asked for as a file.")
        self.rows = rows


def chunk_asked_for(request: Any, all_of_it: Callable[[], Any]) -> list[Any] | None:
    """Return the chunk that an export under way is at; None where a page is asked for. Raises ListAsked for a file."""
    chunk: list[Any] | None = getattr(request, "export_chunk", None)
    if chunk is None and asks_for_a_file(request):
        raise ListAsked(all_of_it())
    return chunk


def answer_list(asked: ListAsked, view: Any, request: Any) -> Streamed:
    """Answer a REST list as a file: its own handler is called for chunk after chunk."""
    form = request.accepted_renderer.format
    handler = getattr(view, request.method.lower())

    def made() -> Iterator[Sequence[Mapping[str, Any]]]:
        for chunk in chunks(asked.rows):
            request.export_chunk = chunk
            yield handler(request, *view.args, **view.kwargs).data["results"]

    table = _table(_name_of(view), made(), _fields_of(view), lambda: length_of(asked.rows), is_workbook=form == "xlsx")
    if is_in_background(request._request):
        return later(table)
    if form == "xlsx" and (table.total or 0) > AT_ONCE:
        raise Invalid(
            f"{table.total} rows are too many for a workbook at once; POST the address to /reports/export/, or ask for CSV.",
            field="format",
        )
    return file_response(table, form)


def _name_of(view: Any) -> str:
    queryset = getattr(view, "queryset", None)
    name = (
        queryset.model._meta.verbose_name_plural if queryset is not None else type(view).__name__.removesuffix("View")
    )
    return str(name).replace(" ", "-")


def _fields_of(view: Any) -> Mapping[str, Any]:
    """Return the fields of a view's rows, where it says them."""
    try:
        fields: Mapping[str, Any] = view.get_serializer().fields
    except (AssertionError, AttributeError, TypeError):
        return {}
    return fields


class CsvRenderer(BaseRenderer):
    """Offer `?format=csv`. Lists are streamed (`answer_list`); what is short and not paged is written here."""

    media_type = FORMATS["csv"]
    format = "csv"
    charset: str | None = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """Return rows as a file; an error stays JSON."""
        response = (renderer_context or {}).get("response")
        if response is None or response.status_code >= 400 or not isinstance(data, list | dict):
            if response is not None:
                response["Content-Type"] = "application/json"
            return b"" if data is None else JSONRenderer().render(data)
        view = renderer_context["view"]
        rows = data if isinstance(data, list) else [data]
        made = [[row if isinstance(row, dict) else {"value": row} for row in rows]]
        table = _table(_name_of(view), made, _fields_of(view), lambda: len(rows), is_workbook=self.format == "xlsx")
        response["Content-Disposition"] = disposition(table.title, self.format)
        return self.write(table)

    def write(self, table: Table) -> bytes:
        """Return a short table as a file."""
        return "".join(csv_pieces(table.lines)).encode()


class XlsxRenderer(CsvRenderer):
    """Offer `?format=xlsx`."""

    media_type = FORMATS["xlsx"]
    format = "xlsx"
    charset = None
    render_style = "binary"

    def write(self, table: Table) -> bytes:
        """Return a short table as a workbook."""
        return b"".join(Pieces(workbook_file(table.lines, table.name)))


def asks_for_a_file(request: Any) -> bool:
    """Say whether a REST request asks for CSV or a workbook."""
    return getattr(getattr(request, "accepted_renderer", None), "format", None) in FORMATS
