"""Move material: every movement is one line of the ledger, with its stock, its lots' rules and its genealogy."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, Unpack

from django.db import transaction

from core.errors import Conflict, Invalid
from core.fact_api import refuse_future
from core.locks import take_turns
from core.master_data import follows, precedes
from materials import genealogy
from materials.ledger import Movement, Said, lock_lots, lock_order, post, to_millionths
from materials.lots import NewLot, find_or_make, split_off
from materials.models import (
    SMALLEST,
    ContainerMovement,
    Kind,
    Location,
    MaterialLot,
    MaterialTransaction,
    PickingPolicy,
)
from materials.selectors import expiring_earlier, picking_rule, refuse_unusable
from products.models import Product, UnitOfMeasure
from products.units import NoConversion, convert
from workorders.models import WorkOrder
from workorders.services import refuse_work

MAX_QUANTITY = Decimal(10) ** 12


class Posted(NamedTuple):
    """A line of the ledger, and whether it is new: False for a request that was answered before."""

    transaction: MaterialTransaction
    is_new: bool


@transaction.atomic
def receive(
    *,
    product: Product,
    quantity: Decimal,
    to_location: Location,
    lot: MaterialLot | NewLot | None = None,
    **said: Unpack[Said],
) -> Posted:
    """Take material in. A new lot is in quarantine unless it says otherwise."""
    return _act(_movement(Kind.RECEIVE, product, quantity, said, to_location=to_location), lot, said)


@transaction.atomic
def issue(
    *,
    product: Product,
    quantity: Decimal,
    from_location: Location,
    to_location: Location | None = None,
    work_order: WorkOrder | None = None,
    lot: MaterialLot | None = None,
    **said: Unpack[Said],
) -> Posted:
    """Hand material out: to a line's side, where it is still in stock, or straight to an order, which has used it then.

    Raises Conflict for a lot that is expired, in quarantine, held or rejected, and for one that the picking policy
    does not let go first.
    """
    if to_location is None and work_order is None:
        raise Invalid("Say where it goes: to a place or to an order.", field="to_location")
    movement = _movement(
        Kind.ISSUE,
        product,
        quantity,
        said,
        from_location=from_location,
        to_location=to_location,
        work_order=work_order,
    )
    return _act(movement, lot, said)


@transaction.atomic
def consume(
    *,
    product: Product,
    quantity: Decimal,
    from_location: Location,
    work_order: WorkOrder,
    lot: MaterialLot | None = None,
    **said: Unpack[Said],
) -> Posted:
    """Use material for an order. Refuses the lots that `issue` refuses."""
    movement = _movement(Kind.CONSUME, product, quantity, said, from_location=from_location, work_order=work_order)
    return _act(movement, lot, said)


@transaction.atomic
def produce(
    *,
    product: Product,
    quantity: Decimal,
    to_location: Location,
    work_order: WorkOrder,
    lot: MaterialLot | NewLot | None = None,
    inputs: genealogy.Given = (),
    **said: Unpack[Said],
) -> Posted:
    """Put in stock what an order made; a by-product is a product like another.

    A new lot is released unless it says otherwise.

    `inputs` names the lots, and how much of each, that are in it; without, all that the order uses is.
    Raises Conflict when an input was not used by the order, or when a lot would be made of itself.
    """
    movement = _movement(Kind.PRODUCE, product, quantity, said, to_location=to_location, work_order=work_order)
    if inputs and lot is None:
        raise Invalid("Inputs are given for a lot; name the lot that was made.", field="lot")
    for input_, amount_of in inputs:
        refuse_quantity(amount_of, field="inputs")
        if isinstance(lot, MaterialLot) and lot.pk == input_.pk:
            raise Conflict(f"Lot {lot} would be made of itself.", field="inputs")
    return _act(movement, lot, said, given=inputs)


@transaction.atomic
def return_to_stock(
    *,
    product: Product,
    quantity: Decimal,
    to_location: Location,
    from_location: Location | None = None,
    work_order: WorkOrder | None = None,
    lot: MaterialLot | None = None,
    **said: Unpack[Said],
) -> Posted:
    """Bring back what was issued: from a line's side, or what an order took and did not use.

    Raises Conflict when it is more than the order has.
    """
    if from_location is None and work_order is None:
        raise Invalid("Say where it comes from: a place or an order.", field="from_location")
    movement = _movement(
        Kind.RETURN,
        product,
        quantity,
        said,
        from_location=from_location,
        to_location=to_location,
        work_order=work_order,
    )
    return _act(movement, lot, said)


@transaction.atomic
def scrap(
    *,
    product: Product,
    quantity: Decimal,
    from_location: Location | None = None,
    work_order: WorkOrder | None = None,
    lot: MaterialLot | None = None,
    **said: Unpack[Said],
) -> Posted:
    """Throw away: from a place, or, without one, what an order made wrong and never put in stock."""
    if from_location is None and work_order is None:
        raise Invalid("Say where it was: at a place, or in an order.", field="from_location")
    movement = _movement(Kind.SCRAP, product, quantity, said, from_location=from_location, work_order=work_order)
    return _act(movement, lot, said)


@transaction.atomic
def ship(
    *,
    product: Product,
    quantity: Decimal,
    from_location: Location,
    lot: MaterialLot | None = None,
    **said: Unpack[Said],
) -> Posted:
    """Send material to a customer; `reason` may say by which delivery. Refuses a lot that must not be used."""
    return _act(_movement(Kind.SHIP, product, quantity, said, from_location=from_location), lot, said)


@transaction.atomic
def use_in_maintenance(
    *,
    product: Product,
    quantity: Decimal,
    from_location: Location,
    lot: MaterialLot | None = None,
    **said: Unpack[Said],
) -> Posted:
    """Use a spare part or other material on a machine, not for an order. Refuses a lot that must not be used."""
    return _act(_movement(Kind.MAINTAIN, product, quantity, said, from_location=from_location), lot, said)


@transaction.atomic
def adjust(
    *,
    product: Product,
    quantity: Decimal,
    location: Location,
    lot: MaterialLot | None = None,
    **said: Unpack[Said],
) -> Posted:
    """Correct stock to what was counted: so much more, or with a negative quantity so much less."""
    movement = _movement(
        Kind.ADJUST,
        product,
        abs(quantity),
        said,
        from_location=location if quantity < 0 else None,
        to_location=location if quantity >= 0 else None,
    )
    return _act(movement, lot, said)


@transaction.atomic
def move(
    *,
    product: Product,
    quantity: Decimal,
    from_location: Location,
    to_location: Location,
    lot: MaterialLot | None = None,
    **said: Unpack[Said],
) -> Posted:
    """Bring material to another place. Any lot may be moved, also one that must not be used."""
    movement = _movement(Kind.MOVE, product, quantity, said, from_location=from_location, to_location=to_location)
    return _act(movement, lot, said)


@transaction.atomic
def split_lot(
    *,
    lot: MaterialLot,
    number: str,
    quantity: Decimal,
    from_location: Location,
    to_location: Location | None = None,
    **said: Unpack[Said],
) -> Posted:
    """Split a sublot off, with the status, dates and origin of its lot.

    Raises Conflict when the number is taken.
    """
    movement = _movement(
        Kind.SPLIT,
        lot.product,
        quantity,
        said,
        from_location=from_location,
        to_location=to_location or from_location,
    )
    return _act(movement, lot, said, sublot_number=number)


@transaction.atomic
def reverse(*, transaction: MaterialTransaction, **said: Unpack[Said]) -> Posted:
    """Undo a movement with one of the opposite effect. At most once, and never a reversal.

    Raises Conflict when it was reversed already, or when what it brought is no longer there.
    """
    _check(said)
    if not said.get("reason"):
        raise Invalid("Say why it is reversed.", field="reason")
    key = said.get("idempotency_key")
    known = _answered(key)
    if known is not None:
        if known.reverses_id != transaction.pk:
            raise _other_request(key)
        return Posted(known, False)
    undone = MaterialTransaction.objects.select_for_update(no_key=True, of=("self",)).get(pk=transaction.pk)
    if undone.kind == Kind.REVERSAL:
        raise Conflict("A reversal is not reversed; record the movement again.", field="reverses")
    _refuse_of_container(undone)
    earlier = MaterialTransaction.objects.filter(reverses=undone).first()
    if earlier is not None:
        raise Conflict(f"It was reversed already, by transaction {earlier.pk}.", field="reverses")
    _lock(undone.work_order, [undone.lot, undone.to_lot])
    movement = Movement(
        kind=Kind.REVERSAL,
        product=undone.product,
        quantity=undone.quantity,
        lot=undone.to_lot or undone.lot,
        to_lot=undone.lot if undone.to_lot else None,
        from_location=undone.to_location,
        to_location=undone.from_location,
        work_order=undone.work_order,
        operation_code=undone.operation_code,
        unit_cost=undone.unit_cost,
        given_quantity=undone.given_quantity,
        given_unit=undone.given_unit,
        reason=said["reason"],
        reverses=undone,
        idempotency_key=key,
    )
    return _write(movement, said)


# --- what all movements share ---


def _movement(
    kind: Kind,
    product: Product,
    quantity: Decimal,
    said: Said,
    *,
    from_location: Location | None = None,
    to_location: Location | None = None,
    work_order: WorkOrder | None = None,
) -> Movement:
    own, given_unit = in_own_unit(product, quantity, said.get("unit") or "")
    return Movement(
        kind=kind,
        product=product,
        quantity=own,
        given_quantity=quantity if given_unit else None,
        given_unit=given_unit,
        from_location=from_location,
        to_location=to_location,
        work_order=work_order,
        operation_code=said.get("operation_code", ""),
        unit_cost=said.get("unit_cost"),
        reason=said.get("reason", "").strip(),
        idempotency_key=said.get("idempotency_key") or None,
    )


def _act(
    movement: Movement,
    lot: MaterialLot | NewLot | None,
    said: Said,
    *,
    given: genealogy.Given = (),
    sublot_number: str = "",
) -> Posted:
    """Check a movement, hold what it touches in the lock order, and write it; or return what a retry wrote before."""
    _check(said)
    known = _answered(movement.idempotency_key)
    if known is not None:
        if not _is_the_same(known, movement, lot, sublot_number):
            raise _other_request(movement.idempotency_key)
        return Posted(known, False)
    _refuse_contradiction(movement, lot, said)
    if movement.work_order is not None:
        refuse_finished(lock_order(movement.work_order), movement.kind)
    resolved = find_or_make(lot, movement, said) if isinstance(lot, NewLot) else lot
    held = _lock(movement.work_order, [resolved, *(input_ for input_, _ in given)], is_held=True)
    if resolved is not None:
        resolved = held[resolved.pk]
    movement = replace(movement, lot=resolved)
    if movement.kind in (Kind.ISSUE, Kind.CONSUME):
        refuse_wrong_lot(movement, at=said["occurred_at"])
    if movement.kind in (Kind.SHIP, Kind.MAINTAIN) and resolved is not None:
        refuse_unusable(resolved, at=said["occurred_at"])
    if movement.kind == Kind.SPLIT:
        movement = replace(movement, to_lot=split_off(movement, sublot_number, said))
    return _write(movement, said, given=given)


def _refuse_of_container(undone: MaterialTransaction) -> None:
    """Raise Conflict for what a container's step moved: the container would say another place than the ledger."""
    moved = ContainerMovement.objects.select_related("step__container").filter(transaction=undone).first()
    if moved is not None:
        raise Conflict(
            f"Container {moved.step.container} moved it; move the container back, or take its shipment back.",
            field="reverses",
        )


