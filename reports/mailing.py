"""Send reports by e-mail: plan what is due, claim one, prepare it, hand it over, once.

A mail is a row with a unique key (subscription, occasion, person); who writes it has planned it, and everybody else
finds it there. Up to the moment at which the mail server is spoken to, a mail is tried again until it works. From there
on it is never repeated by itself: what a worker did not live to hear the answer of may have been taken, and stays
"perhaps sent" until a person decides (decision 86).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from email.utils import make_msgid
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import Membership, User
from core.errors import DomainError
from core.exports import file_name
from core.intervals import Interval
from enterprise.models import Machine
from enterprise.selectors import shifts_of
from oee.scopes import machines_of
from reports.document import Document
from reports.files import CONTENT_TYPES, WRITERS
from reports.kinds import KINDS, build
from reports.models import ReportMail, ReportSubscription
from reports.periods import Period, Span, days_until, period_of, period_of_shift

LOOKS_BACK = timedelta(days=2)
"""What was due while nobody worked is still sent for so long."""
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720))
CLAIM_HOLDS = timedelta(minutes=10)
AT_ONCE = 100
Status, When = ReportMail.Status, ReportSubscription.When
SPANS = {
    When.SHIFT_END: Span.SHIFT,
    When.DAILY: Span.DAY,
    When.WEEKLY: Span.WEEK,
    When.MONTHLY: Span.MONTH,
}


@dataclass(frozen=True, slots=True)
class Occasion:
    """A period that a subscription's report is due about, and since when."""

    period: Period
    due_at: datetime


def occasions(subscription: ReportSubscription, *, now: datetime) -> Iterator[Occasion]:
    """Yield what became due lately, the oldest first. Its place is read."""
    machines = machines_of(subscription.place)
    if not machines:
        return
    machine, since = machines[0], max(now - LOOKS_BACK, subscription.active_from)
    if subscription.when == When.SHIFT_END:
        yield from _shift_ends(subscription, machine, since, now)
        return
    zone = machine.line.area.site.zone
    day = since.astimezone(zone).date()
    while day <= now.astimezone(zone).date():
        due_at = datetime.combine(day, subscription.at or time(), tzinfo=zone)
        period = _period_due(subscription, machine, day)
        if period is not None and since < due_at <= now:
            yield Occasion(period, due_at)
        day += timedelta(days=1)


def _shift_ends(
    subscription: ReportSubscription, machine: Machine, since: datetime, now: datetime
) -> Iterator[Occasion]:
    wait = timedelta(minutes=subscription.delay_minutes)
    for shift in shifts_of(machine, Interval(since - wait - timedelta(hours=1), now)) or ():
        due_at = shift.end + wait
        if since < due_at <= now:
            yield Occasion(period_of_shift(shift), due_at)


def _period_due(subscription: ReportSubscription, machine: Machine, day: date) -> Period | None:
    """Return what a report that goes out on a day is about; None when none does."""
    yesterday = day - timedelta(days=1)
    if subscription.when == When.DAILY:
        return period_of(Span.DAY, machine, yesterday)
    if subscription.when == When.WEEKLY:
        return days_until(machine, yesterday, 7) if day.weekday() == subscription.weekday else None
    last_month = day.replace(day=1) - timedelta(days=1)
    return period_of(Span.MONTH, machine, last_month) if day.day == subscription.month_day else None


def people_of(subscription: ReportSubscription) -> list[User]:
    """Return who gets a report now: active people with an address and the right to see it, each once."""
    roles = [one.role for one in subscription.recipients.all() if one.role]
    named = [one.user_id for one in subscription.recipients.all() if one.user_id is not None]
    at_site = Membership.objects.filter(Q(site=subscription.site_id) | Q(site__isnull=True), role__in=roles)
    people = User.objects.filter(Q(pk__in=named) | Q(pk__in=at_site.values("user")), is_active=True).order_by("id")
    return [person for person in people if may_get(person, subscription)]


def may_get(person: User, subscription: ReportSubscription) -> bool:
    """Say whether a person has an address, and the right to see the report at its site."""
    kind = KINDS.get(subscription.report)
    return bool(person.is_active and person.email and kind and person.may("view", kind.right, subscription.site_id))


