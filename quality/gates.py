"""The quality gate: what stands against going on with an operation, an order or a lot.

Services ask it, not only screens.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from django.db.models import Q

from core.errors import Conflict
from core.master_data import follows, precedes
from materials.gates import before_release
from materials.models import MaterialLot
from quality.models import Inspection, InspectionPlan, NonConformance
from quality.selectors import Due, Subject, due_of, plans_for, released_plans, subject_of_lot, subjects_of_order
from workorders.models import Operation, Run, WorkOrder

_Status, _Kind = Inspection.Status, InspectionPlan.Kind


class Step(StrEnum):
    """What somebody wants to do."""

    START = "start"
    """Begin an operation: what came before it is in order, and nothing of it is contained."""
    SERIES = "series"
    """Go on after the first piece: it was released, too."""
    FINISH = "finish"
    """End an operation or order: all its gates are passed."""
    RELEASE = "release"
    """Release a lot."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What stands in the way; `kind` is stable: contained, failed, open, due."""

    kind: str
    words: str
    inspection_id: int | None = None
    nonconformance_id: int | None = None
    plan_id: int | None = None


def gate(
    *,
    step: Step,
    now: datetime,
    operation: Operation | None = None,
    work_order: WorkOrder | None = None,
    lot: MaterialLot | None = None,
) -> list[Reason]:
    """Return what stands against a step of an operation, of a whole order, or of a lot; nothing = it may be taken."""
    if lot is not None:
        return [*_contained(Q(lot=lot)), *_of_inspections([subject_of_lot(lot)], strictly=True, now=now)]
    if operation is None and work_order is None:
        return []
    order = operation.work_order if operation is not None else work_order
    assert order is not None
    steps = order.operations.exclude(status=Operation.Status.SKIPPED).select_related("machine")
    if operation is None:
        reasons = _contained(Q(work_order=order))
        if step is not Step.FINISH:
            return reasons
        return [*reasons, *_of_inspections(subjects_of_order(order, [None, *steps]), strictly=True, now=now)]
    reasons = _contained(Q(work_order=order) & Q(operation_code__in=["", operation.code]))
    if step is Step.START:
        own, *earlier = subjects_of_order(order, [operation, *steps.filter(sequence__lt=operation.sequence)])
        return [*reasons, *_failed([own]), *_of_inspections(earlier, strictly=True, now=now)]
    own, whole = subjects_of_order(order, [operation, None])
    if step is Step.SERIES:
        return [*reasons, *_of_inspections([own, whole], strictly=False, now=now, kinds=(_Kind.FIRST_PIECE,))]
    return [*reasons, *_of_inspections([own], strictly=True, now=now)]


def require(
    *,
    step: Step,
    now: datetime,
    operation: Operation | None = None,
    work_order: WorkOrder | None = None,
    lot: MaterialLot | None = None,
) -> None:
    """Raise Conflict with everything that stands against a step."""
    reasons = gate(step=step, now=now, operation=operation, work_order=work_order, lot=lot)
    if reasons:
        raise Conflict(" ".join(reason.words for reason in reasons[:10]), field="quality", code=reasons[0].kind)


def _contained(of: Q) -> list[Reason]:
    rows = NonConformance.objects.filter(of, is_contained=True).exclude(status=NonConformance.Status.CLOSED)
    return [Reason("contained", blocked_by(one), nonconformance_id=one.pk) for one in rows.order_by("id")[:20]]


def blocked_by(one: NonConformance) -> str:
    """Say that a contained non-conformance blocks what it is of."""
    return f"{one.number} blocks it: {one.title.rstrip('.')}."


def contained_in(orders: Iterable[int]) -> dict[int | None, list[NonConformance]]:
    """Return what is contained of orders, by the order's id; with an operation's code it blocks that one only."""
    rows = NonConformance.objects.filter(work_order__in=list(orders), is_contained=True)
    found: dict[int | None, list[NonConformance]] = {}
    for one in rows.exclude(status=NonConformance.Status.CLOSED).order_by("id"):
        found.setdefault(one.work_order_id, []).append(one)
    return found


