"""Load what somebody scanned at a machine: the code says the lot, the machine's line says from where."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from core.errors import Conflict, Invalid, NotFound
from core.locks import take_turns
from core.master_data import in_scope
from enterprise.models import Machine
from materials.models import Location, MaterialLot, MaterialTransaction, Stock
from materials.scan import read
from materials.services import Posted, consume
from workorders.models import Operation


@transaction.atomic
def load(
    *,
    code: str,
    operation: Operation,
    machine: Machine,
    actor: User,
    occurred_at: datetime,
    recorded_at: datetime,
    quantity: Decimal | None = None,
    from_location: Location | None = None,
    idempotency_key: str | None = None,
) -> Posted:
    """Use a scanned lot (or a product that is kept without lots) for an operation;
    `quantity=None` = all that lies there.

    From the place that is given, else from where it lies: beside the machine's line first, then where there is most.
    Raises NotFound for a code that is nothing here, Conflict for a product that the order does not take or a lot that
    lies nowhere, and what `consume` raises: expired, in quarantine, held, another one goes first, too little there.
    """
    if idempotency_key:
        take_turns(f"load {idempotency_key}")
        known = MaterialTransaction.objects.filter(idempotency_key=idempotency_key).first()
        if known is not None:
            if known.work_order_id != operation.work_order_id:
                raise Conflict("Something else was booked under that key; it stays.", field="idempotency_key")
            return Posted(known, False)
    order = operation.work_order
    found = read(code, user=actor, today=recorded_at.astimezone(machine.line.area.site.zone).date())
    taken = set(order.materials.filter(quantity_required__gt=0).values_list("product", flat=True))
    here = [lot for lot in found.lots if lot.site_id == machine.line.area.site_id]
    lots = [lot for lot in here if lot.product_id in taken] or here
    if len(lots) > 1:
        raise Conflict(f"'{code}' names several lots; scan a label that says the product too.", field="code")
    lot = lots[0] if lots else None
    product = lot.product if lot is not None else found.product
    if product is None:
        raise NotFound(f"'{code}' is neither a lot nor a product here.", field="code")
    if taken and product.pk not in taken:
        raise Conflict(f"Order {order} does not take {product}.", field="code")
    place, there = _where(lot, product.pk, machine, actor, from_location)
    amount = there if quantity is None else quantity
    if amount <= 0:
        raise Invalid("Say how much.", field="quantity")
    return consume(
        product=product,
        quantity=amount,
        from_location=place,
        work_order=order,
        lot=lot,
        operation_code=operation.code,
        actor=actor,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        idempotency_key=idempotency_key,
    )


def _where(
    lot: MaterialLot | None, product_id: int, machine: Machine, actor: User, chosen: Location | None
) -> tuple[Location, Decimal]:
    """Return the place to take it from, and how much lies there."""
    stock = in_scope(Stock.objects.filter(quantity__gt=0, product=product_id), actor, Stock.site_paths)
    stock = stock.filter(location__site=machine.line.area.site_id, location__is_active=True)
    stock = stock.filter(lot=lot) if lot is not None else stock.filter(lot__isnull=True)
    if chosen is not None:
        row = stock.filter(location=chosen).first()
        return chosen, row.quantity if row is not None else Decimal(0)
    rows = list(stock.select_related("location").order_by("-quantity", "location_id")[:50])
    if not rows:
        raise Conflict("Nothing of it lies anywhere here; book it in first.", field="code")
    beside = [row for row in rows if row.location.line_id == machine.line_id]
    first = (beside or rows)[0]
    return first.location, first.quantity
