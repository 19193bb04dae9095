"""When the demo plant's suppliers come, and with how much. Pure: the same answer for the same day, always."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from core.intervals import Interval
from simulator.plant import MaterialPlan, PlantPlan
from simulator.working_time import DAY, DAY_STARTS, OrderSlot, order_slots, zone_of

THOUSAND = Decimal(1000)
_BEFORE_THE_SHIFT = timedelta(hours=1)
_TO_SPARE = Decimal("1.1")
_MADE_BEFORE = timedelta(days=12)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One lot of one material, as it arrives at the gate."""

    material: MaterialPlan
    day: date
    arrives_at: datetime

    @property
    def lot_number(self) -> str:
        """How the supplier calls it."""
        return f"{self.material.code}-{self.day:%y%m%d}"

    @property
    def made_date(self) -> date:
        """When the supplier made it."""
        return self.day - _MADE_BEFORE

    @property
    def best_before(self) -> date | None:
        """The last day on which it may be used."""
        days = self.material.shelf_life_days
        return None if days is None else self.made_date + timedelta(days=days)


def deliveries(plant: PlantPlan, window: Interval) -> Iterator[Delivery]:
    """Yield the deliveries that the orders of a window may take from, those that came before it included."""
    zone = zone_of(plant)
    longest = max((material.days for material in plant.materials), default=1)
    day = window.start.astimezone(zone).date() - longest * DAY
    while day <= window.end.astimezone(zone).date():
        arrives_at = datetime.combine(day, DAY_STARTS, tzinfo=zone) - _BEFORE_THE_SHIFT
        for material in plant.materials:
            if material.has_lots and day.toordinal() % material.days == 0:
                yield Delivery(material, day, arrives_at)
        day += DAY


def quantity_of(plant: PlantPlan, delivery: Delivery, slots: Sequence[OrderSlot] | None = None) -> Decimal:
    """Return how much of a material a delivery brings: whole packages, enough for the orders until the next;
    0 = none comes.

    `slots` are the orders around it, where the caller has them.
    """
    zone, material = zone_of(plant), delivery.material
    until = delivery.day + material.days * DAY
    window = Interval.utc(*(datetime.combine(day, DAY_STARTS, tzinfo=zone) for day in (delivery.day, until)))
    if slots is None:
        slots = [slot for line in plant.lines for slot in order_slots(plant, line, window)]
    needed = Decimal(0)
    for slot in slots:
        if window.covers(slot.start):
            per_thousand = {code: quantity for code, quantity, _ in plant.product(slot.product).bill}
            needed += per_thousand.get(material.code, Decimal(0)) * slot.quantity / THOUSAND
    return (needed * _TO_SPARE / material.package).to_integral_value(ROUND_CEILING) * material.package
