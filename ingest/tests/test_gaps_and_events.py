"""What devices say beside counts and states: that something is lost, and that something happened to a counter."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.keys import DeviceScope
from counts.models import CounterEvent, CountHistory
from downtime.models import SignalGap, StateHistory
from ingest.models import QuarantinedItem
from ingest.services import Delivery, accept
from tests.factories import make_count_tag, make_machine

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def machine():
    return make_machine()


@pytest.fixture
def deliver(machine):
    scope = DeviceScope("key:test", machine.line.area.site_id, frozenset([machine.pk]))
    return lambda *items: accept(Delivery(items, scope), recorded_at=NOW)


def at(minutes):
    return (NOW - timedelta(minutes=minutes)).isoformat()


def test_gap_is_stored_once(machine, deliver):
    gap = {"machine": machine.code, "at": at(9), "until": at(5), "gap": "Buffer overran"}
    assert (deliver(gap).accepted, deliver(gap).duplicates) == (1, 1)
    stored = SignalGap.objects.get()
    assert (stored.cause, stored.ends_at - stored.starts_at) == ("Buffer overran", timedelta(minutes=4))
    assert not StateHistory.objects.exists()


def test_gap_of_a_line_is_its_constraint_machines(machine, deliver):
    assert deliver({"line": machine.line.code, "at": at(9), "until": at(5), "gap": "x"}).accepted == 1
    assert SignalGap.objects.get().machine == machine


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"until": at(9)}, "until", "empty_span"),
        ({"until": None}, "until", "missing"),
        ({"until": "2026-03-02T12:00:00"}, "until", "naive_time"),
        ({"until": at(-60)}, "until", "future"),
        ({"gap": ""}, "gap", "missing"),
        ({"machine": "elsewhere"}, "machine", "unknown_machine"),
        ({"state": "x"}, "state", "unknown_field"),
    ],
)
def test_bad_gap_is_refused_with_its_field(machine, deliver, change, field, code):
    gap = {"machine": machine.code, "at": at(9), "until": at(5), "gap": "x", **change}
    (answer,) = deliver(gap).items
    assert (answer.field, answer.code) == (field, code)
    assert QuarantinedItem.objects.get().code == code


def test_counter_event_is_stored_once_and_another_conflicts(machine, deliver):
    tag = make_count_tag(machine=machine, mode="running")
    event = {"tag": tag.tag_path, "at": at(3), "event": "reset", "value": 5}
    assert (deliver(event).accepted, deliver(event).duplicates) == (1, 1)
    (answer,) = deliver({**event, "value": 6}).items
    assert (answer.status, answer.field) == ("conflict", "event")
    stored = CounterEvent.objects.get()
    assert (stored.kind, stored.value, stored.source) == ("reset", Decimal(5), "key:test")
    assert not CountHistory.objects.exists()


@pytest.mark.parametrize(
    ("mode", "change", "field", "code"),
    [
        ("running", {"event": "exploded"}, "event", "unknown_event"),
        ("running", {"event": "replaced", "value": 3}, "value", "unknown_field"),
        ("running", {"event": "rollover"}, "event", "no_modulus"),
        ("running", {"value": -1}, "value", "negative"),
        ("delta", {}, "event", "no_running_counter"),
    ],
)
def test_bad_counter_event_is_refused_with_its_field(machine, deliver, mode, change, field, code):
    tag = make_count_tag(machine=machine, mode=mode)
    (answer,) = deliver({"tag": tag.tag_path, "at": at(3), "event": "reset", **change}).items
    assert (answer.field, answer.code) == (field, code)


def test_delta_below_the_offset_is_refused(machine, deliver):
    tag = make_count_tag(machine=machine, offset=Decimal(-10))
    outcome = deliver({"tag": tag.tag_path, "at": at(3), "value": 9}, {"tag": tag.tag_path, "at": at(2), "value": 10})
    assert (outcome.accepted, outcome.items[0].code) == (1, "below_offset")
