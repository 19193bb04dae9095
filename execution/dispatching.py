"""The list of work at a line or a machine: what runs, what can be started next, and why the rest cannot."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from enterprise.models import Line, Machine
from execution.models import OperationRun
from execution.readiness import Reason, machines_for, reasons_against
from execution.selectors import OperationProgress, progress_of_operations
from execution.taking import allowed_actions
from labor.models import Employee
from workorders.models import Operation, WorkOrder

_Status, _Order = Operation.Status, WorkOrder.Status
OPEN_ORDERS = (_Order.RELEASED, _Order.SCHEDULED, _Order.IN_PROGRESS, _Order.ON_HOLD)
OPEN = (_Status.PENDING, _Status.READY, _Status.IN_PROGRESS, _Status.ON_HOLD)
MOST = 500


@dataclass(frozen=True, slots=True)
class Dispatched:
    """An operation in the list: what stands against it, what may be done about it, and how far it is."""

    operation: Operation
    reasons: tuple[Reason, ...]
    runs: tuple[OperationRun, ...]
    machines: tuple[Machine, ...]
    progress: OperationProgress
    actions: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        """Whether it can be started or resumed; warnings do not stand against that."""
        return not any(reason.refuses for reason in self.reasons)

    @property
    def is_running(self) -> bool:
        """Whether anybody works on it."""
        return bool(self.runs)

    @property
    def is_paused(self) -> bool:
        """Whether it is begun and nobody works on it."""
        return self.operation.status == _Status.IN_PROGRESS and not self.runs


def work_at(place: Line | Machine) -> QuerySet[Operation]:
    """Return the open operations that may be done at a line or machine, in the order of work.

    What runs comes first, then by priority, due date, planned start, order number and sequence. Order, line, area,
    site, product and unit are read with it.
    """
    line = place if isinstance(place, Line) else place.line
    machines = Machine.objects.filter(line=line) if isinstance(place, Line) else Machine.objects.filter(pk=place.pk)
    nowhere = Q(line__isnull=True, machine__isnull=True, machine_class__isnull=True)
    at_the_place = (
        Q(machine__in=machines)
        | Q(line=line)
        | (nowhere & Q(work_order__line=line))
        | Q(
            machine_class__in=machines.filter(machine_class__isnull=False).values("machine_class"),
            work_order__line__area__site=line.area.site_id,
        )
    )
    running = OperationRun.objects.filter(operation=OuterRef("pk"), ended_at__isnull=True)
    return (
        Operation.objects.filter(at_the_place, work_order__status__in=OPEN_ORDERS, status__in=OPEN)
        .annotate(is_running=Exists(running))
        .select_related(
            "work_order__line__area__site", "work_order__product__unit", "work_order__unit", "machine", "line"
        )
        .order_by(
            "-is_running",
            F("work_order__priority").asc(nulls_last=True),
            F("work_order__due_at").asc(nulls_last=True),
            F("planned_start_at").asc(nulls_last=True),
            F("work_order__planned_start_at").asc(nulls_last=True),
            "work_order__order_number",
            "sequence",
            "id",
        )
    )


def dispatch(
    place: Line | Machine, *, now: datetime, employee: Employee | None = None, limit: int = MOST
) -> tuple[list[Dispatched], bool]:
    """Return the work at a line (with area and site read) or machine, and whether that is all of it.

    The number of queries does not grow with the operations. `employee` is who would do it: what their certificates lack
    stands among the reasons.
    """
    operations = list(work_at(place)[: min(limit, MOST) + 1])
    shown = operations[: min(limit, MOST)]
    machine = place if isinstance(place, Machine) else None
    return rows_of(shown, now=now, machine=machine, employee=employee), len(shown) == len(operations)


def rows_of(
    operations: Sequence[Operation],
    *,
    now: datetime,
    machine: Machine | None = None,
    employee: Employee | None = None,
) -> list[Dispatched]:
    """Return operations as they stand in the list."""
    machines = machines_for(operations)
    asked = machines if machine is None else {operation.pk: [machine] for operation in operations}
    reasons = reasons_against(operations, now=now, machines=asked, employee=employee)
    progress = progress_of_operations(operations, now=now)
    runs: dict[int, list[OperationRun]] = defaultdict(list)
    for run in OperationRun.objects.filter(operation__in=operations, ended_at__isnull=True).select_related(
        "machine", "employee"
    ):
        runs[run.operation_id].append(run)
    # Only of those that are begun and left it says whether they may be resumed.
    left = [one for one in operations if one.status == _Status.IN_PROGRESS and not runs[one.pk]]
    has_run = OperationRun.objects.filter(operation__in=left).order_by().values_list("operation", flat=True).distinct()
    begun = set(has_run) if left else set()
    return [
        Dispatched(
            operation,
            tuple(reasons[operation.pk]),
            tuple(runs[operation.pk]),
            tuple(machines[operation.pk]),
            progress[operation.pk],
            tuple(allowed_actions(operation, is_running=bool(runs[operation.pk]), has_run=operation.pk in begun)),
        )
        for operation in operations
    ]
