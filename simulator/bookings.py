"""Book what the demo plant's people would: deliveries, hours, and what each order used and made. Repeating changes nothing."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from django.core.exceptions import ValidationError

from accounts.models import User
from core.errors import DomainError
from core.intervals import Interval
from downtime.models import StateHistory
from labor.models import Employee, LaborEntry, TerminalCommand
from labor.services import clock_in, clock_out, start_work, stop_work
from materials.backflush import OnShortage, backflush_of_order
from materials.models import Kind, Location, LotStatus, MaterialLot, MaterialTransaction
from materials.services import NewLot, produce, receive
from oee.selectors import run_report
from products.models import Product
from simulator.deliveries import Delivery, deliveries, quantity_of
from simulator.making import FINISHED, STORE
from simulator.plant import CrewPlan, PlantPlan
from simulator.working_time import OrderSlot, order_slots, shifts_in
from workorders.models import WorkOrder

logger = logging.getLogger(__name__)

_FACTS_FOLLOW_WITHIN = timedelta(hours=2)
_EARLY, _LATE = timedelta(minutes=6), timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class _Deed:
    """Something that a person books at a moment; `do` says whether it could be done yet."""

    at: datetime
    do: Callable[[], bool]


def book(plant: PlantPlan, window: Interval, *, actor: User, now: datetime, most: int = 40) -> int:
    """Book what is due in a window, in the order in which it happened and at most so much at once; return how much was.

    Material waits for the first order whose machines have not delivered their counts yet, so that lots are taken in the
    order in which they were.
    """
    booked = 0
    for deeds in (_hours(plant, window, actor, now), _material(plant, window, actor, now)):
        for deed in deeds:
            if booked >= most:
                return booked
            try:
                if not deed.do():
                    break
            except (DomainError, ValidationError) as refusal:
                logger.warning("Not booked: %s", refusal)
            booked += 1
    return booked


# --- material: what comes, what an order uses, what it makes ---


def _material(plant: PlantPlan, window: Interval, actor: User, now: datetime) -> list[_Deed]:
    known = set(MaterialLot.objects.filter(supplier_lot__gt="").values_list("supplier_lot", flat=True))
    deeds = [
        _Deed(delivery.arrives_at, partial(_receive, plant, delivery, actor, now))
        for delivery in deliveries(plant, window)
        if delivery.arrives_at <= now and delivery.lot_number not in known and quantity_of(plant, delivery)
    ]
    slots = [slot for line in plant.lines for slot in order_slots(plant, line, window) if slot.end <= now]
    waiting = WorkOrder.objects.filter(
        order_number__in=[slot.number for slot in slots], status=WorkOrder.Status.COMPLETED
    ).exclude(pk__in=MaterialTransaction.objects.filter(kind=Kind.PRODUCE).values("work_order"))
    orders = {order.order_number: order for order in waiting.select_related("product", "line__area__site")}
    deeds += [
        _Deed(slot.end, partial(_book_order, orders[slot.number], slot, actor, now))
        for slot in slots
        if slot.number in orders
    ]
    return sorted(deeds, key=lambda deed: deed.at)


def _receive(plant: PlantPlan, delivery: Delivery, actor: User, now: datetime) -> bool:
    receive(
        product=Product.objects.get(code=delivery.material.code),
        quantity=quantity_of(plant, delivery),
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
    return True


def _book_order(order: WorkOrder, slot: OrderSlot, actor: User, now: datetime) -> bool:
    """Put in stock what an order's machines counted, and book what that took; False while their counts are on the way."""
    following = Interval(slot.end, slot.end + _FACTS_FOLLOW_WITHIN)
    if not StateHistory.objects.filter(
        machine__line=order.line_id, occurred_at__gte=following.start, occurred_at__lt=following.end
    ).exists():
        return False
    run = order.runs.select_related("line").first()
    good = run_report(run, now=now).sums.quantities.good if run is not None else None
    if not good or order.product is None:
        return True
    made = Decimal(int(good))
    backflush_of_order(
        work_order=order,
        produced_quantity=made,
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
    return True


# --- hours: every crew comes for its shift and works on what its line makes ---


def _hours(plant: PlantPlan, window: Interval, actor: User, now: datetime) -> list[_Deed]:
    past = Interval(window.start, max(min(window.end, now), window.start + _LATE))
    done = set(TerminalCommand.objects.filter(key__startswith="demo ").values_list("key", flat=True))
    people = {employee.code: employee for employee in Employee.objects.select_related("site", "crew")}
    deeds = []
    for crew in plant.crews:
        for number, _, _ in crew.members:
            if number in people:
                deeds += list(_shifts_of(plant, crew, people[number], past, actor, now, done))
    return sorted(deeds, key=lambda deed: deed.at)


def _shifts_of(
    plant: PlantPlan, crew: CrewPlan, person: Employee, past: Interval, actor: User, now: datetime, done: set[str]
) -> Iterator[_Deed]:
    line = plant.line(crew.line)
    slots = order_slots(plant, line, past)
    for shift in shifts_in(plant, line, past):
        if shift.name != crew.shift or shift.interval.start < past.start:
            continue
        came, left = shift.interval.start - _EARLY, shift.interval.end + _LATE
        key = f"demo {person.code} {came:%Y%m%dT%H%M}"
        in_key, out_key = f"{key} in", f"{key} out"
        if came <= now and in_key not in done:
            yield _Deed(came, partial(_did, clock_in, employee=person, at=came, actor=actor, idempotency_key=in_key))
        for slot in slots:
            begins, ends = max(slot.start, shift.interval.start), min(slot.end, shift.interval.end)
            if begins >= ends or begins > now:
                continue
            start_key, stop_key = f"{key} {slot.number} on", f"{key} {slot.number} off"
            if start_key not in done:
                yield _Deed(begins, partial(_start, person, slot, begins, actor, now, start_key))
            if ends <= now and stop_key not in done:
                yield _Deed(ends, partial(_stop, person, slot, begins, ends, actor, stop_key))
        if left <= now and out_key not in done:
            yield _Deed(left, partial(_did, clock_out, employee=person, at=left, actor=actor, idempotency_key=out_key))


def _did(service: Callable[..., object], **arguments: object) -> bool:
    service(**arguments)
    return True


def _start(person: Employee, slot: OrderSlot, at: datetime, actor: User, now: datetime, key: str) -> bool:
    order = WorkOrder.objects.select_related("line__area__site").filter(order_number=slot.number).first()
    if order is not None:
        start_work(
            employee=person,
            kind=LaborEntry.Kind.DIRECT,
            at=at,
            actor=actor,
            work_order=order,
            recorded_at=now,
            idempotency_key=key,
        )
    return True


def _stop(person: Employee, slot: OrderSlot, began: datetime, at: datetime, actor: User, key: str) -> bool:
    entry = LaborEntry.objects.filter(
        employee=person, work_order__order_number=slot.number, started_at=began, ended_at__isnull=True
    ).first()
    if entry is not None:
        stop_work(entry=entry, at=at, actor=actor, idempotency_key=key)
    return True
