"""What quality asks of lots, and does to them."""

from datetime import datetime

from accounts.models import User
from materials.lots import TRANSITIONS, change_lot_status
from materials.models import LotStatus, MaterialLot
from products.models import Product
from workorders.models import WorkOrder


def product_of(product: Product | None, lot: MaterialLot | None, order: WorkOrder | None) -> Product | None:
    """Return the product that is meant: the one that is named, or else the lot's, or the order's."""
    return product or (lot.product if lot else None) or (order.product if order else None)


def hold_lot(lot: MaterialLot | None, *, reason: str, actor: User, at: datetime) -> None:
    """Put a lot, if there is one, on hold, unless what it is by now does not allow for that."""
    if lot is None:
        return
    lot = MaterialLot.objects.get(pk=lot.pk)
    if LotStatus.HOLD in TRANSITIONS[lot.status]:
        change_lot_status(lot=lot, to_status=LotStatus.HOLD, reason=reason[:500], actor=actor, changed_at=at)
