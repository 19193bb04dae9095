"""What was decided about pieces after they were counted: good ones that became scrap, scrap that is used after all."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

GOOD, SCRAP, REWORK = "good", "scrap", "rework"
Parts = tuple[Fraction | None, Fraction | None, Fraction | None]
"""Good pieces, scrap and rework; None = nobody knows."""


@dataclass(frozen=True, slots=True)
class Resorted:
    """So many pieces of an order, in its product's unit, are counted as something else from now on.

    `operation_code` says where they were made; empty = at the last operation. `is_booked` = the ledger has it as scrap
    of the order.
    """

    order_id: int
    operation_code: str
    decided_at: datetime
    was: str
    becomes: str
    quantity: Fraction
    is_booked: bool = False


Decider = Callable[[Collection[int]], Iterable[Resorted]]
_deciders: list[Decider] = []


def decides_about_pieces(decider: Decider) -> Decider:
    """Declare who knows what was decided, of an app above; called with ids of orders,
    whatever their number in few queries.
    """
    _deciders.append(decider)
    return decider


def resorted_of(order_ids: Iterable[int]) -> dict[int, list[Resorted]]:
    """Return what was decided about pieces of orders, by order id; an order of which nothing was decided is absent."""
    ids = set(order_ids)
    found: dict[int, list[Resorted]] = defaultdict(list)
    if ids:
        for decider in _deciders:
            for one in decider(ids):
                found[one.order_id].append(one)
    return dict(found)


def sorted_anew(parts: Parts, decided: Iterable[Resorted], *, per_unit: Fraction = Fraction(1)) -> Parts:
    """Return good, scrap and rework with what was decided; `per_unit` of the product's unit make one of theirs.

    What is unknown stays unknown. The sum of the three stays what it was.
    """
    found = dict(zip((GOOD, SCRAP, REWORK), parts, strict=True))
    for one in decided:
        quantity = one.quantity / per_unit
        for role, change in ((one.was, -quantity), (one.becomes, quantity)):
            so_far = found[role]
            found[role] = None if so_far is None else so_far + change
    return found[GOOD], found[SCRAP], found[REWORK]
