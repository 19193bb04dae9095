"""Say what is due to be inspected, and since when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db.models import Q

from enterprise.models import Machine, Site
from materials.models import LotStatus, MaterialLot, Stock
from products.models import Product
from quality.models import Inspection, InspectionPlan, SamplingRule
from quality.outside import pieces_counted, stops_ended
from quality.spc.sampling import LotPlan, Severity, Switching, after, plan_for
from workorders.models import Operation, Run, WorkOrder

_Kind, _Rule = InspectionPlan.Kind, SamplingRule.Kind
OF_ORDERS = (_Kind.IN_PROCESS, _Kind.FINAL, _Kind.FIRST_PIECE)
MOST_SUBJECTS = 200
"""So many orders in work and lots in quarantine are looked at for a list of what is due, the newest of each."""
LONGEST_LOOK = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Subject:
    """What could be inspected: a lot, or an order at an operation and a machine; `began_at` None = it has not begun."""

    site_id: int
    product: Product | None
    began_at: datetime | None
    lot: MaterialLot | None = None
    work_order: WorkOrder | None = None
    operation_code: str = ""
    machine: Machine | None = None
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """An inspection that should be made: of what, since when, and until when without being late."""

    plan: InspectionPlan
    rule: SamplingRule
    subject: Subject
    since: datetime
    overdue_at: datetime | None
    now: datetime

    @property
    def is_overdue(self) -> bool:
        """Whether it should have been made by now."""
        return self.overdue_at is not None and self.now >= self.overdue_at


def plans_for(subject: Subject, plans: Iterable[InspectionPlan]) -> list[InspectionPlan]:
    """Return those plans that concern a subject."""
    lot, found = subject.lot, []
    for plan in plans:
        if (plan.kind == _Kind.INCOMING) != (lot is not None) or plan.kind == _Kind.AUDIT:
            continue
        product = subject.product
        fits = (
            plan.site_id in (None, subject.site_id)
            and (plan.product_id is None or (product is not None and product.pk == plan.product_id))
            and (not plan.material_type or (product is not None and product.material_type == plan.material_type))
            and (not plan.supplier or (lot is not None and lot.supplier == plan.supplier))
            and plan.operation_code == subject.operation_code
            and (plan.machine_id is None or subject.machine is None or plan.machine_id == subject.machine.pk)
        )
        # What was made here is not incoming goods.
        if fits and not (lot is not None and lot.work_order_id is not None):
            found.append(plan)
    return found


def released_plans() -> list[InspectionPlan]:
    """Return all released plans with their rules. Two queries."""
    plans = InspectionPlan.objects.filter(status=InspectionPlan.Status.RELEASED).select_related("machine", "product")
    return list(plans.prefetch_related("rules").order_by("code"))


def subject_of_lot(lot: MaterialLot) -> Subject:
    """Return a lot as something to inspect."""
    return Subject(lot.site_id, lot.product, lot.recorded_at, lot=lot)


def subjects_of_order(
    order: WorkOrder, operations: Iterable[Operation | None], machine: Machine | None = None
) -> list[Subject]:
    """Return an order (None) and operations of it as things to inspect: begun with its first run, or when they say."""
    runs = Run.objects.filter(work_order=order).select_related("line")
    run = runs.order_by("-started_at").first()
    first = runs.order_by("started_at").first() if run is not None else None
    return [
        Subject(
            order.line.area.site_id,
            order.product,
            (step.actual_start_at if step is not None else None) or (first.started_at if first is not None else None),
            work_order=order,
            operation_code=step.code if step is not None else "",
            machine=machine or (step.machine if step is not None else None),
            run=run,
        )
        for step in operations
    ]


def due(
    *,
    work_order: WorkOrder | None = None,
    operation: Operation | None = None,
    machine: Machine | None = None,
    lot: MaterialLot | None = None,
    now: datetime,
) -> list[Due]:
    """Return the inspections that are due of an order with all its operations, of one operation, at a machine,
    or of a lot.
    """
    return due_of(_subjects(work_order, operation, machine, lot), now=now)


def _subjects(
    order: WorkOrder | None, operation: Operation | None, machine: Machine | None, lot: MaterialLot | None
) -> list[Subject]:
    if lot is not None:
        return [subject_of_lot(lot)]
    if operation is not None:
        return subjects_of_order(operation.work_order, [operation], machine)
    if order is None and machine is not None:
        run = Run.objects.filter(line=machine.line_id, ended_at__isnull=True).select_related("work_order").first()
        order = run.work_order if run is not None else None
    if order is None:
        return []
    begun = order.operations.filter(
        Q(actual_start_at__isnull=False) | Q(status=Operation.Status.IN_PROGRESS)
    ).select_related("machine")
    return subjects_of_order(order, [None, *begun], machine)


def due_at(sites: Sequence[Site], *, now: datetime) -> list[Due]:
    """Return what is due at sites, the longest waiting first: of the orders in work, and of the lots in quarantine."""
    ids = [site.pk for site in sites]
    runs = (
        Run.objects.filter(line__area__site__in=ids, ended_at__isnull=True)
        .select_related("work_order__product", "work_order__line__area", "line__area")
        .order_by("-started_at")[:MOST_SUBJECTS]
    )
    in_work = list(runs)
    steps = Operation.objects.filter(
        work_order__in=[run.work_order_id for run in in_work], actual_start_at__isnull=False, actual_end_at__isnull=True
    ).select_related("machine")
    by_order: dict[int, list[Operation]] = {}
    for step in steps:
        by_order.setdefault(step.work_order_id, []).append(step)
    subjects = []
    for run in in_work:
        order, site_id = run.work_order, run.line.area.site_id
        subjects.append(Subject(site_id, order.product, run.started_at, work_order=order, run=run))
        for step in by_order.get(order.pk, ()):
            subjects.append(
                Subject(
                    site_id,
                    order.product,
                    step.actual_start_at,
                    work_order=order,
                    operation_code=step.code,
                    machine=step.machine,
                    run=run,
                )
            )
    lots = (
        MaterialLot.objects.filter(site__in=ids, status=LotStatus.QUARANTINE, work_order__isnull=True)
        .select_related("product", "site")
        .order_by("-id")[:MOST_SUBJECTS]
    )
    subjects += [subject_of_lot(lot) for lot in lots]
    return sorted(due_of(subjects, now=now), key=lambda one: (one.since, one.plan.code))


def due_of(subjects: Sequence[Subject], *, now: datetime, plans: Sequence[InspectionPlan] | None = None) -> list[Due]:
    """Return what is due of subjects; a plan of several rules once, since the first of them asks for it.

    By some plans, with their rules read, or else by all that are released.
    """
    plans = released_plans() if plans is None else plans
    asked = [(subject, plan) for subject in subjects for plan in plans_for(subject, plans)]
    last = _last_inspected(asked)
    machines = _machines_of(asked)
    found = []
    for subject, plan in asked:
        place = subject.machine or plan.machine
        if place is None and subject.run is not None:
            place = machines.get(subject.run.line_id)
        rows = []
        for rule in plan.rules.all():
            since = _since(subject, plan, rule, last.get(_key(subject, plan.code)), place, now)
            if since is not None and since <= now:
                rows.append((since, rule.pk, rule))
        if rows:
            since, _, rule = min(rows, key=lambda row: row[:2])
            late = None if rule.overdue_minutes is None else since + timedelta(minutes=rule.overdue_minutes)
            found.append(Due(plan, rule, subject, since, late, now))
    return found


_Key = tuple[str, int | None, int | None, str]


def _key(subject: Subject, code: str) -> _Key:
    lot, order = subject.lot, subject.work_order
    return (code, lot.pk if lot else None, order.pk if order else None, subject.operation_code)


def _last_inspected(asked: Sequence[tuple[Subject, InspectionPlan]]) -> dict[_Key, datetime]:
    """Return when each plan was last begun of each subject, whatever version. One query."""
    lots = {subject.lot.pk for subject, _ in asked if subject.lot}
    orders = {subject.work_order.pk for subject, _ in asked if subject.work_order}
    rows = Inspection.objects.filter(Q(lot__in=lots, lot__isnull=False) | Q(work_order__in=orders)).order_by(
        "opened_at"
    )
    last: dict[_Key, datetime] = {}
    for code, lot, order, operation, opened_at in rows.values_list(
        "plan__code", "lot", "work_order", "operation_code", "opened_at"
    ):
        for key in {(code, lot, None, operation), (code, None, order, operation)}:
            last[key] = opened_at
    return last


def _machines_of(asked: Sequence[tuple[Subject, InspectionPlan]]) -> dict[int, Machine]:
    """Return the machine that stands for each line on which runs are asked about."""
    lines = {subject.run.line_id for subject, _ in asked if subject.run is not None}
    return {machine.line_id: machine for machine in Machine.objects.filter(line__in=lines, is_constraint=True)}


def _since(
    subject: Subject,
    plan: InspectionPlan,
    rule: SamplingRule,
    last: datetime | None,
    machine: Machine | None,
    now: datetime,
) -> datetime | None:
    """Return since when a rule asks for an inspection that was not begun yet; None = it does not."""
    began = subject.began_at
    if began is None:
        return None
    match rule.kind:
        case _Rule.EACH | _Rule.AQL:
            return began if last is None else None
        case _Rule.EVERY_MINUTES:
            run = subject.run
            if run is None or run.ended_at is not None:
                return None
            return max(began, last or began) + timedelta(minutes=rule.every or 0)
        case _Rule.AFTER_CHANGEOVER:
            start = _changed_over(subject.run)
            return start if start is not None and (last is None or last < start) else None
        case _Rule.EVERY_PIECES:
            if machine is None:
                return None
            start = max(began, last or began, now - LONGEST_LOOK)
            made = Fraction(0)
            for at, quantity in pieces_counted(machine.pk, start, now):
                made += quantity
                if made >= (rule.every or 0):
                    return at
            return None
        case _Rule.AFTER_STOP:
            if machine is None:
                return None
            start = max(began, now - LONGEST_LOOK)
            long = [
                stop.end
                for stop in stops_ended(machine.pk, start, now)
                if stop.end - stop.start >= timedelta(minutes=rule.every or 0) and (last is None or stop.end > last)
            ]
            return min(long) if long else None
    return None


def _changed_over(run: Run | None) -> datetime | None:
    """Return when a run began that followed one of another product on its line; the line's first run is one, too."""
    if run is None:
        return None
    before = (
        Run.objects.filter(line=run.line_id, started_at__lt=run.started_at)
        .order_by("-started_at")
        .values_list("work_order__product", flat=True)
        .first()
    )
    return None if before is not None and before == run.work_order.product_id else run.started_at


