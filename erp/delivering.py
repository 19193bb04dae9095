"""Send messages to partners' addresses: plan, claim, send, note; at least once, in order per key (decision 105).

A delivery is a row with a unique key (partner, position). A worker claims it; one that dies leaves a claim that
expires, and the message is sent again under the same id. While one of a key waits, is being sent or is given up, those
after it wait.
"""

import json
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import uuid4

import httpcore
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from standardwebhooks.webhooks import Webhook

from accounts.backends import NO_SITE
from accounts.models import User
from core import outbox
from core.errors import Conflict, DomainError
from core.models import OutboxMessage
from erp import catalogue, services
from erp.models import Delivery, Partner, PartnerProgress
from erp.targets import GuardedNetwork, TargetRefused, refuse_unlisted

_Status = Delivery.Status
OPEN = (_Status.WAITING, _Status.SENDING, _Status.DEAD)
PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800, 7200, 5 * 3600, 10 * 3600, 14 * 3600, 24 * 3600)
)
"""How long is waited after each attempt; after the last one it is given up."""
CLAIM_HOLDS = timedelta(minutes=2)
AT_ONCE = 1000
_TIMEOUT = {"connect": 5.0, "read": 15.0, "write": 15.0, "pool": 5.0}
_MOST_SAID = 300
GONE = 410
_AWAY = (GONE, 429, 502, 503, 504)
_ENOUGH = 5
"""After so many refusals in a row, the rest waits for the next minute."""

Clock = Callable[[], datetime]


class Answer(NamedTuple):
    """What a partner answered. `status=None`: nothing, and `said` is why."""

    status: int | None
    said: str = ""
    retry_after: int | None = None

    @property
    def took_it(self) -> bool:
        """Whether the message arrived."""
        return self.status is not None and 200 <= self.status < 300


def due_partners() -> list[Partner]:
    """Return the partners that messages are sent to."""
    return list(
        Partner.objects.filter(is_active=True, user__is_active=True).exclude(target_url="").select_related("user")
    )


@transaction.atomic
def plan(partner: Partner, *, now: datetime) -> int:
    """Write down which new messages are to be delivered to a partner; return how many. It may be called at any time."""
    progress = services.locked_progress(partner)
    wanted = messages_for(partner, after=progress.planned).order_by("position")[:AT_ONCE]
    found = list(wanted.values_list("id", "position", "key"))
    last = outbox.last_position() if len(found) < AT_ONCE else found[-1][1]
    if last <= progress.planned:
        return 0
    Delivery.objects.bulk_create(
        Delivery(partner=partner, message_id=message, position=position, key=key, next_attempt_at=now)
        for message, position, key in found
        if position <= last
    )
    progress.planned = last
    progress.save(update_fields=["planned"])
    return len(found)


def messages_for(partner: Partner, *, after: int) -> Any:
    """Return the numbered messages after a position that a partner gets: of its sites and types."""
    rows = OutboxMessage.objects.filter(catalogue.matching(partner.types), position__gt=after)
    return hears_of(rows, partner.user)


def hears_of(rows: Any, user: User) -> Any:
    """Return the messages of the sites at which an account is told what happens, and those of every site."""
    if user.may("view", "outbox", NO_SITE):
        return rows
    sites = [site_id for site_id in user.site_ids() if user.may("view", "outbox", site_id)]
    return rows.filter(Q(site_id__in=sites) | Q(site_id__isnull=True))


def claim_next(partner: Partner, *, now: datetime) -> Delivery | None:
    """Take the next delivery that is due and is the first of its key, so that nobody else does;
    None when there is none.
    """
    with transaction.atomic():
        # A worker that died left it; the message may have arrived, its id tells.
        Delivery.objects.filter(partner=partner, status=_Status.SENDING, claimed_at__lt=now - CLAIM_HOLDS).update(
            status=_Status.WAITING, last_error="The worker ended while the partner was answering."
        )
        earlier = Delivery.objects.filter(
            partner=OuterRef("partner"), key=OuterRef("key"), position__lt=OuterRef("position"), status__in=OPEN
        )
        delivery = (
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(~Exists(earlier), partner=partner, status=_Status.WAITING, next_attempt_at__lte=now)
            .select_related("message")
            .order_by("position")
            .first()
        )
        if delivery is None:
            return None
        delivery.status, delivery.claim, delivery.claimed_at = _Status.SENDING, uuid4(), now
        delivery.attempts += 1
        delivery.save(update_fields=["status", "claim", "claimed_at", "attempts"])
    return delivery


def deliver_to(partner: Partner, *, clock: Clock, stop: Callable[[], bool] = lambda: False, network: Any = None) -> int:
    """Send a partner all that is due, until it cannot be reached or `stop` says so; return how many it took."""
    taken = in_a_row = 0
    outbox.number_new()
    with connections(network) as pool:
        while not stop():
            delivery = claim_next(partner, now=clock())
            if delivery is None:
                outbox.number_new()
                if not plan(partner, now=clock()):
                    break
                continue
            answer = send(pool, partner, delivery, now=clock())
            settle(delivery, answer, now=clock())
            taken += answer.took_it
            in_a_row = 0 if answer.took_it else in_a_row + 1
            if answer.status is None or answer.status in _AWAY or in_a_row == _ENOUGH:
                # It is away or busy: whatever else waits for it would meet the same. The next minute tries again.
                break
    return taken


