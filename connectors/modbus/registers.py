"""What a signal says to read, in which requests it is read, and what the answer means. No network, no clock.

    [unit/]table:address[.bit][:type][:order]

`holding:40`, `2/input:12:uint32`, `holding:100:float32:swap`, `holding:5.3`, `coil:3`, `discrete:7`. Addresses count
from 0, as they travel in the protocol.
"""

import math
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

MAX_UNIT = 255
MAX_ADDRESS = 65_535
# What the protocol allows in one request.
MAX_REGISTERS = 125
MAX_BITS = 2_000
WIDEST = 4

Value = int | Decimal | bool | None


class Table(StrEnum):
    """The four tables of a Modbus device."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def holds_bits(self) -> bool:
        """Say whether an address of this table is one bit instead of 16."""
        return self in (Table.COIL, Table.DISCRETE)


# The name of a type, its width in registers, and its code for `struct`.
_TYPES = {
    "uint16": (1, "H"),
    "int16": (1, "h"),
    "uint32": (2, "I"),
    "int32": (2, "i"),
    "uint64": (4, "Q"),
    "int64": (4, "q"),
    "float32": (2, "f"),
    "float64": (4, "d"),
}
_SIGNAL = re.compile(
    r"(?:(?P<unit>\d+)/)?(?P<table>[a-z]+):(?P<address>\d+)(?:\.(?P<bit>\d+))?(?P<rest>(?::[a-z0-9]+)*)", re.ASCII
)


class SignalError(ValueError):
    """The text of a signal does not say what to read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Order:
    """In which order a device sends: the words of a number of several registers, and the bytes of a register."""

    is_low_word_first: bool = False
    is_low_byte_first: bool = False


# A is the highest byte of a 32-bit number, D the lowest.
_BYTE_ORDERS = {
    "abcd": Order(),
    "cdab": Order(is_low_word_first=True),
    "badc": Order(is_low_byte_first=True),
    "dcba": Order(is_low_word_first=True, is_low_byte_first=True),
}
_WORD_ORDERS = {"big": False, "little": True, "swap": True}


