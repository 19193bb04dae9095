"""Book what reports and completed orders used without anybody asking, where the policy names the place."""

from datetime import datetime
from fractions import Fraction

from django.db import transaction

from accounts.models import User
from core.master_data import follows
from materials.backflush import Backflush, OnShortage, backflush_of_order
from materials.backflush_policy import backflush_policy
from materials.ledger import to_millionths
from materials.models import SMALLEST, BackflushPolicy, Kind, Location, MaterialTransaction
from materials.services import MAX_QUANTITY, reverse
from workorders.models import Operation, WorkOrder
from workorders.selectors import in_product_unit, made


@transaction.atomic
def backflush_report(
    *,
    operation: Operation,
    quantity: Fraction,
    actor: User,
    occurred_at: datetime,
    recorded_at: datetime,
    idempotency_key: str,
) -> Backflush | None:
    """Book what a report of an operation used, as far as it is there; `quantity` in the order's unit, good or not.

    None where the policy names no place, or the order keeps no materials. What is short never stops a report: it is
    told, and the stock is counted.
    """
    order = operation.work_order
    policy = backflush_policy(order)
    if policy is None or policy.location is None or quantity <= 0 or not order.materials.exists():
        return None
    return _flush(order, operation, quantity, policy.location, actor, occurred_at, recorded_at, idempotency_key)


def _flush(
    order: WorkOrder,
    operation: Operation | None,
    quantity: Fraction,
    location: Location,
    actor: User,
    occurred_at: datetime,
    recorded_at: datetime,
    key: str,
) -> Backflush | None:
    made = in_product_unit(order, quantity)
    if not SMALLEST <= made < MAX_QUANTITY:
        return None
    return backflush_of_order(
        work_order=order,
        produced_quantity=to_millionths(made),
        operation=operation,
        location=location,
        on_shortage=OnShortage.TAKE,
        actor=actor,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        idempotency_key=key,
    )


@transaction.atomic
def take_back(*, idempotency_key: str, reason: str, actor: User, occurred_at: datetime, recorded_at: datetime) -> int:
    """Reverse what a back-flush booked under a key; return how many movements. Those reversed already stay so."""
    standing = MaterialTransaction.objects.filter(
        idempotency_key__startswith=f"{idempotency_key}/", reversed_by__isnull=True
    ).exclude(kind=Kind.REVERSAL)
    movements = list(standing.order_by("-pk"))
    for movement in movements:
        reverse(transaction=movement, reason=reason, actor=actor, occurred_at=occurred_at, recorded_at=recorded_at)
    return len(movements)


@follows(WorkOrder)
def order_completed(*, before: WorkOrder | None, after: WorkOrder | None) -> None:
    """Book by order what a completed order used, where the policy names the place; take it back when it is reopened."""
    if before is None or after is None or before.status == after.status:
        return
    completes = after.status == WorkOrder.Status.COMPLETED
    reopens = before.status == WorkOrder.Status.COMPLETED and after.status == WorkOrder.Status.IN_PROGRESS
    if not (completes or reopens):
        return
    policy = backflush_policy(after)
    if policy is None or policy.location is None or policy.mode != BackflushPolicy.Mode.ORDER:
        return
    change = after.status_changes.select_related("changed_by").order_by("-pk").first()
    if change is None or change.changed_by is None:
        # Nobody answers for the movement; it is booked when somebody asks for it.
        return
    times = after.status_changes.filter(to_status=WorkOrder.Status.COMPLETED).count()
    key = f"order {after.pk} completed {times}"
    actor, at = change.changed_by, change.changed_at
    if reopens:
        take_back(idempotency_key=key, reason="The order was reopened", actor=actor, occurred_at=at, recorded_at=at)
        return
    produced = made(after, now=at)
    quantity = (produced.good or Fraction(0)) + (produced.scrap or Fraction(0))
    if quantity > 0 and after.materials.exists():
        _flush(after, None, quantity, policy.location, actor, at, at, key)
