"""Serial units in containers: each is packed in one at most, and leaves with it.

What is done to a container is done in `materials`; what follows for the units in it is declared here.
Lock order: containers before units.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from core.errors import Conflict, Invalid
from materials.container_gates import follows_steps
from materials.container_models import StepKind
from materials.container_queries import tree_ids
from materials.container_steps import allowed
from materials.models import Container, ContainerStep
from tracking.assembling import lock
from tracking.models import SerialUnit, UnitPackingStep
from tracking.services import By, dispatch
from tracking.state import UnitStatus

_Kind = UnitPackingStep.Kind


@transaction.atomic
def pack_unit(*, unit: SerialUnit, container: Container, by: By) -> UnitPackingStep:
    """Put a finished unit into an open container of its site. Repeated with its key it has one effect.

    Raises Conflict for a unit that is packed already, part of another, not finished, NOT OK, on hold or over, and for a
    container that takes nothing now, saying what can be done with it.
    """
    held = _hold(container)
    (unit,) = lock(unit)
    known = _answered(unit, held, _Kind.PACKED, by)
    if known is not None:
        return known
    if held.site_id != unit.site_id:
        raise Invalid(f"{held} is of another site.", field="container")
    if held.product_id not in (None, unit.product_id):
        raise Invalid(f"Container {held} holds {held.product} only.", field="container")
    _refuse_shut(held, "pack")
    if unit.container is not None:
        raise Conflict(f"{unit} is packed in {unit.container}; take it out there first.", field="container")
    if unit.parent is not None:
        raise Conflict(f"{unit} is part of {unit.parent}; pack that.", field="container")
    if unit.status != UnitStatus.FINISHED or unit.is_blocked:
        raise Conflict(f"{unit} is {_words(unit)}; only a finished unit is packed.", field="container")
    return _write(unit, held, _Kind.PACKED, by)


@transaction.atomic
def unpack_unit(*, unit: SerialUnit, by: By) -> UnitPackingStep:
    """Take a unit out of the open container that it is packed in; also one that is on hold."""
    known = UnitPackingStep.objects.filter(unit=unit, idempotency_key=by.key).first()
    if known is not None:
        if known.kind != _Kind.UNPACKED:
            raise Conflict("The key was used for something else.", field="key")
        return known
    container = Container.objects.filter(serial_units=unit).first()
    if container is None:
        raise Conflict(f"{unit} is not packed.", field="container")
    held = _hold(container)
    (unit,) = lock(unit)
    if unit.container_id != held.pk:
        raise Conflict(f"{unit} was taken out meanwhile.", field="container")
    _refuse_shut(held, "unpack")
    return _write(unit, held, _Kind.UNPACKED, by)


def _hold(container: Container) -> Container:
    return Container.objects.select_for_update(of=("self",), no_key=True).get(pk=container.pk)


def _words(unit: SerialUnit) -> str:
    return "NOT OK" if unit.is_blocked else unit.status.replace("_", " ")


def _refuse_shut(container: Container, action: str) -> None:
    may = allowed(container)
    if action not in may:
        state = f"lies in {container.parent}" if container.parent else f"is {container.status}"
        raise Conflict(f"Container {container} {state}.", field="container", facts={"allowed": may})


def _answered(unit: SerialUnit, container: Container, kind: str, by: By) -> UnitPackingStep | None:
    if not 0 < len(by.key) <= 80 or not by.key.isprintable():
        raise Invalid("A key is a text of 1 to 80 characters.", field="key")
    known = UnitPackingStep.objects.filter(unit=unit, idempotency_key=by.key).first()
    if known is not None and (known.kind, known.container_id) != (kind, container.pk):
        raise Conflict("The key was used for something else.", field="key")
    return known


def _write(unit: SerialUnit, container: Container, kind: str, by: By) -> UnitPackingStep:
    step = UnitPackingStep.objects.create(
        unit=unit, container=container, kind=kind, performed_by=by.actor, occurred_at=by.at, idempotency_key=by.key
    )
    unit.container = container if kind == _Kind.PACKED else None
    unit.save(update_fields=["container"])
    return step


@follows_steps
def container_stepped(*, steps: Sequence[ContainerStep]) -> None:
    """Dispatch the units of a container that is shipped, and take those of an emptied one out.

    Raises Conflict, naming unit and container, when one of them cannot go; nothing is shipped then. A shipment with
    units in it is not taken back: that a unit was dispatched is final.
    """
    first = steps[0]
    if first.kind not in (StepKind.SHIPPED, StepKind.BROUGHT_BACK, StepKind.EMPTIED):
        return
    is_emptied = first.kind == StepKind.EMPTIED
    ids = [first.container_id] if is_emptied else tree_ids([first.container_id])
    units = lock(*SerialUnit.objects.filter(container__in=ids).order_by("pk"))
    if units and first.kind == StepKind.BROUGHT_BACK:
        raise Conflict(f"{first.container} carries dispatched units, such as {units[0]}.", field="container")
    for unit in units:
        # A unit's decisions follow one another by the server's clock.
        by = By(first.performed_by, first.recorded_at, f"container step {first.pk}")
        if is_emptied:
            assert unit.container is not None
            _write(unit, unit.container, _Kind.UNPACKED, by)
            continue
        try:
            dispatch(unit=unit, by=by)
        except Conflict as refusal:
            raise Conflict(f"{unit} in {unit.container}: {refusal.message}", field="container") from refusal


def units_in(container: Container) -> Any:
    """Return the units in a container and in all that lies in it."""
    rows = SerialUnit.objects.filter(container__in=tree_ids([container.pk]))
    return rows.select_related("product", "container").order_by("serial", "pk")


def rebuild_packing() -> int:
    """Derive anew which units are packed in what from the last step of each; return how many units were wrong."""
    last = UnitPackingStep.objects.order_by("unit_id", "-id").distinct("unit_id")
    now = {step.unit_id: step.container_id for step in last if step.kind == _Kind.PACKED}
    rows = SerialUnit.objects.select_for_update(of=("self",)).order_by("pk")
    wrong = [unit for unit in rows if unit.container_id != now.get(unit.pk)]
    for unit in wrong:
        unit.container_id = now.get(unit.pk)
        unit.save(update_fields=["container"])
    return len(wrong)
