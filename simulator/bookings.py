"""Book what the demo plant's people would: deliveries, hours, and what each order used and made. Repeating changes nothing."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from functools import partial

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef

from accounts.models import User
from core.errors import DomainError
from core.intervals import Interval
from downtime.models import StateHistory
from labor.models import Employee, LaborEntry, TerminalCommand
from labor.services import clock_in, clock_out, start_work, stop_work
from materials.backflush import OnShortage, backflush_of_order
from materials.lots import NewLot
from materials.models import Kind, Location, LotStatus, MaterialLot, MaterialTransaction
from materials.services import produce, receive
from oee.selectors import run_report
from products.models import Product
from simulator.deliveries import Delivery, deliveries, quantity_of
from simulator.making import FINISHED, STORE
from simulator.plant import CrewPlan, PlantPlan
from simulator.working_time import OrderSlot, order_slots, shifts_in
from workorders.models import OrderMaterial, WorkOrder

logger = logging.getLogger(__name__)

_FACTS_FOLLOW_WITHIN = timedelta(hours=2)
_EARLY, _LATE = timedelta(minutes=6), timedelta(minutes=4)


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


def book(plant: PlantPlan, window: Interval, *, actor: User, now: datetime, refused: set[str], most: int = 40) -> int:
    """Book what is due in a window, in the order in which it happened and at most so much at once; return how much was.

    Material waits for the first order whose machines have not delivered their counts yet, so that lots are taken in the
    order in which they were. `refused` are the keys of what was refused before: that is not tried again, and what is
    refused now is logged and added to them.
    """
    booked = 0
    for deeds in (_hours(plant, window, actor, now), _material(plant, window, actor, now)):
        for deed in deeds:
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
    """Put in stock what an order's machines counted, and book what that took; it waits while their counts are on the way."""
    following = Interval(slot.end, slot.end + _FACTS_FOLLOW_WITHIN)
    if not StateHistory.objects.filter(
        machine__line=order.line_id, occurred_at__gte=following.start, occurred_at__lt=following.end
    ).exists():
        return _Outcome.WAITS
    run = order.runs.select_related("line").first()
    good = run_report(run, now=now).sums.quantities.good if run is not None else None
    if not good or order.product is None:
        return _Outcome.NOTHING
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
    return _Outcome.BOOKED


# --- hours: every crew comes for its shift and works on what its line makes ---


def _hours(plant: PlantPlan, window: Interval, actor: User, now: datetime) -> list[_Deed]:
    past = Interval(window.start, max(min(window.end, now), window.start + _LATE))
    # Nobody comes earlier than this for a shift of the window.
    answered = TerminalCommand.objects.filter(key__startswith="demo ", recorded_at__gte=past.start - _EARLY)
    done = set(answered.values_list("key", flat=True))
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
        by = {"actor": actor, "employee": person}
        if came <= now and in_key not in done:
            yield _Deed(came, in_key, partial(_did, clock_in, at=came, idempotency_key=in_key, **by))
        for slot in slots:
            begins, ends = max(slot.start, shift.interval.start), min(slot.end, shift.interval.end)
            if begins >= ends or begins > now:
                continue
            start_key, stop_key = f"{key} {slot.number} on", f"{key} {slot.number} off"
            if start_key not in done:
                yield _Deed(begins, start_key, partial(_start, person, slot, begins, actor, now, start_key))
            if ends <= now and stop_key not in done:
                yield _Deed(ends, stop_key, partial(_stop, person, slot, begins, ends, actor, stop_key))
        if left <= now and out_key not in done:
            yield _Deed(left, out_key, partial(_did, clock_out, at=left, idempotency_key=out_key, **by))


def _did(service: Callable[..., object], **arguments: object) -> _Outcome:
    service(**arguments)
    return _Outcome.BOOKED


def _start(person: Employee, slot: OrderSlot, at: datetime, actor: User, now: datetime, key: str) -> _Outcome:
    order = WorkOrder.objects.select_related("line__area__site").filter(order_number=slot.number).first()
    if order is None:
        return _Outcome.NOTHING
    return _did(
        start_work,
        employee=person,
        kind=LaborEntry.Kind.DIRECT,
        at=at,
        actor=actor,
        work_order=order,
        recorded_at=now,
        idempotency_key=key,
    )


def _stop(person: Employee, slot: OrderSlot, began: datetime, at: datetime, actor: User, key: str) -> _Outcome:
    entry = LaborEntry.objects.filter(
        employee=person, work_order__order_number=slot.number, started_at=began, ended_at__isnull=True
    ).first()
    return _Outcome.NOTHING if entry is None else _did(stop_work, entry=entry, at=at, actor=actor, idempotency_key=key)
