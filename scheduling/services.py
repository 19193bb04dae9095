"""Suggest where orders go, and take a suggestion over into the schedule."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core.errors import Conflict, Invalid
from core.intervals import Interval, microseconds
from core.locks import take_turns
from enterprise.models import Line, Machine
from enterprise.selectors import reference_machines, shifts_of_all
from materials.availability import Need, shortages
from materials.selectors import used_by_orders
from products.models import IdealRate
from scheduling.availability import material_needs, short_words
from scheduling.dispatching import Bar, Busy, Job, LineTime, Plan, Shift, dispatch, with_less_setup
from workorders.models import ChangeoverTarget, Operation, OrderMaterial, Run, Schedule, WorkOrder
from workorders.placing import OVER, place, refuse_strange
from workorders.selectors import target_in_product_unit, target_of
from workorders.services import save_order

MOST_ORDERS, MOST_ORDERS_FOR_SETUP, MOST_LINES = 200, 30, 50
HORIZON = timedelta(days=60)
"""How far ahead a suggestion looks."""
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Suggested:
    """An entry that is suggested: a part of a bar, within one shift."""

    work_order: WorkOrder
    operation: Operation | None
    line: Line
    planned_start_at: datetime
    planned_end_at: datetime
    planned_quantity: Decimal | None
    setup: timedelta
    why: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Entries in the order of their start, the orders that have no place with the reason, and all set-up time."""

    entries: tuple[Suggested, ...]
    refused: tuple[tuple[WorkOrder, str], ...]
    setup: timedelta
    lateness: timedelta


def suggest(
    *,
    orders: Sequence[WorkOrder],
    start: datetime,
    now: datetime,
    lines: Sequence[Line] | None = None,
    direction: str = "forward",
    less_setup: bool = False,
    efficiency: Fraction = Fraction(1),
) -> Suggestion:
    """Return where orders could go from a moment on, on their own lines or those given; nothing is written.

    A job takes its quantity × the ideal time of product and machine (else the routing's run time) / `efficiency`, after
    the set-up that the changeover targets give. What is planned already stays. Raises Invalid for too many orders or
    lines, for a direction that is none, and for less set-up backward.
    """
    refuse_strange(start, field="start")
    _refuse_unfit(orders, lines, direction, less_setup, efficiency)
    open_orders = [order for order in orders if order.status not in OVER]
    refused = [(order, f"it is {order.get_status_display().lower()}") for order in orders if order.status in OVER]
    planned = set(
        Schedule.objects.filter(work_order__in=open_orders, kind=Schedule.Kind.PRODUCTION)
        .exclude(status=Schedule.Status.CANCELLED)
        .values_list("work_order", flat=True)
    )
    refused += [(order, "it is planned already") for order in open_orders if order.pk in planned]
    open_orders = [order for order in open_orders if order.pk not in planned]
    window = Interval(start, start + HORIZON)
    asked = _Asked(open_orders, lines, window, now, efficiency)
    refused += asked.refused
    zone = asked.zone
    common = (asked.jobs, asked.lines, window, asked.setup)
    if less_setup:
        plan = with_less_setup(*common, say=lambda at: _say(at, zone))
    else:
        plan = dispatch(*common, backward=direction == "backward", say=lambda at: _say(at, zone))
    warnings = _material_warnings(plan, asked, now)
    entries = [entry for bar in plan.bars for entry in _entries(bar, asked, warnings.get(bar.job.key, ()))]
    refused += [(asked.orders[_order_id(job)], why) for job, why in plan.refused]
    return Suggestion(
        tuple(sorted(entries, key=lambda entry: (entry.planned_start_at, entry.line.pk))),
        tuple(sorted(refused, key=lambda pair: (pair[0].order_number, pair[1]))),
        timedelta(microseconds=plan.setup),
        timedelta(microseconds=plan.tardiness),
    )


def _refuse_unfit(
    orders: Sequence[WorkOrder], lines: Sequence[Line] | None, direction: str, less_setup: bool, efficiency: Fraction
) -> None:
    most = MOST_ORDERS_FOR_SETUP if less_setup else MOST_ORDERS
    if len(orders) > most:
        raise Invalid(f"At most {most} orders at once.", field="orders")
    if len({order.line.area.site_id for order in orders}) > 1:
        raise Invalid("Name orders of one site.", field="orders")
    if lines is not None and len(lines) > MOST_LINES:
        raise Invalid(f"At most {MOST_LINES} lines at once.", field="lines")
    if direction not in ("forward", "backward"):
        raise Invalid("Say forward or backward.", field="direction")
    if less_setup and direction == "backward":
        raise Invalid("Less set-up is looked for forward only.", field="less_setup")
    if not 0 < efficiency <= 1:
        raise Invalid("The efficiency is more than 0 and at most 1.", field="efficiency")