def plan(*, now: datetime) -> int:
    """Write down the mails that became due; return how many are new.

    Whoever plans at the same time finds them there.
    """
    rows = []
    active = ReportSubscription.objects.filter(is_active=True).prefetch_related("recipients")
    for subscription in active.select_related("site", "area__site", "line__area__site", "machine__line__area__site"):
        people: list[User] | None = None
        for occasion in occasions(subscription, now=now):
            people = people_of(subscription) if people is None else people
            rows += [
                ReportMail(
                    subscription=subscription,
                    user=person,
                    occasion=occasion.period.occasion,
                    starts_at=occasion.period.window.start,
                    ends_at=occasion.period.window.end,
                    due_at=occasion.due_at,
                    next_attempt_at=now,
                )
                for person in people
            ]
    known = set(
        ReportMail.objects.filter(due_at__gte=now - LOOKS_BACK - timedelta(days=1)).values_list(
            "subscription_id", "occasion", "user_id"
        )
    )
    new = [row for row in rows if (row.subscription_id, row.occasion, row.user_id) not in known]
    if not new:
        return 0
    ReportMail.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def claim_next(*, now: datetime) -> ReportMail | None:
    """Take the next mail that is due, so that nobody else does; None when there is none.

    What a worker left while it prepared is due again; what it left while it handed over is not.
    """
    with transaction.atomic():
        due = Q(status=Status.WAITING, next_attempt_at__lte=now)
        left = Q(status=Status.PREPARING, claimed_at__lt=now - CLAIM_HOLDS, attempts__lte=len(PAUSES))
        mail = (
            ReportMail.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(due | left)
            .order_by("next_attempt_at", "id")
            .first()
        )
        if mail is None:
            return None
        mail.status, mail.claim, mail.claimed_at = Status.PREPARING, uuid4(), now
        mail.attempts += 1
        mail.save(update_fields=["status", "claim", "claimed_at", "attempts"])
    return mail


def note_left(*, now: datetime) -> int:
    """Mark what a worker left in the middle of handing over: nobody knows whether it was taken; return how many."""
    old = ReportMail.objects.filter(claimed_at__lt=now - CLAIM_HOLDS)
    old.filter(status=Status.PREPARING, attempts__gt=len(PAUSES)).update(
        status=Status.FAILED, last_error="Each worker that prepared it ended before it was ready."
    )
    left = old.filter(status=Status.HANDING_OVER)
    return left.update(
        status=Status.UNCLEAR,
        last_error="The worker ended while the mail server was answering; send it again if it is missed.",
    )


def send_due(*, now: datetime) -> int:
    """Do one round: plan, then send what is due, one after another; return how many were sent."""
    note_left(now=now)
    plan(now=now)
    sent = 0
    for _number in range(AT_ONCE):
        mail = claim_next(now=now)
        if mail is None:
            break
        sent += deliver(mail, now=now)
    return sent


def deliver(mail: ReportMail, *, now: datetime) -> bool:
    """Prepare and hand over a claimed mail; return whether it was sent. What went wrong is in the row."""
    subscription = ReportSubscription.objects.select_related(
        "site", "area__site", "line__area__site", "machine__line__area__site"
    ).get(pk=mail.subscription_id)
    if not may_get(mail.user, subscription):
        return _settle(mail, status=Status.WITHDRAWN)
    try:
        with translation.override(subscription.language):
            message = message_of(mail, subscription, now=now)
        server = get_connection()
        # From here an answer may get lost; up to here nothing has left.
        server.open()
    except Exception as error:
        return _try_again(mail, error, now)
    if not _settle(
        mail, status=Status.HANDING_OVER, message_id=message.extra_headers["Message-ID"], address=mail.user.email
    ):
        server.close()
        return False
    try:
        server.send_messages([message])
    except (SMTPResponseException, SMTPRecipientsRefused) as error:
        # It said no: it has not taken it.
        return _try_again(mail, error, now)
    except Exception as error:
        _settle(mail, status=Status.UNCLEAR, last_error=_said(error))
        return False
    finally:
        server.close()
    return _settle(mail, status=Status.SENT, sent_at=now, last_error="")


