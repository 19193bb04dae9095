"""Read deliveries: from bytes to items, and from an item to a fact or to what is wrong with it. No database."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, NamedTuple

import msgspec

MAX_ITEMS = 10_000
MAX_DETAIL = 500
MAX_CAUSE = 200
# Devices' clocks run ahead a little; what is further ahead is kept aside until a person has looked.
MAX_AHEAD = timedelta(minutes=5)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LARGEST = 10**18
_FINEST = Decimal("0.000001")
_LARGEST_MEASURED = 10**15
_FINEST_MEASURED = Decimal("1e-9")
_LONGEST_WHOLE_NUMBER = 100
_LEAP_SECOND = re.compile(r"^(.*T\d\d:\d\d:)60(\.\d+)?(.*)$")
_COUNT_FIELDS = frozenset({"tag", "at", "value"})
_EVENT_FIELDS = frozenset({"tag", "at", "event", "value"})
_STATE_FIELDS = frozenset({"machine", "line", "at", "state", "detail"})
_MEASUREMENT_FIELDS = frozenset({"measurement", "at", "value", "serial"})
_GAP_FIELDS = frozenset({"machine", "line", "at", "until", "gap"})
# What a device can know of its counter.
EVENTS = frozenset({"reset", "replaced", "rollover"})

# What the documentation and refusals show.
COUNT_EXAMPLE = {"tag": "L1/FILLER/good", "at": "2026-03-01T08:00:00.000Z", "value": 12}
STATE_EXAMPLE = {"machine": "l1-filler", "at": "2026-03-01T08:00:00.000Z", "state": "running"}
EVENT_EXAMPLE = {"tag": "L1/FILLER/total", "at": "2026-03-01T08:00:00.000Z", "event": "reset", "value": 0}
MEASUREMENT_EXAMPLE = {"measurement": "L1/CALIPER/diameter", "at": "2026-03-01T08:00:00.000Z", "value": 12}
GAP_EXAMPLE = {
    "machine": "l1-filler",
    "at": "2026-03-01T08:00:00.000Z",
    "until": "2026-03-01T08:02:30.000Z",
    "gap": "The buffer ran over",
}


class Unreadable(Exception):
    """The body as a whole cannot be read; the message says why."""


class Refused(Exception):
    """One item cannot be stored: `field` is at fault, `code` says why in a word, the message in a sentence."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.code = code
        self.message = message


class CountItem(NamedTuple):
    """A reading of the tag that the device calls `tag`."""

    tag: str
    at: datetime
    value: int | Decimal


class StateItem(NamedTuple):
    """The machine `machine`, or the constraint machine of the line `line`, went into the state with code `state`."""

    machine: str | None
    line: str | None
    at: datetime
    state: str
    detail: str


class CounterEventItem(NamedTuple):
    """The running counter that the device calls `tag` was reset (to `value`), replaced, or rolled over."""

    tag: str
    at: datetime
    event: str
    value: int | Decimal | None


class GapItem(NamedTuple):
    """What a machine, or a line's constraint machine, sent from `at` until `until` is lost; `cause` says how."""

    machine: str | None
    line: str | None
    at: datetime
    until: datetime
    cause: str


class MeasurementItem(NamedTuple):
    """A gauge, which the device calls `tag`, read `value` of a unit; `serial` is its number, if it has one."""

    tag: str
    at: datetime
    value: Decimal
    serial: str


Item = CountItem | StateItem | CounterEventItem | GapItem | MeasurementItem


class BeyondNumber(str):
    """A JSON number that no decimal can hold, as it was written."""

    __slots__ = ()


def _number(written: str) -> Decimal | BeyondNumber:
    try:
        return Decimal(written)
    except InvalidOperation:
        return BeyondNumber(written)


def _whole_number(written: str) -> int | BeyondNumber:
    return int(written) if len(written) <= _LONGEST_WHOLE_NUMBER else BeyondNumber(written)


_decoder = msgspec.json.Decoder(float_hook=_number)


class PlainItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A count in whole pulses, or a state of a machine, that the decoder found right by itself, names aside."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    tag: str | None = None
    value: Annotated[int, msgspec.Meta(ge=0, lt=_LARGEST)] | None = None
    machine: str | None = None
    state: str | None = None
    detail: str | None = None


class _PlainBatch(msgspec.Struct, forbid_unknown_fields=True):
    items: list[PlainItem]


_plain_decoder = msgspec.json.Decoder(_PlainBatch)


class PlainItems(Sequence[Any]):
    """The items of a body that are all plain; as they came they are decoded only when somebody looks at one."""

    def __init__(self, plain: list[PlainItem], body: bytes | bytearray) -> None:
        self.plain = plain
        self._body = body
        self._as_they_came: list[Any] | None = None

    def __len__(self) -> int:
        return len(self.plain)

    def __getitem__(self, index: Any) -> Any:
        if self._as_they_came is None:
            self._as_they_came = _items_of(_decode(self._body))
        return self._as_they_came[index]