# --- acceptance sampling ---


def switching_of(plan: InspectionPlan, rule: SamplingRule, product: Product | None, supplier: str) -> Switching:
    """Return where the series of lots stands, derived from the lots that were inspected by this version of the plan.

    A lot that is inspected again does not count again. A new version of the plan begins anew, also after a stop.
    """
    state, seen = Switching(), set()
    rows = Inspection.objects.filter(
        plan=plan, rule__kind=_Rule.AQL, product=product, finished_at__isnull=False, nonconforming__isnull=False
    ).exclude(code_letter="")
    if supplier:
        rows = rows.filter(lot__supplier=supplier)
    for one in rows.order_by("opened_at", "id").only("lot_id", "code_letter", "nonconforming"):
        if one.lot_id is not None and one.lot_id in seen:
            continue
        seen.add(one.lot_id)
        if state.is_stopped:
            break
        state = after(
            state,
            letter=one.code_letter,
            aql=rule.aql or Decimal(0),
            found=one.nonconforming or 0,
            may_reduce=rule.may_reduce,
        )
    return state


def sample_of(rule: SamplingRule, lot_size: int, severity: Severity) -> LotPlan:
    """Return how many of a lot are inspected by AQL. Raises Invalid where the tables have no such plan."""
    return plan_for(lot_size, rule.aql or Decimal(0), rule.level, severity)


def lot_size_of(lot: MaterialLot) -> Decimal:
    """Return how much of a lot there is."""
    return sum(Stock.objects.filter(lot=lot, quantity__gt=0).values_list("quantity", flat=True), start=Decimal(0))
