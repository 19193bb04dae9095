"""Build units together and apart: what is in what now follows from assemblies and removals, and both are kept."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from core.errors import Conflict, Invalid
from core.locks import take_turns
from products.models import Product
from products.selectors import explode, revision_at
from tracking.models import Assembly, AssemblyRemoval, SerialUnit
from tracking.state import TERMINAL, UnitStatus

MOST_LEVELS = 20


def lock(*units: SerialUnit) -> list[SerialUnit]:
    """Lock units, always in the same order, and return them as they are, in the order given."""
    rows = SerialUnit.objects.select_for_update(of=("self",)).select_related("product", "site", "order", "parent")
    found = {row.pk: row for row in rows.filter(pk__in=[unit.pk for unit in units]).order_by("pk")}
    return [found[unit.pk] for unit in units]


@transaction.atomic
def assemble(
    *, parent: SerialUnit, position: str, child: SerialUnit, actor: User, at: datetime, idempotency_key: str
) -> Assembly:
    """Build a unit into another at a position. Repeated with its key it has one effect.

    Raises Conflict for a part that is elsewhere, not finished, on hold or scrapped, for a position that is taken and
    for a circle; Invalid for what the parent's bill does not name.
    """
    take_turns("tracking.assembly", parent.site_id)
    parent, child = lock(parent, child)
    known = Assembly.objects.filter(parent=parent, idempotency_key=idempotency_key).first()
    if known is not None:
        if (known.position, known.child_id) != (position, child.pk):
            raise Conflict("The key was used for another part.", field="idempotency_key")
        return known
    return _assemble(parent, position, child, actor, at, idempotency_key)


def _assemble(parent: SerialUnit, position: str, child: SerialUnit, actor: User, at: datetime, key: str) -> Assembly:
    if not position or len(position) > 64 or not position.isprintable():
        raise Invalid("A position is a text of 1 to 64 characters.", field="position")
    _refuse_closed(parent)
    refuse_unfit(parent, child)
    taken = SerialUnit.objects.filter(parent=parent, parent_position=position).first()
    if taken is not None:
        raise Conflict(f"{taken} is at {position} of {parent}; take it out, or replace it.", field="position")
    made = Assembly.objects.create(
        parent=parent, position=position, child=child, assembled_by=actor, assembled_at=at, idempotency_key=key
    )
    child.parent, child.parent_position = parent, position
    child.save(update_fields=["parent", "parent_position"])
    return made


def refuse_unfit(parent: SerialUnit, child: SerialUnit) -> None:
    """Raise Conflict or Invalid for what cannot become a part of a unit."""
    if child.parent_id is not None:
        raise Conflict(
            f"{child} is part of {child.parent}, at {child.parent_position}; take it out there first.", field="child"
        )
    if child.container is not None:
        raise Conflict(f"{child} is packed in {child.container}; take it out there first.", field="child")
    if child.site_id != parent.site_id:
        raise Invalid(f"{child} is at another site.", field="child")
    if child.status != UnitStatus.FINISHED:
        raise Conflict(f"{child} is {_words(child.status)}; only a finished unit is built in.", field="child")
    above: SerialUnit | None = parent
    for _ in range(MOST_LEVELS):
        if above is None:
            break
        if above.pk == child.pk:
            raise Conflict(f"{parent} is itself a part of {child}.", field="child")
        above = above.parent
    revision = (parent.order and parent.order.revision) or revision_at(parent.product_id, parent.created_at)
    if revision is not None and revision.bill_lines.exists():
        allowed = {row.component.pk for row in explode(revision, 1, parent.created_at)}
        if child.product_id not in allowed:
            names = ", ".join(sorted(Product.objects.filter(pk__in=allowed).values_list("name", flat=True)))
            raise Invalid(f"{child} is a {child.product.name}; {parent.product.name} takes {names}.", field="child")


def _words(status: str) -> str:
    return status.replace("_", " ")


def _refuse_closed(unit: SerialUnit) -> None:
    if unit.status in TERMINAL or unit.status == UnitStatus.ON_HOLD:
        raise Conflict(f"{unit} is {_words(unit.status)}; nothing is built into it.", field="parent")


@transaction.atomic
def remove(
    *, parent: SerialUnit, position: str, reason: str, actor: User, at: datetime, idempotency_key: str
) -> AssemblyRemoval:
    """Take the part at a position out again, saying why; also from a scrapped unit.

    Raises Conflict when none is there.
    """
    take_turns("tracking.assembly", parent.site_id)
    known = AssemblyRemoval.objects.filter(assembly__parent=parent, idempotency_key=idempotency_key).first()
    if known is not None:
        return known
    (parent,) = lock(parent)
    return _remove(parent, position, reason, actor, at, idempotency_key)


def _remove(parent: SerialUnit, position: str, reason: str, actor: User, at: datetime, key: str) -> AssemblyRemoval:
    if not reason.strip():
        raise Invalid("Say why it is taken out.", field="reason")
    if parent.status == UnitStatus.DISPATCHED:
        raise Conflict(f"{parent} is dispatched; nothing is taken out of it.", field="parent")
    child = SerialUnit.objects.select_for_update(of=("self",)).filter(parent=parent, parent_position=position).first()
    if child is None:
        raise Conflict(f"Nothing is at {position[:64]} of {parent}.", field="position")
    assembly = Assembly.objects.filter(parent=parent, child=child, removal__isnull=True).latest("id")
    removal = AssemblyRemoval.objects.create(
        assembly=assembly, reason=reason.strip()[:500], removed_by=actor, removed_at=at, idempotency_key=key
    )
    child.parent, child.parent_position = None, ""
    child.save(update_fields=["parent", "parent_position"])
    return removal


@transaction.atomic
def replace_part(
    *,
    parent: SerialUnit,
    position: str,
    child: SerialUnit,
    reason: str,
    actor: User,
    at: datetime,
    idempotency_key: str,
) -> Assembly:
    """Take the part at a position out and build another in, in one step; both stay in the history."""
    take_turns("tracking.assembly", parent.site_id)
    parent, child = lock(parent, child)
    known = Assembly.objects.filter(parent=parent, idempotency_key=idempotency_key).first()
    if known is not None:
        if (known.position, known.child_id) != (position, child.pk):
            raise Conflict("The key was used for another part.", field="idempotency_key")
        return known
    _refuse_closed(parent)
    _remove(parent, position, reason, actor, at, idempotency_key)
    return _assemble(parent, position, child, actor, at, idempotency_key)


def rebuild_parents() -> int:
    """Derive anew what is in what from assemblies and removals; return how many units were wrong."""
    now = dict(
        Assembly.objects.filter(removal__isnull=True).values_list("child_id", "id")  # the latest by id wins
    )
    places = {row.child_id: row for row in Assembly.objects.filter(pk__in=now.values())}
    wrong = []
    for unit in SerialUnit.objects.select_for_update(of=("self",)).order_by("pk"):
        place = places.get(unit.pk)
        wanted = (place.parent_id, place.position) if place else (None, "")
        if (unit.parent_id, unit.parent_position) != wanted:
            wrong.append((unit, wanted))
    for unit, _ in wrong:
        unit.parent_id, unit.parent_position = None, ""
        unit.save(update_fields=["parent", "parent_position"])
    for unit, (parent_id, position) in wrong:
        unit.parent_id, unit.parent_position = parent_id, position
        unit.save(update_fields=["parent", "parent_position"])
    return len(wrong)
