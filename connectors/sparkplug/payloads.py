"""Sparkplug B payloads, read: what each metric says, by name or alias. No network.

Requirement identifiers (tck-id-…) are those of the Sparkplug 3.0 specification.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import DecodeError
from pysparkplug import DataType
from pysparkplug._protobuf import Payload

_COMPRESSED = "SPBV1.0_COMPRESSED"
_LARGEST = 16 * 2**20
_GOOD_QUALITY = 192
_SCALARS = frozenset(range(DataType.INT8, DataType.UUID + 1))


class Unreadable(ValueError):
    """The payload is no Sparkplug payload; the message says why."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name, or only its alias in a data message; `value=None`: the device does not know it."""

    name: str
    alias: int | None
    datatype: int
    value: Any
    at: datetime | None
    is_historical: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """A payload: `seq` counts an edge node's messages modulo 256."""

    at: datetime | None
    seq: int | None
    metrics: tuple[Metric, ...]


def read(raw: bytes) -> Content:
    """Return what a payload says. Raises Unreadable."""
    payload = _decoded(raw)
    if payload.uuid == _COMPRESSED:
        payload = _decoded(_inflated(payload))
    return Content(
        at=_moment(payload.timestamp) if payload.HasField("timestamp") else None,
        seq=payload.seq if payload.HasField("seq") else None,
        metrics=tuple(_metrics(payload)),
    )


def _decoded(raw: bytes) -> Any:
    try:
        return Payload.FromString(raw)
    except DecodeError as error:
        raise Unreadable(f"The payload is no Sparkplug B: {error}") from None


def _inflated(payload: Any) -> bytes:
    """Return a compressed payload's content (GZIP or DEFLATE), within bounds."""
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        content = unpack.decompress(payload.body, _LARGEST)
    except zlib.error as error:
        raise Unreadable(f"The compressed payload cannot be unpacked: {error}") from None
    if unpack.unconsumed_tail:
        raise Unreadable(f"The compressed payload unpacks to more than {_LARGEST} bytes.")
    return content


def _metrics(payload: Any) -> Iterator[Metric]:
    for metric in payload.metrics:
        is_known = not metric.is_null and _is_good(metric) and metric.WhichOneof("value") is not None
        yield Metric(
            name=metric.name,
            alias=metric.alias if metric.HasField("alias") else None,
            datatype=metric.datatype,
            value=getattr(metric, metric.WhichOneof("value")) if is_known else None,
            at=_moment(metric.timestamp) if metric.HasField("timestamp") else None,
            is_historical=metric.is_historical,
        )


def _is_good(metric: Any) -> bool:
    """Say whether the quality that a metric may carry is good (tck-id-payloads-propertyset-quality-value-value)."""
    properties = metric.properties
    for key, value in zip(properties.keys, properties.values, strict=False):
        if key == "Quality":
            return bool(value.int_value == _GOOD_QUALITY)
    return True


def value_of(metric: Metric, datatype: int) -> Any:
    """Return a metric's value as its datatype means it; None for what is no single value.

    Signed integers travel in unsigned fields: -1 as an Int8 is 255 or 4294967295, as an Int64 2^64 - 1.
    """
    if metric.value is None or datatype not in _SCALARS:
        return None
    if datatype in (DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64):
        bits = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}[DataType(datatype)]
        # Some nodes extend the sign to the whole field, some do not.
        return DataType(datatype).decode(metric.value % 2**bits)
    if datatype == DataType.DATETIME:
        return _moment(metric.value).isoformat()
    return metric.value


def rebirth_request(at: datetime) -> bytes:
    """Return the command that asks an edge node for its birth messages (tck-id-operational-behavior-…-rebirth)."""
    payload = Payload()
    payload.timestamp = int(at.timestamp() * 1000)
    metric = payload.metrics.add()
    metric.name, metric.timestamp = "Node Control/Rebirth", payload.timestamp
    metric.datatype, metric.boolean_value = DataType.BOOLEAN, True
    content: bytes = payload.SerializeToString()
    return content


def _moment(milliseconds: int) -> datetime:
    try:
        seconds, rest = divmod(milliseconds, 1000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
    except (ValueError, OverflowError, OSError):
        raise Unreadable(f"{milliseconds} is no time.") from None
