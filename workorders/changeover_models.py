"""Changeovers of lines (SMED): what is allowed, which tasks were done, and the records that people keep."""

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.models import append_only
from enterprise.models import Line
from products.models import Product


class ChangeoverTarget(models.Model):
    """How long changing a line from one product to another may take; the most specific target holds (SMED)."""

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site",)

    line = models.ForeignKey(
        Line,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="changeover_targets",
        help_text="Empty = any line; only people with a role at every site set up such a target.",
    )
    from_product = models.ForeignKey(
        Product,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="targets_from_it",
        help_text="Empty = any.",
    )
    to_product = models.ForeignKey(
        Product,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="targets_to_it",
        help_text="Empty = any.",
    )
    target_minutes = models.DecimalField(
        "target (min)",
        max_digits=8,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text="From the last good piece of the one to the first good piece of the other.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["line", "from_product", "to_product"]
        constraints = [
            models.UniqueConstraint(
                fields=["line", "from_product", "to_product"],
                nulls_distinct=False,
                name="one_changeover_target",
                violation_error_message="There is a target for that changeover already; change that one.",
            ),
            models.CheckConstraint(
                name="changeover_target_positive",
                condition=Q(target_minutes__gt=0),
                violation_error_message="The target is longer than nothing.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_product or 'any product'} → {self.to_product or 'any product'} on {self.line or 'any line'}"


class ChangeoverTask(models.Model):
    """A step of a changeover: internal while the line stands, external while it runs."""

    site_paths: ClassVar[tuple[str, ...]] = ("target__line__area__site",)

    class Kind(models.TextChoices):
        INTERNAL = "internal", _("Internal: the line stands")
        EXTERNAL = "external", _("External: while the line runs")

    target = models.ForeignKey(ChangeoverTarget, on_delete=models.CASCADE, related_name="tasks")
    position = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.INTERNAL)
    target_minutes = models.DecimalField(
        "target (min)",
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["target", "position", "id"]

    def __str__(self) -> str:
        return self.name


class ChangeoverTaskDone(models.Model):
    """A task was done in the changeover that led to a run: a fact. Identity: (run, task, started_at)."""

    site_paths: ClassVar[tuple[str, ...]] = ("run__line__area__site",)

    run = models.ForeignKey(
        "workorders.Run",
        on_delete=models.PROTECT,
        related_name="changeover_tasks_done",
        help_text="The run that it led to.",
    )
    task = models.ForeignKey(ChangeoverTask, on_delete=models.PROTECT, related_name="done")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "changeover tasks done"
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "task", "started_at"], name="changeover_task_done_once"),
            models.CheckConstraint(
                name="changeover_task_done_not_empty",
                condition=Q(ended_at__gt=F("started_at")),
                violation_error_message="A task ends after it started.",
            ),
        ]
        triggers = [append_only("changeover_task_done_append_only")]

    def __str__(self) -> str:
        return f"{self.task} for {self.run}"


class Changeover(models.Model):
    """A changeover as people wrote it down: what was changed, its phases, first good piece, who approved it (SMED).

    What the counts say of the same changeover is derived beside it (`oee.changeover_records`), never stored here.
    Identity: the run that it led to, once there is one. Approved, it stays as it is.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site",)

    class Kind(models.TextChoices):
        PRODUCT = "product", _("Product")
        TOOL = "tool", _("Tool")
        MATERIAL = "material", _("Material")
        FORMAT = "format", _("Format")

    class Inspection(models.TextChoices):
        PASSED = "passed", _("Passed")
        FAILED = "failed", _("Failed")
        CONDITIONAL = "conditional", _("Passed conditionally")

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="changeovers")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PRODUCT)
    from_product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    to_product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    work_order = models.ForeignKey(
        "workorders.WorkOrder",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="changeovers",
        help_text="The order that it was made ready for.",
    )
    run = models.OneToOneField(
        "workorders.Run",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="changeover",
        help_text="What it led to.",
    )
    target_minutes = models.DecimalField(
        "target (min)",
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="What the targets allowed when it began. Empty = none fitted.",
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    first_good_at = models.DateTimeField("first good piece at", null=True, blank=True)
    pieces_made = models.DecimalField(
        max_digits=18, decimal_places=6, null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )
    pieces_scrapped = models.DecimalField(
        max_digits=18, decimal_places=6, null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )
    supervisor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    operators = models.CharField(max_length=500, blank=True, help_text="Who did it.")
    inspection = models.CharField(
        "first piece", max_length=11, choices=Inspection, blank=True, help_text="Empty = not inspected."
    )
    inspection_note = models.CharField(max_length=500, blank=True)
    improvement_idea = models.TextField(max_length=4000, blank=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ["-started_at", "-id"]
        indexes = [models.Index(fields=["line", "started_at"], name="changeover_of_line")]
        constraints = [
            models.UniqueConstraint(
                fields=["line"],
                condition=Q(ended_at__isnull=True),
                name="one_open_changeover_of_a_line",
                violation_error_message="The line is being changed over already; finish that one first.",
            ),
            models.CheckConstraint(
                name="changeover_not_empty",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")),
                violation_error_message="A changeover ends after it started.",
            ),
            models.CheckConstraint(
                name="changeover_first_good_after_start",
                condition=Q(first_good_at__isnull=True) | Q(first_good_at__gte=F("started_at")),
                violation_error_message="The first good piece comes after the changeover started.",
            ),
            models.CheckConstraint(
                name="changeover_scrap_among_pieces",
                condition=Q(pieces_made__isnull=True)
                | Q(pieces_scrapped__isnull=True)
                | Q(pieces_scrapped__lte=F("pieces_made")),
                violation_error_message="No more is scrapped than was made.",
            ),
            models.CheckConstraint(
                name="changeover_approved_when_over",
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_at__isnull=False, approved_by__isnull=False, ended_at__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="approved_changeover_stays",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__approved_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.from_product or '…'} → {self.to_product or '…'} on {self.line}"


class ChangeoverPhase(models.Model):
    """A phase of a changeover: each at most once, in this order, one after the other."""

    site_paths: ClassVar[tuple[str, ...]] = ("changeover__line__area__site",)

    class Phase(models.TextChoices):
        TEARDOWN = "teardown", _("Teardown")
        SETUP = "setup", _("Set-up")
        ADJUSTMENT = "adjustment", _("Adjustment")
        TRIAL_RUN = "trial_run", _("Trial run")

    changeover = models.ForeignKey(Changeover, on_delete=models.CASCADE, related_name="phases")
    phase = models.CharField(max_length=10, choices=Phase)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ["changeover", "started_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["changeover", "phase"], name="one_phase_of_a_changeover"),
            models.CheckConstraint(
                name="changeover_phase_not_empty",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")),
                violation_error_message="A phase ends after it started.",
            ),
        ]

    def __str__(self) -> str:
        return self.get_phase_display()
