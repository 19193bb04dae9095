"""What the people of a job shop do, hour by hour: a list that follows from the simulated work alone. Pure.

Each deed has a key of its own, made of the order's number (which has the hour in it) and of what is done: repeated, it
is the same deed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from random import Random

from enterprise.shift_calendar import ShiftOccurrence
from simulator.plant import MaterialPlan
from simulator.shop.floor import Order, ShopFloor, StepWork
from simulator.shop.jobs import HOUR, Job
from simulator.shop.plan import ShopPlan
from simulator.shop.working import Work

EARLY, LATE = timedelta(minutes=6), timedelta(minutes=4)
COMPLETES_AFTER, CLOSES_AFTER = timedelta(minutes=10), timedelta(hours=4)
SIGNED_AFTER = (timedelta(minutes=30), timedelta(minutes=75), timedelta(hours=3))
FIRST_CHECK_AFTER = timedelta(minutes=10)
CHECKED_SHARE = 0.5
DELIVERED_AT = time(5)
_HUNDRED = Decimal(100)
_TO_BEGIN_WITH = 130
"""Orders of each part's share whose material is there when the shop begins: some two days."""


class Kind(StrEnum):
    """What is done."""

    RECEIVE = "receive"
    CLOCK_IN = "clock in"
    CLOCK_OUT = "clock out"
    CREATE = "create"
    START = "start"
    SETUP = "set up"
    PRODUCE = "produce"
    PAUSE = "pause"
    RESUME = "resume"
    CHECK = "check"
    LABOR = "labor"
    FINISH = "finish"
    COMPLETE = "complete"
    SIGN = "sign"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Stint:
    """A part of the work on a step within one shift, of one kind."""

    person: str
    is_setup: bool
    start: datetime
    end: datetime
    is_last: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery of a material."""

    material: MaterialPlan
    lot: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a person does at a moment; `of` is what it is about, `person` who does it,
    `number` which of several.
    """

    at: datetime
    kind: Kind
    key: str
    of: Job | Order | StepWork | Stint | Receipt | None = None
    person: str = ""
    step: StepWork | None = None
    number: int = 0


def deeds_between(floor: ShopFloor, start: datetime, end: datetime) -> list[Deed]:
    """Return what people do in [start, end), in order; the shop works so far first."""
    floor.run(end)
    found = [*_receipts(floor, start, end), *_clocks(floor, start, end)]
    for job in floor.jobs:
        if start <= job.created_at < end:
            found.append(Deed(job.created_at, Kind.CREATE, job.number, job))
    for order in floor.orders:
        if order.ended_at is None or order.ended_at + CLOSES_AFTER >= start:
            found.extend(_of_order(floor, order))
    # Of what happens at one moment, what was appended first comes first: sorting keeps that.
    return sorted((deed for deed in found if start <= deed.at < end), key=lambda deed: deed.at)


def person_of(plan: ShopPlan, machine: str, shift: ShiftOccurrence) -> str:
    """Return the personnel number of whoever serves a machine in a shift; each has two or three of them."""
    crew = next(crew for crew in plan.crews if crew.shift == shift.name)
    return crew.members[plan.machines.index(machine) % len(crew.members)][0]


# --- orders ---


def _of_order(floor: ShopFloor, order: Order) -> Iterator[Deed]:
    number = order.job.number
    yield Deed(order.released_at, Kind.START, f"{number} start", order)
    for step in order.steps:
        if step.work is not None:
            yield from _of_step(floor, order, step, step.work)
    if order.ended_at is None:
        return
    yield Deed(order.ended_at + COMPLETES_AFTER, Kind.COMPLETE, f"{number} complete", order)
    if order.job.part.requirement:
        for which, after in enumerate(SIGNED_AFTER):
            yield Deed(order.ended_at + after, Kind.SIGN, f"{number} sign {which}", order, number=which)
    yield Deed(order.ended_at + CLOSES_AFTER, Kind.CLOSE, f"{number} close", order)


