"""Write defects, non-conformances, what becomes of them, and the actions that follow."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum

from accounts.models import User
from core import hooks, master_data
from core.announcements import announce
from core.errors import Conflict, Invalid
from core.exact import plain_number
from core.locks import take_turns
from core.outbox import Message
from enterprise.models import Machine, Site
from materials.lots import TRANSITIONS, change_lot_status
from materials.models import Location, LotStatus, MaterialLot, MaterialTransaction
from materials.services import scrap
from products.models import Product
from products.units import convert
from quality.lots import hold_lot, product_of
from quality.models import (
    Cause,
    CorrectiveAction,
    Defect,
    DefectCode,
    Disposition,
    Inspection,
    InspectionDecision,
    NonConformance,
    Severity,
)
from workorders.kinship import rework_order
from workorders.models import WorkOrder
from workorders.sorting import GOOD, REWORK, SCRAP, Resorted, decides_about_pieces

_Status, _Step = NonConformance.Status, InspectionDecision.Step
NEXT: dict[str, frozenset[str]] = {
    _Status.OPEN: frozenset({_Status.INVESTIGATING, _Status.ACTION_PENDING}),
    _Status.INVESTIGATING: frozenset({_Status.ACTION_PENDING, _Status.OPEN}),
    _Status.ACTION_PENDING: frozenset({_Status.INVESTIGATING}),
    _Status.CLOSED: frozenset(),
}
"""Which status may follow which; closing has a service of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Where something was found."""

    inspection: Inspection | None = None
    work_order: WorkOrder | None = None
    operation_code: str = ""
    machine: Machine | None = None
    product: Product | None = None
    lot: MaterialLot | None = None

    def values(self) -> dict[str, Any]:
        """Return it as the fields of a row."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def refuse_other_site(self, site: Site) -> None:
        """Raise Invalid, naming the field, for what is not at a site."""
        for name in ("inspection", "work_order", "machine", "lot"):
            thing = getattr(self, name)
            if thing is not None and master_data.site_id_of(thing) != site.pk:
                raise Invalid("It is one of another site.", field=name)


# --- defects ---


@transaction.atomic
def record_defect(
    *,
    code: DefectCode,
    site: Site,
    said: About,
    actor: User,
    detected_at: datetime,
    recorded_at: datetime,
    quantity: int = 1,
    units: int = 1,
    serial: str = "",
    severity: str = "",
    detection: str = Defect.Detection.VISUAL,
    cause: str = "",
    nonconformance: NonConformance | None = None,
    scrap_cost: Decimal | None = None,
    rework_cost: Decimal | None = None,
    note: str = "",
    idempotency_key: str | None = None,
) -> tuple[Defect, bool]:
    """Record that a kind of defect was found; say also whether it is new, or the answer to a retry."""
    if not code.is_active:
        raise Invalid(f"'{code}' is switched off.", field="code")
    said.refuse_other_site(site)
    if nonconformance is not None and nonconformance.site_id != site.pk:
        raise Invalid("It is one of another site.", field="nonconformance")
    if idempotency_key:
        take_turns(f"defect {idempotency_key}")
        known = Defect.objects.filter(idempotency_key=idempotency_key).first()
        if known is not None:
            if (known.code_id, known.quantity, known.site_id) != (code.pk, quantity, site.pk):
                raise Conflict("The key was used for another defect.", field="idempotency_key")
            return known, False
    defect = Defect(
        **said.values(),
        code=code,
        site=site,
        quantity=quantity,
        units=units,
        serial=serial,
        severity=severity or code.severity,
        detection=detection,
        cause=cause,
        nonconformance=nonconformance,
        scrap_cost=scrap_cost,
        rework_cost=rework_cost,
        note=note,
        detected_at=detected_at,
        recorded_at=recorded_at,
        recorded_by=actor,
        idempotency_key=idempotency_key or None,
    )
    defect.full_clean()
    defect.save()
    announce("defect", [defect.pk])
    return defect, True


# --- non-conformances ---


