"""Write defects and non-conformances; what becomes of the pieces is in `dispositions`,
what is done in `corrective_actions`.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from core import hooks, master_data
from core.announcements import announce
from core.errors import Conflict, Invalid
from core.locks import take_turns
from core.outbox import Message
from enterprise.models import Machine, Site
from materials.models import MaterialLot
from products.models import Product
from quality.dispositions import disposed_of, held
from quality.lots import hold_lot, product_of
from quality.models import (
    Cause,
    CorrectiveAction,
    Defect,
    DefectCode,
    Inspection,
    InspectionDecision,
    NonConformance,
    Severity,
)
from workorders.models import WorkOrder

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
    # One after the other, so that the numbers have no gaps, and the newest row has the highest: as texts, the millionth
    # sorts low.
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
    ncr = held(nonconformance)
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


@transaction.atomic
def approve_nonconformance(*, nonconformance: NonConformance, actor: User, approved_at: datetime) -> NonConformance:
    """Approve what was decided: somebody else than those who decided. Raises Conflict before all is decided."""
    ncr = held(nonconformance)
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
    """Close it: everything is decided and approved, and every action was found effective.

    Raises Conflict naming what is not.
    """
    ncr = held(nonconformance)
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