def _say(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"


def _order_id(job: Job) -> int:
    return int(job.key.partition("/")[0])


class _Asked:
    """What the dispatching rule needs to know of orders and lines, looked up once for all of them."""

    def __init__(
        self,
        orders: Sequence[WorkOrder],
        lines: Sequence[Line] | None,
        window: Interval,
        now: datetime,
        efficiency: Fraction,
    ) -> None:
        self.orders = {order.pk: order for order in sorted(orders, key=lambda order: order.pk)}
        self.operations = {
            operation.pk: operation
            for operation in Operation.objects.filter(work_order__in=self.orders)
            .exclude(status__in=(Operation.Status.COMPLETED, Operation.Status.SKIPPED))
            .select_related("machine")
            .order_by("work_order", "sequence")
        }
        self.window, self.efficiency = window, efficiency
        self.chosen = None if lines is None else {line.pk for line in lines}
        classes = self._lines_of_classes()
        self.steps = {pk: self._steps(pk, classes) for pk in self.orders}
        wanted = {pk for steps in self.steps.values() for _, line_ids in steps for pk in line_ids}
        site_ids = {order.line.area.site_id for order in orders}
        found = Line.objects.filter(pk__in=wanted, is_active=True, area__site__in=site_ids)
        self.line_of = {line.pk: line for line in found.select_related("area__site")}
        self.zone = next((line.area.site.zone for line in self.line_of.values()), ZoneInfo("UTC"))
        self.machines = reference_machines(self.line_of)
        self.rates = self._rates()
        self.targets = list(
            ChangeoverTarget.objects.filter(Q(line__in=self.line_of) | Q(line__isnull=True)).order_by("pk")
        )
        self.refused: list[tuple[WorkOrder, str]] = []
        self.jobs = [job for pk in self.orders for job in self._jobs(pk)]
        self.lines = self._line_times(now)

    def setup(self, line_id: int, before: int | None, after: int | None) -> int | None:
        """Return what a changeover may take on a line, in µs; None when no target says so."""
        if before is None or after is None:
            return None
        target = target_of([one for one in self.targets if one.line_id in (None, line_id)], before, after)
        return None if target is None else microseconds(target)

    def _lines_of_classes(self) -> Mapping[int, set[int]]:
        wanted = {operation.machine_class_id for operation in self.operations.values() if operation.machine_class_id}
        found: dict[int, set[int]] = defaultdict(set)
        for class_id, line_id in Machine.objects.filter(machine_class__in=wanted, is_active=True).values_list(
            "machine_class", "line"
        ):
            found[class_id].add(line_id)
        return found

    def _steps(self, order_id: int, classes: Mapping[int, set[int]]) -> list[tuple[list[Operation], set[int]]]:
        """Return the stretches of an order's operations that stay on one line, with the lines that can do each."""
        order = self.orders[order_id]
        own = {order.line_id}
        steps: list[tuple[list[Operation], set[int]]] = []
        for operation in (one for one in self.operations.values() if one.work_order_id == order_id):
            if operation.line_id is not None:
                where = {operation.line_id}
            elif operation.machine is not None:
                where = {operation.machine.line_id}
            elif operation.machine_class_id is not None:
                where = classes.get(operation.machine_class_id, set())
            else:
                where = own
            if steps and steps[-1][1] == where:
                steps[-1][0].append(operation)
            else:
                steps.append(([operation], where))
        if len(steps) <= 1:
            # An order on one line is planned as a whole; the lines that were asked for can make it, where they can.
            where = steps[0][1] if steps and steps[0][1] != own else (self.chosen or own)
            return [(steps[0][0] if steps else [], where if self.chosen is None else where & self.chosen)]
        return steps

    def _rates(self) -> Mapping[tuple[int, int], Fraction]:
        """Return ideal seconds per piece, by (product, machine), as they hold when the plan begins."""
        at = self.window.start
        rates = IdealRate.objects.filter(
            Q(valid_until__isnull=True) | Q(valid_until__gt=at),
            product__in={order.product_id for order in self.orders.values()},
            machine__in={machine.pk for machine in self.machines.values()},
            valid_from__lte=at,
        )
        return {(rate.product_id, rate.machine_id): rate.ideal_cycle_time for rate in rates}

    def _jobs(self, order_id: int) -> list[Job]:
        order, steps = self.orders[order_id], self.steps[order_id]
        quantity = target_in_product_unit(order)
        jobs: list[Job] = []
        for number, (operations, line_ids) in enumerate(steps):
            durations = {}
            for line_id in line_ids & set(self.line_of):
                seconds = self._seconds_per_unit(order, operations, line_id)
                if seconds:
                    durations[line_id] = max(1, ceil(quantity * seconds / self.efficiency * _SECOND))
            if not durations:
                self.refused.append((order, self._no_time(order, line_ids)))
                return []
            setups = [operation.setup_time for operation in operations if operation.setup_time is not None]
            key = f"{order_id}/{operations[0].pk if len(steps) > 1 else 0}"
            jobs.append(
                Job(
                    key=key,
                    number=order.order_number,
                    product_id=order.product_id,
                    durations=durations,
                    due=order.due_at or order.planned_end_at,
                    priority=order.priority,
                    step=number,
                    after=jobs[-1].key if jobs else None,
                    setup=ceil(Fraction(max(setups, default=Decimal(0))) * _SECOND),
                )
            )
        return jobs

    def _seconds_per_unit(self, order: WorkOrder, operations: Sequence[Operation], line_id: int) -> Fraction | None:
        machine = self.machines.get(line_id)
        if machine is not None and order.product_id is not None:
            rate = self.rates.get((order.product_id, machine.pk))
            if rate is not None:
                return rate
        # Operations of one line work at the same time on different pieces: the slowest sets the pace.
        times = [Fraction(one.run_time_per_unit) for one in operations if one.run_time_per_unit is not None]
        return max(times, default=None)

    def _no_time(self, order: WorkOrder, line_ids: set[int]) -> str:
        names = ", ".join(str(self.line_of[pk]) for pk in sorted(line_ids) if pk in self.line_of)
        if not names:
            return "no line that was asked for can make it"
        return f"nobody knows how fast {order.product or 'it'} is made on {names}: set an ideal rate or a run time"

    def _line_times(self, now: datetime) -> dict[int, LineTime]:
        machines = list(self.machines.values())
        calendars = shifts_of_all(machines, self.window) if machines else {}
        busy: dict[int, list[Busy]] = defaultdict(list)
        entries = Schedule.objects.filter(
            line__in=self.line_of, planned_end_at__gt=self.window.start, planned_start_at__lt=self.window.end
        ).exclude(status=Schedule.Status.CANCELLED)
        for entry in entries.select_related("work_order").order_by("planned_start_at", "pk"):
            busy[entry.line_id].append(_busy(entry))
        last = self._last_products(now)
        found = {}
        for pk, line in self.line_of.items():
            machine = self.machines.get(pk)
            shifts = calendars.get(machine.pk) if machine is not None else None
            work = (
                (Shift.of(self.window),)
                if shifts is None
                else tuple(Shift.of(one.interval, one.breaks) for one in shifts)
            )
            found[pk] = LineTime(pk, str(line), work, tuple(busy[pk]), last.get(pk))
        return found

    def _last_products(self, now: datetime) -> dict[int, int]:
        """Return the product that each line is set up for when the plan begins: of the last entry or run before it."""
        found: dict[int, tuple[datetime, int]] = {}
        start = self.window.start
        planned = Schedule.objects.filter(
            line__in=self.line_of, planned_start_at__lt=start, work_order__product__isnull=False
        )
        planned = planned.filter(planned_start_at__gte=min(now, start) - timedelta(days=7))
        planned = planned.exclude(status=Schedule.Status.CANCELLED).exclude(kind=Schedule.Kind.MAINTENANCE)
        runs = Run.objects.filter(line__in=self.line_of, work_order__product__isnull=False, started_at__lt=start)
        newest_runs = runs.order_by("line", "-started_at").distinct("line")
        rows = [
            *planned.values_list("line", "planned_start_at", "work_order__product"),
            *newest_runs.values_list("line", "started_at", "work_order__product"),
        ]
        for line_id, at, product_id in rows:
            if line_id not in found or found[line_id][0] < at:
                found[line_id] = at, product_id
        return {line_id: product_id for line_id, (_, product_id) in found.items()}


def _busy(entry: Schedule) -> Busy:
    is_production = entry.kind == Schedule.Kind.PRODUCTION and entry.work_order is not None
    label = str(entry.work_order) if is_production else entry.note or entry.get_kind_display().lower()
    product_id = entry.work_order.product_id if entry.work_order is not None else None
    return Busy(Interval(entry.planned_start_at, entry.planned_end_at), label, product_id, is_production)


def _entries(bar: Bar, asked: _Asked, warnings: tuple[str, ...]) -> list[Suggested]:
    """Return a bar as entries, one for each shift, with the quantities that add up to the order's."""
    order = asked.orders[_order_id(bar.job)]
    operation_id = int(bar.job.key.partition("/")[2])
    target = Fraction(order.target_quantity)
    work = bar.job.durations[bar.line_id]
    setup, given, found = bar.setup, Decimal(0), []
    for number, (span, done) in enumerate(bar.parts):
        part_of_setup = min(setup, done)
        setup -= part_of_setup
        is_last = number == len(bar.parts) - 1
        share = target * (done - part_of_setup) / work
        quantity = order.target_quantity - given if is_last else _rounded_down(share)
        given += quantity
        found.append(
            Suggested(
                work_order=order,
                operation=asked.operations[operation_id] if operation_id else None,
                line=asked.line_of[bar.line_id],
                planned_start_at=span.start,
                planned_end_at=span.end,
                # Nothing is made in a part that is all set-up.
                planned_quantity=quantity or None,
                setup=timedelta(microseconds=part_of_setup),
                why=bar.why if number == 0 else "goes on from the shift before",
                warnings=warnings if number == 0 else (),
            )
        )
    return found


def _rounded_down(quantity: Fraction) -> Decimal:
    return Decimal(quantity * 10**6 // 1).scaleb(-6)


def _material_warnings(plan: Plan, asked: _Asked, now: datetime) -> dict[str, tuple[str, ...]]:
    """Return what will be short for each bar, after what is confirmed and the suggested bars before it need."""
    if not plan.bars:
        return {}
    orders = {_order_id(bar.job) for bar in plan.bars}
    used = used_by_orders(orders)
    required: dict[int, dict[int, Fraction]] = {order_id: defaultdict(Fraction) for order_id in orders}
    for row in OrderMaterial.objects.filter(work_order__in=orders, quantity_required__gt=0):
        required[row.work_order_id][row.product_id] += Fraction(row.quantity_required)
    needs: list[Need] = []
    seen: set[int] = set()
    keys: dict[int, str] = {}
    for number, bar in enumerate(plan.bars):
        order_id = _order_id(bar.job)
        line = asked.line_of[bar.line_id]
        if order_id in seen:
            continue
        seen.add(order_id)
        left = {pk: needed - Fraction(used.get((order_id, pk), 0)) for pk, needed in required[order_id].items()}
        # Keys of their own, below those of entries.
        keys[-number - 1] = bar.job.key
        day = bar.start.astimezone(line.area.site.zone).date()
        quantities = {pk: quantity for pk, quantity in left.items() if quantity > 0}
        needs.append(Need(-number - 1, line.area.site_id, bar.start, day, quantities, takes=True))
    confirmed = Schedule.objects.filter(
        line__area__site__in={need.site_id for need in needs},
        status=Schedule.Status.CONFIRMED,
        kind=Schedule.Kind.PRODUCTION,
        planned_end_at__gt=now,
        planned_start_at__lt=asked.window.end,
    ).exclude(work_order__status__in=OVER)
    rows = list(confirmed.select_related("line__area__site", "work_order"))
    if rows:
        needs += [need for need in material_needs(rows, now=now) if need.takes]
    short = shortages(needs, now=now)
    return {
        key: tuple(f"material {short_words(one)}" for one in short[number])
        for number, key in keys.items()
        if short[number]
    }


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entry to be placed, as it was suggested."""

    work_order: WorkOrder
    line: Line
    planned_start_at: datetime
    planned_end_at: datetime
    operation: Operation | None = None
    planned_quantity: Decimal | None = None


@transaction.atomic
def accept(*, entries: Sequence[Accepted], actor: User | None, now: datetime) -> list[Schedule]:
    """Place all entries of a suggestion or none; what is placed already stays, so a retry has one effect.

    An order that goes to another line than its own becomes that line's. Raises Conflict, naming both, where something
    was planned there meanwhile.
    """
    if len(entries) > 2 * MOST_ORDERS:
        raise Invalid(f"At most {2 * MOST_ORDERS} entries at once.", field="entries")
    orders = WorkOrder.objects.select_for_update(of=("self",)).filter(pk__in={one.work_order.pk for one in entries})
    locked = {order.pk: order for order in orders.select_related("line__area__site").order_by("pk")}
    for line_id in sorted({one.line.pk for one in entries}):
        take_turns("schedule", line_id)
    placed = []
    for one in entries:
        order = locked[one.work_order.pk]
        if one.operation is None and order.line_id != one.line.pk:
            order.line = one.line
            locked[order.pk] = save_order(work_order=order, at=now)
        try:
            entry, _ = place(
                line=one.line,
                work_order=locked[order.pk],
                operation=one.operation,
                planned_start_at=one.planned_start_at,
                planned_end_at=one.planned_end_at,
                planned_quantity=one.planned_quantity,
                actor=actor,
            )
        except Conflict as refusal:
            raise Conflict(f"{order}: {refusal.message}", field=refusal.field, code=refusal.code) from None
        placed.append(entry)
    return placed
