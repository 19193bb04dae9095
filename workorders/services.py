"""Write orders and runs: guarded transitions, what is copied at release, one run at a time on a line."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core import master_data
from core.announcements import announce
from core.changes import Change, mark
from core.errors import Conflict, Invalid
from core.exact import plain_number, rounded_up
from core.locks import take_turns
from core.master_data import follows, precedes
from core.retention import refuse_closed
from enterprise.models import Line, Machine
from products.models import Product, ProductRevision
from products.selectors import revision_at
from products.units import convert
from workorders import reported
from workorders.models import (
    Operation,
    OrderReason,
    OrderStatusChange,
    Run,
    Schedule,
    Step,
    WorkOrder,
)
from workorders.refusals import refusal
from workorders.release import copy_from_revision
from workorders.selectors import LIVE, made, missing, next_statuses, tolerance

_Status = WorkOrder.Status
_NEEDS_REASON: dict[str, str] = {_Status.ON_HOLD: "for_hold", _Status.CANCELLED: "for_cancel"}


@precedes(WorkOrder)
def note_where_held(order: WorkOrder) -> None:
    """Keep the status from which an order is put on hold: it resumes there."""
    if order.status != _Status.ON_HOLD:
        order.held_from = ""
    elif order.pk is not None:
        stored = WorkOrder.objects.get(pk=order.pk)
        order.held_from = stored.held_from if stored.status == _Status.ON_HOLD else stored.status


@follows(WorkOrder)
def work_order_changed(*, before: WorkOrder | None, after: WorkOrder | None) -> None:
    """Refuse a step that the order's life does not have, note the others;
    mark its runs when it is another product's.
    """
    if after is not None:
        _refuse_unfit(before, after)
        if before is None or before.status != after.status:
            _take_step(before, after)
    if before is None or after is None:
        return
    if before.line_id != after.line_id and after.runs.exists():
        raise Conflict("The order has run on its line; it cannot move to another one.", field="line")
    if before.product_id != after.product_id:
        for run in after.runs.all():
            refuse_closed(run.started_at, field="product")
            _mark(run)


def _take_step(before: WorkOrder | None, order: WorkOrder) -> None:
    """Append that an order is in another status. Raises Conflict, naming what is allowed, for what its life forbids."""
    step = order.step
    if before is not None:
        _refuse_step(before, order, step)
    written = order.history.first() if step is None or step.actor is None else None
    change = OrderStatusChange.objects.create(
        order=order,
        from_status="" if before is None else before.status,
        to_status=order.status,
        reason=step.reason if step else None,
        note=step.note if step else "",
        changed_by=step.actor if step and step.actor else getattr(written, "history_user", None),
        changed_at=cast(Any, step.at if step else getattr(written, "history_date", None)),
    )
    order.step = None
    reported.stepped(change)


def _refuse_step(before: WorkOrder, order: WorkOrder, step: Step | None) -> None:
    to_status = order.status
    possible = next_statuses(status=before.status, held_from=before.held_from)
    if to_status not in possible:
        words = ", ".join(sorted(possible)) or "nothing"
        raise refusal(before, f"An order that is {before.status} cannot become {to_status}; it can become: {words}.")
    reason = step.reason if step else None
    if to_status in _NEEDS_REASON and order.merged_into_id is None:
        _refuse_reason(
            order,
            reason,
            _NEEDS_REASON[to_status],
            f"Say for which reason it becomes {to_status}; the page of the order asks for one.",
        )
    if to_status in (_Status.COMPLETED, _Status.CANCELLED):
        run = Run.objects.filter(work_order=order, ended_at__isnull=True).select_related("line").first()
        if run is not None:
            raise refusal(
                before, f"It runs on {run.line} since {run.started_at:%Y-%m-%d %H:%M} UTC; end that run first."
            )
    if to_status == _Status.CANCELLED and made(order, now=_moment(order, step)).anything:
        raise refusal(before, "It has made something already; complete it short instead, so that this is not lost.")
    if to_status == _Status.COMPLETED:
        _refuse_amount(before, order, step)


def _moment(order: WorkOrder, step: Step | None) -> datetime:
    """Return when a step is taken; one that says nothing of it, when it was written."""
    return step.at if step else order.history.latest().history_date


def _refuse_reason(order: WorkOrder, reason: OrderReason | None, purpose: str, words: str) -> None:
    """Raise Invalid without a reason, or for one that does not serve the purpose or is switched off."""
    if reason is None:
        raise Invalid(words, field="reason")
    if not getattr(reason, purpose) or not reason.is_active:
        raise Invalid(f"'{reason}' is not a reason for that.", field="reason")


def _refuse_amount(before: WorkOrder, order: WorkOrder, step: Step | None) -> None:
    """Raise Conflict when an order made less or more than its tolerances allow; less may be said to be meant."""
    made_ = made(order, now=_moment(order, step))
    refuse_too_much(order, made_.good)
    lacking = missing(order, made_)
    if lacking is None:
        return
    if step is None or not step.short:
        what = f"{amount(lacking)} {unit_of(order)} are missing" if made_.good is not None else "Nothing was reported"
        raise refusal(
            before,
            f"{what}; report the rest, or complete it short, with a reason.",
            missing=amount(lacking),
        )
    _refuse_reason(order, step.reason, "for_short", "Say why it is completed short.")


def refuse_too_much(order: WorkOrder, good: Fraction | None) -> None:
    """Raise Conflict when more was made than the order's tolerance allows."""
    most = tolerance(order).most
    if most is not None and good is not None and good > most:
        raise refusal(
            order,
            f"At most {amount(most)} {unit_of(order)} may be made, and {amount(good)} would be;"
            " raise the target or the tolerance of the order first.",
            too_much=amount(good - most),
        )


