"""When the lines of a simulated plant work, and on which order. Pure: the same answer for the same time, always."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from core.intervals import Interval, union
from enterprise.shift_calendar import (
    BreakRule,
    DayKind,
    DayRule,
    Level,
    ShiftKind,
    ShiftOccurrence,
    ShiftRule,
    shift_occurrences,
)
from simulator.plant import LinePlan, PlantPlan, ShiftPlan

DAY = timedelta(days=1)
DAY_STARTS = time(6)
# What a planner expects of a line, having seen its past: the share of the ideal quantity that comes out.
PLANNED_SHARE = Decimal("0.78")
_ROUND_LOT = Decimal(500)
# Orders begin a little later than planned, and some so much later that this is no longer on time.
_USUAL_DELAY, _LATE_SHARE, _LATE = (0.0, 8.0), 0.09, (17.0, 32.0)
_FOR_CUSTOMERS = 0.8


@dataclass(frozen=True, slots=True)
class OrderSlot:
    """An order: which product a line was to make when, and when it did. Half-open, UTC.

    `customer` is empty for what is made for stock; `priority` 1 = first … 10 = last.
    """

    number: str
    product: str
    previous_product: str
    planned_start: datetime
    planned_end: datetime
    start: datetime
    end: datetime
    quantity: Decimal
    customer: str
    priority: int

    @property
    def sales_order(self) -> str:
        """What the customer's order is called; empty for what is made for stock."""
        return f"SO-{self.number}" if self.customer else ""

    @property
    def due_at(self) -> datetime:
        """When it is expected: the day after it is to be done."""
        return self.planned_end + DAY


def zone_of(plant: PlantPlan) -> ZoneInfo:
    """Return the plant's time zone."""
    return ZoneInfo(plant.time_zone)


def production_day(plant: PlantPlan, at: datetime) -> date:
    """Return the day to which a moment belongs: days begin with the early shift."""
    local = at.astimezone(zone_of(plant))
    return local.date() if local.time() >= DAY_STARTS else local.date() - DAY


def day_window(plant: PlantPlan, day: date) -> Interval:
    """Return a production day's time; 23 or 25 hours long when the clocks change in it."""
    zone = zone_of(plant)
    return Interval.utc(
        datetime.combine(day, DAY_STARTS, tzinfo=zone), datetime.combine(day + DAY, DAY_STARTS, tzinfo=zone)
    )


def shifts_in(plant: PlantPlan, line: LinePlan, window: Interval) -> list[ShiftOccurrence]:
    """Return the shifts that a line works in a window, whole."""
    rules = [_rule(number, shift) for number, shift in enumerate(plant.shifts_of(line), start=1)]
    return shift_occurrences(rules, _exceptions(plant, line, window), zone_of(plant), window)


def _rule(number: int, shift: ShiftPlan) -> ShiftRule:
    return ShiftRule(
        id=number,
        level=Level.LINE,
        kind=ShiftKind.OVERTIME if shift.is_overtime else ShiftKind.REGULAR,
        name=shift.name,
        weekdays=shift.weekdays,
        start_time=shift.start,
        end_time=shift.end,
        breaks=tuple(BreakRule(pause.start, pause.end) for pause in shift.breaks),
    )


def _exceptions(plant: PlantPlan, line: LinePlan, window: Interval) -> Iterator[DayRule]:
    if line.works_on_holidays:
        return
    day = window.start.date() - 3 * DAY
    while day <= window.end.date() + 2 * DAY:
        if plant.is_holiday(day):
            yield DayRule(Level.SITE, day, DayKind.HOLIDAY)
        day += DAY


def order_slots(plant: PlantPlan, line: LinePlan, window: Interval) -> list[OrderSlot]:
    """Return the orders of a line that touch a window, whole and in order.

    An order ends where the next begins or where the line stops working, whichever comes first; so it is planned, and so
    it comes, later by what the order after it is late.
    """
    around = Interval(window.start - 3 * DAY, window.end + 2 * DAY)
    shifts = shifts_in(plant, line, around)
    working = union([shift.interval for shift in shifts])
    starts = [
        (at, day, number)
        for at, day, number in _order_starts(plant, line, around)
        if any(block.covers(at) for block in working)
    ]
    slots = []
    for before, (at, day, number), following in zip(starts, starts[1:], [*starts[2:], None], strict=False):
        block = next(block for block in working if block.covers(at))
        name = _number(line, day, number)
        planned_end = end = block.end
        if following is not None and following[0] < block.end:
            planned_end = following[0]
            end = planned_end + _delay(_number(line, *following[1:]))
        # The first order of a working time has nobody before it to wait for.
        start = at if at == block.start else at + _delay(name)
        if end > window.start and start < window.end:
            product, previous = _product(line, day, number), _product(line, *before[1:])
            customer, priority = _wanted_by(plant, name)
            slots.append(
                OrderSlot(
                    number=name,
                    product=product,
                    previous_product=previous,
                    planned_start=at,
                    planned_end=planned_end,
                    start=start,
                    end=end,
                    quantity=_planned_quantity(line.rates[product], Interval(at, planned_end), shifts),
                    customer=customer,
                    priority=priority,
                )
            )
    return slots


def _number(line: LinePlan, day: date, number: int) -> str:
    return f"{line.code}-{day:%Y%m%d}-{number + 1}"


@cache
def _delay(order_number: str) -> timedelta:
    """Return how much later than planned an order begins; whole seconds."""
    rng = Random(f"delay|{order_number}")
    minutes = rng.uniform(*(_LATE if rng.random() < _LATE_SHARE else _USUAL_DELAY))
    return timedelta(seconds=round(minutes * 60))


def _wanted_by(plant: PlantPlan, order_number: str) -> tuple[str, int]:
    """Return who ordered it and how urgent it is."""
    rng = Random(f"customer|{order_number}")
    is_sold = bool(plant.customers) and rng.random() < _FOR_CUSTOMERS
    return (rng.choice(plant.customers), rng.randint(1, 6)) if is_sold else ("", rng.randint(5, 10))


def _order_starts(plant: PlantPlan, line: LinePlan, window: Interval) -> Iterator[tuple[datetime, date, int]]:
    zone = zone_of(plant)
    day = window.start.astimezone(zone).date()
    while day <= window.end.astimezone(zone).date():
        for number, start in enumerate(line.order_starts):
            at = datetime.combine(day, start, tzinfo=zone).astimezone(UTC)
            if window.covers(at):
                yield at, day, number
        day += DAY


def _product(line: LinePlan, day: date, number: int) -> str:
    turn = day.toordinal() * len(line.order_starts) + number
    return line.sequence[turn % len(line.sequence)]


def _planned_quantity(rate: Decimal, slot: Interval, shifts: list[ShiftOccurrence]) -> Decimal:
    pauses = [
        min(pause.end, slot.end) - max(pause.start, slot.start)
        for shift in shifts
        for pause in shift.breaks
        if pause.start < slot.end and pause.end > slot.start
    ]
    hours = Decimal((slot.end - slot.start - sum(pauses, timedelta())) // timedelta(seconds=1)) / 3600
    lots = (rate * hours * PLANNED_SHARE / _ROUND_LOT).to_integral_value(ROUND_HALF_UP)
    return max(lots, Decimal(1)) * _ROUND_LOT