def _settle(mail: ReportMail, **what: Any) -> bool:
    """Write what became of a mail, if it is still this worker's; return whether it is."""
    mine = ReportMail.objects.filter(pk=mail.pk, claim=mail.claim, status__in=(Status.PREPARING, Status.HANDING_OVER))
    return bool(mine.update(**what)) and what["status"] != Status.WITHDRAWN


def _try_again(mail: ReportMail, error: Exception, now: datetime) -> bool:
    """Let a mail wait, longer each time, and give up in the end."""
    over = mail.attempts > len(PAUSES)
    pause = timedelta() if over else PAUSES[mail.attempts - 1]
    _settle(
        mail,
        status=Status.FAILED if over else Status.WAITING,
        next_attempt_at=now + pause,
        last_error=_said(error),
    )
    return False


def _said(error: Exception) -> str:
    said = error.message if isinstance(error, DomainError) else str(error)
    return f"{type(error).__name__}: {said}"[:500].replace("\0", "")


def send_again(*, mails: Iterable[ReportMail], now: datetime) -> int:
    """Let mails be sent (again) that were given up, are perhaps sent, or wait; return how many.

    A person decides that.
    """
    again = (Status.FAILED, Status.UNCLEAR, Status.WAITING, Status.WITHDRAWN)
    return ReportMail.objects.filter(pk__in=[mail.pk for mail in mails], status__in=again).update(
        status=Status.WAITING, attempts=0, next_attempt_at=now, claim=None
    )


# --- The message ---


def message_of(mail: ReportMail, subscription: ReportSubscription, *, now: datetime) -> EmailMultiAlternatives:
    """Return a mail with its report, in the subscription's language and in the time of its reader's site."""
    document = document_of(mail, subscription, now=now)
    headline = list(document.sections[0].figures[:8]) if document.sections else []
    context = {"document": document, "figures": headline, "subscription": subscription}
    subject = f"{document.title} · {document.place} · {document.period}"
    message = EmailMultiAlternatives(
        subject=" ".join(subject.split())[:200],
        body=render_to_string("reports/mail.txt", context),
        to=[mail.user.email],
        headers={"Message-ID": make_msgid(idstring=f"report-{mail.pk}"), "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string("reports/mail.html", context), "text/html")
    for form in forms_of(subscription):
        message.attach(file_name(document.name, form), WRITERS[form](document), CONTENT_TYPES[form])
    return message


def document_of(mail: ReportMail, subscription: ReportSubscription, *, now: datetime) -> Document:
    """Return the report of a mail, computed now."""
    machine = machines_of(subscription.place)[0]
    period = _period_of(mail, machine)
    document = build(KINDS[subscription.report], subscription.place, period, user=mail.user, now=now)
    zone = zone_for(mail.user, subscription)
    return document if zone == document.zone else replace(document, zone=zone)


def zone_for(person: User, subscription: ReportSubscription) -> ZoneInfo:
    """Return the zone that a person reads times in: of the report's site when they work there or everywhere,
    else of theirs.
    """
    sites = person.site_ids()
    if person.sees_every_site() or subscription.site_id in sites or not sites:
        return subscription.site.zone
    membership = person.memberships.filter(site__in=sites).select_related("site").order_by("id").first()
    return membership.site.zone if membership and membership.site else subscription.site.zone


def _period_of(mail: ReportMail, machine: Machine) -> Period:
    """Return the period that a mail was planned about."""
    what, _colon, rest = mail.occasion.partition(":")
    match what:
        case "shift":
            number, _colon, date_text = rest.partition(":")
            return period_of(Span.SHIFT, machine, date.fromisoformat(date_text), int(number))
        case "day":
            return period_of(Span.DAY, machine, date.fromisoformat(rest))
        case "days":
            last = date.fromisoformat(rest.partition(":")[2])
            return days_until(machine, last, 7)
    return period_of(Span.MONTH, machine, date.fromisoformat(f"{rest}-01"))


def forms_of(subscription: ReportSubscription) -> list[str]:
    """Return the files that go with a mail."""
    wanted = {"pdf": subscription.as_pdf, "xlsx": subscription.as_xlsx, "csv": subscription.as_csv}
    return [form for form, is_wanted in wanted.items() if is_wanted]
