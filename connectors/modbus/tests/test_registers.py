"""A signal says what to read; what it cannot mean is refused with a reason."""

import struct
from decimal import Decimal

import pytest

from connectors.modbus.registers import Order, SignalError, decode, parse, plan


def register(signal, order=None):
    return parse(signal, unit=1, order=order or Order())


def value(signal, *words, order=None):
    one = register(signal, order)
    return decode(one, plan([one])[0], words)


def blocks(*signals, largest=125):
    return [str(block) for block in plan([register(signal) for signal in signals], largest=largest)]


@pytest.mark.parametrize(
    ("signal", "words", "expected"),
    [
        ("holding:40", [65530], 65530),
        ("holding:40:int16", [65530], -6),
        ("holding:40:int16:badc", [0xFAFF], -6),
        ("input:12:uint32", [1, 2], 65538),
        ("input:12:uint32:swap", [2, 1], 65538),
        ("input:12:uint32:little", [2, 1], 65538),
        ("input:12:uint32:dcba", [0x0200, 0x0100], 65538),
        ("input:12:int32", [0xFFFF, 0xFFFE], -2),
        ("holding:0:uint64", [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF], 2**64 - 1),
        ("holding:0:int64:swap", [0xFFFE, 0xFFFF, 0xFFFF, 0xFFFF], -2),
        ("holding:5.3", [0b1000], True),
        ("holding:5.0", [0b1000], False),
        ("holding:5.8:badc", [0b1], True),
        ("coil:3", [True], True),
        ("2/discrete:7", [0], False),
    ],
)
def test_value_is_decoded_as_the_signal_says(signal, words, expected):
    assert value(signal, *words) == expected


@pytest.mark.parametrize("written", ["0.1", "12.34", "16777216", "-0.000001", "3.4028235E+38", "1.1754944E-38", "0"])
def test_single_is_the_decimal_that_was_written(written):
    words = struct.unpack(">2H", struct.pack(">f", float(written)))
    assert value("holding:0:float32", *words) == Decimal(written)
    assert value("holding:0:float32:swap", *reversed(words)) == Decimal(written)


def test_double_is_the_decimal_that_was_written():
    assert value("holding:0:float64", *struct.unpack(">4H", struct.pack(">d", 1234567.1))) == Decimal("1234567.1")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_float_that_is_no_number_is_unknown(number):
    assert value("holding:0:float32", *struct.unpack(">2H", struct.pack(">f", number))) is None


def test_defaults_hold_where_the_signal_names_no_order():
    swapped = Order(is_low_word_first=True, is_low_byte_first=True)
    assert value("holding:0:uint32", 0x0200, 0x0100, order=swapped) == 65538
    assert value("holding:0:uint32:big", 0x0100, 0x0200, order=swapped) == 65538
    assert value("holding:0:uint32:abcd", 1, 2, order=swapped) == 65538
    assert parse("holding:0", unit=7, order=swapped).unit == 7


@pytest.mark.parametrize(
    ("signal", "complaint"),
    [
        ("40001", "no register"),
        ("holding", "no register"),
        ("holding:-1", "no register"),
        ("register:1", "there is no table 'register'"),
        ("holding:65536", "at most 65535"),
        ("holding:65535:uint32", "none after 65535"),
        ("300/holding:1", "a unit is at most 255"),
        ("holding:1.16", "bits 0"),
        ("holding:1.2:uint16", "a bit has no type"),
        ("holding:1:word", "neither a type nor an order"),
        ("holding:1:uint32:int32", "one type"),
        ("holding:1:abcd:swap", "one order"),
        ("coil:1:uint16", "single bit"),
        ("discrete:1.3", "single bit"),
    ],
)
def test_signal_that_cannot_be_read_says_why(signal, complaint):
    with pytest.raises(SignalError, match=complaint):
        register(signal)


def test_neighbours_are_read_together_and_nothing_else():
    signals = ["holding:10", "holding:11:uint32", "holding:11.3", "holding:14", "input:15", "2/holding:15", "coil:0"]
    assert blocks(*signals) == ["1/coil:0", "1/holding:10-12", "1/holding:14", "1/input:15", "2/holding:15"]


def test_block_stays_within_what_one_request_may_read():
    assert blocks(*(f"holding:{address}" for address in range(130))) == ["1/holding:0-124", "1/holding:125-129"]
    assert blocks(*(f"holding:{address}:float64" for address in range(0, 16, 4)), largest=10) == [
        "1/holding:0-7",
        "1/holding:8-15",
    ]
    assert blocks(*(f"coil:{address}" for address in range(2001))) == ["1/coil:0-1999", "1/coil:2000"]
