"""The pages of people: the terminal writes in nobody else's name; hours are approved;
figures of persons stay theirs.
"""

import re
from datetime import datetime, time, timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labor import services
from labor.models import Absence, Attendance, CrewAssignment, LaborEntry
from tests.factories import (
    make_area,
    make_crew,
    make_employee,
    make_labor_policy,
    make_line,
    make_machine,
    make_shift,
    make_site,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db

TERMINAL = "/terminal/"


@pytest.fixture
def site():
    return make_site()


@pytest.fixture
def ewa(site):
    return make_employee(site=site, name="Ewa Nowak", code="1042", badge="B-1", pin=make_password("4711"))


@pytest.fixture
def jan(site):
    return make_employee(site=site, name="Jan Kowalski", badge="B-2")


@pytest.fixture
def order(site):
    return make_work_order(line=make_machine(line=make_line(area=make_area(site=site))).line, order_number="A-1")


@pytest.fixture
def terminal(client, site):
    client.force_login(make_user("operator", site))
    return client


def identified(client, badge="B-1"):
    """Return the terminal's page once somebody is identified."""
    client.post(TERMINAL, {"do": "identify", "badge": badge})
    return client.get(TERMINAL)


def form(page, action, **values):
    """Return the fields of the first form of a page that does something."""
    for one in re.findall(r"<form.*?</form>", page.content.decode(), re.S):
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', one))
        if fields.get("do") == action:
            return {**fields, **values}
    raise AssertionError(f"The page has no form '{action}'.")


class TestTerminal:
    def test_shows_nobody_then_the_name_and_forgets_after_an_entry(self, terminal, ewa):
        page = terminal.get(TERMINAL)
        assert '<p class="hero">nobody</p>' in page.content.decode()
        assert "no-store" in page["Cache-Control"]
        page = identified(terminal)
        assert '<p class="hero">Ewa Nowak</p>' in page.content.decode()
        done = terminal.post(TERMINAL, form(page, "clock_in"), follow=True)
        assert "Ewa Nowak: clocked in." in done.content.decode()
        assert '<p class="hero">nobody</p>' in done.content.decode()
        there = Attendance.objects.get()
        assert (there.employee, there.recorded_by_id) == (ewa, int(terminal.session["_auth_user_id"]))

    def test_keeps_the_person_where_the_site_says_so(self, terminal, site, ewa):
        make_labor_policy(site=site, terminal_forgets=False)
        terminal.post(TERMINAL, form(identified(terminal), "clock_in"))
        assert "Ewa Nowak" in terminal.get(TERMINAL).content.decode()

    def test_number_and_pin_identify_and_failures_end_in_a_pause(self, terminal, ewa):
        assert terminal.post(TERMINAL, {"do": "identify", "code": "1042", "pin": "4711"}).status_code == 302
        answers = [
            terminal.post(TERMINAL, {"do": "identify", "code": "1042", "pin": "0815"}).status_code for _ in range(8)
        ]
        assert answers == [404] * 6 + [429] * 2
        late = terminal.post(TERMINAL, {"do": "identify", "code": "1042", "pin": "4711"})
        assert (late.status_code, "nobody" in late.content.decode()) == (429, True)
        assert int(late["Retry-After"]) > 0

    def test_work_on_an_order_with_its_quantities_and_a_break(self, terminal, ewa, order):
        started = form(identified(terminal), "start", kind="direct", order="A-1", operation="10")
        terminal.post(TERMINAL, started)
        page = identified(terminal)
        assert "order A-1" in page.content.decode()
        terminal.post(TERMINAL, form(page, "pause"))
        assert LaborEntry.objects.filter(kind="break", ended_at__isnull=True).count() == 1
        LaborEntry.objects.filter(kind="break").delete()
        terminal.post(TERMINAL, form(identified(terminal), "stop", good="12", scrap="1,5"))
        terminal.post(TERMINAL, form(identified(terminal), "stop", good="12", scrap="1.5"))
        entry = LaborEntry.objects.get()
        assert (entry.quantity_produced, entry.quantity_rejected, entry.operation) == (12, 1.5, "10")
        assert entry.ended_by_id == entry.recorded_by_id is not None
        terminal.post(TERMINAL, form(identified(terminal), "clock_out"))
        assert Attendance.objects.get().ended_at is not None

    def test_form_of_another_tab_is_refused_and_writes_nothing(self, terminal, ewa, jan):
        of_ewa = form(identified(terminal), "clock_in")
        identified(terminal, "B-2")
        refused = terminal.post(TERMINAL, of_ewa)
        assert refused.status_code == 409
        assert "The next entry goes to Jan Kowalski" in refused.content.decode()
        assert not Attendance.objects.exists()

    def test_page_gone_back_to_is_refused(self, terminal, ewa):
        page = identified(terminal)
        terminal.post(TERMINAL, {"do": "forget"})
        refused = terminal.post(TERMINAL, form(page, "clock_in"))
        assert (refused.status_code, Attendance.objects.exists()) == (409, False)

    def test_form_sent_twice_has_one_effect(self, terminal, ewa, order):
        started = form(identified(terminal), "start", kind="direct", order="A-1")
        answers = [terminal.post(TERMINAL, started) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [302, 302]
        assert LaborEntry.objects.count() == 1
        # Another log-in cannot ask whether somebody used a key.
        other = Client()
        other.force_login(make_user("operator", ewa.site))
        assert other.post(TERMINAL, started).status_code == 409

    def test_entry_of_somebody_else_is_not_ended(self, terminal, ewa, jan, order):
        of_jan = services.start_work(
            employee=jan, kind="direct", at=timezone.now() - timedelta(hours=1), actor=None, work_order=order
        )
        terminal.post(TERMINAL, form(identified(terminal), "start", kind="direct", order="A-1"))
        refused = terminal.post(TERMINAL, form(identified(terminal), "stop", entry=of_jan.pk))
        of_jan.refresh_from_db()
        assert (refused.status_code, of_jan.ended_at) == (409, None)

    def test_time_out_forgets_on_the_server_too(self, terminal, site, ewa):
        make_labor_policy(site=site, terminal_timeout=10)
        page = identified(terminal)
        assert 'data-forget-after="10"' in page.content.decode()
        session = terminal.session
        session["terminal"] = {**session["terminal"], "until": timezone.now().isoformat()}
        session.save()
        assert terminal.post(TERMINAL, form(page, "clock_in")).status_code == 409
        assert not Attendance.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"do": "dance"},
            {"do": "identify"},
            {"do": "identify", "badge": "a\0b"},
            {"do": "clock_in", "key": "a\0b", "employee": "x"},
            {"do": "clock_in", "key": "k" * 200},
        ],
    )
    def test_bad_input_is_answered(self, terminal, ewa, body):
        assert terminal.post(TERMINAL, body).status_code == 400

    @pytest.mark.parametrize(
        "values", [{"kind": "break"}, {"kind": "direct"}, {"order": "nothing"}, {"machine": "none"}, {"order": "a\0"}]
    )
    def test_work_that_cannot_begin_says_why_and_keeps_who_is_there(self, terminal, ewa, values):
        refused = terminal.post(TERMINAL, form(identified(terminal), "start", **{"kind": "direct", **values}))
        assert refused.status_code in (400, 404)
        assert '<p class="hero">Ewa Nowak</p>' in refused.content.decode()
        assert 'role="alert"' in refused.content.decode()

    def test_rights(self, client, site, ewa):
        assert client.get(TERMINAL).status_code == 302
        client.force_login(make_user("quality", site))
        assert client.get(TERMINAL).status_code == 403
        client.force_login(make_user("operator", make_site()))
        assert client.post(TERMINAL, {"do": "identify", "badge": "B-1"}).status_code == 404


