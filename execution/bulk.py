"""Write down that the operations of many orders were done, at once: as `start` and `finish` would, one by one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from core.bulk import BATCH, insert
from core.errors import Invalid
from core.intervals import Interval
from execution.models import OperationRun, OperationStep
from workorders.models import Operation

_Action, _Status = OperationStep.Action, Operation.Status


@transaction.atomic
def load_done(operations: Sequence[Operation], spans: Mapping[int, Interval], *, actor: User) -> list[OperationRun]:
    """Write that each operation was worked on at its machine over a span (by its order's id), and finished.

    For operations that name their machine and were not begun; raises Invalid for another. Machines count what they
    make, so nothing is reported.
    """
    runs = []
    for one in operations:
        if one.machine_id is None or one.actual_start_at is not None:
            raise Invalid(f"{one} names no machine, or was begun already.", field="operation")
        span = spans[one.work_order_id]
        one.status, one.actual_start_at, one.actual_end_at = _Status.COMPLETED, span.start, span.end
        runs.append(
            OperationRun(
                operation=one,
                machine_id=one.machine_id,
                started_at=span.start,
                ended_at=span.end,
                ending=OperationRun.Ending.FINISHED,
                recorded_by=actor,
                recorded_at=span.start,
            )
        )
    Operation.objects.bulk_update(operations, ["status", "actual_start_at", "actual_end_at"], batch_size=BATCH)
    insert(runs)
    steps = [
        step
        for run in runs
        for step in (
            _step(run, _Action.START, _Status.PENDING, _Status.IN_PROGRESS, run.started_at, actor),
            _step(run, _Action.FINISH, _Status.IN_PROGRESS, _Status.COMPLETED, run.ended_at or run.started_at, actor),
        )
    ]
    insert(sorted(steps, key=lambda step: (step.occurred_at, step.operation_id)))
    return runs


def _step(run: OperationRun, action: str, before: str, after: str, at: datetime, actor: User) -> OperationStep:
    return OperationStep(
        operation=run.operation,
        action=action,
        from_status=before,
        to_status=after,
        operation_run=run,
        occurred_at=at,
        recorded_at=at,
        recorded_by=actor,
    )