@transaction.atomic
def raise_nonconformance(
    *,
    site: Site,
    title: str,
    said: About,
    actor: User,
    raised_at: datetime,
    description: str = "",
    severity: str = Severity.MAJOR,
    quantity: Decimal | None = None,
    is_contained: bool = True,
    containment: str = "",
    idempotency_key: str | None = None,
) -> tuple[NonConformance, bool]:
    """Raise a non-conformance, numbered; contained, its lot is put on hold. Say also whether it is new."""
    if not title.strip():
        raise Invalid("Say what does not conform.", field="title")
    said.refuse_other_site(site)
    # One after the other, so that the numbers have no gaps, and the newest row has the highest: as texts, the millionth sorts low.
    take_turns("number of a non-conformance")
    if idempotency_key:
        known = NonConformance.objects.filter(idempotency_key=idempotency_key).first()
        if known is not None:
            if (known.title, known.site_id) != (title.strip(), site.pk):
                raise Conflict("The key was used for another one.", field="idempotency_key")
            return known, False
    last = NonConformance.objects.order_by("-pk").values_list("number", flat=True).first()
    ncr = NonConformance(
        **{**said.values(), "product": product_of(said.product, said.lot, said.work_order)},
        number=f"NCR-{int(last.rpartition('-')[2]) + 1 if last else 1:06d}",
        site=site,
        title=title.strip(),
        description=description,
        severity=severity,
        quantity=quantity,
        is_contained=is_contained,
        containment=containment,
        raised_by=actor,
        raised_at=raised_at,
        idempotency_key=idempotency_key or None,
    )
    ncr.full_clean()
    ncr.save()
    if is_contained:
        hold_lot(ncr.lot, reason=f"{ncr.number}: {ncr.title}", actor=actor, at=raised_at)
    announce("nonconformance", [ncr.pk])
    _tell_raised(ncr)
    return ncr, True


def _tell_raised(ncr: NonConformance) -> None:
    if not hooks.is_heard("nonconformance.raised"):
        return
    hooks.tell(
        Message(
            type="nonconformance.raised",
            key=f"nonconformance/{ncr.number}",
            site_id=ncr.site_id,
            occurred_at=ncr.raised_at,
            recorded_at=ncr.raised_at,
            data={
                "number": ncr.number,
                "title": ncr.title,
                "severity": ncr.severity,
                "product": ncr.product.code if ncr.product else None,
                "lot": ncr.lot.number if ncr.lot else None,
                "order": ncr.work_order.order_number if ncr.work_order else None,
                "quantity": ncr.quantity,
            },
        )
    )


@transaction.atomic
def change_nonconformance(
    *,
    nonconformance: NonConformance,
    status: str | None = None,
    cause: str | None = None,
    root_cause: str | None = None,
    quantity: Decimal | None = None,
    is_contained: bool | None = None,
    containment: str | None = None,
    actor: User,
    at: datetime,
) -> NonConformance:
    """Note what was found out, and how far it is. To lift the containment says: what it blocks may go on."""
    ncr = _held(nonconformance)
    if status is not None and status != ncr.status:
        if status not in NEXT[ncr.status]:
            allowed = ", ".join(sorted(NEXT[ncr.status])) or "nothing"
            raise Conflict(
                f"It is {ncr.status}; it can become: {allowed}. Closing is a step of its own.", field="status"
            )
        ncr.status = status
    if ncr.status == _Status.CLOSED:
        raise Conflict("It is closed.", field="status")
    if cause is not None:
        if cause not in ("", *Cause.values):
            raise Invalid(f"One of {', '.join(Cause.values)}.", field="cause")
        ncr.cause = cause
    if root_cause is not None:
        ncr.root_cause = root_cause
    if containment is not None:
        ncr.containment = containment
    if quantity is not None:
        if quantity < disposed_of(ncr):
            raise Conflict("More of it was decided about already.", field="quantity")
        ncr.quantity = quantity
    if is_contained is not None and is_contained != ncr.is_contained:
        ncr.is_contained = is_contained
        if is_contained:
            hold_lot(ncr.lot, reason=f"{ncr.number}: {ncr.title}", actor=actor, at=at)
    ncr.full_clean()
    ncr.save()
    announce("nonconformance", [ncr.pk])
    return ncr


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
    """Decide what becomes of a quantity, and let the stock, the lot and the order's pieces follow. Say also whether it is new.

    `counted_as` says as what the order counted it so far: its pieces move from there to scrap or rework, or to good when it is used
    as it is. Empty: nobody counted it yet, or it was counted as what it becomes; nothing moves.

    Scrap is thrown away: of the lot at a place, or of what the order made. Rework makes an order for it, if there is an order that made
    it. To return a lot rejects it. Once everything is decided, a lot that is used as it is is taken off hold when its
    gates are passed. Raises Conflict for more than there is, and for a closed one.
    """
    ncr = _held(nonconformance)
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


@transaction.atomic
def approve_nonconformance(*, nonconformance: NonConformance, actor: User, approved_at: datetime) -> NonConformance:
    """Approve what was decided: somebody else than those who decided. Raises Conflict before all is decided."""
    ncr = _held(nonconformance)
    if ncr.approved_by_id == actor.pk:
        return ncr
    if ncr.quantity is not None and disposed_of(ncr) < ncr.quantity:
        raise Conflict("Not all of it is decided yet.", field="quantity")
    if ncr.dispositions.filter(decided_by=actor).exists():
        raise Conflict("Whoever decided does not approve; ask somebody else.", field="approved_by")
    ncr.approved_by, ncr.approved_at = actor, approved_at
    ncr.save()
    announce("nonconformance", [ncr.pk])
    return ncr


