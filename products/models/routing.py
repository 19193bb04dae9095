"""Routings: the operations by which a revision of a product is made, with set-points and documents."""

from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.models import code_validator
from enterprise.models import Line, Machine, MachineClass
from products.models.revision import ProductRevision
from products.models.unit import UnitOfMeasure

NOT_NEGATIVE = [MinValueValidator(Decimal(0))]


class Routing(models.Model):
    """A way to make a revision of a product: its operations in order (ISA-95: Operations Definition)."""

    site_paths = ()

    revision = models.ForeignKey(ProductRevision, on_delete=models.CASCADE, related_name="routings")
    code = models.CharField(max_length=32, validators=[code_validator], help_text="main, short, oven-2 …")
    name = models.CharField(max_length=200, blank=True)
    is_default = models.BooleanField("default", default=True, help_text="Taken when an order names no other.")

    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["revision", "-is_default", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "code"],
                name="one_routing_of_a_code",
                violation_error_message="The revision has a routing of that code already.",
            ),
            models.UniqueConstraint(
                fields=["revision"],
                condition=Q(is_default=True),
                name="one_default_routing",
                violation_error_message="The revision has another default routing; clear its mark first.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.revision}: {self.name or self.code}"


class OperationTemplate(models.Model):
    """What an operation is, wherever it is written down: in a routing, or copied to an order.

    Times are seconds, the run time per unit of the product.
    """

    COPIED: ClassVar[tuple[str, ...]] = (
        *("sequence", "code", "name", "line", "machine", "machine_class"),
        *("setup_time", "run_time_per_unit", "teardown_time", "crew_size", "labour_hours"),
        *("inspection_required", "instructions", "safety_notes"),
        *("is_milestone", "counts_for_output", "overlap_allowed", "counting_source"),
    )
    """The fields that an order's copy takes over."""

    class CountingSource(models.TextChoices):
        OPERATOR = "operator", _("People report")
        MACHINE = "machine", _("The machine counts")
        BOTH = "both", _("The machine counts, people report scrap")

    sequence = models.PositiveSmallIntegerField(default=10, help_text="10, 20, 30 …: the order of work.")
    code = models.CharField(max_length=32, validators=[code_validator], help_text="What the bill calls it: FILL, CAP.")
    name = models.CharField(max_length=200)
    line = models.ForeignKey(
        Line, null=True, blank=True, on_delete=models.PROTECT, related_name="%(class)ss", help_text="Where: a line …"
    )
    machine = models.ForeignKey(
        Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="%(class)ss", help_text="… a machine …"
    )
    machine_class = models.ForeignKey(
        MachineClass,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
        help_text="… or any machine of a class. None of them = the order's line.",
    )
    setup_time = models.DecimalField(
        "set-up (s)", max_digits=12, decimal_places=3, null=True, blank=True, validators=NOT_NEGATIVE
    )
    run_time_per_unit = models.DecimalField(
        "run time per unit (s)",
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=NOT_NEGATIVE,
        help_text="Standard time, not the ideal one of OEE. Empty = not known.",
    )
    teardown_time = models.DecimalField(
        "teardown (s)", max_digits=12, decimal_places=3, null=True, blank=True, validators=NOT_NEGATIVE
    )
    crew_size = models.DecimalField(
        max_digits=6, decimal_places=2, null=True, blank=True, validators=NOT_NEGATIVE, help_text="People needed."
    )
    labour_hours = models.DecimalField(
        "labour hours per unit", max_digits=18, decimal_places=6, null=True, blank=True, validators=NOT_NEGATIVE
    )
    inspection_required = models.BooleanField(default=False)
    instructions = models.TextField(blank=True, max_length=20_000)
    safety_notes = models.TextField(blank=True, max_length=20_000)
    is_milestone = models.BooleanField(
        "milestone", default=False, help_text="Reporting it reports what comes before, too."
    )
    counts_for_output = models.BooleanField(
        "counts for the order", default=False, help_text="What it makes is what the order has made."
    )
    overlap_allowed = models.BooleanField(
        default=False, help_text="The next operation may start before this one has ended."
    )
    counting_source = models.CharField(
        "counted by",
        max_length=8,
        choices=CountingSource,
        blank=True,
        help_text="Who says how much was made. Empty = the machine where it has a counter for good or all pieces, else"
        " people; that is settled when an order is released.",
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_at_one_work_centre",
                condition=Q(line__isnull=True, machine__isnull=True)
                | Q(line__isnull=True, machine_class__isnull=True)
                | Q(machine__isnull=True, machine_class__isnull=True),
                violation_error_message="Choose one of line, machine and machine class, or none of them.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.name}"

    @property
    def work_centre(self) -> models.Model | None:
        """The line, machine or class of machines that does it; None = the order's line."""
        return self.machine or self.machine_class or self.line


class RoutingOperation(OperationTemplate):
    """A step of a routing (ISA-95: Process Segment)."""

    site_paths = ("line__area__site", "machine__line__area__site")
    without_site_for_all = True

    routing = models.ForeignKey(Routing, on_delete=models.CASCADE, related_name="operations")

    history: Any = HistoricalRecords()

    class Meta:
        verbose_name = "operation of a routing"
        verbose_name_plural = "operations of routings"
        ordering = ["routing", "sequence", "id"]
        constraints = [
            *OperationTemplate.Meta.constraints,
            models.UniqueConstraint(
                fields=["routing", "sequence"],
                name="one_operation_per_sequence",
                violation_error_message="The routing has an operation of that sequence already.",
            ),
            models.UniqueConstraint(
                fields=["routing", "code"],
                name="one_operation_of_a_code",
                violation_error_message="The routing has an operation of that code already.",
            ),
        ]


class ParameterTemplate(models.Model):
    """A set-point with its bounds, wherever it is written down (ISA-95: Parameter)."""

    COPIED: ClassVar[tuple[str, ...]] = ("code", "name", "target", "minimum", "maximum", "unit")

    code = models.CharField(
        max_length=64, validators=[code_validator], help_text="As the machine or the recipe calls it."
    )
    name = models.CharField(max_length=200)
    target = models.DecimalField("set-point", max_digits=18, decimal_places=6, null=True, blank=True)
    minimum = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    maximum = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    unit = models.ForeignKey(
        UnitOfMeasure,
        to_field="code",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_column="unit",
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_bounds",
                condition=Q(minimum__isnull=True) | Q(maximum__isnull=True) | Q(maximum__gte=F("minimum")),
                violation_error_message="The maximum is not below the minimum.",
            ),
            models.CheckConstraint(
                name="%(class)s_target_inside",
                condition=(Q(minimum__isnull=True) | Q(target__isnull=True) | Q(target__gte=F("minimum")))
                & (Q(maximum__isnull=True) | Q(target__isnull=True) | Q(target__lte=F("maximum"))),
                violation_error_message="The set-point lies between minimum and maximum.",
            ),
            models.CheckConstraint(
                name="%(class)s_says_something",
                condition=Q(target__isnull=False) | Q(minimum__isnull=False) | Q(maximum__isnull=False),
                violation_error_message="Fill in a set-point, a minimum or a maximum.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OperationParameter(ParameterTemplate):
    """A set-point of an operation of a routing."""

    site_paths = ("operation__line__area__site", "operation__machine__line__area__site")
    without_site_for_all = True

    operation = models.ForeignKey(RoutingOperation, on_delete=models.CASCADE, related_name="parameters")

    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["operation", "code"]
        constraints = [
            *ParameterTemplate.Meta.constraints,
            models.UniqueConstraint(
                fields=["operation", "code"],
                name="one_parameter_of_a_code",
                violation_error_message="The operation has a parameter of that code already.",
            ),
        ]


class OperationDocument(models.Model):
    """A picture or a PDF that shows how an operation is done. Its content is what `core.uploads` made of the upload."""

    site_paths = ("operation__line__area__site", "operation__machine__line__area__site")
    without_site_for_all = True

    operation = models.ForeignKey(RoutingOperation, on_delete=models.CASCADE, related_name="documents")
    position = models.PositiveSmallIntegerField(default=10)
    caption = models.CharField(max_length=300)
    content_type = models.CharField(max_length=40, editable=False)
    size = models.PositiveIntegerField("size (bytes)", editable=False)
    content = models.BinaryField()

    history: Any = HistoricalRecords(excluded_fields=["content"])

    class Meta:
        ordering = ["operation", "position", "id"]

    def __str__(self) -> str:
        return self.caption
