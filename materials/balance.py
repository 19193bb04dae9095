"""What went into an order against what came out of it, unit by unit."""

from dataclasses import dataclass
from decimal import Decimal

from materials.selectors import PRODUCED, RETURNED, SCRAPPED, USED, of_order
from workorders.models import WorkOrder


@dataclass(frozen=True, slots=True)
class Balance:
    """The quantities of one unit, exact.

    `went_in` = used − returned, `came_out` = produced + scrapped in process; what is not among them is work in process,
    or lost. `within` is None where one side is missing: kilograms are not compared with pieces.
    """

    unit: str
    used: Decimal
    returned: Decimal
    produced: Decimal
    scrapped: Decimal
    tolerance: Decimal

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


def mass_balance(work_order: WorkOrder, *, tolerance: Decimal = Decimal("0.02")) -> list[Balance]:
    """Return the balance of each unit that the order used or made something in. `tolerance`: 0.02 = 2 % of what went in."""
    sums: dict[str, dict[str, Decimal]] = {}
    for row in of_order(work_order):
        by_role = sums.setdefault(row["unit"], {})
        by_role[row["role"]] = by_role.get(row["role"], Decimal(0)) + row["total"]
    zero = Decimal(0)
    return [
        Balance(
            unit,
            roles.get(USED, zero),
            roles.get(RETURNED, zero),
            roles.get(PRODUCED, zero),
            roles.get(SCRAPPED, zero),
            tolerance,
        )
        for unit, roles in sorted(sums.items())
    ]
