"""What operations and orders have made, derived from reports and from what machines counted while they ran.

By people: the sum of the reports. By the machine: what it counted within the operation's runs on it; of what several
operations have at once, each has its part (`execution.apportion`). By both: the machine's pieces; what people report as
scrap or rework was counted as good before, so it is taken out of the good. What was decided of pieces after they were
counted (`workorders.sorting`) is moved from one sum to another; serial units are counted by their own facts, and
nothing of theirs is moved.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db.models import Exists, OuterRef, Q, Sum

from core.intervals import Interval
from core.shared_reads import once, once_each
from execution.apportion import Work, machine_time, shares_of, span_until
from execution.counted import Pieces, pieces_of, plus
from execution.models import ExecutionPolicy, OperationRun, ProductionReport, ScrapReason
from labor import apportion
from oee.scopes import representatives_of
from oee.selectors import sums_by_run
from tracking.models import SerialUnit
from workorders.models import Operation, Run, WorkOrder
from workorders.selectors import Made, knows_what_was_made, target_in_product_unit
from workorders.sorting import Resorted, resorted_of, sorted_anew

_Source = Operation.CountingSource
BY_MACHINE = (_Source.MACHINE, _Source.BOTH)
NOTHING = Pieces()


@dataclass(frozen=True, slots=True)
class OperationProgress:
    """What an operation has made of what it should, in its order's unit, exact; None = nobody knows."""

    operation: Operation
    target: Fraction
    made: Pieces = NOTHING

    @property
    def remaining(self) -> Fraction | None:
        """What is still to be made: not less than nothing."""
        return None if self.made.good is None else max(self.target - self.made.good, Fraction(0))

    @property
    def beyond(self) -> Fraction | None:
        """How much more than its target it made."""
        return None if self.made.good is None else max(self.made.good - self.target, Fraction(0))


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """What an order has made of its target, in its own unit, with its operations in their sequence.

    `good` is what the operations made that count for the order, or else the last one; scrap and rework are those of
    all operations. `source` says who knows: operations, or runs of the line where nobody worked on its operations.
    """

    order: WorkOrder
    target: Fraction
    made: Pieces
    source: str
    operations: tuple[OperationProgress, ...] = ()

    @property
    def in_product_unit(self) -> Fraction | None:
        """The good pieces in the unit that the product is counted in."""
        return None if self.made.good is None else self.made.good * pieces_per_unit(self.order)


def pieces_per_unit(order: WorkOrder) -> Fraction:
    """Return how many of its product's unit, which machines count in, one of an order's unit is."""
    return target_in_product_unit(order) / Fraction(order.target_quantity)


def progress_of_operations(operations: Sequence[Operation], *, now: datetime) -> dict[int, OperationProgress]:
    """Return the progress of operations by their id; their order with its product and unit is read: select it too."""
    reported = _reported([operation.pk for operation in operations])
    counted = _counted([operation for operation in operations if operation.counting_source in BY_MACHINE], now=now)
    decided = _decided_at(operations)
    found = {}
    for operation in operations:
        said = reported.get(operation.pk, NOTHING)
        if operation.counting_source in BY_MACHINE:
            pieces = counted.get(operation.pk, NOTHING).times(1 / pieces_per_unit(operation.work_order))
            made = _without(pieces, said) if operation.counting_source == _Source.BOTH else pieces
        else:
            made = said
        if operation.pk in decided:
            made = _sorted_anew(made, decided[operation.pk], operation.work_order)
        found[operation.pk] = OperationProgress(operation, Fraction(operation.planned_quantity), made)
    return found


def _decided(order_ids: Iterable[int]) -> dict[int, list[Resorted]]:
    """Return what was decided about pieces of orders that have no serial units."""
    decided = resorted_of(order_ids)
    if decided:
        units = SerialUnit.objects.filter(order__in=decided).order_by().values_list("order", flat=True).distinct()
        for order_id in units:
            del decided[order_id]
    return decided


def _decided_at(operations: Iterable[Operation]) -> dict[int, list[Resorted]]:
    """Return what was decided about pieces, by the id of the operation that made them: the one that is named,
    or the one that counts.
    """
    decided = _decided({operation.work_order_id for operation in operations})
    if not decided:
        return {}
    of_order: dict[int, list[Operation]] = defaultdict(list)
    for operation in Operation.objects.filter(work_order__in=decided).order_by("work_order", "sequence", "id"):
        of_order[operation.work_order_id].append(operation)
    found: dict[int, list[Resorted]] = defaultdict(list)
    for order_id, rows in of_order.items():
        by_code = {operation.code: operation for operation in rows}
        last = _counting(rows)[-1]
        for one in decided[order_id]:
            found[by_code.get(one.operation_code, last).pk].append(one)
    return found


def _sorted_anew(made: Pieces, decided: Iterable[Resorted], order: WorkOrder) -> Pieces:
    return Pieces(*sorted_anew((made.good, made.scrap, made.rework), decided, per_unit=pieces_per_unit(order)))