def _check(said: Said) -> None:
    refuse_future(said["occurred_at"], said["recorded_at"])
    cost = said.get("unit_cost")
    if cost is not None and cost < 0:
        raise Invalid("A cost is not negative.", field="unit_cost")


def _answered(key: str | None) -> MaterialTransaction | None:
    """Return what a request with this key wrote before; two of them at once take turns."""
    if not key:
        return None
    take_turns(f"material transaction {key}")
    return MaterialTransaction.objects.filter(idempotency_key=key).first()


def _other_request(key: str | None) -> Conflict:
    return Conflict(
        f"Another movement was recorded under the key '{key}'; it stays. Use a new key for a new movement.",
        field="idempotency_key",
    )


def _is_the_same(
    known: MaterialTransaction, asked: Movement, lot: MaterialLot | NewLot | None, sublot_number: str
) -> bool:
    number = lot.number if lot is not None else None
    return (
        (known.kind, known.product_id, known.operation_code) == (asked.kind, asked.product.pk, asked.operation_code)
        # As it was said: what a case holds may be another number by now.
        and (known.given_quantity or known.quantity, known.given_unit)
        == (asked.given_quantity or asked.quantity, asked.given_unit)
        and known.from_location == asked.from_location
        and known.to_location == asked.to_location
        and known.work_order == asked.work_order
        and (known.lot.number if known.lot else None) == number
        and (known.to_lot.number if known.to_lot else "") == sublot_number
    )


