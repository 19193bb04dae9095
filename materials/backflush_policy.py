"""When what an order needs is booked, by the policy of its product or site."""

from django.db.models import F, Q

from core.errors import Invalid
from materials.models import BackflushPolicy
from workorders.models import Operation, OrderMaterial, WorkOrder


def backflush_policy(work_order: WorkOrder) -> BackflushPolicy | None:
    """Return the policy that holds for an order: that of its product, or else of its site."""
    policies = BackflushPolicy.objects.filter(
        Q(product=work_order.product_id) | Q(product__isnull=True), site=work_order.line.area.site_id
    )
    return policies.select_related("location").order_by(F("product").asc(nulls_last=True)).first()


def backflush_mode(work_order: WorkOrder) -> str:
    """Return when an order's materials are booked: as its policy says; by piece without one."""
    found = backflush_policy(work_order)
    return BackflushPolicy.Mode.PIECE if found is None else found.mode


def due_rows(work_order: WorkOrder, operation: Operation | None) -> list[OrderMaterial] | None:
    """Return which of an order's materials a report books; None when it books none by the policy.

    By order: all of them, when the order as a whole is reported. By milestone: those of a milestone and of what comes
    before it, back to the milestone before; with the order, those that come after its last one. By piece: those of
    the operation that reports, or all with the order.
    """
    rows = list(work_order.materials.select_related("product__unit", "operation"))
    if not rows:
        raise Invalid("The order keeps no materials; name what one unit needs.", field="requirements")
    if operation is not None and operation.work_order_id != work_order.pk:
        raise Invalid("The operation is another order's.", field="operation_code")
    mode = backflush_mode(work_order)
    if mode == BackflushPolicy.Mode.ORDER:
        return rows if operation is None else None
    if mode == BackflushPolicy.Mode.PIECE:
        return rows if operation is None else [row for row in rows if row.operation_id == operation.pk] or None
    if operation is not None and not operation.is_milestone:
        return None
    milestones = list(
        work_order.operations.filter(is_milestone=True).order_by("sequence").values_list("sequence", flat=True)
    )
    if operation is None:
        after = milestones[-1] if milestones else -1
        return [row for row in rows if row.operation is None or row.operation.sequence > after] or None
    after = max((sequence for sequence in milestones if sequence < operation.sequence), default=-1)
    due = [row for row in rows if row.operation and after < row.operation.sequence <= operation.sequence]
    return due or None
