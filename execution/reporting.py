"""Write what came of work on operations: reports, their reversal, and readings of set-points."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.db import transaction

from accounts.models import User
from core import master_data
from core.errors import Conflict, Invalid
from core.fact_api import refuse_future
from core.locks import take_turns
from enterprise.models import Machine
from execution import reported
from execution.line_runs import was_begun
from execution.models import ParameterReading, ProductionReport, ScrapReason
from execution.taking import (
    Quantities,
    Taken,
    allowed_actions,
    lock_operation,
    refuse_ahead,
    refuse_over,
    refuse_strange_machine,
    refuse_stranger,
    tell,
)
from materials.automatic_backflush import backflush_report, take_back
from products.models import UnitOfMeasure
from products.units import convert
from workorders.models import Operation, OrderParameter, WorkOrder

_Status, _Source = Operation.Status, Operation.CountingSource
MAX_QUANTITY = Decimal(10) ** 12
_LARGEST_FACTOR = 10**40


@transaction.atomic
def report_production(
    *,
    operation: Operation,
    quantities: Quantities,
    taken: Taken,
    machine: Machine | None = None,
    begins: bool = False,
    says_why: bool = False,
) -> tuple[ProductionReport, bool]:
    """Append what came of an operation, good pieces, scrap and rework in one action; return it and whether it is new.

    With `begins`, what is reported of the past says that the operation was begun by then. With `says_why`, the note
    says why something was scrapped, and no reason of the list is asked for.

    Raises Invalid for what the operation's counting source does not let people say, Conflict for an operation that
    nobody has begun or an order that is over.
    """
    key = taken.idempotency_key
    if key:
        take_turns(f"production report {key}")
        known = ProductionReport.objects.filter(idempotency_key=key).first()
        if known is not None:
            if not _is_the_same(known, operation, quantities):
                raise Conflict(f"Another report was made under the key '{key}'; it stays.", field="idempotency_key")
            return known, False
    operation = lock_operation(operation, moves_runs=False)
    refuse_ahead(taken)
    refuse_over(operation)
    refuse_stranger(taken.employee, operation)
    if begins:
        was_begun(operation, taken.at, taken)
        master_data.save(operation)
    elif operation.status in (_Status.PENDING, _Status.READY, _Status.SKIPPED):
        can = ", ".join(allowed_actions(operation, is_running=False, has_run=False)) or "nothing"
        raise Conflict(f"Nobody has begun {operation}; what can be done: {can}.", field="operation", code="step")
    refuse_strange_machine(machine, operation)
    if not says_why:
        refuse_unexplained(quantities)
    report = append_report(operation, quantities, machine=machine, taken=taken, key=key or None)
    tell(operation)
    return report, True


@transaction.atomic
def reverse_report(
    *, report: ProductionReport, actor: User, recorded_at: datetime, note: str, idempotency_key: str | None = None
) -> tuple[ProductionReport, bool]:
    """Take a report back by one with the opposite quantities, saying why; return it and whether it is new."""
    if idempotency_key:
        take_turns(f"production report {idempotency_key}")
    operation = lock_operation(report.operation, moves_runs=False)
    known = ProductionReport.objects.filter(reverses=report).first()
    if known is not None:
        if not idempotency_key or known.idempotency_key != idempotency_key:
            raise Conflict("That report is taken back already.", field="reverses")
        return known, False
    if idempotency_key and ProductionReport.objects.filter(idempotency_key=idempotency_key).exists():
        raise Conflict(f"Another report was made under the key '{idempotency_key}'.", field="idempotency_key")
    if report.reverses_id is not None:
        raise Invalid("What takes a report back is not taken back; report anew.", field="reverses")
    if not note.strip():
        raise Invalid("Say why.", field="note")
    refuse_over(operation)
    reversal = ProductionReport.objects.create(
        **{name: getattr(report, name) for name in ("operation", "machine", "employee", "unit", "scrap_reason")},
        **{name: getattr(report, name) for name in ("factor_numerator", "factor_denominator", "occurred_at")},
        **{name: -getattr(report, name) for name in ("good", "scrap", "rework")},
        note=note.strip(),
        recorded_at=recorded_at,
        recorded_by=actor,
        idempotency_key=idempotency_key or None,
        reverses=report,
    )
    take_back(
        idempotency_key=_used_by(report),
        reason=note.strip(),
        actor=actor,
        occurred_at=report.occurred_at,
        recorded_at=recorded_at,
    )
    reported.confirmed(reversal)
    tell(operation)
    return reversal, True


def _used_by(report: ProductionReport) -> str:
    """Return the key under which is booked what a report used."""
    return f"report {report.pk}"


def append_report(
    operation: Operation, quantities: Quantities, *, machine: Machine | None, taken: Taken, key: str | None
) -> ProductionReport:
    """Append a report of a locked operation, and book the material that it used."""
    said = _resolved(quantities)
    _refuse_unfit(operation, said)
    factor = _factor(operation.work_order, said.unit)
    report = ProductionReport.objects.create(
        operation=operation,
        machine=machine,
        employee=taken.employee,
        **{name: getattr(said, name) for name in ("good", "scrap", "rework", "unit", "scrap_reason")},
        **{name: getattr(said, name) for name in ("counter_start", "counter_end", "note")},
        factor_numerator=Decimal(factor.numerator),
        factor_denominator=Decimal(factor.denominator),
        occurred_at=taken.at,
        recorded_at=taken.recorded_at,
        recorded_by=taken.actor,
        idempotency_key=key,
    )
    reported.confirmed(report)
    backflush_report(
        operation=operation,
        quantity=Fraction(report.good + report.scrap + report.rework) * report.factor,
        actor=taken.actor,
        occurred_at=taken.at,
        recorded_at=taken.recorded_at,
        idempotency_key=_used_by(report),
    )
    return report


def _resolved(quantities: Quantities) -> Quantities:
    """Return quantities with the good pieces that a hand counter's two readings give."""
    for name in ("good", "scrap", "rework"):
        value = getattr(quantities, name)
        if value < 0:
            raise Invalid("A quantity is not negative; take a wrong report back.", field=name)
        if value >= MAX_QUANTITY:
            raise Invalid("That is more than can be stored.", field=name)
    start, end = quantities.counter_start, quantities.counter_end
    if start is None and end is None:
        if not (quantities.good or quantities.scrap or quantities.rework):
            raise Invalid("Report good pieces, scrap or rework.", field="good")
        return quantities
    if start is None or end is None:
        raise Invalid("Give both readings of the counter.", field="counter_start" if start is None else "counter_end")
    if quantities.good:
        raise Invalid("The counter's readings say how many; leave the good pieces out.", field="good")
    if end < start:
        raise Invalid("The second reading is not below the first.", field="counter_end")
    good = end - start - quantities.scrap - quantities.rework
    if good < 0:
        raise Invalid("That is more scrap and rework than the counter counted.", field="scrap")
    if end == start:
        raise Invalid("The counter did not move.", field="counter_end")
    return replace(quantities, good=good)