@transaction.atomic
def close_nonconformance(*, nonconformance: NonConformance, actor: User, closed_at: datetime) -> NonConformance:
    """Close it: everything is decided and approved, and every action was found effective. Raises Conflict naming what is not."""
    ncr = _held(nonconformance)
    if ncr.status == _Status.CLOSED:
        return ncr
    lacking = []
    if ncr.quantity is not None and disposed_of(ncr) < ncr.quantity:
        lacking.append("not all of it is decided")
    if ncr.dispositions.exists() and ncr.approved_by_id is None:
        lacking.append("what was decided is not approved")
    for action in ncr.actions.all():
        if not action.is_closed and not _is_replaced(ncr, action):
            state = "not done" if action.done_at is None else "not checked" if not action.verdict else "not effective"
            lacking.append(f"'{action}' is {state}")
    if lacking:
        raise Conflict(f"It cannot be closed: {'; '.join(lacking)}.", field="status")
    ncr.status, ncr.closed_by, ncr.closed_at, ncr.is_contained = _Status.CLOSED, actor, closed_at, False
    ncr.save()
    announce("nonconformance", [ncr.pk])
    return ncr


def _is_replaced(ncr: NonConformance, action: CorrectiveAction) -> bool:
    """Say whether an action that did not work was followed by another that did."""
    did_not_work = action.verdict == CorrectiveAction.Verdict.NOT_EFFECTIVE
    return did_not_work and any(other.pk > action.pk and other.is_closed for other in ncr.actions.all())


def _held(ncr: NonConformance) -> NonConformance:
    rows = NonConformance.objects.select_for_update(of=("self",), no_key=True)
    of = ("site", "lot__work_order", "work_order__unit", "product__unit")
    return rows.select_related(*of).get(pk=ncr.pk)


# --- corrective and preventive actions ---


@transaction.atomic
def add_action(
    *,
    nonconformance: NonConformance,
    description: str,
    owner: User,
    due_date: date,
    check_date: date,
    kind: str = CorrectiveAction.Kind.CORRECTIVE,
) -> CorrectiveAction:
    """Say what is done so that it does not happen again, by whom, by when, and when its effect is looked at. Once."""
    ncr = _held(nonconformance)
    if ncr.status == _Status.CLOSED:
        raise Conflict("It is closed.", field="nonconformance")
    said = {"kind": kind, "description": description.strip(), "owner": owner}
    said |= {"due_date": due_date, "check_date": check_date}
    known = ncr.actions.filter(**said).first()
    if known is not None:
        return known
    action = CorrectiveAction(nonconformance=ncr, **said)
    master_data.save(action)
    if ncr.status != _Status.ACTION_PENDING:
        ncr.status = _Status.ACTION_PENDING
        ncr.save()
    return action


@transaction.atomic
def finish_action(*, action: CorrectiveAction, note: str, actor: User, done_at: datetime) -> CorrectiveAction:
    """Say that an action was done. The same again changes nothing."""
    action = CorrectiveAction.objects.select_for_update().get(pk=action.pk)
    if action.done_at is not None:
        return action
    if actor.pk != action.owner_id and not actor.may("change", "nonconformance", action.nonconformance.site_id):
        raise Invalid(f"It is {action.owner}'s.", field="owner")
    action.done_at, action.done_note = done_at, note
    return master_data.save(action)


@transaction.atomic
def check_action(
    *, action: CorrectiveAction, verdict: str, note: str, actor: User, checked_at: datetime
) -> CorrectiveAction:
    """Say whether an action had its effect: not before it is done, nor before its day, and not by its owner."""
    action = CorrectiveAction.objects.select_for_update().get(pk=action.pk)
    if verdict not in CorrectiveAction.Verdict.values:
        raise Invalid(f"One of {', '.join(CorrectiveAction.Verdict.values)}.", field="verdict")
    if action.verdict:
        if (action.verdict, action.checked_by_id) == (verdict, actor.pk):
            return action
        raise Conflict(f"{action.checked_by} checked it already.", field="verdict")
    if action.done_at is None:
        raise Conflict("It is not done yet.", field="verdict")
    day = checked_at.astimezone(action.nonconformance.site.zone).date()
    if day < action.check_date:
        raise Conflict(f"Its effect can be seen from {action.check_date:%Y-%m-%d} on.", field="check_date")
    if actor.pk == action.owner_id:
        raise Conflict("Its owner does not check it; ask somebody else.", field="checked_by")
    action.verdict, action.checked_at, action.checked_by, action.check_note = verdict, checked_at, actor, note
    return master_data.save(action)
