"""Write results of inspections, and what follows from new and corrected ones. A retry has one effect."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from core.announcements import announce
from core.errors import Conflict, Invalid
from core.locks import take_turns
from products.models import UnitOfMeasure
from quality import charting, nonconformances
from quality.gauging import refuse_unusable
from quality.judging import (
    Content,
    in_unit_of,
    inspections_with,
)
from quality.models import (
    Characteristic,
    ControlChart,
    Gauge,
    Inspection,
    InspectionPlan,
    Result,
    ResultCorrection,
    Signal,
)
from quality.services import hold_inspection, rejudge
from workorders.models import Run, WorkOrder

_Kind, _Status = Characteristic.Kind, Inspection.Status


def characteristics_of(codes: Iterable[str], plan: InspectionPlan) -> dict[str, Characteristic]:
    """Return characteristics of a plan by their codes."""
    return {one.code: one for one in plan.characteristics.filter(code__in=list(codes)).select_related("unit")}


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

    The same result again changes nothing. Raises Invalid for content that does not fit its characteristic, Conflict for
    a sample that has another result, for a gauge that is not calibrated, and for an inspection that is finished.
    """
    inspection = hold_inspection(inspection)
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
    """Raise Invalid, naming the field, for a result that its characteristic cannot have;
    Conflict for a gauge that may not be used.
    """
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
    """Say what a result should have been, or that it is void, and why.

    The result stays; its charts and inspection are judged anew.

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
