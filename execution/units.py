"""Report for operations what serial units made of them: one piece, when it came through, or was lost."""

from decimal import Decimal

from execution.models import ProductionReport
from execution.reporting import report_production, reverse_report
from execution.taking import Quantities, Taken
from tracking.progress import Progress, books_progress
from workorders.models import Operation, WorkOrder

_Source, _Status = Operation.CountingSource, Operation.Status
_OVER = (WorkOrder.Status.CANCELLED, WorkOrder.Status.CLOSED)
_NOT_BEGUN = (_Status.PENDING, _Status.READY, _Status.SKIPPED)


@books_progress
def report_unit(progress: Progress) -> None:
    """Report what became of a unit at an operation; the first unit begins it.

    What the machine counts stays the machine's to say, and the work of an order that is closed or cancelled stays as it
    is. A unit that is scrapped where it had come through takes its good piece back.
    """
    operation = progress.operation
    if operation.work_order.status in _OVER or operation.counting_source == _Source.MACHINE:
        return
    if progress.is_scrap:
        _take_back(progress)
    elif operation.counting_source == _Source.BOTH:
        return
    piece = "scrap" if progress.is_scrap else "good"
    report_production(
        operation=operation,
        quantities=Quantities(
            good=Decimal(not progress.is_scrap),
            scrap=Decimal(progress.is_scrap),
            unit=progress.unit.product.unit,
            note=f"Unit {progress.unit}. {progress.reason}".strip()[:500],
        ),
        taken=Taken(
            at=progress.at,
            recorded_at=progress.recorded_at,
            actor=progress.actor,
            idempotency_key=_key(progress, piece),
        ),
        machine=operation.machine,
        begins=operation.status in _NOT_BEGUN,
        says_why=True,
    )


def _key(progress: Progress, piece: str) -> str:
    return f"unit {progress.unit.pk}/{progress.operation.pk}/{piece}"


def _take_back(progress: Progress) -> None:
    good = ProductionReport.objects.filter(idempotency_key=_key(progress, "good"), reversed_by__isnull=True).first()
    if good is not None:
        reverse_report(
            report=good,
            actor=progress.actor,
            recorded_at=progress.recorded_at,
            note=f"Scrapped: {progress.reason}"[:500],
        )
