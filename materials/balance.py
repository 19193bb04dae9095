"""What went into an order against what came out of it, unit by unit."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from materials.ledger import to_millionths
from materials.selectors import PRODUCED, RETURNED, SCRAPPED, USED, of_order
from products.models import Product, UnitOfMeasure
from products.units import NoConversion, are_related, convert
from workorders.models import WorkOrder


@dataclass(frozen=True, slots=True)
class Balance:
    """The quantities of one unit.

    `went_in` = used − returned, `came_out` = produced + scrapped in process; what is not among them is work in process,
    or lost. `within` is None where one side is missing: kilograms
    are compared with pieces only where the product says what a piece weighs.
    """

    unit: str
    used: Decimal
    returned: Decimal
    produced: Decimal
    scrapped: Decimal
    tolerance: Decimal
    converted_from: tuple[str, ...] = ()
    """Other units of which something is in it, converted exactly and rounded once to the sixth decimal."""

    @property
    def went_in(self) -> Decimal:
        """What the order used, net."""
        return self.used - self.returned

    @property
    def came_out(self) -> Decimal:
        """What the order made, good or not."""
        return self.produced + self.scrapped

    @property
    def is_comparable(self) -> bool:
        """Whether both sides are known in this unit."""
        return self.went_in > 0 and self.came_out > 0

    @property
    def difference(self) -> Decimal | None:
        """What went in and did not come out; negative when more came out."""
        return self.went_in - self.came_out if self.is_comparable else None

    @property
    def within(self) -> bool | None:
        """Whether the difference is at most the tolerance's part of what went in."""
        return None if self.difference is None else abs(self.difference) <= self.tolerance * self.went_in

    @property
    def material_yield(self) -> Decimal | None:
        """Produced by what went in, to six decimals; the product's own unit only."""
        return (self.produced / self.went_in).quantize(Decimal("0.000001")) if self.is_comparable else None


DEFAULT_TOLERANCE = Decimal("0.02")


def mass_balance(work_order: WorkOrder, *, tolerance: Decimal | None = None) -> list[Balance]:
    """Return a balance in each unit that the order used or made something in, units of one dimension being one.

    What was moved in another unit takes part where its product says how to convert, so what is made in pieces is also
    weighed against what went in by kilograms. `tolerance`: 0.02 = 2 % of what went in; None = as the product that is
    made says, or 2 %.
    """
    if tolerance is None:
        of_product = work_order.product.balance_tolerance if work_order.product else None
        tolerance = DEFAULT_TOLERANCE if of_product is None else of_product
    rows = list(of_order(work_order))
    products = Product.objects.select_related("unit").prefetch_related("units__unit")
    by_id = products.in_bulk({row["product"] for row in rows})
    units = {unit.code: unit for unit in UnitOfMeasure.objects.filter(code__in={row["unit"] for row in rows})}
    found: list[Balance] = []
    for code in sorted({row["unit"] for row in rows}):
        unit = units.get(code)
        if unit is not None and any(
            are_related(units[balance.unit], unit) for balance in found if balance.unit in units
        ):
            continue
        sums: dict[str, Fraction] = {role: Fraction(0) for role in (USED, RETURNED, PRODUCED, SCRAPPED)}
        others: set[str] = set()
        for row in rows:
            quantity = (
                Fraction(row["total"])
                if row["unit"] == code
                else _in(unit, units.get(row["unit"]), row, by_id[row["product"]])
            )
            if quantity is not None:
                sums[row["role"]] += quantity
                others |= {row["unit"]} - {code}
        found.append(
            Balance(
                unit=code,
                used=to_millionths(sums[USED]),
                returned=to_millionths(sums[RETURNED]),
                produced=to_millionths(sums[PRODUCED]),
                scrapped=to_millionths(sums[SCRAPPED]),
                tolerance=tolerance,
                converted_from=tuple(sorted(others)),
            )
        )
    return found


def _in(unit: UnitOfMeasure | None, of: UnitOfMeasure | None, row: Any, product: Product) -> Fraction | None:
    if unit is None or of is None:
        return None
    try:
        return convert(row["total"], of, unit, product)
    except NoConversion:
        return None
