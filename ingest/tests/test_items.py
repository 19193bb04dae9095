"""What an item must be, and what is said of one that is not."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.items import BeyondNumber, CountItem, Refused, StateItem, Unreadable, read_batch, read_item

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
COUNT = {"tag": "L1/good", "at": "2026-03-02T08:00:00Z", "value": 12}
STATE = {"machine": "l1", "at": "2026-03-02T08:00:00Z", "state": "run"}


def test_count_and_state_are_read():
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert read_item(COUNT, now=NOW) == CountItem("L1/good", at, Decimal(12))
    assert read_item(STATE, now=NOW) == StateItem("l1", None, at, "run", "")


def test_numbers_stay_exact():
    (item,) = read_batch(b'[{"tag":"t","at":"2026-03-02T08:00:00Z","value":123456789012345.123456}]')
    assert read_item(item, now=NOW).value == Decimal("123456789012345.123456")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-02T08:00:00.123456Z", datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-02T09:00:00+01:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
    ids=["microseconds", "offset", "leap second"],
)
def test_times_are_understood(written, meant):
    assert read_item({**COUNT, "at": written}, now=NOW).at == meant


@pytest.mark.parametrize(
    ("item", "field", "code"),
    [
        ({**COUNT, "at": "2026-03-02T08:00:00"}, "at", "naive_time"),
        ({**COUNT, "at": "2026-03-02"}, "at", "naive_time"),
        ({**COUNT, "at": "yesterday"}, "at", "not_a_time"),
        ({**COUNT, "at": "2026-03-02T25:00:00Z"}, "at", "not_a_time"),
        ({**COUNT, "at": 1772438400}, "at", "not_a_time"),
        ({**COUNT, "at": "2026-03-02T12:05:01Z"}, "at", "future"),
        ({**COUNT, "at": "0001-01-01T00:00:00+14:00"}, "at", "not_a_time"),
        ({**COUNT, "at": "1970-01-01T00:00:00Z"}, "at", "too_old"),
        ({"tag": "t", "value": 1}, "at", "missing"),
        ({**COUNT, "value": "12"}, "value", "not_a_number"),
        ({**COUNT, "value": True}, "value", "not_a_number"),
        ({**COUNT, "value": [1]}, "value", "not_a_number"),
        ({**COUNT, "value": None}, "value", "missing"),
        ({**COUNT, "value": -1}, "value", "negative"),
        ({**COUNT, "value": Decimal("NaN")}, "value", "not_finite"),
        ({**COUNT, "value": Decimal("Infinity")}, "value", "not_finite"),
        ({**COUNT, "value": Decimal("1e999")}, "value", "too_large"),
        ({**COUNT, "value": 10**400}, "value", "too_large"),
        ({**COUNT, "value": 10**18}, "value", "too_large"),
        ({**COUNT, "value": BeyondNumber("1e99999999999999999999")}, "value", "not_finite"),
        ({**COUNT, "tag": BeyondNumber("1e99999999999999999999")}, "tag", "not_text"),
        ({**COUNT, "at": BeyondNumber("1e99999999999999999999")}, "at", "not_a_time"),
        ({**COUNT, "value": Decimal("0.0000001")}, "value", "too_fine"),
        ({**COUNT, "tag": "x\0y"}, "tag", "bad_characters"),
        ({**COUNT, "tag": "\ud800"}, "tag", "bad_characters"),
        ({**COUNT, "tag": 7}, "tag", "not_text"),
        ({**COUNT, "tag": "x" * 256}, "tag", "too_long"),
        ({**COUNT, "colour": "red"}, "colour", "unknown_field"),
        ({**STATE, "line": "l1"}, "line", "ambiguous"),
        ({**STATE, "detail": "x" * 501}, "detail", "too_long"),
        ({**STATE, "state": ""}, "state", "missing"),
        ({}, "tag", "missing"),
        ("run", "", "not_an_object"),
        (None, "", "not_an_object"),
    ],
)
def test_bad_item_is_refused_naming_the_field(item, field, code):
    with pytest.raises(Refused) as refused:
        read_item(item, now=NOW)
    assert (refused.value.field, refused.value.code) == (field, code)
    assert refused.value.message


@pytest.mark.parametrize("written", ["0E-99999", "-0.0", "0E+99999", "0.000000000000"])
def test_nought_is_nought_however_it_is_written(written):
    value = read_item({**COUNT, "value": Decimal(written)}, now=NOW).value
    assert (value, value.as_tuple().exponent) == (0, -6)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_other_encodings_than_utf_8_are_refused(encoding):
    with pytest.raises(Unreadable):
        read_batch('[{"tag": "Füller"}]'.encode(encoding))


def test_byte_order_mark_is_forgiven():
    assert read_batch(json.dumps([COUNT]).encode("utf-8-sig")) == [COUNT]


def test_literal_nan_costs_its_item_and_not_the_batch():
    bad, good = read_batch(b'{"items": [{"tag": "t", "at": "2026-03-02T08:00:00Z", "value": NaN}, {"tag": "u"}]}')
    assert bad["value"].is_nan()
    assert good == {"tag": "u"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"7",
        b'"items"',
        b"{}",
        b'{"items": 7}',
        b'{"items": []}',
        b"\xff\xfe",
        b"[" * 1000 + b"]" * 1000 + b"x",
        b"[" * 100_000,
        json.dumps({"items": [{}] * 10_001}).encode(),
        b"1" * 5000,
    ],
    ids=[
        "empty",
        "cut",
        "number",
        "text",
        "no items",
        "items no list",
        "no item",
        "no utf-8",
        "junk",
        "deep",
        "many",
        "long",
    ],
)
def test_unreadable_body_is_said_to_be(body):
    with pytest.raises(Unreadable) as error:
        read_batch(body)
    assert str(error.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*COUNT, *STATE, "x", "\0"]), inner),
        max_leaves=8,
    )
)
def test_no_json_whatsoever_does_more_than_being_refused(document):
    try:
        items = read_batch(json.dumps(document).encode())
    except Unreadable:
        return
    for item in items:
        with suppress(Refused):
            assert isinstance(read_item(item, now=NOW), CountItem | StateItem)
