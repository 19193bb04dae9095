"""What other systems hear of material and containers: a message beside each fact, in its transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from core import outbox
from core.outbox import Message
from materials.container_models import Container, ContainerContent, ContainerStep, StepKind
from materials.container_queries import tree_ids
from materials.models import Kind, Location, MaterialTransaction
from workorders.reported import key_of

_PAST = {
    Kind.RECEIVE: "received",
    Kind.ISSUE: "issued",
    Kind.CONSUME: "consumed",
    Kind.PRODUCE: "produced",
    Kind.RETURN: "returned",
    Kind.SCRAP: "scrapped",
    Kind.ADJUST: "adjusted",
    Kind.MAINTAIN: "used_in_maintenance",
    Kind.SHIP: "shipped",
    Kind.MOVE: "moved",
    Kind.SPLIT: "split",
    Kind.REVERSAL: "reversed",
}
MATERIAL_TYPES = tuple(f"material.{word}" for word in _PAST.values())
_OF_STEP = {
    StepKind.CLOSED: "container.ready",
    StepKind.REOPENED: "container.reopened",
    StepKind.SHIPPED: "container.shipped",
    StepKind.BROUGHT_BACK: "container.brought_back",
}
CONTAINER_TYPES = tuple(_OF_STEP.values())


def moved(facts: Iterable[MaterialTransaction]) -> None:
    """Say what moved, in the product's unit. A reversal names the movement that it undoes, under the same key."""
    outbox.report(*(_movement(fact) for fact in facts))


def _movement(fact: MaterialTransaction) -> Message:
    return Message(
        type=f"material.{_PAST[Kind(fact.kind)]}",
        key=_key(fact),
        site_id=_site_id(fact),
        occurred_at=fact.occurred_at,
        recorded_at=fact.recorded_at,
        data={
            "transaction": fact.pk,
            "reverses": fact.reverses_id,
            "product": fact.product.code,
            "lot": fact.lot.number if fact.lot else None,
            "to_lot": fact.to_lot.number if fact.to_lot else None,
            "quantity": fact.quantity,
            "unit": fact.unit,
            "from_location": _code(fact.from_location),
            "to_location": _code(fact.to_location),
            "order": fact.work_order.order_number if fact.work_order else None,
            "external_id": fact.work_order.external_id if fact.work_order else None,
            "operation": fact.operation_code or None,
            "reason": fact.reason,
        },
    )


def _code(place: Location | None) -> str | None:
    return place.code if place else None


def _key(fact: MaterialTransaction) -> str:
    """Return the key of a movement: its order's, else its lot's, else its product's.

    A reversal has that of what it undoes.
    """
    if fact.reverses is not None:
        return _key(fact.reverses)
    if fact.work_order is not None:
        return key_of(fact.work_order)
    return f"lot/{fact.lot.number}" if fact.lot else f"product/{fact.product.code}"


def _site_id(fact: MaterialTransaction) -> int | None:
    for place in (fact.from_location, fact.to_location):
        if place is not None:
            return place.site_id
    return fact.work_order.line.area.site_id if fact.work_order else None


def stepped(steps: Sequence[ContainerStep]) -> None:
    """Say that a container is ready to leave, is opened again, left, or came back, with all that is in it."""
    first = steps[0]
    type_ = _OF_STEP.get(StepKind(first.kind))
    if type_ is None:
        return
    container = first.container
    outbox.report(
        Message(
            type=type_,
            key=f"container/{container.code}",
            site_id=container.site_id,
            occurred_at=first.occurred_at,
            recorded_at=first.recorded_at,
            data={
                "container": container.code,
                "sscc": container.sscc,
                "kind": container.kind,
                "recipient": first.recipient,
                "reason": first.reason,
                "contents": _contents(container),
            },
        )
    )


def _contents(container: Container) -> list[dict[str, Any]]:
    rows = ContainerContent.objects.filter(container__in=tree_ids([container.pk]))
    return [
        {
            "container": row.container.code,
            "product": row.product.code,
            "lot": row.lot.number if row.lot else None,
            "quantity": row.quantity,
            "unit": row.product.unit_id,
        }
        for row in rows.select_related("container", "product", "lot").order_by("container__code", "id")
    ]
