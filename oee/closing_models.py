"""Closed shifts, and what was delivered twice or wrongly: kept beside the facts, because no fact tells of it."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.models import append_only
from enterprise.models import Line, Machine, Shift, Site


class ClosingRule(models.Model):
    """What a site decides about closing shifts. A site without one closes by hand."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="closing_rule")
    close_after_hours = models.PositiveSmallIntegerField(
        "close after (h)",
        null=True,
        blank=True,
        validators=[MaxValueValidator(30 * 24)],
        help_text="Each line's shift is closed so many hours after its end, if nobody closed it by then. Empty = only"
        " people close shifts.",
    )
    first_date = models.DateField(
        "first day",
        null=True,
        blank=True,
        help_text="Shifts of earlier days are left to people. Empty = all shifts of the last 40 days are closed.",
    )
    unexplained_minutes = models.PositiveSmallIntegerField(
        "unexplained from (min)",
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 60)],
        help_text="A stop without a reason that lasts at least so long is listed as open when its shift is closed.",
    )
    needs_review = models.BooleanField(
        "needs a review",
        default=False,
        help_text="A person closes a line's shift only after its balance was reviewed. The page of the hand-over always"
        " asks for it; switched on, so does every other way.",
    )
    needs_hour_comments = models.BooleanField(
        "needs comments on hours",
        default=False,
        help_text="A person closes a line's shift only after every hour below its target has a comment.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["site"]

    def __str__(self) -> str:
        return f"Closing rule of {self.site}"


class ShiftClosing(models.Model):
    """A line's or machine's shift as somebody signed it: its numbers of that moment, frozen.

    Append-only. What the facts say later is compared with it, never written into it; a later revision supersedes an
    earlier one. Its hash covers all that was signed and the hash of the closing before it at the same place, so that a
    changed or missing row shows (`oee.closing_chain.broken_links`).
    """

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site", "machine__line__area__site")

    class Meaning(models.TextChoices):
        CLOSED = "closed", _("I close this shift; these are its numbers as far as I know")
        ACCEPTED = "accepted", _("I accept that these numbers replace those that were signed before")
        BY_RULE = "by_rule", _("Closed by the site's rule; nobody looked at it")

    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.PROTECT, related_name="shift_closings")
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="shift_closings")
    # A shift that is deleted later leaves its closings as they are, with its name.
    shift = models.ForeignKey(Shift, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    shift_name = models.CharField(max_length=100)
    shift_date = models.DateField(help_text="The day on which the shift started, at the site.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revision = models.PositiveIntegerField(help_text="1 = closed; each accepted difference makes the next.")
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    closed_at = models.DateTimeField()
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    signed_as = models.CharField("signed", max_length=300, help_text="The name as signed, or the rule.")
    meaning = models.CharField("meaning of the signature", max_length=10, choices=Meaning)
    comment = models.CharField(max_length=500, blank=True)
    numbers = models.JSONField(help_text="Elements, KPIs, losses and policies: whole numbers, and exact text.")
    open_points = models.JSONField(help_text="What was undecided or unexplained when it was signed.")
    sequence = models.PositiveIntegerField(help_text="Its number among the closings of its place.")
    previous_hash = models.CharField(max_length=64, blank=True, help_text="Of the closing before it at its place.")
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of what was signed, chained to the one before.")

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="shift_closing_of_line_or_machine",
                condition=Q(line__isnull=False, machine__isnull=True) | Q(line__isnull=True, machine__isnull=False),
                violation_error_message="Name either a line or a machine.",
            ),
            models.CheckConstraint(name="shift_closing_not_empty", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="shift_closing_revisions_supersede",
                condition=Q(revision=1, supersedes__isnull=True) | Q(revision__gt=1, supersedes__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["line", "machine", "shift", "shift_date", "revision"],
                nulls_distinct=False,
                name="shift_closing_revision_once",
            ),
            models.UniqueConstraint(
                fields=["line", "machine", "sequence"], nulls_distinct=False, name="shift_closing_sequence_once"
            ),
        ]
        indexes = [models.Index(fields=["starts_at"], name="shift_closing_start")]
        triggers = [append_only("shift_closing_append_only")]

    def __str__(self) -> str:
        return f"{self.place}, {self.shift_name} {self.shift_date}"

    @property
    def place(self) -> Line | Machine:
        """The line or machine that it is about."""
        place = self.line or self.machine
        assert place is not None
        return place


class ClosingCheck(models.Model):
    """How a closing that holds compares with the facts: knowledge, kept so that lists need not compute it."""

    closing = models.OneToOneField(ShiftClosing, on_delete=models.CASCADE, related_name="check_row", primary_key=True)
    machine_ids = ArrayField(models.BigIntegerField(), help_text="Whose facts it follows from.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    differs = models.BooleanField(default=False)
    oee_now = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.closing_id}: {'differs' if self.differs else 'as signed'}"


class TouchedClosing(models.Model):
    """Say that a change touched the hours of a closing, so that it must be compared again.

    Written where hours are forgotten (`oee.hours`), deleted by whoever compares. Rows are only added, so that nobody
    waits for a comparison.
    """

    closing_id = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return str(self.closing_id)


class DeliveryTally(models.Model):
    """How much of what was delivered of a machine's hour was repeated or not taken.

    Such items leave no fact behind. Repetitions count as often as they came, so this tells of the delivery and not of
    production: no KPI of production follows from it.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    pk = models.CompositePrimaryKey("machine_id", "starts_at")
    # Without a constraint: a delivery that waits for a machine's row could wait in a circle with an editor.
    machine = models.ForeignKey(
        Machine, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    starts_at = models.DateTimeField(help_text="The UTC hour in which the items say that they happened.")
    duplicates = models.PositiveIntegerField(default=0)
    conflicts = models.PositiveIntegerField(default=0, help_text="Contradicted what is stored.")
    future = models.PositiveIntegerField(default=0, help_text="Said to have happened later than they came.")
    refused = models.PositiveIntegerField(default=0, help_text="Not taken for any other reason.")

    def __str__(self) -> str:
        return f"{self.machine_id} {self.starts_at.isoformat()}"
