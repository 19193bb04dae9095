"""The records of the floors below that can be reported on: work orders and lots of material."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from core.master_data import in_scope
from enterprise.models import Line
from materials.models import MaterialLot, Stock
from products.models import Product
from reports.sources import Source, register
from workorders.models import Operation, OrderMaterial, Run, WorkOrder

PRODUCT_FIELDS = {
    "product.code": "The product's code",
    "product.name": "The product's name",
    "product.unit": "The product's unit",
    "product.gtin": "The product's GTIN",
}


def product_fields(product: Product | None) -> dict[str, Any] | None:
    """Return what records say of their product."""
    if product is None:
        return None
    return {"code": product.code, "name": product.name, "unit": product.unit_id, "gtin": product.gtin}


def _line(line: Line) -> dict[str, Any]:
    site = line.area.site
    return {"code": line.code, "name": line.name, "area": line.area.name, "site": site.name, "site_code": site.code}


def by(rows: Any, name: str) -> dict[int, list[Any]]:
    """Return rows by a field that names what they belong to."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found


def printed_at() -> datetime:
    """Return the moment of printing."""
    return timezone.now().astimezone(UTC)


def read_orders(orders: Sequence[WorkOrder], user: Any) -> list[dict[str, Any]]:
    """Return the fields of work orders, in five queries however many they are."""
    operations = by(Operation.objects.filter(work_order__in=orders).order_by("sequence", "id"), "work_order_id")
    materials = by(
        OrderMaterial.objects.filter(work_order__in=orders).select_related("product").order_by("position", "id"),
        "work_order_id",
    )
    runs = by(Run.objects.filter(work_order__in=orders).order_by("started_at", "id"), "work_order_id")
    lots = by(
        in_scope(MaterialLot.objects.filter(work_order__in=orders), user, MaterialLot.site_paths).order_by("id"),
        "work_order_id",
    )
    return [
        {
            "order_number": order.order_number,
            "description": order.description,
            "status": order.get_status_display(),
            "product": product_fields(order.product),
            "revision": order.revision and order.revision.code,
            "line": _line(order.line),
            "target_quantity": order.target_quantity,
            "unit": order.unit_id or (order.product and order.product.unit_id),
            "planned_start_at": order.planned_start_at,
            "planned_end_at": order.planned_end_at,
            "due_at": order.due_at,
            "released_at": order.released_at,
            "customer": order.customer.name if order.customer else "",
            "sales_order": order.sales_order,
            "lot_number": order.lot_number,
            "priority": order.priority,
            "custom": dict(order.custom),
            "printed_at": printed_at(),
            "time_zone": order.line.area.site.time_zone,
            "operations": [
                {"number": number, "sequence": step.sequence, "code": step.code, "name": step.name}
                for number, step in enumerate(operations[order.pk], start=1)
            ],
            "materials": [
                {
                    "number": number,
                    "code": material.product.code,
                    "name": material.product.name,
                    "quantity": material.quantity_required,
                    "unit": material.unit_id,
                }
                for number, material in enumerate(materials[order.pk], start=1)
            ],
            "runs": [
                {"number": number, "started_at": run.started_at, "ended_at": run.ended_at}
                for number, run in enumerate(runs[order.pk], start=1)
            ],
            "lots": [{"number": lot.number, "status": lot.get_status_display()} for lot in lots[order.pk]],
        }
        for order in orders
    ]


def read_lots(lots: Sequence[MaterialLot], user: Any) -> list[dict[str, Any]]:
    """Return the fields of lots, in two queries however many they are."""
    there = in_scope(Stock.objects.filter(lot__in=lots).exclude(quantity=0), user, Stock.site_paths)
    stock = by(there.select_related("location").order_by("location__code"), "lot_id")
    return [
        {
            "number": lot.number,
            "product": product_fields(lot.product),
            "status": lot.get_status_display(),
            "site": lot.site.name,
            "batch": lot.batch,
            "serial": lot.serial,
            "supplier": lot.supplier,
            "supplier_lot": lot.supplier_lot,
            "made_date": lot.made_date,
            "expiry_date": lot.expiry_date,
            "retest_date": lot.retest_date,
            "certificate": lot.certificate,
            "order_number": lot.work_order and lot.work_order.order_number,
            "notes": lot.notes,
            "in_stock": sum((there.quantity for there in stock[lot.pk]), Decimal(0)),
            "printed_at": printed_at(),
            "time_zone": lot.site.time_zone,
            "stock": [
                {"location": there.location.name, "location_code": there.location.code, "quantity": there.quantity}
                for there in stock[lot.pk]
            ],
        }
        for lot in lots
    ]


register(
    Source(
        name="work_order",
        label="Work order",
        model=WorkOrder,
        title=lambda order: str(order.order_number),
        read=read_orders,
        related=("line__area__site", "product", "revision", "customer"),
        filters={
            "line": "line",
            "product": "product",
            "status": "status",
            "customer": "customer__name",
            "released_from": "released_at__gte",
            "released_until": "released_at__lt",
        },
        fields={
            "order_number": "Its number",
            "description": "Its description",
            "status": "Its status",
            **PRODUCT_FIELDS,
            "revision": "The revision that is made",
            "line.code": "The line's code",
            "line.name": "The line's name",
            "line.area": "The area",
            "line.site": "The site",
            "target_quantity": "How many to make",
            "unit": "What the quantity is in",
            "planned_start_at": "Planned start",
            "planned_end_at": "Planned end",
            "due_at": "When it is due",
            "released_at": "When it was released",
            "customer": "The customer",
            "sales_order": "The sales order",
            "lot_number": "The lot or batch that it makes",
            "priority": "1 = first … 10 = last",
            "printed_at": "The moment of printing",
            "operations[].number": "1, 2, 3 …",
            "operations[].sequence": "The operation's place in the routing",
            "operations[].code": "The operation's code",
            "operations[].name": "The operation's name",
            "materials[].number": "1, 2, 3 …",
            "materials[].code": "The component's code",
            "materials[].name": "The component's name",
            "materials[].quantity": "How much of it the order needs",
            "materials[].unit": "What that is in",
            "runs[].number": "1, 2, 3 …",
            "runs[].started_at": "When a run began",
            "runs[].ended_at": "When it ended",
            "lots[].number": "A lot that it made",
            "lots[].status": "That lot's status",
        },
    )
)
register(
    Source(
        name="material_lot",
        label="Material lot",
        model=MaterialLot,
        title=lambda lot: str(lot.number),
        read=read_lots,
        related=("product", "site", "work_order"),
        filters={"product": "product", "status": "status", "site": "site", "order": "work_order"},
        fields={
            "number": "Its number",
            **PRODUCT_FIELDS,
            "status": "Its status, as decided",
            "site": "The site",
            "batch": "The batch",
            "serial": "The serial number",
            "supplier": "The supplier",
            "supplier_lot": "The supplier's lot",
            "made_date": "When it was made",
            "expiry_date": "Its last day",
            "retest_date": "When to test it again",
            "certificate": "The certificate of analysis",
            "order_number": "The order that made it",
            "notes": "Notes",
            "in_stock": "How much there is",
            "printed_at": "The moment of printing",
            "stock[].location": "A place where some lies",
            "stock[].location_code": "That place's code",
            "stock[].quantity": "How much lies there",
        },
    )
)
