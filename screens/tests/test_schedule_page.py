"""The page of the schedule: what it shows, and its forms."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from tests.factories import make_machine, make_run, make_schedule, make_user, make_work_order
from workorders.models import Schedule
from workorders.selectors import schedule_entries

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def line():
    return make_machine().line


def page(client, line, **query):
    return client.get(reverse("screens:schedule"), {"line": line.code, "date": "2026-03-02", **query})


def test_page_shows_planned_actual_and_how_late(client, line):
    entry = make_schedule(line=line, planned_start_at=AT)
    make_run(line=line, work_order=entry.work_order, schedule=entry, started_at=AT + timedelta(minutes=30))
    client.force_login(make_user("operator", line.area.site))
    for span in ("day", "week"):
        text = page(client, line, span=span).content.decode()
        assert str(entry.work_order) in text
        assert "began late" in text
        assert "plan-planned" in text
        assert "run-late" in text
        assert "Plan it" not in text


def test_upcoming_entry_says_what_it_needs(client, line):
    start = datetime.now(UTC) + timedelta(hours=30)
    make_schedule(line=line, planned_start_at=start)
    client.force_login(make_user("supervisor", line.area.site))
    text = page(
        client, line, date=start.astimezone(line.area.site.zone).date().isoformat(), span="week"
    ).content.decode()
    assert "is not released, so its materials are not known" in text


def test_supervisor_plans_moves_and_is_told_of_collisions(client, line):
    client.force_login(make_user("supervisor", line.area.site))
    order = make_work_order(line=line, order_number="WO-12")
    form = {"kind": "production", "work_order": "WO-12", "start": "2026-03-02T09:00", "end": "2026-03-02T11:00"}
    url = reverse("screens:schedule-place", args=[line.pk])
    for _ in range(2):
        assert "It is planned." in client.post(url, form, follow=True).content.decode()
    entry = Schedule.objects.get()
    assert (entry.planned_start_at, entry.work_order) == (AT, order)
    other = {"kind": "maintenance", "start": "2026-03-02T10:00", "end": "2026-03-02T12:00"}
    assert "It collides with order WO-12" in client.post(url, other, follow=True).content.decode()
    change = reverse("screens:schedule-change", args=[entry.pk])
    seen = schedule_entries().get().version
    moved = {"action": "move", "start": "2026-03-02T15:00", "end": "", "seen_version": seen}
    assert "It is moved." in client.post(change, moved, follow=True).content.decode()
    stale = {"action": "cancel", "seen_version": seen}
    assert "while you were looking" in client.post(change, stale, follow=True).content.decode()
    for action in ("confirm", "cancel"):
        body = {"action": action, "seen_version": schedule_entries().get().version}
        assert client.post(change, body).status_code == 302
    assert Schedule.objects.get().status == "cancelled"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"kind": "x", "start": "a", "end": "b"},
        {"kind": "other", "start": "0001-01-01T00:00", "end": "9999-12-31T23:59"},
        {"kind": "other", "start": "2026-03-02T10:00", "end": "2026-03-02T09:00"},
        {"kind": "production", "work_order": "nothing", "start": "2026-03-02T09:00", "end": "2026-03-02T10:00"},
        {"kind": "production", "start": "2026-03-02T09:00", "end": "2026-03-02T10:00"},
    ],
)
def test_bad_forms_are_refused_in_words(client, line, form):
    client.force_login(make_user("supervisor", line.area.site))
    answer = client.post(reverse("screens:schedule-place", args=[line.pk]), form, follow=True)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert not Schedule.objects.exists()


def test_operators_may_not_write_and_other_sites_do_not_exist(client, line):
    entry = make_schedule(line=line)
    client.force_login(make_user("operator", line.area.site))
    body = {"action": "cancel", "seen_version": 1}
    assert client.post(reverse("screens:schedule-change", args=[entry.pk]), body).status_code == 403
    assert client.post(reverse("screens:schedule-place", args=[line.pk]), {}).status_code == 403
    client.force_login(make_user("supervisor", make_machine().line.area.site))
    assert client.post(reverse("screens:schedule-change", args=[entry.pk]), body).status_code == 404
    assert page(client, line).status_code == 404
