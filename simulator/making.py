"""What the demo plant makes its bottles of, how, and who makes them: master data."""

from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from django.db import models, transaction

from core import master_data
from enterprise.models import Machine, Site
from labor.models import Crew, Employee
from materials.models import BackflushPolicy, Location
from products.models import (
    BillOfMaterialLine,
    MaterialType,
    Product,
    ProductRevision,
    ProductUnit,
    Routing,
    RoutingOperation,
    StockPolicy,
)
from products.services import ensure_unit, release_revision
from simulator.plant import LinePlan, MaterialPlan, PlantPlan, ProductPlan

THOUSAND = Decimal(1000)
STORE, FINISHED = "STORE", "FINISHED"
REJECTED = "Rejected at the line"
"""Why bottles are scrapped that an order made and that never came into stock."""

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
    ensure(BackflushPolicy, {"site": site, "product": None}, mode=BackflushPolicy.Mode.ORDER)
    for material in plant.materials:
        _create_material(material)
    for product in plant.products:
        _say_how_much_it_holds(product)
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


def _say_how_much_it_holds(plan: ProductPlan) -> None:
    """Let what is in the bottles be weighed against the water that was used."""
    product = Product.objects.get(code=plan.code)
    litre = ensure_unit(code="l")
    ensure(ProductUnit, {"product": product, "unit": litre}, quantity=plan.litres, base_quantity=Decimal(1))


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
