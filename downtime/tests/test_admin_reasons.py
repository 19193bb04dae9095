"""State reasons read as the tree that they are; recorded states are only shown."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from downtime.models import RecordedState, StateHistory, StateReason
from tests.factories import make_machine, make_reason

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 1, 6, tzinfo=UTC)


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ada"))
    return client


def test_the_list_is_the_tree_depth_first_and_indented(administrator):
    stop = make_reason("unplanned", name="Stop", code="B")
    make_reason("running", name="Running", code="A")
    jam = make_reason("unplanned", name="Jam", code="A-JAM", parent=stop)
    make_reason("unplanned", name="Cap jam", code="0", parent=jam)
    page = administrator.get(reverse("admin:downtime_statereason_changelist")).content.decode()
    nodes = re.findall(r'style="--depth: (\d)">.*?</span>([\w ]+)</span>', page)
    assert nodes == [("0", "Running"), ("0", "Stop"), ("1", "Jam"), ("2", "Cap jam")]


def test_the_parents_to_choose_from_are_indented(administrator):
    stop = make_reason("unplanned", name="Stop")
    make_reason("unplanned", name="Jam", parent=stop)
    page = administrator.get(reverse("admin:downtime_statereason_add")).content.decode()
    assert re.search(r">\s*Stop \(Unplanned stop\)\s*<", page)
    assert re.search(r">\s*\u2003Jam \(Unplanned stop\)\s*<", page)


def test_a_child_of_another_category_is_refused_with_what_to_do(administrator):
    stop = make_reason("unplanned", name="Stop")
    data = {"code": "X", "name": "X", "parent": stop.pk, "category": "planned", "position": "0"}
    response = administrator.post(reverse("admin:downtime_statereason_add"), data)
    assert "It stands under &#x27;Stop&#x27;, so its category is Unplanned stop." in response.content.decode()
    assert StateReason.objects.count() == 1


def test_a_colour_is_shown_as_a_swatch(administrator):
    make_reason("unplanned", colour="#c0392b")
    page = administrator.get(reverse("admin:downtime_statereason_changelist")).content.decode()
    assert 'class="swatch" style="background-color: #c0392b"' in page


def test_a_recorded_state_is_shown_and_not_edited(administrator):
    machine, reason = make_machine(name="Filler"), make_reason("unplanned", name="Jam")
    StateHistory.objects.create(machine=machine, occurred_at=AT, reason=reason, detail="E17", recorded_at=AT)
    url = reverse("admin:downtime_recordedstate_change", args=[RecordedState.objects.get().pk])
    page = administrator.get(url).content.decode()
    assert "Filler" in page
    assert "E17" in page
    assert administrator.post(url, {"detail": "x"}).status_code == 403
