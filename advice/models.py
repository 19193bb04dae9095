"""What was learned, what is recommended because of it, what people decided about that,
and where nothing can be said.
"""

from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import append_only
from enterprise.models import Line, Machine, Site
from maintenance.models import MaintenanceOrder


class Kind(models.TextChoices):
    """What a recommendation is about."""

    FAILURE = "failure", _("Failure ahead")
    LIFE = "life", _("End of life")
    CYCLE_DRIFT = "cycle_drift", _("Cycle time drifts")
    REJECT_DRIFT = "reject_drift", _("Reject rate drifts")
    LOSS = "loss", _("Loss to attack first")
    CHANGEOVER = "changeover", _("Order of changeovers")


class AdviceModel(models.Model):
    """What was learned of a site for a kind of advice: parameters as plain numbers, never code;
    the newest version holds.

    `window_start` and `window_end` bound what it was learned from, `report` is its back-test. Identity: site, kind,
    version.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    version = models.PositiveIntegerField()
    trained_at = models.DateTimeField()
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    parameters = models.JSONField()
    report = models.JSONField()

    class Meta:
        verbose_name = "model of advice"
        verbose_name_plural = "models of advice"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["site", "kind", "version"], name="advice_model_version"),
            models.CheckConstraint(name="advice_model_window", condition=Q(window_end__gt=F("window_start"))),
        ]
        triggers = [append_only("advice_model_append_only")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version}"


class Recommendation(models.Model):
    """Something to do, why, and what it should gain. Written by the worker, decided by people.

    `subject` names what it is about ("loss line 3 breakdowns"), `evidence` holds codes and numbers that the reader's
    words are made of, `strength` is what the next one of the same subject is compared with. A gain that nobody knows is
    null. Identity: the subject with the digest of its evidence.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected")
        REPLACED = "replaced", _("Replaced by a newer one")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="recommendations")
    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.PROTECT, related_name="recommendations")
    machine = models.ForeignKey(
        Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="recommendations"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    component = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    evidence = models.JSONField()
    strength = models.DecimalField(max_digits=18, decimal_places=6)
    probability = models.DecimalField(
        max_digits=7,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
    )
    horizon_hours = models.PositiveIntegerField(null=True, blank=True)
    gain_hours = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    gain_oee_points = models.DecimalField(max_digits=9, decimal_places=4, null=True, blank=True)
    gain_money = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    made_at = models.DateTimeField()
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    valid_until = models.DateTimeField()
    model = models.ForeignKey(AdviceModel, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    maintenance_order = models.ForeignKey(
        MaintenanceOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="recommendations"
    )
    came_true = models.BooleanField(_("came true"), null=True, blank=True)
    gained_hours = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["site", "status", "valid_until"], name="advice_open"),
            models.Index(fields=["subject", "-id"], name="advice_of_subject"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["subject", "digest"], name="advice_same_evidence_once"),
            models.CheckConstraint(name="advice_window", condition=Q(window_end__gt=F("window_start"))),
            models.CheckConstraint(name="advice_valid_after", condition=Q(valid_until__gt=F("made_at"))),
            models.CheckConstraint(
                name="advice_probability", condition=Q(probability__isnull=True) | Q(probability__range=(0, 1))
            ),
        ]

    def __str__(self) -> str:
        return f"R-{self.pk} {self.get_kind_display()}"


class RecommendationStep(models.Model):
    """What somebody decided about a recommendation, or what became of it: a fact. Identity: the idempotency key."""

    site_paths: ClassVar[tuple[str, ...]] = ("recommendation__site",)

    class Kind(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected")
        OUTCOME = "outcome", _("Outcome")

    recommendation = models.ForeignKey(Recommendation, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=8, choices=Kind)
    occurred_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The log-in; empty = it was seen in the facts.",
    )
    note = models.CharField(max_length=500, blank=True)
    came_true = models.BooleanField(null=True, blank=True)
    gained_hours = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    class Meta:
        verbose_name = "step of a recommendation"
        verbose_name_plural = "steps of recommendations"
        ordering = ["-id"]
        triggers = [append_only("advice_step_append_only")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.recommendation}"

    @property
    def who(self) -> Any:
        """Who said it; "" = it was seen in the facts."""
        return self.recorded_by or ""


class Silence(models.Model):
    """Why nothing is said about something: data that are too thin. Rewritten at each look.

    Identity: site, kind, subject.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+")
    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    subject = models.CharField(max_length=200)
    why = models.CharField(max_length=40, help_text="A code of `advice.wording`.")
    facts = models.JSONField(default=dict)
    looked_at = models.DateTimeField()

    class Meta:
        verbose_name = "silence of advice"
        verbose_name_plural = "silences of advice"
        ordering = ["kind", "subject"]
        constraints = [models.UniqueConstraint(fields=["site", "kind", "subject"], name="advice_silence_of_subject")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"
