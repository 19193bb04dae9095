"""Write inspections: begin, finish, decide. Every write says by whom and when; a retry has one effect."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from core.announcements import announce
from core.errors import Conflict, Invalid
from core.intervals import Interval
from core.locks import take_turns
from enterprise.models import Machine, Site
from enterprise.selectors import shifts_of
from materials.models import MaterialLot
from products.models import Product
from quality.judging import (
    STATUS_OF,
    decision_of,
    judged,
    missing_of,
    sheet_of_inspection,
)
from quality.lots import hold_lot, product_of
from quality.models import (
    Characteristic,
    Inspection,
    InspectionDecision,
    InspectionPlan,
    Result,
    SamplingRule,
)
from quality.selectors import lot_size_of, sample_of, switching_of
from quality.spc.sampling import code_letter
from workorders.models import Operation, WorkOrder

_Kind, _Status = Characteristic.Kind, Inspection.Status


# --- inspections ---


@dataclass(frozen=True, slots=True, kw_only=True)
class What:
    """What is inspected: an order at an operation and a machine, a lot, a unit by its serial number."""

    work_order: WorkOrder | None = None
    operation_code: str = ""
    machine: Machine | None = None
    product: Product | None = None
    lot: MaterialLot | None = None
    batch: str = ""
    serial: str = ""

    @property
    def made(self) -> Product | None:
        """The product that is meant: what is named, or else the lot's, or the order's."""
        return product_of(self.product, self.lot, self.work_order)


@transaction.atomic
def open_inspection(
    *,
    plan: InspectionPlan,
    what: What,
    actor: User | None,
    opened_at: datetime,
    rule: SamplingRule | None = None,
    lot_size: Decimal | None = None,
    sample_size: int | None = None,
    notes: str = "",
    idempotency_key: str | None = None,
) -> tuple[Inspection, bool]:
    """Begin an inspection by the released version of a plan; say also whether it is new, or the answer to a retry.

    The rule says how many units; by AQL the table does, from the size of the lot and the lots before it. Raises
    Conflict for a plan that is not in force, for a subject that is being inspected by it, and for a series of lots that
    is stopped.
    """
    take_turns("inspection plan " + plan.code)
    plan = InspectionPlan.objects.get(pk=plan.pk)
    site = _site_of(what)
    asked = {
        "plan": plan,
        "work_order": what.work_order,
        "operation_code": what.operation_code,
        "machine": what.machine,
        "lot": what.lot,
        "serial": what.serial,
    }
    if idempotency_key:
        known = Inspection.objects.filter(idempotency_key=idempotency_key).first()
        if known is not None:
            if any(getattr(known, name) != value for name, value in asked.items()):
                raise Conflict("The key was used for another inspection.", field="idempotency_key")
            return known, False
    if plan.status != InspectionPlan.Status.RELEASED or opened_at < (plan.valid_from or opened_at):
        raise Conflict(f"{plan} is not in force: it is {plan.get_status_display().lower()}.", field="plan")
    if plan.site_id not in (None, site.pk):
        raise Invalid(f"{plan} is a plan of another site.", field="plan")
    rule = rule or plan.rules.order_by("id").first()
    if rule is not None and rule.plan_id != plan.pk:
        raise Invalid("The rule is one of another plan.", field="rule")
    open_one = Inspection.objects.filter(**asked, status=_Status.OPEN).first()
    if open_one is not None:
        raise Conflict(f"It is being inspected already, since {open_one.opened_at:%Y-%m-%d %H:%M} UTC.", field="plan")
    sample = _sample(plan, rule, what, lot_size, sample_size)
    day = _shift_of(what, opened_at)
    inspection = Inspection(
        **asked,
        rule=rule,
        site=site,
        product=what.made or plan.product,
        batch=what.batch or (what.lot.batch if what.lot else ""),
        inspector=actor,
        opened_at=opened_at,
        notes=notes,
        idempotency_key=idempotency_key or None,
        **sample,
        **day,
    )
    inspection.full_clean(exclude=["status"])
    inspection.save()
    _note_operation(inspection)
    announce("inspection", [inspection.pk])
    return inspection, True


def _site_of(what: What) -> Site:
    sites = []
    if what.lot is not None:
        sites.append(what.lot.site)
    if what.work_order is not None:
        sites.append(what.work_order.line.area.site)
    if what.machine is not None:
        sites.append(what.machine.line.area.site)
    if not sites:
        raise Invalid("Say what is inspected: an order, a lot or a machine.", field="work_order")
    if len({site.pk for site in sites}) > 1:
        raise Invalid("Order, lot and machine are of one site.", field="machine")
    if what.operation_code:
        codes = what.work_order.operations.values_list("code", flat=True) if what.work_order else []
        if what.operation_code not in codes:
            raise Invalid(f"The order has no operation {what.operation_code}.", field="operation_code")
    return sites[0]


def _shift_of(what: What, at: datetime) -> dict[str, Any]:
    line_id = what.machine.line_id if what.machine else what.work_order.line_id if what.work_order else None
    if line_id is None:
        return {}
    machines = Machine.objects.filter(line=line_id).select_related("line__area__site").order_by("-is_constraint", "pk")
    machine = what.machine or machines.first()
    if machine is None:
        return {}
    found = shifts_of(machine, Interval(at, at + timedelta(microseconds=1))) or ()
    return next(({"shift_id": one.shift_id, "shift_date": one.shift_date} for one in found), {})


def _sample(
    plan: InspectionPlan, rule: SamplingRule | None, what: What, lot_size: Decimal | None, asked: int | None
) -> dict[str, Any]:
    if rule is None or rule.kind != SamplingRule.Kind.AQL:
        return {"sample_size": asked or (rule.sample_size if rule else 1), "lot_size": lot_size}
    size = lot_size
    if size is None and what.lot is not None:
        size = lot_size_of(what.lot)
    if size is None and what.work_order is not None:
        size = what.work_order.target_quantity
    if not size or size < 1:
        raise Invalid("Say how large the lot is.", field="lot_size")
    units = int(-(-size // 1))
    if units == 1:
        return {"sample_size": 1, "lot_size": size}
    state = switching_of(plan, rule, what.made, what.lot.supplier if what.lot else "")
    if state.is_stopped:
        raise Conflict(
            "Inspection is stopped: five lots were not accepted on tightened inspection. Once the supplier has improved,"
            " release a new version of the plan.",
            field="plan",
        )
    found = sample_of(rule, units, state.severity)
    return {
        "sample_size": found.inspect,
        "lot_size": size,
        "accept_number": found.plan.accept,
        "severity": state.severity.value,
        "code_letter": code_letter(units, rule.level),
    }


# --- what an inspection came to ---


@transaction.atomic
def finish_inspection(
    *, inspection: Inspection, actor: User, finished_at: datetime, notes: str | None = None
) -> Inspection:
    """End an inspection: passed or failed by its results. A lot that failed a gate is put on hold.

    The same again changes nothing. Raises Conflict naming what is missing.
    """
    inspection = hold_inspection(inspection)
    if inspection.status != _Status.OPEN:
        return inspection
    if finished_at < inspection.opened_at:
        raise Invalid("It ends after it began.", field="finished_at")
    sheet = sheet_of_inspection(inspection)
    lacking = missing_of(inspection.plan.characteristics.all(), sheet, inspection.sample_size)
    lacking += _without_photo(inspection)
    if lacking:
        raise Conflict(f"Still to do: {'; '.join(lacking[:20])}.", field="results")
    inspection.finished_at = finished_at
    inspection.inspector = inspection.inspector or actor
    if notes is not None:
        inspection.notes = notes
    found = judged(inspection, sheet)
    inspection.nonconforming, inspection.result = found.nonconforming, found.result
    inspection.status = STATUS_OF[Inspection.Outcome(found.result)]
    inspection.save()
    if inspection.status == _Status.FAILED and inspection.plan.blocks:
        _hold_lot(inspection, actor, finished_at)
    _note_operation(inspection)
    announce("inspection", [inspection.pk])
    return inspection


def _without_photo(inspection: Inspection) -> list[str]:
    photos = Result.objects.filter(inspection=inspection, characteristic__kind=_Kind.PHOTO, pictures__isnull=True)
    rows = photos.exclude(verdict=Result.Verdict.NOT_APPLICABLE).select_related("characteristic")
    return [f"a picture of {row.characteristic} ({row.sample})" for row in rows]


def _hold_lot(inspection: Inspection, actor: User, at: datetime) -> None:
    reason = f"Inspection {inspection.pk} failed: {inspection.nonconforming} units outside their limits."
    hold_lot(inspection.lot, reason=reason, actor=actor, at=at)


@transaction.atomic
def decide_inspection(
    *,
    inspection: Inspection,
    result: str,
    reason: str,
    actor: User,
    decided_at: datetime,
    disposition: str = "",
) -> InspectionDecision:
    """Decide about a finished inspection, whatever its results say: a conditional pass, a hold, rework.

    A fact with its reason.
    """
    inspection = hold_inspection(inspection)
    if result not in Inspection.Outcome.values:
        raise Invalid(f"One of {', '.join(Inspection.Outcome.values)}.", field="result")
    if disposition and disposition not in InspectionDecision.Step.values:
        raise Invalid(f"One of {', '.join(InspectionDecision.Step.values)}.", field="disposition")
    if not reason.strip():
        raise Invalid("Say why.", field="reason")
    if inspection.status == _Status.OPEN:
        raise Conflict("It is not finished; finish it first.", field="inspection")
    last = decision_of(inspection)
    if last is not None and (last.result, last.disposition, last.reason, last.decided_by_id) == (
        *(result, disposition, reason.strip()),
        actor.pk,
    ):
        return last
    decision = InspectionDecision.objects.create(
        inspection=inspection,
        result=result,
        disposition=disposition,
        reason=reason.strip(),
        decided_by=actor,
        decided_at=decided_at,
    )
    rejudge(inspection)
    inspection.refresh_from_db()
    if inspection.status == _Status.FAILED and inspection.plan.blocks:
        _hold_lot(inspection, actor, decided_at)
    return decision


def rejudge(inspection: Inspection) -> None:
    """Derive anew what a finished inspection came to: the last decision, or its results.

    Ends with the same whenever it is called.
    """
    sheet = sheet_of_inspection(inspection)
    found, decision = judged(inspection, sheet), decision_of(inspection)
    result = decision.result if decision is not None else found.result
    inspection.nonconforming, inspection.result = found.nonconforming, result
    inspection.status = STATUS_OF[Inspection.Outcome(result)]
    Inspection.objects.filter(pk=inspection.pk).update(
        nonconforming=found.nonconforming, result=result, status=inspection.status
    )
    _note_operation(inspection)
    announce("inspection", [inspection.pk])


def _note_operation(inspection: Inspection) -> None:
    """Repeat on the order's operation what its blocking inspections came to: the last one of each plan holds."""
    if inspection.work_order_id is None or not inspection.operation_code or not inspection.plan.blocks:
        return
    operation = Operation.objects.filter(work_order=inspection.work_order_id, code=inspection.operation_code).first()
    if operation is None:
        return
    last: dict[tuple[str, str], str] = {}
    rows = Inspection.objects.filter(
        work_order=inspection.work_order_id, operation_code=inspection.operation_code, plan__blocks=True
    )
    finished = None
    for one in rows.select_related("plan").order_by("opened_at", "id"):
        last[(one.plan.code, one.serial)] = one.status
        finished = max((at for at in (finished, one.finished_at) if at), default=None)
    found = set(last.values())
    status = next(
        operation_status
        for inspected, operation_status in (
            (_Status.FAILED, Operation.Inspection.FAILED),
            (_Status.OPEN, Operation.Inspection.PENDING),
            (_Status.CONDITIONAL, Operation.Inspection.CONDITIONAL),
            (_Status.PASSED, Operation.Inspection.PASSED),
        )
        if inspected in found
    )
    operation.inspection_status = status
    operation.inspected_at = finished
    operation.inspected_by_id = inspection.inspector_id if finished else None
    operation.save(update_fields=["inspection_status", "inspected_at", "inspected_by"])


def hold_inspection(inspection: Inspection) -> Inspection:
    """Return an inspection anew, locked for the rest of the transaction, with its plan, lot and site."""
    rows = Inspection.objects.select_for_update(of=("self",), no_key=True).select_related("plan", "lot", "site")
    return rows.get(pk=inspection.pk)
