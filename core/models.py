"""Shapes that every floor shares: coded master data with history, and the log of what changed."""

from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.audit_models import ChainHead as ChainHead
from core.idempotency_models import IdempotentAnswer as IdempotentAnswer
from core.master_change_models import MasterDataChange as MasterDataChange
from core.master_change_models import noted_change as noted_change
from core.outbox_models import OutboxMessage as OutboxMessage
from core.rate_models import RateUse as RateUse

code_validator = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z",
    "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
)


class MasterData(models.Model):
    """Hold what an engineer sets up: identified by a code, edited in the admin, with field-level history."""

    code = models.CharField(
        max_length=64,
        unique=True,
        validators=[code_validator],
        help_text="Short, stable and unique: devices, files and the ERP call it by this.",
    )
    name = models.CharField(max_length=200)
    is_active = models.BooleanField("active", default=True, help_text="Switch off instead of deleting what has a past.")

    history: Any = HistoricalRecords(inherit=True)

    site_paths: ClassVar[tuple[str, ...]] = ()
    """The look-ups that lead to its site ("" = it is the site); none = it belongs to all sites."""

    class Meta:
        abstract = True
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


def append_only(name: str) -> pgtrigger.Protect:
    """Return the trigger by which the database refuses to change or delete a recorded fact."""
    return pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete)


class ChangedSpan(models.Model):
    """Say that a subject's history changed in a span, so that knowledge derived from it must be computed anew.

    Written in the transaction of the change (`core.changes.mark`), deleted by whoever recomputes. The subject is
    whatever the recomputing app derives knowledge for; half-open, UTC, null = until further notice.
    """

    subject_id = models.BigIntegerField()
    changed_from = models.DateTimeField()
    changed_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["subject_id"], name="changed_span_subject")]
        constraints = [
            models.CheckConstraint(
                name="changed_span_not_empty",
                condition=models.Q(changed_until__isnull=True) | models.Q(changed_until__gt=models.F("changed_from")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject_id}: {self.changed_from} – {self.changed_until or 'now'}"


class Retention(models.Model):
    """How long raw facts are kept, and up to when they are gone: one row for the whole plant.

    Time before `closed_until` is closed: what was computed of it is final, and nothing can be added to it or corrected.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    keep_months = models.PositiveSmallIntegerField(
        "months of raw facts to keep",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1200)],
        help_text="Whole months of single counts and states to keep, besides the current one. What is older is thrown away"
        " once a day, after its hours are computed: OEE, losses and quantities of shifts, days, runs and hours stay, to the"
        " last digit, but can no longer be corrected or drilled into. Empty = for ever.",
    )
    closed_until = models.DateTimeField(
        null=True, editable=False, help_text="Hours before are final: their raw facts are gone."
    )

    history = HistoricalRecords()

    class Meta:
        triggers = [noted_change()]
        verbose_name = "retention"
        verbose_name_plural = "retention"
        constraints = [
            models.CheckConstraint(name="retention_is_one_row", condition=models.Q(id=1)),
            models.CheckConstraint(
                name="retention_keeps_a_month",
                condition=models.Q(keep_months__isnull=True) | models.Q(keep_months__gte=1),
                violation_error_message="Keep at least one month, or leave it empty to keep all.",
            ),
        ]

    def __str__(self) -> str:
        return (
            "Keep raw facts for ever" if self.keep_months is None else f"Keep raw facts for {self.keep_months} months"
        )


class CustomField(models.Model):
    """A field that the plant adds to a kind of thing; its values lie in the things' `custom` (`core.custom_fields`)."""

    class Type(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")
        CHOICE = "choice", _("Choice")
        YES_NO = "yes_no", _("Yes or no")

    model = models.CharField("belongs to", max_length=100, help_text="The kind of thing that has it.")
    code = models.CharField(
        max_length=40,
        validators=[
            RegexValidator(
                r"^[a-z][a-z0-9_]*\Z", "Use small letters, digits and '_' only, beginning with a letter: colour_code."
            )
        ],
        help_text="Its name over REST and in files. It cannot be changed later.",
    )
    label = models.CharField(max_length=100, help_text="Its name on pages.")
    type = models.CharField(max_length=8, choices=Type, default=Type.TEXT, help_text="It cannot be changed later.")
    choices = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="For a choice: the values, with commas between.",
    )
    required = models.BooleanField(default=False, help_text="People, files and systems must fill it in.")
    help = models.CharField(max_length=300, blank=True, help_text="What is shown beside it.")
    position = models.PositiveSmallIntegerField(default=10)
    is_active = models.BooleanField(
        "active", default=True, help_text="Switched off, its values are kept but not shown."
    )

    history = HistoricalRecords()

    site_paths: ClassVar[tuple[str, ...]] = ()

    class Meta:
        ordering = ["model", "position", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "code"],
                name="one_custom_field_of_a_code",
                violation_error_message="There is a field of that code already.",
            ),
            models.CheckConstraint(
                name="custom_field_choice_has_choices",
                condition=models.Q(type="choice", choices__len__gt=0)
                | (~models.Q(type="choice") & models.Q(choices=[])),
                violation_error_message="A choice, and only a choice, has values to choose from.",
            ),
        ]

    def __str__(self) -> str:
        return self.label
