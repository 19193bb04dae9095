"""What shared terminals keep: how often somebody could not be identified, and which requests were answered."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from enterprise.models import Site


class IdentificationTally(models.Model):
    """Failed attempts to be identified, by what was tried: a personnel number (hashed),
    or the terminal it was tried at.

    Kept alike for numbers that exist and for those that do not.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=80)
    failures = models.PositiveIntegerField(default=0)
    counted_from = models.DateTimeField(help_text="Failures are forgiven one by one from here on.")
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "identification tallies"
        constraints = [models.UniqueConstraint(fields=["site", "subject"], name="identification_tally_once")]

    def __str__(self) -> str:
        return f"{self.subject}: {self.failures}"


class TerminalCommand(models.Model):
    """A request that was answered, by its key: the same again is answered alike, and has no second effect."""

    site_paths: ClassVar[tuple[str, ...]] = ("employee__site",)

    key = models.CharField(max_length=100, unique=True)
    employee = models.ForeignKey("labor.Employee", on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=9)
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was asked, without its time.")
    attendance = models.ForeignKey("labor.Attendance", null=True, on_delete=models.CASCADE, related_name="+")
    entry = models.ForeignKey("labor.LaborEntry", null=True, on_delete=models.CASCADE, related_name="+")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action} {self.key}"
