"""Cut orders from what is wanted: fixed lots, lot for lot, or to a stock level. Pure: no database, no clock, exact."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

MILLIONTH = Fraction(1, 10**6)
MAX_ORDERS = 10_000
LOT_FOR_LOT, FIXED_LOT, STOCK_LEVEL = "lot_for_lot", "fixed_lot", "stock_level"


class TooManyOrders(Exception):
    """The rule would cut more orders than anybody meant."""


@dataclass(frozen=True, slots=True)
class Want:
    """A demand, as far as no order was made for it: in the product's unit."""

    demand_id: int
    open: Fraction
    due_at: datetime
    line_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A product's rule at a site; quantities in the product's unit."""

    rule: str
    lot_size: Fraction | None = None
    minimum: Fraction | None = None
    multiple: Fraction | None = None
    reorder_point: Fraction | None = None
    stock_level: Fraction | None = None


@dataclass(slots=True)
class Cut:
    """An order to make, and how much of it is for which demand."""

    quantity: Fraction
    due_at: datetime
    line_id: int | None = None
    covers: dict[int, Fraction] = field(default_factory=dict)


def cut_orders(wants: Sequence[Want], *, supply: Fraction, rule: Rule, now: datetime) -> list[Cut]:
    """Return the orders that cover all wants beyond the free supply, in the order in which they are due.

    `supply` is what is in stock or on order and meant for nobody. What an order makes beyond its want is supply for
    the next. With a stock level, one more order fills up when less than the reorder point is left in the end. Raises
    TooManyOrders beyond 10,000.
    """
    cuts: list[Cut] = []
    balance = supply
    for want in sorted(wants, key=lambda want: (want.due_at, want.demand_id)):
        taken = min(max(balance, Fraction(0)), want.open)
        short = want.open - taken
        balance -= taken
        if short <= 0:
            continue
        for quantity in _quantities(short, rule):
            cut = Cut(quantity, want.due_at, want.line_id)
            part = min(short, quantity)
            if part > 0:
                cut.covers[want.demand_id] = part
            short -= part
            balance += quantity - part
            cuts.append(cut)
        if len(cuts) > MAX_ORDERS:
            raise TooManyOrders
    if rule.rule == STOCK_LEVEL and rule.stock_level is not None:
        point = rule.stock_level if rule.reorder_point is None else rule.reorder_point
        if balance < point:
            due = max((want.due_at for want in wants), default=now)
            cuts.append(Cut(_rounded(rule.stock_level - balance, rule), due))
    return cuts


def _quantities(short: Fraction, rule: Rule) -> list[Fraction]:
    """Return what the orders for a shortage make: together never less than it."""
    if rule.rule == FIXED_LOT and rule.lot_size:
        lots = -(-short // rule.lot_size)
        if lots > MAX_ORDERS:
            raise TooManyOrders
        return [rule.lot_size] * int(lots)
    if rule.rule == STOCK_LEVEL and rule.stock_level is not None:
        return [_rounded(short + rule.stock_level, rule)]
    return [_rounded(short, rule)]


def _rounded(quantity: Fraction, rule: Rule) -> Fraction:
    """Return a quantity raised to the minimum and to a whole multiple, and to a millionth."""
    least = max(quantity, rule.minimum or Fraction(0))
    step = rule.multiple or MILLIONTH
    return -(-least // step) * step
