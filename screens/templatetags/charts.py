"""Put a chart on a page, with its table."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils.formats import date_format, number_format

from screens.charts import Chart

register = template.Library()


@register.inclusion_tag("screens/_chart_figure.html")
def chart(chart: Chart, identifier: str) -> dict[str, Any]:
    """Show a chart, with its table, under an identifier that is the page's only one of that name."""
    zone = ZoneInfo(chart.zone)
    rows = [(_point(point, zone), [_number(value) for value in values]) for point, values in chart.rows()]
    return {"chart": chart, "identifier": identifier, "rows": rows, "drawable": chart.drawable()}


def _point(point: Any, zone: ZoneInfo) -> str:
    if isinstance(point, datetime):
        return date_format(point.astimezone(zone), "SHORT_DATETIME_FORMAT")
    return str(point)


def _number(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
    exact = Decimal(value)
    return number_format(exact.quantize(Decimal("0.01")) if exact % 1 else exact.quantize(Decimal(1)))
