"""Give any list as a file: CSV or Excel, what is filtered, all of it, in bounded memory, harmless when it is opened.

Rows are those of REST, under its names. A REST list is asked for with `?format=csv` or `xlsx`: its own handler is
called for one chunk after another, so that what a list says of its rows is what the file says. A page gives the list
and the serializer (`export_list`). What is long is made in the background, as the same request, by the app that has a
place for files (`BACKGROUND`).
"""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Table:
    """A list on its way into a file: names of columns, rows, and how many rows there are (None = not known)."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    total: int | None = None

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
        answer = Streamed(pieces_of(workbook_file(table.lines)), content_type=FORMATS["xlsx"])
    answer["Content-Disposition"] = f'attachment; filename="{file_name(table.name, form)}"'
    answer["Cache-Control"] = "no-store"
    return answer


def later(table: Table) -> Streamed:
    """Answer a table to whoever makes a file of it in the background."""
    answer = Streamed(())
    answer.table = table
    return answer


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file in pieces, and close it."""
    with file:
        while piece := file.read(_PIECE):
            yield piece


def file_name(name: str, form: str) -> str:
    """Return a name for a file: letters, digits and dashes only."""
    return f"{_UNSAFE.sub('-', name).strip('-')[:80] or 'list'}.{form}"


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

    `rows` is a query or a sequence; `prepare` makes of some of them what the serializer takes.
    """
    context = {"request": request}
    made = (serializer(prepare(chunk), many=True, context=context).data for chunk in chunks(rows))
    child: Any = serializer(context=context)
    return _answer(request, _table(name, made, list(child.fields), lambda: length_of(rows)))


def _answer(request: HttpRequest, table: Table) -> HttpResponseBase:
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
    name: str, chunks_: Iterable[Sequence[Mapping[str, Any]]], names: list[str], total: Callable[[], int]
) -> Table:
    waiting = iter(chunks_)
    first = next(waiting, [])
    header = list(first[0]) if first else names
    rows = ([cell_of(row.get(name)) for name in header] for chunk in chain([first], waiting) for row in chunk)
    return Table(name, header, rows, total())


def cell_of(value: Any) -> Cell:
    """Return a value of REST as one cell: truth as true and false, what has parts as JSON."""
    match value:
        case bool():
            return "true" if value else "false"
        case dict() | list() | tuple():
            return JSONRenderer().render(value).decode()
        case float():
            return Decimal(repr(value)) if value == value and abs(value) != float("inf") else str(value)
        case None | int() | Decimal() | str():
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

    table = _table(_name_of(view), made(), _names_of(view), lambda: length_of(asked.rows))
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


def _names_of(view: Any) -> list[str]:
    try:
        return list(view.get_serializer().fields)
    except (AssertionError, AttributeError, TypeError):
        return []


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
        table = _table(
            _name_of(view), [[row if isinstance(row, dict) else {"value": row} for row in rows]], [], lambda: len(rows)
        )
        response["Content-Disposition"] = f'attachment; filename="{file_name(table.name, self.format)}"'
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
        return b"".join(pieces_of(workbook_file(table.lines)))


def asks_for_a_file(request: Any) -> bool:
    """Say whether a REST request asks for CSV or a workbook."""
    return getattr(getattr(request, "accepted_renderer", None), "format", None) in FORMATS
