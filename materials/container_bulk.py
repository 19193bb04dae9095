"""Write many containers of the past at once: opened, filled with what an order made, closed; and shipped as they stand.

The rules are those of `containers`, `packing` and `container_moves`: what is packed lies free at the place, in a lot
that may be used, and leaves the ledger with its container (`bulk.Shipped`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from core.bulk import insert
from core.errors import Conflict, Invalid
from core.exact import plain_number
from materials.container_models import Container, ContainerContent, ContainerStep, StepKind
from materials.container_steps import refuse, set_all
from materials.ledger import ZERO, StockKey, lock_lots, lock_stock
from materials.models import Location, MaterialLot
from materials.packed import packed_at
from materials.selectors import refuse_unusable
from materials.services import refuse_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A container that was opened at a place, filled with so much of a lot that was there, and closed."""

    code: str
    kind: Container.Kind
    place: Location
    lot: MaterialLot
    quantity: Decimal
    opened_at: datetime
    packed_at: datetime
    closed_at: datetime


@transaction.atomic
def load_containers(filled: Sequence[Filled], *, actor: User) -> list[Container]:
    """Write closed containers with what is in them. Lots come with their product, places with their site.

    Raises Invalid for an odd code, quantity or time, Conflict for a code that is known, for a lot that was not to be
    used and for more than is free at the place.
    """
    _refuse_odd(filled)
    containers = insert(
        [
            Container(
                site=one.place.site, code=one.code, kind=one.kind, location=one.place, status=Container.Status.CLOSED
            )
            for one in filled
        ]
    )
    _refuse_not_free(filled)
    insert(
        [
            ContainerContent(container=container, product=one.lot.product, lot=one.lot, quantity=one.quantity)
            for container, one in zip(containers, filled, strict=True)
        ]
    )
    steps = []
    for container, one in zip(containers, filled, strict=True):
        what = {
            "product": one.lot.product,
            "lot": one.lot,
            "quantity": one.quantity,
            "unit": str(one.lot.product.unit_id),
        }
        steps += [
            _step(container, StepKind.OPENED, one.opened_at, actor, to_location=one.place),
            _step(container, StepKind.PACKED, one.packed_at, actor, **what),
            _step(container, StepKind.CLOSED, one.closed_at, actor),
        ]
    insert(sorted(steps, key=lambda step: step.occurred_at))
    return list(containers)


def leave(containers: Mapping[Container, tuple[datetime, str]], *, actor: User) -> dict[int, ContainerStep]:
    """Let closed containers leave with what is in them, each at its moment for its recipient; return the steps, by id.

    The ledger is the caller's to write, afterwards: it refuses what would be taken from under one that
    stands there. Raises Conflict for a container that is not to be shipped.
    """
    rows = Container.objects.select_for_update(of=("self",), no_key=True).select_related("location", "parent")
    held = list(rows.filter(pk__in=[one.pk for one in containers]).order_by("pk"))
    steps = []
    for one in held:
        refuse(one, "ship")
        at, recipient = containers[one]
        steps.append(_step(one, StepKind.SHIPPED, at, actor, from_location=one.location, recipient=recipient))
    set_all(held, status=Container.Status.SHIPPED, location=None)
    insert(sorted(steps, key=lambda step: step.occurred_at))
    return {step.container_id: step for step in steps}


def _step(container: Container, kind: StepKind, at: datetime, actor: User, **more: object) -> ContainerStep:
    return ContainerStep(container=container, kind=kind, occurred_at=at, recorded_at=at, performed_by=actor, **more)


def _refuse_odd(filled: Sequence[Filled]) -> None:
    for one in filled:
        if not one.opened_at <= one.packed_at <= one.closed_at:
            raise Invalid("A container is opened, filled and closed in this order.", field="packed_at")
        if not one.place.is_active or one.lot.site_id != one.place.site_id:
            raise Invalid(f"{one.place} is switched off, or not where the lot is.", field="place")
        Container(code=one.code, kind=one.kind).clean_fields(exclude=["site", "location"])
        refuse_quantity(one.quantity)
    codes = [one.code for one in filled]
    known = Container.objects.filter(site__in={one.place.site_id for one in filled}, code__in=codes).first()
    if known is not None or len(set(codes)) < len(codes):
        raise Conflict(f"There is a container {known or 'of the same code twice'} already.", field="code")


def _refuse_not_free(filled: Sequence[Filled]) -> None:
    lots = lock_lots({one.lot.pk for one in filled})
    wanted: dict[StockKey, Decimal] = defaultdict(lambda: ZERO)
    for one in filled:
        refuse_unusable(lots[one.lot.pk], at=one.packed_at)
        wanted[one.lot.product_id, one.lot.pk, one.place.pk] += one.quantity
    there, packed = lock_stock(wanted), packed_at(list(wanted))
    for key, quantity in wanted.items():
        free = there[key] - packed.get(key, ZERO)
        if free < quantity:
            lot = lots[key[1]]
            raise Conflict(
                f"Lot {lot} of {lot.product}: {plain_number(max(free, ZERO))} are free, {plain_number(quantity)} were packed.",
                field="quantity",
                code="not_free",
            )
