"""Book what must have been used, from what was made: requirements × quantity, first expired first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from django.db import transaction

from accounts.models import User
from core.errors import Conflict, Invalid
from core.locks import take_turns
from materials import genealogy
from materials.ledger import Movement, amount, lock_lots, lock_order, lock_stock, post
from materials.models import SMALLEST, Kind, Location, MaterialLot, MaterialTransaction, Stock
from materials.selectors import pick
from materials.services import MAX_QUANTITY
from products.models import Product, StockPolicy
from workorders.models import WorkOrder
from workorders.services import refuse_work


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one produced unit needs of a product, in that product's unit."""

    product: Product
    quantity_per_unit: Decimal
    operation_code: str = ""


class OnShortage(StrEnum):
    """What to do when less is there than must have been used."""

    REFUSE = "refuse"
    TAKE = "take"


@dataclass(frozen=True, slots=True)
class Shortage:
    """A product of which less was there than is required."""

    product: Product
    required: Decimal
    taken: Decimal

    @property
    def missing(self) -> Decimal:
        """What is not booked."""
        return self.required - self.taken


@dataclass(frozen=True, slots=True)
class Backflush:
    """What a back-flush booked, what was missing, and whether it is new."""

    transactions: list[MaterialTransaction]
    shortages: list[Shortage]
    is_new: bool


@transaction.atomic
def backflush(
    *,
    work_order: WorkOrder,
    produced_quantity: Decimal,
    requirements: Sequence[Requirement],
    location: Location,
    on_shortage: str = OnShortage.REFUSE,
    actor: User,
    occurred_at: datetime,
    recorded_at: datetime,
    idempotency_key: str | None = None,
) -> Backflush:
    """Consume for an order what its production must have used, from one place, first expired first.

    Required is quantity per unit × produced quantity, rounded to the sixth decimal, half to even. A shortage is refused
    with Conflict, all of them named, or taken as far as it goes and reported; what may be negative is booked whole.
    A retry with the same key answers what the first one did.
    """
    required = _required(requirements, produced_quantity)
    if idempotency_key:
        take_turns(f"material transaction {idempotency_key}")
        known = _known(idempotency_key)
        if known:
            return Backflush(known, _shortages(required, known, work_order, idempotency_key), False)
    if location.site_id != work_order.line.area.site_id:
        raise Invalid(f"Order {work_order} is of another site than {location}.", field="location")
    order = lock_order(work_order)
    if order.status in (WorkOrder.Status.CLOSED, WorkOrder.Status.CANCELLED):
        raise Conflict(f"Order {order} is {order.status}; nothing more can be booked to it.", field="work_order")
    if order.status == WorkOrder.Status.ON_HOLD:
        refuse_work(order)
    products = [requirement.product for requirement in required]
    at_hand = Stock.objects.filter(product__in=products, location=location)
    lots = set(at_hand.filter(lot__isnull=False).values_list("lot", flat=True)) | genealogy.lots_met(order)
    held = lock_lots(lots)
    # Lots that arrive from here on are not held, and are left for the next time.
    keys = at_hand.values_list("product", "lot", "location")
    lock_stock((product, lot or 0, place) for product, lot, place in keys if lot is None or lot in held)
    movements, shortages = _plan(required, order, location, set(held), occurred_at)
    if shortages and on_shortage == OnShortage.REFUSE:
        raise Conflict(
            " ".join(
                f"{short.product}: {amount(short.required)} {short.product.unit_id} needed at {location},"
                f" {amount(short.taken)} to be used there."
                for short in shortages
            ),
            field="requirements",
        )
    numbered = [
        movement if not idempotency_key else _with_key(movement, f"{idempotency_key}/{number}")
        for number, movement in enumerate(movements, 1)
    ]
    facts = post(numbered, actor=actor, occurred_at=occurred_at, recorded_at=recorded_at)
    for fact in facts:
        genealogy.follow(fact)
    return Backflush(facts, shortages, True)