def in_own_unit(product: Product, quantity: Decimal, unit: str) -> tuple[Decimal, str]:
    """Return a quantity in the product's own unit, and the unit that it was given in; "" = its own.

    Converted exactly, then rounded to the sixth decimal, half to even. Raises Invalid as `exact_in_own_unit` does.
    """
    if unit in ("", product.unit_id):
        return quantity, ""
    refuse_quantity(quantity)
    rounded = to_millionths(exact_in_own_unit(product, quantity, unit))
    if not rounded:
        raise Invalid(f"That is less than a millionth of a {product.unit_id}.", field="quantity")
    return rounded, unit


def exact_in_own_unit(product: Product, quantity: Decimal, unit: str) -> Fraction:
    """Return a quantity in the product's own unit, exact.

    Raises Invalid for a unit that nobody knows, or that the product does not convert from.
    """
    if unit in ("", product.unit_id):
        return Fraction(quantity)
    known = UnitOfMeasure.objects.filter(code=unit).first()
    if known is None:
        raise Invalid(f"There is no unit of measure '{unit[:20]}'.", field="unit")
    try:
        return convert(quantity, known, product.unit, product)
    except NoConversion as refusal:
        raise Invalid(refusal.message, field="unit") from None


def refuse_quantity(quantity: Decimal, *, field: str = "quantity") -> None:
    """Raise Invalid for a quantity that the ledger cannot keep as it is."""
    if not quantity.is_finite() or not SMALLEST <= quantity < MAX_QUANTITY:
        raise Invalid("The quantity is greater than zero and less than a million millions.", field=field)
    if quantity != quantity.quantize(SMALLEST):
        raise Invalid("A quantity has at most six decimals.", field=field)