def _last(subjects: Sequence[Subject]) -> dict[tuple[int | None, int | None, str], list[Inspection]]:
    """Return the last inspection of each blocking plan and serial number, by (lot, order, operation)."""
    lots = [subject.lot.pk for subject in subjects if subject.lot is not None]
    orders = [subject.work_order.pk for subject in subjects if subject.work_order is not None]
    rows = Inspection.objects.filter(
        Q(lot__in=lots, work_order__isnull=True) | Q(work_order__in=orders), plan__blocks=True
    ).select_related("plan")
    found: dict[tuple[int | None, int | None, str], dict[tuple[str, str], Inspection]] = {}
    for one in rows.order_by("opened_at", "id"):
        found.setdefault(_place(one), {})[(one.plan.code, one.serial)] = one
    return {place: list(last.values()) for place, last in found.items()}


def _place(of: Inspection | Subject) -> tuple[int | None, int | None, str]:
    if isinstance(of, Subject):
        order = of.work_order.pk if of.work_order is not None else None
        return (of.lot.pk if of.lot is not None and order is None else None, order, of.operation_code)
    return (of.lot_id if of.work_order_id is None else None, of.work_order_id, of.operation_code)


def _failed(subjects: Sequence[Subject]) -> list[Reason]:
    last = _last(subjects)
    return [_word(one) for subject in subjects for one in last.get(_place(subject), []) if one.status == _Status.FAILED]


def _word(one: Inspection) -> Reason:
    if one.status == _Status.FAILED:
        return Reason("failed", f"{one.plan.name} failed; ask quality.", inspection_id=one.pk)
    return Reason("open", f"{one.plan.name} is not finished.", inspection_id=one.pk)


def _of_inspections(
    subjects: Sequence[Subject], *, strictly: bool, now: datetime, kinds: Sequence[str] | None = None
) -> list[Reason]:
    """Return inspections that failed, are open, or are due; `strictly` also those of each lot or order that was never
    begun.
    """
    if not subjects:
        return []
    last, found = _last(subjects), []
    plans = [plan for plan in released_plans() if plan.blocks and (kinds is None or plan.kind in kinds)]
    late = {(id(one.subject), one.plan.pk): one for one in due_of(subjects, now=now, plans=plans)}
    for subject in subjects:
        there = last.get(_place(subject), [])
        if kinds is not None:
            there = [one for one in there if one.plan.kind in kinds]
        found += [_word(one) for one in there if one.status in (_Status.FAILED, _Status.OPEN)]
        seen = {one.plan.code for one in there}
        for plan in plans_for(subject, plans):
            waits = late.get((id(subject), plan.pk))
            always = any(rule.kind in ("each", "aql") for rule in plan.rules.all())
            if any(one.status == _Status.OPEN and one.plan.code == plan.code for one in there):
                continue
            if waits is not None or (strictly and always and plan.code not in seen):
                found.append(_due(plan, waits))
    return found


def _due(plan: InspectionPlan, waits: Due | None) -> Reason:
    since = f" since {waits.since:%Y-%m-%d %H:%M} UTC" if waits is not None else ""
    return Reason("due", f"{plan.name} is due{since}.", plan_id=plan.pk)


# --- where services of lower floors are stopped ---


@before_release
def refuse_to_release_lot(*, lot: MaterialLot, at: datetime) -> None:
    """Refuse to release a lot that did not pass its gates."""
    require(step=Step.RELEASE, lot=lot, now=at)


@precedes(Run)
def refuse_to_run(run: Run) -> None:
    """Refuse to begin a run of an order that is contained."""
    if cast(Any, run).pk is None:
        require(step=Step.START, work_order=run.work_order, now=run.started_at)


@follows(WorkOrder)
def refuse_to_complete(*, before: WorkOrder | None, after: WorkOrder | None) -> None:
    """Refuse to complete an order that did not pass its gates."""
    done = WorkOrder.Status.COMPLETED
    if before is None or after is None or after.status != done or before.status in (done, WorkOrder.Status.CLOSED):
        return
    # Without a moment of its own the step was taken when it was written.
    at = after.step.at if after.step is not None else _written_at(after)
    require(step=Step.FINISH, work_order=after, now=at)


def _written_at(order: WorkOrder) -> datetime:
    found: datetime = order.history.latest().history_date
    return found
