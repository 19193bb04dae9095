"""Say whether the material for planned work will be there: usable stock of a site, first come first served."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from materials.selectors import stock_at_sites
from products.models import Product, StockPolicy


@dataclass(frozen=True, slots=True)
class Need:
    """So much of products, in their own units, at a site at a time. What `takes` is gone for whoever comes later."""

    key: int
    site_id: int
    at: datetime
    day: date
    quantities: dict[int, Fraction]
    takes: bool


@dataclass(frozen=True, slots=True)
class Short:
    """A product of which less will be there than is needed."""

    product: Product
    needed: Fraction
    there: Fraction

    @property
    def missing(self) -> Fraction:
        """By how much it is short."""
        return self.needed - self.there


def shortages(needs: Sequence[Need], *, now: datetime) -> dict[int, list[Short]]:
    """Return what will be short for each need, by its key; nothing = all of it will be there.

    Stock is that of now: released lots that have not expired on the need's day, first expired first, and what is kept
    without lots. Needs come in the order of their time (then key), and each takes from what the earlier ones left. What
    may be negative is never short. Deliveries and what other orders will make do not count: nobody knows them yet.
    """
    product_ids = {product_id for need in needs for product_id in need.quantities}
    products = Product.objects.select_related("unit").in_bulk(product_ids)
    pools: dict[tuple[int, int], list[_Lot]] = defaultdict(list)
    stock = stock_at_sites({need.site_id for need in needs}).filter(product__in=product_ids, quantity__gt=0)
    for row in stock:
        if row.is_usable(now):
            expiry = date.max if row.lot is None or row.lot.expiry_date is None else row.lot.expiry_date
            pools[row.location.site_id, row.product_id].append(_Lot(expiry, row.pk, Fraction(row.quantity)))
    for pool in pools.values():
        pool.sort(key=lambda lot: (lot.expiry, lot.pk))
    found: dict[int, list[Short]] = {}
    for need in sorted(needs, key=lambda need: (need.at, need.key)):
        found[need.key] = []
        for product_id, quantity in sorted(need.quantities.items()):
            there = _take(pools[need.site_id, product_id], quantity, need.day, need.takes)
            product = products[product_id]
            if there < quantity and product.stock_policy != StockPolicy.ALLOW_NEGATIVE:
                found[need.key].append(Short(product, quantity, there))
    return found


@dataclass(slots=True)
class _Lot:
    """What is left of a lot at a place."""

    expiry: date
    pk: int
    quantity: Fraction


def _take(pool: Iterable[_Lot], wanted: Fraction, day: date, takes: bool) -> Fraction:
    there = Fraction(0)
    for lot in pool:
        if lot.expiry >= day and there < wanted:
            part = min(lot.quantity, wanted - there)
            there += part
            if takes:
                lot.quantity -= part
    return there
