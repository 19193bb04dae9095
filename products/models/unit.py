"""Units of measure, each an exact multiple of its dimension's base unit."""

from fractions import Fraction
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


class UnitOfMeasure(models.Model):
    """What a quantity is counted or measured in (ISA-95: Unit of Measure).

    Its code is its name in files and over REST.
    """

    class Dimension(models.TextChoices):
        COUNT = "count", _("Count (pcs)")
        MASS = "mass", _("Mass (kg)")
        VOLUME = "volume", _("Volume (l)")
        LENGTH = "length", _("Length (m)")
        AREA = "area", _("Area (m²)")
        TIME = "time", _("Time (s)")
        ENERGY = "energy", _("Energy (kWh)")
        OTHER = "other", _("Other: converts only as a product says")

    code = models.CharField(max_length=20, unique=True, help_text="As it is written behind a number: pcs, kg, bottle.")
    name = models.CharField(max_length=100)
    dimension = models.CharField(
        max_length=8,
        choices=Dimension,
        default=Dimension.OTHER,
        help_text="Units of one dimension convert into each other. Bottle, case and pallet are 'other': what they"
        " hold depends on the product.",
    )
    numerator = models.PositiveBigIntegerField(
        "one is",
        default=1,
        validators=[MinValueValidator(1)],
        help_text="One unit is this many base units of its dimension, divided by the next number: g = 1 / 1000 kg.",
    )
    denominator = models.PositiveBigIntegerField("divided by", default=1, validators=[MinValueValidator(1)])
    is_active = models.BooleanField("active", default=True, help_text="Switch off instead of deleting what has a past.")

    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["dimension", "code"]
        verbose_name = "unit of measure"
        verbose_name_plural = "units of measure"
        constraints = [
            models.CheckConstraint(
                name="unit_factor_positive",
                condition=Q(numerator__gt=0, denominator__gt=0),
                violation_error_message="The factor is greater than zero.",
            ),
            models.CheckConstraint(
                name="unit_has_a_code", condition=~Q(code=""), violation_error_message="Fill in the code."
            ),
        ]

    site_paths = ()

    def __str__(self) -> str:
        return self.code

    @property
    def factor(self) -> Fraction:
        """Base units of the dimension in one of these, exact."""
        return Fraction(self.numerator, self.denominator)

    @property
    def is_universal(self) -> bool:
        """Whether it converts into others of its dimension whatever the product."""
        return self.dimension != self.Dimension.OTHER


_D = UnitOfMeasure.Dimension
STANDARD_UNITS: tuple[tuple[str, str, str, int, int], ...] = (
    ("pcs", "piece", _D.COUNT, 1, 1),
    ("dz", "dozen", _D.COUNT, 12, 1),
    ("kg", "kilogram", _D.MASS, 1, 1),
    ("g", "gram", _D.MASS, 1, 1_000),
    ("mg", "milligram", _D.MASS, 1, 1_000_000),
    ("t", "tonne", _D.MASS, 1_000, 1),
    ("lb", "pound", _D.MASS, 45_359_237, 100_000_000),
    ("oz", "ounce", _D.MASS, 45_359_237, 1_600_000_000),
    ("l", "litre", _D.VOLUME, 1, 1),
    ("ml", "millilitre", _D.VOLUME, 1, 1_000),
    ("cl", "centilitre", _D.VOLUME, 1, 100),
    ("hl", "hectolitre", _D.VOLUME, 100, 1),
    ("m3", "cubic metre", _D.VOLUME, 1_000, 1),
    ("m", "metre", _D.LENGTH, 1, 1),
    ("mm", "millimetre", _D.LENGTH, 1, 1_000),
    ("cm", "centimetre", _D.LENGTH, 1, 100),
    ("km", "kilometre", _D.LENGTH, 1_000, 1),
    ("in", "inch", _D.LENGTH, 127, 5_000),
    ("ft", "foot", _D.LENGTH, 381, 1_250),
    ("m2", "square metre", _D.AREA, 1, 1),
    ("cm2", "square centimetre", _D.AREA, 1, 10_000),
    ("s", "second", _D.TIME, 1, 1),
    ("min", "minute", _D.TIME, 60, 1),
    ("h", "hour", _D.TIME, 3_600, 1),
    ("d", "day of 24 hours", _D.TIME, 86_400, 1),
    ("kWh", "kilowatt-hour", _D.ENERGY, 1, 1),
    ("MJ", "megajoule", _D.ENERGY, 5, 18),
    ("%", "percent", _D.OTHER, 1, 1),
    ("°C", "degree Celsius", _D.OTHER, 1, 1),
    ("bar", "bar", _D.OTHER, 1, 1),
    ("rpm", "revolutions per minute", _D.OTHER, 1, 1),
)
"""Code, name, dimension, numerator and denominator of what every plant has. Pound and inch as defined in 1959."""
