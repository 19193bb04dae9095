"""How the exchange with each partner goes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Func, IntegerField, Min, OuterRef, Prefetch, Q, QuerySet, Subquery

from accounts.models import ClientKey
from core.models import OutboxMessage
from erp.models import Delivery, Partner

_Status = Delivery.Status
_NOT_THERE = (_Status.WAITING, _Status.SENDING)


@dataclass(frozen=True, slots=True)
class Exchange:
    """How it goes with a partner: what it does not have yet, since when, what went wrong, and its keys that are not
    revoked.
    """

    partner: Partner
    is_sent_to: bool
    waiting: int
    oldest_at: datetime | None
    dead: int
    keys: list[ClientKey]

    @property
    def level(self) -> str:
        """How much it matters: off, good, wait or bad."""
        if not self.partner.is_active:
            return "off"
        if self.dead or self.partner.progress.failure:
            return "bad"
        return "wait" if self.waiting else "good"


class _HowMany(Func):
    template = "(SELECT count(*) FROM %(expressions)s AS counted)"
    output_field = IntegerField()


def exchanges(partners: QuerySet[Partner]) -> list[Exchange]:
    """Return how it goes with partners, in as many queries whatever their number; who fetches lags behind its
    cursor.
    """
    keys = ClientKey.objects.filter(revoked=False).prefetch_related("sites").order_by("name", "pk")
    fetched = OutboxMessage.objects.filter(position__gt=OuterRef("progress__acknowledged")).order_by()
    # Two sub-queries over an index; the second looks at one row.
    fetched_count = _HowMany(Subquery(fetched.values("pk")))
    rows: Any = (
        partners.select_related("user", "progress")
        .prefetch_related(Prefetch("user__client_keys", keys))
        .annotate(
            to_fetch=fetched_count,
            oldest_to_fetch=Subquery(fetched.order_by("position").values("recorded_at")[:1]),
            to_send=Count("deliveries", filter=Q(deliveries__status__in=_NOT_THERE)),
            given_up=Count("deliveries", filter=Q(deliveries__status=_Status.DEAD)),
            oldest_to_send=Min("deliveries__message__recorded_at", filter=Q(deliveries__status__in=_NOT_THERE)),
        )
    )
    found = []
    for row in rows.order_by(F("is_active").desc(), "name")[:200]:
        is_sent_to = bool(row.target_url)
        found.append(
            Exchange(
                partner=row,
                is_sent_to=is_sent_to,
                waiting=row.to_send if is_sent_to else row.to_fetch,
                oldest_at=row.oldest_to_send if is_sent_to else row.oldest_to_fetch,
                dead=row.given_up,
                keys=list(row.user.client_keys.all()),
            )
        )
    return found
