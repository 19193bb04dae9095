"""How something is done on the floor: what is said of it, the locks, and what stands against any of it.

Lock order: the key's turn, the site's turn, the order's row, then the operation's.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from accounts.models import User
from core.announcements import announce
from core.errors import Conflict, Invalid
from core.fact_api import refuse_future
from core.locks import take_turns
from enterprise.models import Machine
from execution.models import OperationStep, ScrapReason
from labor.models import Employee
from products.models import UnitOfMeasure
from workorders.models import Operation, WorkOrder

_Status, _Order, _Action = Operation.Status, WorkOrder.Status, OperationStep.Action


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


def lock_operation(operation: Operation, *, moves_runs: bool = True) -> Operation:
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


def refuse_ahead(taken: Taken) -> None:
    """Raise Invalid for what lies in the future."""
    try:
        refuse_future(taken.at, taken.recorded_at)
    except Invalid as refusal:
        raise Invalid(refusal.message, field="at") from None


def refuse_over(operation: Operation) -> None:
    """Raise Conflict for an operation of an order that is cancelled or closed."""
    order = operation.work_order
    if order.status in (_Order.CANCELLED, _Order.CLOSED):
        raise Conflict(
            f"Order {order} is {order.get_status_display().lower()}; its work stays as it is.", field="operation"
        )


def refuse_stranger(employee: Employee | None, operation: Operation) -> None:
    """Raise Invalid for somebody of another site, or who left."""
    if employee is None:
        return
    if employee.site_id != operation.work_order.line.area.site_id:
        raise Invalid(f"{employee} works at another site.", field="employee")
    if not employee.is_active:
        raise Invalid(f"{employee} does not work here any more.", field="employee")


def refuse_strange_machine(machine: Machine | None, operation: Operation) -> None:
    """Raise Invalid for a machine at another site than the order."""
    if machine is not None and machine.line.area.site_id != operation.work_order.line.area.site_id:
        raise Invalid("That machine is at another site than the order.", field="machine")


def tell(operation: Operation) -> None:
    """Let the screens of the lines concerned be drawn anew."""
    worked = operation.operation_runs.order_by().values("machine__line")
    concerned = Machine.objects.filter(Q(line=operation.work_order.line_id) | Q(line__in=worked))
    announce("machine", list(concerned.values_list("id", flat=True)))
