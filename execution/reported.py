"""What other systems hear of work on operations: a message beside each fact, in its transaction."""

from datetime import datetime
from typing import Any

from core import outbox
from core.outbox import Message
from execution.models import OperationStep, ProductionReport
from workorders.models import Operation
from workorders.reported import key_of, names_of


def confirmed(report: ProductionReport) -> None:
    """Say what came of an operation, in `unit`; in negative quantities, that a report was taken back."""
    _say(
        "operation.confirmed",
        report.operation,
        report.occurred_at,
        report.recorded_at,
        confirmation=report.pk,
        reverses=report.reverses_id,
        good=report.good,
        scrap=report.scrap,
        rework=report.rework,
        scrap_reason=report.scrap_reason.code if report.scrap_reason else None,
        machine=report.machine.code if report.machine else None,
        employee=report.employee.code if report.employee else None,
        note=report.note,
        **({"unit": report.unit_id} if report.unit_id else {}),
    )


def stepped(step: OperationStep) -> None:
    """Say that an operation is in another status; nothing when it is not."""
    if step.from_status == step.to_status:
        return
    operation = step.operation
    _say(
        "operation.status_changed",
        operation,
        step.occurred_at,
        step.recorded_at,
        from_status=step.from_status,
        to_status=step.to_status,
        started_at=operation.actual_start_at,
        ended_at=operation.actual_end_at,
        reason=step.reason,
    )


def _say(type_: str, operation: Operation, occurred_at: datetime, recorded_at: datetime, **data: Any) -> None:
    order = operation.work_order
    outbox.report(
        Message(
            type=type_,
            key=key_of(order),
            site_id=order.line.area.site_id,
            occurred_at=occurred_at,
            recorded_at=recorded_at,
            data={**names_of(order), "operation": operation.code, "sequence": operation.sequence, **data},
        )
    )
