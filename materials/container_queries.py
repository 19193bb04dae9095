"""What is in containers, what lies in what, and in which containers a lot is or left: now, and at any time."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Sum, When

from core.errors import Invalid
from core.gs1 import NotGs1, read_sscc
from core.master_data import in_scope
from materials.container_models import Container, ContainerContent, ContainerMovement, ContainerStep, StepKind
from materials.models import Kind, MaterialLot
from products.models import Product

_BELOW = """
    WITH RECURSIVE below (id, depth) AS (
        SELECT unnest(%s::bigint[]), 0
        UNION ALL
        SELECT c.id, b.depth + 1 FROM materials_container c JOIN below b ON c.parent_id = b.id
    )
"""


def tree_ids(container_ids: Iterable[int]) -> list[int]:
    """Return containers and all that lies in them, over any depth, by id."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_BELOW} SELECT DISTINCT id FROM below", [list(container_ids)])
        return [row[0] for row in cursor.fetchall()]


def depth_below(container_id: int) -> int:
    """Return over how many levels containers lie in a container; 0 = none lies in it."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_BELOW} SELECT max(depth) FROM below", [[container_id]])
        depth: int = cursor.fetchone()[0]
        return depth


def paths_of(container_ids: Collection[int]) -> dict[int, list[Container]]:
    """Return what each container lies in, itself first and the outermost last."""
    if not container_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE above (start, id, depth) AS (
                SELECT w, w, 0 FROM unnest(%s::bigint[]) AS w
                UNION ALL
                SELECT a.start, c.parent_id, a.depth + 1
                FROM above a JOIN materials_container c ON c.id = a.id WHERE c.parent_id IS NOT NULL
            )
            SELECT start, id FROM above ORDER BY start, depth
            """,
            [sorted(container_ids)],
        )
        rows = cursor.fetchall()
    found = Container.objects.select_related("location").in_bulk({pk for _, pk in rows})
    paths: dict[int, list[Container]] = defaultdict(list)
    for start, pk in rows:
        paths[start].append(found[pk])
    return dict(paths)


def in_words(path: Iterable[Container]) -> str:
    """Return a path as people say it: carton C-1 on pallet P-7."""
    words = ""
    for one in path:
        joint = "" if not words else " on " if one.kind == Container.Kind.PALLET else " in "
        words += f"{joint}{one.kind} {one.code}"
    return words


def container_called(scanned: str, *, site_id: int) -> Container:
    """Return a site's container by its code, or by its SSCC as scanned or printed. Raises Invalid for none."""
    names = [scanned.strip()]
    with suppress(NotGs1):
        names.append(read_sscc(scanned))
    found = Container.objects.filter(Q(code=names[0]) | Q(sscc__in=names), site=site_id).order_by("pk").first()
    if found is None:
        raise Invalid(f"There is no container '{scanned[:64]}' at this site.", field="container")
    return found


@dataclass(frozen=True, slots=True)
class Inside:
    """So much of a lot, or of a product without lots, in a container itself."""

    product: Product
    lot: MaterialLot | None
    quantity: Decimal


_SIGNED = Case(When(kind=StepKind.PACKED, then=F("quantity")), default=-F("quantity"))


def contents_at(container: Container, at: datetime) -> list[Inside]:
    """Return what was in a container itself at a moment: packed less unpacked up to then."""
    rows = ContainerStep.objects.filter(
        container=container, kind__in=(StepKind.PACKED, StepKind.UNPACKED), occurred_at__lte=at
    )
    sums = rows.values("product", "lot").annotate(total=Sum(_SIGNED)).exclude(total=0).order_by("product", "lot")
    kept = [(row["product"], row["lot"], row["total"]) for row in sums]
    products = Product.objects.in_bulk({product for product, _, _ in kept})
    lots = MaterialLot.objects.in_bulk({lot for _, lot, _ in kept if lot})
    return [Inside(products[product], lots.get(lot), total) for product, lot, total in kept]


def inside_at(container: Container, at: datetime) -> list[Container]:
    """Return which containers lay directly in a container at a moment."""
    rows = ContainerStep.objects.filter(kind__in=(StepKind.PUT_IN, StepKind.TAKEN_OUT), occurred_at__lte=at)
    ever = rows.filter(other=container).values("container")
    last = rows.filter(container__in=ever).order_by("container_id", "-occurred_at", "-id").distinct("container_id")
    there = [step.container for step in last.select_related("container") if _is_in(step, container)]
    return sorted(there, key=lambda one: one.code)


def _is_in(step: ContainerStep, container: Container) -> bool:
    return step.kind == StepKind.PUT_IN and step.other_id == container.pk