def _required(requirements: Sequence[Requirement], produced: Decimal) -> list[Requirement]:
    """Return what is needed in all, the rows of one product and operation added up."""
    if not requirements:
        raise Invalid("Say what one unit needs.", field="requirements")
    if not produced.is_finite() or not SMALLEST <= produced < MAX_QUANTITY:
        raise Invalid("The produced quantity is greater than zero.", field="produced_quantity")
    totals: dict[tuple[int, str], Requirement] = {}
    for row in requirements:
        if not row.quantity_per_unit.is_finite() or not SMALLEST <= row.quantity_per_unit < MAX_QUANTITY:
            raise Invalid(f"What a unit needs of {row.product} is greater than zero.", field="requirements")
        key = (row.product.pk, row.operation_code)
        before = totals[key].quantity_per_unit if key in totals else Decimal(0)
        totals[key] = Requirement(row.product, before + row.quantity_per_unit, row.operation_code)
    whole = [
        Requirement(
            row.product,
            (row.quantity_per_unit * produced).quantize(SMALLEST, ROUND_HALF_EVEN),
            row.operation_code,
        )
        for row in totals.values()
    ]
    for row in whole:
        if not SMALLEST <= row.quantity_per_unit < MAX_QUANTITY:
            raise Invalid(f"What is needed of {row.product} is too little or too much to book.", field="requirements")
    return whole


def _plan(
    required: Sequence[Requirement], order: WorkOrder, location: Location, lot_ids: set[int], at: datetime
) -> tuple[list[Movement], list[Shortage]]:
    movements: list[Movement] = []
    shortages: list[Shortage] = []
    planned: dict[tuple[int, int | None], Decimal] = {}
    for row in required:
        product, missing = row.product, row.quantity_per_unit
        # What rows before took of the same product is no longer there.
        before = sum((q for (of, _), q in planned.items() if of == product.pk), Decimal(0))
        found = pick(product=product, quantity=missing + before, location=location, at=at, lot_ids=lot_ids)
        for take in found.takes:
            key = (product.pk, take.lot.pk if take.lot else None)
            free = min(take.there - planned.get(key, Decimal(0)), missing)
            if free > 0:
                planned[key] = planned.get(key, Decimal(0)) + free
                missing -= free
                movements.append(_consumption(row, free, take.lot, order, location))
        if missing > 0 and product.stock_policy == StockPolicy.ALLOW_NEGATIVE and not product.lot_controlled:
            movements.append(_consumption(row, missing, None, order, location))
        elif missing > 0:
            shortages.append(Shortage(product, row.quantity_per_unit, row.quantity_per_unit - missing))
    return movements, shortages


def _consumption(
    row: Requirement, quantity: Decimal, lot: MaterialLot | None, order: WorkOrder, location: Location
) -> Movement:
    return Movement(
        kind=Kind.CONSUME,
        product=row.product,
        quantity=quantity,
        lot=lot,
        from_location=location,
        work_order=order,
        operation_code=row.operation_code,
        reason="Back-flushed",
    )


def _with_key(movement: Movement, key: str) -> Movement:
    return replace(movement, idempotency_key=key)


def _known(key: str) -> list[MaterialTransaction]:
    rows = MaterialTransaction.objects.filter(idempotency_key__startswith=f"{key}/")
    return list(rows.select_related("product", "lot", "from_location", "work_order").order_by("pk"))


def _shortages(
    required: Sequence[Requirement], known: Sequence[MaterialTransaction], work_order: WorkOrder, key: str
) -> list[Shortage]:
    """Return what was missing when a request was answered first; raise Conflict when it was another request."""
    taken: dict[tuple[int, str], Decimal] = {}
    for fact in known:
        of = (fact.product_id, fact.operation_code)
        taken[of] = taken.get(of, Decimal(0)) + fact.quantity
    wanted = {(row.product.pk, row.operation_code): row.quantity_per_unit for row in required}
    same = all(fact.work_order_id == work_order.pk for fact in known)
    if not same or any(quantity > wanted.get(of, Decimal(0)) for of, quantity in taken.items()):
        raise Conflict(f"Another back-flush was booked under the key '{key}'; it stays.", field="idempotency_key")
    return [
        Shortage(row.product, row.quantity_per_unit, taken.get((row.product.pk, row.operation_code), Decimal(0)))
        for row in required
        if taken.get((row.product.pk, row.operation_code), Decimal(0)) < row.quantity_per_unit
    ]
