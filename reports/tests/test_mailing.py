"""Reports go out by e-mail: when they are due, once, to who may, whatever dies on the way."""

import threading
from datetime import time, timedelta
from smtplib import SMTPDataError, SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from reports import mailing
from reports.models import ReportMail, ReportRecipient, ReportSubscription
from reports.tests.plants import DAY, ENDS, NOW, make_plant
from tests.factories import make_site, make_user

pytestmark = pytest.mark.django_db
Status = ReportMail.Status


@pytest.fixture
def plant():
    return make_plant()


@pytest.fixture
def boss(plant):
    return make_user("supervisor", site=plant.site, email="ada@example.com")


def subscribe(plant, *people, **overrides):
    given = {
        "code": "daily",
        "name": "Daily",
        "report": "shift",
        "site": plant.site,
        "line": plant.line,
        "active_from": ENDS - timedelta(hours=1),
        **overrides,
    }
    made = ReportSubscription.objects.create(**given)
    for person in people:
        who = {"role": person} if isinstance(person, str) else {"user": person}
        ReportRecipient.objects.create(subscription=made, **who)
    return made


class Breaking(EmailBackend):
    """A mail server that is there, or refuses, or goes away."""

    at_open: Exception | None = None
    at_send: Exception | None = None

    def open(self):
        if self.at_open:
            raise self.at_open

    def send_messages(self, messages):
        if self.at_send:
            raise self.at_send
        return super().send_messages(messages)


@pytest.fixture
def server(settings, monkeypatch):
    settings.EMAIL_BACKEND = f"{__name__}.Breaking"
    monkeypatch.setattr(Breaking, "at_open", None)
    monkeypatch.setattr(Breaking, "at_send", None)
    return Breaking


def test_a_shift_is_reported_once_after_its_end(plant, boss):
    subscribe(plant, boss)
    assert mailing.send_due(now=ENDS + timedelta(minutes=9)) == 0
    assert mailing.send_due(now=ENDS + timedelta(minutes=11)) == 1
    assert mailing.send_due(now=ENDS + timedelta(minutes=12)) == 0
    (sent,) = mail.outbox
    assert sent.to == ["ada@example.com"]
    assert "Shift Morning of 2026-03-02" in sent.subject
    assert "87.50 %" in sent.body
    assert "Europe/Warsaw" in sent.body
    assert "2026-03-02 06:00:00" in sent.body
    ((name, content, kind),) = sent.attachments
    assert (name[-4:], content[:4], kind) == (".pdf", b"%PDF", "application/pdf")
    row = ReportMail.objects.get()
    assert (row.status, row.address, row.attempts) == (Status.SENT, "ada@example.com", 1)
    assert row.message_id == sent.extra_headers["Message-ID"]


def test_times_follow_the_readers_site(plant):
    elsewhere = make_site(time_zone="America/New_York")
    subscription = subscribe(plant)
    at_both = make_user("supervisor", site=plant.site, email="a@example.com")
    assert str(mailing.zone_for(at_both, subscription)) == "Europe/Warsaw"
    guest = make_user("supervisor", site=elsewhere, email="b@example.com")
    assert str(mailing.zone_for(guest, subscription)) == "America/New_York"


def test_formats_and_languages_are_the_subscriptions(plant, boss):
    subscribe(plant, boss, as_xlsx=True, as_csv=True, language="de")
    mailing.send_due(now=NOW)
    (sent,) = mail.outbox
    assert [name.rpartition(".")[2] for name, _content, _kind in sent.attachments] == ["pdf", "xlsx", "csv"]


@pytest.mark.parametrize(
    ("when", "report", "due", "occasion"),
    [
        ("daily", "day", DAY + timedelta(days=1), "day:2026-03-02"),
        ("weekly", "week", DAY + timedelta(days=7), "days:2026-03-02:2026-03-08"),
        ("monthly", "downtime", DAY.replace(month=4, day=1), "month:2026-03"),
    ],
)
def test_what_goes_out_by_the_calendar_is_about_the_time_before(plant, boss, when, report, due, occasion):
    subscribe(plant, boss, when=when, report=report, at=time(6, 30), weekday=due.weekday())
    from datetime import datetime

    moment = datetime.combine(due, time(6, 30), tzinfo=plant.site.zone)
    assert mailing.send_due(now=moment - timedelta(minutes=1)) == 0
    assert mailing.send_due(now=moment) == 1
    assert ReportMail.objects.get().occasion == occasion


def test_a_plant_that_was_off_sends_the_last_two_days_and_no_more(plant, boss):
    subscribe(plant, boss, when="daily", report="day", active_from=ENDS - timedelta(days=40))
    assert mailing.send_due(now=NOW + timedelta(days=5)) == 2


def test_roles_get_it_and_each_person_once(plant, boss):
    other = make_user("supervisor", site=plant.site, email="eve@example.com")
    make_user("supervisor", site=make_site(), email="elsewhere@example.com")
    make_user("supervisor", site=plant.site)
    make_user("supervisor", site=plant.site, email="left@example.com", is_active=False)
    subscribe(plant, boss, "supervisor")
    assert mailing.send_due(now=NOW) == 2
    assert sorted(address for message in mail.outbox for address in message.to) == ["ada@example.com", other.email]


def test_who_lost_the_right_gets_nothing(plant, boss):
    subscribe(plant, boss)
    mailing.plan(now=NOW)
    boss.memberships.all().delete()
    assert mailing.send_due(now=NOW) == 0
    assert ReportMail.objects.get().status == Status.WITHDRAWN


