"""Decide what becomes of what does not conform, and let stock, lot and the order's pieces follow."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.db import transaction
from django.db.models import Q, Sum

from accounts.models import User
from core.announcements import announce
from core.errors import Conflict, Invalid
from core.exact import plain_number
from materials.lots import TRANSITIONS, change_lot_status
from materials.models import Location, LotStatus, MaterialLot, MaterialTransaction
from materials.services import scrap
from products.units import convert
from quality.models import Disposition, InspectionDecision, NonConformance
from workorders.kinship import rework_order
from workorders.models import WorkOrder
from workorders.sorting import GOOD, REWORK, SCRAP, Resorted, decides_about_pieces

_Status, _Step = NonConformance.Status, InspectionDecision.Step


def held(ncr: NonConformance) -> NonConformance:
    """Return a non-conformance with what it is about, its row held until the transaction ends."""
    rows = NonConformance.objects.select_for_update(of=("self",), no_key=True)
    of = ("site", "lot__work_order", "work_order__unit", "product__unit")
    return rows.select_related(*of).get(pk=ncr.pk)


def disposed_of(ncr: NonConformance) -> Decimal:
    """Return how much of a non-conformance was decided about."""
    return ncr.dispositions.aggregate(sum=Sum("quantity"))["sum"] or Decimal(0)


@transaction.atomic
def dispose(
    *,
    nonconformance: NonConformance,
    kind: str,
    quantity: Decimal,
    reason: str,
    actor: User,
    decided_at: datetime,
    recorded_at: datetime,
    from_location: Location | None = None,
    makes_order: bool = True,
    counted_as: str = Disposition.Counted.GOOD,
    idempotency_key: str | None = None,
) -> tuple[Disposition, bool]:
    """Decide what becomes of a quantity, and let the stock, the lot and the order's pieces follow.

    Say also whether it is new.

    `counted_as` says as what the order counted it so far: its pieces move from there to scrap or rework, or to good
    when it is used as it is. Empty: nobody counted it yet, or it was counted as what it becomes; nothing moves.

    Scrap is thrown away: of the lot at a place, or of what the order made. Rework makes an order for it, if there is an
    order that made it. To return a lot rejects it. Once everything is decided, a lot that is used as it is is taken off
    hold when its gates are passed. Raises Conflict for more than there is, and for a closed one.
    """
    ncr = held(nonconformance)
    if kind not in _Step.values:
        raise Invalid(f"One of {', '.join(_Step.values)}.", field="kind")
    if counted_as not in ("", *Disposition.Counted.values):
        raise Invalid(f"One of {', '.join(Disposition.Counted.values)}.", field="counted_as")
    if not reason.strip():
        raise Invalid("Say why.", field="reason")
    if not quantity.is_finite() or quantity <= 0 or quantity != quantity.quantize(Decimal("0.000001")):
        raise Invalid("The quantity is greater than zero, with at most six decimals.", field="quantity")
    if idempotency_key:
        known = Disposition.objects.filter(idempotency_key=idempotency_key).first()
        if known is not None:
            if (known.nonconformance_id, known.kind, known.quantity) != (ncr.pk, kind, quantity):
                raise Conflict("The key was used for another decision.", field="idempotency_key")
            return known, False
    if ncr.status == _Status.CLOSED:
        raise Conflict("It is closed.", field="status")
    if ncr.quantity is None:
        raise Conflict("Say first how much does not conform.", field="quantity")
    rest = ncr.quantity - disposed_of(ncr)
    if quantity > rest:
        raise Conflict(f"Only {plain_number(rest)} are left to decide about.", field="quantity")
    if ncr.approved_by_id is not None:
        # What was approved was another whole.
        ncr.approved_by = ncr.approved_at = None
        ncr.save()
    movement = child = None
    if kind == _Step.SCRAP:
        movement = _scrap(ncr, quantity, reason, from_location, actor, decided_at, recorded_at)
    elif kind == _Step.REWORK and makes_order and ncr.work_order is not None:
        child = rework_order(
            work_order=ncr.work_order,
            quantity=_in_order_unit(ncr, quantity),
            reason=f"{ncr.number}: {reason}"[:400],
            at=recorded_at,
            actor=actor,
        )
    disposition = Disposition.objects.create(
        nonconformance=ncr,
        kind=kind,
        quantity=quantity,
        from_location=from_location,
        material_transaction=movement,
        rework_order=child,
        counted_as=counted_as if order_of(ncr) is not None else "",
        reason=reason.strip(),
        decided_by=actor,
        decided_at=decided_at,
        idempotency_key=idempotency_key or None,
    )
    if quantity == rest:
        _settle(ncr, actor, recorded_at)
    announce("nonconformance", [ncr.pk])
    return disposition, True


def order_of(ncr: NonConformance) -> WorkOrder | None:
    """Return the order that made it: the one that is named, or the lot's."""
    return ncr.work_order or (ncr.lot.work_order if ncr.lot is not None else None)


