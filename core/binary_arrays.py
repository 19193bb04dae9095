"""Arrays of numbers and moments in PostgreSQL's binary form, packed at once.

The driver's own dumpers take each element through Python; for a delivery of a thousand facts that is more work than
checking them.
"""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_INT8, _TIMESTAMPTZ = 20, 1184
_INT8_ARRAY, _TIMESTAMPTZ_ARRAY = 1016, 1185
# Dimensions, no nulls, type of the elements, length, first index.
_HEAD = struct.Struct(">iiIii")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BigintArray:
    """A bigint[] without nulls."""

    __slots__ = ("packed",)

    def __init__(self, values: Sequence[int]) -> None:
        self.packed = _pack(_INT8, values)


class MomentArray:
    """A timestamptz[] without nulls, of aware datetimes."""

    __slots__ = ("packed",)

    def __init__(self, moments: Sequence[datetime]) -> None:
        self.packed = _pack(_TIMESTAMPTZ, [(moment - _EPOCH) // _MICROSECOND for moment in moments])


def _pack(element: int, values: Sequence[int]) -> bytes:
    number = len(values)
    if not number:
        return struct.pack(">iiI", 0, 0, element)
    # Each element is its length and itself; all have eight bytes.
    fields = [8] * (2 * number)
    fields[1::2] = values
    return _HEAD.pack(1, 0, element, number, 1) + struct.pack(">" + "iq" * number, *fields)


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        packed: bytes = obj.packed
        return packed


class _BigintArrayDumper(_PackedDumper):
    oid = _INT8_ARRAY


class _MomentArrayDumper(_PackedDumper):
    oid = _TIMESTAMPTZ_ARRAY


psycopg.adapters.register_dumper(BigintArray, _BigintArrayDumper)
psycopg.adapters.register_dumper(MomentArray, _MomentArrayDumper)
