"""Whether an operation can be started, and every reason why not, in the words of whoever stands at the machine.

The list of work and the start itself ask the same function.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from core.exact import plain_number
from downtime.models import StateReason
from downtime.selectors import CurrentState, all_reasons, current_states, read_by_rules
from enterprise.models import Machine
from execution.models import ExecutionPolicy
from execution.selectors import policies_of
from labor.models import Employee
from labor.services import skills_missing
from maintenance.gates import words_on
from maintenance.selectors import down_machines
from materials.models import LotStatus, MaterialLot
from materials.selectors import usable_at_sites, used_by_orders
from quality.gates import blocked_by, contained_in
from workorders.models import Operation, OrderMaterial, Schedule, WorkOrder

_Order, _Status = WorkOrder.Status, Operation.Status
STARTABLE_ORDERS = (_Order.RELEASED, _Order.SCHEDULED, _Order.IN_PROGRESS)
DONE = (_Status.COMPLETED, _Status.SKIPPED)
_Rule = ExecutionPolicy.Rule


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an operation is not ready; `refuses` = it cannot be started, otherwise it is a warning."""

    code: str
    text: str
    refuses: bool = True


def machines_for(operations: Iterable[Operation]) -> dict[int, list[Machine]]:
    """Return the machines at which each operation may be done, the likeliest first.

    That is its machine; the machines of its class at the order's site; or those of its line, else of the order's line,
    the constraint first. Their order's line is read: select it too.
    """
    operations = list(operations)
    lines = {operation.line_id or operation.work_order.line_id for operation in operations}
    places = Q(line__in=lines) | Q(pk__in=[operation.machine_id for operation in operations])
    places |= Q(
        machine_class__in={operation.machine_class_id for operation in operations if operation.machine_class_id},
        line__area__site__in={operation.work_order.line.area.site_id for operation in operations},
    )
    machines = list(
        Machine.objects.filter(places, is_active=True)
        .select_related("line__area__site")
        .order_by("line_id", "-is_constraint", "-position", "id")
    )
    by_line: dict[int, list[Machine]] = defaultdict(list)
    by_class: dict[tuple[int | None, int], list[Machine]] = defaultdict(list)
    for machine in machines:
        by_line[machine.line_id].append(machine)
        by_class[machine.machine_class_id, machine.line.area.site_id].append(machine)
    by_id = {machine.pk: machine for machine in machines}
    found = {}
    for operation in operations:
        if operation.machine_id:
            found[operation.pk] = [by_id[operation.machine_id]] if operation.machine_id in by_id else []
        elif operation.machine_class_id:
            found[operation.pk] = by_class[operation.machine_class_id, operation.work_order.line.area.site_id]
        else:
            found[operation.pk] = by_line[operation.line_id or operation.work_order.line_id]
    return found


def reasons_against(
    operations: Sequence[Operation],
    *,
    now: datetime,
    machines: Mapping[int, Sequence[Machine]],
    employee: Employee | None = None,
) -> dict[int, list[Reason]]:
    """Return every reason against starting each operation, by its id; an empty list = it is ready.

    `machines` are where each shall be done, or may be (`machines_for`), with their line, area and site; `employee` is
    who shall do it. The number of queries does not grow with the operations. Their order's line with area and site is
    read: select it too.
    """
    facts = _Facts(operations, now=now, machines=machines, employee=employee)
    return {operation.pk: facts.against(operation) for operation in operations}


