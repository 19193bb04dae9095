"""Write inspections and their results. Every write says by whom and when; a retry has one effect."""

import hashlib
from collections.abc import Iterable, Sequence
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
from core.uploads import PDF, read_document
from enterprise.models import Machine, Site
from enterprise.selectors import shifts_of
from materials.lots import TRANSITIONS, change_lot_status
from materials.models import LotStatus, MaterialLot
from products.models import Product, UnitOfMeasure
from quality import charting, nonconformances
from quality.gauging import refuse_unusable
from quality.judging import (
    STATUS_OF,
    Content,
    decision_of,
    in_unit_of,
    inspections_with,
    judged,
    missing_of,
    sheet_of_inspection,
)
from quality.models import (
    Characteristic,
    ControlChart,
    Gauge,
    Inspection,
    InspectionDecision,
    InspectionPlan,
    NonConformance,
    Picture,
    Result,
    ResultCorrection,
    SamplingRule,
    Signal,
)
from quality.selectors import lot_size_of, sample_of, switching_of
from quality.spc.sampling import code_letter
from workorders.models import Operation, Run, WorkOrder

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

    The rule says how many units; by AQL the table does, from the size of the lot and the lots before it. Raises Conflict for a plan
    that is not in force, for a subject that is being inspected by it, and for a series of lots that is stopped.
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
    product = what.product or (what.lot.product if what.lot else None)
    product = product or (what.work_order.product if what.work_order else None) or plan.product
    inspection = Inspection(
        **asked,
        rule=rule,
        site=site,
        product=product,
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
    product = what.product or (what.lot.product if what.lot else None)
    product = product or (what.work_order.product if what.work_order else None)
    state = switching_of(plan, rule, product, what.lot.supplier if what.lot else "")
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


# --- results ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A result as a person gives it."""

    characteristic: Characteristic
    sample: int = 1
    value: Decimal | None = None
    verdict: str = ""
    text: str = ""
    unit: UnitOfMeasure | None = None
    gauge: Gauge | None = None
    serial: str = ""
    occurred_at: datetime


@transaction.atomic
def record_results(
    *, inspection: Inspection, results: Sequence[Said], actor: User, recorded_at: datetime
) -> list[tuple[Result, bool]]:
    """Record results of an open inspection, all or none; say of each whether it is new, or was stored before.

    The same result again changes nothing. Raises Invalid for content that does not fit its characteristic, Conflict for a sample that
    has another result, for a gauge that is not calibrated, and for an inspection that is finished.
    """
    inspection = _held_inspection(inspection)
    given = []
    for number, said in enumerate(results):
        refuse_odd_result(inspection, said, place=f"results.{number}." if len(results) > 1 else "")
        given.append(said)
    stored = {
        (row.characteristic_id, row.sample): row
        for row in Result.objects.filter(inspection=inspection, tag__isnull=True)
    }
    found: list[tuple[Result, bool]] = []
    for said in given:
        key = (said.characteristic.pk, said.sample)
        row = stored.get(key)
        if row is not None:
            if Content(row.value, row.verdict, row.text) != _content(said) or row.unit_id != _unit_id(said):
                raise Conflict(
                    f"{said.characteristic} of unit {said.sample} has another result; correct that one, saying why.",
                    field="sample",
                )
            found.append((row, False))
            continue
        if inspection.status != _Status.OPEN:
            raise Conflict("The inspection is finished; a result of it can only be corrected.", field="inspection")
        content = _content(said)
        row = Result(
            characteristic=said.characteristic,
            inspection=inspection,
            sample=said.sample,
            machine_id=inspection.machine_id,
            product_id=inspection.product_id,
            gauge=said.gauge,
            serial=said.serial or inspection.serial,
            occurred_at=said.occurred_at,
            value=content.value,
            verdict=content.verdict,
            text=content.text,
            unit_id=_unit_id(said),
            source=str(actor)[:64],
            recorded_by=actor,
            recorded_at=recorded_at,
        )
        row.save()
        stored[key] = row
        found.append((row, True))
    new = [row for row, is_new in found if is_new]
    if new:
        results_changed(new, actor=actor, at=recorded_at)
        announce("inspection", [inspection.pk])
    return found


def _unit_id(said: Said) -> str | None:
    return said.unit.code if said.unit is not None else said.characteristic.unit_id


def _content(said: Said) -> Content:
    value = None if said.value is None else Decimal(said.value).quantize(Decimal("1e-9"))
    return Content(value, said.verdict, said.text.strip())


def refuse_odd_result(inspection: Inspection, said: Said, *, place: str = "") -> None:
    """Raise Invalid, naming the field, for a result that its characteristic cannot have; Conflict for a gauge that may not be used."""
    of = said.characteristic
    if of.plan_id != inspection.plan_id:
        raise Invalid(f"{of} is no characteristic of {inspection.plan}.", field=f"{place}characteristic")
    if not 1 <= said.sample <= inspection.sample_size:
        raise Invalid(f"The units are 1 to {inspection.sample_size}.", field=f"{place}sample")
    if said.occurred_at < inspection.opened_at:
        raise Invalid("It was taken before the inspection began.", field=f"{place}occurred_at")
    refuse_odd_content(of, _content_of(said), said.unit, place=place)
    if said.gauge is None and of.needs_gauge and of.kind == _Kind.VARIABLE:
        raise Invalid(f"Name the gauge with which {of} is measured.", field=f"{place}gauge")
    if said.gauge is not None:
        if said.gauge.site_id != inspection.site_id:
            raise Invalid("The gauge is one of another site.", field=f"{place}gauge")
        refuse_unusable(said.gauge, at=said.occurred_at)


def _content_of(said: Said) -> Content:
    return Content(said.value, said.verdict, said.text)


def refuse_odd_content(of: Characteristic, content: Content, unit: UnitOfMeasure | None, *, place: str = "") -> None:
    """Raise Invalid, naming the field, for content that a characteristic cannot have."""
    wanted = {
        _Kind.VARIABLE: "value",
        _Kind.COUNT: "value",
        _Kind.ATTRIBUTE: "verdict",
        _Kind.CHOICE: "text",
        _Kind.TEXT: "text",
        _Kind.PHOTO: "",
    }[_Kind(of.kind)]
    given = {"value": content.value is not None, "verdict": bool(content.verdict), "text": bool(content.text.strip())}
    # Not applicable is an answer to everything; a photo may have a caption.
    if content.verdict == Result.Verdict.NOT_APPLICABLE and content.value is None:
        return
    if wanted and not given[wanted]:
        raise Invalid(f"{of} needs a {wanted}.", field=f"{place}{wanted}")
    for name, is_there in given.items():
        if is_there and name != wanted and not (name == "text" and of.kind == _Kind.PHOTO):
            raise Invalid(f"{of} takes no {name}.", field=f"{place}{name}")
    if of.kind == _Kind.CHOICE and content.text.strip() not in of.choices:
        raise Invalid(f"One of {', '.join(of.choices)}.", field=f"{place}text")
    if content.value is None:
        return
    if not content.value.is_finite() or abs(content.value) >= Decimal(10) ** 15:
        raise Invalid("Give a number below 10^15.", field=f"{place}value")
    places = 0 if of.kind == _Kind.COUNT else of.decimals if unit in (None, of.unit) else 9
    if content.value != content.value.quantize(Decimal(1).scaleb(-places)):
        raise Invalid(f"{of} is read to {places} decimals.", field=f"{place}value")
    if of.kind == _Kind.COUNT and content.value < 0:
        raise Invalid("A count is not below zero.", field=f"{place}value")
    in_unit_of(of, content.value, unit)


@transaction.atomic
def correct_result(
    *,
    result: Result,
    reason: str,
    actor: User,
    recorded_at: datetime,
    value: Decimal | None = None,
    verdict: str = "",
    text: str = "",
    is_void: bool = False,
) -> ResultCorrection:
    """Say what a result should have been, or that it is void, and why. The result stays; its charts and inspection are judged anew.

    The last correction holds; the same one again changes nothing.
    """
    if not reason.strip():
        raise Invalid("Say why.", field="reason")
    take_turns("quality result", result.pk)
    if not is_void:
        refuse_odd_content(result.characteristic, Content(value, verdict, text), result.unit)
    exact = None if value is None or is_void else Decimal(value).quantize(Decimal("1e-9"))
    words = {
        "is_void": is_void,
        "value": exact,
        "verdict": "" if is_void else verdict,
        "text": "" if is_void else text.strip(),
    }
    last = result.corrections.order_by("-id").first()
    same = last is not None and all(getattr(last, name) == said for name, said in words.items())
    if last is not None and same and last.reason == reason.strip():
        return last
    correction = ResultCorrection.objects.create(
        result=result, reason=reason.strip(), corrected_by=actor, recorded_at=recorded_at, **words
    )
    results_changed([result], actor=actor, at=recorded_at)
    return correction


def results_changed(results: Sequence[Result], *, actor: User | None, at: datetime) -> None:
    """Judge anew whatever some new or corrected results bear on: their charts, and inspections that were finished."""
    for signal in charting.follow(results, at=at):
        _act_on(signal, results, actor, at)
    inspections = {result.inspection_id for result in results if result.inspection_id is not None}
    inspections |= inspections_with([result for result in results if result.tag_id is not None])
    for inspection in Inspection.objects.filter(pk__in=inspections, finished_at__isnull=False).order_by("pk"):
        rejudge(inspection)
    announce("inspection", inspections)


def _act_on(signal: Signal, results: Sequence[Result], actor: User | None, at: datetime) -> None:
    """Do what the chart's policy says about a rule that is newly broken: once for a signal, whoever repeats it."""
    chart = signal.chart
    if chart.on_signal == ControlChart.OnSignal.NOTHING:
        return
    last = max(results, key=lambda row: (row.occurred_at, row.pk))
    inspection = last.inspection
    raiser = actor or _set_by(chart)
    if raiser is None:
        return
    nonconformances.raise_nonconformance(
        site=chart.site,
        title=f"{signal.rule} on {chart}: {signal.text}"[:200],
        said=nonconformances.About(
            inspection=inspection,
            work_order=inspection.work_order if inspection else _order_at(last),
            operation_code=inspection.operation_code if inspection else "",
            machine=last.machine,
            product=last.product,
            lot=inspection.lot if inspection else None,
        ),
        is_contained=chart.on_signal == ControlChart.OnSignal.CONTAIN,
        actor=raiser,
        raised_at=at,
        idempotency_key=f"signal/{chart.pk}/{signal.panel}/{signal.rule}/{signal.point_at.isoformat()}",
    )


def _set_by(chart: ControlChart) -> User | None:
    """Who answers for what a chart raises by itself: whoever set its last baseline."""
    last = chart.phases.order_by("-id").first()
    return None if last is None else last.set_by


def _order_at(result: Result) -> WorkOrder | None:
    if result.machine is None:
        return None
    runs = Run.objects.filter(line=result.machine.line_id, started_at__lte=result.occurred_at)
    run = runs.exclude(ended_at__lte=result.occurred_at).select_related("work_order").first()
    return None if run is None else run.work_order


# --- what an inspection came to ---


@transaction.atomic
def finish_inspection(
    *, inspection: Inspection, actor: User, finished_at: datetime, notes: str | None = None
) -> Inspection:
    """End an inspection: passed or failed by its results. A lot that failed a gate is put on hold.

    The same again changes nothing. Raises Conflict naming what is missing.
    """
    inspection = _held_inspection(inspection)
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
    lot = inspection.lot
    if lot is None:
        return
    lot = MaterialLot.objects.get(pk=lot.pk)
    if LotStatus.HOLD in TRANSITIONS[lot.status]:
        reason = f"Inspection {inspection.pk} failed: {inspection.nonconforming} units outside their limits."
        change_lot_status(lot=lot, to_status=LotStatus.HOLD, reason=reason, actor=actor, changed_at=at)


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
    """Decide about a finished inspection, whatever its results say: a conditional pass, a hold, rework. A fact with its reason."""
    inspection = _held_inspection(inspection)
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
    """Derive anew what a finished inspection came to: the last decision, or its results. Ends with the same whenever it is called."""
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


def _held_inspection(inspection: Inspection) -> Inspection:
    rows = Inspection.objects.select_for_update(of=("self",), no_key=True).select_related("plan", "lot", "site")
    return rows.get(pk=inspection.pk)


# --- pictures ---


@transaction.atomic
def add_picture(
    *,
    content: bytes,
    actor: User,
    recorded_at: datetime,
    result: Result | None = None,
    defect: Any = None,
    nonconformance: NonConformance | None = None,
) -> Picture:
    """Keep a photo of a result, a defect or a non-conformance, made anew by `core.uploads`; the same one again is the same."""
    upload = read_document(content)
    if upload.content_type == PDF:
        raise Invalid("Choose a picture: JPEG, PNG or WebP.", field="file")
    of = result.inspection if result is not None else defect or nonconformance
    if of is None:
        raise Invalid("Say what it is a picture of.", field="result")
    digest = hashlib.sha256(content).hexdigest()
    identity = {"result": result, "defect": defect, "nonconformance": nonconformance, "digest": digest}
    take_turns("quality picture", of.pk)
    known = Picture.objects.filter(**identity).first()
    if known is not None:
        return known
    return Picture.objects.create(
        **identity,
        site_id=of.site_id,
        content=upload.content,
        content_type=upload.content_type,
        recorded_by=actor,
        recorded_at=recorded_at,
    )


def characteristics_of(codes: Iterable[str], plan: InspectionPlan) -> dict[str, Characteristic]:
    """Return characteristics of a plan by their codes."""
    return {one.code: one for one in plan.characteristics.filter(code__in=list(codes)).select_related("unit")}
