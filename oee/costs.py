"""What an order costs: material, labour, overhead and scrap, planned against actual, exact.

A rate that is missing makes its sum unknown, and is named; it never counts as nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from django.db.models import Q

from core.intervals import Interval
from labor.models import LaborEntry
from labor.selectors import shares_of
from materials.models import Kind, MaterialTransaction
from products.models import MachineRate, Product, ProductCost
from workorders.models import Operation, OrderMaterial, Run, WorkOrder
from workorders.selectors import target_in_product_unit

_HOUR = 3_600_000_000
_MOST_NAMED = 20


@dataclass(slots=True)
class Amount:
    """A sum of money in the making: unknown as soon as a part of it is, with what is missing by name."""

    known: Fraction = Fraction(0)
    missing: list[str] = field(default_factory=list)

    @property
    def value(self) -> Fraction | None:
        """The sum; None where something is missing."""
        return None if self.missing else self.known

    def add(self, part: Fraction | None, without: str) -> None:
        """Add a part; None = it is not known, for want of `without`."""
        if part is not None:
            self.known += part
        elif without not in self.missing:
            self.missing.append(without)


@dataclass(frozen=True, slots=True)
class CostRow:
    """One kind of cost; None = not known, and `missing` says for want of what."""

    kind: str
    planned: Fraction | None
    actual: Fraction | None
    missing: tuple[str, ...]

    @property
    def difference(self) -> Fraction | None:
        """Actual less planned; None where one is not known."""
        return None if self.planned is None or self.actual is None else self.actual - self.planned


@dataclass(frozen=True, slots=True)
class OrderCosts:
    """Costs of an order in its site's currency. `scrap` is part of material, not beside it."""

    currency: str
    material: CostRow
    labour: CostRow
    overhead: CostRow
    scrap: CostRow

    @property
    def total(self) -> CostRow:
        """Material, labour and overhead together; unknown where one of them is."""
        rows = (self.material, self.labour, self.overhead)
        missing = tuple(dict.fromkeys(name for row in rows for name in row.missing))
        return CostRow(
            "total", _sum([row.planned for row in rows]), _sum([row.actual for row in rows]), missing[:_MOST_NAMED]
        )

    @property
    def rows(self) -> tuple[CostRow, ...]:
        """All rows in the order in which they are read, the total last."""
        return self.material, self.labour, self.overhead, self.scrap, self.total


def costs_of(order: WorkOrder, *, now: datetime) -> OrderCosts:
    """Return what an order was planned to cost and what it cost up to now.

    Planned: the order's materials × standard cost; its operations' labour × the planned rate of an hour; their set-up,
    run and teardown × overhead per hour; planned scrap × the product's standard cost. Planned figures take the rates of
    the order's planned start (else its release, else now). Actual: the ledger × its unit cost, else the standard cost
    then; apportioned labour × the person's rate; the runs × overhead per hour, each at the rates of its time.
    """
    at = order.planned_start_at or order.released_at or now
    site_id = order.line.area.site_id
    steps = list(order.operations.select_related("machine__line", "line").order_by("sequence"))
    facts = list(
        MaterialTransaction.objects.filter(work_order=order)
        .select_related("product", "reverses")
        .order_by("occurred_at", "id")
    )
    planned = list(order.materials.select_related("product"))
    products = {row.product_id for row in planned} | {fact.product_id for fact in facts}
    if order.product_id:
        products.add(order.product_id)
    standard = _Standard(products, site_id)
    runs = list(Run.objects.filter(work_order=order, started_at__lt=now).select_related("line").order_by("started_at"))
    rates = _Rates(order, steps, runs)
    return OrderCosts(
        order.line.area.site.currency,
        _row("material", _planned_material(planned, standard, at), _actual_material(order, facts, standard)),
        _row("labour", _planned_labour(order, steps, rates, at), _actual_labour(order, now)),
        _row("overhead", _planned_overhead(order, steps, rates, at), _actual_overhead(runs, rates, now)),
        _row("scrap", _planned_scrap(order, standard, at), _actual_scrap(facts, standard)),
    )


def _sum(values: Sequence[Fraction | None]) -> Fraction | None:
    known = [value for value in values if value is not None]
    return sum(known, Fraction(0)) if len(known) == len(values) else None


def _row(kind: str, planned: Amount, actual: Amount) -> CostRow:
    missing = tuple(dict.fromkeys([*planned.missing, *actual.missing]))
    return CostRow(kind, planned.value, actual.value, missing[:_MOST_NAMED])