def test_audit_reports_go_only_to_who_may_read_the_trail(plant):
    operator = make_user("operator", site=plant.site, email="op@example.com")
    assert mailing.people_of(subscribe(plant, operator, report="audit", when="daily")) == []


def test_a_server_that_is_away_is_tried_with_growing_pauses_and_given_up_visibly(plant, boss, server, client):
    subscribe(plant, boss)
    server.at_open = ConnectionRefusedError("refused")
    now, waits = NOW, []
    for _ in range(len(mailing.PAUSES)):
        assert mailing.send_due(now=now) == 0
        row = ReportMail.objects.get()
        assert row.status == Status.WAITING
        waits.append(row.next_attempt_at - now)
        assert mailing.send_due(now=now) == 0
        now = row.next_attempt_at
    assert waits == sorted(waits) == list(mailing.PAUSES)
    mailing.send_due(now=now)
    row = ReportMail.objects.get()
    assert (row.status, "refused" in row.last_error) == (Status.FAILED, True)
    client.force_login(make_user(is_superuser=True, is_staff=True))
    page = client.get(reverse("admin:reports_reportmail_changelist"))
    assert b"Given up" in page.content
    server.at_open = None
    client.post(reverse("admin:reports_reportmail_changelist"), {"action": "send_again", "_selected_action": [row.pk]})
    mailing.send_due(now=timezone.now())
    assert ReportMail.objects.get(pk=row.pk).status == Status.SENT


def test_a_refusal_is_tried_again_and_a_lost_answer_is_not(plant, boss, server):
    subscribe(plant, boss)
    server.at_send = SMTPDataError(451, b"later")
    mailing.send_due(now=NOW)
    assert ReportMail.objects.get().status == Status.WAITING
    server.at_send = SMTPServerDisconnected("gone")
    mailing.send_due(now=NOW + timedelta(minutes=2))
    assert ReportMail.objects.get().status == Status.UNCLEAR
    server.at_send = None
    assert mailing.send_due(now=NOW + timedelta(minutes=30)) == 0
    assert mail.outbox == []


def test_a_worker_that_dies_while_preparing_is_replaced_and_one_that_hands_over_is_not(plant, boss):
    subscribe(plant, boss)
    mailing.plan(now=NOW)
    claimed = mailing.claim_next(now=NOW)
    assert mailing.claim_next(now=NOW + timedelta(minutes=1)) is None
    again = mailing.claim_next(now=NOW + timedelta(minutes=11))
    assert again is not None
    # The first one comes back to life: it is not its mail any more.
    assert mailing.deliver(claimed, now=NOW + timedelta(minutes=12)) is False
    assert mail.outbox == []
    ReportMail.objects.update(status=Status.HANDING_OVER)
    assert mailing.send_due(now=NOW + timedelta(minutes=30)) == 0
    assert ReportMail.objects.get().status == Status.UNCLEAR
    assert mail.outbox == []


def test_a_bad_subscription_does_not_stop_the_others(plant, boss, monkeypatch):
    subscribe(plant, boss)
    subscribe(plant, boss, code="other", name="Other", report="downtime")
    whole = mailing.document_of

    def document_of(row, subscription, *, now):
        if subscription.code == "daily":
            raise ValueError("broken")
        return whole(row, subscription, now=now)

    monkeypatch.setattr(mailing, "document_of", document_of)
    assert mailing.send_due(now=NOW) == 1
    assert "broken" in ReportMail.objects.get(subscription__code="daily").last_error


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_it_once():
    plant = make_plant()
    people = [make_user("supervisor", site=plant.site, email=f"p{n}@example.com") for n in range(5)]
    subscribe(plant, *people)
    start = threading.Barrier(2)
    sent = []

    def work():
        try:
            start.wait()
            sent.append(mailing.send_due(now=NOW))
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert list(ReportMail.objects.exclude(last_error="").values_list("last_error", flat=True)) == []
    assert sum(sent) == 5
    assert sorted(message.to[0] for message in mail.outbox) == sorted(person.email for person in people)
    assert ReportMail.objects.filter(status=Status.SENT, attempts=1).count() == 5


def test_one_round_without_a_worker(plant, boss, capsys):
    import time_machine
    from django.core.management import call_command

    subscribe(plant, boss)
    with time_machine.travel(NOW, tick=False):
        call_command("send_due_reports")
    assert "Sent 1 reports." in capsys.readouterr().out


def test_engineers_set_it_up_in_the_admin(client, plant, boss):
    client.force_login(make_user(is_superuser=True, is_staff=True))
    body = {
        "code": "w",
        "name": "Weekly",
        "is_active": "on",
        "report": "week",
        "site": plant.site.pk,
        "line": plant.line.pk,
        "when": "weekly",
        "at": "06:30",
        "weekday": "0",
        "month_day": "1",
        "delay_minutes": "10",
        "active_from_0": "2026-03-01",
        "active_from_1": "00:00:00",
        "as_pdf": "on",
        "language": "pl",
        "recipients-TOTAL_FORMS": "1",
        "recipients-INITIAL_FORMS": "0",
        "recipients-0-user": boss.pk,
        "recipients-0-role": "",
    }
    address = reverse("admin:reports_reportsubscription_add")
    refused = client.post(address, {**body, "report": "shift"})
    assert b"is not of such a time" in refused.content
    assert not ReportSubscription.objects.exists()
    answer = client.post(address, body)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = ReportSubscription.objects.get()
    assert [str(one) for one in made.recipients.all()] == [str(boss)]
    page = client.get(reverse("admin:reports_reportsubscription_change", args=[made.pk]))
    assert b"ada@example.com" in page.content
