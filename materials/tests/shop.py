"""A small factory for tests of materials: one site, two places, orders, and one who does it all."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from enterprise.models import Line
from materials import services
from materials.lots import NewLot
from materials.models import Kind, Location, MaterialLot, MaterialTransaction, Stock
from materials.services import Posted
from products.models import Product
from tests.factories import make_line, make_location, make_product, make_user, make_work_order
from workorders.models import WorkOrder

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)

_ACTIONS = {
    Kind.RECEIVE: services.receive,
    Kind.ISSUE: services.issue,
    Kind.CONSUME: services.consume,
    Kind.PRODUCE: services.produce,
    Kind.RETURN: services.return_to_stock,
    Kind.SCRAP: services.scrap,
    Kind.SHIP: services.ship,
    Kind.MOVE: services.move,
    Kind.ADJUST: services.adjust,
}


class Shop:
    """Everything in one place; `said` is who and when."""

    def __init__(self) -> None:
        self.line: Line = make_line()
        self.site = self.line.area.site
        self.store: Location = make_location(site=self.site, name="Store")
        self.side: Location = make_location(site=self.site, name="Line side", kind="line_side")
        self.anna = make_user("operator", site=self.site)
        self.said: dict[str, Any] = {"actor": self.anna, "occurred_at": AT, "recorded_at": AT}

    def product(self, **overrides: Any) -> Product:
        return make_product(**{"lot_controlled": True, "unit_id": "kg", **overrides})

    def order(self, **overrides: Any) -> WorkOrder:
        return make_work_order(line=self.line, **overrides)

    def lot(self, number: str, product: Product, quantity: Any = 10, **overrides: Any) -> MaterialLot:
        """Receive a released lot into the store."""
        new = NewLot(number=number, **{"status": "released", **overrides})
        posted = self.do("receive", product, quantity, to_location=self.store, lot=new)
        assert posted.transaction.lot is not None
        return posted.transaction.lot

    def do(self, kind: str, product: Product, quantity: Any, **more: Any) -> Posted:
        action: Any = _ACTIONS[Kind(kind)]
        posted: Posted = action(product=product, quantity=Decimal(quantity), **{**self.said, **more})
        return posted

    def use(self, lot: MaterialLot, quantity: Any, order: WorkOrder, **more: Any) -> MaterialTransaction:
        return self.do(
            "consume", lot.product, quantity, lot=lot, from_location=self.store, work_order=order, **more
        ).transaction

    def make(self, number: str, product: Product, quantity: Any, order: WorkOrder, **more: Any) -> MaterialLot:
        posted = self.do(
            "produce", product, quantity, lot=NewLot(number=number), to_location=self.store, work_order=order, **more
        )
        assert posted.transaction.lot is not None
        return posted.transaction.lot

    def undo(self, fact: MaterialTransaction, **more: Any) -> MaterialTransaction:
        return services.reverse(transaction=fact, **{**self.said, "reason": "A mistake.", **more}).transaction

    def there(self, lot: MaterialLot, location: Location | None = None) -> Decimal:
        row = Stock.objects.filter(lot=lot, location=location or self.store).first()
        return row.quantity if row else Decimal(0)
