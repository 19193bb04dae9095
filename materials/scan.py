"""Say what a scanned code means, and what it is here."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Q

from core.gs1 import Element, NotGs1, parse, value_of
from core.master_data import in_scope
from materials.models import Container, Location, MaterialLot
from products.models import Product
from workorders.models import WorkOrder

MAX_FOUND = 20


@dataclass(slots=True)
class Scan:
    """A code: what it says in GS1's terms, or why it is none, and what here has that name."""

    elements: list[Element] = field(default_factory=list)
    problem: str = ""
    product: Product | None = None
    lots: list[MaterialLot] = field(default_factory=list)
    location: Location | None = None
    work_order: WorkOrder | None = None
    containers: list[Container] = field(default_factory=list)


def read(code: str, *, user: Any, today: date) -> Scan:
    """Read a code: a GS1 element string, or the plain number of a lot, product, location or order."""
    found = Scan()
    lots = in_scope(MaterialLot.objects.select_related("product", "site"), user, MaterialLot.site_paths)
    try:
        found.elements = parse(code, today=today)
    except NotGs1 as problem:
        found.problem = str(problem)
    gtin = value_of(found.elements, "01") or value_of(found.elements, "02")
    if gtin is not None:
        forms = [str(gtin)[14 - length :] for length in (14, 13, 12, 8) if str(gtin)[: 14 - length].strip("0") == ""]
        found.product = Product.objects.filter(gtin__in=forms).first()
    boxes = in_scope(Container.objects.order_by("id"), user, Container.site_paths)
    sscc = value_of(found.elements, "00")
    if sscc is not None:
        found.containers = list(boxes.filter(sscc=sscc))
    number, serial = value_of(found.elements, "10"), value_of(found.elements, "21")
    if found.elements:
        if number is not None and (found.product is not None or gtin is None):
            lots = lots.filter(number=number)
        elif serial is not None and found.product is not None:
            lots = lots.filter(serial=serial)
        else:
            lots = lots.none()
        if found.product is not None:
            lots = lots.filter(product=found.product)
        found.lots = list(lots[:MAX_FOUND])
        return found
    plain = code.strip()
    found.lots = list(lots.filter(number=plain)[:MAX_FOUND])
    found.containers = list(boxes.filter(Q(code=plain) | Q(sscc=plain))[:MAX_FOUND])
    found.product = Product.objects.filter(code=plain).first()
    found.location = in_scope(Location.objects.filter(code=plain), user, Location.site_paths).first()
    found.work_order = in_scope(WorkOrder.objects.filter(order_number=plain), user, WorkOrder.site_paths).first()
    return found
