"""What was delivered but not stored: kept with its reason, for a person to see."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprise.models import Site


class QuarantinedItem(models.Model):
    """A delivered item that was refused. The same item delivered again raises `times` instead of a second row."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Resolution(models.TextChoices):
        OPEN = "open", _("Open")
        RELEASED = "released", _("Released")
        DISCARDED = "discarded", _("Discarded")

    site = models.ForeignKey(Site, null=True, on_delete=models.CASCADE, related_name="quarantined_items")
    source = models.CharField(max_length=64, help_text="Who delivered it: a device key's prefix.")
    payload = models.TextField(help_text="The item as it came, as JSON; cut when it is very long.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the item and the reason.")
    code = models.CharField(max_length=32, help_text="Why it was refused, in one word.")
    field = models.CharField(max_length=32, blank=True)
    message = models.CharField(max_length=500)
    times = models.PositiveIntegerField(default=1)
    first_received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()
    resolution = models.CharField(max_length=10, choices=Resolution, default=Resolution.OPEN)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-last_received_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["source", "digest"], name="quarantined_item_once")]
        indexes = [models.Index(fields=["-last_received_at"], name="quarantined_item_newest")]

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
