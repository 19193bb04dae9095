"""Intent and its execution: what shall be made, when it is planned, and when it ran."""

from decimal import Decimal
from typing import ClassVar

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
from core.exact import plain_number
from enterprise.models import Line, Shift
from products.models import OperationTemplate, Product, ProductRevision, RoutingOperation, UnitOfMeasure
from products.models.routing import ParameterTemplate
from workorders.changeover_models import Changeover as Changeover
from workorders.changeover_models import ChangeoverPhase as ChangeoverPhase
from workorders.changeover_models import ChangeoverTarget as ChangeoverTarget
from workorders.changeover_models import ChangeoverTask as ChangeoverTask
from workorders.changeover_models import ChangeoverTaskDone as ChangeoverTaskDone
from workorders.customer_models import Customer as Customer
from workorders.demand_models import Demand as Demand
from workorders.demand_models import DemandOrder as DemandOrder
from workorders.demand_models import LotSizing as LotSizing
from workorders.life_models import OrderConfirmation as OrderConfirmation
from workorders.life_models import OrderReason as OrderReason
from workorders.life_models import OrderStatus
from workorders.life_models import OrderStatusChange as OrderStatusChange
from workorders.life_models import Step as Step


class WorkOrder(HasCustomFields, models.Model):
    """An order to make a quantity of a product (ISA-95: Job Order).

    When it is released it takes the product's revision of that moment and keeps a copy of its operations and materials.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site",)

    Status = OrderStatus

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
    customer = models.ForeignKey(
        Customer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="work_orders",
        help_text="Empty = nobody in particular.",
    )
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
        return f"{plain_number(self.quantity_required)} {self.unit_id} {self.product}"


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
