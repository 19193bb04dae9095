"""Defects, non-conformances and what is done about them."""

from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.exact import plain_number
from core.models import MasterData, append_only
from core.names import NamesInLanguages
from enterprise.models import Machine, Site
from materials.models import Location, MaterialLot, MaterialTransaction
from products.models import Product
from quality.models.inspections import Inspection, InspectionDecision, Result
from workorders.models import WorkOrder


class Severity(models.TextChoices):
    """How bad a defect is."""

    CRITICAL = "critical", _("Critical")
    MAJOR = "major", _("Major")
    MINOR = "minor", _("Minor")


class Cause(models.TextChoices):
    """Where a defect comes from, by the six Ms (Ishikawa)."""

    MAN = "man", _("Man")
    MACHINE = "machine", _("Machine")
    MATERIAL = "material", _("Material")
    METHOD = "method", _("Method")
    MEASUREMENT = "measurement", _("Measurement")
    ENVIRONMENT = "environment", _("Milieu (environment)")


class DefectCode(NamesInLanguages, MasterData):
    """A kind of defect, as the catalogue names it."""

    class Category(models.TextChoices):
        DIMENSIONAL = "dimensional", _("Dimensional")
        VISUAL = "visual", _("Visual")
        FUNCTIONAL = "functional", _("Functional")
        MATERIAL = "material", _("Material")
        ASSEMBLY = "assembly", _("Assembly")

    category = models.CharField(max_length=11, choices=Category)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.MAJOR)

    class Meta(MasterData.Meta):
        pass


class NonConformance(models.Model):
    """Something does not conform, and is dealt with (ISO 9001, 8.7 and 10.2). `status` moves by services only."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        INVESTIGATING = "investigating", _("Investigating")
        ACTION_PENDING = "action_pending", _("Action pending")
        CLOSED = "closed", _("Closed")

    number = models.CharField(max_length=20, unique=True, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="nonconformances")
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=4000, blank=True)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.MAJOR)
    status = models.CharField(max_length=14, choices=Status, default=Status.OPEN, editable=False)
    inspection = models.ForeignKey(
        Inspection, null=True, blank=True, on_delete=models.PROTECT, related_name="nonconformances"
    )
    work_order = models.ForeignKey(
        WorkOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="nonconformances"
    )
    operation_code = models.CharField("operation", max_length=32, blank=True)
    machine = models.ForeignKey(
        Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="nonconformances"
    )
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="nonconformances"
    )
    lot = models.ForeignKey(
        MaterialLot, null=True, blank=True, on_delete=models.PROTECT, related_name="nonconformances"
    )
    quantity = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.000001"))],
        help_text="How much does not conform, in the product's unit. Empty = not known yet.",
    )
    is_contained = models.BooleanField(
        "containment", default=True, help_text="Order, operation and lot are blocked until it is decided."
    )
    containment = models.CharField(max_length=500, blank=True, help_text="What was done at once.")
    cause = models.CharField("root cause by the six Ms", max_length=11, choices=Cause, blank=True)
    root_cause = models.TextField(max_length=4000, blank=True)
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    raised_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    history: Any = HistoricalRecords()

    class Meta:
        verbose_name = "non-conformance"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["work_order", "status"], name="nonconformance_of_order"),
            models.Index(fields=["lot", "status"], name="nonconformance_of_lot"),
        ]
        constraints = [
            models.CheckConstraint(
                name="nonconformance_quantity_positive", condition=Q(quantity__isnull=True) | Q(quantity__gt=0)
            ),
            models.CheckConstraint(
                name="nonconformance_closed_at_a_moment",
                condition=Q(status="closed", closed_at__isnull=False)
                | (~Q(status="closed") & Q(closed_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Disposition(models.Model):
    """What becomes of a quantity that does not conform: a fact, with the movement of material that followed."""

    site_paths: ClassVar[tuple[str, ...]] = ("nonconformance__site",)

    Kind = InspectionDecision.Step

    class Counted(models.TextChoices):
        GOOD = "good", _("As good pieces")
        SCRAP = "scrap", _("As scrap")
        REWORK = "rework", _("As rework")

    nonconformance = models.ForeignKey(NonConformance, on_delete=models.PROTECT, related_name="dispositions")
    kind = models.CharField(max_length=9, choices=InspectionDecision.Step)
    quantity = models.DecimalField(max_digits=18, decimal_places=6, validators=[MinValueValidator(Decimal("0.000001"))])
    from_location = models.ForeignKey(Location, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    material_transaction = models.ForeignKey(
        MaterialTransaction, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    rework_order = models.ForeignKey(WorkOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    counted_as = models.CharField(
        "counted so far",
        max_length=6,
        choices=Counted,
        blank=True,
        help_text="As what its order counted it; it counts as what was decided from then on. Empty = nothing is moved.",
    )
    reason = models.CharField(max_length=500)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="disposition_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="disposition_has_a_reason", condition=~Q(reason="")),
        ]
        triggers = [append_only("disposition_append_only")]

    def __str__(self) -> str:
        return f"{self.nonconformance}: {self.get_kind_display()} {plain_number(self.quantity)}"


def _cost(name: str) -> Any:
    return models.DecimalField(
        name, max_digits=18, decimal_places=6, null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )


class Defect(models.Model):
    """So many of a kind of defect were found: a fact. Identity: `idempotency_key`, where the sender gave one."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Detection(models.TextChoices):
        VISUAL = "visual", _("Seen")
        MEASUREMENT = "measurement", _("Measured")
        TEST = "test", _("Tested")
        AUTOMATIC = "automatic", _("Found by a machine")
        CUSTOMER = "customer", _("Reported by the customer")

    code = models.ForeignKey(DefectCode, on_delete=models.PROTECT, related_name="defects")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="defects")
    quantity = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)], help_text="Defects found.")
    units = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="Units that have them: one may have several."
    )
    severity = models.CharField(max_length=8, choices=Severity, help_text="As the catalogue says, unless told.")
    detection = models.CharField("detection method", max_length=11, choices=Detection, default=Detection.VISUAL)
    cause = models.CharField("cause by the six Ms", max_length=11, choices=Cause, blank=True)
    inspection = models.ForeignKey(Inspection, null=True, blank=True, on_delete=models.PROTECT, related_name="defects")
    nonconformance = models.ForeignKey(
        NonConformance, null=True, blank=True, on_delete=models.PROTECT, related_name="defects"
    )
    work_order = models.ForeignKey(WorkOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="defects")
    operation_code = models.CharField("operation", max_length=32, blank=True)
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="defects")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="defects")
    lot = models.ForeignKey(MaterialLot, null=True, blank=True, on_delete=models.PROTECT, related_name="defects")
    serial = models.CharField(max_length=64, blank=True)
    scrap_cost = _cost("cost of scrap")
    rework_cost = _cost("cost of rework")
    note = models.CharField(max_length=1000, blank=True)
    detected_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)

    class Meta:
        ordering = ["-detected_at", "-id"]
        indexes = [
            models.Index(fields=["site", "detected_at"], name="defect_of_site"),
            models.Index(fields=["machine", "detected_at"], name="defect_at_machine"),
        ]
        constraints = [
            models.CheckConstraint(name="defect_quantity_positive", condition=Q(quantity__gte=1, units__gte=1)),
            models.CheckConstraint(
                name="defect_costs_not_negative",
                condition=(Q(scrap_cost__isnull=True) | Q(scrap_cost__gte=0))
                & (Q(rework_cost__isnull=True) | Q(rework_cost__gte=0)),
            ),
        ]
        triggers = [append_only("defect_append_only")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.code}"

    @property
    def total_cost(self) -> Decimal | None:
        """Scrap and rework together; None where neither is known."""
        known = [cost for cost in (self.scrap_cost, self.rework_cost) if cost is not None]
        return sum(known, start=Decimal(0)) if known else None