def unit_of(order: WorkOrder) -> str:
    """Return the code of the unit that an order's quantities are in."""
    return order.unit_id or (order.product and order.product.unit_id) or "pieces"


def amount(quantity: Fraction | Decimal) -> str:
    """Return a quantity in words: exact where it ends within six decimals, else rounded up to that."""
    return plain_number(rounded_up(quantity))


def refuse_work(work_order: WorkOrder) -> None:
    """Raise Conflict when no run, operation or issue of material may begin for an order: it is held, or it is over."""
    order = WorkOrder.objects.get(pk=work_order.pk)
    if order.status == _Status.ON_HOLD:
        last = order.status_changes.filter(to_status=_Status.ON_HOLD).select_related("reason", "changed_by").first()
        why = (
            f" ({last.reason}{f', says {last.changed_by}' if last.changed_by else ''})" if last and last.reason else ""
        )
        words = f"Order {order} is on hold{why}; nothing may start before it is resumed."
        raise refusal(order, words, field="work_order", code="on_hold")
    if order.status not in LIVE:
        raise refusal(order, f"Order {order} is {order.status}; nothing may start for it.", field="work_order")


def _refuse_unfit(before: WorkOrder | None, order: WorkOrder) -> None:
    """Raise Invalid for a unit or revision that is not the product's, Conflict for one changed after the release."""
    if order.unit is not None and order.product is not None:
        try:
            convert(1, order.unit, order.product.unit, order.product)
        except Invalid as refusal:
            raise Invalid(refusal.message, field="unit") from None
    if order.revision is not None and order.revision.product_id != order.product_id:
        raise Invalid("The revision is another product's.", field="revision")
    if before is None or before.released_at is None or before.revision_id is None:
        return
    for name in ("product", "revision", "unit", "routing_code"):
        attribute = WorkOrder._meta.get_field(name).attname  # type: ignore[union-attr]
        if getattr(before, attribute) != getattr(order, attribute):
            raise Conflict("The order is released with its operations and materials; make another order.", field=name)
    if before.target_quantity != order.target_quantity:
        if order.operations.exclude(status__in=(Operation.Status.PENDING, Operation.Status.READY)).exists():
            raise Conflict("Work on the order has begun; its quantity stays.", field="target_quantity")
        copy_from_revision(order)


# --- release: what the order keeps of how its product is made ---

_RELEASES = frozenset({_Status.RELEASED, _Status.IN_PROGRESS})
_NOT_YET = frozenset({_Status.CREATED, _Status.SCHEDULED})


