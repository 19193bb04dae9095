"""Read what devices send: fields of a JSON object, as numbers or as the text that tablets' forms make of them."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import Invalid

LONGEST_BODY = 64 * 1024
_FINEST = Decimal("0.000001")
_LARGEST = Decimal(10) ** 12
_CLOCK = re.compile(r"\A([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?\Z")
Body = dict[str, Any]


def read_body(content_type: str, body: bytes) -> Body:
    """Return the JSON object of a body. Raises Invalid.

    Only JSON by name is read: a browser does not send that to another site without asking first.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Invalid("Send JSON, with the Content-Type application/json.", field="Content-Type")
    if len(body) > LONGEST_BODY:
        raise Invalid("The body is too long.")
    try:
        said = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Invalid("The body is not JSON.") from None
    if not isinstance(said, dict):
        raise Invalid("Send a JSON object.")
    return said


def _no_number(written: str) -> Any:
    raise ValueError(written)


def text(body: Body, field: str, longest: int, *, required: bool = True) -> str:
    """Return a field as text; numbers are text to a tablet. Raises Invalid."""
    value = body.get(field)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = str(value)
    if value is None and not required:
        return ""
    if value is None:
        raise Invalid(f"'{field}' is missing.", field=field)
    if not isinstance(value, str):
        raise Invalid(f"'{field}' must be text.", field=field)
    value = value.strip()
    if required and not value:
        raise Invalid(f"'{field}' is empty.", field=field)
    if len(value) > longest:
        raise Invalid(f"'{field}' is longer than {longest} characters.", field=field)
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Invalid(f"'{field}' has characters that cannot be stored.", field=field)
    return value


def whole(body: Body, field: str) -> int:
    """Return a field as a whole number that is not negative. Raises Invalid."""
    value = number(body, field)
    if value != value.to_integral_value() or value >= 10**9:
        raise Invalid(f"'{field}' must be a whole number.", field=field)
    return int(value)


def optional_whole(body: Body, field: str) -> int | None:
    """Return a field as a whole number, None when it is left out or null. Raises Invalid."""
    return None if body.get(field) is None else whole(body, field)


def number(body: Body, field: str) -> Decimal:
    """Return a field as a number that is not negative, with up to six decimals. Raises Invalid."""
    value = body.get(field)
    if value is None:
        raise Invalid(f"'{field}' is missing.", field=field)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise Invalid(f"'{field}' must be a number.", field=field)
    if isinstance(value, str) and len(value) > 40:
        raise Invalid(f"'{field}' must be a number.", field=field)
    try:
        found = Decimal(value if not isinstance(value, str) else value.strip())
    except (InvalidOperation, ValueError):
        raise Invalid(f"'{field}' must be a number.", field=field) from None
    if not found.is_finite():
        raise Invalid(f"'{field}' must be a number.", field=field)
    if found < 0:
        raise Invalid(f"'{field}' is negative; pieces are taken back by correcting a count.", field=field)
    if found >= _LARGEST:
        raise Invalid(f"'{field}' is too large.", field=field)
    stored = found.quantize(_FINEST)
    if stored != found:
        raise Invalid(f"'{field}' has more than six decimals.", field=field)
    return stored


def positive(body: Body, field: str) -> Decimal:
    """Return a field as a number greater than zero. Raises Invalid."""
    value = number(body, field)
    if not value:
        raise Invalid(f"'{field}' must be greater than zero.", field=field)
    return value


def clock_time(body: Body, field: str, *, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return the latest moment up to `now` at which the site's clocks showed HH:MM; None when it is left out."""
    if body.get(field) in (None, ""):
        return None
    found = _CLOCK.match(text(body, field, 8))
    if found is None:
        raise Invalid(f"'{field}' must be a time like 07:45.", field=field)
    local = now.astimezone(zone)
    for days in (0, 1):
        day = (local - timedelta(days=days)).date()
        wall = datetime(day.year, day.month, day.day, int(found[1]), int(found[2]), tzinfo=zone)
        if wall.astimezone(UTC) <= now:
            return wall.astimezone(UTC)
    raise Invalid(f"'{field}' lies in the future.", field=field)