class Picture(models.Model):
    """A photo of a result, a defect or a non-conformance: what `core.uploads` made of the upload. A fact."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    result = models.ForeignKey(Result, null=True, blank=True, on_delete=models.PROTECT, related_name="pictures")
    defect = models.ForeignKey(Defect, null=True, blank=True, on_delete=models.PROTECT, related_name="pictures")
    nonconformance = models.ForeignKey(
        NonConformance, null=True, blank=True, on_delete=models.PROTECT, related_name="pictures"
    )
    content_type = models.CharField(max_length=40)
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was sent: the same picture once.")
    content = models.BinaryField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["result", "defect", "nonconformance", "digest"], nulls_distinct=False, name="picture_once"
            ),
            models.CheckConstraint(
                name="picture_of_one_thing",
                condition=Q(result__isnull=False, defect__isnull=True, nonconformance__isnull=True)
                | Q(result__isnull=True, defect__isnull=False, nonconformance__isnull=True)
                | Q(result__isnull=True, defect__isnull=True, nonconformance__isnull=False),
            ),
        ]
        triggers = [append_only("quality_picture_append_only")]

    def __str__(self) -> str:
        return f"picture {self.pk}"


class CorrectiveAction(models.Model):
    """What is done so that it does not happen again (ISO 9001, 10.2): done first, then found effective, then closed."""

    site_paths: ClassVar[tuple[str, ...]] = ("nonconformance__site",)

    class Kind(models.TextChoices):
        CORRECTIVE = "corrective", _("Corrective")
        PREVENTIVE = "preventive", _("Preventive")

    class Verdict(models.TextChoices):
        EFFECTIVE = "effective", _("Effective")
        NOT_EFFECTIVE = "not_effective", _("Not effective")

    nonconformance = models.ForeignKey(NonConformance, on_delete=models.PROTECT, related_name="actions")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CORRECTIVE)
    description = models.TextField(max_length=4000)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    due_date = models.DateField("due")
    check_date = models.DateField("effectiveness checked from", help_text="The day from which its effect can be seen.")
    done_at = models.DateTimeField(null=True, blank=True, editable=False)
    done_note = models.CharField(max_length=1000, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    verdict = models.CharField(max_length=13, choices=Verdict, blank=True, editable=False)
    check_note = models.CharField(max_length=1000, blank=True, editable=False)

    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["due_date", "id"]
        constraints = [
            models.CheckConstraint(
                name="action_checked_after_it_was_done",
                condition=Q(verdict="", checked_at__isnull=True)
                | (~Q(verdict="") & Q(checked_at__isnull=False, done_at__isnull=False, checked_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="action_checked_when_or_after_it_is_due",
                condition=Q(check_date__gte=models.F("due_date")),
                violation_error_message="Its effect is checked on the day it is due, or later.",
            ),
        ]

    def __str__(self) -> str:
        return self.description[:60]

    @property
    def is_closed(self) -> bool:
        """Whether it was done and found effective."""
        return self.verdict == self.Verdict.EFFECTIVE