@transaction.atomic
def release_order(*, work_order: WorkOrder, at: datetime, actor: User | None = None, note: str = "") -> WorkOrder:
    """Release an order: it takes the revision valid at a moment and copies its operations, set-points and materials.

    An order without a product, or whose product has no released revision, is released without any. Raises Conflict when
    the order cannot be released (any more), Invalid for a routing that the revision does not have.
    """
    order = WorkOrder.objects.select_for_update(of=("self",)).get(pk=work_order.pk)
    if order.released_at is not None and order.status == _Status.RELEASED:
        raise refusal(order, "The order is released already.")
    if order.status == _Status.ON_HOLD:
        raise refusal(order, "The order is on hold; it can be resumed or cancelled.")
    order.status = _Status.RELEASED
    order.step = Step(at=at, actor=actor, note=note)
    return save_order(work_order=order, at=at)


@transaction.atomic
def save_order(*, work_order: WorkOrder, at: datetime) -> WorkOrder:
    """Write an order as it stands; when that releases or starts it for the first time, copy what it is made by.

    `at` is the moment whose revision holds. Where the order has no tolerances of its own, it takes its product's.
    """
    if work_order.step is None:
        work_order.step = Step(at=at)
    before = WorkOrder.objects.select_for_update(of=("self",)).filter(pk=work_order.pk).first()
    was_open = before is None or (before.released_at is None and before.status in _NOT_YET)
    if not was_open or work_order.status not in _RELEASES:
        return master_data.save(work_order)
    work_order.released_at = at
    if work_order.revision is None and work_order.product_id is not None:
        work_order.revision = revision_at(work_order.product_id, at)
    if work_order.product is not None:
        for name in ("over_tolerance", "under_tolerance"):
            if getattr(work_order, name) is None:
                setattr(work_order, name, getattr(work_order.product, name))
    revision = work_order.revision
    if revision is not None and revision.status != ProductRevision.Status.RELEASED:
        raise Conflict(f"Revision {revision.code} is {revision.status}; release it first.", field="revision")
    if revision is None and work_order.routing_code:
        raise Invalid("The product has no released revision, and so no routings.", field="routing_code")
    order = master_data.save(work_order)
    copy_from_revision(order)
    return order


@transaction.atomic
def add_operation(
    *,
    work_order: WorkOrder,
    code: str,
    name: str,
    actor: User,
    sequence: int | None = None,
    machine: Machine | None = None,
    planned_quantity: Decimal | None = None,
    counting_source: str = Operation.CountingSource.OPERATOR,
) -> Operation:
    """Give a released order a step that its routing does not have, after its others unless `sequence` places it.

    It is to make the order's target unless another quantity is planned. Raises Conflict for an order that is not
    released or is over, and for a code or place that another of its steps has; Invalid for a machine at another site.
    """
    order = WorkOrder.objects.select_for_update(of=("self",)).select_related("line__area").get(pk=work_order.pk)
    if order.released_at is None:
        raise refusal(order, f"Order {order} is not released; release it first, its routing's steps come with that.")
    if order.status not in LIVE:
        raise refusal(order, f"Order {order} is {order.status}; nothing more is done for it.")
    if machine is not None and machine.line.area.site_id != order.line.area.site_id:
        raise Invalid("That machine is at another site than the order.", field="machine")
    others = list(order.operations.all())
    if any(other.code == code for other in others):
        raise Conflict(f"Order {order} has a step {code} already.", field="code")
    if sequence is None:
        sequence = max((other.sequence for other in others), default=0) // 10 * 10 + 10
    elif any(other.sequence == sequence for other in others):
        raise Conflict(f"Order {order} has another step at {sequence}; choose a place between.", field="sequence")
    operation = Operation(
        work_order=order,
        sequence=sequence,
        code=code,
        name=name,
        machine=machine,
        planned_quantity=order.target_quantity if planned_quantity is None else planned_quantity,
        counting_source=counting_source,
    )
    operation._history_user = actor  # type: ignore[attr-defined]  # read by the history
    return master_data.save(operation)


