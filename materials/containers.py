"""What people do with containers: each action is a step that stays, with the state that follows, in one transaction.

Packing moves no stock: what is packed lies where its container stands, and the ledger lets nobody use it there. Moving
or shipping a container writes a movement for everything in it, all of it or nothing.

Lock order: the request's key, the site's turn (where the tree of containers changes or moves), containers by id, and then
what the ledger holds: lots by id, stock rows by key.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple, Required, TypedDict, Unpack

from django.db import transaction
from django.db.models import Max, Sum

from accounts.models import User
from core.errors import Conflict, Invalid
from core.fact_api import refuse_future
from core.gs1 import NotGs1, read_sscc, sscc
from core.locks import take_turns
from enterprise.models import Site
from materials import container_gates
from materials.container_models import (
    Container,
    ContainerContent,
    ContainerMovement,
    ContainerPolicy,
    ContainerStep,
    StepKind,
)
from materials.container_queries import depth_below, tree_ids
from materials.ledger import Movement, amount, lock_lots, lock_stock, post
from materials.models import Kind, Location, MaterialLot, MaterialTransaction
from materials.packed import containers_at, packed_at
from materials.selectors import refuse_unusable
from materials.services import in_own_unit, refuse_quantity
from products.models import Product

SKEW = timedelta(minutes=5)
"""By how much the clocks of two devices may differ."""
MOST_LEVELS = 8
MOST_INSIDE = 1000
_Status = Container.Status


class Told(TypedDict, total=False):
    """What every step says besides what was done: who, when, and how a retry is known."""

    actor: Required[User]
    occurred_at: Required[datetime]
    recorded_at: Required[datetime]
    idempotency_key: str | None
    reason: str


class Stepped(NamedTuple):
    """A step, and whether it is new: False for a request that was answered before."""

    step: ContainerStep
    is_new: bool


# --- what is allowed when ---


def allowed(container: Container) -> list[str]:
    """Return what may be done with a container as it is."""
    if container.status == _Status.SHIPPED:
        back = [] if container.parent_id else ["bring_back"]
        return [*back, "empty"] if container.kind == Container.Kind.BIN else back
    if container.parent_id is not None:
        return ["take_out"]
    if container.status == _Status.OPEN:
        return ["pack", "unpack", "put_in", "close", "move", "empty"]
    return ["reopen", "put_into", "move", "ship"]


_WORDS = {
    "pack": "pack",
    "unpack": "unpack",
    "put_in": "put containers in it",
    "close": "close",
    "move": "move",
    "empty": "empty",
    "reopen": "reopen",
    "put_into": "put it into another",
    "take_out": "take it out",
    "ship": "ship",
    "bring_back": "take the shipment back",
}


def _refuse(container: Container, action: str) -> None:
    may = allowed(container)
    if action in may:
        return
    is_ = f"is {container.status}"
    if container.parent is not None:
        is_ = f"lies in {container.parent}" + (", shipped" if container.status == _Status.SHIPPED else "")
    can = ", ".join(_WORDS[one] for one in may) or "nothing"
    raise Conflict(
        f"Container {container} {is_}; you cannot {_WORDS[action]}. What can be done: {can}.",
        field="container",
        code="not_allowed",
        facts={"allowed": may},
    )


# --- what every step does ---


@dataclass(slots=True)
class _Request:
    """One request: what it asked, and the steps that it wrote."""

    kind: StepKind
    told: Told
    digest: str
    at: datetime
    steps: list[ContainerStep]

    def write(self, container: Container, kind: StepKind | None = None, **more: Any) -> ContainerStep:
        """Write a step; all after the first are caused by it."""
        first = self.steps[0] if self.steps else None
        step = ContainerStep.objects.create(
            container=container,
            kind=kind or self.kind,
            caused_by=first,
            reason=self.told.get("reason", "").strip(),
            occurred_at=self.at,
            recorded_at=self.told["recorded_at"],
            performed_by=self.told["actor"],
            idempotency_key=(self.told.get("idempotency_key") or None) if first is None else None,
            request_digest=self.digest if first is None else "",
            **more,
        )
        self.steps.append(step)
        return step

    def done(self) -> Stepped:
        """Let the higher floors follow, and return the first step."""
        container_gates.follow(self.steps)
        return Stepped(self.steps[0], True)


def _ask(kind: StepKind, told: Told, *asked: Any) -> _Request | Stepped:
    """Begin a request, or return what a retry wrote before; two with one key take turns."""
    refuse_future(told["occurred_at"], told["recorded_at"])
    if len(told.get("reason", "")) > 500:
        raise Invalid("At most 500 characters.", field="reason")
    said = [kind.value, *(amount(one) if isinstance(one, Decimal) else one for one in asked)]
    digest = sha256(json.dumps(said).encode()).hexdigest()
    key = told.get("idempotency_key")
    if key:
        take_turns(f"container step {key}")
        known = ContainerStep.objects.select_related("container").filter(idempotency_key=key).first()
        if known is not None:
            if known.request_digest != digest:
                raise Conflict(
                    f"Something else was recorded under the key '{key}'; it stays. Use a new key.",
                    field="idempotency_key",
                )
            return Stepped(known, False)
    return _Request(kind, told, digest, min(told["occurred_at"], told["recorded_at"]), [])


def _hold(ids: Iterable[int], request: _Request) -> dict[int, Container]:
    """Hold containers, by id, until the transaction ends; let the request's moment follow their last steps.

    Two devices' clocks may differ by a few minutes; more is refused, since what is in a container at a moment is what
    was packed before it.
    """
    rows = Container.objects.select_for_update(of=("self",), no_key=True).select_related(
        "site", "parent", "location", "product"
    )
    held = {row.pk: row for row in rows.filter(pk__in=set(ids)).order_by("pk")}
    last = ContainerStep.objects.filter(container__in=held).aggregate(last=Max("occurred_at"))["last"]
    if last is not None and request.at < last:
        if last - request.at > SKEW:
            raise Invalid(f"Something happened to it after that, at {last:%Y-%m-%d %H:%M:%S} UTC.", field="occurred_at")
        request.at = last
    return held


def _hold_one(container: Container, request: _Request) -> Container:
    return _hold([container.pk], request)[container.pk]


def _hold_tree(container: Container, request: _Request) -> list[Container]:
    """Hold a container and all that lies in it; the site's turn keeps the tree as it is. The container comes first."""
    take_turns("containers", container.site_id)
    held = _hold(tree_ids([container.pk]), request)
    return [held.pop(container.pk), *held.values()]


