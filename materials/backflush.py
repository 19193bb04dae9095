"""Book what must have been used, from what was made: requirements × quantity, first expired first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from fractions import Fraction

from django.db import transaction

from accounts.models import User
from core.errors import Conflict, Invalid
from core.exact import plain_number
from core.locks import take_turns
from materials import genealogy
from materials.backflush_policy import due_rows
from materials.ledger import BACK_FLUSHED, Movement, Said, lock_lots, lock_order, lock_stock, post, to_millionths
from materials.lots import NewLot, find_or_make
from materials.models import SMALLEST, Kind, Location, MaterialLot, MaterialTransaction, Stock
from materials.selectors import pick
from materials.services import MAX_QUANTITY, exact_in_own_unit, refuse_finished, refuse_quantity
from products.models import Product, StockPolicy
from workorders.models import Operation, WorkOrder
from workorders.selectors import target_in_product_unit


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one produced unit needs of a product, in that product's unit."""

    product: Product
    quantity_per_unit: Decimal
    operation_code: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """What a production needs of a product in all, in that product's unit; negative = it comes out."""

    product: Product
    quantity: Decimal
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
    """What a back-flush booked, what was missing, whether it is new, and whether it was the moment to book at all."""

    transactions: list[MaterialTransaction]
    shortages: list[Shortage]
    is_new: bool
    is_due: bool = True


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
    return _book(
        _required(requirements, produced_quantity),
        work_order=work_order,
        location=location,
        on_shortage=on_shortage,
        said={
            "actor": actor,
            "occurred_at": occurred_at,
            "recorded_at": recorded_at,
            "idempotency_key": idempotency_key,
        },
    )


@transaction.atomic
def backflush_of_order(
    *,
    work_order: WorkOrder,
    produced_quantity: Decimal,
    operation: Operation | None = None,
    unit: str = "",
    location: Location,
    on_shortage: str = OnShortage.REFUSE,
    actor: User,
    occurred_at: datetime,
    recorded_at: datetime,
    idempotency_key: str | None = None,
) -> Backflush:
    """Book what a report of production must have used and yielded beside, from what the order keeps of its bill.

    Required is what is planned for the order / its target × the produced quantity (in the product's own unit, or in
    `unit`), exact and then rounded to the sixth decimal. `operation` = who reports; None = the order as a whole. The
    policy (`backflush_mode`) says which rows are due then; with none due, nothing is booked and `is_due` is False.
    By-products are produced at the same place; one that is kept by lots goes into the lot of the order's lot number, or
    of its order number. Raises Invalid when the order keeps no materials.
    """
    rows = due_rows(work_order, operation)
    if rows is None:
        return Backflush([], [], False, is_due=False)
    refuse_quantity(produced_quantity, field="produced_quantity")
    product = work_order.product
    made = Fraction(produced_quantity) if product is None else exact_in_own_unit(product, produced_quantity, unit)
    target = target_in_product_unit(work_order)
    shares: dict[tuple[Product, str], Fraction] = defaultdict(Fraction)
    for row in rows:
        code = row.operation.code if row.operation else ""
        shares[row.product, code] += Fraction(row.quantity_required) / target * made
    required = [Total(product, to_millionths(share), code) for (product, code), share in shares.items()]
    for total in required:
        if abs(total.quantity) >= MAX_QUANTITY:
            raise Invalid(f"What is needed of {total.product} is too much to book.", field="produced_quantity")
    # Less than a millionth of a unit is nothing that could be booked.
    return _book(
        [total for total in required if total.quantity],
        work_order=work_order,
        location=location,
        on_shortage=on_shortage,
        said={
            "actor": actor,
            "occurred_at": occurred_at,
            "recorded_at": recorded_at,
            "idempotency_key": idempotency_key,
        },
    )


def _book(
    totals: Sequence[Total], *, work_order: WorkOrder, location: Location, on_shortage: str, said: Said
) -> Backflush:
    """Write what is used, and what comes out beside (negative), as one request."""
    key = said.get("idempotency_key")
    required = [total for total in totals if total.quantity > 0]
    yielded = [replace(total, quantity=-total.quantity) for total in totals if total.quantity < 0]
    if key:
        take_turns(f"material transaction {key}")
        known = _known(key)
        if known:
            return Backflush(known, _shortages(required, yielded, known, work_order, key), False)
    if location.site_id != work_order.line.area.site_id:
        raise Invalid(f"Order {work_order} is of another site than {location}.", field="location")
    order = lock_order(work_order)
    refuse_finished(order, Kind.CONSUME)
    by_products = [_by_product(total, order, location, said) for total in yielded]
    products = [total.product for total in required]
    at_hand = Stock.objects.filter(product__in=products, location=location)
    lots = set(at_hand.filter(lot__isnull=False).values_list("lot", flat=True)) | genealogy.lots_met(order)
    held = lock_lots(lots | {movement.lot.pk for movement in by_products if movement.lot})
    # Lots that arrive from here on are not held, and are left for the next time.
    keys = [
        (product, lot or 0, place)
        for product, lot, place in at_hand.values_list("product", "lot", "location")
        if lot is None or lot in held
    ]
    keys += [(made.product.pk, made.lot.pk if made.lot else 0, location.pk) for made in by_products]
    lock_stock(keys)
    movements, shortages = _plan(required, order, location, lots, said["occurred_at"])
    if shortages and on_shortage == OnShortage.REFUSE:
        raise Conflict(
            " ".join(
                f"{short.product}: {plain_number(short.required)} {short.product.unit_id} needed at {location},"
                f" {plain_number(short.taken)} to be used there."
                for short in shortages
            ),
            field="requirements",
        )
    movements += by_products
    numbered = [
        replace(movement, idempotency_key=f"{key}/{number}") if key else movement
        for number, movement in enumerate(movements, 1)
    ]
    facts = post(numbered, actor=said["actor"], occurred_at=said["occurred_at"], recorded_at=said["recorded_at"])
    for fact in facts:
        genealogy.follow(fact)
    return Backflush(facts, shortages, True)