def _refuse_contradiction(movement: Movement, lot: MaterialLot | NewLot | None, said: Said) -> None:
    product = movement.product
    refuse_quantity(movement.quantity)
    if lot is None and product.lot_controlled:
        raise Invalid(f"{product} is kept by lots; name the lot.", field="lot")
    if isinstance(lot, MaterialLot) and lot.product_id != product.pk:
        raise Invalid(f"Lot {lot} is one of {lot.product}, not of {product}.", field="lot")
    if movement.kind in (Kind.ADJUST, Kind.SCRAP) and not movement.reason:
        raise Invalid("Say why.", field="reason")
    if movement.to_location is not None and not movement.to_location.is_active:
        raise Invalid(f"{movement.to_location} is switched off; choose another place.", field="to_location")
    if (
        movement.to_location is not None
        and movement.to_location == movement.from_location
        and movement.kind != Kind.SPLIT
    ):
        raise Invalid("It is there already; choose another place.", field="to_location")
    order = movement.work_order
    for place in (movement.from_location, movement.to_location):
        if order is not None and place is not None and place.site_id != order.line.area.site_id:
            raise Invalid(f"Order {order} is of another site than {place}.", field="work_order")


def refuse_finished(order: WorkOrder, kind: str) -> None:
    """Raise Conflict for an order that is closed or cancelled: what comes back from it may still come back."""
    over = (WorkOrder.Status.CLOSED, WorkOrder.Status.CANCELLED)
    if order.status in over and kind in (Kind.ISSUE, Kind.CONSUME, Kind.PRODUCE):
        raise Conflict(f"Order {order} is {order.status}; nothing more can be booked to it.", field="work_order")
    if order.status == WorkOrder.Status.ON_HOLD and kind in (Kind.ISSUE, Kind.CONSUME):
        refuse_work(order)


