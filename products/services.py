"""What must hold when what can be made changes: rates mark time, units stay what they were, released revisions too."""

from datetime import datetime
from typing import Any

from django.db import transaction

from core import custom_fields
from core.announcements import announce
from core.changes import Change, mark
from core.errors import Conflict, Invalid
from core.locks import take_turns
from core.master_data import follows, precedes
from core.master_data import save as save_master_data
from core.models import CustomField
from core.retention import refuse_closed
from products.models import (
    STANDARD_UNITS,
    BillOfMaterialLine,
    IdealRate,
    OperationDocument,
    OperationParameter,
    Product,
    ProductRevision,
    ProductUnit,
    Routing,
    RoutingOperation,
    UnitOfMeasure,
)
from products.selectors import refuse_cycle, revision_at
from products.units import are_related, convert

# --- units ---


def add_standard_units() -> None:
    """Make the units that every plant has, where there is none at all: in a database that was emptied."""
    if UnitOfMeasure.objects.exists():
        return
    fields = ("code", "name", "dimension", "numerator", "denominator")
    UnitOfMeasure.objects.bulk_create(
        UnitOfMeasure(**dict(zip(fields, values, strict=True))) for values in STANDARD_UNITS
    )


@transaction.atomic
def ensure_unit(*, code: str) -> UnitOfMeasure:
    """Return the unit of a code; one that is not there yet is made, and converts only as a product says."""
    found = UnitOfMeasure.objects.filter(code=code).first()
    return found or save_master_data(UnitOfMeasure(code=code, name=code))


@follows(UnitOfMeasure)
def unit_changed(*, before: UnitOfMeasure | None, after: UnitOfMeasure | None) -> None:
    """Refuse to let a unit mean something else than what quantities were written in."""
    if before is None or after is None:
        return
    if before.code != after.code:
        raise Conflict("A unit keeps its code, which quantities are stored with; add another one.", field="code")
    if (before.dimension, before.factor) == (after.dimension, after.factor):
        return
    # A unit of free text became one of 'other'; it may be given its dimension as long as nobody converts by it.
    used = ProductUnit.objects.filter(unit=after).exists() or BillOfMaterialLine.objects.filter(unit=after).exists()
    if before.is_universal or used:
        raise Conflict(f"Quantities are converted by '{before.code}'; add another unit instead.", field="dimension")


@follows(Product)
def product_unit_changed(*, before: Product | None, after: Product | None) -> None:
    """Refuse another unit for a product whose conversions or revisions are written in the one it has."""
    if before is None or after is None or before.unit_id == after.unit_id:
        return
    if after.units.exists() or after.revisions.exists():
        raise Conflict(f"Its units and revisions are written in {before.unit_id}; delete those first.", field="unit")


@follows(ProductUnit)
def product_unit_added(*, before: ProductUnit | None, after: ProductUnit | None) -> None:
    """Refuse a conversion that says again, and maybe otherwise, what follows from others already."""
    if after is None:
        return
    units = [after.product.unit, *(one.unit for one in after.product.units.exclude(pk=after.pk).select_related("unit"))]
    for known in units:
        if known.code == after.unit_id or are_related(known, after.unit):
            raise Invalid(f"'{after.unit_id}' follows from '{known.code}' already.", field="unit")


# --- custom fields ---


@follows(CustomField)
def custom_field_changed(*, before: CustomField | None, after: CustomField | None) -> None:
    """Refuse a field of nothing, and one that would make stored values mean something else."""
    if after is None:
        return
    known = [model._meta.label_lower for model in custom_fields.models_with_custom_fields()]
    if after.model not in known:
        raise Invalid(f"'{after.model}' is none of: {', '.join(known)}.", field="model")
    if before is not None:
        for name in ("model", "code", "type"):
            if getattr(before, name) != getattr(after, name):
                raise Conflict("Values are stored with it; switch this field off and add another one.", field=name)


# --- revisions ---

_Status = ProductRevision.Status
_NEXT = {_Status.DRAFT: {_Status.RELEASED}, _Status.RELEASED: {_Status.OBSOLETE}, _Status.OBSOLETE: set()}