def _set(containers: Sequence[Container], **values: Any) -> None:
    Container.objects.filter(pk__in=[one.pk for one in containers]).update(**values)


# --- open ---


@transaction.atomic
def open_container(
    *,
    location: Location,
    kind: str = Container.Kind.CARTON,
    code: str = "",
    sscc_code: str = "",
    new_sscc: bool = False,
    product: Product | None = None,
    capacity: Decimal | None = None,
    most_containers: int | None = None,
    **told: Unpack[Told],
) -> Stepped:
    """Open a new container at a place. Without a code it is called by its SSCC.

    `new_sscc` makes one with the site's company prefix; `sscc_code` is one that is on it already. Raises Invalid for a
    wrong check digit, and Conflict for a code or SSCC that is taken.
    """
    asked = (location.pk, kind, code, sscc_code, new_sscc, product.pk if product else None, capacity, most_containers)
    request = _ask(StepKind.OPENED, told, *asked)
    if isinstance(request, Stepped):
        return request
    if not location.is_active:
        raise Invalid(f"{location} is switched off; choose another place.", field="location")
    if capacity is not None:
        refuse_quantity(capacity, field="capacity")
        if product is None:
            raise Invalid("How much it holds is said of its product; name that, too.", field="capacity")
    if new_sscc and sscc_code:
        raise Invalid("It has an SSCC, or gets a new one; not both.", field="sscc")
    container = Container(
        site=location.site,
        code=code,
        kind=kind,
        product=product,
        capacity=capacity,
        most_containers=most_containers,
        location=location,
    )
    if sscc_code:
        try:
            container.sscc = read_sscc(sscc_code)
        except NotGs1 as problem:
            raise Invalid(str(problem), field="sscc") from None
        take_turns(f"sscc {container.sscc}")
        _refuse_taken_sscc(container.sscc)
    if new_sscc:
        container.sscc, container.sscc_serial = next_sscc(location.site)
    container.code = code or container.sscc or ""
    if not container.code:
        raise Invalid("Give it a code, or an SSCC.", field="code")
    take_turns(f"container {container.code}", location.site_id)
    if Container.objects.filter(site=location.site, code=container.code).exists():
        raise Conflict(f"{location.site} has a container {container.code} already.", field="code")
    container.full_clean()
    container.save()
    request.write(container, to_location=location)
    return request.done()


