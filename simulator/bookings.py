"""Book what the demo plant's people would: deliveries, hours, and what each order used and made.

Repeating changes nothing.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from functools import partial

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef

from accounts.models import User
from core.errors import DomainError
from core.intervals import Interval
from downtime.models import StateHistory
from enterprise.models import Machine
from labor.models import Absence, Attendance, Employee, LaborEntry, TerminalCommand
from labor.services import clock_in, clock_out, start_work, stop_work
from materials.backflush import OnShortage, backflush_of_order
from materials.lots import NewLot
from materials.models import Kind, Location, LotStatus, MaterialLot, MaterialTransaction
from materials.services import produce, receive, scrap
from oee.selectors import run_report
from products.models import Product
from simulator.deliveries import Delivery, deliveries, quantity_of
from simulator.line_day import simulate_day
from simulator.making import FINISHED, REJECTED, STORE, operation_code
from simulator.people_day import EARLY, LATE, Counted, PersonDay, Worked, people_of_day
from simulator.plant import LinePlan, PlantPlan
from simulator.services import CLOSED_AFTER
from simulator.whole_days import load_people
from simulator.working_time import DAY, OrderSlot, day_window, order_slots, production_day
from workorders.life import close
from workorders.models import OrderMaterial, WorkOrder

logger = logging.getLogger(__name__)

_FACTS_FOLLOW_WITHIN = timedelta(hours=2)
_DAYS_KEPT = 60


class _Outcome(Enum):
    """What came of a deed: it was booked, there is nothing to book, or it and what follows have to wait."""

    BOOKED = auto()
    NOTHING = auto()
    WAITS = auto()


@dataclass(frozen=True, slots=True)
class _Deed:
    """Something that a person books at a moment; `key` tells it from all others."""

    at: datetime
    key: str
    do: Callable[[], _Outcome]


def book(
    plant: PlantPlan,
    window: Interval,
    *,
    actor: User,
    now: datetime,
    refused: set[str],
    most: int = 40,
    seed: int = 1,
) -> int:
    """Book what is due in a window, in the order in which it happened and at most so much at once; return how much was.

    Material waits for the first order whose machines have not delivered their counts yet, so that lots are taken in the
    order in which they were. `refused` are the keys of what was refused before: that is not tried again, and what is
    refused now is logged and added to them.
    """
    booked = 0
    hours = partial(_hours, seed=seed)
    for due in (hours, _material, _closings):
        for deed in due(plant, window, actor, now):
            if booked >= most:
                return booked
            if deed.key in refused:
                continue
            try:
                outcome = deed.do()
            except (DomainError, ValidationError) as refusal:
                logger.warning("%s is not booked: %s", deed.key, refusal)
                refused.add(deed.key)
                continue
            if outcome is _Outcome.WAITS:
                break
            booked += outcome is _Outcome.BOOKED
    return booked


# --- material: what comes, what an order uses, what it makes ---


def _material(plant: PlantPlan, window: Interval, actor: User, now: datetime) -> list[_Deed]:
    due = {one.lot_number: one for one in deliveries(plant, window) if one.arrives_at <= now}
    known = set(MaterialLot.objects.filter(supplier_lot__in=due).values_list("supplier_lot", flat=True))
    deeds = [
        _Deed(delivery.arrives_at, f"demo delivery {number}", partial(_receive, plant, delivery, actor, now))
        for number, delivery in due.items()
        if number not in known
    ]
    slots = {slot.number: slot for line in plant.lines for slot in order_slots(plant, line, window) if slot.end <= now}
    # An order that keeps no materials, such as one that is older than its product's bill, has nothing to book.
    waiting = WorkOrder.objects.filter(
        Exists(OrderMaterial.objects.filter(work_order=OuterRef("pk"))),
        order_number__in=slots,
        status=WorkOrder.Status.COMPLETED,
    ).exclude(pk__in=MaterialTransaction.objects.filter(kind=Kind.PRODUCE).values("work_order"))
    for order in waiting.select_related("product", "line__area__site"):
        slot = slots[order.order_number]
        deeds.append(_Deed(slot.end, f"demo order {slot.number}", partial(_book_order, order, slot, actor, now)))
    return sorted(deeds, key=lambda deed: deed.at)


def _receive(plant: PlantPlan, delivery: Delivery, actor: User, now: datetime) -> _Outcome:
    quantity = quantity_of(plant, delivery)
    if not quantity:
        return _Outcome.NOTHING
    receive(
        product=Product.objects.get(code=delivery.material.code),
        quantity=quantity,
        to_location=Location.objects.get(code=STORE),
        lot=NewLot(
            number=delivery.lot_number,
            status=LotStatus.RELEASED,
            supplier=delivery.material.supplier,
            supplier_lot=delivery.lot_number,
            made_date=delivery.made_date,
            expiry_date=delivery.best_before,
        ),
        unit_cost=delivery.material.cost,
        actor=actor,
        occurred_at=delivery.arrives_at,
        recorded_at=now,
        idempotency_key=f"demo delivery {delivery.lot_number}",
    )
    return _Outcome.BOOKED


def _book_order(order: WorkOrder, slot: OrderSlot, actor: User, now: datetime) -> _Outcome:
    """Put in stock what an order's machines counted, and book what that took;
    it waits while their counts are on the way.
    """
    following = Interval(slot.end, slot.end + _FACTS_FOLLOW_WITHIN)
    if not StateHistory.objects.filter(
        machine__line=order.line_id, occurred_at__gte=following.start, occurred_at__lt=following.end
    ).exists():
        return _Outcome.WAITS
    run = order.runs.select_related("line").first()
    quantities = run_report(run, now=now).sums.quantities if run is not None else None
    if quantities is None or not quantities.good or order.product is None:
        return _Outcome.NOTHING
    made, rejected = Decimal(int(quantities.good)), Decimal(int(quantities.scrap))
    backflush_of_order(
        work_order=order,
        produced_quantity=made + rejected,
        location=Location.objects.get(code=STORE),
        on_shortage=OnShortage.TAKE,
        actor=actor,
        occurred_at=slot.end,
        recorded_at=now,
        idempotency_key=f"demo use {slot.number}",
    )
    produce(
        product=order.product,
        quantity=made,
        to_location=Location.objects.get(code=FINISHED),
        work_order=order,
        lot=NewLot(number=order.lot_number or order.order_number, made_date=slot.end.date()),
        actor=actor,
        occurred_at=slot.end,
        recorded_at=now,
        idempotency_key=f"demo output {slot.number}",
    )
    if rejected:
        scrap(
            product=order.product,
            quantity=rejected,
            work_order=order,
            lot=MaterialLot.objects.get(product=order.product, number=order.lot_number or order.order_number),
            reason=REJECTED,
            actor=actor,
            occurred_at=slot.end,
            recorded_at=now,
            idempotency_key=f"demo rejects {slot.number}",
        )
    return _Outcome.BOOKED


# --- the files: what is done and booked is closed ---


def _closings(plant: PlantPlan, window: Interval, actor: User, now: datetime) -> list[_Deed]:
    """Return the closing of the orders that ended a while ago and whose lots are in stock, if they keep materials."""
    slots = {
        slot.number: slot
        for line in plant.lines
        for slot in order_slots(plant, line, window)
        if slot.end + CLOSED_AFTER <= now
    }
    made = MaterialTransaction.objects.filter(work_order=OuterRef("pk"), kind=Kind.PRODUCE)
    waits = OrderMaterial.objects.filter(work_order=OuterRef("pk"))
    done = WorkOrder.objects.filter(order_number__in=slots, status=WorkOrder.Status.COMPLETED)
    deeds = []
    for order in done.filter(Exists(made) | ~Exists(waits)):
        slot = slots[order.order_number]
        at = slot.end + CLOSED_AFTER
        deeds.append(_Deed(at, f"demo close {slot.number}", partial(_did, close, work_order=order, at=at, actor=actor)))
    return sorted(deeds, key=lambda deed: deed.at)


# --- hours: every crew comes for its shift and works on what its line makes ---


def _hours(plant: PlantPlan, window: Interval, actor: User, now: datetime, *, seed: int) -> list[_Deed]:
    past = Interval(window.start, max(min(window.end, now), window.start + LATE))
    # Nobody comes earlier than this for a shift of the window.
    answered = TerminalCommand.objects.filter(key__startswith="demo ", recorded_at__gte=past.start - EARLY)
    done = set(answered.values_list("key", flat=True))
    # Who was written down as a whole, with all that they did, is not booked again.
    whole = set(
        Attendance.objects.filter(started_at__gte=past.start - EARLY)
        .exclude(pk__in=answered.filter(action="clock_in").values("attendance"))
        .values_list("employee__code", "started_at")
    )
    people = {employee.code: employee for employee in Employee.objects.select_related("site", "crew")}
    machines = {machine.code: machine for machine in Machine.objects.select_related("line__area")}
    deeds = [*_newest_whole_day(plant, past, people, machines, actor, seed)]
    for line in plant.lines:
        for day in _days_of(plant, past):
            if _is_whole(plant, day, past):
                continue
            for one in _people_of(plant, line, day, seed):
                is_of_past = past.start <= one.came + EARLY <= past.end + EARLY
                if is_of_past and one.number in people and (one.number, one.came) not in whole:
                    deeds += list(_of_person(one, people[one.number], machines[one.post], actor, now, done))
    return sorted(deeds, key=lambda deed: deed.at)


def _days_of(plant: PlantPlan, past: Interval) -> list[date]:
    first, last = production_day(plant, past.start), production_day(plant, past.end + EARLY)
    return [first + DAY * number for number in range((last - first).days + 1)]


def _is_whole(plant: PlantPlan, day: date, past: Interval) -> bool:
    """Say whether all of a day is past, its last crew gone."""
    window = day_window(plant, day)
    return past.start <= window.start and window.end + LATE <= past.end


def _newest_whole_day(
    plant: PlantPlan,
    past: Interval,
    people: Mapping[str, Employee],
    machines: Mapping[str, Machine],
    actor: User,
    seed: int,
) -> Iterator[_Deed]:
    """Yield the booking of the newest past day of a line of which nothing is booked; one at a time,
    as it takes a while.
    """
    came = Attendance.objects.filter(started_at__gte=past.start - EARLY, started_at__lt=past.end)
    booked = {
        (code, production_day(plant, at + EARLY)) for code, at in came.values_list("employee__code", "started_at")
    }
    for day in reversed([day for day in _days_of(plant, past) if _is_whole(plant, day, past)]):
        for line in plant.lines:
            crews = [crew for crew in plant.crews if crew.line == line.code]
            if any((number, day) in booked for crew in crews for number, *_ in crew.members):
                continue
            absent = set(
                Absence.objects.filter(first_date__lte=day, last_date__gte=day).values_list("employee__code", flat=True)
            )
            of_day = [
                one for one in _people_of(plant, line, day, seed) if one.number in people and one.number not in absent
            ]
            if of_day:
                key = f"demo day {line.code} {day}"
                yield _Deed(of_day[0].came, key, partial(_load_day, of_day, people, machines, actor))
                return


def _load_day(
    of_day: Sequence[PersonDay], people: Mapping[str, Employee], machines: Mapping[str, Machine], actor: User
) -> _Outcome:
    numbers = {done.slot.number for one in of_day for done in one.worked if done.slot is not None}
    found = WorkOrder.objects.filter(order_number__in=numbers)
    orders = {order.order_number: order for order in found}
    load_people(of_day, employees=people, machines=machines, orders=orders, actor=actor)
    return _Outcome.BOOKED


_kept: dict[tuple[str, date, int, int], list[PersonDay]] = {}


def _people_of(plant: PlantPlan, line: LinePlan, day: date, seed: int) -> list[PersonDay]:
    """Return what a line's crews do on a day; the days of some weeks are kept,
    because they are asked for again and again.
    """
    key = (line.code, day, seed, sum(len(crew.members) for crew in plant.crews))
    if key not in _kept:
        if len(_kept) > _DAYS_KEPT:
            _kept.clear()
        simulated = simulate_day(plant, line, day, seed=seed, readings={})
        _kept[key] = people_of_day(plant, simulated, Counted(simulated))
    return _kept[key]


def _of_person(
    one: PersonDay, person: Employee, machine: Machine, actor: User, now: datetime, done: set[str]
) -> Iterator[_Deed]:
    key = f"demo {person.code} {one.came:%Y%m%dT%H%M}"
    in_key, out_key = f"{key} in", f"{key} out"
    by = {"actor": actor, "employee": person}
    if one.came <= now and in_key not in done:
        yield _Deed(one.came, in_key, partial(_did, clock_in, at=one.came, idempotency_key=in_key, **by))
    for worked in one.worked:
        if worked.start > now:
            break
        of = f"{key} {worked.slot.number if worked.slot else worked.kind} {worked.kind[0]}{worked.start:%H%M%S}"
        if f"{of} on" not in done:
            yield _Deed(worked.start, f"{of} on", partial(_start, worked, person, machine, actor, now, f"{of} on"))
        if worked.end <= now and f"{of} off" not in done:
            yield _Deed(worked.end, f"{of} off", partial(_stop, worked, person, actor, f"{of} off"))
    if one.left <= now and out_key not in done:
        yield _Deed(one.left, out_key, partial(_did, clock_out, at=one.left, idempotency_key=out_key, **by))


def _did(service: Callable[..., object], **arguments: object) -> _Outcome:
    service(**arguments)
    return _Outcome.BOOKED


def _start(worked: Worked, person: Employee, machine: Machine, actor: User, now: datetime, key: str) -> _Outcome:
    order = None
    if worked.slot is not None:
        orders = WorkOrder.objects.select_related("line__area__site")
        order = orders.filter(order_number=worked.slot.number).first()
        if order is None:
            return _Outcome.NOTHING
    return _did(
        start_work,
        employee=person,
        kind=worked.kind,
        at=worked.start,
        actor=actor,
        work_order=order,
        operation=operation_code(machine.code) if order else "",
        machine=machine,
        note=worked.note,
        recorded_at=now,
        idempotency_key=key,
    )


def _stop(worked: Worked, person: Employee, actor: User, key: str) -> _Outcome:
    entry = LaborEntry.objects.filter(
        employee=person, kind=worked.kind, started_at=worked.start, ended_at__isnull=True
    ).first()
    if entry is None:
        return _Outcome.NOTHING
    return _did(
        stop_work,
        entry=entry,
        at=worked.end,
        quantity_produced=Decimal(worked.good),
        quantity_rejected=Decimal(worked.reject),
        standard_seconds=worked.standard_seconds,
        actor=actor,
        idempotency_key=key,
    )
