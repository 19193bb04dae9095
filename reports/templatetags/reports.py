"""Lay a report's data out."""

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings

from reports.document import FIGURES, Value, words

register = template.Library()


@register.simple_tag
def shown(value: Value, kind: str, zone: ZoneInfo) -> str:
    """Write a value as people read it."""
    return words(value, kind, zone)


@register.filter
def is_figure(kind: str) -> bool:
    """Say whether values of a kind are written to the right."""
    return kind in FIGURES


@register.filter
def beside(values: Iterable[Any], columns: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Pair values with their columns."""
    return list(zip(values, columns, strict=True))


@register.filter
def of_code(things: Mapping[str, Any], code: str) -> Any:
    """Return one of several by its code."""
    return things[code]


@register.filter
def here(address: str) -> str:
    """Return an address without its host: a page leads to where it was asked from."""
    return address.removeprefix(settings.PUBLIC_URL)