def read_delivery(body: bytes | bytearray) -> Sequence[Any]:
    """Return the items of a body as `read_batch` does, or, where all of them are plain, as `PlainItems`."""
    try:
        plain = _plain_decoder.decode(body).items
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_batch(body)
    return PlainItems(plain, body) if 0 < len(plain) <= MAX_ITEMS else read_batch(body)


def read_batch(body: bytes | bytearray) -> list[Any]:
    """Return the items of a body: `{"items": [...]}` or a bare list. Numbers stay exact.

    Raises Unreadable when it is not JSON, has no items, or has too many.
    """
    return _items_of(_decode(body))


def _items_of(document: Any) -> list[Any]:
    items = document.get("items") if isinstance(document, dict) else document
    if not isinstance(items, list):
        raise Unreadable('Send a JSON object {"items": [...]}, or a list of items.')
    if not items:
        raise Unreadable("There are no items.")
    if len(items) > MAX_ITEMS:
        raise Unreadable(f"{len(items)} items are too many at once; send at most {MAX_ITEMS}.")
    return items


def read_one(body: bytes | bytearray) -> list[Any]:
    """Return the one item that a body is. Raises Unreadable when it is not a JSON object."""
    document = _decode(body)
    if not isinstance(document, dict):
        raise Unreadable("Send one item as a JSON object.")
    return [document]


