"""Write work on operations: guarded steps, spans, what was reported, readings of set-points.

A step that the operation's life does not have is refused, saying which are allowed. Every write may carry a key; a retry
with the same key answers what the first one did. Lock order: the key's turn, the site's turn, the order's row, then the
operation's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core import master_data
from core.announcements import announce
from core.errors import Conflict, Invalid
from core.fact_api import refuse_future
from core.locks import take_turns
from enterprise.models import Line, Machine
from execution.models import OperationRun, OperationStep, ParameterReading, ProductionReport, ScrapReason
from execution.readiness import DONE, Reason, machines_for, reasons_against
from labor.models import Employee
from materials.automatic_backflush import backflush_report, take_back
from products.models import UnitOfMeasure
from products.units import convert
from quality.gates import Step as Gate
from quality.gates import require
from workorders.gates import refuse_unfinished
from workorders.models import Operation, OrderParameter, Run, Step, WorkOrder
from workorders.services import end_run, refuse_work, save_order, start_run

_Status, _Order = Operation.Status, WorkOrder.Status
_Action, _Kind, _Ending = OperationStep.Action, OperationRun.Kind, OperationRun.Ending
_Source = Operation.CountingSource
MAX_QUANTITY = Decimal(10) ** 12
_LARGEST_FACTOR = 10**40


class Done(NamedTuple):
    """A step that was taken, whether it is new, what was warned of, and whether all of the order's operations are over.

    An order all of whose operations are over is offered for completion; it is never completed silently.
    """

    step: OperationStep
    is_new: bool
    warnings: tuple[Reason, ...] = ()
    offers_completion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """How a step is taken: when, by whom, under which key, and why."""

    at: datetime
    recorded_at: datetime
    actor: User
    employee: Employee | None = None
    reason: str = ""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantities:
    """What somebody says came of an operation, in a unit that converts to the order's; None = the order's own.

    With the two readings of a hand counter, which counts all pieces, the good ones are what it rose by, less scrap and
    rework.
    """

    good: Decimal = Decimal(0)
    scrap: Decimal = Decimal(0)
    rework: Decimal = Decimal(0)
    unit: UnitOfMeasure | None = None
    scrap_reason: ScrapReason | None = None
    counter_start: Decimal | None = None
    counter_end: Decimal | None = None
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.good or self.scrap or self.rework or self.counter_start is not None)


def allowed_actions(operation: Operation, *, is_running: bool, has_run: bool) -> list[str]:
    """Return the steps that may be taken from where an operation is."""
    match operation.status:
        case _Status.PENDING | _Status.READY:
            return [_Action.START, _Action.SKIP, _Action.HOLD]
        case _Status.IN_PROGRESS:
            paused = [_Action.RESUME] if has_run else []
            return [_Action.START, *([_Action.PAUSE] if is_running else paused), _Action.FINISH, _Action.HOLD]
        case _Status.ON_HOLD:
            return [_Action.UNHOLD]
    return []


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
    operation = _lock(operation)
    _refuse_future(taken)
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
    operation = _lock(operation)
    _refuse_future(taken)
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

    What happened has happened: nothing but an order that is cancelled or closed stands against it, and no run of the line
    comes with it. Raises Conflict where the same work is recorded for that time.
    """
    known = _answered(_Action.RECORD, operation, taken)
    if known is not None:
        return known
    operation = _lock(operation, moves_runs=False)
    _refuse_future(taken)
    if taken.at <= started_at:
        raise Invalid("Work ends after it starts.", field="ended_at")
    _refuse_over(operation)
    _refuse_stranger(taken.employee, operation)
    if machine.line.area.site_id != operation.work_order.line.area.site_id:
        raise Invalid("That machine is at another site than the order.", field="machine")
    ending = _Ending.FINISHED if finishes else _Ending.PAUSED
    run = _open(operation, machine, kind, started_at, taken, ended_at=taken.at, ending=ending)
    before = operation.status
    _was_begun(operation, started_at, taken)
    if finishes and operation.status == _Status.IN_PROGRESS and not _open_runs(operation):
        refuse_unfinished(operation=operation, now=taken.at)
        operation.status = _Status.COMPLETED
    if operation.status == _Status.COMPLETED:
        operation.actual_end_at = max(filter(None, (operation.actual_end_at, taken.at)))
    master_data.save(operation)
    if quantities:
        _report(operation, quantities, machine=machine, taken=taken, key=_sub_key(taken.idempotency_key))
    return _taken(_Action.RECORD, operation, before, taken, run=run)


