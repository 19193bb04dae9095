"""The sections of a record that follow from materials: what was required and used, movements, lots, genealogy."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db.models import Count

from core.exact import plain_number
from materials.ledger import BACK_FLUSHED
from materials.models import GenealogyLink, Kind, LotStatus, LotStatusChange, MaterialLot, MaterialTransaction
from materials.selectors import USED, of_order
from tracking.models import Assembly
from workorders.models import OrderMaterial, WorkOrder
from workorders.record_sections import CRITICAL, MAJOR, MINOR, Finding, Section, contributes

_TAKES = {Kind.ISSUE, Kind.CONSUME}


@contributes("materials", "Materials required and used", 40)
def materials_section(order: WorkOrder, now: datetime) -> Section:
    """Return, for each material, what was required and what was used, net, or built in by serial number."""
    section = Section(("Material", "Required", "Used", "Unit"))
    used: dict[int, Any] = {}
    for row in of_order(order):
        if row["role"] == USED:
            used[row["product"]] = used.get(row["product"], 0) + row["total"]
    built_in = dict(
        Assembly.objects.filter(parent__order=order, removal__isnull=True)
        .order_by()
        .values_list("child__product")
        .annotate(Count("id"))
    )
    required = OrderMaterial.objects.filter(work_order=order).select_related("product")
    listed = set()
    for line in required.order_by("position"):
        listed.add(line.product_id)
        # What is built in by its serial number need not be drawn from stock as well.
        taken = used.get(line.product_id) or built_in.get(line.product_id)
        section.add(f"{line.product.code} {line.product.name}", line.quantity_required, taken, line.unit_id)
        if line.quantity_required > 0 and not taken:
            section.findings.append(
                Finding(f"material.missing:{line.pk}", "missing", MAJOR, f"No use of {line.product.code} is recorded")
            )
    beside = MaterialTransaction.objects.filter(work_order=order, product__in=used.keys() - listed)
    for pk, code, name, unit in (
        beside.values_list("product_id", "product__code", "product__name", "unit").distinct().order_by("product__code")
    ):
        section.add(f"{code} {name}", None, used[pk], unit)
        if listed:
            title = f"{code} was used and is not on the bill"
            section.findings.append(Finding(f"material.beside:{pk}", "not_on_bill", MAJOR, title))
    return section


@contributes("movements", "Movements of material", 50)
def movements_section(order: WorkOrder, now: datetime) -> Section:
    """Return the movements for the order, with each lot's status when it was taken."""
    section = Section(
        ("At", "Kind", "Material", "Lot", "Lot was", "Quantity", "Unit", "From", "To", "Operation", "By", "Reason")
    )
    rows = MaterialTransaction.objects.filter(work_order=order).select_related(
        "product", "lot__site", "from_location", "to_location", "performed_by"
    )
    decided: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    changes = LotStatusChange.objects.filter(lot__in=rows.order_by().values("lot"))
    for lot_id, at, status in changes.order_by("changed_at", "id").values_list("lot_id", "changed_at", "to_status"):
        decided[lot_id].append((at, status))
    for fact in rows.order_by("occurred_at", "id"):
        status = _status_then(fact.lot, decided, fact.occurred_at) if fact.lot and fact.kind in _TAKES else ""
        section.add(
            fact.occurred_at,
            fact.get_kind_display(),
            fact.product.code,
            fact.lot,
            status,
            fact.quantity,
            fact.unit,
            fact.from_location,
            fact.to_location,
            fact.operation_code,
            fact.performed_by,
            fact.reason,
        )
        section.workers.add(fact.performed_by_id)
        section.findings += _of_movement(fact, status)
    return section


def _status_then(lot: MaterialLot, decided: dict[int, list[tuple[datetime, str]]], at: datetime) -> str:
    if lot.expiry_date is not None and lot.day(at) > lot.expiry_date:
        return "expired"
    return next((status for when, status in reversed(decided[lot.pk]) if when <= at), "")


def _of_movement(fact: MaterialTransaction, status: str) -> list[Finding]:
    found = []
    if fact.kind in _TAKES and status not in ("", LotStatus.RELEASED):
        title = f"Lot {fact.lot} was taken while it was {status.replace('_', ' ')}"
        found.append(Finding(f"movement.lot:{fact.pk}", "lot_unusable", CRITICAL, title, fact.reason, fact.occurred_at))
    elif fact.kind in _TAKES and fact.reason not in ("", BACK_FLUSHED):
        title = f"Lot {fact.lot or fact.product} was taken for a reason"
        found.append(Finding(f"movement.reason:{fact.pk}", "overridden", MINOR, title, fact.reason, fact.occurred_at))
    if fact.kind in (Kind.REVERSAL, Kind.ADJUST):
        title = f"{fact.get_kind_display()} of {plain_number(fact.quantity)} {fact.unit} {fact.product.code}"
        found.append(
            Finding(f"movement.{fact.kind}:{fact.pk}", "reversal", MINOR, title, fact.reason, fact.occurred_at)
        )
    return found


@contributes("lots", "Lots used and made", 60)
def lots_section(order: WorkOrder, now: datetime) -> Section:
    """Return the lots in it and the lots made. Their status of now is none of the batch's past."""
    section = Section(("Lot", "Material", "Part", "Supplier", "Made", "Expires", "Retest", "Certificate"))
    ids = MaterialTransaction.objects.filter(work_order=order, lot__isnull=False).values_list("lot_id", "kind")
    parts: dict[int, str] = {}
    for lot_id, kind in ids.order_by("lot_id", "id").distinct():
        if kind == Kind.PRODUCE:
            parts[lot_id] = "made"
        elif kind in _TAKES:
            parts.setdefault(lot_id, "used")
    lots = MaterialLot.objects.filter(pk__in=parts).select_related("product").order_by("product__code", "number", "id")
    for lot in lots:
        supplier = " ".join(part for part in (lot.supplier, lot.supplier_lot) if part)
        section.add(
            lot.number,
            lot.product.code,
            parts[lot.pk],
            supplier,
            lot.made_date,
            lot.expiry_date,
            lot.retest_date,
            lot.certificate,
        )
    return section


@contributes("genealogy", "Genealogy", 70)
def genealogy_section(order: WorkOrder, now: datetime) -> Section:
    """Return how much of which lot went into which."""
    section = Section(("Lot", "Went into", "Quantity at most"))
    rows = GenealogyLink.objects.filter(work_order=order).select_related("input_lot", "output_lot")
    sums: dict[tuple[str, int, str, int], Any] = {}
    for link in rows:
        key = (link.input_lot.number, link.input_lot_id, link.output_lot.number, link.output_lot_id)
        sums[key] = sums.get(key, 0) + link.quantity
    for key in sorted(sums):
        if sums[key] > 0:
            section.add(key[0], key[2], sums[key])
    return section
