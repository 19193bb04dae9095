"""Write many orders at once, as far as their life has come: what `services` would write one by one, set-wise.

For a past that is loaded, and for a plan of many orders. Other systems are not told of it (decision 116), and whoever
may stand against a deed, such as an inspection that blocks, is not asked: what happened has happened.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db import transaction

from accounts.models import User
from core.announcements import announce
from core.bulk import insert, written
from core.changes import Change, mark
from core.errors import Conflict, Invalid
from core.exact import rounded_up
from core.retention import refuse_closed
from enterprise.models import Line, Machine
from products.models import Product, ProductRevision, RoutingOperation
from products.selectors import Requirement, requirements
from workorders.models import (
    Changeover,
    ChangeoverPhase,
    ChangeoverTarget,
    Customer,
    Operation,
    OrderMaterial,
    OrderParameter,
    OrderStatusChange,
    Run,
    Schedule,
    WorkOrder,
)
from workorders.placing import set_shifts
from workorders.release import who_counts
from workorders.selectors import target_of

_Status = WorkOrder.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order of a line with its place in the schedule, and how far its life has come: planned, begun, done,
    closed.
    """

    number: str
    line: Line
    product: Product
    quantity: Decimal
    planned_at: datetime
    planned_start_at: datetime
    planned_end_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    closed_at: datetime | None = None
    description: str = ""
    customer: Customer | None = None
    sales_order: str = ""
    priority: int | None = None
    due_at: datetime | None = None

    @property
    def steps(self) -> list[tuple[str, datetime]]:
        """Its statuses, and since when it had each."""
        life = (
            (_Status.SCHEDULED, self.planned_at),
            (_Status.IN_PROGRESS, self.started_at),
            (_Status.COMPLETED, self.ended_at),
            (_Status.CLOSED, self.closed_at),
        )
        return [(status, at) for status, at in life if at is not None]


@transaction.atomic
def load_orders(new: Sequence[NewOrder], *, actor: User | None = None) -> list[WorkOrder]:
    """Write orders with their schedule, run, operations and materials; return them as given.

    The revision valid when an order began holds. Raises Invalid for times out of their order, Conflict for a number
    that is known; the database refuses what overlaps on a line.
    """
    _refuse_odd(new)
    revisions = _Revisions(new)
    orders = [_order(one, revisions, actor) for one in new]
    insert(orders)
    entries = [
        written(
            Schedule(
                line=one.line,
                work_order=order,
                planned_start_at=one.planned_start_at,
                planned_end_at=one.planned_end_at,
                planner=actor,
            ),
            at=one.planned_at,
            actor=actor,
        )
        for one, order in zip(new, orders, strict=True)
    ]
    set_shifts(entries)
    insert(entries)
    _insert_changes(new, orders, actor)
    _insert_copies([order for order in orders if order.released_at is not None], revisions)
    _insert_runs(new, orders, entries)
    announce("schedule", {one.line.pk for one in new})
    return orders


def _refuse_odd(new: Sequence[NewOrder]) -> None:
    for one in new:
        times = [at for _, at in one.steps]
        begun = times[1:]
        if sorted(begun) != begun or (one.ended_at is not None and one.started_at in (None, one.ended_at)):
            raise Invalid(f"Order {one.number} ends after it starts, and is closed after that.", field="ended_at")
        if one.started_at is not None:
            refuse_closed(one.started_at, field="started_at")
    numbers = [one.number for one in new]
    known = WorkOrder.objects.filter(order_number__in=numbers).order_by("order_number").first()
    if known is not None or len(set(numbers)) < len(numbers):
        raise Conflict(f"There is an order {known or 'of the same number twice'} already.", field="order_number")


def _order(one: NewOrder, revisions: "_Revisions", actor: User | None) -> WorkOrder:
    revision = None if one.started_at is None else revisions.at(one.product.pk, one.started_at)
    order = WorkOrder(
        order_number=one.number,
        description=one.description,
        line=one.line,
        product=one.product,
        target_quantity=one.quantity,
        planned_start_at=one.planned_start_at,
        planned_end_at=one.planned_end_at,
        status=one.steps[-1][0],
        revision=revision,
        released_at=one.started_at,
        priority=one.priority,
        due_at=one.due_at,
        customer=one.customer,
        sales_order=one.sales_order,
        lot_number=one.number,
        over_tolerance=one.product.over_tolerance if one.started_at else None,
        under_tolerance=one.product.under_tolerance if one.started_at else None,
    )
    return written(order, at=one.steps[-1][1], actor=actor)


