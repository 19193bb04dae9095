"""A plant's past in bulk: the same pure days that are simulated live, written whole, with the rules of the services.

The machines' facts of each line are made by a process of its own, what people did beside them by this one; hours are
computed from the facts at the end, as the keeper would have. Same plan, seed and end, same rows (`simulator.digest`).
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from multiprocessing import get_context

from django.db import connections

from accounts.models import User
from andon.bulk import load_calls
from core.intervals import Interval
from downtime.models import StateReason
from enterprise.models import Line, Machine, Site
from execution.bulk import load_done
from labor.models import Employee
from maintenance.bulk import NewMaintenance, load_maintenance
from materials.bulk import Deed, Made, Received, Shipped, load_movements
from materials.lots import NewLot
from materials.models import Location, MaterialLot, MaterialTransaction
from products.models import Product
from simulator.deliveries import deliveries, quantity_of
from simulator.history_facts import Past, days_of, store_hours, write_facts
from simulator.history_quality import Laboratory
from simulator.history_release import Release
from simulator.history_upkeep import Upkeep
from simulator.history_words import changeovers_of_day, explain_stops
from simulator.line_day import LineDay
from simulator.making import FINISHED, REJECTED, STORE
from simulator.own_process import set_up
from simulator.people_day import Counted, PersonDay, people_of_day
from simulator.plant import LinePlan
from simulator.services import CLOSED_AFTER, new_order
from simulator.upkeep import create_call_types, create_upkeep
from simulator.whole_days import load_people
from simulator.working_time import DAY, OrderSlot, day_window, order_slots
from workorders.bulk import NewOrder, load_changeovers, load_orders
from workorders.models import Customer, Operation, WorkOrder

SHIPPED_AFTER = timedelta(hours=26)


Progress = Callable[[str], None]


# --- what people did ---


@dataclass(slots=True)
class Tally:
    """How many rows of each kind were written, and what took how long (seconds)."""

    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, what: str, rows: int, since: float) -> None:
        """Add rows that were written since a reading of the clock."""
        self.rows[what] += rows
        self.seconds[what] += time.perf_counter() - since


class Office:
    """The people of a plant and what they book, a production day of all lines at a time."""

    def __init__(self, past: Past, people: Mapping[str, User], tally: Tally) -> None:
        """`people` are those of the plant, by user name."""
        self.past, self.people, self.tally = past, people, tally
        self.actor = people["supervisor"]
        self._made: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self._orders: dict[str, WorkOrder] = {}
        self._shipments: list[Shipped] = []
        self._days = {line.code: days_of(past, line) for line in past.plant.lines}
        self._laboratory = Laboratory(past.plant, self.site, seed=past.seed, since=past.window.start)
        self._release = Release(past, people, self.places[FINISHED])
        began = past.window.start
        create_upkeep(
            past.plant,
            self.site,
            counted_from=lambda days: began,
            mounted_at=began,
            recorded_at=began,
            actor=people["engineer"],
        )
        self._upkeep = Upkeep(past, self.machines, create_call_types(), people)
        self._maintenance: list[NewMaintenance] = []

    @cached_property
    def site(self) -> Site:
        return Site.objects.get(code=self.past.plant.site[0])

    @cached_property
    def lines(self) -> dict[str, Line]:
        return {line.code: line for line in Line.objects.select_related("area__site").filter(area__site=self.site)}

    @cached_property
    def machines(self) -> dict[str, Machine]:
        rows = Machine.objects.select_related("line__area__site").filter(line__area__site=self.site)
        return {machine.code: machine for machine in rows}

    @cached_property
    def products(self) -> dict[str, Product]:
        return {product.code: product for product in Product.objects.select_related("unit")}

    @cached_property
    def customers(self) -> dict[str, Customer]:
        return {one.name: one for one in Customer.objects.filter(name__in=self.past.plant.customers)}

    @cached_property
    def employees(self) -> dict[str, Employee]:
        return {one.code: one for one in Employee.objects.select_related("site").filter(site=self.site)}

    @cached_property
    def reasons(self) -> dict[str, StateReason]:
        return {reason.code: reason for reason in StateReason.objects.without_tree_fields()}

    @cached_property
    def places(self) -> dict[str, Location]:
        return {place.code: place for place in Location.objects.select_related("site").filter(site=self.site)}

    @cached_property
    def slots(self) -> dict[str, list[OrderSlot]]:
        """All orders of each line that touch the past, and those of the deliveries' reach around it."""
        reach = Interval(self.past.window.start - 10 * DAY, self.past.window.end + 10 * DAY)
        return {line.code: order_slots(self.past.plant, line, reach) for line in self.past.plant.lines}

    def work(self, day: date) -> None:
        """Book a day."""
        window = day_window(self.past.plant, day)
        simulated = [next(self._days[line.code]) for line in self.past.plant.lines]
        self._write_orders(window)
        for of_line in simulated:
            counted = Counted(of_line)
            for slot in of_line.slots:
                good, reject = counted.between(max(slot.start, window.start), min(slot.end, window.end))
                before = self._made[slot.number]
                self._made[slot.number] = before[0] + good, before[1] + reject
            self._write_hours(people_of_day(self.past.plant, of_line, counted))
            self._write_words(of_line, counted)
            self._write_calls(of_line)
        done = [slot for of_line in simulated for slot in of_line.slots if window.start < slot.end <= window.end]
        self._write_done(done)
        self._write_movements(window, done)
        self._write_quality(done)

    def _write_orders(self, window: Interval) -> None:
        """Write the orders that began in a window, as they stand at the end of the past."""
        for code, slots in self.slots.items():
            began, end = time.perf_counter(), self.past.end
            of_day = [slot for slot in slots if window.covers(slot.start) or slot.start < window.start < slot.end]
            new = [slot for slot in of_day if slot.number not in self._orders]
            known = {
                order.order_number: order
                for order in WorkOrder.objects.filter(order_number__in=[slot.number for slot in new])
            }
            loaded = load_orders(
                [self._new_order(self.lines[code], slot, end) for slot in new if slot.number not in known],
                actor=self.actor,
            )
            for order in (*known.values(), *loaded):
                order.line = self.lines[code]
                order.product = self.products[order.product.code] if order.product else None
                self._orders[order.order_number] = order
            self.tally.add("orders", len(loaded), began)

    def _new_order(self, line: Line, slot: OrderSlot, end: datetime) -> NewOrder:
        closed_at = slot.end + CLOSED_AFTER
        return new_order(
            line,
            slot,
            self.products[slot.product],
            self.customers.get(slot.customer),
            now=end,
            closed_at=closed_at if closed_at <= end else None,
        )

    def _write_hours(self, people: Sequence[PersonDay]) -> None:
        began = time.perf_counter()
        entries = load_people(
            people, employees=self.employees, machines=self.machines, orders=self._orders, actor=self.actor
        )
        self.tally.add("labour entries", entries, began)

    def _write_done(self, done: Sequence[OrderSlot]) -> None:
        began = time.perf_counter()
        orders = {self._orders[slot.number].pk: slot for slot in done}
        operations = list(
            Operation.objects.filter(work_order__in=orders, actual_start_at=None).order_by("work_order", "sequence")
        )
        load_done(operations, {pk: Interval(slot.start, slot.end) for pk, slot in orders.items()}, actor=self.actor)
        self.tally.add("operations", len(operations), began)

    def _write_movements(self, window: Interval, done: Sequence[OrderSlot]) -> None:
        began = time.perf_counter()
        store, finished = self.places[STORE], self.places[FINISHED]
        booked = set(
            MaterialTransaction.objects.filter(
                work_order__in=[self._orders[slot.number].pk for slot in done]
            ).values_list("work_order__order_number", flat=True)
        )
        deeds: list[Deed] = [*self._deliveries(window, store)]
        for slot in done:
            if slot.number in booked:
                continue
            good, reject = self._made[slot.number]
            order = self._orders[slot.number]
            deeds.append(
                Made(
                    at=slot.end,
                    order=order,
                    good=Decimal(good),
                    rejected=Decimal(reject),
                    store=store,
                    place=finished,
                    reject_reason=REJECTED,
                )
            )
            to = f"Delivery {slot.sales_order} to {slot.customer}" if slot.customer else "Delivery to the warehouse"
            at = slot.end + SHIPPED_AFTER
            self._shipments.append(
                Shipped(at=at, order=order, place=finished, reason=to, recipient=slot.customer or "Warehouse")
            )
        for one in self._shipments:
            if one.at < window.end:
                deeds.append(replace(one, containers=self._release.pallets_of(one.order)))
        self._shipments = [one for one in self._shipments if one.at >= window.end]
        loaded = load_movements(deeds, actor=self.actor)
        self.tally.add("material movements", len(loaded.facts), began)

    def _deliveries(self, window: Interval, store: Location) -> Iterator[Received]:
        """Yield what came in a window; on the first day, what is still there of what came before."""
        is_first = window.start == self.past.window.start
        came = (one for one in deliveries(self.past.plant, window) if one.arrives_at < window.end)
        due = [one for one in came if is_first or window.covers(one.arrives_at)]
        known = set(
            MaterialLot.objects.filter(number__in=[one.lot_number for one in due]).values_list("number", flat=True)
        )
        slots = [slot for of_line in self.slots.values() for slot in of_line]
        for one in due:
            quantity = quantity_of(self.past.plant, one, slots)
            if quantity and one.lot_number not in known:
                yield Received(
                    at=one.arrives_at,
                    product=self.products[one.material.code],
                    quantity=quantity,
                    place=store,
                    lot=NewLot(
                        number=one.lot_number,
                        supplier=one.material.supplier,
                        supplier_lot=one.lot_number,
                        made_date=one.made_date,
                        expiry_date=one.best_before,
                    ),
                    unit_cost=one.material.cost,
                )

    def _write_quality(self, done: Sequence[OrderSlot]) -> None:
        began = time.perf_counter()
        made = MaterialLot.objects.filter(work_order__in=[self._orders[slot.number].pk for slot in done])
        made = made.select_related("product", "site")
        lots = {lot.work_order_id or 0: lot for lot in made}
        finished = [(slot, self._orders[slot.number], self._made[slot.number]) for slot in done]
        rows = self._laboratory.write(
            finished,
            lots,
            self.machines,
            actor=self.people["operator"],
            supervisor=self.people["supervisor"],
            until=self.past.end,
        )
        self.tally.add("inspections, results, defects", rows, began)
        self._write_pallets(done, lots)

    def _write_pallets(self, done: Sequence[OrderSlot], lots: Mapping[int, MaterialLot]) -> None:
        began = time.perf_counter()
        sold = [
            (slot, order, lots[order.pk], Decimal(self._made[slot.number][0]))
            for slot in done
            if slot.customer and (order := self._orders[slot.number]).pk in lots
        ]
        self.tally.add("pallets", self._release.take(sold), began)

    def _write_calls(self, simulated: LineDay) -> None:
        began = time.perf_counter()
        calls = load_calls(list(self._upkeep.calls(simulated, self._orders)), now=self.past.end)
        self.tally.add("calls", len(calls), began)
        self._maintenance += [*self._upkeep.repairs(simulated), *self._upkeep.services(simulated)]

    def follow(self) -> None:
        """Write what is about the machines' facts, once these are there: maintenance with its stops, batch records."""
        began = time.perf_counter()
        orders = load_maintenance(self._maintenance, now=self.past.end)
        self.tally.add("maintenance orders", len(orders), began)
        began = time.perf_counter()
        self.tally.add("batch records", self._release.sign(), began)

    def _write_words(self, simulated: LineDay, counted: Counted) -> None:
        began, end, line = time.perf_counter(), self.past.end, simulated.line
        operator, supervisor = self.people["operator"], self.people["supervisor"]
        machine = self.machines[line.constraint.code]
        words = explain_stops(simulated, machine, self.reasons, seed=self.past.seed, actor=operator, until=end)
        self.tally.add("words on stops", words, began)
        began = time.perf_counter()
        crew = next(one for one in self.past.plant.crews if one.line == line.code)
        changes = changeovers_of_day(
            simulated,
            counted,
            self.lines[line.code],
            self._orders,
            self.products,
            [f"{first} {last}" for _, first, last in crew.members[:2]],
            operator=operator,
            supervisor=supervisor,
            until=end,
        )
        self.tally.add("changeovers", len(load_changeovers(list(changes))), began)


