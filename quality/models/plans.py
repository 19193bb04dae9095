"""Inspection plans: what is inspected of what, how often, and within which limits."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from simple_history.models import HistoricalRecords

from core.models import code_validator
from enterprise.models import Machine, Site
from products.models import Product, UnitOfMeasure
from products.models.product import MaterialType
from quality.spc.sampling import LEVELS


class InspectionPlan(models.Model):
    """A version of what is inspected (ISA-95: Quality Test Specification).

    A draft is edited; a released one stays as it is.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("site",)
    without_site_for_all = True

    by_service = False
    """Set by the services that take a plan to another status; nobody else does."""

    class Kind(models.TextChoices):
        INCOMING = "incoming", _("Incoming goods")
        IN_PROCESS = "in_process", _("In process")
        FINAL = "final", _("Final")
        FIRST_PIECE = "first_piece", _("First piece")
        AUDIT = "audit", _("Audit or patrol")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        RELEASED = "released", _("Released")
        OBSOLETE = "obsolete", _("Obsolete")

    code = models.CharField(max_length=64, validators=[code_validator], help_text="The same for all its versions.")
    version = models.PositiveIntegerField(
        default=1,
        validators=[MinValueValidator(1)],
        help_text="1, 2, 3 …: a change of a released plan is a new version.",
    )
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=11, choices=Kind, default=Kind.IN_PROCESS)
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT, editable=False)
    valid_from = models.DateTimeField(null=True, blank=True, editable=False)
    valid_until = models.DateTimeField(null=True, blank=True, editable=False)
    site = models.ForeignKey(
        Site,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="inspection_plans",
        help_text="Empty = every site.",
    )
    product = models.ForeignKey(
        Product,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="inspection_plans",
        help_text="Empty = every product …",
    )
    material_type = models.CharField(
        max_length=12, choices=MaterialType, blank=True, help_text="… or every one of a kind of material."
    )
    operation_code = models.CharField(
        "operation", max_length=32, blank=True, help_text="The operation's code. Empty = the order or lot as a whole."
    )
    supplier = models.CharField(max_length=200, blank=True, help_text="Only lots of this supplier. Empty = all.")
    machine = models.ForeignKey(
        Machine,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="inspection_plans",
        help_text="Only what is made at this machine. Empty = wherever.",
    )
    blocks = models.BooleanField(
        "quality gate", default=True, help_text="Operation, order or lot go on only when it is passed."
    )
    instructions = models.TextField(blank=True, max_length=20_000)

    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["code", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "version"],
                name="one_plan_of_a_version",
                violation_error_message="There is a version of that number already.",
            ),
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(status="released"),
                name="one_released_version_of_a_plan",
                violation_error_message="Another version of the plan is released.",
            ),
            models.CheckConstraint(
                name="plan_released_from_a_moment",
                condition=Q(status="draft", valid_from__isnull=True)
                | (~Q(status="draft") & Q(valid_from__isnull=False)),
                violation_error_message="A released plan says from when on it is valid.",
            ),
            models.CheckConstraint(
                name="plan_validity_not_negative",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def is_draft(self) -> bool:
        """Whether it may still be edited."""
        return self.status == self.Status.DRAFT


_PARENT: tuple[str, ...] = ("plan__site",)


class Characteristic(models.Model):
    """Something that is measured, counted or judged of a unit. Limits are inclusive: on the limit is within."""

    site_paths: ClassVar[tuple[str, ...]] = _PARENT
    without_site_for_all = True

    class Kind(models.TextChoices):
        VARIABLE = "variable", _("Measured value")
        ATTRIBUTE = "attribute", _("OK, not OK or not applicable")
        COUNT = "count", _("Number of defects")
        TEXT = "text", _("Text")
        PHOTO = "photo", _("Photo")
        CHOICE = "choice", _("One of several")

    class Severity(models.TextChoices):
        CRITICAL = "critical", _("Critical")
        MAJOR = "major", _("Major")
        MINOR = "minor", _("Minor")

    plan = models.ForeignKey(InspectionPlan, on_delete=models.CASCADE, related_name="characteristics")
    position = models.PositiveSmallIntegerField(default=10)
    code = models.CharField(
        max_length=32, validators=[code_validator], help_text="The same in all versions: charts follow it."
    )
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.VARIABLE)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.MAJOR)
    nominal = models.DecimalField(max_digits=24, decimal_places=9, null=True, blank=True)
    lower_limit = models.DecimalField(
        "lower limit (LSL)", max_digits=24, decimal_places=9, null=True, blank=True, help_text="Empty = none."
    )
    upper_limit = models.DecimalField(
        "upper limit (USL)",
        max_digits=24,
        decimal_places=9,
        null=True,
        blank=True,
        help_text="Empty = none. Of a count: how many are allowed.",
    )
    unit = models.ForeignKey(
        UnitOfMeasure,
        to_field="code",
        db_column="unit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What values and limits are in.",
    )
    decimals = models.PositiveSmallIntegerField(
        default=3, validators=[MaxValueValidator(9)], help_text="How many places a value is read to, at most."
    )
    choices = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="For one of several: the values, with commas between.",
    )
    accepted = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, help_text="Those of them that are fine."
    )
    needs_gauge = models.BooleanField(default=False, help_text="A result names the gauge, which must be calibrated.")
    is_required = models.BooleanField("required", default=True, help_text="The inspection ends only with its results.")
    instructions = models.TextField(blank=True, max_length=4000)

    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["plan", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "code"],
                name="one_characteristic_of_a_code",
                violation_error_message="The plan has a characteristic of that code already.",
            ),
            models.CheckConstraint(
                name="characteristic_limits_in_order",
                condition=Q(lower_limit__isnull=True)
                | Q(upper_limit__isnull=True)
                | Q(lower_limit__lte=F("upper_limit")),
                violation_error_message="The lower limit is not above the upper one.",
            ),
            models.CheckConstraint(
                name="characteristic_limits_of_numbers",
                condition=Q(kind__in=["variable", "count"]) | Q(lower_limit__isnull=True, upper_limit__isnull=True),
                violation_error_message="Only measured values and counts have limits.",
            ),
            models.CheckConstraint(
                name="characteristic_choice_has_choices",
                condition=Q(kind="choice", choices__len__gt=0) | (~Q(kind="choice") & Q(choices=[])),
                violation_error_message="One of several, and only that, has values to choose from.",
            ),
            models.CheckConstraint(
                name="characteristic_accepts_its_choices",
                condition=Q(choices__contains=F("accepted")),
                violation_error_message="What is accepted is among the choices.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SamplingRule(models.Model):
    """When a plan is due, and how many units are inspected then. Several rules of a plan add up."""

    site_paths: ClassVar[tuple[str, ...]] = _PARENT
    without_site_for_all = True

    class Kind(models.TextChoices):
        EACH = "each", _("Each lot, or each operation of an order")
        EVERY_PIECES = "every_pieces", _("Every so many pieces")
        EVERY_MINUTES = "every_minutes", _("Every so many minutes")
        AFTER_CHANGEOVER = "after_changeover", _("After a changeover to another product")
        AFTER_STOP = "after_stop", _("After a stop longer than so many minutes")
        AQL = "aql", _("Each lot, a sample by AQL")

    plan = models.ForeignKey(InspectionPlan, on_delete=models.CASCADE, related_name="rules")
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.EACH)
    every = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Pieces or minutes; of a stop, how long it is at least.",
    )
    sample_size = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="Units inspected each time; by AQL the table says."
    )
    level = models.CharField("inspection level", max_length=3, choices=[(one, one) for one in LEVELS], default="II")
    aql = models.DecimalField("AQL", max_digits=7, decimal_places=3, null=True, blank=True, help_text="0.65, 1, 2.5 …")
    may_reduce = models.BooleanField(
        "reduced inspection allowed",
        default=False,
        help_text="By AQL: after a long row of good lots fewer units are inspected. Production must run steadily.",
    )
    overdue_minutes = models.PositiveIntegerField(
        "overdue after (min)", null=True, blank=True, help_text="Empty = it is due, but never late."
    )

    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["plan", "id"]
        constraints = [
            models.CheckConstraint(
                name="sampling_rule_says_how_often",
                condition=Q(kind__in=["every_pieces", "every_minutes", "after_stop"], every__isnull=False)
                | (~Q(kind__in=["every_pieces", "every_minutes", "after_stop"]) & Q(every__isnull=True)),
                violation_error_message="Say how many pieces or minutes where, and only where, the rule counts them.",
            ),
            models.CheckConstraint(
                name="sampling_rule_by_aql_has_one",
                condition=Q(kind="aql", aql__isnull=False) | (~Q(kind="aql") & Q(aql__isnull=True)),
                violation_error_message="Sampling by AQL, and only that, has an AQL.",
            ),
        ]

    def __str__(self) -> str:
        kinds = self.Kind
        if self.every is None:
            return self.get_kind_display()
        if self.kind == kinds.EVERY_PIECES:
            return ngettext("Every piece", "Every %(every)d pieces", self.every) % {"every": self.every}
        if self.kind == kinds.EVERY_MINUTES:
            return ngettext("Every minute", "Every %(every)d minutes", self.every) % {"every": self.every}
        if self.kind == kinds.AFTER_STOP:
            return ngettext(
                "After a stop longer than %(every)d minute", "After a stop longer than %(every)d minutes", self.every
            ) % {"every": self.every}
        return self.get_kind_display()
