"""What tables of pages are made of in a file: exact numbers, lengths in seconds; and why there is no file."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils.translation import gettext

from core.exact import decimal_text
from core.exports import Table
from screens.charts import Chart


def refused_file(why: str) -> HttpResponse:
    """Say why there is no file."""
    return HttpResponse(why, status=400, content_type="text/plain; charset=utf-8")


def seconds(length: timedelta) -> Decimal:
    """Return a length in seconds, exact."""
    return Decimal(length // timedelta(microseconds=1)).scaleb(-6)


def rounded_number(value: Fraction | None, places: int) -> Decimal | None:
    """Return a number with at most so many decimals; None stays unknown."""
    text = decimal_text(value, places)
    return None if text is None else Decimal(text)


def with_unit(words: str, unit: str) -> str:
    """Return the heading of a column of numbers: what they are, and in what they are told."""
    return f"{words} ({unit})"


def chart_table(chart: Chart) -> Table:
    """Return a chart's numbers, exact to six decimals, each column with its unit; moments on the clock it is drawn by.

    Unknown = empty.
    """
    zone = ZoneInfo(chart.zone)
    units = {"left": chart.unit, "right": chart.right_unit}
    named = [
        with_unit(one.name, unit) if (unit := units[one.scale]) and unit not in one.name else one.name
        for one in chart.series
    ]
    moments = chart.at or chart.begins
    begins = [[at.astimezone(zone)] for at in moments] or [[]] * chart.points
    rows = [
        (
            *begin,
            *([] if chart.at else [str(point)]),
            *(None if value is None else rounded_number(Fraction(value), 6) for value in values),
        )
        for begin, (point, values) in zip(begins, chart.rows(), strict=True)
    ]
    header = [*([gettext("Time")] if moments else []), *([] if chart.at else [gettext("Name")]), *named]
    return Table(chart.title, header, rows, len(rows))
