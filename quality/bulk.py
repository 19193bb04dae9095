"""Write many finished inspections and found defects of the past at once, judged by the rules that judge each one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db import transaction

from accounts.models import User
from core.announcements import announce
from core.bulk import insert
from core.errors import Invalid
from core.intervals import Interval
from enterprise.models import Machine, Site
from enterprise.selectors import shifts_of_all
from materials.models import MaterialLot
from quality.judging import STATUS_OF, Held, is_good, judged, missing_of, sheet_of
from quality.models import Characteristic, Defect, DefectCode, Gauge, Inspection, InspectionPlan, Result, SamplingRule
from workorders.models import WorkOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found of a characteristic at one unit of a sample."""

    characteristic: Characteristic
    sample: int
    at: datetime
    value: Decimal | None = None
    verdict: str = ""
    gauge: Gauge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """An inspection by a released plan that is over; results are written down when it ended."""

    plan: InspectionPlan
    rule: SamplingRule
    machine: Machine
    work_order: WorkOrder
    lot: MaterialLot | None = None
    sample_size: int
    opened_at: datetime
    finished_at: datetime
    found: Sequence[Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDefect:
    """A defect that somebody found at a machine, in an order."""

    code: DefectCode
    machine: Machine
    work_order: WorkOrder
    quantity: int
    at: datetime
    cause: str = ""
    lot: MaterialLot | None = None


@transaction.atomic
def load_inspections(inspected: Sequence[Inspected], *, actor: User) -> list[Inspection]:
    """Write inspections with their results, and what they came to.

    For plans that block nothing and inspect by a fixed number; machines come with their line, area and site. Raises
    Invalid for an odd plan or time, and for one that lacks results.
    """
    shifts = _shifts([(one.machine, one.opened_at) for one in inspected])
    inspections, results = [], []
    for one, (shift_id, day) in zip(inspected, shifts, strict=True):
        _refuse_odd(one)
        inspection = Inspection(
            plan=one.plan,
            rule=one.rule,
            site=one.machine.line.area.site,
            work_order=one.work_order,
            machine=one.machine,
            product=one.work_order.product,
            lot=one.lot,
            batch=one.lot.batch if one.lot else "",
            sample_size=one.sample_size,
            inspector=actor,
            shift_id=shift_id,
            shift_date=day,
            opened_at=one.opened_at,
            finished_at=one.finished_at,
        )
        rows = [_result(row, one, inspection, actor) for row in one.found]
        _judge(inspection, one, rows)
        inspections.append(inspection)
        results.append(rows)
    insert(inspections)
    for inspection, rows in zip(inspections, results, strict=True):
        for row in rows:
            row.inspection = inspection
    insert([row for rows in results for row in rows])
    announce("inspection", [inspection.pk for inspection in inspections])
    return inspections


def _refuse_odd(one: Inspected) -> None:
    plan = one.plan
    if plan.status != InspectionPlan.Status.RELEASED or one.opened_at < (plan.valid_from or one.opened_at):
        raise Invalid(f"{plan} is not in force.", field="plan")
    if plan.blocks or one.rule.kind == SamplingRule.Kind.AQL or one.rule.plan_id != plan.pk:
        raise Invalid(f"{plan} is inspected one by one.", field="plan")
    if one.finished_at < one.opened_at or any(not one.opened_at <= row.at <= one.finished_at for row in one.found):
        raise Invalid("Results are taken while it lasts.", field="finished_at")


def _result(row: Found, one: Inspected, inspection: Inspection, actor: User) -> Result:
    return Result(
        characteristic=row.characteristic,
        sample=row.sample,
        machine=one.machine,
        product=inspection.product,
        gauge=row.gauge,
        occurred_at=row.at,
        value=None if row.value is None else row.value.quantize(Decimal("1e-9")),
        verdict=row.verdict,
        unit_id=row.characteristic.unit_id,
        source=str(actor)[:64],
        recorded_by=actor,
        recorded_at=one.finished_at,
    )


def _judge(inspection: Inspection, one: Inspected, rows: Sequence[Result]) -> None:
    held = []
    for row in rows:
        of, value = row.characteristic, None if row.value is None else Fraction(row.value)
        held.append(Held(row, value, row.verdict, row.text, is_good(of, value, row.verdict, row.text)))
    sheet = sheet_of(held)
    lacking = missing_of({row.characteristic for row in rows}, sheet, one.sample_size)
    if lacking or not rows:
        raise Invalid(f"Still to do: {'; '.join(lacking[:20])}.", field="results")
    found = judged(inspection, sheet)
    inspection.nonconforming, inspection.result = found.nonconforming, found.result
    inspection.status = STATUS_OF[Inspection.Outcome(found.result)]


def _shifts(asked: Sequence[tuple[Machine, datetime]]) -> list[tuple[int | None, date | None]]:
    """Return the shift and its day of each machine and moment."""
    if not asked:
        return []
    moments = [at for _, at in asked]
    machines = list({machine.pk: machine for machine, _ in asked}.values())
    calendars = shifts_of_all(machines, Interval(min(moments), max(moments) + timedelta(microseconds=1)))
    found: dict[tuple[int, datetime], tuple[int | None, date | None]] = defaultdict(lambda: (None, None))
    for machine, at in asked:
        for shift in calendars[machine.pk] or ():
            if shift.start <= at < shift.end:
                found[machine.pk, at] = shift.shift_id, shift.shift_date
    return [found[machine.pk, at] for machine, at in asked]


@transaction.atomic
def load_defects(new: Sequence[NewDefect], *, site: Site, actor: User) -> list[Defect]:
    """Write defects that were found at machines of a site."""
    rows = [
        Defect(
            code=one.code,
            site=site,
            quantity=one.quantity,
            units=one.quantity,
            severity=one.code.severity,
            cause=one.cause,
            work_order=one.work_order,
            machine=one.machine,
            product=one.work_order.product,
            lot=one.lot,
            detected_at=one.at,
            recorded_at=one.at,
            recorded_by=actor,
        )
        for one in new
    ]
    insert(rows)
    return rows
