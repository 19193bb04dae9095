"""What can be made, and how fast at best."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import LPad
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.custom_fields import HasCustomFields
from core.exact import plain_number
from core.models import MasterData, noted_change
from enterprise.models import Machine
from products.gtin import validate_gtin
from products.models.unit import UnitOfMeasure


class MaterialType(models.TextChoices):
    """What a product is to a plant."""

    RAW = "raw", _("Raw material")
    COMPONENT = "component", _("Component")
    SUB_ASSEMBLY = "sub_assembly", _("Sub-assembly")
    CONSUMABLE = "consumable", _("Consumable")
    FINISHED = "finished", _("Finished product")


class StockPolicy(models.TextChoices):
    """Whether more may be taken than there is."""

    REFUSE_NEGATIVE = "refuse_negative", _("Refuse: no more than is there")
    ALLOW_NEGATIVE = "allow_negative", _("Allow: stock may be negative until it is counted")


class Product(MasterData, HasCustomFields):
    """Something that is made and counted (ISA-95: Material Definition)."""

    unit = models.ForeignKey(
        UnitOfMeasure,
        to_field="code",
        db_column="unit",
        default="pcs",
        on_delete=models.PROTECT,
        related_name="products",
        help_text="What one counted piece is called: pcs, bottle, kg. Its quantities are in it.",
    )
    micro_stop_below = models.PositiveIntegerField(
        "micro-stops are below (s)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3600)],
        help_text="While it is made, an unplanned stop that is shorter is a micro-stop. Empty = as its machine says.",
    )
    slow_cycle_above = models.PositiveSmallIntegerField(
        "slow cycles are above (%)",
        null=True,
        blank=True,
        validators=[MinValueValidator(101), MaxValueValidator(1000)],
        help_text="In percent of the ideal cycle time. Empty = as its machine says.",
    )
    planned_scrap = models.DecimalField(
        "planned scrap",
        max_digits=7,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
        help_text="The part of what is made that is expected to be scrap: 0.02 = 2 %.",
    )
    over_tolerance = models.DecimalField(
        max_digits=7,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="How much more than its target an order may make: 0.05 = 5 %. Empty = not decided. Orders may say otherwise.",
    )
    under_tolerance = models.DecimalField(
        max_digits=7,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
        help_text="How much less still completes an order: 0.02 = 2 %. Empty = not decided. Orders may say otherwise.",
    )
    balance_tolerance = models.DecimalField(
        "mass balance tolerance",
        max_digits=7,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
        help_text="How much of what goes into an order of it may be missing from what comes out: 0.02 = 2 %."
        " Empty = 2 %.",
    )
    # --- as a material: what is bought, stored, used and made ---
    material_type = models.CharField(
        max_length=12, choices=MaterialType, default=MaterialType.FINISHED, help_text="What it is to this plant."
    )
    stock_policy = models.CharField(
        "when stock runs out",
        max_length=16,
        choices=StockPolicy,
        default=StockPolicy.REFUSE_NEGATIVE,
        help_text="Whether more may be taken than the system knows of.",
    )
    lot_controlled = models.BooleanField(
        "kept by lots", default=False, help_text="Every movement of it names its lot; without a lot it is refused."
    )
    shelf_life_days = models.PositiveIntegerField(
        "shelf life (days)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(36_500)],
        help_text="A lot made on a day expires so many days later, unless the lot says otherwise. Empty = not limited.",
    )
    gtin = models.CharField(
        "GTIN",
        max_length=14,
        blank=True,
        validators=[validate_gtin],
        help_text="GS1 number of the article: 8, 12, 13 or 14 digits, with its check digit.",
    )

    class Meta(MasterData.Meta):
        triggers = [noted_change()]
        constraints = [
            models.UniqueConstraint(
                LPad("gtin", 14, models.Value("0")),
                condition=~Q(gtin=""),
                name="product_gtin_once",
                violation_error_message="Another product has this GTIN.",
            )
        ]


class ProductUnit(models.Model):
    """Another unit in which a product is counted or measured: so many of it are so many of the product's own unit.

    Both sides are decimals, so that 6.3 kg = 12 pcs is exact although a kilogram is no round number of pieces.
    """

    site_paths = ()

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="units")
    quantity = models.DecimalField(
        max_digits=18, decimal_places=6, default=Decimal(1), validators=[MinValueValidator(Decimal("0.000001"))]
    )
    unit = models.ForeignKey(
        UnitOfMeasure, to_field="code", db_column="unit", on_delete=models.PROTECT, related_name="product_units"
    )
    base_quantity = models.DecimalField(
        "is (in the product's unit)",
        max_digits=18,
        decimal_places=6,
        validators=[MinValueValidator(Decimal("0.000001"))],
        help_text="1 case is 12; 6.3 kg is 12.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["product", "unit"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "unit"],
                name="one_conversion_per_product_and_unit",
                violation_error_message="The product has a conversion of that unit already.",
            ),
            models.CheckConstraint(
                name="product_unit_positive",
                condition=Q(quantity__gt=0, base_quantity__gt=0),
                violation_error_message="Both quantities are greater than zero.",
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{plain_number(self.quantity)} {self.unit_id} = {plain_number(self.base_quantity)} {self.product.unit_id}"
        )

    @property
    def factor(self) -> Fraction:
        """Units of the product's own in one of these, exact."""
        return Fraction(self.base_quantity) / Fraction(self.quantity)


