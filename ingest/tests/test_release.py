"""A person's decision about a kept item: take it after all, or throw it away; once, and only with the right."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.keys import DeviceScope
from core.errors import Conflict, Invalid
from counts.models import CountCorrection, CountHistory
from downtime.models import StateCorrection, StateHistory
from ingest import directory
from ingest.models import QuarantinedItem
from ingest.release import discard, release
from ingest.services import Delivery, accept
from tests.factories import make_count_tag, make_machine, make_reason, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def machine():
    directory.tags.forget()
    return make_machine()


@pytest.fixture
def person(machine):
    return make_user("supervisor", machine.line.area.site, is_staff=True)


@pytest.fixture
def keep(machine):
    """Deliver items of which the last is kept aside, and return the kept one."""
    scope = DeviceScope("key:test", machine.line.area.site_id, frozenset([machine.pk]))

    def deliver(*items):
        accept(Delivery(items, scope), recorded_at=NOW)
        return QuarantinedItem.objects.get()

    return deliver


def count(path, minutes=1, value=5):
    return {"tag": path, "at": (NOW - timedelta(minutes=minutes)).isoformat(), "value": value}


def test_item_of_an_unknown_tag_is_taken_once_the_tag_is_set_up(machine, person, keep):
    kept = keep(count("new/tag"))
    with pytest.raises(Invalid, match="still refused: This key knows no tag"):
        release(kept, person, NOW)
    make_count_tag(machine=machine, tag_path="new/tag")
    directory.tags.forget()
    release(kept, person, NOW)
    kept.refresh_from_db()
    assert (kept.resolution, kept.resolved_by, kept.resolved_at) == ("released", person, NOW)
    assert CountHistory.objects.get().value == 5
    assert CountHistory.objects.get().source == "key:test"


def test_item_from_the_future_is_taken_when_its_time_has_come(machine, person, keep):
    tag = make_count_tag(machine=machine)
    kept = keep(count(tag.tag_path, minutes=-30))
    assert kept.code == "future"
    with pytest.raises(Invalid, match="future"):
        release(kept, person, NOW)
    release(kept, person, NOW + timedelta(minutes=31))
    assert CountHistory.objects.get().occurred_at == NOW + timedelta(minutes=30)


def test_contradicting_count_becomes_a_correction(machine, person, keep):
    tag = make_count_tag(machine=machine)
    kept = keep(count(tag.tag_path, value=5), count(tag.tag_path, value=7))
    release(kept, person, NOW)
    correction = CountCorrection.objects.get()
    assert (correction.value, correction.corrected_by) == (Decimal(7), person)
    assert CountHistory.objects.get().value == 5


def test_contradicting_state_becomes_a_correction(machine, person, keep):
    run, stop = make_reason("running"), make_reason("unplanned")
    item = {"machine": machine.code, "at": NOW.isoformat(), "state": run.code}
    kept = keep(item, {**item, "state": stop.code})
    release(kept, person, NOW)
    assert StateCorrection.objects.get().reason == stop
    assert StateHistory.objects.get().reason == run


def test_contradicting_counter_event_is_told_where_to_go(machine, person, keep):
    tag = make_count_tag(machine=machine, mode="running")
    event = {"tag": tag.tag_path, "at": (NOW - timedelta(minutes=1)).isoformat()}
    kept = keep({**event, "event": "reset"}, {**event, "event": "replaced"})
    with pytest.raises(Invalid, match="list of counter steps"):
        release(kept, person, NOW)


def test_decision_is_made_once(machine, person, keep):
    kept = keep(count("new/tag"))
    discard(kept, person, NOW)
    with pytest.raises(Conflict, match="discarded already"):
        release(kept, person, NOW)


def test_item_that_was_cut_cannot_be_released(machine, person, keep):
    kept = keep({"machine": machine.code, "at": NOW.isoformat(), "state": "x" * 64, "extra": "y" * 3000})
    with pytest.raises(Invalid, match="too long"):
        release(kept, person, NOW)


@pytest.mark.parametrize(
    ("role", "resolution"), [("supervisor", "discarded"), ("engineer", "discarded"), ("quality", "open")]
)
def test_admin_offers_the_decision_to_those_who_may(machine, client, keep, role, resolution):
    kept = keep(count("new/tag"))
    client.force_login(make_user(role, machine.line.area.site, is_staff=True))
    client.post(
        reverse("admin:ingest_quarantineditem_changelist"), {"action": "discard", "_selected_action": [kept.pk]}
    )
    kept.refresh_from_db()
    assert kept.resolution == resolution


def test_admin_says_why_an_item_cannot_be_released(machine, client, keep):
    kept = keep(count("new/tag"))
    client.force_login(make_user("engineer", machine.line.area.site, is_staff=True))
    page = client.post(
        reverse("admin:ingest_quarantineditem_changelist"),
        {"action": "release", "_selected_action": [kept.pk]},
        follow=True,
    )
    assert "It is still refused: This key knows no tag" in page.content.decode()
