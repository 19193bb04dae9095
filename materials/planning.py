"""What material knows of orders: what they put in stock, and what is there for what is wanted."""

from collections import defaultdict
from datetime import datetime
from fractions import Fraction

from accounts.models import User
from enterprise.models import Site
from materials.selectors import PRODUCED, SCRAPPED, of_order, stock_at_sites
from products.models import Product, UnitOfMeasure
from products.units import convert
from workorders.demands import Generated, generate_orders
from workorders.models import WorkOrder
from workorders.selectors import Made, knows_what_was_made
from workorders.sorting import resorted_of, sorted_anew


@knows_what_was_made(rank=20)
def booked(order: WorkOrder, now: datetime) -> Made | None:
    """Return what the ledger says an order made of its product, in the order's unit; None when nothing was booked."""
    product = order.product
    if product is None:
        return None
    rows = [row for row in of_order(order) if row["product"] == product.pk]
    sums = {role: sum((Fraction(row["total"]) for row in rows if row["role"] == role), Fraction(0)) for role in _OUT}
    if not any(sums.values()):
        return None
    # What the ledger has as scrap of the order was never in its good pieces.
    decided = [one for one in resorted_of([order.pk]).get(order.pk, ()) if not one.is_booked]
    good, scrap, _ = sorted_anew((sums[PRODUCED], sums[SCRAPPED], None), decided)
    unit = order.unit or product.unit
    return Made(_in(unit, product, good), _in(unit, product, scrap), None, "ledger")


def _in(unit: UnitOfMeasure, product: Product, quantity: Fraction | None) -> Fraction | None:
    return None if quantity is None else convert(quantity, product.unit, unit, product)


_OUT = (PRODUCED, SCRAPPED)


def usable_at(site: Site, *, at: datetime) -> dict[int, Fraction]:
    """Return what may be used at a site at a moment, by product, in the products' units;
    what is negative counts too.
    """
    found: dict[int, Fraction] = defaultdict(Fraction)
    for row in stock_at_sites([site.pk]).exclude(quantity=0).iterator(chunk_size=2000):
        if row.is_usable(at):
            found[row.product_id] += Fraction(row.quantity)
    return dict(found)


def generate(
    *, site: Site, until: datetime, at: datetime, actor: User | None = None, dry_run: bool = False
) -> Generated:
    """Make the orders that a site needs beyond what is in stock (`workorders.demands.generate_orders`)."""
    stock = usable_at(site, at=at)
    return generate_orders(site=site, until=until, at=at, actor=actor, stock=stock, dry_run=dry_run)
