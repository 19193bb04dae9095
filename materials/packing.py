"""Pack stock into containers and out of them.

Packing moves no stock: what is packed lies where its container stands, and the ledger lets nobody use it there.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Unpack

from django.db import transaction
from django.db.models import Sum

from core.errors import Conflict, Invalid
from core.exact import plain_number
from materials.container_models import Container, ContainerContent, StepKind
from materials.container_queries import tree_ids
from materials.container_steps import Stepped, Told, ask, hold_one, refuse
from materials.ledger import lock_lots, lock_stock
from materials.models import MaterialLot
from materials.packed import containers_at, packed_at
from materials.selectors import refuse_unusable
from materials.services import in_own_unit, refuse_quantity
from products.models import Product


@transaction.atomic
def pack(
    *,
    container: Container,
    product: Product,
    quantity: Decimal,
    lot: MaterialLot | None = None,
    unit: str = "",
    **told: Unpack[Told],
) -> Stepped:
    """Put so much of a lot, in stock at the container's place and not packed elsewhere, into an open container.

    Raises Conflict for a lot that must not be used, for more than is free there, and for more than the container holds.
    """
    request = ask(StepKind.PACKED, told, container.pk, product.pk, lot.pk if lot else None, quantity, unit)
    if isinstance(request, Stepped):
        return request
    held = hold_one(container, request)
    refuse(held, "pack")
    own, _ = in_own_unit(product, quantity, unit)
    refuse_quantity(own)
    if lot is None and product.lot_controlled:
        raise Invalid(f"{product} is kept by lots; name the lot.", field="lot")
    if lot is not None and lot.product_id != product.pk:
        raise Invalid(f"Lot {lot} is one of {lot.product}, not of {product}.", field="lot")
    if held.product_id not in (None, product.pk):
        raise Invalid(f"Container {held} holds {held.product} only.", field="product")
    if lot is not None:
        lot = lock_lots([lot.pk])[lot.pk]
        refuse_unusable(lot, at=request.at)
    assert held.location is not None
    key = (product.pk, lot.pk if lot else 0, held.location.pk)
    free = lock_stock([key])[key] - packed_at([key]).get(key, Decimal(0))
    if free < own:
        where = containers_at(key)
        packed = f" The rest is packed ({', '.join(where)})." if where else ""
        raise Conflict(
            f"{f'Lot {lot} of {product}' if lot else product} at {held.location}: {plain_number(max(free, Decimal(0)))}"
            f" {product.unit_id} are free, {plain_number(own)} was asked for.{packed}",
            field="quantity",
            code="not_free",
        )
    refuse_too_much(held, own)
    content = ContainerContent.objects.filter(container=held, product=product, lot=lot).first()
    if content is None:
        ContainerContent.objects.create(container=held, product=product, lot=lot, quantity=own)
    else:
        ContainerContent.objects.filter(pk=content.pk).update(quantity=content.quantity + own)
    request.write(held, product=product, lot=lot, quantity=own, unit=product.unit_id)
    return request.done()


def refuse_too_much(container: Container, more: Decimal) -> None:
    """Raise Conflict when a container, with all that lies in it, would hold more of its product than it can."""
    if container.capacity is None:
        return
    inside = quantity_in(tree_ids([container.pk]), container.product_id)
    if inside + more > container.capacity:
        assert container.product is not None
        raise Conflict(
            f"Container {container} holds {plain_number(container.capacity)} {container.product.unit_id}; there are"
            f" {plain_number(inside)} in it, {plain_number(more)} more are too many.",
            field="quantity",
            code="full",
        )


def quantity_in(container_ids: Iterable[int], product_id: int | None) -> Decimal:
    """Return how much of a product lies in just these containers, not in those inside them."""
    rows = ContainerContent.objects.filter(container__in=list(container_ids), product=product_id)
    return rows.aggregate(total=Sum("quantity"))["total"] or Decimal(0)


@transaction.atomic
def unpack(
    *,
    container: Container,
    product: Product,
    quantity: Decimal,
    lot: MaterialLot | None = None,
    unit: str = "",
    **told: Unpack[Told],
) -> Stepped:
    """Take so much of a lot out of an open container; it lies free at the container's place then.

    Any lot may be unpacked.
    """
    request = ask(StepKind.UNPACKED, told, container.pk, product.pk, lot.pk if lot else None, quantity, unit)
    if isinstance(request, Stepped):
        return request
    held = hold_one(container, request)
    refuse(held, "unpack")
    own, _ = in_own_unit(product, quantity, unit)
    refuse_quantity(own)
    content = ContainerContent.objects.filter(container=held, product=product, lot=lot).first()
    there = content.quantity if content else Decimal(0)
    if content is None or there < own:
        raise Conflict(
            f"{f'Lot {lot} of {product}' if lot else product} in {held}: there is {plain_number(there)} {product.unit_id},"
            f" {plain_number(own)} was asked for.",
            field="quantity",
        )
    _lessen(content, own)
    request.write(held, product=product, lot=lot, quantity=own, unit=product.unit_id)
    return request.done()


def _lessen(content: ContainerContent, quantity: Decimal) -> None:
    # Who takes something from stock waits for this row's change before it counts what is packed, and may see the old
    # sum: then it is refused, never let through.
    if content.quantity == quantity:
        content.delete()
    else:
        ContainerContent.objects.filter(pk=content.pk).update(quantity=content.quantity - quantity)
