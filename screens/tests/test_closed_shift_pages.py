"""The pages of closed shifts: was and now side by side, signing, and who may."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core import master_data
from downtime.services import NewState, record_states
from enterprise.models import Shift
from oee.closing import close_shift
from oee.models import OeePolicy, ShiftClosing
from tests.factories import make_machine, make_reason, make_user

pytestmark = pytest.mark.django_db
DATE = date(2026, 3, 2)


@pytest.fixture
def boss():
    return make_user("supervisor", first_name="Ada", last_name="Nowak")


@pytest.fixture
def machine():
    machine = make_machine(name="Filler")
    site = machine.line.area.site
    master_data.save(Shift(site=site, name="Morning", start_time=time(6), end_time=time(14)))
    say(machine, make_reason(), 5)
    return machine


def say(machine, reason, hours):
    at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hours)
    record_states([NewState(machine.pk, at, reason.pk)], recorded_at=timezone.now())


def close(machine, boss):
    return close_shift(
        place=machine.line, shift_id=Shift.objects.get().pk, shift_date=DATE, actor=boss, now=timezone.now()
    )


def test_page_shows_signature_was_and_now_and_signs(client, machine, boss):
    client.force_login(boss)
    closing = close(machine, boss)
    url = reverse("screens:closed-shift", args=[closing.pk])
    text = client.get(url).content.decode()
    assert "Ada Nowak" in text
    assert "The facts say what was signed." in text
    say(machine, make_reason("unplanned", name="Jam"), 9)
    page = client.get(url)
    text = page.content.decode()
    assert "Changed since it was signed" in text
    assert "8:00:00" in text
    assert "−4:00:00" in text
    seen = page.context["found"].seen
    say(machine, make_reason("unplanned", name="Other"), 10)
    outdated = client.post(url, {"comment": "Jam.", "seen": seen})
    assert (outdated.status_code, b"changed again" in outdated.content) == (409, True)
    signed = client.post(url, {"comment": "Jam.", "seen": outdated.context["found"].seen})
    second = ShiftClosing.objects.get(revision=2)
    assert signed.url == reverse("screens:closed-shift", args=[second.pk])
    assert b"Superseded by" in client.get(url).content
    assert b"I accept" not in client.get(url).content.split(b"Signature")[1].split(b"Ratios")[1]


def test_list_offers_what_is_over_and_closes_it(client, machine, boss):
    client.force_login(boss)
    listed = client.get(reverse("screens:closed-shifts"))
    (first, *_) = listed.context["open_shifts"]
    answer = client.post(
        reverse("screens:close-shift"),
        {"line": machine.line.pk, "shift": first.shift.shift_id, "date": first.shift.shift_date, "comment": "Fine."},
    )
    closing = ShiftClosing.objects.get()
    assert answer.url == reverse("screens:closed-shift", args=[closing.pk])
    again = client.post(
        reverse("screens:close-shift"),
        {"line": machine.line.pk, "shift": first.shift.shift_id, "date": first.shift.shift_date},
        follow=True,
    )
    assert b"closed already" in again.content
    assert client.post(reverse("screens:close-shift"), {"line": "x"}, follow=True).status_code == 200
    assert client.get(reverse("screens:close-shift")).status_code == 405


def test_operators_read_and_others_see_nothing(client, machine, boss):
    closing = close(machine, boss)
    say(machine, make_reason("unplanned"), 9)
    url = reverse("screens:closed-shift", args=[closing.pk])
    client.force_login(make_user("operator", site=machine.line.area.site))
    assert b"I accept" not in client.get(url).content
    assert client.post(url, {"comment": "x", "seen": "x"}).status_code == 403
    assert not client.get(reverse("screens:closed-shifts")).context["open_shifts"]
    assert client.get(reverse("screens:change-log")).status_code == 403
    client.force_login(make_user("supervisor", site=make_machine().line.area.site))
    assert client.get(url).status_code == 404
    client.logout()
    assert client.get(url).status_code == 302


def test_changes_page_lists_edits_with_what_they_did(client, machine, boss):
    client.force_login(boss)
    close(machine, boss)
    master_data.save(OeePolicy(site=machine.line.area.site, changeover="planned"))
    text = client.get(reverse("screens:change-log")).content.decode()
    assert "OEE policy of" in text
    assert "revision 1" in text


def test_admin_lists_and_decides(client, machine):
    admin = make_user(is_superuser=True, is_staff=True)
    client.force_login(admin)
    closing = close(machine, admin)
    say(machine, make_reason("unplanned"), 9)
    listing = reverse("admin:oee_shiftclosing_changelist")
    assert b"differs" in client.get(listing).content
    assert client.get(f"{listing}?since=same").status_code == 200
    assert client.get(reverse("admin:oee_shiftclosing_change", args=[closing.pk])).status_code == 200
    client.post(listing, {"action": "accept", "_selected_action": [closing.pk]})
    assert ShiftClosing.objects.get(revision=2).closed_by == admin
    assert client.get(reverse("admin:oee_closingrule_add")).status_code == 200