def _in_order_unit(ncr: NonConformance, quantity: Decimal) -> Decimal:
    order, product = ncr.work_order, ncr.product
    if order is None or product is None or order.unit is None or order.unit_id == product.unit_id:
        return quantity
    exact = convert(quantity, product.unit, order.unit, product)
    found = (Decimal(exact.numerator) / exact.denominator).quantize(Decimal("0.000001"))
    if Fraction(found) != exact:
        raise Invalid(f"That is no quantity in {order.unit_id}, which the order counts in.", field="quantity")
    return found


@decides_about_pieces
def moved_by_dispositions(order_ids: Collection[int]) -> Iterator[Resorted]:
    """Tell which pieces of orders count as something else since it was decided. One query."""
    roles = {_Step.SCRAP: SCRAP, _Step.REWORK: REWORK, _Step.USE_AS_IS: GOOD}
    of = Q(nonconformance__work_order__in=order_ids) | Q(
        nonconformance__work_order=None, nonconformance__lot__work_order__in=order_ids
    )
    rows = Disposition.objects.filter(of, kind__in=roles).exclude(counted_as="").order_by("id")
    for row in rows.select_related("nonconformance__lot", "material_transaction"):
        ncr, movement = row.nonconformance, row.material_transaction
        order_id = ncr.work_order_id or (ncr.lot.work_order_id if ncr.lot is not None else None)
        if order_id is not None:
            yield Resorted(
                order_id,
                ncr.operation_code,
                row.decided_at,
                row.counted_as,
                roles[_Step(row.kind)],
                Fraction(row.quantity),
                is_booked=movement is not None and movement.work_order_id == order_id,
            )


def _scrap(
    ncr: NonConformance,
    quantity: Decimal,
    reason: str,
    place: Location | None,
    actor: User,
    occurred_at: datetime,
    recorded_at: datetime,
) -> MaterialTransaction | None:
    if ncr.product is None:
        return None
    if ncr.lot is not None and place is None and ncr.lot.stock.filter(quantity__gt=0).exists():
        raise Invalid("Say where the scrapped material lies.", field="from_location")
    if place is not None and place.site_id != ncr.site_id:
        raise Invalid("It is one of another site.", field="from_location")
    if place is None and ncr.work_order is None:
        return None
    posted = scrap(
        product=ncr.product,
        quantity=quantity,
        from_location=place,
        work_order=ncr.work_order if place is None else None,
        lot=ncr.lot,
        actor=actor,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        reason=f"{ncr.number}: {reason.strip()}"[:500],
    )
    return posted.transaction


def _settle(ncr: NonConformance, actor: User, at: datetime) -> None:
    """Everything is decided: lift the containment, and let the lot's status follow what was decided."""
    NonConformance.objects.filter(pk=ncr.pk).update(is_contained=False)
    ncr.is_contained = False
    if ncr.lot_id is None:
        return
    kinds = set(ncr.dispositions.values_list("kind", flat=True))
    lot = MaterialLot.objects.get(pk=ncr.lot_id)
    is_used_up = kinds == {_Step.SCRAP} and not lot.stock.filter(quantity__gt=0).exists()
    if _Step.RETURN in kinds or is_used_up:
        to_status = LotStatus.REJECTED
    else:
        # Rework is looked at again; what is used as it is may be used.
        to_status = LotStatus.QUARANTINE if _Step.REWORK in kinds else LotStatus.RELEASED
    if lot.status == LotStatus.HOLD and to_status in TRANSITIONS[lot.status]:
        reason = f"{ncr.number}: {', '.join(sorted(kinds))}."
        # Where another gate is not passed it stays on hold, and its page says why.
        with suppress(Conflict), transaction.atomic():
            change_lot_status(lot=lot, to_status=to_status, reason=reason, actor=actor, changed_at=at)
