"""What work on operations means for their orders and for the lines' runs, by which OEE knows the product."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from enterprise.models import Line
from execution.models import OperationRun
from execution.readiness import DONE, machines_for
from execution.taking import Taken
from workorders.models import Operation, Run, Step, WorkOrder
from workorders.services import end_run, save_order, start_run

_Status, _Order = Operation.Status, WorkOrder.Status


def into_progress(order: WorkOrder, at: datetime, taken: Taken) -> None:
    """Let a released or scheduled order be in progress from a moment on."""
    order.refresh_from_db(fields=["status"])
    if order.status in (_Order.RELEASED, _Order.SCHEDULED):
        order.status = _Order.IN_PROGRESS
        order.step = Step(at=at, actor=taken.actor)
        save_order(work_order=order, at=at)


def was_begun(operation: Operation, started_at: datetime, taken: Taken) -> None:
    """Let an operation, and its order, be in progress from a moment of the past on;
    the operation is not written yet.
    """
    begun = min(filter(None, (operation.actual_start_at, started_at)))
    into_progress(operation.work_order, started_at, taken)
    if operation.status in (_Status.PENDING, _Status.READY, _Status.SKIPPED):
        operation.status = _Status.IN_PROGRESS
    operation.actual_start_at = begun


def _run_at(line: Line, at: datetime) -> Run | None:
    return (
        Run.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at), line=line, started_at__lte=at)
        .select_related("work_order")
        .first()
    )


def occupy(line: Line, order: WorkOrder, taken: Taken) -> None:
    """Let the line run the order, unless it runs another one on which somebody works: then they are parallel.

    What is recorded before a later run of the line leaves the line's runs alone.
    """
    if Run.objects.filter(line=line, started_at__gt=taken.at).exists():
        return
    current = _run_at(line, taken.at)
    if current is not None:
        other = current.work_order
        if other.pk == order.pk or current.ended_at is not None or not _is_left(line, other):
            return
        if taken.at <= current.started_at:
            return
        end_run(run=current, ended_at=taken.at)
    start_run(work_order=order, line=line, started_at=taken.at, actor=taken.actor)


def _is_left(line: Line, order: WorkOrder) -> bool:
    """Say whether operations of an order were worked on at a line, and none is now."""
    there = OperationRun.objects.filter(machine__line=line, operation__work_order=order)
    return there.exists() and not there.filter(ended_at__isnull=True).exists()


def rest(lines: Iterable[Line], taken: Taken) -> None:
    """End the runs of lines whose order is left and has nothing more to do there, or hand them to the next in work.

    An order that is only paused keeps its run: what the line stands still is its time.
    """
    for line in sorted(lines, key=lambda line: line.pk):
        current = _run_at(line, taken.at)
        if current is None or current.ended_at is not None or taken.at <= current.started_at:
            continue
        if not _is_left(line, current.work_order):
            continue
        following = (
            OperationRun.objects.filter(machine__line=line, ended_at__isnull=True, started_at__lte=taken.at)
            .select_related("operation__work_order")
            .order_by("started_at", "id")
            .first()
        )
        if following is not None:
            end_run(run=current, ended_at=taken.at)
            start_run(work_order=following.operation.work_order, line=line, started_at=taken.at)
        elif not _has_more(line, current.work_order):
            end_run(run=current, ended_at=taken.at)


def _has_more(line: Line, order: WorkOrder) -> bool:
    unfinished = list(
        Operation.objects.filter(work_order=order).exclude(status__in=DONE).select_related("work_order__line__area")
    )
    return any(machine.line_id == line.pk for of_one in machines_for(unfinished).values() for machine in of_one)