class ValidityRange(Func):
    """The half-open range [valid_from, valid_until) as PostgreSQL sees it."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class IdealRate(models.Model):
    """How fast a machine makes a product when nothing holds it back (ISO 22400: planned run time per unit).

    Effective-dated: what is changed today, as a new row from today on, leaves last month's OEE alone.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("machine__line__area__site",)

    class Unit(models.TextChoices):
        SECONDS_PER_PIECE = "s/pc", _("seconds per piece")
        MINUTES_PER_PIECE = "min/pc", _("minutes per piece")
        HOURS_PER_PIECE = "h/pc", _("hours per piece")
        PIECES_PER_SECOND = "pc/s", _("pieces per second")
        PIECES_PER_MINUTE = "pc/min", _("pieces per minute")
        PIECES_PER_HOUR = "pc/h", _("pieces per hour")

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="ideal_rates")
    machine = models.ForeignKey(Machine, on_delete=models.PROTECT, related_name="ideal_rates")
    value = models.DecimalField(max_digits=18, decimal_places=6, validators=[MinValueValidator(Decimal("0.000001"))])
    unit = models.CharField(max_length=8, choices=Unit, default=Unit.SECONDS_PER_PIECE)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True, help_text="Empty = until further notice.")

    history = HistoricalRecords()

    class Meta:
        triggers = [noted_change()]
        ordering = ["machine", "product", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                name="ideal_rate_positive",
                condition=Q(value__gt=0),
                violation_error_message="The ideal rate is greater than zero.",
            ),
            models.CheckConstraint(
                name="ideal_rate_validity_not_empty",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                violation_error_message="'Valid until' must be after 'valid from'.",
            ),
            ExclusionConstraint(
                name="one_ideal_rate_at_a_time",
                expressions=[
                    ("product", RangeOperators.EQUAL),
                    ("machine", RangeOperators.EQUAL),
                    (ValidityRange("valid_from", "valid_until", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                violation_error_message=(
                    "The product has a rate on that machine at that time already; end that one first ('valid until')."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} on {self.machine}: {plain_number(self.value)} {self.get_unit_display()}"

    @property
    def ideal_cycle_time(self) -> Fraction:
        """Seconds per piece, exact."""
        value = Fraction(self.value)
        seconds = {"s": 1, "min": 60, "h": 3600}
        left, right = self.unit.split("/")
        return value * seconds[left] if right == "pc" else seconds[right] / value

    def holds_at(self, at: datetime) -> bool:
        """Say whether the rate is the valid one at a moment."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)