class _Facts:
    """All that bears on some operations, looked up once for all of them."""

    def __init__(
        self,
        operations: Sequence[Operation],
        *,
        now: datetime,
        machines: Mapping[int, Sequence[Machine]],
        employee: Employee | None,
    ) -> None:
        self.now = now
        self.employee = employee
        orders = {operation.work_order_id for operation in operations}
        sites = {operation.work_order.line.area.site_id for operation in operations}
        self.before: dict[int, list[Operation]] = defaultdict(list)
        for sibling in Operation.objects.filter(work_order__in=orders).order_by("work_order", "sequence", "id"):
            self.before[sibling.work_order_id].append(sibling)
        self.machines = machines
        self.policies = policies_of(sites)
        self._materials(orders, sites)
        self._held_lots(orders)
        self.contained = contained_in(orders)
        self._machines_now()
        self.missing_skills: dict[int, str] = {}

    def _materials(self, orders: set[int], sites: set[int]) -> None:
        self.required: dict[int, list[OrderMaterial]] = defaultdict(list)
        needed = list(
            OrderMaterial.objects.filter(
                work_order__in=orders, operation__isnull=False, quantity_required__gt=0
            ).select_related("product")
        )
        for material in needed:
            self.required[material.operation_id or 0].append(material)
        products = {material.product_id for material in needed}
        self.used = used_by_orders(orders) if products else {}
        self.there = usable_at_sites(sites, products, at=self.now) if products else {}

    def _held_lots(self, orders: set[int]) -> None:
        self.held: dict[int | None, list[str]] = defaultdict(list)
        for order_id, number in (
            MaterialLot.objects.filter(work_order__in=orders, status=LotStatus.HOLD)
            .order_by("number")
            .values_list("work_order", "number")
        ):
            self.held[order_id].append(number)

    def _machines_now(self) -> None:
        machines = {machine.pk: machine for of_one in self.machines.values() for machine in of_one}
        everyone = list(machines.values())
        self.states: dict[int, CurrentState] = (
            read_by_rules(everyone, current_states(list(machines), now=self.now)) if everyone else {}
        )
        self.reasons = all_reasons() if self.states else {}
        self.blocked = down_machines(machines) if machines else {}
        lines = {machine.line_id for machine in everyone}
        self.maintained = dict(
            Schedule.objects.filter(
                line__in=lines,
                kind=Schedule.Kind.MAINTENANCE,
                planned_start_at__lte=self.now,
                planned_end_at__gt=self.now,
            )
            .exclude(status=Schedule.Status.CANCELLED)
            .values_list("line", "planned_end_at")
        )

    def against(self, operation: Operation) -> list[Reason]:
        """Return every reason against one operation."""
        return [
            *self._order(operation),
            *self._operation(operation),
            *self._predecessors(operation),
            *self._held_by_quality(operation),
            *self._material(operation),
            *self._machine(operation),
            *self._person(operation),
        ]

    def _policy(self, operation: Operation) -> ExecutionPolicy:
        return self.policies.get(operation.work_order.line.area.site_id) or ExecutionPolicy()

    def _order(self, operation: Operation) -> list[Reason]:
        order = operation.work_order
        if order.status in STARTABLE_ORDERS:
            return []
        return [Reason("order", f"Order {order} is {order.get_status_display().lower()}.")]

    def _operation(self, operation: Operation) -> list[Reason]:
        if operation.status == _Status.ON_HOLD:
            return [Reason("hold", "It is on hold; somebody has to take it off hold first.")]
        if operation.status in DONE:
            return [Reason("done", f"It is {operation.get_status_display().lower()}.")]
        return []

    def _predecessors(self, operation: Operation) -> list[Reason]:
        found = []
        for earlier in self.before[operation.work_order_id]:
            if (earlier.sequence, earlier.pk) >= (operation.sequence, operation.pk):
                break
            if earlier.status == _Status.SKIPPED:
                continue
            if earlier.status != _Status.COMPLETED:
                if not earlier.overlap_allowed:
                    found.append(Reason("predecessor", f"{earlier} has to be finished first."))
                continue
            if earlier.inspection_status == Operation.Inspection.PENDING:
                found.append(Reason("inspection", f"The inspection after {earlier} is still to be made."))
            elif earlier.inspection_status == Operation.Inspection.FAILED:
                found.append(Reason("inspection", f"The inspection after {earlier} failed; ask quality."))
        return found

    def _held_by_quality(self, operation: Operation) -> list[Reason]:
        found = [
            Reason("quality_hold", blocked_by(one))
            for one in self.contained.get(operation.work_order_id, [])
            if one.operation_code in ("", operation.code)
        ]
        if lots := self.held.get(operation.work_order_id):
            found.append(Reason("quality_hold", f"Quality holds what this order made: lot {', '.join(lots[:5])}."))
        return found

    def _material(self, operation: Operation) -> list[Reason]:
        rule = self._policy(operation).missing_material
        if rule == _Rule.IGNORE:
            return []
        site_id = operation.work_order.line.area.site_id
        needed: dict[int, Decimal] = defaultdict(Decimal)
        names = {}
        for material in self.required[operation.pk]:
            needed[material.product_id] += material.quantity_required
            names[material.product_id] = material
        found = []
        for product_id, quantity in needed.items():
            still = max(quantity - self.used.get((operation.work_order_id, product_id), Decimal(0)), Decimal(0))
            there = self.there.get((site_id, product_id), Decimal(0))
            if there < still:
                unit = names[product_id].unit_id
                text = f"{names[product_id].product} is missing: {plain_number(still)} {unit} needed, {plain_number(there)} there."
                found.append(Reason("material", text, rule == _Rule.REFUSE))
        return found

    def _machine(self, operation: Operation) -> list[Reason]:
        rule = self._policy(operation).machine_down
        machines = self.machines[operation.pk]
        if not machines:
            return [Reason("machine", "No machine that is in use can do it.")]
        if all(machine.pk in self.blocked for machine in machines):
            return [Reason("maintenance", words_on(self.blocked[machines[0].pk], machines[0]))]
        if rule == _Rule.IGNORE:
            return []
        troubles = [self._trouble(machine) for machine in machines]
        # Where several machines may do it, one that is well is enough.
        return [] if "" in troubles else [Reason("machine_down", troubles[0], rule == _Rule.REFUSE)]

    def _trouble(self, machine: Machine) -> str:
        until = self.maintained.get(machine.line_id)
        if until is not None:
            local = until.astimezone(machine.line.area.site.zone)
            return f"Maintenance is planned on {machine.line} until {local:%Y-%m-%d %H:%M}."
        state = self.states.get(machine.pk)
        reason = self.reasons.get(state.reason_id) if state else None
        if state is None or reason is None or reason.waits_for:
            return ""
        since = state.since.astimezone(machine.line.area.site.zone)
        if reason.maintenance:
            return f"{machine} is in maintenance since {since:%Y-%m-%d %H:%M}: {reason}."
        if reason.category == StateReason.Category.UNPLANNED:
            return f"{machine} is down since {since:%Y-%m-%d %H:%M}: {reason}."
        return ""

    def _person(self, operation: Operation) -> list[Reason]:
        machines = self.machines[operation.pk]
        if self.employee is None or not machines:
            return []
        lacking = [self._missing_skills(machine) for machine in machines]
        if "" in lacking:
            return []
        return [Reason("certificate", f"{self.employee} has no valid certificate for: {lacking[0]}.")]

    def _missing_skills(self, machine: Machine) -> str:
        if self.employee is not None and machine.pk not in self.missing_skills:
            today = self.now.astimezone(machine.line.area.site.zone).date()
            missing = skills_missing(employee=self.employee, line=machine.line, machine=machine, on=today)
            self.missing_skills[machine.pk] = ", ".join(map(str, missing))
        return self.missing_skills.get(machine.pk, "")
