"""What the demo plant makes its bottles of, and who makes them: master data, deliveries, and what an order used and made."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import TypeVar

from django.db import models, transaction

from core import master_data
from core.intervals import Interval
from enterprise.models import Machine, Site
from labor.models import Crew, Employee
from materials.models import Location
from products.models import (
    BillOfMaterialLine,
    MaterialType,
    Product,
    ProductRevision,
    Routing,
    RoutingOperation,
    StockPolicy,
)
from products.services import ensure_unit, release_revision
from simulator.plant import LinePlan, MaterialPlan, PlantPlan, ProductPlan
from simulator.working_time import DAY, DAY_STARTS, order_slots, zone_of

THOUSAND = Decimal(1000)
STORE, FINISHED = "STORE", "FINISHED"
DELIVERED_BEFORE = timedelta(hours=1)

Thing = TypeVar("Thing", bound=models.Model)


def ensure(model: type[Thing], key: dict[str, object], **values: object) -> Thing:
    """Return what has this key; make it if there is none. What exists is left as people have set it."""
    found = model._default_manager.filter(**key).first()
    return found if found is not None else master_data.save(model(**key, **values))


@transaction.atomic
def create_making(plant: PlantPlan, site: Site, *, valid_from: datetime) -> None:
    """Make the places, materials, revisions with bill and routing, crews and employees of a plant."""
    for code, name in ((STORE, "Material store"), (FINISHED, "Finished goods")):
        ensure(Location, {"code": code}, name=name, site=site)
    for material in plant.materials:
        _create_material(material)
    for line in plant.lines:
        for code in line.rates:
            _create_revision(plant.product(code), line, valid_from)
    for plan in plant.crews:
        crew = ensure(Crew, {"code": plan.code}, name=f"{plan.line} {plan.shift.lower()} crew", site=site)
        for number, first, last in plan.members:
            ensure(
                Employee,
                {"code": number},
                name=f"{first} {last}",
                site=site,
                crew=crew,
                badge=f"VB-{number}",
                hourly_rate=plan.hourly_rate,
            )


def _create_material(plan: MaterialPlan) -> None:
    ensure(
        Product,
        {"code": plan.code},
        name=plan.name,
        unit=ensure_unit(code=plan.unit),
        material_type=MaterialType.COMPONENT if plan.unit == "pcs" else MaterialType.RAW,
        lot_controlled=plan.has_lots,
        shelf_life_days=plan.shelf_life_days,
        # What comes through a pipe is metered, not stored.
        stock_policy=StockPolicy.REFUSE_NEGATIVE if plan.has_lots else StockPolicy.ALLOW_NEGATIVE,
    )


def _create_revision(plan: ProductPlan, line: LinePlan, valid_from: datetime) -> None:
    product = Product.objects.get(code=plan.code)
    if product.revisions.exists():
        return
    revision = master_data.save(ProductRevision(product=product, code="A", base_quantity=THOUSAND))
    for number, (material, quantity, machine) in enumerate(plan.bill, start=1):
        master_data.save(
            BillOfMaterialLine(
                revision=revision,
                position=number * 10,
                component=Product.objects.get(code=material),
                quantity=quantity,
                operation_code=machine,
            )
        )
    routing = master_data.save(Routing(revision=revision, code="main", name=line.name))
    seconds = Decimal(3600) / line.rates[plan.code]
    for number, machine_plan in enumerate(line.machines, start=1):
        pace = Decimal(machine_plan.pace.numerator) / machine_plan.pace.denominator
        master_data.save(
            RoutingOperation(
                routing=routing,
                sequence=number * 10,
                code=operation_code(machine_plan.code),
                name=machine_plan.name,
                machine=Machine.objects.get(code=machine_plan.code),
                run_time_per_unit=round(seconds / pace, 6),
                crew_size=Decimal(1) if machine_plan.is_constraint else Decimal("0.25"),
                counts_for_output=machine_plan.is_constraint,
                # Bottles go from one machine to the next as they come.
                overlap_allowed=True,
            )
        )
    release_revision(revision=revision, valid_from=valid_from)


def operation_code(machine_code: str) -> str:
    """Return what a machine's operation is called: the last part of its code."""
    return machine_code.rsplit("-", 1)[-1]


# --- deliveries: a lot covers what the orders until the next one need ---


def deliveries(plant: PlantPlan, day: date) -> Iterator[tuple[MaterialPlan, Decimal, datetime]]:
    """Yield what is delivered on a production day: material, quantity, and when it arrives."""
    zone = zone_of(plant)
    arrives_at = datetime.combine(day, DAY_STARTS, tzinfo=zone) - DELIVERED_BEFORE
    for material in plant.materials:
        if material.has_lots and day.toordinal() % material.days == 0:
            needed = _need(plant, material, day)
            if needed:
                packages = (needed / material.package).to_integral_value(ROUND_CEILING)
                yield material, packages * material.package, arrives_at


def _need(plant: PlantPlan, material: MaterialPlan, day: date) -> Decimal:
    """Return what the orders that begin within a delivery's days take of a material, with a tenth to spare."""
    zone = zone_of(plant)
    window = Interval.utc(
        datetime.combine(day, DAY_STARTS, tzinfo=zone),
        datetime.combine(day + material.days * DAY, DAY_STARTS, tzinfo=zone),
    )
    total = Decimal(0)
    for line in plant.lines:
        for slot in order_slots(plant, line, window):
            if window.covers(slot.start):
                per_thousand = {code: quantity for code, quantity, _ in plant.product(slot.product).bill}
                total += per_thousand.get(material.code, Decimal(0)) * slot.quantity / THOUSAND
    return total * Decimal("1.1")


def lot_number(material: MaterialPlan, day: date) -> str:
    """Return how the supplier calls a delivery."""
    return f"{material.code}-{day:%y%m%d}"


def best_before(days: int | None, made: date) -> date | None:
    """Return the last day on which something made on a day may be used."""
    return None if days is None else made + timedelta(days=days)


MIDNIGHT = time(0)