@transaction.atomic
def release_revision(*, revision: ProductRevision, valid_from: datetime) -> ProductRevision:
    """Release a draft from a moment on: it cannot be edited any more.

    The one that was valid until further notice ends then.

    Raises Conflict when it is no draft or another revision is released for that time, Invalid when its bill or routings
    do not fit together.
    """
    # The product first, so that two releases of its revisions take turns.
    Product.objects.select_for_update(of=("self",)).get(pk=revision.product_id)
    stored = ProductRevision.objects.select_for_update(of=("self",)).get(pk=revision.pk)
    if stored.status != _Status.DRAFT:
        raise Conflict(f"The revision is {stored.status} already.", field="status")
    current = revision_at(stored.product_id, valid_from)
    if current is not None and current.valid_until is None and current.valid_from != valid_from:
        current.valid_until = valid_from
        save_master_data(current)
    _refuse_overlap(stored, valid_from)
    stored.status, stored.valid_from = _Status.RELEASED, valid_from
    return save_master_data(stored)


def _refuse_overlap(revision: ProductRevision, valid_from: datetime) -> None:
    others = ProductRevision.objects.filter(product=revision.product_id).exclude(status=_Status.DRAFT)
    until = revision.valid_until
    for other in others:
        assert other.valid_from is not None
        begins_later = until is not None and other.valid_from >= until
        ended = other.valid_until is not None and other.valid_until <= valid_from
        if not (begins_later or ended or other.valid_from == other.valid_until):
            raise Conflict(
                f"Revision {other.code} is released from {other.valid_from:%Y-%m-%d %H:%M} UTC"
                f" to {f'{other.valid_until:%Y-%m-%d %H:%M} UTC' if other.valid_until else 'further notice'}; end it first.",
                field="valid_from",
            )


@transaction.atomic
def obsolete_revision(*, revision: ProductRevision, at: datetime) -> ProductRevision:
    """Take a released revision back from a moment on; orders that were released with it keep it."""
    stored = ProductRevision.objects.select_for_update(of=("self",)).get(pk=revision.pk)
    if stored.status != _Status.RELEASED or stored.valid_from is None:
        raise Conflict(f"The revision is {stored.status}, not released.", field="status")
    stored.status = _Status.OBSOLETE
    ends = max(at, stored.valid_from)
    stored.valid_until = ends if stored.valid_until is None else min(ends, stored.valid_until)
    return save_master_data(stored)


@transaction.atomic
def copy_revision(*, revision: ProductRevision, code: str, name: str = "") -> ProductRevision:
    """Make a draft with the bill, routings, set-points and documents of a revision: how what is released is changed."""
    draft = save_master_data(
        ProductRevision(product=revision.product, code=code, name=name, base_quantity=revision.base_quantity)
    )
    for line in revision.bill_lines.all():
        _copy(line, revision=draft)
    for routing in revision.routings.all():
        new_routing = _copy(routing, revision=draft)
        for operation in routing.operations.all():
            new_operation = _copy(operation, routing=new_routing)
            for child in (*operation.parameters.all(), *operation.documents.all()):
                _copy(child, operation=new_operation)
    return draft


def free_revision_code(revision: ProductRevision) -> str:
    """Return a code that no revision of the product has: the revision's own with the next free number."""
    taken = set(ProductRevision.objects.filter(product=revision.product_id).values_list("code", flat=True))
    return next(code for n in range(2, len(taken) + 3) if (code := f"{revision.code[:26]}-{n}") not in taken)


def _copy(row: Any, **parents: Any) -> Any:
    values = {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key
    }
    for name in parents:
        values.pop(f"{name}_id")
    return save_master_data(type(row)(**values, **parents))


@follows(ProductRevision)
def revision_changed(*, before: ProductRevision | None, after: ProductRevision | None) -> None:
    """Keep what is released as it is: only its end and its withdrawal may still be written."""
    if after is None:
        if before is not None and before.status != _Status.DRAFT:
            raise Conflict("A released revision is kept; make it obsolete instead.")
        return
    if before is None:
        if after.status != _Status.DRAFT:
            raise Invalid("A revision begins as a draft and is released then.", field="status")
        return
    if before.product_id != after.product_id:
        raise Conflict("A revision stays with its product.", field="product")
    if before.status != after.status and after.status not in _NEXT[_Status(before.status)]:
        raise Conflict(f"A revision that is {before.status} cannot become {after.status}.", field="status")
    if before.status != _Status.DRAFT:
        for name in ("code", "name", "base_quantity", "valid_from"):
            if getattr(before, name) != getattr(after, name):
                raise _frozen(before, name)
    elif after.status == _Status.RELEASED:
        _refuse_incomplete(after)