def morning(site, day=None):
    """Return six in the morning of the site, today unless told otherwise."""
    day = day or timezone.now().astimezone(site.zone).date()
    return datetime.combine(day, time(6), tzinfo=site.zone)


class TestBoard:
    def test_shows_the_crews_of_the_day_and_keeps_kinds_of_absence(self, client, site, ewa):
        crew = make_crew(site=site, name="Crew A")
        day = timezone.now().astimezone(site.zone).date()
        shift = make_shift(site=site, name="Morning")
        CrewAssignment.objects.create(crew=crew, shift=shift, first_date=day - timedelta(days=30))
        ewa.crew = crew
        ewa.save()
        Absence.objects.create(employee=ewa, kind="sick", first_date=day, last_date=day)
        client.force_login(make_user("operator", site))
        text = client.get(reverse("screens:people")).content.decode()
        for word in ("Crew A", "Ewa Nowak", "absent"):
            assert word in text
        assert "sick" not in text
        client.force_login(make_user("supervisor", site))
        assert "sick" in client.get(reverse("screens:people")).content.decode()
        for query in ({"date": "x"}, {"date": "0001-01-01"}, {"date": "9999-12-31"}, {"line": "x", "shift": "x"}):
            assert client.get(reverse("screens:people"), query).status_code == 200

    def test_empty_board_says_what_to_do(self, terminal):
        assert "Crew plan" in terminal.get(reverse("screens:people")).content.decode()