class _Standard:
    """Standard costs of some products at a site, by moment."""

    def __init__(self, product_ids: Iterable[int], site_id: int) -> None:
        self._costs: dict[int, list[ProductCost]] = defaultdict(list)
        for cost in ProductCost.objects.filter(product__in=product_ids, site=site_id):
            self._costs[cost.product_id].append(cost)

    def of(self, product: Product, at: datetime) -> Fraction | None:
        """Return what a unit costs at a moment."""
        return next((Fraction(cost.cost) for cost in self._costs[product.pk] if _holds(cost, at)), None)


def _holds(dated: ProductCost | MachineRate, at: datetime) -> bool:
    return dated.valid_from <= at and (dated.valid_until is None or at < dated.valid_until)


class _Rates:
    """Hourly rates of the lines and machines where an order is made: its own, its operations',
    and those that ran it.
    """

    def __init__(self, order: WorkOrder, steps: Sequence[Operation], runs: Sequence[Run]) -> None:
        lines = {order.line_id} | {step.line_id for step in steps if step.line_id} | {run.line_id for run in runs}
        lines |= {step.machine.line_id for step in steps if step.machine}
        rows = MachineRate.objects.filter(Q(line__in=lines) | Q(machine__line__in=lines)).select_related("machine")
        self._of_line: dict[int, list[MachineRate]] = defaultdict(list)
        self._of_machine: dict[int, list[MachineRate]] = defaultdict(list)
        self._machines: dict[int, set[int]] = defaultdict(set)
        for row in rows:
            if row.line_id is not None:
                self._of_line[row.line_id].append(row)
            elif row.machine is not None:
                self._of_machine[row.machine.pk].append(row)
                self._machines[row.machine.line_id].add(row.machine.pk)

    def at_step(self, order: WorkOrder, step: Operation, at: datetime, name: str) -> Fraction | None:
        """Return an hour's rate where an operation is done: its machine's, or its line's, or the order's line's."""
        if step.machine is not None:
            own = self._value(self._of_machine[step.machine.pk], at, name)
            return own if own is not None else self._value(self._of_line[step.machine.line_id], at, name)
        return self.on_line(step.line_id or order.line_id, at, name)

    def on_line(self, line_id: int, at: datetime, name: str) -> Fraction | None:
        """Return an hour's rate of a line: its own, or those of its machines together."""
        own = self._value(self._of_line[line_id], at, name)
        if own is not None or name != "overhead_per_hour":
            return own
        of_machines = [self._value(self._of_machine[machine], at, name) for machine in self._machines[line_id]]
        known = [value for value in of_machines if value is not None]
        return sum(known, Fraction(0)) if known else None

    def over(self, line_id: int, span: Interval, name: str) -> Fraction | None:
        """Return what a line's hours cost over a span, cut where rates change; None where one is missing."""
        rows = [*self._of_line[line_id], *(row for pk in self._machines[line_id] for row in self._of_machine[pk])]
        cuts = {span.start, span.end}
        cuts |= {at for row in rows for at in (row.valid_from, row.valid_until) if at is not None and span.covers(at)}
        ordered = sorted(cuts)
        total = Fraction(0)
        for start, end in pairwise(ordered):
            rate = self.on_line(line_id, start, name)
            if rate is None:
                return None
            total += rate * Interval(start, end).microseconds / _HOUR
        return total

    def _value(self, rows: Iterable[MachineRate], at: datetime, name: str) -> Fraction | None:
        values = (getattr(row, name) for row in rows if _holds(row, at))
        return next((Fraction(value) for value in values if value is not None), None)


def _planned_material(planned: Sequence[OrderMaterial], standard: _Standard, at: datetime) -> Amount:
    amount = Amount()
    if not planned:
        amount.add(None, "materials of the order")
    for row in planned:
        cost = standard.of(row.product, at)
        amount.add(
            None if cost is None else cost * Fraction(row.quantity_required), f"standard cost of {row.product.code}"
        )
    return amount


def _cost_of(fact: MaterialTransaction, standard: _Standard) -> Fraction | None:
    original = fact.reverses or fact
    if original.unit_cost is not None:
        return Fraction(original.unit_cost)
    return standard.of(fact.product, original.occurred_at)


def _signed(fact: MaterialTransaction) -> tuple[MaterialTransaction, Fraction]:
    """Return what a movement is, or undoes, and its quantity with the sign that follows from that."""
    quantity = Fraction(fact.quantity)
    return (fact.reverses, -quantity) if fact.reverses is not None else (fact, quantity)


def _actual_material(order: WorkOrder, facts: Sequence[MaterialTransaction], standard: _Standard) -> Amount:
    """Used less returned, less what came out beside the order's product."""
    amount, booked = Amount(), False
    for fact in facts:
        what, quantity = _signed(fact)
        if what.kind == Kind.CONSUME or (what.kind == Kind.ISSUE and what.to_location_id is None):
            sign = 1
        elif (what.kind == Kind.RETURN and what.from_location_id is None) or (
            what.kind == Kind.PRODUCE and what.product_id != order.product_id and order.product_id is not None
        ):
            sign = -1
        else:
            continue
        booked = True
        cost = _cost_of(fact, standard)
        amount.add(None if cost is None else sign * quantity * cost, f"standard cost of {fact.product.code}")
    if not booked:
        amount.add(None, "movements of the order")
    return amount


