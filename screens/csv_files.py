"""What a page shows, as a CSV file: moments in UTC, exact numbers, nothing that a spreadsheet takes for a formula."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.http import HttpResponse

from core.exact import decimal_text
from core.spreadsheets import Cell, csv_text


def csv_file(name: str, rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """Answer rows, the first one the header, as a file of that name."""
    answer = HttpResponse(csv_text(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def refused_file(why: str) -> HttpResponse:
    """Say why there is no file."""
    return HttpResponse(why, status=400, content_type="text/plain; charset=utf-8")


def moment_text(at: datetime) -> str:
    """Write a moment as files and addresses have it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def seconds(length: timedelta) -> Decimal:
    """Return a length in seconds, exact."""
    return Decimal(length // timedelta(microseconds=1)).scaleb(-6)


def rounded_number(value: Fraction | None, places: int) -> Decimal | None:
    """Return a number with at most so many decimals; None stays unknown."""
    text = decimal_text(value, places)
    return None if text is None else Decimal(text)