def _insert_changes(new: Sequence[NewOrder], orders: Sequence[WorkOrder], actor: User | None) -> None:
    changes = []
    for one, order in zip(new, orders, strict=True):
        before = ""
        for status, at in one.steps:
            changes.append(
                OrderStatusChange(order=order, from_status=before, to_status=status, changed_by=actor, changed_at=at)
            )
            before = status
    insert(sorted(changes, key=lambda change: (change.changed_at, change.order_id)))


def _insert_runs(new: Sequence[NewOrder], orders: Sequence[WorkOrder], entries: Sequence[Schedule]) -> None:
    runs = [
        written(
            Run(
                line=one.line,
                work_order=order,
                schedule=entry,
                started_at=one.started_at,
                ended_at=one.ended_at,
            ),
            at=one.ended_at or one.started_at,
        )
        for one, order, entry in zip(new, orders, entries, strict=True)
        if one.started_at is not None
    ]
    insert(runs)
    spans: dict[int, list[Run]] = defaultdict(list)
    for run in runs:
        spans[run.line_id].append(run)
    machines = list(Machine.objects.filter(line__in=spans).order_by("id"))
    mark(Change(machine.pk, *_hull(spans[machine.line_id])) for machine in machines)
    announce("machine", [machine.pk for machine in machines])


def _hull(runs: Sequence[Run]) -> tuple[datetime, datetime | None]:
    ends = [run.ended_at for run in runs]
    known = [end for end in ends if end is not None]
    return min(run.started_at for run in runs), max(known) if len(known) == len(ends) else None


class _Revisions:
    """The revisions of some orders' products, with what of them is the same for many orders; few queries in all."""

    def __init__(self, new: Sequence[NewOrder]) -> None:
        products = {one.product.pk for one in new if one.started_at is not None}
        self._by_product: dict[int, list[ProductRevision]] = defaultdict(list)
        rows = ProductRevision.objects.filter(product__in=products, valid_from__isnull=False).exclude(status="draft")
        for row in rows.select_related("product__unit").order_by("valid_from"):
            self._by_product[row.product_id].append(row)
        begun = [one.started_at for one in new if one.started_at is not None]
        # While no revision comes or goes, what a quantity needs is the same at any time.
        self._steady = not begun or not (
            ProductRevision.objects.filter(valid_from__gt=min(begun), valid_from__lte=max(begun)).exists()
            or ProductRevision.objects.filter(valid_until__gt=min(begun), valid_until__lte=max(begun)).exists()
        )
        self._needs: dict[tuple[int, Decimal, datetime | None], list[Requirement]] = {}
        self._steps: dict[int, list[RoutingOperation]] = {}
        self._counts: dict[tuple[int, int], str] = {}

    def at(self, product_id: int, at: datetime) -> ProductRevision | None:
        """Return the revision of a product that is valid at a moment."""
        for row in self._by_product[product_id]:
            if (
                row.valid_from is not None
                and row.valid_from <= at
                and (row.valid_until is None or row.valid_until > at)
            ):
                return row
        return None

    def needs(self, revision: ProductRevision, quantity: Decimal, at: datetime) -> list[Requirement]:
        """Return what an order of a quantity takes."""
        key = (revision.pk, quantity, None if self._steady else at)
        if key not in self._needs:
            self._needs[key] = requirements(revision, Fraction(quantity), at)
        return self._needs[key]

    def steps(self, revision: ProductRevision) -> list[RoutingOperation]:
        """Return the steps of a revision's default routing."""
        if revision.pk not in self._steps:
            routing = revision.routings.filter(is_default=True).first()
            self._steps[revision.pk] = (
                [] if routing is None else list(routing.operations.prefetch_related("parameters"))
            )
        return self._steps[revision.pk]

    def who_counts(self, step: RoutingOperation, order: WorkOrder) -> str:
        """Return who counts a step."""
        key = (step.pk, order.line_id)
        if key not in self._counts:
            self._counts[key] = step.counting_source or who_counts(step, order)
        return self._counts[key]


def _insert_copies(orders: Sequence[WorkOrder], revisions: _Revisions) -> None:
    """Copy to orders what their revisions say, as a release does."""
    operations = {
        order.pk: [_copy(order, step, revisions) for step in revisions.steps(order.revision)] if order.revision else []
        for order in orders
    }
    insert([one for of_order in operations.values() for one in of_order])
    insert(
        [
            _written_with(OrderParameter(operation=one, **_copied(parameter, OrderParameter.COPIED)), order)
            for order in orders
            for one in operations[order.pk]
            for parameter in (one.template.parameters.all() if one.template else ())
        ]
    )
    insert([row for order in orders for row in _materials(order, operations[order.pk], revisions)])


