"""Intent and its execution: what shall be made, when it is planned, and when it ran."""

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Deferrable, F, Func, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.custom_fields import HasCustomFields
from core.models import append_only
from enterprise.models import Line, Shift
from products.models import OperationTemplate, Product, ProductRevision, RoutingOperation, UnitOfMeasure
from products.models.routing import ParameterTemplate
from workorders.demand_models import Demand as Demand
from workorders.demand_models import DemandOrder as DemandOrder
from workorders.demand_models import LotSizing as LotSizing
from workorders.life_models import OrderConfirmation as OrderConfirmation
from workorders.life_models import OrderReason as OrderReason
from workorders.life_models import OrderStatusChange as OrderStatusChange
from workorders.life_models import Step as Step


class WorkOrder(HasCustomFields, models.Model):
    """An order to make a quantity of a product (ISA-95: Job Order).

    When it is released it takes the product's revision of that moment and keeps a copy of its operations and materials.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site",)

    class Status(models.TextChoices):
        CREATED = "created", _("Created")
        RELEASED = "released", _("Released")
        SCHEDULED = "scheduled", _("Scheduled")
        IN_PROGRESS = "in_progress", _("In progress")
        ON_HOLD = "on_hold", _("On hold")
        COMPLETED = "completed", _("Completed")
        CLOSED = "closed", _("Closed")
        CANCELLED = "cancelled", _("Cancelled")

    class ParentKind(models.TextChoices):
        REWORK = "rework", _("Rework")
        SPLIT = "split", _("Split")

    step: "Step | None" = None
    """Who takes it to another status, when and why; set by whoever does, for the row that tells of it. Not stored."""

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
    unit = models.ForeignKey(
        UnitOfMeasure,
        to_field="code",
        db_column="unit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What the target quantity is in. Empty = the product's own unit.",
    )
    revision = models.ForeignKey(
        ProductRevision,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="work_orders",
        help_text="Which revision is made. Empty = the one that is valid when the order is released.",
    )
    routing_code = models.CharField(
        "routing", max_length=32, blank=True, help_text="An alternative way to make it. Empty = the default one."
    )
    released_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When operations and materials were copied to it."
    )
    priority = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="1 = first … 10 = last.",
    )
    due_at = models.DateTimeField("due", null=True, blank=True, help_text="When the customer expects it.")
    customer = models.CharField(max_length=200, blank=True)
    sales_order = models.CharField(max_length=64, blank=True)
    external_id = models.CharField(
        max_length=128, unique=True, null=True, blank=True, help_text="What the ERP calls it. Empty = nothing."
    )
    lot_number = models.CharField(
        "lot or batch", max_length=64, blank=True, help_text="What it makes belongs to this lot."
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
        help_text="The order that it reworks or was split from.",
    )
    parent_kind = models.CharField(max_length=8, choices=ParentKind, blank=True)
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="merged",
        help_text="The order that its quantity was added to.",
    )
    held_from = models.CharField(
        max_length=12, choices=Status, blank=True, editable=False, help_text="While on hold: the status before."
    )
    over_tolerance = models.DecimalField(
        max_digits=7,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="How much more than the target may be made: 0.05 = 5 %. Empty = not decided.",
    )
    under_tolerance = models.DecimalField(
        max_digits=7,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
        help_text="How much less still completes it: 0.02 = 2 %. Empty = not decided.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["-id"]
        indexes = [
            GinIndex(fields=["custom"], opclasses=["jsonb_path_ops"], name="work_order_custom"),
            models.Index(fields=["status", "due_at"], name="work_order_status_due"),
        ]
        constraints = [
            models.CheckConstraint(
                name="work_order_priority_1_to_10",
                condition=Q(priority__isnull=True) | Q(priority__gte=1, priority__lte=10),
                violation_error_message="The priority is a number from 1 to 10.",
            ),
            models.CheckConstraint(
                name="work_order_external_id_not_empty",
                condition=Q(external_id__isnull=True) | ~Q(external_id=""),
                violation_error_message="Write what the ERP calls it, or null.",
            ),
            models.CheckConstraint(
                name="work_order_parent_and_kind",
                condition=Q(parent__isnull=True, parent_kind="") | (Q(parent__isnull=False) & ~Q(parent_kind="")),
                violation_error_message="Say both: which order it comes from, and whether by rework or split.",
            ),
            models.CheckConstraint(
                name="work_order_not_its_own_parent",
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                violation_error_message="An order does not come from itself.",
            ),
            models.CheckConstraint(
                name="work_order_held_from_while_on_hold",
                condition=Q(held_from="") | Q(status="on_hold"),
            ),
            models.CheckConstraint(
                name="work_order_merged_is_cancelled",
                condition=Q(merged_into__isnull=True) | (Q(status="cancelled") & ~Q(merged_into=F("id"))),
            ),
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


class Operation(OperationTemplate):
    """A step of an order: the copy of its routing's step, made when the order was released (ISA-95: Job Order segment).

    Quantities are in the order's unit, times in seconds.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("work_order__line__area__site",)

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        READY = "ready", _("Ready")
        IN_PROGRESS = "in_progress", _("In progress")
        COMPLETED = "completed", _("Completed")
        SKIPPED = "skipped", _("Skipped")
        ON_HOLD = "on_hold", _("On hold")

    class Inspection(models.TextChoices):
        PENDING = "pending", _("Pending")
        PASSED = "passed", _("Passed")
        FAILED = "failed", _("Failed")
        CONDITIONAL = "conditional", _("Passed conditionally")

    work_order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="operations")
    template = models.ForeignKey(
        RoutingOperation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="copies",
        help_text="The step of the released routing that it was copied from; its documents are there.",
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    planned_quantity = models.DecimalField(max_digits=18, decimal_places=6, validators=[MinValueValidator(Decimal(0))])
    planned_start_at = models.DateTimeField(null=True, blank=True)
    planned_end_at = models.DateTimeField(null=True, blank=True)
    actual_start_at = models.DateTimeField(null=True, blank=True)
    actual_end_at = models.DateTimeField(null=True, blank=True)
    inspection_status = models.CharField(
        max_length=11, choices=Inspection, blank=True, help_text="Empty = none is required."
    )
    inspected_at = models.DateTimeField(null=True, blank=True)
    inspected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["work_order", "sequence", "id"]
        constraints = [
            *OperationTemplate.Meta.constraints,
            models.UniqueConstraint(fields=["work_order", "sequence"], name="one_order_operation_per_sequence"),
            models.UniqueConstraint(fields=["work_order", "code"], name="one_order_operation_of_a_code"),
            models.CheckConstraint(
                name="operation_quantities_not_negative",
                condition=Q(planned_quantity__gte=0),
                violation_error_message="A quantity is not negative.",
            ),
            models.CheckConstraint(
                name="operation_plan_not_empty",
                condition=Q(planned_start_at__isnull=True)
                | Q(planned_end_at__isnull=True)
                | Q(planned_end_at__gt=F("planned_start_at")),
                violation_error_message="The planned end must be after the planned start.",
            ),
            models.CheckConstraint(
                name="operation_ends_after_it_started",
                condition=Q(actual_end_at__isnull=True)
                | Q(actual_start_at__isnull=False, actual_end_at__gte=F("actual_start_at")),
                violation_error_message="An operation ends after it started.",
            ),
        ]


class OrderParameter(ParameterTemplate):
    """A set-point of an order's operation, copied when the order was released."""

    site_paths: ClassVar[tuple[str, ...]] = ("operation__work_order__line__area__site",)

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="parameters")

    history = HistoricalRecords()

    class Meta:
        verbose_name = "set-point of an order"
        verbose_name_plural = "set-points of orders"
        ordering = ["operation", "code"]
        constraints = [
            *ParameterTemplate.Meta.constraints,
            models.UniqueConstraint(fields=["operation", "code"], name="one_order_parameter_of_a_code"),
        ]