def _refuse_taken_sscc(number: str) -> None:
    if Container.objects.filter(sscc=number).exists():
        raise Conflict("Another container has this SSCC; each number is given once.", field="sscc")


def next_sscc(site: Site) -> tuple[str, int]:
    """Return the next SSCC of a site's company prefix, and the number in it. Sites of one prefix share its numbers.

    Raises Invalid where the site has no prefix, Conflict when the range is used up.
    """
    policy = ContainerPolicy.objects.filter(site=site).first()
    if policy is None:
        raise Invalid(f"{site} has no GS1 company prefix yet; an engineer sets it up.", field="new_sscc")
    begins = f"{policy.extension_digit}{policy.gs1_company_prefix}"
    take_turns(f"sscc of {begins}")
    mine = Container.objects.filter(sscc__startswith=begins, sscc_serial__isnull=False)
    serial = (mine.aggregate(last=Max("sscc_serial"))["last"] or 0) + 1
    while True:
        try:
            number = sscc(extension=policy.extension_digit, prefix=policy.gs1_company_prefix, serial=serial)
        except NotGs1:
            raise Conflict(
                "All numbers of this prefix are used; choose another extension digit.", field="new_sscc"
            ) from None
        # Somebody may just be typing this one from a label.
        take_turns(f"sscc {number}")
        if not Container.objects.filter(sscc=number).exists():
            return number, serial
        serial += 1


# --- pack and unpack ---


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
    request = _ask(StepKind.PACKED, told, container.pk, product.pk, lot.pk if lot else None, quantity, unit)
    if isinstance(request, Stepped):
        return request
    held = _hold_one(container, request)
    _refuse(held, "pack")
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
            f"{f'Lot {lot} of {product}' if lot else product} at {held.location}: {amount(max(free, Decimal(0)))}"
            f" {product.unit_id} are free, {amount(own)} was asked for.{packed}",
            field="quantity",
            code="not_free",
        )
    _refuse_too_much(held, own)
    content = ContainerContent.objects.filter(container=held, product=product, lot=lot).first()
    if content is None:
        ContainerContent.objects.create(container=held, product=product, lot=lot, quantity=own)
    else:
        ContainerContent.objects.filter(pk=content.pk).update(quantity=content.quantity + own)
    request.write(held, product=product, lot=lot, quantity=own, unit=product.unit_id)
    return request.done()


def _refuse_too_much(container: Container, more: Decimal) -> None:
    """Raise Conflict when a container, with all that lies in it, would hold more of its product than it can."""
    if container.capacity is None:
        return
    inside = _sum(tree_ids([container.pk]), container.product_id)
    if inside + more > container.capacity:
        assert container.product is not None
        raise Conflict(
            f"Container {container} holds {amount(container.capacity)} {container.product.unit_id}; there are"
            f" {amount(inside)} in it, {amount(more)} more are too many.",
            field="quantity",
            code="full",
        )


