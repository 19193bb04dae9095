"""Work on operations: spans at machines, what was reported, readings of set-points, and who took which step when."""

from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.exact import plain_number
from core.models import MasterData, append_only, noted_change
from core.names import NamesInLanguages
from enterprise.models import Machine, Site
from labor.models import Employee
from products.models import UnitOfMeasure
from workorders.models import Operation, OrderParameter

OF_OPERATION: tuple[str, ...] = ("operation__work_order__line__area__site",)


class ScrapReason(NamesInLanguages, MasterData):
    """Why something was scrapped or has to be reworked."""

    class Meta(MasterData.Meta):
        triggers = [noted_change()]


class ExecutionPolicy(models.Model):
    """What a site does about an operation that lacks material, or whose machine is down."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Rule(models.TextChoices):
        REFUSE = "refuse", _("Refuse to start")
        WARN = "warn", _("Warn")
        IGNORE = "ignore", _("Say nothing")

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="execution_policy")
    missing_material = models.CharField(
        max_length=6,
        choices=Rule,
        default=Rule.WARN,
        help_text="When less is in usable stock at the site than the operation still needs.",
    )
    machine_down = models.CharField(
        max_length=6,
        choices=Rule,
        default=Rule.WARN,
        help_text="When the machine is stopped by a fault or in maintenance, or maintenance is scheduled on its line.",
    )
    hand_counters = models.BooleanField(
        default=False,
        help_text="At terminals, people who report quantities read a hand counter: its first and last reading say how many.",
    )

    history = HistoricalRecords()

    class Meta:
        triggers = [noted_change()]
        verbose_name_plural = "execution policies"

    def __str__(self) -> str:
        return f"Execution policy of {self.site}"


class SpanRange(Func):
    """The half-open range [started_at, ended_at) as PostgreSQL sees it."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class OperationRun(models.Model):
    """A span in which an operation was worked on at a machine, perhaps by somebody (ISA-95: Segment Response).

    Half-open; `ended_at` null = it goes on. Several people may work on one operation at one machine, nobody twice at
    once.
    """

    site_paths: ClassVar[tuple[str, ...]] = OF_OPERATION

    class Kind(models.TextChoices):
        SETUP = "setup", _("Set-up")
        PRODUCTION = "production", _("Production")

    class Ending(models.TextChoices):
        PAUSED = "paused", _("Paused")
        FINISHED = "finished", _("Finished")
        HELD = "held", _("Put on hold")
        PRODUCING = "producing", _("Set up, now producing")

    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="operation_runs")
    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="operation_runs")
    employee = models.ForeignKey(
        Employee, null=True, blank=True, on_delete=models.PROTECT, related_name="operation_runs"
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PRODUCTION)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=9, choices=Ending, blank=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it ended.")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["machine", "started_at"], name="operation_run_of_machine"),
            models.Index(fields=["operation"], condition=Q(ended_at__isnull=True), name="operation_run_open"),
        ]
        constraints = [
            models.CheckConstraint(
                name="operation_run_not_empty",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")),
                violation_error_message="Work ends after it starts.",
            ),
            models.CheckConstraint(
                name="operation_run_ended_says_how",
                condition=Q(ended_at__isnull=True, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
            ),
            ExclusionConstraint(
                name="one_operation_run_at_a_time",
                expressions=[
                    ("operation", RangeOperators.EQUAL),
                    ("machine", RangeOperators.EQUAL),
                    (Coalesce(F("employee"), Value(0)), RangeOperators.EQUAL),
                    (SpanRange("started_at", "ended_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                violation_error_message="That work is recorded for that time already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} at {self.machine} from {self.started_at:%Y-%m-%d %H:%M}"


class ProductionReport(models.Model):
    """What somebody says came of an operation: a fact. Taken back by a report with the opposite quantities.

    Quantities are in `unit`; times `factor` they are in the order's unit. Identity: the idempotency key.
    """

    site_paths: ClassVar[tuple[str, ...]] = OF_OPERATION

    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="production_reports")
    machine = models.ForeignKey(
        Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="production_reports"
    )
    employee = models.ForeignKey(
        Employee, null=True, blank=True, on_delete=models.PROTECT, related_name="production_reports"
    )
    good = models.DecimalField(max_digits=18, decimal_places=6, default=Decimal(0))
    scrap = models.DecimalField(max_digits=18, decimal_places=6, default=Decimal(0))
    rework = models.DecimalField(max_digits=18, decimal_places=6, default=Decimal(0))
    unit = models.ForeignKey(
        UnitOfMeasure,
        to_field="code",
        db_column="unit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty = the order's own.",
    )
    factor_numerator = models.DecimalField(max_digits=40, decimal_places=0, default=Decimal(1), editable=False)
    factor_denominator = models.DecimalField(max_digits=40, decimal_places=0, default=Decimal(1), editable=False)
    counter_start = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    counter_end = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    scrap_reason = models.ForeignKey(
        ScrapReason, null=True, blank=True, on_delete=models.PROTECT, related_name="production_reports"
    )
    note = models.CharField(max_length=500, blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)
    reverses = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["operation", "occurred_at"], name="report_of_operation")]
        constraints = [
            models.CheckConstraint(
                name="production_report_signs",
                condition=Q(reverses__isnull=True, good__gte=0, scrap__gte=0, rework__gte=0)
                | Q(reverses__isnull=False, good__lte=0, scrap__lte=0, rework__lte=0),
                violation_error_message="Quantities are not negative; take a report back by reversing it.",
            ),
            models.CheckConstraint(
                name="production_report_says_something",
                condition=~Q(good=0, scrap=0, rework=0),
                violation_error_message="Report good pieces, scrap or rework.",
            ),
            models.CheckConstraint(
                name="production_report_two_readings",
                condition=Q(counter_start__isnull=True, counter_end__isnull=True)
                | Q(counter_start__isnull=False, counter_end__gte=F("counter_start")),
                violation_error_message="Give both readings of the counter, the second not below the first.",
            ),
            models.CheckConstraint(
                name="production_report_factor_positive",
                condition=Q(factor_numerator__gt=0, factor_denominator__gt=0),
            ),
        ]
        triggers = [append_only("production_report_append_only")]

    def __str__(self) -> str:
        return f"{self.operation}: {plain_number(self.good)} good, {plain_number(self.scrap)} scrap"

    @property
    def factor(self) -> Fraction:
        """How many of the order's unit one of its unit is, as it was when it was reported."""
        return Fraction(int(self.factor_numerator), int(self.factor_denominator))


class OperationStep(models.Model):
    """Who took an operation to where it is, when and why: a fact. Identity: the idempotency key."""

    site_paths: ClassVar[tuple[str, ...]] = OF_OPERATION

    class Action(models.TextChoices):
        START = "start", _("Start")
        PAUSE = "pause", _("Pause")
        RESUME = "resume", _("Resume")
        FINISH = "finish", _("Finish")
        SKIP = "skip", _("Skip")
        HOLD = "hold", _("Hold")
        UNHOLD = "unhold", _("Take off hold")
        RECORD = "record", _("Record afterwards")

    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="steps")
    action = models.CharField(max_length=7, choices=Action)
    from_status = models.CharField(max_length=12, choices=Operation.Status)
    to_status = models.CharField(max_length=12, choices=Operation.Status)
    operation_run = models.ForeignKey(
        OperationRun, null=True, blank=True, on_delete=models.PROTECT, related_name="steps"
    )
    employee = models.ForeignKey(Employee, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    warnings = models.TextField(blank=True, help_text="What was warned of, and started all the same.")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    class Meta:
        ordering = ["-id"]
        triggers = [append_only("operation_step_append_only")]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.operation}"


class ParameterReading(models.Model):
    """What a set-point of an operation really was at a moment: a fact. Identity: (parameter, occurred_at)."""

    site_paths: ClassVar[tuple[str, ...]] = ("parameter__operation__work_order__line__area__site",)

    parameter = models.ForeignKey(OrderParameter, on_delete=models.PROTECT, related_name="readings")
    value = models.DecimalField(max_digits=18, decimal_places=6)
    note = models.CharField(max_length=500, blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-occurred_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["parameter", "occurred_at"], name="parameter_reading_once")]
        triggers = [append_only("parameter_reading_append_only")]

    def __str__(self) -> str:
        return f"{self.parameter}: {plain_number(self.value)}"

    @property
    def deviates(self) -> bool:
        """Whether it is outside the bounds; without bounds, whether it is another value than the set-point."""
        return deviates(self.parameter, self.value)


def deviates(parameter: OrderParameter, value: Decimal) -> bool:
    """Say whether a value is outside a set-point's bounds; where it has none, whether it is not the set-point."""
    if parameter.minimum is None and parameter.maximum is None:
        return value != parameter.target
    below = parameter.minimum is not None and value < parameter.minimum
    return below or (parameter.maximum is not None and value > parameter.maximum)


DEVIATING = (
    Q(value__lt=F("parameter__minimum"))
    | Q(value__gt=F("parameter__maximum"))
    | (Q(parameter__minimum__isnull=True, parameter__maximum__isnull=True) & ~Q(value=F("parameter__target")))
)
"""Which readings deviate, as the database sees it."""