def connections(network: httpcore.NetworkBackend | None = None) -> httpcore.ConnectionPool:
    """Return what sends: connections to allowed addresses only (`erp.targets`)."""
    return httpcore.ConnectionPool(ssl_context=_trust(), network_backend=network or GuardedNetwork(), max_connections=1)


@cache
def _trust() -> ssl.SSLContext:
    """Whose certificates are believed: those that this machine trusts. To read them takes longer than to send."""
    return ssl.create_default_context()


def body_of(message: OutboxMessage) -> dict[str, Any]:
    """Return a message as partners get it, sent or fetched."""
    return {
        "id": str(message.uid),
        "position": str(message.position),
        "type": message.type,
        "key": message.key,
        "timestamp": outbox.moment(message.occurred_at),
        "recorded_at": outbox.moment(message.recorded_at),
        "data": message.data,
    }


def send(pool: httpcore.ConnectionPool, partner: Partner, delivery: Delivery, *, now: datetime) -> Answer:
    """Send one message, signed (Standard Webhooks), and return what came back; redirects are not followed."""
    message = delivery.message
    content = json.dumps(body_of(message), ensure_ascii=False, separators=(",", ":"))
    try:
        refuse_unlisted(partner.target_url)
        signatures = [
            Webhook(secret).sign(str(message.uid), now, content) for secret in services.secrets_of(partner, at=now)
        ]
        headers: dict[str | bytes, str | bytes] = {
            "host": partner.target_url.split("/")[2],
            "content-type": "application/json",
            "user-agent": "MES webhooks",
            "webhook-id": str(message.uid),
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        with pool.stream(
            "POST",
            partner.target_url,
            headers=headers,
            content=content.encode(),
            extensions={"timeout": _TIMEOUT},
        ) as response:
            said = b""
            for chunk in response.iter_stream():
                said += chunk
                if len(said) >= _MOST_SAID:
                    break
            names = {name.lower(): value for name, value in response.headers}
            after = names.get(b"retry-after", b"")
            return Answer(
                response.status,
                said[:_MOST_SAID].decode("utf-8", "replace"),
                min(int(after), 86400) if after.isdigit() and len(after) < 9 else None,
            )
    except (TargetRefused, DomainError) as refusal:
        return Answer(None, str(refusal))
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError, ValueError) as error:
        return Answer(None, f"{type(error).__name__}: {error}")


@transaction.atomic
def settle(delivery: Delivery, answer: Answer, *, now: datetime) -> bool:
    """Write what became of a claimed delivery; return whether it was still this worker's."""
    mine = Delivery.objects.filter(pk=delivery.pk, claim=delivery.claim, status=_Status.SENDING)
    progress = PartnerProgress.objects.filter(partner=delivery.partner_id)
    if answer.took_it:
        progress.update(contact_at=now, failure="")
        return bool(mine.update(status=_Status.DELIVERED, delivered_at=now, answer_status=answer.status, last_error=""))
    words = _in_words(answer)
    progress.update(failed_at=now, failure=words, **({"contact_at": now} if answer.status else {}))
    over = delivery.attempts > len(PAUSES)
    pause = timedelta() if over else PAUSES[delivery.attempts - 1]
    if answer.retry_after is not None:
        pause = max(pause, timedelta(seconds=answer.retry_after))
    return bool(
        mine.update(
            status=_Status.DEAD if over else _Status.WAITING,
            next_attempt_at=now + pause,
            answer_status=answer.status,
            last_error=words,
        )
    )


def _in_words(answer: Answer) -> str:
    if answer.status is None:
        words = answer.said
    elif 300 <= answer.status < 400:
        words = f"It answered {answer.status}; redirects are not followed. Enter the address that it leads to."
    elif answer.status == GONE:
        words = "It answered 410: it is gone for good. Enter its new address, or switch the partner off."
    else:
        words = f"It answered {answer.status}: {answer.said}"
    return words[:500].replace("\0", "")


def send_again(*, delivery: Delivery, now: datetime) -> None:
    """Let a delivery be tried again at once, as often as a new one.

    Raises Conflict for one that arrived, or is on its way.
    """
    again = Delivery.objects.filter(pk=delivery.pk, status__in=(_Status.DEAD, _Status.WAITING, _Status.SKIPPED))
    if not again.update(status=_Status.WAITING, attempts=0, next_attempt_at=now, claim=None):
        raise Conflict("It was delivered, or is being sent.")


def leave_out(*, delivery: Delivery) -> None:
    """Give a delivery up for good, so that those of its key go on.

    Raises Conflict for one that arrived, or is on its way.
    """
    left = Delivery.objects.filter(pk=delivery.pk, status__in=(_Status.DEAD, _Status.WAITING))
    if not left.update(status=_Status.SKIPPED, claim=None):
        raise Conflict("It was delivered, is being sent, or is left out already.")