def _sum(container_ids: Iterable[int], product_id: int | None) -> Decimal:
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
    """Take so much of a lot out of an open container; it lies free at the container's place then. Any lot may be unpacked."""
    request = _ask(StepKind.UNPACKED, told, container.pk, product.pk, lot.pk if lot else None, quantity, unit)
    if isinstance(request, Stepped):
        return request
    held = _hold_one(container, request)
    _refuse(held, "unpack")
    own, _ = in_own_unit(product, quantity, unit)
    refuse_quantity(own)
    content = ContainerContent.objects.filter(container=held, product=product, lot=lot).first()
    there = content.quantity if content else Decimal(0)
    if content is None or there < own:
        raise Conflict(
            f"{f'Lot {lot} of {product}' if lot else product} in {held}: there is {amount(there)} {product.unit_id},"
            f" {amount(own)} was asked for.",
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


# --- close, reopen, nest ---


@transaction.atomic
def close(*, container: Container, **told: Unpack[Told]) -> Stepped:
    """Close an open container; nothing is packed into or out of it then."""
    return _turn(container, StepKind.CLOSED, "close", _Status.CLOSED, told)


@transaction.atomic
def reopen(*, container: Container, **told: Unpack[Told]) -> Stepped:
    """Open a closed container again, unless it lies in another one."""
    return _turn(container, StepKind.REOPENED, "reopen", _Status.OPEN, told)


def _turn(container: Container, kind: StepKind, action: str, status: str, told: Told) -> Stepped:
    request = _ask(kind, told, container.pk)
    if isinstance(request, Stepped):
        return request
    held = _hold_one(container, request)
    _refuse(held, action)
    _set([held], status=status)
    request.write(held)
    return request.done()


@transaction.atomic
def put_into(*, container: Container, into: Container, **told: Unpack[Told]) -> Stepped:
    """Put a closed container into an open one at the same place.

    What lies in another is closed, so an open container never lies in one: no circle can come about.
    """
    request = _ask(StepKind.PUT_IN, told, container.pk, into.pk)
    if isinstance(request, Stepped):
        return request
    if container.site_id != into.site_id:
        raise Invalid(f"{into} is of another site.", field="into")
    if container.pk == into.pk:
        raise Invalid("A container is not put into itself.", field="into")
    take_turns("containers", container.site_id)
    held = _hold([container.pk, into.pk], request)
    child, parent = held[container.pk], held[into.pk]
    _refuse(child, "put_into")
    _refuse(parent, "put_in")
    if child.location_id != parent.location_id:
        raise Conflict(f"{child} is at {child.location}, {parent} at {parent.location}; bring one there.", field="into")
    inside = tree_ids([child.pk])
    if depth_below(child.pk) + 1 >= MOST_LEVELS:
        raise Conflict(f"Containers are at most {MOST_LEVELS} levels deep.", field="into")
    if len(inside) + len(tree_ids([parent.pk])) > MOST_INSIDE:
        raise Conflict(f"At most {MOST_INSIDE} containers are one in another.", field="into")
    _refuse_unfit(child, parent, inside)
    _set([child], parent=parent)
    request.write(child, other=parent)
    return request.done()


def _refuse_unfit(child: Container, parent: Container, inside: Sequence[int]) -> None:
    most = parent.most_containers
    if most is not None and parent.inside.count() >= most:
        raise Conflict(f"{parent} holds {most} containers; it is full.", field="into", code="full")
    if parent.product_id is None:
        return
    odd = ContainerContent.objects.filter(container__in=inside).exclude(product=parent.product_id).first()
    if odd is not None:
        raise Invalid(f"{parent} holds {parent.product} only; {odd.container} holds {odd.product}.", field="into")
    _refuse_too_much(parent, _sum(inside, parent.product_id))


@transaction.atomic
def take_out(*, container: Container, **told: Unpack[Told]) -> Stepped:
    """Take a container out of the one it lies in, which must be open."""
    request = _ask(StepKind.TAKEN_OUT, told, container.pk)
    if isinstance(request, Stepped):
        return request
    take_turns("containers", container.site_id)
    parent_id = Container.objects.values_list("parent", flat=True).get(pk=container.pk)
    held = _hold([container.pk, *([parent_id] if parent_id else [])], request)
    child = held[container.pk]
    _refuse(child, "take_out")
    assert child.parent_id is not None
    parent = held[child.parent_id]
    if parent.status != _Status.OPEN:
        raise Conflict(
            f"{parent}, which it lies in, is closed; reopen that first.",
            field="container",
            facts={"allowed": allowed(parent), "parent": parent.code},
        )
    _set([child], parent=None)
    request.write(child, other=parent)
    return request.done()


# --- move, ship, bring back ---


@transaction.atomic
def move(*, container: Container, to_location: Location, **told: Unpack[Told]) -> Stepped:
    """Bring a container, with all that is in it, to another place of its site: one movement in the ledger for each content.

    Any lot may be moved, also one that must not be used.
    """
    request = _ask(StepKind.MOVED, told, container.pk, to_location.pk)
    if isinstance(request, Stepped):
        return request
    if to_location.site_id != container.site_id:
        raise Invalid("The place is of another site; ship it there.", field="to_location")
    if not to_location.is_active:
        raise Invalid(f"{to_location} is switched off; choose another place.", field="to_location")
    tree = _hold_tree(container, request)
    _refuse(tree[0], "move")
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
    request = _ask(StepKind.SHIPPED, told, container.pk, recipient)
    if isinstance(request, Stepped):
        return request
    tree = _hold_tree(container, request)
    _refuse(tree[0], "ship")
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
    request: _Request,
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
        _set(tree, status=_Status.SHIPPED, location=None)
    else:
        _set(tree, location=to_location)
    _post(request, movements, [steps[content.container_id] for content in contents])
    return request.done()


def _post(request: _Request, movements: Sequence[Movement], steps: Sequence[ContainerStep]) -> None:
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
    request = _ask(StepKind.BROUGHT_BACK, told, container.pk)
    if isinstance(request, Stepped):
        return request
    tree = _hold_tree(container, request)
    _refuse(tree[0], "bring_back")
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
    _set(tree, status=_Status.CLOSED, location=place)
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


# --- empty ---


@transaction.atomic
def empty(*, container: Container, to_location: Location | None = None, **told: Unpack[Told]) -> Stepped:
    """Take everything out of an open container; it all lies free at the container's place then.

    A shipped bin that came back empty is opened at `to_location`; what was in it stays shipped.
    """
    request = _ask(StepKind.EMPTIED, told, container.pk, to_location.pk if to_location else None)
    if isinstance(request, Stepped):
        return request
    take_turns("containers", container.site_id)
    ids = Container.objects.filter(parent=container).values_list("pk", flat=True)
    children = _hold([container.pk, *ids], request)
    held = children.pop(container.pk)
    _refuse(held, "empty")
    came_back = held.status == _Status.SHIPPED
    if came_back:
        if to_location is None or to_location.site_id != held.site_id or not to_location.is_active:
            raise Invalid("Say where at its site it stands now.", field="to_location")
    elif to_location is not None:
        raise Invalid("It stays where it is; move it afterwards.", field="to_location")
    request.write(held, to_location=to_location)
    for content in held.contents.select_related("product", "lot").order_by("id"):
        what = {"product": content.product, "lot": content.lot, "quantity": content.quantity}
        request.write(held, StepKind.UNPACKED, unit=content.product.unit_id, **what)
    held.contents.all().delete()
    for child in children.values():
        request.write(child, StepKind.TAKEN_OUT, other=held)
    _set(list(children.values()), parent=None)
    if came_back:
        if held.parent is not None:
            request.write(held, StepKind.TAKEN_OUT, other=held.parent)
        _set([held], status=_Status.OPEN, location=to_location, parent=None)
    return request.done()
