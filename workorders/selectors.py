"""Read orders."""

from fractions import Fraction

from products.units import convert
from workorders.models import WorkOrder


def target_in_product_unit(order: WorkOrder) -> Fraction:
    """Return the target quantity in the unit that the order's product is counted in, exact."""
    if order.product is None or order.unit_id in (None, order.product.unit_id) or order.unit is None:
        return Fraction(order.target_quantity)
    return convert(order.target_quantity, order.unit, order.product.unit, order.product)
