"""Systems that we exchange messages with, how far each of them is, and what is delivered to it."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import MasterData, OutboxMessage


class Partner(MasterData):
    """A system that is told what happens: it fetches messages, or they are sent to its address.

    It acts as its account: the roles of that say of which sites it hears.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name="account",
        on_delete=models.PROTECT,
        related_name="partner",
        help_text="Its service account: it hears of the sites at which the account has the role ERP client.",
    )
    types = ArrayField(
        models.CharField(max_length=64),
        default=list,
        blank=True,
        help_text="Which messages it gets, with commas between: order.confirmed, material.*. Empty = all.",
    )
    target_url = models.CharField(
        "send to",
        max_length=500,
        blank=True,
        help_text="Where messages are sent as signed webhooks; the server's setting WEBHOOK_TARGETS has to allow it."
        " Empty = it fetches them itself.",
    )

    class Meta(MasterData.Meta):
        pass


class PartnerProgress(models.Model):
    """How far a partner is, by position in the outbox, and when it was last heard of."""

    partner = models.OneToOneField(Partner, on_delete=models.CASCADE, primary_key=True, related_name="progress")
    acknowledged = models.BigIntegerField(default=0, help_text="It has all up to here; it said so.")
    acknowledged_at = models.DateTimeField(null=True)
    planned = models.BigIntegerField(default=0, help_text="Up to here there is a delivery of all that it gets.")
    contact_at = models.DateTimeField(null=True, help_text="When it last asked, or took something.")
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=500, blank=True, help_text="What went wrong last. Empty = nothing since.")

    def __str__(self) -> str:
        return f"{self.partner}: {self.acknowledged}"


class PartnerSecret(models.Model):
    """What webhooks to a partner are signed with, encrypted. While a new one is taken into use, both sign."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="secrets")
    encrypted = models.TextField()
    made_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, help_text="Empty = until there is a newer one.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.partner}: {self.made_at:%Y-%m-%d %H:%M}"


class Delivery(models.Model):
    """A message on its way to a partner's address."""

    site_paths: ClassVar[tuple[str, ...]] = ("message__site_id",)
    without_site_for_all: ClassVar[bool] = True

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENDING = "sending", _("Being sent")
        DELIVERED = "delivered", _("Delivered")
        DEAD = "dead", _("Given up; those after it wait")
        SKIPPED = "skipped", _("Left out")

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    message = models.ForeignKey(OutboxMessage, on_delete=models.CASCADE, related_name="deliveries")
    position = models.BigIntegerField()
    key = models.CharField(max_length=200)
    status = models.CharField(max_length=9, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    claim = models.UUIDField(null=True, editable=False)
    claimed_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    answer_status = models.PositiveSmallIntegerField("last answer", null=True, help_text="HTTP status of the answer.")
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-position"]
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["partner", "position"], name="one_delivery_to_a_partner")]
        indexes = [
            models.Index(
                fields=["partner", "key", "position"],
                condition=Q(status__in=("waiting", "sending", "dead")),
                name="delivery_open",
            ),
            models.Index(fields=["next_attempt_at"], condition=Q(status="waiting"), name="delivery_due"),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.position}) to {self.partner}"


class ReportedStop(models.Model):
    """What was last said to other systems of a stop: stops are derived, and later facts or words change them."""

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    machine = models.ForeignKey("enterprise.Machine", on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    reason = models.CharField(max_length=64, blank=True, help_text="Its code. Empty = nobody gave any.")
    category = models.CharField(max_length=20)
    revision = models.PositiveIntegerField(default=1)
    is_withdrawn = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["machine", "started_at"], name="stop_reported_once")]
        indexes = [models.Index(fields=["ended_at"], name="reported_stop_ended")]

    def __str__(self) -> str:
        return f"{self.machine} {self.started_at:%Y-%m-%d %H:%M}"
