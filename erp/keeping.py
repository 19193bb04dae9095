"""Forget messages that nobody needs any more."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from core.models import OutboxMessage
from erp.delivering import OPEN
from erp.models import Delivery, PartnerProgress

AT_ONCE = 10_000


@transaction.atomic
def forget_old(*, now: datetime) -> int:
    """Delete messages older than the setting keeps them that every partner has; return how many.

    A partner that fetches has what it acknowledged. What waits for one that is switched off is kept for it as well.
    """
    waiting = Delivery.objects.filter(status__in=OPEN).values("message")
    old = OutboxMessage.objects.filter(
        position__isnull=False, recorded_at__lt=now - timedelta(days=settings.OUTBOX_KEEP_DAYS)
    ).exclude(pk__in=waiting)
    reached = [
        planned if target_url else acknowledged
        for target_url, planned, acknowledged in PartnerProgress.objects.values_list(
            "partner__target_url", "planned", "acknowledged"
        )
    ]
    if reached:
        old = old.filter(position__lte=min(reached))
    return OutboxMessage.objects.filter(pk__in=old.order_by("id").values("pk")[:AT_ONCE]).delete()[0]