def _decode(body: bytes | bytearray) -> Any:
    try:
        return _decoder.decode(body)
    except RecursionError:
        raise Unreadable("The JSON is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    # NaN and endless numbers are no JSON for a strict reader, but clients write them; they must cost their own item,
    # not the batch.
    try:
        text = body.decode("utf-8-sig")
        return json.loads(text, parse_float=_number, parse_int=_whole_number, parse_constant=_number)
    except RecursionError:
        raise Unreadable("The JSON is nested too deeply.") from None
    except UnicodeDecodeError:
        raise Unreadable("The body is not UTF-8.") from None
    except ValueError as error:
        raise Unreadable(f"The body is not JSON: {error}") from None


def read_item(item: Any, *, now: datetime) -> Item:
    """Return what an item says, or raise Refused with the field at fault."""
    if not isinstance(item, dict):
        raise Refused("", "not_an_object", "An item is a JSON object.")
    if "tag" in item:
        if "event" in item:
            return _read_event(item, now)
        _refuse_unknown(item, _COUNT_FIELDS)
        return CountItem(tag=_text(item, "tag", 255), at=_moment(item, now), value=_quantity(item))
    if "measurement" in item:
        _refuse_unknown(item, _MEASUREMENT_FIELDS)
        return MeasurementItem(
            tag=_text(item, "measurement", 255),
            at=_moment(item, now),
            value=_measured(item),
            serial=_text(item, "serial", 64, required=False),
        )
    if "machine" in item or "line" in item:
        if "machine" in item and "line" in item:
            raise Refused("line", "ambiguous", "Name the machine or the line, not both.")
        if "gap" in item:
            return _read_gap(item, now)
        _refuse_unknown(item, _STATE_FIELDS)
        return StateItem(
            machine=_text(item, "machine", 64) if "machine" in item else None,
            line=_text(item, "line", 64) if "line" in item else None,
            at=_moment(item, now),
            state=_text(item, "state", 64),
            detail=_text(item, "detail", MAX_DETAIL, required=False),
        )
    raise Refused("tag", "missing", "Name a tag (for a count) or a machine or line (for a state).")


def _read_event(item: dict[str, Any], now: datetime) -> CounterEventItem:
    _refuse_unknown(item, _EVENT_FIELDS)
    event = _text(item, "event", 16)
    if event not in EVENTS:
        raise Refused("event", "unknown_event", f"'event' is one of {', '.join(sorted(EVENTS))}.")
    if item.get("value") is not None and event != "reset":
        raise Refused("value", "unknown_field", "Only a reset says with which value the counter went on.")
    value = None if item.get("value") is None else _quantity(item)
    return CounterEventItem(tag=_text(item, "tag", 255), at=_moment(item, now), event=event, value=value)


def _read_gap(item: dict[str, Any], now: datetime) -> GapItem:
    _refuse_unknown(item, _GAP_FIELDS)
    start, end = _moment(item, now), _moment(item, now, field="until")
    if end <= start:
        raise Refused("until", "empty_span", "'until' must lie after 'at'.")
    return GapItem(
        machine=_text(item, "machine", 64) if "machine" in item else None,
        line=_text(item, "line", 64) if "line" in item else None,
        at=start,
        until=end,
        cause=_text(item, "gap", MAX_CAUSE),
    )


def _refuse_unknown(item: dict[str, Any], known: frozenset[str]) -> None:
    if not item.keys() <= known:
        name = next(name for name in item if name not in known)
        raise Refused(_printable(name)[:32], "unknown_field", f"'{_printable(name)[:32]}' is not a field of this item.")


def _text(item: dict[str, Any], field: str, longest: int, *, required: bool = True) -> str:
    value = item.get(field)
    if value is None:
        if not required:
            return ""
        raise Refused(field, "missing", f"'{field}' is missing.")
    if not isinstance(value, str) or isinstance(value, BeyondNumber):
        raise Refused(field, "not_text", f"'{field}' must be text.")
    if len(value) > longest:
        raise Refused(field, "too_long", f"'{field}' is longer than {longest} characters.")
    if required and not value:
        raise Refused(field, "missing", f"'{field}' is empty.")
    if not (value.isascii() and value.isprintable()) and _printable(value) != value:
        raise Refused(field, "bad_characters", f"'{field}' has characters that cannot be stored (NUL or half a pair).")
    return value


def _printable(text: str) -> str:
    """Return a text without NUL and lone surrogates, which PostgreSQL and UTF-8 cannot hold."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _moment(item: dict[str, Any], now: datetime, field: str = "at") -> datetime:
    written = item.get(field)
    if written is None:
        raise Refused(field, "missing", f"'{field}' is missing: say when it happened.")
    if not isinstance(written, str) or len(written) > 64:
        raise _not_a_time(field)
    at = _parse_time(written, field)
    if at.tzinfo is None:
        raise Refused(field, "naive_time", f"'{field}' has no time zone; add Z for UTC, or an offset like +01:00.")
    if at.tzinfo is not UTC:
        try:
            at = at.astimezone(UTC)
        except (OverflowError, ValueError):
            raise Refused(field, "not_a_time", f"'{field}' is outside the calendar.") from None
    if at < EARLIEST:
        raise Refused(field, "too_old", f"'{field}' lies before {EARLIEST.year}: the device's clock is wrong.")
    if at > now and at > now + MAX_AHEAD:
        message = f"'{field}' lies in the future: the device's clock is wrong. The item is kept aside."
        raise Refused(field, "future", message)
    return at


def _parse_time(written: str, field: str) -> datetime:
    try:
        # The same reader that decodes plain items, so that both round to the same microsecond.
        return msgspec.convert(written, datetime)
    except msgspec.ValidationError:
        pass
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        leap = _LEAP_SECOND.match(written)
    if leap:
        # A leap second is the second that follows it, as far as a clock without leap seconds can tell.
        try:
            return datetime.fromisoformat(f"{leap[1]}59{leap[2] or ''}{leap[3]}") + timedelta(seconds=1)
        except (ValueError, OverflowError):
            pass
    raise _not_a_time(field)


def _not_a_time(field: str) -> Refused:
    return Refused(
        field, "not_a_time", f"'{field}' must be an ISO 8601 time with a zone, like 2026-03-01T08:00:00.000Z."
    )


def _measured(item: dict[str, Any]) -> Decimal:
    """Return a measured value, which may be below zero, with at most nine decimals."""
    value = _finite(item)
    if not -_LARGEST_MEASURED < value < _LARGEST_MEASURED:
        raise Refused("value", "too_large", "'value' must be below 10^15.")
    stored = Decimal(value).quantize(_FINEST_MEASURED)
    if stored != value:
        raise Refused("value", "too_fine", "'value' has more than 9 decimals.")
    return stored


def _finite(item: dict[str, Any]) -> int | Decimal:
    value = item.get("value")
    if value is None:
        raise Refused("value", "missing", "'value' is missing.")
    if isinstance(value, BeyondNumber) or (isinstance(value, Decimal) and not value.is_finite()):
        raise Refused("value", "not_finite", "'value' must be a finite number.")
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Refused("value", "not_a_number", "'value' must be a JSON number, not text.")
    return value


def _quantity(item: dict[str, Any]) -> int | Decimal:
    plain = item.get("value")
    if type(plain) is int and 0 <= plain < _LARGEST:
        return plain
    value = _finite(item)
    if value < 0:
        raise Refused("value", "negative", "'value' is negative; pieces are taken back by correcting a count.")
    if value >= _LARGEST:
        raise Refused("value", "too_large", "'value' must be below 10^18.")
    # The one form in which it is stored, whatever exponent it was written with.
    stored = Decimal(value).quantize(_FINEST)
    if stored != value:
        raise Refused("value", "too_fine", "'value' has more than 6 decimals.")
    return stored
