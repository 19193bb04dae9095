"""Convert quantities between units, exactly."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from core.errors import Invalid
from products.models import Product, ProductUnit, UnitOfMeasure

Quantity = Decimal | Fraction | int


class NoConversion(Invalid):
    """Nothing says how many of the one unit are one of the other."""


def convert(
    quantity: Quantity, from_unit: UnitOfMeasure, to_unit: UnitOfMeasure, product: Product | None = None
) -> Fraction:
    """Return a quantity in another unit, exact.

    Units of one dimension convert by their factors, whatever the product; all others by way of the product's own unit
    and its conversions; whoever converts for many products fetches `units__unit` with them. Raises NoConversion, which
    names both units, when there is no such way.
    """
    exact = Fraction(quantity)
    if from_unit.code == to_unit.code:
        return exact
    if are_related(from_unit, to_unit):
        return exact * from_unit.factor / to_unit.factor
    if product is not None:
        conversions = product.units.all()
        one, other = (_in_own(unit, product, conversions) for unit in (from_unit, to_unit))
        if one is not None and other is not None:
            return exact * one / other
    of = f" of {product}" if product is not None else ""
    raise NoConversion(f"Nothing says how many {to_unit.code}{of} are one {from_unit.code}; add a unit to the product.")


def are_related(one: UnitOfMeasure, other: UnitOfMeasure) -> bool:
    """Whether units convert into each other whatever the product."""
    return one.is_universal and one.dimension == other.dimension


def _in_own(unit: UnitOfMeasure, product: Product, conversions: Iterable[ProductUnit]) -> Fraction | None:
    """Return how many of the product's own unit one of a unit is; None when nothing says so."""
    if unit.code == product.unit_id:
        return Fraction(1)
    if are_related(unit, product.unit):
        return unit.factor / product.unit.factor
    for conversion in conversions:
        if conversion.unit_id == unit.code:
            return conversion.factor
    for conversion in conversions:
        if are_related(unit, conversion.unit):
            return conversion.factor * unit.factor / conversion.unit.factor
    return None
