"""Read bills of material: what goes into a quantity of a product, level by level, and where a product goes."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db.models import Q

from core.errors import Conflict, Invalid
from products.models import BillOfMaterialLine, Product, ProductRevision
from products.units import Quantity, convert

MAX_LEVELS, MAX_ROWS = 30, 10_000


@dataclass(frozen=True, slots=True)
class Requirement:
    """A row of an exploded bill. Its quantity is in the component's own unit, exact; negative = it comes out."""

    level: int
    path: tuple[str, ...]
    """Codes of the products from the top down to the component."""
    line: BillOfMaterialLine
    revision: ProductRevision | None
    """The component's own revision at that time; None = it is bought, or nobody released one."""
    quantity: Fraction
    operation_code: str
    """Operation of the top product's routing that takes it; "" = the first one."""
    parent_is_phantom: bool
    """Whether everything between it and the top is a phantom, so that an order of the top takes it."""

    @property
    def component(self) -> Product:
        """What goes in or comes out."""
        return self.line.component


def revision_at(product_id: int, at: datetime) -> ProductRevision | None:
    """Return the revision of a product that is valid at a moment."""
    return revisions_at([product_id], at).get(product_id)


def revisions_at(product_ids: Iterable[int], at: datetime) -> dict[int, ProductRevision]:
    """Return the revisions valid at a moment, by product."""
    valid = ProductRevision.objects.filter(product__in=set(product_ids), valid_from__lte=at).exclude(status="draft")
    valid = valid.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=at)).select_related("product__unit")
    return {revision.product_id: revision for revision in valid}


_Above = tuple[int | None, ProductRevision, Fraction, tuple[str, ...], str, bool]


def explode(revision: ProductRevision, quantity: Quantity, at: datetime) -> list[Requirement]:
    """Return all levels of what a quantity of a revision's product needs, depth first, in the order of the bills.

    `quantity` is in the product's own unit; components are taken in their revisions valid at `at`. What comes out (by-
    and co-products) is negative and not exploded. Two queries per level. Raises Conflict for a circle, Invalid for a
    bill of more than 30 levels or 10,000 rows.
    """
    children: dict[int | None, list[tuple[int, Requirement]]] = defaultdict(list)
    layer: list[_Above] = [(None, revision, Fraction(quantity), (revision.product.code,), "", True)]
    number = 0
    for level in range(1, MAX_LEVELS + 2):
        if not layer:
            break
        if level > MAX_LEVELS:
            raise Invalid(f"The bill has more than {MAX_LEVELS} levels.")
        lines = _lines_of({entry[1].pk for entry in layer})
        made = revisions_at((line.component_id for rows in lines.values() for line in rows if line.goes_in), at)
        below: list[_Above] = []
        for parent, parent_revision, needed, path, operation, through in layer:
            for line in lines[parent_revision.pk]:
                number += 1
                if number > MAX_ROWS:
                    raise Invalid(f"The bill has more than {MAX_ROWS} rows.")
                row = _requirement(level, line, parent_revision, needed, path, operation, through, made)
                children[parent].append((number, row))
                if row.revision is not None:
                    phantom = through and line.is_phantom
                    below.append((number, row.revision, row.quantity, row.path, row.operation_code, phantom))
        layer = below
    return _depth_first(children)


def _lines_of(revision_ids: set[int]) -> dict[int, list[BillOfMaterialLine]]:
    found: dict[int, list[BillOfMaterialLine]] = defaultdict(list)
    lines = BillOfMaterialLine.objects.filter(revision__in=revision_ids)
    for line in lines.select_related("component__unit", "unit").prefetch_related("component__units__unit"):
        found[line.revision_id].append(line)
    return found