class TestApproval:
    PAGE = "/labor/approval/"

    @pytest.fixture
    def entry(self, site, ewa, order):
        start = morning(site) - timedelta(days=1)
        entry = services.start_work(employee=ewa, kind="direct", at=start, actor=None, work_order=order)
        services.stop_work(entry=entry, at=start + timedelta(hours=2))
        services.clock_out(employee=ewa, at=start + timedelta(hours=3))
        return entry

    @pytest.fixture
    def asked(self, site):
        day = timezone.now().astimezone(site.zone).date() - timedelta(days=1)
        return {"site": site.code, "date": day.isoformat()}

    def test_supervisors_approve_what_they_choose(self, client, site, entry, asked):
        client.force_login(make_user("operator", site))
        assert client.get(self.PAGE).status_code == 403
        supervisor = make_user("supervisor", site)
        client.force_login(supervisor)
        assert "Ewa Nowak" in client.get(self.PAGE, asked).content.decode()
        assert client.post(self.PAGE, {**asked, "do": "approve"}).status_code == 400
        done = client.post(self.PAGE, {**asked, "do": "approve", "entry": [entry.pk]}, follow=True)
        assert "Approved: 1." in done.content.decode()
        entry.refresh_from_db()
        assert entry.approved_by == supervisor
        assert "Nothing of that day waits" in done.content.decode()

    def test_nobody_approves_or_corrects_their_own(self, client, site, ewa, entry, asked):
        ewa.user = make_user("supervisor", site)
        ewa.save()
        client.force_login(ewa.user)
        page = client.get(self.PAGE, asked)
        assert "your own" in page.content.decode()
        assert client.post(self.PAGE, {**asked, "do": "approve", "entry": [entry.pk]}).status_code == 409

    def test_corrected_with_a_reason_once(self, client, site, entry, asked):
        client.force_login(make_user("supervisor", site))
        body = form(client.get(self.PAGE, asked), "correct", reason="Typo", good="7")
        local = entry.started_at.astimezone(site.zone)
        body |= {"started_at": local.strftime("%Y-%m-%dT%H:%M"), "ended_at": local.strftime("%Y-%m-%dT09:30")}
        assert client.post(self.PAGE, {**body, "reason": ""}).status_code == 400
        assert client.post(self.PAGE, {**body, "ended_at": "2026-03-29T02:30"}).status_code == 400
        assert client.post(self.PAGE, body).status_code == 302
        entry.refresh_from_db()
        assert (entry.quantity_produced, entry.ended_at - entry.started_at) == (7, timedelta(hours=3.5))
        assert entry.history.first().history_change_reason == "Typo"
        assert "outside attendance" in client.get(self.PAGE, asked).content.decode()
        # Whoever looked at it before is told.
        assert client.post(self.PAGE, body).status_code == 409

    def test_forgotten_clock_out_is_corrected(self, client, site, jan, asked):
        start = morning(site) - timedelta(days=1)
        services.clock_in(employee=jan, at=start)
        client.force_login(make_user("supervisor", site))
        page = client.get(self.PAGE, asked)
        assert "Not clocked out" in page.content.decode()
        left = start.strftime("%Y-%m-%dT14:00")
        assert client.post(self.PAGE, form(page, "clock_out", ended_at=left, reason="Forgot")).status_code == 302
        assert Attendance.objects.get().ended_at == start.replace(hour=14)

    def test_entries_of_another_site_do_not_exist(self, client, entry, asked):
        other = make_site()
        client.force_login(make_user("supervisor", other))
        body = {"site": other.code, "date": asked["date"], "seen": 0, "reason": "x", "started_at": "2026-03-02T06:00"}
        assert client.post(self.PAGE, {**body, "do": "approve", "entry": [entry.pk]}).status_code == 400
        assert client.post(self.PAGE, {**body, "do": "correct", "thing": entry.pk}).status_code == 404


def test_efficiency_of_few_people_is_hidden(client, site, ewa, order):
    services.start_work(employee=ewa, kind="direct", at=morning(site) - timedelta(days=1), actor=None, work_order=order)
    client.force_login(make_user("supervisor", site))
    day = (timezone.now().astimezone(site.zone).date() - timedelta(days=1)).isoformat()
    page = reverse("screens:labor-efficiency")
    text = client.get(page, {"first": day, "last": day, "by": "person"}).content.decode()
    assert "fewer than 3 people" in text
    assert "Ewa" not in text
    make_labor_policy(site=site, shows_persons=True)
    for by in ("person", "crew", "line", "order", "shift", "x"):
        assert client.get(page, {"first": day, "last": day, "by": by}).status_code == 200
    assert "Ewa" in client.get(page, {"first": day, "last": day, "by": "person"}).content.decode()
