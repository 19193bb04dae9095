"""From a message's payload to items, for a place that the topic named. No network, no database."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.translation import Item, StateTable, text, written

_MILLISECONDS = 10**11  # A UNIX time as large as this is in milliseconds, until the year 5138.


@dataclass(frozen=True, slots=True)
class Form:
    """How payloads of a plant look."""

    time_field: str = "at"
    value_field: str = "value"
    detail_field: str = "detail"
    sequence_field: str = "seq"
    state_signals: frozenset[str] = frozenset({"state"})
    tag_template: str = "{line}/{machine}/{signal}"
    state_table: StateTable | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says: items, the number that its sender gave it, and what it wants to be acknowledged by."""

    items: list[Item]
    sequence: int | None = None
    id: Any = None


class Unreadable(ValueError):
    """The payload is nothing that could be read; the message says why."""


def read(payload: bytes, place: Mapping[str, str], form: Form, *, received_at: datetime) -> Content:
    """Return what a payload says of a place (`line`, `machine` and `signal` of its topic). Raises Unreadable.

    It may be a batch as the device door takes it, one item, an object with a value, or a bare value.
    """
    document = decode(payload)
    sequence = ident = None
    entries = [document]
    if isinstance(document, dict):
        number = document.pop(form.sequence_field, None) if form.sequence_field else None
        sequence = number if type(number) is int and number >= 0 else None
        ident = document.pop("id", None)
        entries = document["items"] if isinstance(document.get("items"), list) else [document]
    elif isinstance(document, list):
        entries = document
    return Content([_item(entry, place, form, received_at) for entry in entries], sequence, ident)


def decode(payload: bytes) -> Any:
    """Return a payload's JSON with exact numbers; what is no JSON is text. Raises Unreadable."""
    try:
        written_text = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The payload is not UTF-8.") from None
    try:
        return json.loads(written_text, parse_float=Decimal)
    except RecursionError:
        raise Unreadable("The JSON is nested too deeply.") from None
    except (ValueError, ArithmeticError):
        if written_text[:1] in "{[" or not written_text.strip():
            raise Unreadable("The payload is not JSON.") from None
        return written_text.strip()


def _item(entry: Any, place: Mapping[str, str], form: Form, received_at: datetime) -> Any:
    if not isinstance(entry, dict):
        entry = {form.value_field: entry}
    if "tag" in entry or "machine" in entry or "line" in entry:
        return entry  # It says itself whose it is.
    at = moment(entry.get(form.time_field), received_at)
    if "gap" in entry:
        return {**entry, **_whose(place), "at": at}
    if "event" in entry:
        return {
            "tag": form.tag_template.format_map(defaultdict(str, place)),
            "at": at,
            **_without(entry, form.time_field),
        }
    if place["signal"] in form.state_signals or "state" in entry:
        state = entry.get("state", entry.get(form.value_field))
        return {**_whose(place), "at": at, **_state(state, form), **_detail(entry, form)}
    return {
        "tag": form.tag_template.format_map(defaultdict(str, place)),
        "at": at,
        "value": entry.get(form.value_field),
    }


def _whose(place: Mapping[str, str]) -> Item:
    return {"machine": place["machine"]} if "machine" in place else {"line": place["line"]}


def _without(entry: Mapping[str, Any], field: str) -> Item:
    return {name: value for name, value in entry.items() if name != field}


def _state(state: Any, form: Form) -> Item:
    value = None if state is None else text(state)
    if form.state_table is None or value is None:
        return {"state": value}
    reason = form.state_table.reason_of(value)
    return {"state": reason if reason is not None else f"unmapped value {value}"[:64], "detail": value}


def _detail(entry: Mapping[str, Any], form: Form) -> Item:
    detail = entry.get(form.detail_field) if form.detail_field else None
    return {} if detail is None else {"detail": text(detail)[:500]}


def moment(value: Any, received_at: datetime) -> Any:
    """Return a time as items carry it: a UNIX time in seconds or milliseconds is converted, none is the arrival's."""
    if value is None:
        return written(received_at)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        try:
            unix_time = Decimal(value)
            seconds = unix_time / 1000 if abs(unix_time) >= _MILLISECONDS else unix_time
            whole, part = divmod(int(seconds * 1_000_000), 1_000_000)
            return written(datetime.fromtimestamp(whole, UTC).replace(microsecond=part))
        except (ArithmeticError, ValueError, OSError):
            return str(value)
    return value
