"""What a server says of a node's value: the value in Python, its moment, its quality. No network."""

import math
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from asyncua import ua

from connectors.opcua.nodes import with_uri
from ingest.items import EARLIEST, MAX_AHEAD

# OPC UA Part 4, 7.39.1: the upper half of a status code names it, the lower half says more of the value. Bits 10 and 11
# at 01 say that bit 7 is about a data value: its queue overflowed.
_NAME_BITS = 0xFFFF_0000
_INFO_MASK, _OVERFLOWED = 0x0C80, 0x0480


class Reading(NamedTuple):
    """A value as a server sent it. `None` is unknown; `quality` is empty when it is good; `trouble` is for a person."""

    value: Any
    at: datetime
    quality: str = ""
    is_overflow: bool = False
    trouble: str = ""


def read(data: ua.DataValue, namespaces: Sequence[str], *, now: datetime) -> Reading:
    """Return what a data value says, heard at `now` (our clock)."""
    status = data.StatusCode or ua.StatusCode()
    at, trouble = _moment(data, now)
    quality = _quality(status)
    value = None
    if not status.is_bad():
        try:
            value = plain(data.Value, namespaces)
        except ValueError as error:
            trouble = str(error)
    return Reading(value, at, quality, has_overflowed(status), trouble)


def has_overflowed(status: ua.StatusCode) -> bool:
    """Say whether the server dropped values before this one."""
    return bool(status.value & _INFO_MASK == _OVERFLOWED)


def plain(variant: ua.Variant | None, namespaces: Sequence[str]) -> Any:
    """Return a variant as a number, a text or a truth value; None for nothing. Raises ValueError for all else."""
    if variant is None or variant.Value is None:
        return None
    value = variant.Value
    if isinstance(value, list | tuple) or getattr(variant, "is_array", False):
        raise ValueError("its value is an array; name a node with a single value")
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        # An enumeration is its number, whatever class the library made of it.
        return int(value)
    if isinstance(value, float):
        return _exact(value, is_single=variant.VariantType == ua.VariantType.Float)
    if isinstance(value, ua.LocalizedText):
        return value.Text
    if isinstance(value, ua.QualifiedName):
        return value.Name
    if isinstance(value, ua.NodeId):
        return None if value.is_null() else with_uri(value, namespaces)
    if isinstance(value, datetime):
        return value.isoformat()
    raise ValueError(f"its value is a {type(value).__name__}, neither a number nor a text")


def _quality(status: ua.StatusCode) -> str:
    code = status.value & _NAME_BITS
    if not code:
        return ""
    name = ua.StatusCode(code).name
    # The library knows no name for what a later version of the standard added.
    return f"{name} 0x{code:08X}" if name in ("Good", "Uncertain", "Bad") and code & 0x3FFF_0000 else name


def _moment(data: ua.DataValue, now: datetime) -> tuple[datetime, str]:
    """Return when the value came to be: the source's time, or the server's, or ours where those cannot be."""
    trouble = ""
    for at, whose in ((data.SourceTimestamp, "source"), (data.ServerTimestamp, "server")):
        if at is None:
            continue
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        if at > now + MAX_AHEAD:
            trouble = trouble or f"the {whose}'s clock is ahead: {at.isoformat()}"
        elif at >= EARLIEST:
            # Zero is the year 1601, which is how servers write that they have no time.
            return at, trouble
    return now, trouble


def _exact(number: float, *, is_single: bool) -> Decimal | None:
    if not math.isfinite(number):
        return None
    if is_single:
        # A single has at least 6 and at most 9 digits that mean something.
        for digits in range(6, 9):
            written = f"{number:.{digits}g}"
            if _single(float(written)) == _single(number):
                return Decimal(written)
        return Decimal(f"{number:.9g}")
    return Decimal(repr(number))


def _single(number: float) -> bytes | None:
    try:
        return struct.pack(">f", number)
    except OverflowError:
        return None