def _hours(step: Operation, quantity: Fraction) -> Fraction | None:
    """Return the standard hours of an operation: set-up + run × quantity + teardown;
    None when the run time is unknown.
    """
    if step.run_time_per_unit is None:
        return None
    seconds = Fraction(step.setup_time or 0) + Fraction(step.run_time_per_unit) * quantity
    return (seconds + Fraction(step.teardown_time or 0)) / 3600


def _planned_labour(order: WorkOrder, steps: Sequence[Operation], rates: _Rates, at: datetime) -> Amount:
    amount, quantity = Amount(), target_in_product_unit(order)
    if not steps:
        amount.add(None, "operations of the order")
    for step in steps:
        hours = None
        if step.labour_hours is not None:
            hours = Fraction(step.labour_hours) * quantity
        elif step.crew_size is not None:
            taken = _hours(step, quantity)
            hours = None if taken is None else taken * Fraction(step.crew_size)
        if hours is None:
            amount.add(None, f"labour hours of operation {step.code}")
            continue
        rate = rates.at_step(order, step, at, "labour_per_hour")
        amount.add(None if rate is None else hours * rate, f"labour rate of operation {step.code}")
    return amount


def _planned_overhead(order: WorkOrder, steps: Sequence[Operation], rates: _Rates, at: datetime) -> Amount:
    amount, quantity = Amount(), target_in_product_unit(order)
    if not steps:
        amount.add(None, "operations of the order")
    for step in steps:
        hours = _hours(step, quantity)
        if hours is None:
            amount.add(None, f"run time of operation {step.code}")
            continue
        rate = rates.at_step(order, step, at, "overhead_per_hour")
        amount.add(None if rate is None else hours * rate, f"overhead rate of operation {step.code}")
    return amount


def _actual_labour(order: WorkOrder, now: datetime) -> Amount:
    """Return the apportioned time of people on the order × what their hour costs."""
    amount = Amount()
    own = LaborEntry.objects.filter(work_order=order, started_at__lt=now)
    entries = list(own.select_related("employee"))
    if not entries:
        amount.add(None, "labour entries of the order")
        return amount
    window = Interval(
        min(entry.started_at for entry in entries), min(now, max(entry.ended_at or now for entry in entries))
    )
    people = {entry.employee_id: entry.employee for entry in entries}
    beside: dict[int, list[LaborEntry]] = defaultdict(list)
    for entry in LaborEntry.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=window.start), employee__in=people, started_at__lt=window.end
    ):
        beside[entry.employee_id].append(entry)
    ours = {entry.pk for entry in entries}
    for employee_id, employee in people.items():
        shares = shares_of(beside[employee_id], window)
        seconds = sum((share for pk, share in shares.items() if pk in ours), Fraction(0))
        rate = employee.hourly_rate
        amount.add(None if rate is None else seconds / 3600 * Fraction(rate), f"hourly rate of {employee.code}")
    return amount


def _actual_overhead(runs: Sequence[Run], rates: _Rates, now: datetime) -> Amount:
    amount = Amount()
    if not runs:
        amount.add(None, "runs of the order")
    for run in runs:
        end = min(run.ended_at or now, now)
        if run.started_at < end:
            cost = rates.over(run.line_id, Interval(run.started_at, end), "overhead_per_hour")
            amount.add(cost, f"overhead rate of line {run.line.code}")
    return amount


def _planned_scrap(order: WorkOrder, standard: _Standard, at: datetime) -> Amount:
    amount, product = Amount(), order.product
    if product is None:
        amount.add(None, "product of the order")
    elif product.planned_scrap is None:
        amount.add(None, f"planned scrap of {product.code}")
    else:
        cost = standard.of(product, at)
        pieces = target_in_product_unit(order) * Fraction(product.planned_scrap)
        amount.add(None if cost is None else pieces * cost, f"standard cost of {product.code}")
    return amount


def _actual_scrap(facts: Sequence[MaterialTransaction], standard: _Standard) -> Amount:
    """Return what the order made wrong, as the ledger has it; nothing scrapped costs nothing."""
    amount = Amount()
    for fact in facts:
        what, quantity = _signed(fact)
        # What is thrown away from stock later left the order before.
        if what.kind == Kind.SCRAP and what.from_location_id is None:
            cost = _cost_of(fact, standard)
            amount.add(None if cost is None else quantity * cost, f"standard cost of {fact.product.code}")
    return amount
