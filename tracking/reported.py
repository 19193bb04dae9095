"""What other systems hear of serial units: that one left, or was scrapped."""

from core import outbox
from core.outbox import Message
from tracking.models import UnitEvent
from workorders.reported import key_of

_TYPES: dict[str, str] = {
    UnitEvent.Kind.DISPATCH: "unit.dispatched",
    UnitEvent.Kind.SCRAP: "unit.scrapped",
}


def happened(event: UnitEvent) -> None:
    """Say that a unit left or was scrapped; of its order's key, where it has one. Nothing for other events."""
    type_ = _TYPES.get(event.kind)
    if type_ is None:
        return
    unit = event.unit
    outbox.report(
        Message(
            type=type_,
            key=key_of(unit.order) if unit.order else f"unit/{unit.serial}",
            site_id=unit.site_id,
            occurred_at=event.occurred_at,
            recorded_at=event.occurred_at,
            data={
                "serial": unit.serial,
                "product": unit.product.code,
                "order": unit.order.order_number if unit.order else None,
                "external_id": unit.order.external_id if unit.order else None,
                "container": unit.container.code if unit.container else None,
                "reason": event.reason,
            },
        )
    )
