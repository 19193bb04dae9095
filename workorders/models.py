"""Intent and its execution: what shall be made, when it is planned, and when it ran."""

from decimal import Decimal
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from simple_history.models import HistoricalRecords

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