@transaction.atomic
def record_pause(*, operation: Operation, started_at: datetime, taken: Taken, machine: Machine | None = None) -> Done:
    """Write down a pause that is over, from `started_at` to `taken.at`, saying why; the step that ended it is returned.

    Work that was recorded for that time stays: one waits, others go on. What a machine stood still is its state's to say.
    """
    known = _answered(_Action.RESUME, operation, taken)
    if known is not None:
        return known
    operation = _lock(operation, moves_runs=False)
    _refuse_future(taken)
    if taken.at <= started_at:
        raise Invalid("A pause ends after it starts.", field="ended_at")
    if not taken.reason.strip():
        raise Invalid("Say why.", field="reason")
    _refuse_over(operation)
    _refuse_stranger(taken.employee, operation)
    before = operation.status
    _was_begun(operation, started_at, taken)
    master_data.save(operation)
    where = f"{taken.reason.strip()} ({machine})"[:500] if machine else taken.reason
    began = replace(taken, at=started_at, reason=where, idempotency_key=_sub_key(taken.idempotency_key))
    _taken(_Action.PAUSE, operation, before, began)
    return _taken(_Action.RESUME, operation, operation.status, replace(taken, reason=where))


def _was_begun(operation: Operation, started_at: datetime, taken: Taken) -> None:
    """Let an operation, and its order, be in progress from a moment of the past on; the operation is not written yet."""
    begun = min(filter(None, (operation.actual_start_at, started_at)))
    _into_progress(operation.work_order, started_at, taken)
    if operation.status in (_Status.PENDING, _Status.READY, _Status.SKIPPED):
        operation.status = _Status.IN_PROGRESS
    operation.actual_start_at = begun


def _begin(action: str, operation: Operation, taken: Taken, machine: Machine | None, kind: str) -> Done:
    known = _answered(action, operation, taken)
    if known is not None:
        return known
    operation = _lock(operation)
    _refuse_future(taken)
    runs = _open_runs(operation)
    last = operation.operation_runs.order_by("-started_at", "-id").first()
    _refuse_step(action, operation, is_running=bool(runs), has_run=last is not None)
    _refuse_stranger(taken.employee, operation)
    refuse_work(operation.work_order)
    machine = _place(operation, machine, last if action == _Action.RESUME else None)
    reasons = reasons_against([operation], now=taken.at, machine=machine, employee=taken.employee)[operation.pk]
    refusals = [reason for reason in reasons if reason.refuses]
    if refusals:
        raise Conflict(" ".join(reason.text for reason in refusals), field="operation", code=refusals[0].code)
    require(step=Gate.START, operation=operation, now=taken.at)
    if kind == _Kind.PRODUCTION and operation.actual_start_at is not None:
        # The first piece is made in set-up, or in the first stretch of production; the series follows when it is released.
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
    _occupy(machine.line, operation.work_order, taken)
    _into_progress(operation.work_order, taken.at, taken)
    return _taken(action, operation, before, taken, run=run, warnings=[one for one in reasons if not one.refuses])


def _move(action: str, operation: Operation, taken: Taken, to: str | None) -> Done:
    """Take an operation to a status; None = where it was before it was held."""
    known = _answered(action, operation, taken)
    if known is not None:
        return known
    operation = _lock(operation)
    _refuse_future(taken)
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
        _rest({run.machine.line for run in operation.operation_runs.select_related("machine__line")}, taken)
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


