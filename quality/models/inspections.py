"""Inspections and their results. Results are facts; what an inspection came to follows from them and from decisions."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.models import append_only
from enterprise.models import Machine, Shift, Site
from materials.models import MaterialLot
from products.models import Product, UnitOfMeasure
from quality.models.gauges import Gauge, GaugeTag
from quality.models.plans import Characteristic, InspectionPlan, SamplingRule
from workorders.models import WorkOrder


class Inspection(models.Model):
    """Units are inspected by a version of a plan (ISA-95: Quality Test).

    `status` and `result` repeat what follows from the facts.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        PASSED = "passed", _("Passed")
        FAILED = "failed", _("Failed")
        CONDITIONAL = "conditional", _("Conditional")

    class Outcome(models.TextChoices):
        PASS = "pass", _("Pass")
        FAIL = "fail", _("Fail")
        CONDITIONAL_PASS = "conditional_pass", _("Conditional pass")
        HOLD = "hold", _("Hold")
        REWORK_REQUIRED = "rework_required", _("Rework required")

    plan = models.ForeignKey(InspectionPlan, on_delete=models.PROTECT, related_name="inspections")
    rule = models.ForeignKey(SamplingRule, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="inspections")
    work_order = models.ForeignKey(
        WorkOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="inspections"
    )
    operation_code = models.CharField("operation", max_length=32, blank=True)
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="inspections")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="inspections")
    lot = models.ForeignKey(MaterialLot, null=True, blank=True, on_delete=models.PROTECT, related_name="inspections")
    batch = models.CharField(max_length=64, blank=True)
    serial = models.CharField(max_length=64, blank=True)
    lot_size = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    sample_size = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    accept_number = models.PositiveIntegerField(
        default=0, help_text="With up to so many nonconforming units it is passed."
    )
    severity = models.CharField(max_length=10, blank=True, help_text="By AQL: normal, tightened or reduced.")
    code_letter = models.CharField(max_length=1, blank=True)
    inspector = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    shift = models.ForeignKey(Shift, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    shift_date = models.DateField(null=True, blank=True)
    opened_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=11, choices=Status, default=Status.OPEN, editable=False)
    result = models.CharField(max_length=16, choices=Outcome, blank=True, editable=False)
    nonconforming = models.PositiveIntegerField(null=True, blank=True, editable=False)
    notes = models.TextField(max_length=4000, blank=True)
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    history: Any = HistoricalRecords(excluded_fields=["status", "result", "nonconforming"])

    class Meta:
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(fields=["work_order", "plan"], name="inspection_of_order"),
            models.Index(fields=["lot", "plan"], name="inspection_of_lot"),
            models.Index(fields=["machine", "opened_at"], name="inspection_at_machine"),
            models.Index(fields=["site", "status"], name="inspection_of_site"),
        ]
        constraints = [
            models.CheckConstraint(
                name="inspection_of_something",
                condition=Q(work_order__isnull=False) | Q(lot__isnull=False) | Q(machine__isnull=False),
                violation_error_message="Name an order, a lot or a machine.",
            ),
            models.CheckConstraint(
                name="inspection_open_until_finished",
                condition=Q(status="open", finished_at__isnull=True)
                | (~Q(status="open") & Q(finished_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} #{self.pk}"


class Result(models.Model):
    """A result of a characteristic of one unit: a fact.

    By hand (inspection, characteristic, sample) is its identity, by gauge (tag, moment).

    `value` is in `unit`, or in the characteristic's. `passed` is what it was judged by the limits of its plan's
    version; None = there is nothing to judge. A reading of a gauge belongs to the inspection that was open at its
    machine at its moment.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("inspection__site", "machine__line__area__site")

    class Verdict(models.TextChoices):
        OK = "ok", "OK"
        NOT_OK = "not_ok", _("Not OK")
        NOT_APPLICABLE = "n/a", _("Not applicable")

    characteristic = models.ForeignKey(Characteristic, on_delete=models.PROTECT, related_name="results")
    inspection = models.ForeignKey(Inspection, null=True, blank=True, on_delete=models.PROTECT, related_name="results")
    sample = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    tag = models.ForeignKey(GaugeTag, null=True, blank=True, on_delete=models.PROTECT, related_name="results")
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="results")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    gauge = models.ForeignKey(Gauge, null=True, blank=True, on_delete=models.PROTECT, related_name="results")
    serial = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField()
    value = models.DecimalField(max_digits=24, decimal_places=9, null=True, blank=True)
    unit = models.ForeignKey(
        UnitOfMeasure,
        to_field="code",
        db_column="unit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    verdict = models.CharField(max_length=6, choices=Verdict, blank=True)
    text = models.CharField(max_length=1000, blank=True)
    source = models.CharField(max_length=64, default="", help_text="A device key's prefix, or a person.")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-occurred_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["inspection", "characteristic", "sample"],
                condition=Q(tag__isnull=True),
                name="result_of_a_sample_once",
            ),
            models.UniqueConstraint(
                fields=["tag", "occurred_at"], condition=Q(tag__isnull=False), name="result_of_a_gauge_once"
            ),
            models.CheckConstraint(
                name="result_by_hand_or_gauge",
                condition=Q(tag__isnull=False, inspection__isnull=True, sample__isnull=True, machine__isnull=False)
                | Q(tag__isnull=True, inspection__isnull=False, sample__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["characteristic", "occurred_at"], name="result_of_characteristic"),
            models.Index(fields=["gauge", "occurred_at"], name="result_of_gauge"),
            models.Index(fields=["machine", "occurred_at"], name="result_at_machine"),
        ]
        triggers = [append_only("result_append_only")]

    def __str__(self) -> str:
        return f"{self.characteristic}: {self.verdict or self.text or self.value}"


class ResultCorrection(models.Model):
    """A person's later word on a result: other content, or none (the result is void). The last one holds."""

    site_paths: ClassVar[tuple[str, ...]] = ("result__inspection__site", "result__machine__line__area__site")

    result = models.ForeignKey(Result, on_delete=models.PROTECT, related_name="corrections")
    is_void = models.BooleanField("void", default=False)
    value = models.DecimalField(max_digits=24, decimal_places=9, null=True, blank=True)
    verdict = models.CharField(max_length=6, choices=Result.Verdict, blank=True)
    text = models.CharField(max_length=1000, blank=True)
    reason = models.CharField(max_length=500)
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(name="result_correction_has_a_reason", condition=~Q(reason=""))]
        triggers = [append_only("result_correction_append_only")]

    def __str__(self) -> str:
        return f"{self.result_id} → {'void' if self.is_void else self.verdict or self.text or self.value}"


class InspectionDecision(models.Model):
    """Quality decided about a finished inspection: a fact. The last one holds over what follows from the results."""

    site_paths: ClassVar[tuple[str, ...]] = ("inspection__site",)

    class Step(models.TextChoices):
        USE_AS_IS = "use_as_is", _("Use as is")
        REWORK = "rework", _("Rework")
        SCRAP = "scrap", _("Scrap")
        RETURN = "return", _("Return to the supplier")

    inspection = models.ForeignKey(Inspection, on_delete=models.PROTECT, related_name="decisions")
    result = models.CharField(max_length=16, choices=Inspection.Outcome)
    disposition = models.CharField(max_length=9, choices=Step, blank=True)
    reason = models.CharField(max_length=500)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(name="inspection_decision_has_a_reason", condition=~Q(reason=""))]
        triggers = [append_only("inspection_decision_append_only")]

    def __str__(self) -> str:
        return f"{self.inspection}: {self.get_result_display()}"