def _refuse_unfit(operation: Operation, said: Quantities) -> None:
    if operation.counting_source == _Source.MACHINE:
        raise Invalid("The machine counts this operation; correct the machine's counts instead.", field="operation")
    if operation.counting_source == _Source.BOTH and said.good:
        raise Invalid("The machine counts the good pieces of this operation; report scrap and rework.", field="good")
    if said.scrap_reason is not None and not said.scrap_reason.is_active:
        raise Invalid("That reason is not in use any more.", field="scrap_reason")


def refuse_unexplained(said: Quantities) -> None:
    """Raise Invalid for scrap without a reason where the plant has reasons."""
    if said.scrap and said.scrap_reason is None and ScrapReason.objects.filter(is_active=True).exists():
        raise Invalid("Say why it was scrapped.", field="scrap_reason")


def _factor(order: WorkOrder, unit: UnitOfMeasure | None) -> Fraction:
    """Return how many of the order's unit one of a unit is."""
    own = order.unit or (order.product.unit if order.product else None)
    if unit is None or own is None or unit.code == own.code:
        if unit is not None and own is None:
            raise Invalid("The order has no unit; leave it out.", field="unit")
        return Fraction(1)
    try:
        factor = convert(1, unit, own, order.product)
    except Invalid as refusal:
        raise Invalid(refusal.message, field="unit") from None
    if max(factor.numerator, factor.denominator) >= _LARGEST_FACTOR:
        raise Invalid("That unit converts by too long a number.", field="unit")
    return factor


def _is_the_same(known: ProductionReport, operation: Operation, quantities: Quantities) -> bool:
    said = _resolved(quantities)
    names = ("good", "scrap", "rework", "counter_start", "counter_end", "scrap_reason")
    return known.operation_id == operation.pk and all(getattr(known, name) == getattr(said, name) for name in names)


@transaction.atomic
def record_reading(
    *,
    parameter: OrderParameter,
    value: Decimal,
    occurred_at: datetime,
    actor: User,
    recorded_at: datetime,
    note: str = "",
) -> tuple[ParameterReading, bool]:
    """Append what a set-point really was at a moment; return it and whether it is new.

    Raises Conflict when another value is stored for that moment.
    """
    refuse_future(occurred_at, recorded_at)
    refuse_over(parameter.operation)
    reading, is_new = ParameterReading.objects.get_or_create(
        parameter=parameter,
        occurred_at=occurred_at,
        defaults={"value": value, "recorded_by": actor, "recorded_at": recorded_at, "note": note.strip()},
    )
    if reading.value != value:
        raise Conflict("Another value is stored for this moment; the stored one stays.", field="value")
    return reading, is_new
