"""Which part of its order each entry of the schedule makes."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from core.intervals import microseconds
from workorders.models import Schedule


def shares_of(entries: Iterable[Schedule], target: Fraction) -> dict[int, Fraction]:
    """Return which part of an order's target each of its entries of production makes, by its id;
    cancelled ones left out.

    Those for the same operation share among themselves: one that says its quantity makes that, the others share what is
    left by planned time. `target` is in the order's unit, as quantities of entries are.
    """
    groups: dict[int | None, list[Schedule]] = defaultdict(list)
    for entry in entries:
        groups[entry.operation_id].append(entry)
    found = {}
    for group in groups.values():
        said = sum((Fraction(one.planned_quantity) for one in group if one.planned_quantity), start=Fraction(0))
        left = max(Fraction(0), target - said)
        time = sum(_length(one) for one in group if one.planned_quantity is None)
        for one in group:
            quantity = Fraction(one.planned_quantity) if one.planned_quantity else left * _length(one) / time
            found[one.pk] = quantity / target
    return found


def _length(entry: Schedule) -> int:
    return microseconds(entry.planned_end_at - entry.planned_start_at)
