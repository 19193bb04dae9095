"""Write orders and runs: guarded transitions, what is copied at release, one run at a time on a line."""

from datetime import datetime
from decimal import ROUND_UP, Context, Decimal
from fractions import Fraction

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core import master_data
from core.announcements import announce
from core.changes import Change, mark
from core.errors import Conflict, Invalid
from core.master_data import follows
from core.retention import refuse_closed
from counts.models import CountTag, CountType
from enterprise.models import Line, Machine
from products.models import Product, ProductRevision, Routing, RoutingOperation
from products.selectors import requirements, revision_at
from products.units import convert
from workorders.models import (
    ChangeoverTask,
    ChangeoverTaskDone,
    Operation,
    OrderMaterial,
    OrderParameter,
    Run,
    Schedule,
    WorkOrder,
)
from workorders.selectors import target_in_product_unit

_Status = WorkOrder.Status
TRANSITIONS: dict[str, frozenset[str]] = {
    _Status.CREATED: frozenset({_Status.RELEASED, _Status.SCHEDULED, _Status.IN_PROGRESS, _Status.CANCELLED}),
    _Status.RELEASED: frozenset({_Status.SCHEDULED, _Status.IN_PROGRESS, _Status.ON_HOLD, _Status.CANCELLED}),
    _Status.SCHEDULED: frozenset({_Status.RELEASED, _Status.IN_PROGRESS, _Status.ON_HOLD, _Status.CANCELLED}),
    _Status.IN_PROGRESS: frozenset({_Status.ON_HOLD, _Status.COMPLETED, _Status.CANCELLED}),
    _Status.ON_HOLD: frozenset({_Status.RELEASED, _Status.SCHEDULED, _Status.IN_PROGRESS, _Status.CANCELLED}),
    _Status.COMPLETED: frozenset({_Status.IN_PROGRESS, _Status.CLOSED}),
    _Status.CLOSED: frozenset(),
    _Status.CANCELLED: frozenset(),
}
"""Which status may follow which: what is closed or cancelled stays so."""


@follows(WorkOrder)
def work_order_changed(*, before: WorkOrder | None, after: WorkOrder | None) -> None:
    """Refuse a step that the order's life does not have; mark its runs when it is another product's now."""
    if after is not None:
        _refuse_unfit(before, after)
    if before is None or after is None:
        return
    if before.status != after.status and after.status not in TRANSITIONS[before.status]:
        allowed = ", ".join(sorted(TRANSITIONS[before.status])) or "nothing"
        raise Conflict(f"An order that is {before.status} cannot become {after.status}; it can become: {allowed}.")
    if before.line_id != after.line_id and after.runs.exists():
        raise Conflict("The order has run on its line; it cannot move to another one.", field="line")
    if before.product_id != after.product_id:
        for run in after.runs.all():
            refuse_closed(run.started_at, field="product")
            _mark(run)


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
        if order.operations.exclude(status=Operation.Status.PENDING).exists():
            raise Conflict("Work on the order has begun; its quantity stays.", field="target_quantity")
        _copy_from_revision(order)


# --- release: what the order keeps of how its product is made ---

_RELEASES = frozenset({_Status.RELEASED, _Status.IN_PROGRESS})
_NOT_YET = frozenset({_Status.CREATED, _Status.SCHEDULED})


@transaction.atomic
def release_order(*, work_order: WorkOrder, at: datetime) -> WorkOrder:
    """Release an order: it takes the revision valid at a moment and copies its operations, set-points and materials.

    An order without a product, or whose product has no released revision, is released without any. Raises Conflict when
    the order cannot be released (any more), Invalid for a routing that the revision does not have.
    """
    order = WorkOrder.objects.select_for_update(of=("self",)).get(pk=work_order.pk)
    if order.released_at is not None and order.status == _Status.RELEASED:
        raise Conflict("The order is released already.", field="status")
    order.status = _Status.RELEASED
    return save_order(work_order=order, at=at)


@transaction.atomic
def save_order(*, work_order: WorkOrder, at: datetime) -> WorkOrder:
    """Write an order as it stands; when that releases or starts it for the first time, copy what it is made by.

    `at` is the moment whose revision holds.
    """
    before = WorkOrder.objects.select_for_update(of=("self",)).filter(pk=work_order.pk).first()
    was_open = before is None or (before.released_at is None and before.status in _NOT_YET)
    if not was_open or work_order.status not in _RELEASES:
        return master_data.save(work_order)
    work_order.released_at = at
    if work_order.revision is None and work_order.product_id is not None:
        work_order.revision = revision_at(work_order.product_id, at)
    revision = work_order.revision
    if revision is not None and revision.status != ProductRevision.Status.RELEASED:
        raise Conflict(f"Revision {revision.code} is {revision.status}; release it first.", field="revision")
    if revision is None and work_order.routing_code:
        raise Invalid("The product has no released revision, and so no routings.", field="routing_code")
    order = master_data.save(work_order)
    _copy_from_revision(order)
    return order