@dataclass(frozen=True, slots=True)
class Register:
    """One value to read: `size` addresses of a table from `address` on, and how they are a number."""

    signal: str
    unit: int
    table: Table
    address: int
    kind: str
    bit: int | None
    order: Order

    @property
    def size(self) -> int:
        """Return how many addresses the value takes."""
        return 1 if self.table.holds_bits else _TYPES[self.kind][0]

    @property
    def end(self) -> int:
        """Return the address after the last one."""
        return self.address + self.size


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses that one request reads: `size` of a table from `address` on, and the values that lie in them."""

    unit: int
    table: Table
    address: int
    size: int
    registers: tuple[Register, ...]

    def __str__(self) -> str:
        last = f"-{self.address + self.size - 1}" if self.size > 1 else ""
        return f"{self.unit}/{self.table}:{self.address}{last}"

    @property
    def signals(self) -> list[str]:
        """Return the signals that this request answers."""
        return [register.signal for register in self.registers]

    def split(self) -> list["Block"]:
        """Return a block for each value, so that an address that the device lacks costs only its own value."""
        return [
            Block(register.unit, register.table, register.address, register.size, (register,))
            for register in self.registers
        ]


def parse(signal: str, *, unit: int, order: Order) -> Register:
    """Return what a signal says to read; `unit` and `order` hold where it names none. Raises SignalError."""
    match = _SIGNAL.fullmatch(signal.strip().lower())
    if match is None:
        raise SignalError(f"'{signal}' is no register; write it like holding:40, 2/input:12:uint32 or coil:3.")
    table = _table(signal, match["table"])
    address = int(match["address"])
    if address > MAX_ADDRESS:
        raise SignalError(f"'{signal}': an address is at most {MAX_ADDRESS}.")
    unit = int(match["unit"]) if match["unit"] else unit
    if unit > MAX_UNIT:
        raise SignalError(f"'{signal}': a unit is at most {MAX_UNIT}.")
    words = [word for word in match["rest"].split(":") if word]
    bit = None if match["bit"] is None else int(match["bit"])
    kind, order = _kind_and_order(signal, table, bit, words, order)
    register = Register(signal, unit, table, address, kind, bit, order)
    if register.end > MAX_ADDRESS + 1:
        raise SignalError(
            f"'{signal}': {kind} takes {register.size} registers, and there are none after {MAX_ADDRESS}."
        )
    return register


def _table(signal: str, name: str) -> Table:
    try:
        return Table(name)
    except ValueError:
        raise SignalError(f"'{signal}': there is no table '{name}'; choose {', '.join(Table)}.") from None


def _kind_and_order(
    signal: str, table: Table, bit: int | None, words: Sequence[str], order: Order
) -> tuple[str, Order]:
    if table.holds_bits and (words or bit is not None):
        raise SignalError(f"'{signal}': a {table} is a single bit; it has no type and no bit number.")
    if bit is not None and bit > 15:
        raise SignalError(f"'{signal}': a register has the bits 0 (lowest) to 15.")
    kind, kinds, orders = "uint16", 0, 0
    for word in words:
        if word in _TYPES:
            kind, kinds = word, kinds + 1
        elif word in _BYTE_ORDERS:
            order, orders = _BYTE_ORDERS[word], orders + 1
        elif word in _WORD_ORDERS:
            order, orders = Order(_WORD_ORDERS[word], order.is_low_byte_first), orders + 1
        else:
            known = ", ".join([*_TYPES, *_WORD_ORDERS, *_BYTE_ORDERS])
            raise SignalError(f"'{signal}': '{word}' is neither a type nor an order; choose from {known}.")
    if kinds > 1 or orders > 1:
        raise SignalError(f"'{signal}': name one type and one order at most.")
    if bit is not None and kinds:
        raise SignalError(f"'{signal}': a bit has no type.")
    return kind, order


def plan(registers: Iterable[Register], *, largest: int = MAX_REGISTERS) -> list[Block]:
    """Return the requests that read these values: neighbours together, at most `largest` registers in each.

    Nothing is read that nobody asked for, because a device may refuse a request that touches an address it lacks. Of
    coils and discrete inputs, 16 fit where one register does. A value is never divided.
    """
    largest = max(WIDEST, min(largest, MAX_REGISTERS))
    blocks: list[list[Register]] = []
    end = 0
    for register in sorted(registers, key=lambda one: (one.unit, one.table, one.address, one.size)):
        limit = min(16 * largest, MAX_BITS) if register.table.holds_bits else largest
        first = blocks[-1][0] if blocks else None
        is_neighbour = (
            first is not None
            and (first.unit, first.table) == (register.unit, register.table)
            and register.address <= end
            and max(end, register.end) - first.address <= limit
        )
        if is_neighbour:
            blocks[-1].append(register)
            end = max(end, register.end)
        else:
            blocks.append([register])
            end = register.end
    return [_block(members) for members in blocks]


def _block(members: Sequence[Register]) -> Block:
    first = members[0]
    size = max(member.end for member in members) - first.address
    return Block(first.unit, first.table, first.address, size, tuple(members))


def decode(register: Register, block: Block, answer: Sequence[int | bool]) -> Value:
    """Return a value out of the answer to its block: one number (0 to 65535) or bit for each address.

    A float is returned as the shortest decimal that reads back as the same float, because that is what the device's
    programmer wrote. Infinity and not-a-number are None: the device does not know.
    """
    start = register.address - block.address
    words = answer[start : start + register.size]
    if register.table.holds_bits:
        return bool(words[0])
    raw = [int(word).to_bytes(2, "little" if register.order.is_low_byte_first else "big") for word in words]
    if register.order.is_low_word_first:
        raw.reverse()
    number = struct.unpack(f">{_TYPES[register.kind][1]}", b"".join(raw))[0]
    if register.bit is not None:
        return bool(number >> register.bit & 1)
    if isinstance(number, float):
        return _shortest(number, is_single=register.kind == "float32")
    return int(number)


def _shortest(number: float, *, is_single: bool) -> Decimal | None:
    if not math.isfinite(number):
        return None
    if not is_single:
        return Decimal(repr(number))
    # A single has at least 6 and at most 9 digits that mean something.
    for digits in range(6, 9):
        written = f"{number:.{digits}g}"
        if struct.unpack(">f", _single(float(written)))[0] == number:
            return Decimal(written)
    return Decimal(f"{number:.9g}")


def _single(number: float) -> bytes:
    try:
        return struct.pack(">f", number)
    except OverflowError:
        # Rounded up beyond the largest single: not the same number, whatever it is.
        return struct.pack(">f", math.inf)