def _without(counted: Pieces, said: Pieces) -> Pieces:
    """Return what a machine counted with what people sorted out of its good pieces."""
    sorted_out = plus(said.scrap, said.rework) or Fraction(0)
    good = None if counted.good is None else counted.good - sorted_out
    return Pieces(good, plus(counted.scrap, said.scrap), plus(counted.rework, said.rework))


def _reported(operation_ids: Sequence[int]) -> dict[int, Pieces]:
    """Return the sums of the reports by operation, in the orders' units."""
    found: dict[int, Pieces] = {}
    rows = ProductionReport.objects.filter(operation__in=operation_ids).order_by()
    for row in rows.values("operation", "factor_numerator", "factor_denominator").annotate(
        good_sum=Sum("good"), scrap_sum=Sum("scrap"), rework_sum=Sum("rework")
    ):
        factor = Fraction(int(row["factor_numerator"]), int(row["factor_denominator"]))
        said = Pieces(Fraction(row["good_sum"]), Fraction(row["scrap_sum"]), Fraction(row["rework_sum"]))
        found[row["operation"]] = found.get(row["operation"], NOTHING) + said.times(factor)
    return found


def _counted(operations: Sequence[Operation], *, now: datetime) -> dict[int, Pieces]:
    """Return what machines counted for operations, in pieces; an operation that never ran is absent."""
    wanted = {operation.pk for operation in operations}
    if not wanted:
        return {}
    shares = [share for share in shares_of(works_beside(wanted, now=now)) if wanted & share.parts.keys()]
    pieces = pieces_of([(share.machine_id, share.span) for share in shares], now=now)
    found: dict[int, Pieces] = {}
    for share, made in zip(shares, pieces, strict=True):
        for operation_id in wanted & share.parts.keys():
            found[operation_id] = found.get(operation_id, NOTHING) + made.times(share.parts[operation_id])
    return found


def works_beside(operation_ids: Iterable[int], *, now: datetime) -> list[Work]:
    """Return the runs of operations, and those of others that machines counted for at the same time on those
    machines.
    """
    ids = list(operation_ids)
    own = list(
        OperationRun.objects.filter(operation__in=ids, started_at__lt=now).select_related("operation").order_by()
    )
    if not own:
        return []
    open_ones = any(run.ended_at is None for run in own)
    last = now if open_ones else max(run.ended_at for run in own if run.ended_at)
    beside = (
        OperationRun.objects.filter(
            Q(ended_at__isnull=True) | Q(ended_at__gt=min(run.started_at for run in own)),
            machine__in={run.machine_id for run in own},
            started_at__lt=last,
            operation__counting_source__in=BY_MACHINE,
        )
        .exclude(operation__in=ids)
        .select_related("operation")
        .order_by()
    )
    return _works([*own, *beside], now=now)


def _works(runs: Iterable[OperationRun], *, now: datetime) -> list[Work]:
    works = []
    for run in runs:
        span = span_until(run.started_at, run.ended_at, now)
        if span is not None:
            standard = run.operation.run_time_per_unit
            rate = 1 / Fraction(standard) if standard else None
            works.append(Work(run.operation_id, run.machine_id, span, rate))
    return works


# --- orders ---


def progress_of(orders: Sequence[WorkOrder], *, now: datetime) -> dict[int, OrderProgress]:
    """Return the progress of orders by their id; their product and unit are read: select them too."""
    by_id = {order.pk: order for order in orders}
    operations: dict[int, list[Operation]] = defaultdict(list)
    for operation in Operation.objects.filter(work_order__in=by_id).order_by("work_order", "sequence", "id"):
        operation.work_order = by_id[operation.work_order_id]
        operations[operation.work_order_id].append(operation)
    worked = worked_on(by_id)
    by_runs = _made_by_runs([order for order in orders if order.pk not in worked], now=now)
    progress = progress_of_operations([one for of_order in operations.values() for one in of_order], now=now)
    found = {}
    for order in orders:
        of_order = tuple(progress[operation.pk] for operation in operations[order.pk])
        if order.pk in worked:
            made, source = _made_by(of_order), "operations"
        else:
            made, source = by_runs.get(order.pk, (NOTHING, ""))
        found[order.pk] = OrderProgress(order, Fraction(order.target_quantity), made, source, of_order)
    return found


@knows_what_was_made(rank=10)
def made_by_work(order: WorkOrder, now: datetime) -> Made | None:
    """Return what an order's operations made, or its runs where nobody worked on them; None when nobody knows."""
    progress = progress_of([order], now=now)[order.pk]
    if not progress.source or progress.made.good is None:
        return None
    return Made(progress.made.good, progress.made.scrap, progress.made.rework, progress.source)


def is_worked_on(order: str = "pk") -> Q:
    """Return the condition that anybody worked or reported on an order's operations;
    `order` leads to the order's id.
    """
    runs = OperationRun.objects.filter(operation__work_order=OuterRef(order))
    reports = ProductionReport.objects.filter(operation__work_order=OuterRef(order))
    return Q(Exists(runs)) | Q(Exists(reports))