# --- all together ---


def generate(past: Past, *, people: Mapping[str, User], progress: Progress, processes: int | None = None) -> Tally:
    """Write a past of a plant whose master data are there. `people` = who works there, by user name.

    `processes` = 0: everything in this one, one after the other.
    """
    tally, codes = Tally(), [line.code for line in past.plant.lines]
    count = min(os.cpu_count() or 1, len(codes)) if processes is None else processes
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=set_up) if count else None
    facts = {code: _begin(pool, write_facts, past, code) for code in codes}
    office = Office(past, people, tally)
    for day in past.all_days:
        office.work(day)
        progress(f"{day}: {sum(tally.rows.values()):,} rows of orders, people, material and quality")
    _await(facts, "facts", tally, progress)
    hours = {code: _begin(pool, store_hours, past, code) for code in codes}
    office.follow()
    _await(hours, "hours", tally, progress)
    if pool is not None:
        pool.shutdown()
    return tally


def _await(begun: "Mapping[str, Future[tuple[int, float]]]", what: str, tally: Tally, progress: Progress) -> None:
    for code, future in begun.items():
        rows, seconds = future.result()
        tally.rows[what] += rows
        tally.seconds[f"{what} of {code}"] = seconds
        progress(f"{code}: {rows:,} {what} in {seconds:.1f} s")


def _in_own_process(work: Callable[[Past, LinePlan], int], past: Past, code: str) -> tuple[int, float]:
    began = time.perf_counter()
    done = work(past, past.plant.line(code))
    connections.close_all()
    return done, time.perf_counter() - began


def _begin(
    pool: ProcessPoolExecutor | None, work: Callable[[Past, LinePlan], int], past: Past, code: str
) -> "Future[tuple[int, float]]":
    """Begin a line's work in a process of its own, or do it here."""
    if pool is not None:
        return pool.submit(_in_own_process, work, past, code)
    done: Future[tuple[int, float]] = Future()
    began = time.perf_counter()
    done.set_result((work(past, past.plant.line(code)), time.perf_counter() - began))
    return done
