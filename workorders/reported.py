"""What other systems hear of orders: a message beside each fact, in its transaction."""

from datetime import datetime
from typing import Any

from core import hooks, outbox
from core.exact import rounded_up
from core.outbox import Message
from workorders.models import OrderConfirmation, OrderStatusChange, Run, WorkOrder
from workorders.selectors import made

_DONE = (WorkOrder.Status.COMPLETED, WorkOrder.Status.CLOSED)


def key_of(order: WorkOrder) -> str:
    """Return the key of what is said of an order: receivers get it in order."""
    return f"order/{order.order_number}"


def names_of(order: WorkOrder) -> dict[str, Any]:
    """Return what an order is called, here and in the ERP."""
    return {
        "order": order.order_number,
        "external_id": order.external_id,
        "product": order.product.code if order.product else None,
        "line": order.line.code,
        "unit": order.unit_id or (order.product.unit_id if order.product else None),
    }


def confirmed(confirmation: OrderConfirmation) -> None:
    """Say that an order made so much, or, in negative quantities, that this was taken back."""
    order = confirmation.order
    _say(
        "order.confirmed",
        order,
        confirmation.confirmed_at,
        confirmation=confirmation.pk,
        reverses=confirmation.reverses_id,
        good=confirmation.good,
        scrap=confirmation.scrap,
        rework=confirmation.rework,
        note=confirmation.note,
    )


def stepped(change: OrderStatusChange) -> None:
    """Say that an order is in another status; of one that is done, what it made (null: nobody knows)."""
    order = change.order
    made_: dict[str, Any] = {}
    if change.to_status in _DONE:
        found = made(order, now=change.changed_at)
        made_["made"] = {
            name: None if (value := getattr(found, name)) is None else rounded_up(value)
            for name in ("good", "scrap", "rework")
        }
    _say(
        "order.status_changed",
        order,
        change.changed_at,
        from_status=change.from_status or None,
        to_status=change.to_status,
        reason=change.reason.code if change.reason else None,
        note=change.note,
        **made_,
    )


def ran(before: Run | None, run: Run | None) -> None:
    """Tell plug-ins that a run began or ended. What is corrected or deleted later is told to nobody."""
    if run is None or not hooks.is_heard("run.started", "run.ended"):
        return
    moments = {"run.started": run.started_at if before is None else None}
    if before is None or before.ended_at is None:
        moments["run.ended"] = run.ended_at
    order = run.work_order
    data = {
        **names_of(order),
        "line": run.line.code,
        "run": run.pk,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }
    hooks.tell(
        *(
            Message(
                type=type_,
                key=key_of(order),
                site_id=run.line.area.site_id,
                occurred_at=at,
                recorded_at=at,
                data=data,
            )
            for type_, at in moments.items()
            if at is not None
        )
    )


def _say(type_: str, order: WorkOrder, at: datetime, **data: Any) -> None:
    outbox.report(
        Message(
            type=type_,
            key=key_of(order),
            site_id=order.line.area.site_id,
            occurred_at=at,
            recorded_at=at,
            data={**names_of(order), **data},
        )
    )