def _lock(operation: Operation, *, moves_runs: bool = True) -> Operation:
    """Return an operation, locked after its order; who may start or end runs of lines takes turns at the site first."""
    if moves_runs:
        take_turns("runs by operations", operation.work_order.line.area.site_id)
    order = (
        WorkOrder.objects.select_for_update(of=("self",))
        .select_related("line__area__site", "product__unit", "unit")
        .get(pk=operation.work_order_id)
    )
    locked = Operation.objects.select_for_update(of=("self",)).get(pk=operation.pk)
    locked.work_order = order
    return locked


def _refuse_future(taken: Taken) -> None:
    try:
        refuse_future(taken.at, taken.recorded_at)
    except Invalid as refusal:
        raise Invalid(refusal.message, field="at") from None


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


def _refuse_over(operation: Operation) -> None:
    order = operation.work_order
    if order.status in (_Order.CANCELLED, _Order.CLOSED):
        raise Conflict(
            f"Order {order} is {order.get_status_display().lower()}; its work stays as it is.", field="operation"
        )


def _refuse_stranger(employee: Employee | None, operation: Operation) -> None:
    if employee is None:
        return
    if employee.site_id != operation.work_order.line.area.site_id:
        raise Invalid(f"{employee} works at another site.", field="employee")
    if not employee.is_active:
        raise Invalid(f"{employee} does not work here any more.", field="employee")


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
    _rest({run.machine.line for run in runs}, taken)


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
    _tell(operation)
    return Done(step, True, tuple(warnings), _offers_completion(operation))


def _offers_completion(operation: Operation) -> bool:
    order = operation.work_order
    unfinished = Operation.objects.filter(work_order=order).exclude(status__in=DONE)
    return order.status == _Order.IN_PROGRESS and not unfinished.exists()


def _tell(operation: Operation) -> None:
    """Let the screens of the lines concerned be drawn anew."""
    worked = operation.operation_runs.order_by().values("machine__line")
    concerned = Machine.objects.filter(Q(line=operation.work_order.line_id) | Q(line__in=worked))
    announce("machine", list(concerned.values_list("id", flat=True)))


# --- the lines' runs, by which OEE knows the product ---


def _into_progress(order: WorkOrder, at: datetime, taken: Taken) -> None:
    order.refresh_from_db(fields=["status"])
    if order.status in (_Order.RELEASED, _Order.SCHEDULED):
        order.status = _Order.IN_PROGRESS
        order.step = Step(at=at, actor=taken.actor)
        save_order(work_order=order, at=at)


def _run_at(line: Line, at: datetime) -> Run | None:
    return (
        Run.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at), line=line, started_at__lte=at)
        .select_related("work_order")
        .first()
    )


def _occupy(line: Line, order: WorkOrder, taken: Taken) -> None:
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


def _rest(lines: Iterable[Line], taken: Taken) -> None:
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


# --- what came of it ---


@transaction.atomic
def report_production(
    *,
    operation: Operation,
    quantities: Quantities,
    taken: Taken,
    machine: Machine | None = None,
    begins: bool = False,
) -> tuple[ProductionReport, bool]:
    """Append what came of an operation, good pieces, scrap and rework in one action; return it and whether it is new.

    With `begins`, what is reported of the past says that the operation was begun by then.

    Raises Invalid for what the operation's counting source does not let people say, Conflict for an operation that
    nobody has begun or an order that is over.
    """
    key = taken.idempotency_key
    if key:
        take_turns(f"production report {key}")
        known = ProductionReport.objects.filter(idempotency_key=key).first()
        if known is not None:
            if not _is_the_same(known, operation, quantities):
                raise Conflict(f"Another report was made under the key '{key}'; it stays.", field="idempotency_key")
            return known, False
    operation = _lock(operation, moves_runs=False)
    _refuse_future(taken)
    _refuse_over(operation)
    _refuse_stranger(taken.employee, operation)
    if begins:
        _was_begun(operation, taken.at, taken)
        master_data.save(operation)
    elif operation.status in (_Status.PENDING, _Status.READY, _Status.SKIPPED):
        can = ", ".join(allowed_actions(operation, is_running=False, has_run=False)) or "nothing"
        raise Conflict(f"Nobody has begun {operation}; what can be done: {can}.", field="operation", code="step")
    if machine is not None and machine.line.area.site_id != operation.work_order.line.area.site_id:
        raise Invalid("That machine is at another site than the order.", field="machine")
    report = _report(operation, quantities, machine=machine, taken=taken, key=key or None)
    _tell(operation)
    return report, True


