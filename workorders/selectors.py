"""Read orders, and what is allowed for changing over to them."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from products.units import convert
from workorders.models import ChangeoverTarget, WorkOrder


def target_in_product_unit(order: WorkOrder) -> Fraction:
    """Return the target quantity in the unit that the order's product is counted in, exact."""
    if order.product is None or order.unit_id in (None, order.product.unit_id) or order.unit is None:
        return Fraction(order.target_quantity)
    return convert(order.target_quantity, order.unit, order.product.unit, order.product)


def target_of(
    targets: Iterable[ChangeoverTarget], from_product_id: int | None, to_product_id: int | None
) -> timedelta | None:
    """Return what the most specific target allows, of targets of one line or of any; None without any that fits.

    Of its line before any line, then the one that names more products, then the one that names the product to make.
    """
    fitting = [
        target
        for target in targets
        if target.from_product_id in (None, from_product_id) and target.to_product_id in (None, to_product_id)
    ]
    if not fitting:
        return None

    def specific(target: ChangeoverTarget) -> tuple[bool, int, bool]:
        names_to = target.to_product_id is not None
        return target.line_id is not None, (target.from_product_id is not None) + names_to, names_to

    minutes: Decimal = max(fitting, key=specific).target_minutes
    return timedelta(microseconds=int(Fraction(minutes) * 60_000_000))
