"""Topics, payloads and numbered messages, without a broker."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import sequences
from connectors.mqtt.options import MqttOptions
from connectors.mqtt.payloads import Form, Unreadable, read
from connectors.mqtt.topics import TopicTemplate
from connectors.translation import StateTable

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLACE = {"line": "L1", "machine": "FILLER", "signal": "good"}


def test_template_reads_topics_of_the_plant():
    template = TopicTemplate("{enterprise}/{site}/{area}/{line}/{machine}/{signal}")
    assert template.subscription == "+/+/+/+/+/#"
    place = template.read("acme/krakow/hall/L1/FILLER/count/good")
    assert place == {
        "enterprise": "acme", "site": "krakow", "area": "hall", "line": "L1", "machine": "FILLER",
        "signal": "count/good",
    }  # fmt: skip
    assert template.read("acme/krakow/hall/L1/FILLER") is None


def test_template_with_fixed_levels_and_without_a_signal():
    template = TopicTemplate("plant/{line}/oee")
    assert template.subscription == "plant/+/oee"
    assert template.read("plant/L1/oee") == {"line": "L1", "signal": ""}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{site}/{signal}", "must name {machine} or {line}"),
        ("{signal}/{machine}", "must be the last"),
        ("{machine}/{machine}", "once"),
        ("a+b/{machine}", "neither"),
        ("a//{machine}", "neither"),
    ],
)
def test_bad_template_says_why(template, message):
    with pytest.raises(ValueError, match=message):
        TopicTemplate(template)


def items(payload, place=PLACE, **form):
    return read(payload, place, Form(**form), received_at=NOW).items


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"at": "2026-03-02T08:00:00Z", "value": 12}', {"at": "2026-03-02T08:00:00Z", "value": 12}),
        (b"12", {"at": "2026-03-02T12:00:00Z", "value": 12}),
        (b'{"at": 1772438400, "value": 0.1}', {"at": "2026-03-02T08:00:00Z", "value": Decimal("0.1")}),
        (b'{"at": 1772438400123, "value": 3}', {"at": "2026-03-02T08:00:00.123000Z", "value": 3}),
    ],
)
def test_payload_of_a_count(payload, expected):
    assert items(payload) == [{"tag": "L1/FILLER/good", **expected}]


def test_payload_of_a_state():
    place = {**PLACE, "signal": "state"}
    assert items(b"running", place) == [{"machine": "FILLER", "at": "2026-03-02T12:00:00Z", "state": "running"}]
    table = StateTable("map", (("6", "RUN"), ("*", "STOP")))
    assert items(b'{"value": 6}', place, state_table=table)[0] | {"at": ""} == {
        "machine": "FILLER", "at": "", "state": "RUN", "detail": "6",
    }  # fmt: skip


def test_batch_is_taken_as_it_is():
    content = read(
        b'{"seq": 7, "id": "a", "items": [{"tag": "x", "at": "t", "value": 1}, {"value": 2}]}',
        PLACE,
        Form(),
        received_at=NOW,
    )
    assert (content.sequence, content.id) == (7, "a")
    assert content.items[0] == {"tag": "x", "at": "t", "value": 1}
    assert content.items[1]["tag"] == "L1/FILLER/good"


@pytest.mark.parametrize("payload", [b"\xff\xfe", b"{", b"[1,", b"", b"[" * 100_000])
def test_what_cannot_be_read_says_so(payload):
    with pytest.raises(Unreadable):
        items(payload)


def test_options_refuse_a_tag_template_with_parts_that_no_topic_has():
    initial = {name: field.initial for name, field in MqttOptions.base_fields.items() if field.initial is not None}
    form = MqttOptions({**initial, "tag_template": "{cell}/{signal}"})
    assert not form.is_valid()
    assert "no part called 'cell'" in form.errors["tag_template"][0]


@given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n)), st.permutations(range(n + 1)))
    )
)
def test_holes_are_what_never_came_in_any_order(drawn):
    highest, missing, order = drawn
    missing -= {0, highest}
    position = None
    for number in [0, *(n for n in order if n)]:
        if number not in missing:
            position = sequences.advance(position, number, at=NOW + timedelta(seconds=number), now=NOW)
    assert {n for hole in position.holes for n in range(hole.first, hole.last + 1)} == missing
    for hole in position.holes:
        assert (hole.since, hole.until) == (
            NOW + timedelta(seconds=hole.first - 1),
            NOW + timedelta(seconds=hole.last + 1),
        )
    assert sequences.read(sequences.written(position)) == position
    left, lost = sequences.give_up(position, now=NOW + timedelta(seconds=11), patience=timedelta(seconds=10))
    assert (left.holes, set(lost)) == ((), set(position.holes))


def test_device_that_starts_anew_counts_from_there():
    position = sequences.advance(sequences.Position(500, NOW), 0, at=NOW + timedelta(minutes=1), now=NOW)
    assert (position.highest, position.holes) == (0, ())


def test_late_repetition_changes_nothing():
    position = sequences.Position(500, NOW)
    assert sequences.advance(position, 499, at=NOW - timedelta(minutes=1), now=NOW) == position