def _by_product(total: Total, order: WorkOrder, location: Location, said: Said) -> Movement:
    movement = Movement(
        kind=Kind.PRODUCE,
        product=total.product,
        quantity=total.quantity,
        to_location=location,
        work_order=order,
        operation_code=total.operation_code,
        reason=BACK_FLUSHED,
    )
    if not total.product.lot_controlled:
        return movement
    number = order.lot_number or order.order_number
    return replace(movement, lot=find_or_make(NewLot(number=number), movement, {**said, "reason": ""}))


def _required(requirements: Sequence[Requirement], produced: Decimal) -> list[Total]:
    """Return what is needed in all, the rows of one product and operation added up."""
    if not requirements:
        raise Invalid("Say what one unit needs.", field="requirements")
    refuse_quantity(produced, field="produced_quantity")
    per_unit: dict[tuple[Product, str], Decimal] = defaultdict(Decimal)
    for row in requirements:
        if not row.quantity_per_unit.is_finite() or not SMALLEST <= row.quantity_per_unit < MAX_QUANTITY:
            raise Invalid(f"What a unit needs of {row.product} is greater than zero.", field="requirements")
        per_unit[row.product, row.operation_code] += row.quantity_per_unit
    whole = [
        Total(product, (quantity * produced).quantize(SMALLEST, ROUND_HALF_EVEN), code)
        for (product, code), quantity in per_unit.items()
    ]
    for total in whole:
        if not SMALLEST <= total.quantity < MAX_QUANTITY:
            raise Invalid(f"What is needed of {total.product} is too little or too much to book.", field="requirements")
    return whole


def _plan(
    required: Sequence[Total], order: WorkOrder, location: Location, lot_ids: set[int], at: datetime
) -> tuple[list[Movement], list[Shortage]]:
    movements: list[Movement] = []
    shortages: list[Shortage] = []
    planned: dict[tuple[int, int | None], Decimal] = {}
    for row in required:
        product, missing = row.product, row.quantity
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
            shortages.append(Shortage(product, row.quantity, row.quantity - missing))
    return movements, shortages


def _consumption(
    row: Total, quantity: Decimal, lot: MaterialLot | None, order: WorkOrder, location: Location
) -> Movement:
    return Movement(
        kind=Kind.CONSUME,
        product=row.product,
        quantity=quantity,
        lot=lot,
        from_location=location,
        work_order=order,
        operation_code=row.operation_code,
        reason=BACK_FLUSHED,
    )


def _known(key: str) -> list[MaterialTransaction]:
    rows = MaterialTransaction.objects.filter(idempotency_key__startswith=f"{key}/")
    return list(rows.select_related("product", "lot", "from_location", "work_order").order_by("pk"))


def _shortages(
    required: Sequence[Total],
    yielded: Sequence[Total],
    known: Sequence[MaterialTransaction],
    work_order: WorkOrder,
    key: str,
) -> list[Shortage]:
    """Return what was missing when a request was answered first; raise Conflict when it was another request."""
    booked: dict[tuple[str, int, str], Decimal] = defaultdict(Decimal)
    for fact in known:
        booked[fact.kind, fact.product_id, fact.operation_code] += fact.quantity
    wanted = {(str(Kind.CONSUME), total.product.pk, total.operation_code): total.quantity for total in required}
    wanted |= {(str(Kind.PRODUCE), total.product.pk, total.operation_code): total.quantity for total in yielded}
    same = all(fact.work_order_id == work_order.pk for fact in known)
    if not same or any(quantity > wanted.get(of, Decimal(0)) for of, quantity in booked.items()):
        raise Conflict(f"Another back-flush was booked under the key '{key}'; it stays.", field="idempotency_key")
    taken = {total: booked[str(Kind.CONSUME), total.product.pk, total.operation_code] for total in required}
    return [Shortage(total.product, total.quantity, took) for total, took in taken.items() if took < total.quantity]
