"""What a device says, as the MES takes it. Only what the server could not even store as refused is stopped here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Union

Number = Union[int, float, Decimal]

EVENTS = ("reset", "replaced", "rollover")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_FINEST = Decimal("0.000001")


@dataclass(frozen=True)
class Item:
    """One thing that a device says; `at` is None for what is stamped when it is put into the queue."""

    fields: Mapping[str, Any]
    at: datetime | None = None

    def written(self, at: datetime) -> str:
        """Return the item as JSON, with exact numbers."""
        fields = {**self.fields, "at": at.isoformat(timespec="microseconds").replace("+00:00", "Z")}
        return "{" + ",".join(f"{json.dumps(name)}:{_written(value)}" for name, value in fields.items()) + "}"


def count_item(tag: str, value: Number, at: datetime | None = None) -> Item:
    """Return a count: new pulses, or a counter's reading. Raises TypeError or ValueError for what is none."""
    return Item({"tag": _text("tag", tag), "value": _exact(value)}, _utc(at))


def event_item(tag: str, event: str, value: Number | None = None, at: datetime | None = None) -> Item:
    """Return what happened to a counter: `reset` (it went on from `value`), `replaced` or `rollover`."""
    if event not in EVENTS:
        raise ValueError(f"The event is one of {', '.join(EVENTS)}, not {event!r}.")
    if value is not None and event != "reset":
        raise ValueError("Only a reset says with which value the counter went on.")
    fields: dict[str, Any] = {"tag": _text("tag", tag), "event": event}
    return Item(fields if value is None else {**fields, "value": _exact(value)}, _utc(at))


def state_item(
    machine: str | None, state: str, detail: str = "", at: datetime | None = None, *, line: str | None = None
) -> Item:
    """Return a state of a machine, or of a line's constraint machine."""
    if (machine is None) == (line is None):
        raise ValueError("Name the machine or the line.")
    name, code = ("machine", machine) if line is None else ("line", line)
    fields = {name: _text(name, code), "state": _text("state", state)}
    if not isinstance(detail, str):
        raise TypeError("'detail' must be text.")
    return Item({**fields, "detail": detail} if detail else fields, _utc(at))


def item_of(fields: Mapping[str, Any]) -> Item:
    """Return an item that is written as the MES takes it; `at` is ISO 8601 text or a datetime.

    What else is wrong with it, the server will say. Raises TypeError or ValueError for what cannot be sent.
    """
    rest = {name: value for name, value in fields.items() if name != "at"}
    for name, value in rest.items():
        if isinstance(value, (float, Decimal)):
            rest[name] = _exact(value)
        elif not isinstance(value, (str, int, type(None))):
            raise TypeError(f"{name!r} must be text or a number.")
    at = fields.get("at")
    if at is not None and not isinstance(at, (str, datetime)):
        raise TypeError("'at' must be an ISO 8601 time.")
    return Item(rest, _utc(read_time(at) if isinstance(at, str) else at))


def read_item(line: str) -> Item:
    """Return the item that a line of JSON is, its numbers exact. It must say when it happened. Raises ValueError."""
    try:
        fields = json.loads(line, parse_float=Decimal, parse_constant=_no_number)
        if not isinstance(fields, dict):
            raise ValueError("An item is a JSON object.")
        if fields.get("at") is None:
            raise ValueError("'at' is missing: say when it happened.")
        return item_of(fields)
    except (TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(str(error)) from error


def read_time(text: str) -> datetime:
    """Return an ISO 8601 time that has a zone. Raises ValueError."""
    # Before Python 3.11, Z is not understood.
    at = datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text)
    if at.tzinfo is None:
        raise ValueError(f"The time {text} has no zone; add Z for UTC, or an offset like +01:00.")
    return at


def microseconds(at: datetime) -> int:
    """Return the whole microseconds from 1970 to a moment."""
    return (at - EPOCH) // _MICROSECOND


def moment(since_1970: int) -> datetime:
    """Return the moment that lies so many microseconds after 1970, in UTC."""
    return EPOCH + since_1970 * _MICROSECOND


def _utc(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    if at.utcoffset() is None:
        raise ValueError("'at' has no time zone; give datetime.now(timezone.utc), or another aware time.")
    return at.astimezone(timezone.utc)


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{field!r} must be text.")
    if not value:
        raise ValueError(f"{field!r} is empty.")
    return value


def _exact(value: Any) -> int | Decimal:
    """Return a number without what a float adds to it; the server keeps six decimals."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise TypeError(f"A value must be a number, not {value!r}.")
    if isinstance(value, int):
        return value
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    if not exact.is_finite():
        raise ValueError(f"A value must be a finite number, not {value}.")
    if isinstance(value, float) and abs(exact) < 10**18:
        exact = exact.quantize(_FINEST).normalize()
    return exact


def _written(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def _no_number(literal: str) -> Any:
    raise ValueError(f"{literal} is no number.")
