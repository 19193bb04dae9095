"""Revisions of a product: what it is made of, from when to when."""

from decimal import Decimal
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.models import code_validator
from products.models.product import Product, ValidityRange
from products.models.unit import UnitOfMeasure

SMALLEST = Decimal("0.000001")


class ProductRevision(models.Model):
    """A version of how a product is made, with its bill of material and routings (ISA-95: Product Definition).

    A draft is edited; what is released stays as it is, and a change is a new revision. Validity is half-open, UTC.
    """

    site_paths = ()

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        RELEASED = "released", _("Released")
        OBSOLETE = "obsolete", _("Obsolete")

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="revisions")
    code = models.CharField("revision", max_length=32, validators=[code_validator], help_text="A, B, 3, 2026-01 …")
    name = models.CharField(max_length=200, blank=True, help_text="What is new in it.")
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    valid_from = models.DateTimeField(null=True, blank=True, help_text="Given when it is released.")
    valid_until = models.DateTimeField(null=True, blank=True, help_text="Empty = until further notice.")
    base_quantity = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        default=Decimal(1),
        validators=[MinValueValidator(SMALLEST)],
        help_text="The bill is written for so many of the product, in its unit: 1, 100, a batch.",
    )

    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["product", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "code"],
                name="one_revision_of_a_code",
                violation_error_message="The product has a revision of that code already.",
            ),
            models.CheckConstraint(
                name="revision_base_quantity_positive",
                condition=Q(base_quantity__gt=0),
                violation_error_message="The base quantity is greater than zero.",
            ),
            models.CheckConstraint(
                name="revision_released_from_a_moment",
                condition=Q(status="draft") | Q(valid_from__isnull=False),
                violation_error_message="A released revision says from when on it is valid.",
            ),
            models.CheckConstraint(
                name="revision_validity_not_empty",
                # One that is withdrawn before it was ever valid is left with an empty span.
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gt=F("valid_from"))
                | Q(status="obsolete", valid_until=F("valid_from")),
                violation_error_message="'Valid until' must be after 'valid from'.",
            ),
            ExclusionConstraint(
                name="one_revision_at_a_time",
                expressions=[
                    ("product", RangeOperators.EQUAL),
                    (ValidityRange("valid_from", "valid_until", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=~Q(status="draft"),
                violation_error_message="Another revision of the product is released for that time; end that one first.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} rev. {self.code}"

    @property
    def is_draft(self) -> bool:
        """Whether it may still be edited."""
        return self.status == self.Status.DRAFT


class BillOfMaterialLine(models.Model):
    """What goes into a product, or comes out beside it, per base quantity of its revision."""

    site_paths = ()

    class Kind(models.TextChoices):
        COMPONENT = "component", _("Component: goes in")
        BY_PRODUCT = "by_product", _("By-product: comes out beside it")
        CO_PRODUCT = "co_product", _("Co-product: is made together with it")

    revision = models.ForeignKey(ProductRevision, on_delete=models.CASCADE, related_name="bill_lines")
    position = models.PositiveSmallIntegerField(default=10)
    component = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="used_in")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.COMPONENT)
    quantity = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        validators=[MinValueValidator(SMALLEST)],
        help_text="Per base quantity of the revision.",
    )
    unit = models.ForeignKey(
        UnitOfMeasure,
        to_field="code",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_column="unit",
        help_text="Empty = the component's own unit.",
    )
    scrap_factor = models.DecimalField(
        max_digits=7,
        decimal_places=6,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(9))],
        help_text="How much more is needed because some is lost: 0.02 = 2 % more.",
    )
    operation_code = models.CharField(
        "operation",
        max_length=32,
        blank=True,
        help_text="Code of the operation of the routing that takes it (or yields it). Empty = the first one.",
    )
    is_phantom = models.BooleanField(
        "phantom", default=False, help_text="It is never made by itself: its own bill takes its place."
    )

    history: Any = HistoricalRecords()

    class Meta:
        verbose_name = "line of the bill of material"
        verbose_name_plural = "bill of material"
        ordering = ["revision", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "position"],
                name="one_bill_line_per_position",
                violation_error_message="The bill has a line at that position already.",
            ),
            models.CheckConstraint(
                name="bill_quantity_positive",
                condition=Q(quantity__gt=0),
                violation_error_message="The quantity is greater than zero; say 'by-product' for what comes out.",
            ),
            models.CheckConstraint(
                name="bill_scrap_not_negative",
                condition=Q(scrap_factor__gte=0),
                violation_error_message="The scrap factor is not negative.",
            ),
            models.CheckConstraint(
                name="bill_phantom_goes_in",
                condition=Q(is_phantom=False) | Q(kind="component"),
                violation_error_message="Only a component can be a phantom.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.revision} {self.position}: {self.component}"

    @property
    def goes_in(self) -> bool:
        """Whether it is consumed; by- and co-products come out."""
        return self.kind == self.Kind.COMPONENT
