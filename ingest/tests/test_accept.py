"""The write path at its service: idempotent, order-independent, and nothing refused is lost."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.keys import DeviceScope
from core.models import ChangedSpan
from counts.models import CountHistory
from downtime.models import StateHistory
from ingest.items import read_batch
from ingest.models import QuarantinedItem
from ingest.services import Delivery, accept
from tests.factories import make_count_tag, make_machine, make_reason

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def machine():
    return make_machine()


@pytest.fixture
def scope(machine):
    return DeviceScope("key:test", machine.line.area.site_id, frozenset([machine.pk]))


def deliver(scope, *items):
    return accept(Delivery(items, scope), recorded_at=NOW)


def count(tag, minute=0, value=1):
    return {"tag": tag.tag_path, "at": (NOW - timedelta(minutes=minute)).isoformat(), "value": value}


def state(machine, reason, minute=0, **more):
    at = (NOW - timedelta(minutes=minute)).isoformat()
    return {"machine": machine.code, "at": at, "state": reason.code, **more}


def test_mixed_batch_is_stored(machine, scope):
    tag, run = make_count_tag(machine=machine), make_reason()
    outcome = deliver(scope, count(tag, 3, 5), state(machine, run, 4, detail="Start pressed"))
    assert (outcome.accepted, outcome.items) == (2, [])
    assert CountHistory.objects.get().value == 5
    stored = StateHistory.objects.get()
    assert (stored.reason_id, stored.detail, stored.source) == (run.pk, "Start pressed", "key:test")
    assert ChangedSpan.objects.filter(subject_id=machine.pk).exists()


def test_repeated_delivery_changes_nothing(machine, scope):
    items = [count(make_count_tag(machine=machine), n, n) for n in range(5)]
    deliver(scope, *items)
    outcome = deliver(scope, *items)
    assert (outcome.accepted, outcome.duplicates, outcome.refused) == (0, 5, 0)
    assert [item.status for item in outcome.items] == ["duplicate"] * 5
    assert CountHistory.objects.count() == 5


def test_another_value_for_a_stored_moment_is_a_conflict_that_is_kept(machine, scope):
    tag = make_count_tag(machine=machine)
    deliver(scope, count(tag, 1, 5))
    outcome = deliver(scope, count(tag, 1, 6), count(tag, 2, 7))
    assert (outcome.accepted, outcome.refused) == (1, 1)
    assert (outcome.items[0].index, outcome.items[0].status, outcome.items[0].field) == (0, "conflict", "value")
    assert CountHistory.objects.get(occurred_at=NOW - timedelta(minutes=1)).value == 5
    assert QuarantinedItem.objects.get().code == "conflict"


def test_conflict_within_one_batch_keeps_the_first(machine, scope):
    tag = make_count_tag(machine=machine)
    outcome = deliver(scope, count(tag, 1, 5), count(tag, 1, 6), count(tag, 1, 5))
    assert [(item.index, item.status) for item in outcome.items] == [(1, "conflict"), (2, "duplicate")]
    assert CountHistory.objects.get().value == 5


def test_any_order_and_repetition_ends_in_the_same_rows(machine):
    run, stop = make_reason(), make_reason("unplanned")
    stored = []
    for shuffled in (False, True):
        this = make_machine(line=machine.line)
        scope = DeviceScope("key:test", machine.line.area.site_id, frozenset([this.pk]))
        tag = make_count_tag(machine=this)
        items = [count(tag, n, n) for n in range(50)] + [state(this, (run, stop)[n % 2], n) for n in range(50)]
        if shuffled:
            items *= 3
            random.Random(7).shuffle(items)
        for begin in range(0, len(items), 40):
            deliver(scope, *items[begin : begin + 40])
        stored.append(
            [
                list(tag.readings.order_by("occurred_at").values_list("occurred_at", "value")),
                list(this.state_history.order_by("occurred_at").values_list("occurred_at", "reason_id")),
            ]
        )
    assert stored[0] == stored[1]
    assert len(stored[0][0]) == 50


def test_bad_items_are_kept_aside_and_good_ones_stored(machine, scope):
    tag = make_count_tag(machine=machine)
    other = make_count_tag()
    outcome = deliver(
        scope, count(tag, 1), {**count(tag, 2), "tag": "nobody/knows"}, count(other), count(tag, 3, -1), count(tag, 4)
    )
    assert (outcome.accepted, outcome.refused) == (2, 3)
    assert [(item.index, item.field, item.code) for item in outcome.items] == [
        (1, "tag", "unknown_tag"),
        (2, "tag", "unknown_tag"),
        (3, "value", "negative"),
    ]
    assert QuarantinedItem.objects.count() == 3
    assert CountHistory.objects.count() == 2


def test_device_that_repeats_a_bad_item_adds_to_a_number_and_not_to_the_table(machine, scope):
    for _ in range(3):
        deliver(scope, {"tag": "nobody/knows", "at": NOW.isoformat(), "value": 1})
    assert QuarantinedItem.objects.get().times == 3


def test_another_keys_tag_is_as_unknown_as_one_that_does_not_exist(machine, scope):
    foreign = make_count_tag()
    (there,) = deliver(scope, count(foreign)).items
    (nowhere,) = deliver(scope, {**count(foreign), "tag": "nobody/knows"}).items
    assert there.message.replace(foreign.tag_path, "…") == nowhere.message.replace("nobody/knows", "…")


def test_line_stands_for_its_constraint_machine(machine, scope):
    item = {"line": machine.line.code, "at": NOW.isoformat(), "state": make_reason().code}
    assert deliver(scope, item).accepted == 1
    assert StateHistory.objects.get().machine_id == machine.pk


def test_future_item_is_quarantined_visibly(machine, scope):
    outcome = deliver(scope, count(make_count_tag(machine=machine), -60))
    assert outcome.items[0].status == "quarantined"
    assert QuarantinedItem.objects.get().code == "future"
    assert not CountHistory.objects.exists()


def test_reading_beyond_the_modulus_is_refused(machine, scope):
    tag = make_count_tag(machine=machine, mode="running", modulus=Decimal(65_536))
    assert deliver(scope, count(tag, 1, 65_536)).items[0].code == "beyond_modulus"
    assert deliver(scope, count(tag, 1, 65_535)).accepted == 1


def test_new_tag_works_at_once(machine, scope):
    item = {"tag": "made/later", "at": NOW.isoformat(), "value": 1}
    assert deliver(scope, item).refused == 1
    make_count_tag(machine=machine, tag_path="made/later")
    assert deliver(scope, item).accepted == 1


def test_what_cannot_be_written_down_is_kept_in_a_form_that_can(machine, scope):
    deliver(scope, {"tag": "x\0\ud800", "at": NOW.isoformat(), "value": 1})
    assert "x" in QuarantinedItem.objects.get().payload


def test_conflict_says_what_is_stored(machine, scope):
    tag, run, jam = make_count_tag(machine=machine), make_reason(), make_reason("unplanned")
    deliver(scope, count(tag, 1, 10), state(machine, run, 1, detail="Start pressed"))
    outcome = deliver(
        scope, count(tag, 1, 11), state(machine, jam, 1), state(machine, run, 1), count(tag, 2, 7), count(tag, 2, 8)
    )
    assert [(item.index, item.field) for item in outcome.items] == [
        (0, "value"),
        (1, "state"),
        (2, "detail"),
        (4, "value"),
    ]
    count_met, state_met, detail_met, count_beside = (item.message for item in outcome.items)
    assert " 10 is stored" in count_met
    assert f"'{run.code}' with the detail 'Start pressed' is stored" in state_met
    assert state_met == detail_met
    assert " 7 is stored" in count_beside


@pytest.mark.parametrize(
    "written", ["-1.50", "-0.1", "1E+999", "NaN", "-Infinity", "1e99999999999999999999", "9" * 3000, '"12"']
)
def test_refused_item_is_kept_as_it_came(scope, written):
    deliver(scope, *read_batch(f'[{{"tag":"nobody/knows","at":"2026-03-02T08:00:00Z","value":{written}}}]'.encode()))
    kept = QuarantinedItem.objects.get().payload
    assert kept == f'{{"tag":"nobody/knows","at":"2026-03-02T08:00:00Z","value":{written}}}'[:2000]


def test_tag_machine_and_reason_that_are_switched_off_are_refused_by_name(machine, scope):
    resting = make_machine(line=machine.line, is_active=False)
    both = DeviceScope(scope.source, scope.site_id, frozenset([machine.pk, resting.pk]))
    outcome = deliver(
        both,
        count(make_count_tag(machine=machine, is_active=False)),
        count(make_count_tag(machine=resting)),
        state(resting, make_reason()),
        state(machine, make_reason(is_active=False)),
    )
    assert [(item.field, item.code) for item in outcome.items] == [
        ("tag", "inactive_tag"),
        ("tag", "inactive_tag"),
        ("machine", "inactive_machine"),
        ("state", "inactive_state"),
    ]


def test_late_delivery_marks_the_hours_that_it_changes(machine, scope):
    run, jam = make_reason(), make_reason("unplanned")
    deliver(scope, state(machine, run, 100), state(machine, jam, 50))
    ChangedSpan.objects.all().delete()
    deliver(scope, state(machine, jam, 80))
    changed = ChangedSpan.objects.get()
    assert (changed.changed_from, changed.changed_until) == (NOW - timedelta(minutes=80), NOW - timedelta(minutes=50))
