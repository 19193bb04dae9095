"""Bring containers elsewhere: to another place, to a recipient, back again.

A movement is written for everything in them, all of it or nothing.
"""

from collections.abc import Callable, Sequence
from typing import Unpack

from django.db import transaction

from core.errors import Conflict, Invalid
from materials.container_models import Container, ContainerContent, ContainerMovement, ContainerStep, StepKind
from materials.container_steps import Request, Stepped, Told, ask, hold_tree, refuse, set_all
from materials.ledger import Movement, lock_lots, post
from materials.models import Kind, Location, MaterialTransaction
from materials.selectors import refuse_unusable

_Status = Container.Status


@transaction.atomic
def move(*, container: Container, to_location: Location, **told: Unpack[Told]) -> Stepped:
    """Bring a container, with all that is in it, to another place of its site:
    one movement in the ledger for each content.

    Any lot may be moved, also one that must not be used.
    """
    request = ask(StepKind.MOVED, told, container.pk, to_location.pk)
    if isinstance(request, Stepped):
        return request
    if to_location.site_id != container.site_id:
        raise Invalid("The place is of another site; ship it there.", field="to_location")
    if not to_location.is_active:
        raise Invalid(f"{to_location} is switched off; choose another place.", field="to_location")
    tree = hold_tree(container, request)
    refuse(tree[0], "move")
    if tree[0].location_id == to_location.pk:
        raise Invalid("It is there already; choose another place.", field="to_location")

    def movement(content: ContainerContent, named: str) -> Movement:
        return _movement(Kind.MOVE, content, f"In {named}.", to_location)

    return _carry(request, tree, movement, to_location=to_location)


@transaction.atomic
def ship(*, container: Container, recipient: str = "", **told: Unpack[Told]) -> Stepped:
    """Send a closed container, with all that is in it, to a recipient: one shipment in the ledger for each content.

    Raises Conflict, naming lot and container, when any lot in it must not be used; nothing is shipped then.
    """
    recipient = recipient.strip()
    if len(recipient) > 200:
        raise Invalid("At most 200 characters.", field="recipient")
    request = ask(StepKind.SHIPPED, told, container.pk, recipient)
    if isinstance(request, Stepped):
        return request
    tree = hold_tree(container, request)
    refuse(tree[0], "ship")
    to = f" to {recipient}" if recipient else ""

    def movement(content: ContainerContent, named: str) -> Movement:
        if content.lot is not None:
            try:
                refuse_unusable(content.lot, at=request.at)
            except Conflict as refusal:
                raise Conflict(
                    f"{content.container}: {refusal.message}", field="container", code=refusal.code
                ) from refusal
        return _movement(Kind.SHIP, content, f"In {named}{to}.")

    return _carry(request, tree, movement, recipient=recipient)


def _movement(kind: str, content: ContainerContent, why: str, to_location: Location | None = None) -> Movement:
    return Movement(
        kind=kind,
        product=content.product,
        quantity=content.quantity,
        lot=content.lot,
        from_location=content.container.location,
        to_location=to_location,
        reason=why,
    )


def _carry(
    request: Request,
    tree: Sequence[Container],
    movement: Callable[[ContainerContent, str], Movement],
    *,
    to_location: Location | None = None,
    recipient: str = "",
) -> Stepped:
    """Bring a tree to a place, or away: steps, state and ledger together."""
    rows = ContainerContent.objects.filter(container__in=tree).select_related("product__unit")
    contents = list(rows.order_by("container_id", "id"))
    lots = lock_lots({one.lot_id for one in contents if one.lot_id})
    steps: dict[int, ContainerStep] = {}
    names = {one.pk: _named(one, tree[0]) for one in tree}
    by_id = {one.pk: one for one in tree}
    movements = []
    for content in contents:
        content.lot = lots.get(content.lot_id or 0)
        content.container = by_id[content.container_id]
        movements.append(movement(content, names[content.container_id]))
    for one in tree:
        steps[one.pk] = request.write(one, from_location=one.location, to_location=to_location, recipient=recipient)
    # The containers leave first: the ledger refuses what would be taken from under one that stands there.
    if to_location is None:
        set_all(tree, status=_Status.SHIPPED, location=None)
    else:
        set_all(tree, location=to_location)
    _post(request, movements, [steps[content.container_id] for content in contents])
    return request.done()


def _post(request: Request, movements: Sequence[Movement], steps: Sequence[ContainerStep]) -> None:
    told = request.told
    facts = post(movements, actor=told["actor"], occurred_at=request.at, recorded_at=told["recorded_at"])
    ContainerMovement.objects.bulk_create(
        ContainerMovement(step=step, transaction=fact) for step, fact in zip(steps, facts, strict=True)
    )


def _named(container: Container, root: Container) -> str:
    return str(container) if container.pk == root.pk else f"{container} on {root}"


@transaction.atomic
def bring_back(*, container: Container, **told: Unpack[Told]) -> Stepped:
    """Undo a shipment that did not leave: its movements are reversed, and all stand closed where they stood before.

    Raises Conflict when something happened to one of them since.
    """
    if not told.get("reason", "").strip():
        raise Invalid("Say why it did not leave.", field="reason")
    request = ask(StepKind.BROUGHT_BACK, told, container.pk)
    if isinstance(request, Stepped):
        return request
    tree = hold_tree(container, request)
    refuse(tree[0], "bring_back")
    rows = ContainerStep.objects.filter(container__in=tree).order_by("container_id", "-id").distinct("container_id")
    last = {step.container_id: step for step in rows.select_related("from_location")}
    first = last[container.pk]
    for one in tree:
        step = last[one.pk]
        if step.kind != StepKind.SHIPPED or first.pk not in (step.pk, step.caused_by_id):
            raise Conflict(f"{one} was not shipped with it last; the shipment stays.", field="container")
    if first.caused.count() + 1 != len(tree):
        raise Conflict(f"Not all that was shipped in {container} is in it now; the shipment stays.", field="container")
    facts = list(
        MaterialTransaction.objects.filter(container_movement__step__in=last.values())
        .select_related("product__unit", "lot", "from_location", "container_movement")
        .order_by("id")
    )
    lock_lots({fact.lot_id for fact in facts if fact.lot_id})
    # All of a tree stood at one place.
    place = first.from_location
    steps = {last[one.pk].pk: request.write(one, to_location=place) for one in tree}
    set_all(tree, status=_Status.CLOSED, location=place)
    reversals = [_reversal(fact, told["reason"]) for fact in facts]
    _post(request, reversals, [steps[fact.container_movement.step_id] for fact in facts])
    return request.done()


def _reversal(fact: MaterialTransaction, reason: str) -> Movement:
    return Movement(
        kind=Kind.REVERSAL,
        product=fact.product,
        quantity=fact.quantity,
        lot=fact.lot,
        to_location=fact.from_location,
        reason=reason,
        reverses=fact,
    )
