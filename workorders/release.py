"""What a released order keeps of how its product is made: copies of its revision's operations and materials."""

from core import master_data
from core.errors import Invalid
from core.exact import rounded_up
from counts.models import CountTag, CountType
from enterprise.models import Machine
from products.models import ProductRevision, Routing, RoutingOperation
from products.selectors import requirements
from workorders.models import Operation, OrderMaterial, OrderParameter, WorkOrder
from workorders.selectors import target_in_product_unit


def copy_from_revision(order: WorkOrder) -> None:
    """Replace an order's operations, set-points and materials by copies of its revision's;
    steps that were added stay.
    """
    OrderMaterial.objects.filter(work_order=order).delete()
    Operation.objects.filter(work_order=order, template__isnull=False).delete()
    revision = order.revision
    if revision is None or order.product is None or order.released_at is None:
        return
    operations = _copy_routing(order, _routing(order, revision))
    by_code = {operation.code: operation for operation in operations}
    first = operations[0] if operations else None
    own = target_in_product_unit(order)
    for number, needed in enumerate(requirements(revision, own, order.released_at), start=1):
        master_data.save(
            OrderMaterial(
                work_order=order,
                position=number * 10,
                product=needed.component,
                operation=by_code.get(needed.operation_code, first),
                quantity_required=rounded_up(needed.quantity),
                unit=needed.component.unit,
            )
        )


def _routing(order: WorkOrder, revision: ProductRevision) -> Routing | None:
    if not order.routing_code:
        return revision.routings.filter(is_default=True).first()
    found = revision.routings.filter(code=order.routing_code).first()
    if found is None:
        raise Invalid(f"Revision {revision.code} has no routing '{order.routing_code}'.", field="routing_code")
    return found


def _copy_routing(order: WorkOrder, routing: Routing | None) -> list[Operation]:
    copies = []
    for step in routing.operations.prefetch_related("parameters") if routing is not None else ():
        copy = master_data.save(
            Operation(
                work_order=order,
                template=step,
                planned_quantity=order.target_quantity,
                inspection_status=Operation.Inspection.PENDING if step.inspection_required else "",
                **{name: getattr(step, name) for name in Operation.COPIED}
                | {"counting_source": step.counting_source or who_counts(step, order)},
            )
        )
        for parameter in step.parameters.all():
            values = {name: getattr(parameter, name) for name in OrderParameter.COPIED}
            master_data.save(OrderParameter(operation=copy, **values))
        copies.append(copy)
    return copies


def who_counts(step: RoutingOperation, order: WorkOrder) -> str:
    """Return who counts an operation that does not say: a machine that has a counter for its output, else people."""
    if step.machine_id is not None:
        machines = Machine.objects.filter(pk=step.machine_id)
    elif step.machine_class_id is not None:
        machines = Machine.objects.filter(
            machine_class=step.machine_class_id, line__area__site=order.line.area.site_id, is_active=True
        )
    else:
        of_line = Machine.objects.filter(line=step.line_id or order.line_id, is_active=True)
        machines = of_line.filter(is_constraint=True)
        machines = machines if machines.exists() else of_line
    roles = (CountType.Role.GOOD, CountType.Role.TOTAL)
    counts = CountTag.objects.filter(machine__in=machines, count_type__role__in=roles, is_active=True).exists()
    return Operation.CountingSource.MACHINE if counts else Operation.CountingSource.OPERATOR
