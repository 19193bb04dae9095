"""The sections of a record that follow from its order: how it went, its operations, set-points and changeovers.

Apps between those that are read here and this one add their own (`workorders.record_sections.contributes`).
"""

from datetime import datetime

from execution.selectors import progress_of_operations
from workorders.models import Operation, OrderParameter, OrderStatusChange, WorkOrder
from workorders.record_sections import MAJOR, MINOR, Finding, Section, contributes, text

_CLOSED = WorkOrder.Status.CLOSED


@contributes("order", "Order", 10)
def order_section(order: WorkOrder, now: datetime) -> Section:
    """Return how the order went and what was confirmed. That it was closed in the books is none of the batch's."""
    section = Section(("At", "What", "Quantity", "By", "Note"))
    changes = OrderStatusChange.objects.filter(order=order).exclude(to_status=_CLOSED).exclude(from_status=_CLOSED)
    for change in changes.select_related("changed_by", "reason").order_by("id"):
        note = " ".join(part for part in (str(change.reason or ""), change.note) if part)
        section.add(change.changed_at, change.get_to_status_display(), None, change.changed_by, note)
        if change.to_status == WorkOrder.Status.ON_HOLD:
            section.findings.append(
                Finding(f"order.hold:{change.pk}", "hold", MAJOR, "The order was on hold", note, change.changed_at)
            )
    for row in order.confirmations.select_related("confirmed_by").order_by("id"):
        quantity = f"good {text(row.good)}, scrap {text(row.scrap)}, rework {text(row.rework)}"
        section.add(row.confirmed_at, "Confirmed", quantity, row.confirmed_by, row.note)
        if row.confirmed_by_id:
            section.workers.add(row.confirmed_by_id)
        if row.reverses_id:
            title = "A confirmation was reversed"
            section.findings.append(
                Finding(f"order.reversal:{row.pk}", "reversal", MINOR, title, quantity, row.confirmed_at)
            )
    return section


@contributes("operations", "Operations", 20)
def operations_section(order: WorkOrder, now: datetime) -> Section:
    """Return the order's operations as they went."""
    section = Section(
        ("Sequence", "Operation", "Status", "Machine", "Planned", "Completed", "Rejected", "Start", "End", "Inspection")
    )
    operations = list(order.operations.select_related("machine", "inspected_by").order_by("sequence", "id"))
    for operation in operations:
        operation.work_order = order
    progress = progress_of_operations(operations, now=now)
    for operation in operations:
        pieces = progress[operation.pk].made
        section.add(
            operation.sequence,
            f"{operation.code} {operation.name}",
            operation.get_status_display(),
            operation.machine,
            operation.planned_quantity,
            pieces.good,
            pieces.scrap,
            operation.actual_start_at,
            operation.actual_end_at,
            operation.get_inspection_status_display(),
        )
        section.findings += _of_operation(operation)
    return section


def _of_operation(operation: Operation) -> list[Finding]:
    found = []
    # What inspections came to, the section of inspections says.
    if operation.inspection_status == Operation.Inspection.PENDING:
        key = f"operation.inspection:{operation.pk}"
        found.append(Finding(key, "inspection", MAJOR, f"{operation.code} was not inspected"))
    if operation.status == Operation.Status.SKIPPED:
        found.append(Finding(f"operation.skipped:{operation.pk}", "skipped", MAJOR, f"{operation.code} was skipped"))
    return found


@contributes("set_points", "Set-points", 30)
def set_points_section(order: WorkOrder, now: datetime) -> Section:
    """Return the set-points that the order was released with, as they are now."""
    section = Section(("Operation", "Parameter", "Set-point", "Minimum", "Maximum", "Unit"))
    rows = OrderParameter.objects.filter(operation__work_order=order).select_related("operation", "unit")
    for row in rows.order_by("operation__sequence", "operation_id", "code"):
        name = f"{row.code} {row.name}"
        section.add(row.operation.code, name, row.target, row.minimum, row.maximum, row.unit)
    return section


@contributes("changeovers", "Changeovers", 110)
def changeovers_section(order: WorkOrder, now: datetime) -> Section:
    """Return the changeovers that it was made ready by."""
    section = Section(("Line", "Kind", "From", "To", "Start", "End", "First piece", "By"))
    rows = order.changeovers.select_related("line", "from_product", "to_product", "started_by")
    for row in rows.order_by("started_at", "id"):
        section.add(
            row.line,
            row.get_kind_display(),
            row.from_product,
            row.to_product,
            row.started_at,
            row.ended_at,
            row.get_inspection_display(),
            row.started_by,
        )
        section.workers.add(row.started_by_id)
        if row.inspection in ("failed", "conditional"):
            title = f"First piece: {row.get_inspection_display().lower()}"
            key = f"changeover.inspection:{row.pk}"
            section.findings.append(Finding(key, "inspection", MAJOR, title, row.inspection_note, row.started_at))
    return section
