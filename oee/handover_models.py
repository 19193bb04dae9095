"""What people write down about a shift before the next one takes over: comments on hours, notes,
and that they looked.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models

from core.models import append_only
from enterprise.models import Line, Shift


class HourComment(models.Model):
    """Why a line made more or less than its target in an hour.

    A fact: the newest one of an hour holds, all stay readable.

    The hour is named by its start: a UTC clock hour, or the start of the shift that begins within it.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site",)

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="hour_comments")
    starts_at = models.DateTimeField("hour", help_text="When the hour began.")
    text = models.CharField("comment", max_length=500)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["line", "starts_at"], name="hour_comment_of_line")]
        triggers = [append_only("hour_comment_append_only")]

    def __str__(self) -> str:
        return f"{self.line_id} {self.starts_at:%Y-%m-%d %H:%M}: {self.text[:60]}"


class _OfShift(models.Model):
    """Something about a line's shift, named by its rule and the day it started on."""

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site",)

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="%(class)ss")
    # A shift that is deleted later leaves what was said of it.
    shift = models.ForeignKey(Shift, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    shift_date = models.DateField(help_text="The day on which the shift started, at the site.")
    recorded_at = models.DateTimeField()

    class Meta:
        abstract = True


class ShiftNote(_OfShift):
    """What a shift leaves to the next one to know. A fact; a mistake is put right by another note."""

    text = models.CharField("note", max_length=1000)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["line", "shift_date"], name="shift_note_of_line")]
        triggers = [append_only("shift_note_append_only")]

    def __str__(self) -> str:
        return f"{self.line_id} {self.shift_date}: {self.text[:60]}"


class ShiftReview(_OfShift):
    """Somebody looked at a shift's balance and found it right.

    A fact; it holds for exactly the numbers that were seen.
    """

    seen = models.CharField(max_length=64, help_text="SHA-256 of the balance that was looked at.")
    balance = models.JSONField(help_text="What was made, and what was lost, as it was looked at.")
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["line", "shift_date"], name="shift_review_of_line")]
        triggers = [append_only("shift_review_append_only")]

    def __str__(self) -> str:
        return f"{self.line_id} {self.shift_date}: reviewed by {self.reviewed_by_id}"
