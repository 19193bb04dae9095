"""What people do with containers: each action is a step that stays, with the state that follows, in one transaction.

Here they are opened, closed, put into one another and emptied; `materials.packing` says what is in them,
`materials.container_moves` brings them elsewhere.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Unpack

from django.db import transaction
from django.db.models import Max

from core.errors import Conflict, Invalid
from core.gs1 import NotGs1, read_sscc, sscc
from core.locks import take_turns
from enterprise.models import Site
from materials.container_models import Container, ContainerContent, ContainerPolicy, StepKind
from materials.container_queries import depth_below, tree_ids
from materials.container_steps import Stepped, Told, allowed, ask, hold, hold_one, refuse, set_all
from materials.models import Location
from materials.packing import quantity_in, refuse_too_much
from materials.services import refuse_quantity
from products.models import Product

MOST_LEVELS = 8
MOST_INSIDE = 1000
_Status = Container.Status


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
    request = ask(StepKind.OPENED, told, *asked)
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


@transaction.atomic
def close(*, container: Container, **told: Unpack[Told]) -> Stepped:
    """Close an open container; nothing is packed into or out of it then."""
    return _turn(container, StepKind.CLOSED, "close", _Status.CLOSED, told)


@transaction.atomic
def reopen(*, container: Container, **told: Unpack[Told]) -> Stepped:
    """Open a closed container again, unless it lies in another one."""
    return _turn(container, StepKind.REOPENED, "reopen", _Status.OPEN, told)


def _turn(container: Container, kind: StepKind, action: str, status: str, told: Told) -> Stepped:
    request = ask(kind, told, container.pk)
    if isinstance(request, Stepped):
        return request
    held = hold_one(container, request)
    refuse(held, action)
    set_all([held], status=status)
    request.write(held)
    return request.done()


@transaction.atomic
def put_into(*, container: Container, into: Container, **told: Unpack[Told]) -> Stepped:
    """Put a closed container into an open one at the same place.

    What lies in another is closed, so an open container never lies in one: no circle can come about.
    """
    request = ask(StepKind.PUT_IN, told, container.pk, into.pk)
    if isinstance(request, Stepped):
        return request
    if container.site_id != into.site_id:
        raise Invalid(f"{into} is of another site.", field="into")
    if container.pk == into.pk:
        raise Invalid("A container is not put into itself.", field="into")
    take_turns("containers", container.site_id)
    held = hold([container.pk, into.pk], request)
    child, parent = held[container.pk], held[into.pk]
    refuse(child, "put_into")
    refuse(parent, "put_in")
    if child.location_id != parent.location_id:
        raise Conflict(f"{child} is at {child.location}, {parent} at {parent.location}; bring one there.", field="into")
    inside = tree_ids([child.pk])
    if depth_below(child.pk) + 1 >= MOST_LEVELS:
        raise Conflict(f"Containers are at most {MOST_LEVELS} levels deep.", field="into")
    if len(inside) + len(tree_ids([parent.pk])) > MOST_INSIDE:
        raise Conflict(f"At most {MOST_INSIDE} containers are one in another.", field="into")
    _refuse_unfit(child, parent, inside)
    set_all([child], parent=parent)
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
    refuse_too_much(parent, quantity_in(inside, parent.product_id))


@transaction.atomic
def take_out(*, container: Container, **told: Unpack[Told]) -> Stepped:
    """Take a container out of the one it lies in, which must be open."""
    request = ask(StepKind.TAKEN_OUT, told, container.pk)
    if isinstance(request, Stepped):
        return request
    take_turns("containers", container.site_id)
    parent_id = Container.objects.values_list("parent", flat=True).get(pk=container.pk)
    held = hold([container.pk, *([parent_id] if parent_id else [])], request)
    child = held[container.pk]
    refuse(child, "take_out")
    assert child.parent_id is not None
    parent = held[child.parent_id]
    if parent.status != _Status.OPEN:
        raise Conflict(
            f"{parent}, which it lies in, is closed; reopen that first.",
            field="container",
            facts={"allowed": allowed(parent), "parent": parent.code},
        )
    set_all([child], parent=None)
    request.write(child, other=parent)
    return request.done()


@transaction.atomic
def empty(*, container: Container, to_location: Location | None = None, **told: Unpack[Told]) -> Stepped:
    """Take everything out of an open container; it all lies free at the container's place then.

    A shipped bin that came back empty is opened at `to_location`; what was in it stays shipped.
    """
    request = ask(StepKind.EMPTIED, told, container.pk, to_location.pk if to_location else None)
    if isinstance(request, Stepped):
        return request
    take_turns("containers", container.site_id)
    ids = Container.objects.filter(parent=container).values_list("pk", flat=True)
    children = hold([container.pk, *ids], request)
    held = children.pop(container.pk)
    refuse(held, "empty")
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
    set_all(list(children.values()), parent=None)
    if came_back:
        if held.parent is not None:
            request.write(held, StepKind.TAKEN_OUT, other=held.parent)
        set_all([held], status=_Status.OPEN, location=to_location, parent=None)
    return request.done()
