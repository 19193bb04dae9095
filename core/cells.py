"""Read the cells of a spreadsheet: each as a value of its field, or a refusal in plain words."""

from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import translation
from django.utils.dateparse import parse_date, parse_datetime, parse_time

_TRUE = {"yes", "y", "true", "1", "x"}
_FALSE = {"no", "n", "false", "0"}


def as_text(value: Any) -> str:
    """Return a cell as text; spreadsheet programs turn a code such as 1001 into a number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def parse(field: models.Field[Any, Any], value: Any) -> Any:
    """Return a cell as a value of the field; raise ValueError that says in plain words how to write it."""
    if isinstance(field, ArrayField):
        return [parse(field.base_field, part) for part in as_text(value).replace(",", " ").split()]
    if field.choices:
        return _choice(field, as_text(value))
    match field:
        case models.BooleanField():
            return _boolean(value)
        case models.DecimalField():
            return decimal(value)
        case models.IntegerField():
            return _integer(value)
        case models.DateTimeField():
            return _moment(value)
        case models.DateField():
            return _day(value)
        case models.TimeField():
            return _time(value)
    return as_text(value)


def _choice(field: models.Field[Any, Any], text: str) -> Any:
    choices = list(field.flatchoices)
    for value, label in choices:
        # A label counts in the language of whoever imports, and in the plain one.
        with translation.override(settings.LANGUAGE_CODE):
            plain = str(label)
        if text.casefold() in (str(value).casefold(), str(label).casefold(), plain.casefold()):
            return value
    raise ValueError(f"'{text}' is none of: {', '.join(str(value) for value, _ in choices)}.")


def _boolean(value: Any) -> bool:
    text = as_text(value).casefold()
    if text not in _TRUE | _FALSE:
        raise ValueError(f"Write yes or no, not '{value}'.")
    return text in _TRUE


def decimal(value: Any) -> Decimal:
    """Return a cell as an exact number; raise ValueError that says how to write one."""
    try:
        # The text of a binary fraction is its shortest exact form, so 0.1 stays 0.1.
        number = Decimal(as_text(value))
    except InvalidOperation:
        raise ValueError(f"Write a number with a point, such as 1.5, not '{value}'.") from None
    if not number.is_finite():
        raise ValueError(f"'{value}' is no number.")
    return number


def _integer(value: Any) -> int:
    text = as_text(value)
    if not text.removeprefix("-").isdecimal() or len(text) > 20:
        raise ValueError(f"Write a whole number, not '{value}'.")
    return int(text)


def _moment(value: Any) -> datetime:
    try:
        at = value if isinstance(value, datetime) else parse_datetime(as_text(value))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError(f"Write date, time and zone, such as 2026-01-31T06:00:00+01:00, not '{value}'.")
    return at


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    try:
        day = value if isinstance(value, date) else parse_date(as_text(value))
    except ValueError:
        day = None
    if day is None:
        raise ValueError(f"Write a date such as 2026-01-31, not '{value}'.")
    return day


def _time(value: Any) -> time:
    try:
        at = value if isinstance(value, time) else parse_time(as_text(value))
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise ValueError(f"Write a time of day such as 06:00, not '{value}'.")
    return at
