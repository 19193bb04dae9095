"""Intent and its execution: what shall be made, when it is planned, and when it ran."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from simple_history.models import HistoricalRecords

from core.models import append_only
from enterprise.models import Line
from products.models import Product


class WorkOrder(models.Model):
    """An order to make a quantity of a product (ISA-95: Job Order)."""

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site",)

    class Status(models.TextChoices):
        CREATED = "created", "Created"
        RELEASED = "released", "Released"
        SCHEDULED = "scheduled", "Scheduled"
        IN_PROGRESS = "in_progress", "In progress"
        ON_HOLD = "on_hold", "On hold"
        COMPLETED = "completed", "Completed"
        CLOSED = "closed", "Closed"
        CANCELLED = "cancelled", "Cancelled"

    order_number = models.CharField(max_length=64, unique=True)
    description = models.CharField(max_length=500, blank=True)
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="work_orders")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="work_orders")
    target_quantity = models.DecimalField(
        max_digits=18, decimal_places=6, validators=[MinValueValidator(Decimal("0.000001"))]
    )
    planned_start_at = models.DateTimeField(null=True, blank=True)
    planned_end_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.CREATED)

    history = HistoricalRecords()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="work_order_target_positive",
                condition=Q(target_quantity__gt=0),
                violation_error_message="The target quantity is greater than zero.",
            ),
            models.CheckConstraint(
                name="work_order_plan_not_empty",
                condition=Q(planned_start_at__isnull=True)
                | Q(planned_end_at__isnull=True)
                | Q(planned_end_at__gt=F("planned_start_at")),
                violation_error_message="The planned end must be after the planned start.",
            ),
        ]

    def __str__(self) -> str:
        return self.order_number


class Schedule(models.Model):
    """A planned stretch of a line's time, for an order or for something else."""

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site",)

    class Kind(models.TextChoices):
        PRODUCTION = "production", "Production"
        MAINTENANCE = "maintenance", "Maintenance"
        OTHER = "other", "Other"

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="schedules")
    work_order = models.ForeignKey(WorkOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="schedules")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.PRODUCTION)
    planned_start_at = models.DateTimeField()
    planned_end_at = models.DateTimeField()
    note = models.CharField(max_length=500, blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ["planned_start_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="schedule_not_empty",
                condition=Q(planned_end_at__gt=F("planned_start_at")),
                violation_error_message="The planned end must be after the planned start.",
            ),
            models.CheckConstraint(
                name="schedule_production_has_an_order",
                condition=~Q(kind="production") | Q(work_order__isnull=False),
                violation_error_message="Scheduled production names its work order.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line} {self.planned_start_at:%Y-%m-%d %H:%M}"


class RunRange(Func):
    """The half-open range [started_at, ended_at) as PostgreSQL sees it."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Run(models.Model):
    """A stretch of time in which a line really worked on an order (ISA-95: Job Response). One at a time per line."""

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site",)

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="runs")
    work_order = models.ForeignKey(WorkOrder, on_delete=models.PROTECT, related_name="runs")
    schedule = models.ForeignKey(Schedule, null=True, blank=True, on_delete=models.PROTECT, related_name="runs")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    estimated_finish_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="run_not_empty",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")),
                violation_error_message="A run ends after it started.",
            ),
            ExclusionConstraint(
                name="one_run_at_a_time",
                expressions=[
                    ("line", RangeOperators.EQUAL),
                    (RunRange("started_at", "ended_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                violation_error_message="The line has another run at that time; end that one first.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.work_order} on {self.line}"

    @property
    def is_closed(self) -> bool:
        """Whether the run has ended."""
        return self.ended_at is not None


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
        INTERNAL = "internal", "Internal: the line stands"
        EXTERNAL = "external", "External: while the line runs"

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
        Run, on_delete=models.PROTECT, related_name="changeover_tasks_done", help_text="The run that it led to."
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