@transaction.atomic
def reverse_report(
    *, report: ProductionReport, actor: User, recorded_at: datetime, note: str, idempotency_key: str | None = None
) -> tuple[ProductionReport, bool]:
    """Take a report back by one with the opposite quantities, saying why; return it and whether it is new."""
    operation = _lock(report.operation, moves_runs=False)
    known = ProductionReport.objects.filter(reverses=report).first()
    if known is not None:
        if not idempotency_key or known.idempotency_key != idempotency_key:
            raise Conflict("That report is taken back already.", field="reverses")
        return known, False
    if idempotency_key and ProductionReport.objects.filter(idempotency_key=idempotency_key).exists():
        raise Conflict(f"Another report was made under the key '{idempotency_key}'.", field="idempotency_key")
    if report.reverses_id is not None:
        raise Invalid("What takes a report back is not taken back; report anew.", field="reverses")
    if not note.strip():
        raise Invalid("Say why.", field="note")
    _refuse_over(operation)
    reversal = ProductionReport.objects.create(
        **{name: getattr(report, name) for name in ("operation", "machine", "employee", "unit", "scrap_reason")},
        **{name: getattr(report, name) for name in ("factor_numerator", "factor_denominator", "occurred_at")},
        **{name: -getattr(report, name) for name in ("good", "scrap", "rework")},
        note=note.strip(),
        recorded_at=recorded_at,
        recorded_by=actor,
        idempotency_key=idempotency_key or None,
        reverses=report,
    )
    take_back(
        idempotency_key=_used_by(report),
        reason=note.strip(),
        actor=actor,
        occurred_at=report.occurred_at,
        recorded_at=recorded_at,
    )
    _tell(operation)
    return reversal, True


def _used_by(report: ProductionReport) -> str:
    """Return the key under which is booked what a report used."""
    return f"report {report.pk}"


def _report(
    operation: Operation, quantities: Quantities, *, machine: Machine | None, taken: Taken, key: str | None
) -> ProductionReport:
    said = _resolved(quantities)
    _refuse_unfit(operation, said)
    factor = _factor(operation.work_order, said.unit)
    report = ProductionReport.objects.create(
        operation=operation,
        machine=machine,
        employee=taken.employee,
        **{name: getattr(said, name) for name in ("good", "scrap", "rework", "unit", "scrap_reason")},
        **{name: getattr(said, name) for name in ("counter_start", "counter_end", "note")},
        factor_numerator=Decimal(factor.numerator),
        factor_denominator=Decimal(factor.denominator),
        occurred_at=taken.at,
        recorded_at=taken.recorded_at,
        recorded_by=taken.actor,
        idempotency_key=key,
    )
    backflush_report(
        operation=operation,
        quantity=Fraction(report.good + report.scrap + report.rework) * report.factor,
        actor=taken.actor,
        occurred_at=taken.at,
        recorded_at=taken.recorded_at,
        idempotency_key=_used_by(report),
    )
    return report


