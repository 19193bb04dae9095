"""What is wanted, and how orders are cut from it."""

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from core.exact import plain_number
from core.models import append_only
from enterprise.models import Line, Site
from products.models import Product, UnitOfMeasure
from workorders.customer_models import Customer

SMALLEST = Decimal("0.000001")


class Demand(models.Model):
    """So much of a product is wanted at a site by a time: a line of a sales order, or a forecast."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="demands")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="demands")
    quantity = models.DecimalField(max_digits=18, decimal_places=6, validators=[MinValueValidator(SMALLEST)])
    unit = models.ForeignKey(
        UnitOfMeasure,
        to_field="code",
        db_column="unit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What the quantity is in. Empty = the product's own unit.",
    )
    due_at = models.DateTimeField("due")
    customer = models.ForeignKey(
        Customer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="demands",
        help_text="Empty = nobody in particular.",
    )
    sales_order = models.CharField(max_length=64, blank=True)
    external_id = models.CharField(
        max_length=128, unique=True, null=True, blank=True, help_text="What the ERP calls it. Empty = nothing."
    )
    line = models.ForeignKey(
        Line,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Where to make it. Empty = where its product's lot sizing says.",
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Switch off what was delivered or is no longer wanted."
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [models.Index(fields=["site", "product", "due_at"], name="demand_of_product")]
        constraints = [
            models.CheckConstraint(
                name="demand_quantity_positive",
                condition=Q(quantity__gt=0),
                violation_error_message="The quantity is greater than zero.",
            ),
            models.CheckConstraint(
                name="demand_external_id_not_empty",
                condition=Q(external_id__isnull=True) | ~Q(external_id=""),
                violation_error_message="Write what the ERP calls it, or null.",
            ),
        ]

    def __str__(self) -> str:
        return f"{plain_number(self.quantity)} {self.product} by {self.due_at:%Y-%m-%d}"


class DemandOrder(models.Model):
    """So much of a demand is covered by an order that was made for it: in the product's unit. Append-only."""

    site_paths: ClassVar[tuple[str, ...]] = ("demand__site",)

    demand = models.ForeignKey(Demand, on_delete=models.PROTECT, related_name="covered_by")
    order = models.ForeignKey("workorders.WorkOrder", on_delete=models.PROTECT, related_name="covers")
    quantity = models.DecimalField(max_digits=18, decimal_places=6, validators=[MinValueValidator(SMALLEST)])
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["demand", "order"], name="demand_covered_once_by_an_order"),
            models.CheckConstraint(name="demand_covered_positive", condition=Q(quantity__gt=0)),
        ]
        triggers = [append_only("demand_order_append_only")]

    def __str__(self) -> str:
        return f"{plain_number(self.quantity)} by {self.order}"


class LotSizing(models.Model):
    """How a site cuts orders for a product from what is wanted; quantities are in the product's unit."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    class Rule(models.TextChoices):
        LOT_FOR_LOT = "lot_for_lot", _("Lot for lot: as much as is wanted")
        FIXED_LOT = "fixed_lot", _("Fixed lot: whole lots")
        STOCK_LEVEL = "stock_level", _("To stock level: fill up when it falls below the reorder point")

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="lot_sizings")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="lot_sizings")
    line = models.ForeignKey(
        Line,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Where it is made, unless the demand says otherwise.",
    )
    rule = models.CharField(max_length=11, choices=Rule, default=Rule.LOT_FOR_LOT)
    lot_size = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(SMALLEST)],
        help_text="For fixed lots: how much one order makes.",
    )
    minimum = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(SMALLEST)],
        help_text="An order makes at least so much. Empty = no limit.",
    )
    multiple = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(SMALLEST)],
        help_text="An order's quantity is a multiple of it: a full pallet, whole pieces. Empty = any quantity.",
    )
    reorder_point = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="For a stock level: fill up when less than this would be left. Empty = whenever it is not full.",
    )
    stock_level = models.DecimalField(
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="For a stock level: what is filled up to.",
    )
    lead_time_hours = models.PositiveIntegerField(
        "lead time (h)",
        default=0,
        validators=[MaxValueValidator(24 * 400)],
        help_text="An order is planned to start so long before it is due.",
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = "lot sizing"
        verbose_name_plural = "lot sizing"
        ordering = ["site", "product"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "product"],
                name="one_lot_sizing",
                violation_error_message="There is a rule for that product there already; change that one.",
            ),
            models.CheckConstraint(
                name="lot_sizing_fixed_lot_has_a_size",
                condition=~Q(rule="fixed_lot") | Q(lot_size__isnull=False),
                violation_error_message="Say how much a fixed lot is.",
            ),
            models.CheckConstraint(
                name="lot_sizing_stock_level_is_known",
                condition=~Q(rule="stock_level") | Q(stock_level__isnull=False),
                violation_error_message="Say what is filled up to.",
            ),
            models.CheckConstraint(
                name="lot_sizing_reorder_point_below_level",
                condition=Q(reorder_point__isnull=True)
                | Q(stock_level__isnull=True)
                | Q(reorder_point__lte=F("stock_level")),
                violation_error_message="The reorder point is not above the stock level.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} at {self.site}: {self.get_rule_display()}"