def history_of(container: Container) -> QuerySet[ContainerStep]:
    """Return what happened to a container, and what was put into it or taken out, the newest first."""
    rows = ContainerStep.objects.filter(Q(container=container) | Q(other=container))
    return rows.select_related(
        "container", "other", "lot", "product", "from_location", "to_location", "performed_by"
    ).order_by("-id")


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """So much of a lot in a container: standing somewhere, or shipped."""

    container: Container
    quantity: Decimal
    path: str
    """carton C-1 on pallet P-7"""
    shipped_at: datetime | None = None
    recipient: str = ""

    def __str__(self) -> str:
        if self.shipped_at is None:
            return f"in {self.path}"
        to = f" to {self.recipient}" if self.recipient else ""
        return f"in {self.path}, shipped{to} on {self.shipped_at:%Y-%m-%d}"


def where_are(lot_ids: Collection[int], *, user: Any = None) -> dict[int, list[Whereabouts]]:
    """Return in which containers lots are, and in which they were shipped, by lot id; with a user, those they may see.

    What was shipped follows from the ledger: a bin that came back empty still tells what it carried away.
    """
    ids = sorted(lot_ids)
    found: dict[int, list[Whereabouts]] = defaultdict(list)
    rows = ContainerContent.objects.filter(lot__in=ids, container__location__isnull=False)
    if user is not None:
        rows = in_scope(rows, user, ContainerContent.site_paths)
    contents = list(rows.select_related("container__location").order_by("container__code"))
    paths = paths_of({one.container_id for one in contents})
    for one in contents:
        path = in_words(paths[one.container_id])
        found[one.lot_id or 0].append(Whereabouts(one.container, one.quantity, path))
    shipped = ContainerMovement.objects.filter(
        transaction__kind=Kind.SHIP, transaction__lot__in=ids, transaction__reversed_by__isnull=True
    ).select_related("transaction", "step__container", "step__caused_by__container")
    if user is not None:
        shipped = in_scope(shipped, user, ContainerMovement.site_paths)
    ways = _ways(shipped)
    for moved in shipped.order_by("id"):
        step, fact = moved.step, moved.transaction
        found[fact.lot_id or 0].append(
            Whereabouts(step.container, fact.quantity, ways[step.pk], step.occurred_at, step.recipient)
        )
    return dict(found)


def _ways(shipped: QuerySet[ContainerMovement]) -> dict[int, str]:
    """Return in what containers were shipped, by step: themselves and the outermost one."""
    ways = {}
    for moved in shipped:
        step = moved.step
        outermost = [step.caused_by.container] if step.caused_by else []
        ways[step.pk] = in_words([step.container, *outermost])
    return ways


def containers_of_lot(lot: MaterialLot, *, user: Any = None) -> list[Whereabouts]:
    """Return in which containers a lot is, or was shipped."""
    return where_are([lot.pk], user=user).get(lot.pk, [])


@transaction.atomic
def rebuild_containers() -> tuple[int, int]:
    """Derive state and contents of all containers from their steps;
    return how many there are and how many were other.
    """
    with connection.cursor() as cursor:
        # Whoever changes a container holds its row; nobody is between a step and its state now.
        cursor.execute("LOCK TABLE materials_container, materials_containercontent IN EXCLUSIVE MODE")
    count = wrong = 0
    for container in Container.objects.order_by("pk").iterator(chunk_size=500):
        count += 1
        state, contents = replay(container.steps.order_by("id"))
        there = {(row.product_id, row.lot_id): row.quantity for row in container.contents.all()}
        kept = (container.status, container.location_id, container.parent_id)
        if (state, contents) == (kept, there):
            continue
        wrong += 1
        status, location, parent = state
        Container.objects.filter(pk=container.pk).update(status=status, location=location, parent=parent)
        container.contents.all().delete()
        ContainerContent.objects.bulk_create(
            ContainerContent(container=container, product_id=product, lot_id=lot, quantity=quantity)
            for (product, lot), quantity in contents.items()
        )
    return count, wrong


State = tuple[str, int | None, int | None]
"""Status, location and parent, by id."""


def replay(steps: Iterable[Any]) -> tuple[State, dict[tuple[int, int | None], Decimal]]:
    """Return what follows from a container's own steps, in their order: its state, and what is in it."""
    status: str = Container.Status.OPEN
    location: int | None = None
    parent: int | None = None
    contents: dict[tuple[int, int | None], Decimal] = defaultdict(Decimal)
    for step in steps:
        if step.kind in (StepKind.PACKED, StepKind.UNPACKED):
            contents[step.product_id, step.lot_id] += step.quantity if step.kind == StepKind.PACKED else -step.quantity
        elif step.kind == StepKind.PUT_IN:
            parent = step.other_id
        elif step.kind == StepKind.TAKEN_OUT:
            parent = None
        elif step.kind == StepKind.SHIPPED:
            status, location = Container.Status.SHIPPED, None
        if step.kind in (StepKind.CLOSED, StepKind.BROUGHT_BACK):
            status = Container.Status.CLOSED
        if step.kind == StepKind.REOPENED or (step.kind == StepKind.EMPTIED and step.to_location_id):
            status = Container.Status.OPEN
        if step.to_location_id is not None:
            location = step.to_location_id
    return (status, location, parent), {key: quantity for key, quantity in contents.items() if quantity}
