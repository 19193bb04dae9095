"""Write a work log's orders, steps, spans, quantities and labour through the services,
once however often it is imported.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from core import master_data
from core.errors import Conflict, DomainError
from enterprise.models import Line, Machine
from execution.models import OperationRun, OperationStep, ProductionReport, ScrapReason
from execution.reporting import report_production
from execution.services import record_operation_run, record_pause
from execution.taking import Quantities, Taken
from labor.models import Employee, LaborEntry, TerminalCommand
from labor.services import record_attendance, record_labor
from products.models import Product
from products.services import ensure_unit
from simulator.replay.order_log import (
    PAUSE,
    PRODUCTION,
    SETUP,
    OrderLog,
    OrderLogMapping,
    Row,
    Stretch,
    days_of,
    step_codes,
    stretches,
)
from simulator.replay.services import NotPrepared
from simulator.replay.work_log import code_of
from workorders.models import Operation, Step, WorkOrder
from workorders.services import add_operation, release_order, save_order

NO_SPAN = "Reported for a moment, without a span."
ACCOUNT = "work-log-import"
_LABOUR = {
    PRODUCTION: LaborEntry.Kind.DIRECT,
    SETUP: LaborEntry.Kind.SETUP,
    PAUSE: LaborEntry.Kind.MAINTENANCE,
}
_RUN = {PRODUCTION: OperationRun.Kind.PRODUCTION, SETUP: OperationRun.Kind.SETUP}


@dataclass(slots=True)
class Imported:
    """What became of a log: how many rows are new, how many were known, and which were refused: (line, why)."""

    new: int = 0
    known: int = 0
    orders: int = 0
    attendances: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plant:
    """What the log's names are in the plant, by code."""

    line: Line
    machines: dict[str, Machine]
    products: dict[str, Product]
    employees: dict[str, Employee]
    reasons: dict[str, ScrapReason]

    @classmethod
    def of(cls, log: OrderLog, mapping: OrderLogMapping, line: Line) -> "Plant":
        """Look everything up. Raises NotPrepared, listing what is missing."""
        machines = Machine.objects.select_related("line__area__site").filter(line__area__site=line.area.site_id)
        employees = Employee.objects.select_related("site").filter(site=line.area.site_id)
        asked: list[tuple[str, set[str], Any]] = [
            ("machine", {code_of(row.machine) for row in log.rows}, machines),
            ("product", {code_of(row.part) for row in log.rows}, Product.objects),
            ("employee", {code_of(row.worker) for row in log.rows if row.worker}, employees),
            ("scrap reason", {column.reason for column in mapping.scrap}, ScrapReason.objects),
        ]
        found: list[dict[str, Any]] = []
        missing: list[str] = []
        for kind, codes, rows in asked:
            known = {thing.code: thing for thing in rows.filter(code__in=codes)}
            missing += [f"{kind} {code}" for code in sorted(codes - known.keys())]
            found.append(known)
        if missing:
            raise NotPrepared(missing)
        return cls(line, *found)


@transaction.atomic
def prepare_plant(log: OrderLog, mapping: OrderLogMapping, line: Line) -> list[str]:
    """Make the machines, parts, workers and scrap reasons that a log names and the plant lacks;
    return what was made.
    """
    made = []
    names: dict[Any, dict[str, str]] = {
        Machine: {code_of(row.machine): row.machine for row in log.rows},
        Product: {code_of(row.part): row.part for row in log.rows},
        Employee: {code_of(row.worker): row.worker for row in log.rows if row.worker},
        ScrapReason: {column.reason: column.name for column in mapping.scrap},
    }
    more: dict[Any, dict[str, Any]] = {
        Machine: {"line": line},
        Product: {"unit": ensure_unit(code=mapping.unit)},
        Employee: {"site": line.area.site},
        ScrapReason: {},
    }
    for kind, by_code in names.items():
        known = set(kind.objects.filter(code__in=by_code).values_list("code", flat=True))
        for code, name in by_code.items():
            if code not in known:
                master_data.save(kind(code=code, name=name, **more[kind]))
                made.append(f"{kind._meta.verbose_name} {code}")
    return made


