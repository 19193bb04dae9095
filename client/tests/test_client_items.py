"""What is written for the server, and what is stopped at the device."""

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from mes_client.items import count_item, event_item, item_of, microseconds, moment, read_item, state_item

AT = datetime(2026, 3, 1, 9, 0, 0, 250, tzinfo=timezone(timedelta(hours=1)))


def written(item):
    return json.loads(item.written(item.at), parse_float=str)


def test_count_is_written_as_the_server_takes_it():
    assert written(count_item("L1/good", 12, AT)) == {
        "tag": "L1/good",
        "value": 12,
        "at": "2026-03-01T08:00:00.000250Z",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(Decimal("1.500000"), "1.500000"), (0.1 + 0.2, "0.3"), (1e-7, "0"), (2.5, "2.5"), (10**17, "100000000000000000")],
)
def test_numbers_stay_exact(value, text):
    assert Decimal(str(written(count_item("t", value, AT))["value"])) == Decimal(text)


def test_large_float_is_a_json_number():
    assert float(json.loads(count_item("t", 1e300, AT).written(AT))["value"]) == 1e300


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity"), True, "12", None])
def test_value_that_is_no_number_is_stopped(value):
    with pytest.raises((ValueError, TypeError), match="number"):
        count_item("t", value)


def test_naive_time_is_stopped():
    with pytest.raises(ValueError, match="time zone"):
        count_item("t", 1, datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        read_item('{"tag": "t", "at": "2026-03-01T08:00:00", "value": 1}')


def test_state_names_the_machine_or_the_line():
    assert written(state_item("m", "run", at=AT))["machine"] == "m"
    assert written(state_item(None, "run", "Überlauf \0", AT, line="L1")) == {
        "line": "L1",
        "state": "run",
        "detail": "Überlauf \0",
        "at": "2026-03-01T08:00:00.000250Z",
    }
    for machine, line in [(None, None), ("m", "L1")]:
        with pytest.raises(ValueError, match="machine or the line"):
            state_item(machine, "run", line=line)
    with pytest.raises(ValueError, match="empty"):
        state_item("m", "")


def test_event_has_a_value_only_when_one_is_given():
    assert written(event_item("t", "reset", at=AT)).keys() == {"tag", "event", "at"}
    assert written(event_item("t", "reset", 7, AT))["value"] == 7
    with pytest.raises(ValueError, match="Only a reset"):
        event_item("t", "replaced", 7)
    with pytest.raises(ValueError, match="reset"):
        event_item("t", "exploded")


def test_line_of_json_keeps_its_exact_numbers_and_unknown_fields():
    item = read_item('{"tag": "t", "at": "2026-03-01T08:00:00Z", "value": 0.1000000000000000000001, "new": null}')
    assert '"value":0.1000000000000000000001' in item.written(item.at)
    assert '"new":null' in item.written(item.at)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"tag": "t", "value": 1}',
        '{"tag": "t", "at": 5, "value": 1}',
        '{"tag": "t", "at": "yesterday", "value": 1}',
        '{"tag": "t", "at": "2026-03-01T08:00:00Z", "value": NaN}',
        '{"tag": "t", "at": "2026-03-01T08:00:00Z", "value": [1]}',
        "[" * 100_000,
    ],
    ids=range(8),
)
def test_line_that_is_no_item_is_stopped(line):
    with pytest.raises(ValueError):
        read_item(line)


def test_moments_survive_as_microseconds():
    assert moment(microseconds(AT)) == AT
    assert item_of({"tag": "t", "at": AT, "value": 1}).at == AT