def _resolved(quantities: Quantities) -> Any:
    """Return quantities with the good pieces that a hand counter's two readings give."""
    for name in ("good", "scrap", "rework"):
        value = getattr(quantities, name)
        if value < 0:
            raise Invalid("A quantity is not negative; take a wrong report back.", field=name)
        if value >= MAX_QUANTITY:
            raise Invalid("That is more than can be stored.", field=name)
    start, end = quantities.counter_start, quantities.counter_end
    if start is None and end is None:
        if not (quantities.good or quantities.scrap or quantities.rework):
            raise Invalid("Report good pieces, scrap or rework.", field="good")
        return quantities
    if start is None or end is None:
        raise Invalid("Give both readings of the counter.", field="counter_start" if start is None else "counter_end")
    if quantities.good:
        raise Invalid("The counter's readings say how many; leave the good pieces out.", field="good")
    if end < start:
        raise Invalid("The second reading is not below the first.", field="counter_end")
    good = end - start - quantities.scrap - quantities.rework
    if good < 0:
        raise Invalid("That is more scrap and rework than the counter counted.", field="scrap")
    resolved = Quantities(
        **{
            name: getattr(quantities, name)
            for name in ("scrap", "rework", "unit", "scrap_reason", "counter_start", "counter_end", "note")
        },
        good=good,
    )
    if end == start:
        raise Invalid("The counter did not move.", field="counter_end")
    return resolved


def _refuse_unfit(operation: Operation, said: Quantities) -> None:
    if operation.counting_source == _Source.MACHINE:
        raise Invalid("The machine counts this operation; correct the machine's counts instead.", field="operation")
    if operation.counting_source == _Source.BOTH and said.good:
        raise Invalid("The machine counts the good pieces of this operation; report scrap and rework.", field="good")
    if said.scrap_reason is not None and not said.scrap_reason.is_active:
        raise Invalid("That reason is not in use any more.", field="scrap_reason")
    if said.scrap and said.scrap_reason is None and ScrapReason.objects.filter(is_active=True).exists():
        raise Invalid("Say why it was scrapped.", field="scrap_reason")


def _factor(order: WorkOrder, unit: UnitOfMeasure | None) -> Fraction:
    """Return how many of the order's unit one of a unit is."""
    own = order.unit or (order.product.unit if order.product else None)
    if unit is None or own is None or unit.code == own.code:
        if unit is not None and own is None:
            raise Invalid("The order has no unit; leave it out.", field="unit")
        return Fraction(1)
    try:
        factor = convert(1, unit, own, order.product)
    except Invalid as refusal:
        raise Invalid(refusal.message, field="unit") from None
    if max(factor.numerator, factor.denominator) >= _LARGEST_FACTOR:
        raise Invalid("That unit converts by too long a number.", field="unit")
    return factor


def _is_the_same(known: ProductionReport, operation: Operation, quantities: Quantities) -> bool:
    said = _resolved(quantities)
    names = ("good", "scrap", "rework", "counter_start", "counter_end", "scrap_reason")
    return known.operation_id == operation.pk and all(getattr(known, name) == getattr(said, name) for name in names)


def _sub_key(key: str | None) -> str | None:
    return f"{key}/1"[-100:] if key else None


# --- set-points ---


@transaction.atomic
def record_reading(
    *,
    parameter: OrderParameter,
    value: Decimal,
    occurred_at: datetime,
    actor: User,
    recorded_at: datetime,
    note: str = "",
) -> tuple[ParameterReading, bool]:
    """Append what a set-point really was at a moment; return it and whether it is new.

    Raises Conflict when another value is stored for that moment.
    """
    refuse_future(occurred_at, recorded_at)
    _refuse_over(parameter.operation)
    reading, is_new = ParameterReading.objects.get_or_create(
        parameter=parameter,
        occurred_at=occurred_at,
        defaults={"value": value, "recorded_by": actor, "recorded_at": recorded_at, "note": note.strip()},
    )
    if reading.value != value:
        raise Conflict("Another value is stored for this moment; the stored one stays.", field="value")
    return reading, is_new