def _lock(
    order: WorkOrder | None, lots: Iterable[MaterialLot | None], *, is_held: bool = False
) -> dict[int, MaterialLot]:
    """Hold an order, and then its lots and these, by id."""
    ids = {lot.pk for lot in lots if lot is not None}
    if order is not None:
        if not is_held:
            lock_order(order)
        ids |= genealogy.lots_met(order)
    return lock_lots(ids)


def refuse_wrong_lot(movement: Movement, *, at: datetime) -> None:
    """Raise Conflict or Invalid for a lot that may not be used, or not before another one."""
    lot, place = movement.lot, movement.from_location
    if lot is None or place is None:
        return
    refuse_unusable(lot, at=at)
    rule = picking_rule(product=movement.product, location=place)
    if rule == PickingPolicy.Rule.SUGGEST or (rule == PickingPolicy.Rule.REASON and movement.reason):
        return
    first = expiring_earlier(lot=lot, location=place, at=at)
    if first is None:
        return
    what = f"Lot {first} at {place} expires first, on {first.expiry_date:%Y-%m-%d}"
    if rule == PickingPolicy.Rule.ENFORCE:
        raise Conflict(f"{what}. Take that one.", field="lot", code="not_first_expired")
    raise Invalid(f"{what}. Take that one, or say why not.", field="reason", code="not_first_expired")


def _write(movement: Movement, said: Said, *, given: genealogy.Given = ()) -> Posted:
    (fact,) = post([movement], actor=said["actor"], occurred_at=said["occurred_at"], recorded_at=said["recorded_at"])
    if movement.to_lot is not None:
        genealogy.follow_split(fact)
    else:
        genealogy.follow(fact, given=given)
    return Posted(fact, True)


# --- what follows from edits of master data ---


@precedes(Location)
def refuse_odd_place(place: Location) -> None:
    """Raise Invalid for a place inside itself or inside one of another site, or beside another site's line."""
    if place.line is not None and place.line.area.site_id != place.site_id:
        raise Invalid("The line is of another site.", field="line")
    above, steps = place.parent, 0
    while above is not None:
        if above.site_id != place.site_id:
            raise Invalid("What it is part of lies at another site.", field="parent")
        if above.pk == place.pk or steps > 50:
            raise Invalid("A place cannot lie inside itself.", field="parent")
        above, steps = above.parent, steps + 1


@follows(Location)
def location_changed(*, before: Location | None, after: Location | None) -> None:
    """Refuse to bring a place with a past, or with places inside, to another site."""
    if before is None or after is None or before.site_id == after.site_id:
        return
    if after.stock.exists() or after.children.exists() or after.containers.exists():
        raise Conflict("Material has been there, or places are part of it; it stays at its site.", field="site")
