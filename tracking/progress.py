"""What units mean for their order: told to whoever books operations,
and asked by whoever wants to know what was made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db.models import Count, Q

from accounts.models import User
from core.errors import Invalid
from products.units import convert
from tracking.models import SerialUnit
from tracking.state import UnitStatus
from workorders.models import Operation, WorkOrder
from workorders.selectors import Made, knows_what_was_made


@dataclass(frozen=True, slots=True)
class Progress:
    """A unit came through an operation of its order, or was lost at it: a good piece more, or a scrapped one.

    A unit is lost at the last operation that it reached; where it had come through that one, its good piece is none any
    more. Told once of each. `at` is when it happened, `reason` why it was scrapped.
    """

    unit: SerialUnit
    operation: Operation
    is_scrap: bool
    actor: User
    at: datetime
    recorded_at: datetime
    reason: str = ""


Listener = Callable[[Progress], None]
_listeners: list[Listener] = []


def books_progress(listener: Listener) -> Listener:
    """Declare a service of an app above that books what operations make; called in the unit's own transaction.

    The unit is locked then: what belongs to its order is locked after it.
    """
    _listeners.append(listener)
    return listener


def tell(progress: Progress) -> None:
    """Tell all who book it."""
    for listener in _listeners:
        listener(progress)


@knows_what_was_made(rank=5)
def made_by_units(order: WorkOrder, now: datetime) -> Made | None:
    """Return what an order made by its units, in its own unit; None when none are tracked or it is not known."""
    finished = Q(status__in=[UnitStatus.FINISHED, UnitStatus.DISPATCHED])
    scrapped = Q(status=UnitStatus.SCRAPPED)
    found = SerialUnit.objects.filter(order=order).aggregate(
        total=Count("id"), good=Count("id", filter=finished), scrap=Count("id", filter=scrapped)
    )
    if not found["total"]:
        return None
    try:
        good, scrap = (_in_order_unit(order, found[name]) for name in ("good", "scrap"))
    except Invalid:
        return None
    return Made(good, scrap, None, "serial units")


def _in_order_unit(order: WorkOrder, pieces: int) -> Fraction:
    if order.product is None or order.unit is None or order.unit_id == order.product.unit_id:
        return Fraction(pieces)
    return convert(pieces, order.product.unit, order.unit, order.product)