def _copied(of: RoutingOperation | object, names: Iterable[str]) -> Mapping[str, object]:
    return {name: getattr(of, name) for name in names}


def _written_with(row: OrderParameter, order: WorkOrder) -> OrderParameter:
    assert order.released_at is not None
    return written(row, at=order.released_at)


def _copy(order: WorkOrder, step: RoutingOperation, revisions: _Revisions) -> Operation:
    assert order.released_at is not None
    values = {**_copied(step, Operation.COPIED), "counting_source": revisions.who_counts(step, order)}
    copy = Operation(
        work_order=order,
        template=step,
        planned_quantity=order.target_quantity,
        inspection_status=Operation.Inspection.PENDING if step.inspection_required else "",
        **values,
    )
    return written(copy, at=order.released_at)


def _materials(order: WorkOrder, operations: Sequence[Operation], revisions: _Revisions) -> list[OrderMaterial]:
    if order.revision is None or order.released_at is None:
        return []
    by_code = {operation.code: operation for operation in operations}
    first = operations[0] if operations else None
    rows = []
    for number, needed in enumerate(revisions.needs(order.revision, order.target_quantity, order.released_at), start=1):
        row = OrderMaterial(
            work_order=order,
            position=number * 10,
            product=needed.component,
            operation=by_code.get(needed.operation_code, first),
            quantity_required=rounded_up(needed.quantity),
            unit=needed.component.unit,
        )
        rows.append(written(row, at=order.released_at))
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChangeover:
    """A change of product that is over, as who did it wrote it down; `phases` begin in turn, the first with it."""

    line: Line
    work_order: WorkOrder
    from_product: Product
    started_at: datetime
    ended_at: datetime
    phases: Sequence[tuple[str, datetime]]
    first_good_at: datetime | None = None
    pieces_made: Decimal | None = None
    pieces_scrapped: Decimal | None = None
    operators: str = ""
    started_by: User
    approved_by: User
    approved_at: datetime


@transaction.atomic
def load_changeovers(new: Sequence[NewChangeover]) -> list[Changeover]:
    """Write changeovers with their phases, targets and runs; orders come with their product.

    Raises Invalid for phases out of their order, and for somebody who approves what they did.
    """
    targets = list(ChangeoverTarget.objects.filter(line__in=[one.line.pk for one in new]))
    targets += ChangeoverTarget.objects.filter(line__isnull=True)
    runs = {run.work_order_id: run for run in Run.objects.filter(work_order__in=[one.work_order.pk for one in new])}
    records, phases = [], []
    for one in new:
        starts = [at for _, at in one.phases]
        if not starts or starts != sorted(set(starts)) or starts[0] != one.started_at or starts[-1] >= one.ended_at:
            raise Invalid("Phases follow each other, from its beginning to its end.", field="phases")
        if one.approved_by == one.started_by:
            raise Invalid("Somebody else approves what one did.", field="approved_by")
        fitting = [row for row in targets if row.line_id in (None, one.line.pk)]
        target = target_of(fitting, one.from_product.pk, one.work_order.product_id)
        record = Changeover(
            line=one.line,
            kind=Changeover.Kind.PRODUCT,
            from_product=one.from_product,
            to_product=one.work_order.product,
            work_order=one.work_order,
            run=runs.get(one.work_order.pk),
            target_minutes=None if target is None else Decimal(target // timedelta(milliseconds=600)) / 100,
            started_at=one.started_at,
            ended_at=one.ended_at,
            first_good_at=one.first_good_at,
            pieces_made=one.pieces_made,
            pieces_scrapped=one.pieces_scrapped,
            operators=one.operators,
            started_by=one.started_by,
            recorded_at=one.started_at,
            approved_by=one.approved_by,
            approved_at=one.approved_at,
        )
        records.append(written(record, at=one.approved_at, actor=one.approved_by))
        for (phase, start), end in zip(one.phases, [*starts[1:], one.ended_at], strict=True):
            row = ChangeoverPhase(changeover=record, phase=phase, started_at=start, ended_at=end)
            phases.append(written(row, at=end, actor=one.started_by))
    insert(records)
    for row in phases:
        row.changeover_id = row.changeover.pk
    insert(phases)
    return records