def _requirement(
    level: int,
    line: BillOfMaterialLine,
    parent: ProductRevision,
    needed: Fraction,
    path: tuple[str, ...],
    operation: str,
    through: bool,
    made: dict[int, ProductRevision],
) -> Requirement:
    component = line.component
    if line.goes_in and component.code in path:
        raise Conflict(f"The bill goes in a circle: {' → '.join((*path, component.code))}.")
    own = convert(line.quantity, line.unit or component.unit, component.unit, component)
    quantity = needed * own / Fraction(parent.base_quantity) * (1 + Fraction(line.scrap_factor))
    return Requirement(
        level=level,
        path=(*path, component.code),
        line=line,
        revision=made.get(component.pk) if line.goes_in else None,
        quantity=quantity if line.goes_in else -quantity,
        # What goes into a phantom is taken where the phantom would be.
        operation_code=line.operation_code if level == 1 else operation,
        parent_is_phantom=through,
    )


def _depth_first(children: dict[int | None, list[tuple[int, Requirement]]]) -> list[Requirement]:
    rows: list[Requirement] = []
    waiting = list(reversed(children[None]))
    while waiting:
        number, row = waiting.pop()
        rows.append(row)
        waiting.extend(reversed(children[number]))
    return rows


def requirements(revision: ProductRevision, quantity: Quantity, at: datetime) -> list[Requirement]:
    """Return what an order of a quantity takes and yields itself: the first level,
    with the bills of phantoms in their place.
    """
    rows = explode(revision, quantity, at)
    return [row for row in rows if row.parent_is_phantom and not (row.line.is_phantom and row.revision is not None)]


@dataclass(frozen=True, slots=True)
class Use:
    """A bill that a product is in, directly (level 1) or by way of others."""

    level: int
    path: tuple[str, ...]
    """Codes of the products from the one asked for up to the one that it goes into."""
    line: BillOfMaterialLine


def where_used(product: Product, at: datetime | None = None) -> list[Use]:
    """Return the bills that a product is in, level by level; with `at`, only those valid then, else all not obsolete.

    One query per level. Raises Invalid for more than 10,000 rows.
    """
    uses: list[Use] = []
    layer: dict[int, list[tuple[str, ...]]] = {product.pk: [(product.code,)]}
    for level in range(1, MAX_LEVELS + 1):
        lines = BillOfMaterialLine.objects.filter(component__in=layer).exclude(revision__status="obsolete")
        if at is not None:
            lines = lines.filter(revision__valid_from__lte=at).exclude(revision__status="draft")
            lines = lines.filter(Q(revision__valid_until__isnull=True) | Q(revision__valid_until__gt=at))
        above: dict[int, list[tuple[str, ...]]] = defaultdict(list)
        for line in lines.select_related("revision__product", "component", "unit"):
            for path in layer[line.component_id]:
                parent = line.revision.product
                if parent.code in path:
                    continue
                uses.append(Use(level, (*path, parent.code), line))
                if len(uses) > MAX_ROWS:
                    raise Invalid(f"It is used in more than {MAX_ROWS} places.")
                if line.goes_in and (*path, parent.code) not in above[parent.pk]:
                    above[parent.pk].append((*path, parent.code))
        layer = above
        if not layer:
            break
    return uses


def refuse_cycle(product: Product, component: Product) -> None:
    """Raise Invalid, naming the circle, when a component contains the product, in any revision that is not obsolete."""
    reached_from: dict[int, int | None] = {component.pk: None}
    codes = {component.pk: component.code, product.pk: product.code}
    layer = {component.pk}
    while layer and product.pk not in reached_from:
        edges = (
            BillOfMaterialLine.objects.filter(revision__product__in=layer, kind="component")
            .exclude(revision__status="obsolete")
            .values_list("revision__product_id", "component_id", "component__code")
        )
        below = set()
        for parent_id, child_id, code in edges:
            if child_id not in reached_from:
                reached_from[child_id] = parent_id
                codes[child_id] = code
                below.add(child_id)
        layer = below
    if product.pk not in reached_from:
        return
    circle = [product.code]
    step: int | None = reached_from[product.pk]
    while step is not None:
        circle.append(codes[step])
        step = reached_from[step]
    if circle[-1] != product.code or len(circle) == 1:
        circle.append(product.code)
    raise Invalid(f"The bill would go in a circle: {' → '.join(reversed(circle))}.", field="component")