def _frozen(revision: ProductRevision, field: str | None = None) -> Conflict:
    return Conflict(
        f"Revision {revision.code} is {revision.status} and stays as it is; copy it to a new revision.", field=field
    )


def _refuse_incomplete(revision: ProductRevision) -> None:
    """Raise Invalid unless bill and routings of a revision fit together."""
    routings = list(revision.routings.prefetch_related("operations"))
    if not routings:
        # A phantom is never made by itself; a bill may also do without operations.
        return
    if not any(routing.is_default for routing in routings):
        raise Invalid("Mark one of its routings as the default one.", field="status")
    for routing in routings:
        if not routing.operations.all():
            raise Invalid(f"Routing '{routing.code}' has no operations.", field="status")
    codes = {operation.code for routing in routings if routing.is_default for operation in routing.operations.all()}
    for line in revision.bill_lines.exclude(operation_code="").select_related("component"):
        if line.operation_code not in codes:
            raise Invalid(
                f"Position {line.position} ({line.component.code}) is for operation '{line.operation_code}',"
                " which the default routing does not have.",
                field="status",
            )


def revision_of(row: Any) -> ProductRevision:
    """Return the revision that a row of a bill or routing belongs to."""
    if isinstance(row, ProductRevision):
        return row
    if isinstance(row, BillOfMaterialLine | Routing):
        return row.revision
    operation = row if isinstance(row, RoutingOperation) else row.operation
    revision: ProductRevision = operation.routing.revision
    return revision


_CONTENT = (BillOfMaterialLine, Routing, RoutingOperation, OperationParameter, OperationDocument)


@follows(*_CONTENT)
def revision_content_changed(*, before: Any, after: Any) -> None:
    """Refuse to change what belongs to a revision that is no draft any more."""
    for row in (before, after):
        if row is None:
            continue
        # Locked, so that a release and an edit take turns.
        revision = ProductRevision.objects.select_for_update(of=("self",)).get(pk=revision_of(row).pk)
        if not revision.is_draft:
            raise _frozen(revision)


@precedes(BillOfMaterialLine)
def one_bill_at_a_time(line: BillOfMaterialLine) -> None:
    """Let bills change one after the other, so that no two of them close a circle together."""
    take_turns("products.bill")


@follows(BillOfMaterialLine)
def bill_line_changed(*, before: BillOfMaterialLine | None, after: BillOfMaterialLine | None) -> None:
    """Refuse a component that contains the product itself, and a unit that the component is not measured in."""
    if after is None:
        return
    if after.unit is not None:
        try:
            convert(1, after.unit, after.component.unit, after.component)
        except Invalid as refusal:
            raise Invalid(refusal.message, field="unit") from None
    if after.goes_in:
        refuse_cycle(after.revision.product, after.component)


# --- ideal rates ---


@follows(IdealRate)
def ideal_rate_changed(*, before: IdealRate | None, after: IdealRate | None) -> None:
    """Mark the time in which a rate held or holds on its machine."""
    rates = [rate for rate in (before, after) if rate is not None]
    _refuse_closed_rates(before, after)
    mark(Change(rate.machine_id, rate.valid_from, rate.valid_until) for rate in rates)
    announce("machine", (rate.machine_id for rate in rates))


def _refuse_closed_rates(before: IdealRate | None, after: IdealRate | None) -> None:
    """Raise Closed for a change of what a rate says about closed time; one that holds there may still end later."""
    if before is not None and after is not None and _meaning(before) == _meaning(after):
        if before.valid_until != after.valid_until:
            ends = [at for at in (before.valid_until, after.valid_until) if at is not None]
            refuse_closed(min(ends), field="valid_until")
        return
    for rate in (before, after):
        if rate is not None:
            refuse_closed(rate.valid_from, field="valid_from")


def _meaning(rate: IdealRate) -> tuple[object, ...]:
    return rate.machine_id, rate.product_id, rate.ideal_cycle_time, rate.valid_from
