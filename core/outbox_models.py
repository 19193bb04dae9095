"""What other systems have to know: messages that wait to be fetched or delivered."""

from typing import ClassVar
from uuid import uuid4

import pgtrigger
from django.db import models
from django.db.models import Q


class OutboxMessage(models.Model):
    """Something happened that other systems have to know; written in the transaction of what it reports.

    `position` orders all messages. It is given after the commit (`core.outbox.number_new`), so that a reader who has
    seen one position never misses a lower one. Messages of one `key` are delivered in order.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site_id",)
    without_site_for_all: ClassVar[bool] = True

    uid = models.UUIDField("id", default=uuid4, unique=True, editable=False, help_text="What a receiver knows it by.")
    position = models.BigIntegerField(null=True, editable=False, help_text="Empty = not numbered yet.")
    type = models.CharField(max_length=64)
    key = models.CharField(max_length=200, help_text="Messages of one key are delivered one after another.")
    site_id = models.BigIntegerField("site", null=True, help_text="Whose it is. Empty = it concerns every site.")
    data = models.JSONField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = "message to other systems"
        verbose_name_plural = "messages to other systems"
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], condition=Q(position__isnull=True), name="outbox_not_numbered")]
        constraints = [models.UniqueConstraint(fields=["position"], name="outbox_position_given_once")]
        triggers = [
            pgtrigger.Protect(
                name="outbox_message_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["position"]),
            ),
            pgtrigger.Protect(
                name="outbox_position_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__position__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.key}"