def worked_on(order_ids: Iterable[int]) -> set[int]:
    """Return those of some orders on whose operations anybody worked or reported."""
    return set(WorkOrder.objects.filter(is_worked_on(), pk__in=list(order_ids)).values_list("pk", flat=True).order_by())


def good_of(orders: Sequence[WorkOrder], *, now: datetime) -> dict[int, Fraction | None]:
    """Return what orders, on whose operations people work, have made in their products' units, by order id."""
    if not orders:
        return {}
    return {order_id: of_order.in_product_unit for order_id, of_order in progress_of(orders, now=now).items()}


def _made_by(operations: Sequence[OperationProgress]) -> Pieces:
    counting = {operation.pk for operation in _counting([one.operation for one in operations])}
    good = sum_of(one.made.good for one in operations if one.operation.pk in counting)
    return Pieces(good, sum_of(one.made.scrap for one in operations), sum_of(one.made.rework for one in operations))


def _counting(operations: Sequence[Operation]) -> list[Operation]:
    """Return those of an order's operations whose good pieces are the order's;
    none marked = the last that is not skipped.
    """
    kept = [one for one in operations if one.status != Operation.Status.SKIPPED] or list(operations)
    return [one for one in kept if one.counts_for_output] or kept[-1:]


def sum_of(values: Iterable[Fraction | None]) -> Fraction | None:
    """Return a sum; unknown when any part of it is."""
    total: Fraction | None = Fraction(0)
    for value in values:
        total = plus(total, value)
    return total


def _made_by_runs(orders: Sequence[WorkOrder], *, now: datetime) -> dict[int, tuple[Pieces, str]]:
    """Return what the lines' runs of orders made, by order id, in the orders' units;
    an order without runs is absent.
    """
    units = {order.pk: 1 / pieces_per_unit(order) for order in orders}
    runs = list(Run.objects.filter(work_order__in=units, started_at__lt=now).order_by()) if units else []
    sums = sums_by_run(representatives_of(run.line_id for run in runs), runs, now=now)
    found: dict[int, tuple[Pieces, str]] = {}
    for run in runs:
        made, _source = found.get(run.work_order_id, (NOTHING, ""))
        if run.pk in sums:
            quantities = sums[run.pk].quantities
            counted = Pieces(quantities.good, quantities.scrap, quantities.rework)
            made += counted.times(units[run.work_order_id])
        found[run.work_order_id] = made, "runs"
    decided = _decided(found)
    for order in orders:
        if order.pk in decided:
            found[order.pk] = _sorted_anew(found[order.pk][0], decided[order.pk], order), "runs"
    return found


# --- time ---


def machine_time_of(
    runs: Sequence[OperationRun], *, now: datetime, window: Interval | None = None
) -> dict[int, Fraction]:
    """Return each operation's seconds of machine time over its runs, by its id.

    What runs at once on a machine shares its time evenly, other operations than these included; the seconds of all add
    up to the time in which anything ran.
    """
    wanted = {run.operation_id for run in runs}
    machines = {run.machine_id for run in runs}
    if not runs:
        return {}
    at_once = OperationRun.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=min(run.started_at for run in runs)),
        machine__in=machines,
        started_at__lt=now,
    ).select_related("operation")
    seconds = machine_time(_works(at_once, now=now), window)
    return {operation_id: seconds.get(operation_id, Fraction(0)) for operation_id in wanted}


def person_time_of(employee_id: int, window: Interval, *, now: datetime) -> dict[int, Fraction]:
    """Return a person's seconds on each operation over the past of a window; work at once shares the time evenly."""
    works, operations = [], {}
    for run in OperationRun.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=window.start), employee=employee_id, started_at__lt=window.end
    ):
        span = span_until(max(run.started_at, window.start), run.ended_at, min(now, window.end))
        if span is not None:
            works.append(apportion.Work(run.pk, span))
            operations[run.pk] = run.operation_id
    seconds: dict[int, Fraction] = defaultdict(Fraction)
    for key, share in apportion.apportion(works).items():
        seconds[operations[key]] += share / 1_000_000
    return dict(seconds)


def policies_of(site_ids: Iterable[int]) -> dict[int, ExecutionPolicy]:
    """Return what sites decided about the work on their floors, by the site's id; who decided nothing is absent."""
    return once_each("execution policies", sorted(set(site_ids)), _policies_of, kept=True)


def _policies_of(site_ids: list[int]) -> dict[int, ExecutionPolicy]:
    return {policy.site_id: policy for policy in ExecutionPolicy.objects.filter(site__in=site_ids)}


def scrap_reasons() -> list[ScrapReason]:
    """Return the reasons for scrap that may be given."""
    return once("scrap reasons", lambda: list(ScrapReason.objects.filter(is_active=True)), kept=True)
