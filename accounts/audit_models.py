"""The audit trail: who did what to what, chained by hash, one chain per site."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from core.models import append_only
from enterprise.models import Site


class AuditEntry(models.Model):
    """Somebody did something that has to be provable later. Append-only; its hash covers it and the entry before it.

    `row_digest` is the SHA-256 of all columns of the subject's row after it: whoever alters the row later is found.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", db_index=False)
    sequence = models.PositiveBigIntegerField(help_text="Its number at its site.")
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_name = models.CharField(max_length=300, blank=True, help_text="As it was then. Empty = the system.")
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=150, help_text="What it was done to: model and id.")
    row_digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the subject's row after it.")
    said = models.JSONField(default=dict, help_text="What is worth reading here: exact text and whole numbers.")
    previous_hash = models.CharField(max_length=64, blank=True)
    content_hash = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["site", "-sequence"]
        constraints = [models.UniqueConstraint(fields=["site", "sequence"], name="audit_entry_sequence_once")]
        indexes = [models.Index(fields=["subject"], name="audit_entry_subject")]
        triggers = [append_only("audit_entry_append_only")]

    def __str__(self) -> str:
        return f"{self.sequence}: {self.action} {self.subject}"
