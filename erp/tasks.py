"""What the worker does for partners: deliver what is due, and forget what all have."""

from typing import Any

from django.db import close_old_connections
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from core import outbox
from erp import delivering, downtimes, keeping
from erp.models import Partner


def _lock_of(partner_id: int) -> str:
    return f"erp partner {partner_id}"


@app.task(pass_context=True)
def deliver(context: JobContext, partner_id: int) -> int:
    """Send one partner what is due."""
    close_old_connections()
    try:
        partner = Partner.objects.select_related("user").get(pk=partner_id)
        return delivering.deliver_to(partner, clock=timezone.now, stop=context.should_abort)
    finally:
        close_old_connections()


def enqueue(partner_ids: Any) -> None:
    """Let partners be sent what is due, each by one worker at a time."""
    for partner_id in partner_ids:
        lock = _lock_of(partner_id)
        try:
            deliver.configure(queueing_lock=lock, lock=lock).defer(partner_id=partner_id)
        except AlreadyEnqueued:
            continue


@outbox.listen
def deliver_soon() -> None:
    """After a commit with messages: let them be sent."""
    enqueue(partner.pk for partner in delivering.due_partners())


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="erp minute", pass_context=False)
def each_minute(timestamp: int) -> None:
    """Each minute: say which stops ended, send again what is due again, forget what is old."""
    close_old_connections()
    try:
        now = timezone.now()
        downtimes.report_ended(now=now)
        enqueue(partner.pk for partner in delivering.due_partners())
        keeping.forget_old(now=now)
    finally:
        close_old_connections()