def importer() -> User:
    """Return the account that imports are written in the name of: it has no password and no role."""
    found = User.objects.filter(username=ACCOUNT).first()
    return found or User.objects.create_user(username=ACCOUNT, password=None)


def import_orders(
    log: OrderLog,
    mapping: OrderLogMapping,
    *,
    line: Line,
    actor: User,
    recorded_at: datetime,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Imported:
    """Write a log's orders with all that was done for them, a transaction each; `progress` is told (done, of) in rows.

    A second time changes nothing. Raises NotPrepared when the plant lacks what the log names.
    """
    plant = Plant.of(log, mapping, line)
    outcome, done = Imported(), 0
    for case, rows in log.cases().items():
        try:
            with transaction.atomic():
                _Case(case, rows, plant, actor, recorded_at, outcome).write()
        except (DomainError, ValidationError) as refusal:
            outcome.refused += [(row.line, _words(refusal)) for row in rows]
        done += len(rows)
        progress(done, len(log.rows))
    if mapping.attendance_gap is not None:
        for worker, days in days_of(log.rows, mapping.attendance_gap).items():
            for day in days:
                try:
                    _, is_new = record_attendance(
                        employee=plant.employees[code_of(worker)],
                        started_at=day.start,
                        ended_at=day.end,
                        actor=actor,
                        recorded_at=recorded_at,
                    )
                    outcome.attendances += is_new
                except Conflict as refusal:
                    outcome.remarks.append((0, f"{day.start:%Y-%m-%d %H:%M} UTC: {refusal.message}"))
    return outcome


def _words(refusal: DomainError | ValidationError) -> str:
    return refusal.message if isinstance(refusal, DomainError) else " ".join(refusal.messages)


class _Case:
    """One case of a log, as it is written."""

    def __init__(
        self, number: str, rows: list[Row], plant: Plant, actor: User, recorded_at: datetime, outcome: Imported
    ) -> None:
        self.number, self.rows, self.plant = number, rows, plant
        self.actor, self.recorded_at, self.outcome = actor, recorded_at, outcome
        self.stretches = stretches(rows)
        self.known = _known(key for stretch in self.stretches for key in _keys(stretch))

    def write(self) -> None:
        fresh = [stretch for stretch in self.stretches if not _keys(stretch) <= self.known]
        self.outcome.known += sum(len(stretch.rows) for stretch in self.stretches) - sum(len(s.rows) for s in fresh)
        if not fresh:
            return
        order = self._order()
        operations = self._operations(order)
        for stretch in fresh:
            try:
                with transaction.atomic():
                    self._stretch(stretch, order, operations[stretch.rows[0].step])
                self.outcome.new += len(stretch.rows)
            except (DomainError, ValidationError) as refusal:
                self.outcome.refused += [(row.line, _words(refusal)) for row in stretch.rows]

    def _order(self) -> WorkOrder:
        first = self.rows[0]
        product = self.plant.products[code_of(first.part)]
        order = WorkOrder.objects.filter(order_number=self.number).first()
        if order is None:
            order = WorkOrder(
                order_number=self.number, line=self.plant.line, product=product, target_quantity=first.target
            )
            order.step = Step(at=first.start, actor=self.actor, note="Imported from a work log.")
            order = save_order(work_order=order, at=first.start)
            self.outcome.orders += 1
        elif order.product_id != product.pk or order.line.area.site_id != self.plant.line.area.site_id:
            raise Conflict(f"There is an order {self.number} already, of {order.product} at {order.line}.")
        if order.released_at is None:
            order = release_order(work_order=order, at=first.start, actor=self.actor)
        return order

    def _operations(self, order: WorkOrder) -> dict[str, Operation]:
        """Return the order's steps by the log's names for them: those that it has by that name or code,
        the others added.
        """
        found = {}
        known = list(order.operations.select_related("work_order__line__area"))
        for name, code in step_codes(self.rows).items():
            same = next((one for one in known if name == one.name), None)
            same = same or next((one for one in known if code == one.code), None)
            machines = {code_of(row.machine) for row in self.rows if row.step == name}
            found[name] = same or add_operation(
                work_order=order,
                code=code,
                name=name,
                actor=self.actor,
                # Where it was done in several places, none of them is its own.
                machine=self.plant.machines[machines.pop()] if len(machines) == 1 else None,
            )
        return found

    def _stretch(self, stretch: Stretch, order: WorkOrder, operation: Operation) -> None:
        first = stretch.rows[0]
        machine = self.plant.machines[code_of(first.machine)]
        employee = self.plant.employees[code_of(first.worker)] if first.worker else None
        for key, part in zip(_span_keys(stretch), stretch.parts, strict=True):
            taken = self._taken(part.end, employee, key)
            if stretch.work == PAUSE:
                why = replace(taken, reason="Breakdown")
                record_pause(operation=operation, started_at=part.start, taken=why, machine=machine)
            else:
                record_operation_run(
                    operation=operation,
                    machine=machine,
                    started_at=part.start,
                    taken=taken,
                    kind=_RUN[stretch.work],
                )
        for row in stretch.rows:
            if employee is not None and row.span is not None:
                record_labor(
                    employee=employee,
                    kind=_LABOUR[row.work],
                    started_at=row.start,
                    ended_at=row.end,
                    actor=self.actor,
                    recorded_at=self.recorded_at,
                    work_order=order,
                    operation=operation.code,
                    machine=machine,
                    quantity_produced=row.good,
                    quantity_rejected=sum(row.scrap.values(), Decimal(0)),
                    idempotency_key=_labour_key(row),
                )
            for key, quantities in self._reports(row):
                report_production(
                    operation=operation,
                    quantities=quantities,
                    taken=self._taken(row.end, employee, key),
                    machine=machine,
                    begins=not stretch.parts,
                )

    def _taken(self, at: datetime, employee: Employee | None, key: str) -> Taken:
        return Taken(at=at, recorded_at=self.recorded_at, actor=self.actor, employee=employee, idempotency_key=key)

    def _reports(self, row: Row) -> list[tuple[str, Quantities]]:
        """Return the reports of a row: good pieces with the first sort of scrap, and one for each further sort."""
        note = NO_SPAN if row.span is None else "Row of rework." if row.is_rework else ""
        scraps = [(self.plant.reasons[reason], quantity) for reason, quantity in row.scrap.items() if quantity]
        first = scraps[0] if scraps else (None, Decimal(0))
        reports = [
            Quantities(
                good=Decimal(0) if row.is_rework else row.good,
                rework=row.good if row.is_rework else Decimal(0),
                scrap=first[1],
                scrap_reason=first[0],
                note=note,
            ),
            *(Quantities(scrap=quantity, scrap_reason=reason, note=note) for reason, quantity in scraps[1:]),
        ]
        return list(zip(_report_keys(row), (one for one in reports if one), strict=True))


def _span_keys(stretch: Stretch) -> list[str]:
    return [f"log-{stretch.key}-{number}" for number in range(len(stretch.parts))]


def _labour_key(row: Row) -> str:
    return f"log-{row.key}-labour"


def _report_keys(row: Row) -> list[str]:
    scraps = sum(1 for quantity in row.scrap.values() if quantity)
    return [f"log-{row.key}-{number}" for number in range(max(scraps, 1 if row.good else 0))]


def _keys(stretch: Stretch) -> set[str]:
    """Return the keys of all that a stretch leaves behind."""
    keys = set(_span_keys(stretch))
    for row in stretch.rows:
        keys.update(_report_keys(row))
        if row.worker and row.span is not None:
            keys.add(_labour_key(row))
    return keys


def _known(keys: Iterable[str]) -> set[str]:
    asked = list(keys)
    kinds: list[tuple[Any, str]] = [
        (OperationStep.objects, "idempotency_key"),
        (ProductionReport.objects, "idempotency_key"),
        (TerminalCommand.objects, "key"),
    ]
    return {key for rows, name in kinds for key in rows.filter(**{f"{name}__in": asked}).values_list(name, flat=True)}