class OrderMaterial(models.Model):
    """What an order takes, or yields beside its product (negative), copied when the order was released.

    In the material's own unit, rounded away from zero to a millionth, so that what is required is never short.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("work_order__line__area__site",)

    work_order = models.ForeignKey(WorkOrder, on_delete=models.CASCADE, related_name="materials")
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="required_by_orders")
    operation = models.ForeignKey(
        Operation,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="materials",
        help_text="What takes or yields it. Empty = the order as a whole.",
    )
    quantity_required = models.DecimalField(
        "required", max_digits=24, decimal_places=6, help_text="Negative = it comes out."
    )
    unit = models.ForeignKey(
        UnitOfMeasure, to_field="code", db_column="unit", on_delete=models.PROTECT, related_name="+"
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = "material of an order"
        verbose_name_plural = "materials of orders"
        ordering = ["work_order", "position"]
        constraints = [
            models.UniqueConstraint(fields=["work_order", "position"], name="one_order_material_per_position"),
            models.CheckConstraint(name="order_material_not_zero", condition=~Q(quantity_required=0)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity_required.normalize():f} {self.unit_id} {self.product}"


class PlannedRange(Func):
    """The half-open range [planned_start_at, planned_end_at) as PostgreSQL sees it."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Schedule(models.Model):
    """A planned stretch of a line's time, for an order or for something else; a line does one thing at a time.

    Its sequence within line and shift is its place by planned start (`workorders.selectors.schedule_entries`), and what
    became of it follows from its runs (`scheduling`): neither is stored.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site",)

    class Kind(models.TextChoices):
        PRODUCTION = "production", _("Production")
        MAINTENANCE = "maintenance", _("Maintenance")
        OTHER = "other", _("Other")

    class Status(models.TextChoices):
        PLANNED = "planned", _("Planned")
        CONFIRMED = "confirmed", _("Confirmed")
        CANCELLED = "cancelled", _("Cancelled")

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="schedules")
    work_order = models.ForeignKey(WorkOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="schedules")
    operation = models.ForeignKey(
        Operation,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="schedules",
        help_text="Which operation of the order. Empty = the order as a whole.",
    )
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.PRODUCTION)
    status = models.CharField(max_length=9, choices=Status, default=Status.PLANNED)
    planned_start_at = models.DateTimeField()
    planned_end_at = models.DateTimeField()
    planned_quantity = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.000001"))],
        help_text="In the order's unit. Empty = the order's share by planned time.",
    )
    note = models.CharField(max_length=500, blank=True)
    planner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who planned it last.",
    )
    shift = models.ForeignKey(
        Shift,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The shift in which it is planned to start, by the line's calendar. Empty = outside of shifts.",
    )
    shift_date = models.DateField(
        null=True, blank=True, editable=False, help_text="The day that the shift, or else its start, belongs to."
    )
    is_checked = models.BooleanField(
        default=True, editable=False, help_text="Off = it was planned before collisions were refused, and collides."
    )

    # Shift and day follow from the calendar.
    history = HistoricalRecords(excluded_fields=["shift", "shift_date"])

    class Meta:
        ordering = ["planned_start_at", "id"]
        indexes = [models.Index(fields=["line", "shift_date"], name="schedule_of_a_shift")]
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
            models.CheckConstraint(
                name="schedule_quantity_positive",
                condition=Q(planned_quantity__isnull=True) | Q(planned_quantity__gt=0),
                violation_error_message="The planned quantity is greater than zero.",
            ),
            # Checked at the end of each statement, so that one statement can change the order of several.
            ExclusionConstraint(
                name="one_schedule_at_a_time",
                expressions=[
                    ("line", RangeOperators.EQUAL),
                    (PlannedRange("planned_start_at", "planned_end_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(is_checked=True) & ~Q(status="cancelled"),
                deferrable=Deferrable.IMMEDIATE,
                violation_error_message="The line is planned for something else at that time.",
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
        WorkOrder,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="changeovers",
        help_text="The order that it was made ready for.",
    )
    run = models.OneToOneField(
        Run, null=True, blank=True, on_delete=models.PROTECT, related_name="changeover", help_text="What it led to."
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