def _of_step(floor: ShopFloor, order: Order, step: StepWork, work: Work) -> Iterator[Deed]:
    key = f"{order.job.number} {step.code}"
    shifts = floor.calendar.shifts_in(work.start, work.end)
    begins = [person_of(floor.plan, step.machine, shift) for shift in shifts]
    resumed = {shift.start for shift in shifts[1:]}
    yield Deed(work.start, Kind.SETUP, f"{key} setup", step, begins[0])
    for place, shift in enumerate(shifts):
        for stint in _stints(work, shift, begins[place], is_last=place == len(shifts) - 1):
            what = "setup" if stint.is_setup else "run"
            yield Deed(stint.end, Kind.LABOR, f"{key} {what} {stint.start:%d%H%M%S}", stint, stint.person, step)
        if place + 1 < len(shifts):
            yield Deed(shift.end, Kind.PAUSE, f"{key} pause {place}", step)
            following = shifts[place + 1]
            yield Deed(following.start, Kind.RESUME, f"{key} resume {place}", step, begins[place + 1])
    if work.setup_end not in resumed:
        shift_ = floor.calendar.shift_at(work.setup_end)
        person = person_of(floor.plan, step.machine, shift_) if shift_ is not None else begins[0]
        yield Deed(work.setup_end, Kind.PRODUCE, f"{key} produce", step, person)
    rng = Random(f"{floor.seed}|{order.job.number}|check")
    if step.number == 0 and rng.random() < CHECKED_SHARE and work.end - work.setup_end > 2 * FIRST_CHECK_AFTER:
        yield Deed(work.setup_end + FIRST_CHECK_AFTER, Kind.CHECK, f"{key} check", step)
    yield Deed(work.end, Kind.FINISH, f"{key} finish", step)


def _stints(work: Work, shift: ShiftOccurrence, person: str, *, is_last: bool) -> Iterator[Stint]:
    start, end = max(work.start, shift.start), min(work.end, shift.end)
    if start < min(end, work.setup_end):
        yield Stint(person, True, start, min(end, work.setup_end), False)
    if max(start, work.setup_end) < end:
        yield Stint(person, False, max(start, work.setup_end), end, is_last)


# --- material and people ---


def material_of(job: Job) -> dict[str, Decimal]:
    """Return what an order takes, by material: to the thousandth."""
    share = Decimal(job.quantity) / _HUNDRED
    return {code: (quantity * share).quantize(Decimal("0.001")) for code, quantity in job.part.bill}


def _receipts(floor: ShopFloor, start: datetime, end: datetime) -> Iterator[Deed]:
    plan = floor.plan
    if start <= floor.begins_at < end:
        yield from _delivery(plan, floor.begins_at, _stock_to_begin_with(plan))
    day = start.astimezone(plan.zone).date()
    while day <= end.astimezone(plan.zone).date():
        at = datetime.combine(day, DELIVERED_AT, tzinfo=plan.zone).astimezone(UTC)
        # What the last day's orders take comes in the morning.
        if start <= at < end and at > floor.begins_at:
            needs: dict[str, Decimal] = {}
            for job in floor.jobs:
                if at - 24 * HOUR <= job.created_at < at:
                    for code, quantity in material_of(job).items():
                        needs[code] = needs.get(code, Decimal(0)) + quantity
            yield from _delivery(plan, at, needs)
        day += timedelta(days=1)


def _stock_to_begin_with(plan: ShopPlan) -> dict[str, Decimal]:
    weights = sum(part.weight for part in plan.parts)
    pieces = Decimal(sum(plan.quantities[:2])) / 2
    needs: dict[str, Decimal] = {}
    for part in plan.parts:
        for code, quantity in part.bill:
            orders = Decimal(_TO_BEGIN_WITH * part.weight) / weights
            needs[code] = needs.get(code, Decimal(0)) + orders * pieces / _HUNDRED * quantity
    return needs


def _delivery(plan: ShopPlan, at: datetime, needs: dict[str, Decimal]) -> Iterator[Deed]:
    for material in plan.materials:
        packages = (needs.get(material.code, Decimal(0)) / material.package).to_integral_value(ROUND_CEILING)
        if packages:
            lot = f"{material.code}-{at:%y%m%d%H}"
            yield Deed(at, Kind.RECEIVE, f"delivery {lot}", Receipt(material, lot, packages * material.package))


def _clocks(floor: ShopFloor, start: datetime, end: datetime) -> Iterator[Deed]:
    for shift in floor.calendar.shifts_in(start - HOUR, end + HOUR):
        if shift.start < floor.begins_at:
            continue
        crew = next(crew for crew in floor.plan.crews if crew.shift == shift.name)
        for number, *_ in crew.members:
            key = f"{number} {shift.start:%Y%m%dT%H%M}"
            yield Deed(shift.start - EARLY, Kind.CLOCK_IN, f"{key} in", person=number)
            yield Deed(shift.end + LATE, Kind.CLOCK_OUT, f"{key} out", person=number)
