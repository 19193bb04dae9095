"""What things cost by the standard, from a day on: a unit of a product at a site, an hour of a machine or line."""

from decimal import Decimal
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from core.exact import plain_number
from enterprise.models import Line, Machine, Site
from products.models.product import Product, ValidityRange

_NOT_NEGATIVE = [MinValueValidator(Decimal(0))]


class ProductCost(models.Model):
    """What one unit of a product costs at a site by the standard, in the site's currency. Effective-dated."""

    site_paths: ClassVar[tuple[str, ...]] = ("site",)

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="costs")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="product_costs")
    cost = models.DecimalField(
        "standard cost",
        max_digits=18,
        decimal_places=6,
        validators=_NOT_NEGATIVE,
        help_text="Of one of the product's own unit, in the site's currency.",
    )
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True, help_text="Empty = until further notice.")

    history = HistoricalRecords()

    class Meta:
        ordering = ["site", "product", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                name="product_cost_not_negative",
                condition=Q(cost__gte=0),
                violation_error_message="A cost is not negative.",
            ),
            models.CheckConstraint(
                name="product_cost_validity_not_empty",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                violation_error_message="'Valid until' must be after 'valid from'.",
            ),
            ExclusionConstraint(
                name="one_product_cost_at_a_time",
                expressions=[
                    ("product", RangeOperators.EQUAL),
                    ("site", RangeOperators.EQUAL),
                    (ValidityRange("valid_from", "valid_until", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                violation_error_message="The product has a cost at that time already; end that one first.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product}: {plain_number(self.cost)} per {self.product.unit_id}"


class MachineRate(models.Model):
    """What an hour of a line, or of one machine, costs by the standard, in the site's currency. Effective-dated.

    A line's rate stands for all of the line; machines' rates are added up where their line has none.
    """

    site_paths: ClassVar[tuple[str, ...]] = ("line__area__site", "machine__line__area__site")

    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.PROTECT, related_name="cost_rates")
    machine = models.ForeignKey(Machine, null=True, blank=True, on_delete=models.PROTECT, related_name="cost_rates")
    overhead_per_hour = models.DecimalField(
        "overhead per hour",
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=_NOT_NEGATIVE,
        help_text="Energy, depreciation, space … of an hour in which it is taken by an order. Empty = not known.",
    )
    labour_per_hour = models.DecimalField(
        "labour per hour of a person",
        max_digits=18,
        decimal_places=6,
        null=True,
        blank=True,
        validators=_NOT_NEGATIVE,
        help_text="What is planned for one person's hour there. Empty = not known.",
    )
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True, help_text="Empty = until further notice.")

    history = HistoricalRecords()

    class Meta:
        verbose_name = "hourly rate"
        ordering = ["line", "machine", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                name="machine_rate_of_line_or_machine",
                condition=Q(line__isnull=False, machine__isnull=True) | Q(line__isnull=True, machine__isnull=False),
                violation_error_message="Name either a line or a machine.",
            ),
            models.CheckConstraint(
                name="machine_rate_says_something",
                condition=Q(overhead_per_hour__isnull=False) | Q(labour_per_hour__isnull=False),
                violation_error_message="Fill in overhead or labour.",
            ),
            models.CheckConstraint(
                name="machine_rate_validity_not_empty",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                violation_error_message="'Valid until' must be after 'valid from'.",
            ),
            *(
                ExclusionConstraint(
                    name=f"one_rate_of_a_{place}_at_a_time",
                    expressions=[
                        (place, RangeOperators.EQUAL),
                        (ValidityRange("valid_from", "valid_until", RangeBoundary()), RangeOperators.OVERLAPS),
                    ],
                    violation_error_message="There is a rate at that time already; end that one first.",
                )
                for place in ("line", "machine")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line or self.machine} from {self.valid_from:%Y-%m-%d}"
