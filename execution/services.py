"""Write work on operations: guarded steps and spans.

A step that the operation's life does not have is refused, saying which are allowed. Every write may carry a key; a
retry with the same key answers what the first one did.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from core import master_data
from core.errors import Conflict, Invalid
from core.locks import take_turns
from enterprise.models import Machine
from execution import reported
from execution.line_runs import into_progress, occupy, rest, was_begun
from execution.models import OperationRun, OperationStep
from execution.readiness import DONE, Reason, machines_for, reasons_against
from execution.reporting import append_report, refuse_unexplained
from execution.taking import (
    Quantities,
    Taken,
    allowed_actions,
    lock_operation,
    refuse_ahead,
    refuse_over,
    refuse_strange_machine,
    refuse_stranger,
    tell,
)
from quality.gates import Step as Gate
from quality.gates import require
from workorders.gates import refuse_unfinished
from workorders.models import Operation, WorkOrder
from workorders.services import refuse_work

_Status, _Order = Operation.Status, WorkOrder.Status
_Action, _Kind, _Ending = OperationStep.Action, OperationRun.Kind, OperationRun.Ending


class Done(NamedTuple):
    """A step that was taken, whether it is new, what was warned of, and whether all of the order's operations are over.

    An order all of whose operations are over is offered for completion; it is never completed silently.
    """

    step: OperationStep
    is_new: bool
    warnings: tuple[Reason, ...] = ()
    offers_completion: bool = False


@transaction.atomic
def start_operation(
    *, operation: Operation, taken: Taken, machine: Machine | None = None, kind: str = _Kind.PRODUCTION
) -> Done:
    """Begin to work on an operation at a machine, or join those who do; the order is in progress from then on.

    Starting production ends one's own set-up of it. Raises Conflict with every reason against it; what the site only
    warns of comes back as warnings.
    """
    return _begin(_Action.START, operation, taken, machine, kind)


@transaction.atomic
def resume_operation(
    *, operation: Operation, taken: Taken, machine: Machine | None = None, kind: str = _Kind.PRODUCTION
) -> Done:
    """Go on with an operation that was paused, at the machine where it was unless another is given."""
    return _begin(_Action.RESUME, operation, taken, machine, kind)


@transaction.atomic
def pause_operation(*, operation: Operation, taken: Taken, machine: Machine | None = None) -> Done:
    """Stop working on an operation for a while: everybody, or only one person or one machine when they are named."""
    known = _answered(_Action.PAUSE, operation, taken)
    if known is not None:
        return known
    operation = lock_operation(operation)
    refuse_ahead(taken)
    runs = _open_runs(operation)
    _refuse_step(_Action.PAUSE, operation, is_running=bool(runs))
    chosen = [
        run
        for run in runs
        if (machine is None or run.machine_id == machine.pk)
        and (taken.employee is None or run.employee_id == taken.employee.pk)
    ]
    if not chosen:
        raise Conflict(f"Nobody works on {operation} there at the moment.", field="operation")
    _end(chosen, _Ending.PAUSED, taken)
    return _taken(_Action.PAUSE, operation, operation.status, taken, run=chosen[0])


@transaction.atomic
def finish_operation(*, operation: Operation, taken: Taken) -> Done:
    """Say that an operation is done; whoever works on it stops. What was made says nothing about it."""
    known = _answered(_Action.FINISH, operation, taken)
    if known is not None:
        return known
    operation = lock_operation(operation)
    refuse_ahead(taken)
    runs = _open_runs(operation)
    _refuse_step(_Action.FINISH, operation, is_running=bool(runs))
    return _finish(operation, runs, taken)


@transaction.atomic
def skip_operation(*, operation: Operation, taken: Taken) -> Done:
    """Leave out an operation that nobody has begun, saying why."""
    return _move(_Action.SKIP, operation, taken, _Status.SKIPPED)


@transaction.atomic
def hold_operation(*, operation: Operation, taken: Taken) -> Done:
    """Stop an operation until somebody takes it off hold, saying why; whoever works on it stops."""
    return _move(_Action.HOLD, operation, taken, _Status.ON_HOLD)


@transaction.atomic
def unhold_operation(*, operation: Operation, taken: Taken) -> Done:
    """Let an operation go on from where it was held."""
    return _move(_Action.UNHOLD, operation, taken, None)


@transaction.atomic
def record_operation_run(
    *,
    operation: Operation,
    machine: Machine,
    started_at: datetime,
    taken: Taken,
    kind: str = _Kind.PRODUCTION,
    quantities: Quantities | None = None,
    finishes: bool = False,
) -> Done:
    """Write down work that is over, from `started_at` to `taken.at`, with what came of it in the same action.

    What happened has happened: nothing but an order that is cancelled or closed stands against it, and no run of the
    line comes with it. Raises Conflict where the same work is recorded for that time.
    """
    known = _answered(_Action.RECORD, operation, taken)
    if known is not None:
        return known
    operation = lock_operation(operation, moves_runs=False)
    refuse_ahead(taken)
    if taken.at <= started_at:
        raise Invalid("Work ends after it starts.", field="ended_at")
    refuse_over(operation)
    refuse_stranger(taken.employee, operation)
    refuse_strange_machine(machine, operation)
    ending = _Ending.FINISHED if finishes else _Ending.PAUSED
    run = _open(operation, machine, kind, started_at, taken, ended_at=taken.at, ending=ending)
    before = operation.status
    was_begun(operation, started_at, taken)
    if finishes and operation.status == _Status.IN_PROGRESS and not _open_runs(operation):
        refuse_unfinished(operation=operation, now=taken.at)
        operation.status = _Status.COMPLETED
    if operation.status == _Status.COMPLETED:
        operation.actual_end_at = max(filter(None, (operation.actual_end_at, taken.at)))
    master_data.save(operation)
    if quantities:
        refuse_unexplained(quantities)
        append_report(operation, quantities, machine=machine, taken=taken, key=_sub_key(taken.idempotency_key))
    return _taken(_Action.RECORD, operation, before, taken, run=run)


@transaction.atomic
def record_pause(*, operation: Operation, started_at: datetime, taken: Taken, machine: Machine | None = None) -> Done:
    """Write down a pause that is over, from `started_at` to `taken.at`, saying why; the step that ended it is returned.

    Work that was recorded for that time stays: one waits, others go on. What a machine stood still is its state's to
    say.
    """
    known = _answered(_Action.RESUME, operation, taken)
    if known is not None:
        return known
    operation = lock_operation(operation, moves_runs=False)
    refuse_ahead(taken)
    if taken.at <= started_at:
        raise Invalid("A pause ends after it starts.", field="ended_at")
    if not taken.reason.strip():
        raise Invalid("Say why.", field="reason")
    refuse_over(operation)
    refuse_stranger(taken.employee, operation)
    before = operation.status
    was_begun(operation, started_at, taken)
    master_data.save(operation)
    where = f"{taken.reason.strip()} ({machine})"[:500] if machine else taken.reason
    began = replace(taken, at=started_at, reason=where, idempotency_key=_sub_key(taken.idempotency_key))
    _taken(_Action.PAUSE, operation, before, began)
    return _taken(_Action.RESUME, operation, operation.status, replace(taken, reason=where))


def _begin(action: str, operation: Operation, taken: Taken, machine: Machine | None, kind: str) -> Done:
    known = _answered(action, operation, taken)
    if known is not None:
        return known
    operation = lock_operation(operation)
    refuse_ahead(taken)
    runs = _open_runs(operation)
    last = operation.operation_runs.order_by("-started_at", "-id").first()
    _refuse_step(action, operation, is_running=bool(runs), has_run=last is not None)
    refuse_stranger(taken.employee, operation)
    refuse_work(operation.work_order)
    machine = _place(operation, machine, last if action == _Action.RESUME else None)
    reasons = reasons_against([operation], now=taken.at, machines={operation.pk: [machine]}, employee=taken.employee)[
        operation.pk
    ]
    refusals = [reason for reason in reasons if reason.refuses]
    if refusals:
        raise Conflict(" ".join(reason.text for reason in refusals), field="operation", code=refusals[0].code)
    require(step=Gate.START, operation=operation, now=taken.at)
    if kind == _Kind.PRODUCTION and operation.actual_start_at is not None:
        # The first piece is made in set-up, or in the first stretch of production; the series follows when it is
        # released.
        require(step=Gate.SERIES, operation=operation, now=taken.at)
    own = next(
        (
            run
            for run in runs
            if run.machine_id == machine.pk and run.employee_id == (taken.employee.pk if taken.employee else None)
        ),
        None,
    )
    if own is not None:
        if (own.kind, kind) != (_Kind.SETUP, _Kind.PRODUCTION):
            who = f"{taken.employee} works" if taken.employee else "Somebody works"
            raise Conflict(f"{who} on {operation} at {machine} already.", field="operation")
        _close(own, _Ending.PRODUCING, taken)
    run = _open(operation, machine, kind, taken.at, taken)
    before = operation.status
    operation.status = _Status.IN_PROGRESS
    operation.actual_start_at = min(filter(None, (operation.actual_start_at, taken.at)))
    operation.actual_end_at = None
    master_data.save(operation)
    occupy(machine.line, operation.work_order, taken)
    into_progress(operation.work_order, taken.at, taken)
    return _taken(action, operation, before, taken, run=run, warnings=[one for one in reasons if not one.refuses])


def _move(action: str, operation: Operation, taken: Taken, to: str | None) -> Done:
    """Take an operation to a status; None = where it was before it was held."""
    known = _answered(action, operation, taken)
    if known is not None:
        return known
    operation = lock_operation(operation)
    refuse_ahead(taken)
    runs = _open_runs(operation)
    _refuse_step(action, operation, is_running=bool(runs))
    if action != _Action.UNHOLD and not taken.reason.strip():
        raise Invalid("Say why.", field="reason")
    before = operation.status
    operation.status = to or (_Status.PENDING if operation.actual_start_at is None else _Status.IN_PROGRESS)
    master_data.save(operation)
    if runs:
        _end(runs, _Ending.HELD, taken)
    return _taken(action, operation, before, taken)


def _finish(operation: Operation, runs: Sequence[OperationRun], taken: Taken) -> Done:
    require(step=Gate.FINISH, operation=operation, now=taken.at)
    refuse_unfinished(operation=operation, now=taken.at)
    before = operation.status
    ends = operation.operation_runs.filter(ended_at__isnull=False).values_list("ended_at", flat=True)
    operation.status = _Status.COMPLETED
    operation.actual_end_at = max([taken.at, *(end for end in ends if end)])
    if operation.actual_start_at is None:
        operation.actual_start_at = taken.at
    master_data.save(operation)
    _end(runs, _Ending.FINISHED, taken)
    if not runs:
        rest({run.machine.line for run in operation.operation_runs.select_related("machine__line")}, taken)
    return _taken(_Action.FINISH, operation, before, taken, run=runs[0] if runs else None)


# --- what all steps share ---


def _answered(action: str, operation: Operation, taken: Taken) -> Done | None:
    """Return what a request with this key did before; two of them at once take turns."""
    key = taken.idempotency_key
    if not key:
        return None
    take_turns(f"operation step {key}")
    known = OperationStep.objects.select_related("operation__work_order").filter(idempotency_key=key).first()
    if known is None:
        return None
    if (known.operation_id, known.action) != (operation.pk, action):
        raise Conflict(
            f"Another step was taken under the key '{key}'; it stays. Use a new key.", field="idempotency_key"
        )
    return Done(known, False, offers_completion=_offers_completion(known.operation))


def _refuse_step(action: str, operation: Operation, *, is_running: bool, has_run: bool = True) -> None:
    allowed = allowed_actions(operation, is_running=is_running, has_run=has_run)
    if action not in allowed:
        stands = (
            operation.get_status_display().lower()
            if is_running or operation.status != _Status.IN_PROGRESS
            else ("in progress, but nobody works on it")
        )
        can = ", ".join(allowed) or "nothing"
        raise Conflict(f"{operation} is {stands}; what can be done: {can}.", field="operation", code="step")


def _place(operation: Operation, machine: Machine | None, last: OperationRun | None) -> Machine:
    """Return the machine where it is done. Raises Invalid for one where it cannot be."""
    possible = machines_for([operation])[operation.pk]
    if machine is None and last is not None:
        return last.machine
    if machine is None:
        if not possible:
            raise Conflict("No machine that is in use can do it.", field="machine")
        return possible[0]
    if machine not in possible:
        raise Invalid(f"{operation} is not done at {machine}.", field="machine")
    return next(one for one in possible if one == machine)


def _open_runs(operation: Operation) -> list[OperationRun]:
    return list(
        operation.operation_runs.filter(ended_at__isnull=True)
        .select_related("machine__line")
        .order_by("started_at", "id")
    )


def _open(
    operation: Operation,
    machine: Machine,
    kind: str,
    started_at: datetime,
    taken: Taken,
    *,
    ended_at: datetime | None = None,
    ending: str = "",
) -> OperationRun:
    overlapping = OperationRun.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=started_at),
        operation=operation,
        machine=machine,
        employee=taken.employee,
    )
    if ended_at is not None:
        overlapping = overlapping.filter(started_at__lt=ended_at)
    if overlapping.exists():
        raise Conflict("That work is recorded for that time already.", field="at")
    return OperationRun.objects.create(
        operation=operation,
        machine=machine,
        employee=taken.employee,
        kind=kind,
        started_at=started_at,
        ended_at=ended_at,
        ending=ending,
        recorded_by=taken.actor,
        recorded_at=taken.recorded_at,
    )


def _close(run: OperationRun, ending: str, taken: Taken) -> None:
    if taken.at <= run.started_at:
        raise Invalid(f"That work started at {run.started_at:%Y-%m-%d %H:%M:%S} UTC; it ends after that.", field="at")
    run.ended_at, run.ending, run.reason = taken.at, ending, taken.reason
    run.save(update_fields=["ended_at", "ending", "reason"])


def _end(runs: Iterable[OperationRun], ending: str, taken: Taken) -> None:
    runs = list(runs)
    for run in runs:
        _close(run, ending, taken)
    rest({run.machine.line for run in runs}, taken)


def _taken(
    action: str,
    operation: Operation,
    before: str,
    taken: Taken,
    *,
    run: OperationRun | None = None,
    warnings: Sequence[Reason] = (),
) -> Done:
    step = OperationStep.objects.create(
        operation=operation,
        action=action,
        from_status=before,
        to_status=operation.status,
        operation_run=run,
        employee=taken.employee,
        reason=taken.reason.strip(),
        warnings=" ".join(warning.text for warning in warnings),
        occurred_at=taken.at,
        recorded_at=taken.recorded_at,
        recorded_by=taken.actor,
        idempotency_key=taken.idempotency_key or None,
    )
    reported.stepped(step)
    tell(operation)
    return Done(step, True, tuple(warnings), _offers_completion(operation))


def _offers_completion(operation: Operation) -> bool:
    order = operation.work_order
    unfinished = Operation.objects.filter(work_order=order).exclude(status__in=DONE)
    return order.status == _Order.IN_PROGRESS and not unfinished.exists()


def _sub_key(key: str | None) -> str | None:
    return f"{key}/1"[-100:] if key else None