@precedes(Run)
def take_turns_on_line(run: Run) -> None:
    """Let those who start or end runs of an order, or on a line, take turns: the order first, then the line."""
    WorkOrder.objects.select_for_update(no_key=True, of=("self",)).filter(pk=run.work_order_id).first()
    take_turns("run on a line", run.line_id or 0)


@follows(Run)
def run_changed(*, before: Run | None, after: Run | None) -> None:
    """Mark the time that a run took or takes, on every machine of its line."""
    _refuse_closed_runs(before, after)
    for run in (before, after):
        if run is not None:
            _mark(run)
    if after is not None and not _may_run_on(after.work_order, after.line):
        raise Invalid(
            "The order belongs to another line, and no operation of it is done on this one.", field="work_order"
        )
    if after is not None and _begins(before, after):
        refuse_work(after.work_order)
    reported.ran(before, after)


def _begins(before: Run | None, run: Run) -> bool:
    """Say whether a change of a run begins work on its order."""
    return (
        before is None
        or before.work_order_id != run.work_order_id
        or (before.ended_at is not None and run.ended_at is None)
    )


def _may_run_on(order: WorkOrder, line: Line) -> bool:
    """Say whether a line may run an order: its own line, or one of the same site that an operation of it is done on."""
    if line.pk == order.line_id:
        return True
    if line.area.site_id != order.line.area.site_id:
        return False
    machines = Machine.objects.filter(line=line)
    done_there = Q(line=line) | Q(machine__in=machines) | Q(machine_class__in=machines.values("machine_class"))
    return order.operations.filter(done_there).exists()


def _refuse_closed_runs(before: Run | None, after: Run | None) -> None:
    """Raise Closed for a change of what a run was in closed time; one that began there may still end later."""
    if (
        before is not None
        and after is not None
        and before.line_id == after.line_id
        and before.work_order_id == after.work_order_id
    ):
        if before.started_at != after.started_at:
            refuse_closed(min(before.started_at, after.started_at), field="started_at")
        if before.ended_at != after.ended_at:
            refuse_closed(min(at for at in (before.ended_at, after.ended_at) if at is not None), field="ended_at")
        return
    for run in (before, after):
        if run is not None:
            refuse_closed(run.started_at, field="started_at")


@follows(Product)
def product_changed(*, before: Product | None, after: Product | None) -> None:
    """Mark the runs of a product whose micro-stops are others now."""
    if before is not None and after is not None and before.micro_stop_below != after.micro_stop_below:
        for run in Run.objects.filter(work_order__product=after):
            _mark(run)


def _mark(run: Run) -> None:
    machines = list(Machine.objects.filter(line=run.line_id).values_list("id", flat=True))
    mark(Change(machine_id, run.started_at, run.ended_at) for machine_id in machines)
    announce("machine", machines)


@transaction.atomic
def start_run(
    *,
    work_order: WorkOrder,
    line: Line,
    started_at: datetime,
    ended_at: datetime | None = None,
    estimated_finish_at: datetime | None = None,
    schedule: Schedule | None = None,
    actor: User | None = None,
) -> Run:
    """Start working on an order; it is in progress from then on. A run of the past may be given with its end.

    Raises Conflict when the order is held or over, ValidationError when the line has another run at that time.
    """
    order = WorkOrder.objects.select_for_update().get(pk=work_order.pk)
    run = master_data.save(
        Run(
            work_order=order,
            line=line,
            schedule=schedule,
            started_at=started_at,
            ended_at=ended_at,
            estimated_finish_at=estimated_finish_at,
        )
    )
    if order.status != _Status.IN_PROGRESS:
        order.status = _Status.IN_PROGRESS
        order.step = Step(at=started_at, actor=actor)
        save_order(work_order=order, at=started_at)
    return run


@transaction.atomic
def end_run(*, run: Run, ended_at: datetime) -> Run:
    """End a run. Raises Conflict when it has ended already."""
    stored = Run.objects.select_for_update().get(pk=run.pk)
    if stored.ended_at is not None:
        raise Conflict("The run has ended already.", field="ended_at")
    stored.ended_at = ended_at
    return master_data.save(stored)
