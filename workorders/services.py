"""Write orders and runs: guarded transitions, one run at a time on a line."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from core import master_data
from core.announcements import announce
from core.changes import Change, mark
from core.errors import Conflict, Invalid
from core.master_data import follows
from core.retention import refuse_closed
from enterprise.models import Line, Machine
from products.models import Product
from workorders.models import ChangeoverTask, ChangeoverTaskDone, Run, Schedule, WorkOrder

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


@follows(Run)
def run_changed(*, before: Run | None, after: Run | None) -> None:
    """Mark the time that a run took or takes, on every machine of its line."""
    _refuse_closed_runs(before, after)
    for run in (before, after):
        if run is not None:
            _mark(run)
    if after is not None and after.line_id != after.work_order.line_id:
        raise Invalid("The order belongs to another line.", field="work_order")


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
        master_data.save(order)
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