def _copy_from_revision(order: WorkOrder) -> None:
    """Replace an order's operations, set-points and materials by copies of its revision's."""
    OrderMaterial.objects.filter(work_order=order).delete()
    Operation.objects.filter(work_order=order).delete()
    revision = order.revision
    if revision is None or order.product is None or order.released_at is None:
        return
    operations = _copy_routing(order, _routing(order, revision))
    by_code = {operation.code: operation for operation in operations}
    first = operations[0] if operations else None
    own = target_in_product_unit(order)
    for number, needed in enumerate(requirements(revision, own, order.released_at), start=1):
        master_data.save(
            OrderMaterial(
                work_order=order,
                position=number * 10,
                product=needed.component,
                operation=by_code.get(needed.operation_code, first),
                quantity_required=_rounded_up(needed.quantity),
                unit=needed.component.unit,
            )
        )


def _routing(order: WorkOrder, revision: ProductRevision) -> Routing | None:
    if not order.routing_code:
        return revision.routings.filter(is_default=True).first()
    found = revision.routings.filter(code=order.routing_code).first()
    if found is None:
        raise Invalid(f"Revision {revision.code} has no routing '{order.routing_code}'.", field="routing_code")
    return found


def _copy_routing(order: WorkOrder, routing: Routing | None) -> list[Operation]:
    copies = []
    for step in routing.operations.prefetch_related("parameters") if routing is not None else ():
        copy = master_data.save(
            Operation(
                work_order=order,
                template=step,
                planned_quantity=order.target_quantity,
                inspection_status=Operation.Inspection.PENDING if step.inspection_required else "",
                **{name: getattr(step, name) for name in Operation.COPIED}
                | {"counting_source": step.counting_source or _who_counts(step, order)},
            )
        )
        for parameter in step.parameters.all():
            values = {name: getattr(parameter, name) for name in OrderParameter.COPIED}
            master_data.save(OrderParameter(operation=copy, **values))
        copies.append(copy)
    return copies


def _who_counts(step: RoutingOperation, order: WorkOrder) -> str:
    """Return who counts an operation that does not say: a machine that has a counter for its output, else people."""
    if step.machine_id is not None:
        machines = Machine.objects.filter(pk=step.machine_id)
    elif step.machine_class_id is not None:
        machines = Machine.objects.filter(
            machine_class=step.machine_class_id, line__area__site=order.line.area.site_id, is_active=True
        )
    else:
        of_line = Machine.objects.filter(line=step.line_id or order.line_id, is_active=True)
        machines = of_line.filter(is_constraint=True)
        machines = machines if machines.exists() else of_line
    roles = (CountType.Role.GOOD, CountType.Role.TOTAL)
    counts = CountTag.objects.filter(machine__in=machines, count_type__role__in=roles, is_active=True).exists()
    return Operation.CountingSource.MACHINE if counts else Operation.CountingSource.OPERATOR


def _rounded_up(quantity: Fraction) -> Decimal:
    """Return a quantity in millionths, away from zero: never less than what is needed."""
    millionths = -(-abs(quantity.numerator) * 10**6 // quantity.denominator)
    return Decimal(millionths if quantity > 0 else -millionths).scaleb(-6, _WIDE)


_WIDE = Context(prec=60, rounding=ROUND_UP)


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
) -> Run:
    """Start working on an order; it is in progress from then on. A run of the past may be given with its end.

    Raises Conflict when the order cannot be started, ValidationError when the line has another run at that time.
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


@transaction.atomic
def complete(*, work_order: WorkOrder) -> WorkOrder:
    """Say that an order is done."""
    order = WorkOrder.objects.select_for_update().get(pk=work_order.pk)
    order.status = _Status.COMPLETED
    return master_data.save(order)


@transaction.atomic
def record_changeover_task(
    *, run: Run, task: ChangeoverTask, started_at: datetime, ended_at: datetime, actor: User, recorded_at: datetime
) -> tuple[ChangeoverTaskDone, bool]:
    """Append that a task of a changeover was done; return it and whether it is new.

    Raises Invalid for an empty or future span or a task of another line's changeover, Conflict when another end is
    stored for the same beginning.
    """
    if ended_at <= started_at:
        raise Invalid("A task ends after it started.", field="ended_at")
    if ended_at > recorded_at:
        raise Invalid("The time lies in the future.", field="ended_at")
    if task.target.line_id not in (None, run.line_id):
        raise Invalid("The task belongs to a changeover of another line.", field="task")
    done, is_new = ChangeoverTaskDone.objects.get_or_create(
        run=run,
        task=task,
        started_at=started_at,
        defaults={"ended_at": ended_at, "done_by": actor, "recorded_at": recorded_at},
    )
    if done.ended_at != ended_at:
        raise Conflict("Another end is stored for this task; the stored one stays.", field="ended_at")
    return done, is_new
