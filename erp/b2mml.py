"""B2MML (ISA-95 messages of MESA): production schedules in, operations performance out; XML, or the same as JSON.

Read: `OperationsSchedule` of V0700 and `ProductionSchedule` of V0401, by the names of elements, whatever the version's
namespace. Written: `OperationsPerformance` of V0700. The mapping is by hand; `docs/erp.md` lists it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.db.models import Sum

from core.errors import Invalid
from core.exact import plain_number, rounded_up
from core.outbox import moment
from execution.selectors import progress_of_operations
from materials.models import Kind, MaterialTransaction
from workorders.models import Operation, WorkOrder
from workorders.selectors import made

NAMESPACE = "http://www.mesa.org/xml/B2MML"
_REQUESTS = ("OperationsRequest", "ProductionRequest")
_PRODUCED = ("Produced", "Material Produced")
DEEPEST = 60
_STATES = {
    WorkOrder.Status.CREATED: "Waiting",
    WorkOrder.Status.RELEASED: "Ready",
    WorkOrder.Status.SCHEDULED: "Ready",
    WorkOrder.Status.IN_PROGRESS: "Running",
    WorkOrder.Status.ON_HOLD: "Held",
    WorkOrder.Status.COMPLETED: "Completed",
    WorkOrder.Status.CLOSED: "Closed",
    WorkOrder.Status.CANCELLED: "Aborted",
}
_SEGMENT_STATES = {
    Operation.Status.PENDING: "Waiting",
    Operation.Status.READY: "Ready",
    Operation.Status.IN_PROGRESS: "Running",
    Operation.Status.COMPLETED: "Completed",
    Operation.Status.SKIPPED: "Aborted",
    Operation.Status.ON_HOLD: "Held",
}


# --- in ---


def read_xml(content: bytes) -> dict[str, Any]:
    """Return an XML message as nested dictionaries of lists and texts, without namespaces. Raises Invalid for none."""
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as problem:
        raise Invalid(f"This is no XML that is read here: {problem}"[:300]) from None
    return {_name(root): _inner(root, 0)}


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _inner(element: Element, depth: int) -> Any:
    if depth > DEEPEST:
        raise Invalid("The XML is nested too deeply.")
    if not len(element):
        return (element.text or "").strip()
    found: dict[str, list[Any]] = {}
    for child in element:
        found.setdefault(_name(child), []).append(_inner(child, depth + 1))
    return found


def orders_of(message: Any, *, line: str = "") -> list[dict[str, Any]]:
    """Return the rows of orders (`erp.importing`) that a schedule asks for. Raises Invalid where there is none.

    `line` is the code of the line for requests that name no equipment.
    """
    requests = list(_find(message, _REQUESTS, 0))
    if not requests:
        raise Invalid("There is no OperationsRequest or ProductionRequest in it.")
    return [_order(request, line) for request in requests]


def _find(node: Any, names: Sequence[str], depth: int) -> Iterator[Mapping[str, Any]]:
    """Yield the elements of these names, not those inside them."""
    if depth > DEEPEST:
        raise Invalid("The message is nested too deeply.")
    if isinstance(node, list):
        for one in node:
            yield from _find(one, names, depth + 1)
    elif isinstance(node, dict):
        for name, inner in node.items():
            if name in names:
                yield from (one for one in _list(inner) if isinstance(one, dict))
            else:
                yield from _find(inner, names, depth + 1)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(node: Any, *names: str) -> str:
    """Return the text of the first of these elements that says anything; "" = none does."""
    for name in names:
        for one in _list(node.get(name, "")) if isinstance(node, dict) else ():
            # In JSON an element with attributes is an object with its value.
            plain = one.get("value", one.get("$", "")) if isinstance(one, dict) else one
            if isinstance(plain, str | int | Decimal) and not isinstance(plain, bool) and str(plain).strip():
                return str(plain).strip()
    return ""


def _order(request: Mapping[str, Any], line: str) -> dict[str, Any]:
    segments = list(_find(request, ("SegmentRequirement",), 0))
    materials = list(_find(request, ("MaterialRequirement", "MaterialProducedRequirement"), 0))
    for segment in segments:
        materials += _find(segment, ("MaterialRequirement", "MaterialProducedRequirement"), 0)
    produced = next((one for one in materials if _text(one, "MaterialUse") in _PRODUCED), {})
    quantity = next(iter(_find(produced, ("Quantity",), 0)), {})
    equipment = next((one for one in _find(segments, ("EquipmentRequirement",), 0)), {})
    scope = next(iter(_find(request, ("HierarchyScope",), 0)), {})
    first = segments[0] if segments else {}
    said = {
        "external_id": _text(request, "ID"),
        "description": _text(request, "Description"),
        "line": _text(equipment, "EquipmentID") or _text(scope, "EquipmentID") or line,
        "product": _text(produced, "MaterialDefinitionID"),
        "target_quantity": _text(quantity, "QuantityString"),
        "unit": _text(quantity, "UnitOfMeasure"),
        "lot_number": _text(produced, "MaterialLotID"),
        "planned_start_at": _text(request, "StartTime") or _text(first, "EarliestStartTime"),
        "planned_end_at": _text(request, "EndTime") or _text(first, "LatestEndTime"),
        "priority": _text(request, "Priority"),
    }
    return {name: value for name, value in said.items() if value}


# --- out ---


def performance_of(order: WorkOrder, *, now: datetime) -> Element:
    """Return what an order did so far as an OperationsPerformance: a segment for each operation,
    or one for the order.
    """
    root = Element("OperationsPerformance", xmlns=NAMESPACE)
    _add(root, "ID", f"{order.order_number}/{moment(now)}")
    _add(root, "PublishedDate", moment(now))
    _scope(root, order.line.area.site.code, "Site")
    _add(root, "OperationsType", "Production")
    response = SubElement(root, "OperationsResponse")
    _add(response, "ID", order.order_number)
    if order.description:
        _add(response, "Description", order.description)
    _add(response, "OperationsType", "Production")
    _add(response, "OperationsRequestID", order.external_id or order.order_number)
    _add(response, "ResponseState", _STATES[WorkOrder.Status(order.status)])
    operations = list(
        order.operations.select_related("machine", "line", "work_order__product__unit", "work_order__unit")
    )
    progress = progress_of_operations(operations, now=now)
    for operation in operations:
        segment = SubElement(response, "SegmentResponse")
        _add(segment, "ID", f"{order.order_number}/{operation.sequence}")
        _add(segment, "Description", operation.name)
        if operation.actual_start_at:
            _add(segment, "ActualStartTime", moment(operation.actual_start_at))
        if operation.actual_end_at:
            _add(segment, "ActualEndTime", moment(operation.actual_end_at))
        _add(segment, "ProcessSegmentID", operation.code)
        _add(segment, "SegmentState", _SEGMENT_STATES[Operation.Status(operation.status)])
        _data(segment, order, progress[operation.pk].made)
    whole = SubElement(response, "SegmentResponse")
    _add(whole, "ID", order.order_number)
    _add(whole, "SegmentState", _STATES[WorkOrder.Status(order.status)])
    found = made(order, now=now)
    _data(whole, order, found)
    place = SubElement(whole, "EquipmentActual")
    _add(place, "ID", order.line.code)
    _add(place, "EquipmentID", order.line.code)
    if order.product is not None and found.good is not None:
        _material(whole, "good", order.product.code, order.lot_number, "Produced", rounded_up(found.good), _unit(order))
    for row in _used(order):
        _material(whole, *row)
    return root


def to_xml(root: Element) -> bytes:
    """Return an element as an XML document."""
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def to_json(root: Element) -> dict[str, Any]:
    """Return an element in the JSON form: the same names; what may stand several times is a list."""
    return {_name(root): _inner(root, 0)}


def _used(order: WorkOrder) -> list[tuple[str, str, str, str, Decimal, str]]:
    """Return what an order consumed, less what of it was taken back, by product and lot."""
    sums: dict[tuple[str, str, str], Decimal] = {}
    rows = MaterialTransaction.objects.filter(work_order=order)
    for sign, chosen in (
        (1, rows.filter(kind=Kind.CONSUME)),
        (-1, rows.filter(kind=Kind.REVERSAL, reverses__kind=Kind.CONSUME)),
    ):
        for row in chosen.values("product__code", "lot__number", "unit").annotate(total=Sum("quantity")).order_by():
            key = (row["product__code"], row["lot__number"] or "", row["unit"])
            sums[key] = sums.get(key, Decimal(0)) + sign * row["total"]
    return [
        (f"consumed {number}", product, lot, "Consumed", quantity, unit)
        for number, ((product, lot, unit), quantity) in enumerate(sorted(sums.items()), start=1)
        if quantity
    ]


def _unit(order: WorkOrder) -> str:
    return str(order.unit_id or (order.product and order.product.unit_id) or "")


def _data(segment: Element, order: WorkOrder, pieces: Any) -> None:
    for name in ("good", "scrap", "rework"):
        value = getattr(pieces, name)
        if value is None:
            continue
        data = SubElement(segment, "SegmentData")
        _add(data, "ID", name)
        inner = SubElement(data, "Value")
        _add(inner, "ValueString", plain_number(rounded_up(value)))
        _add(inner, "DataType", "decimal")
        _add(inner, "UnitOfMeasure", _unit(order))


def _material(segment: Element, id_: str, product: str, lot: str, use: str, quantity: Decimal, unit: str) -> None:
    material = SubElement(segment, "MaterialActual")
    _add(material, "ID", id_)
    _add(material, "MaterialDefinitionID", product)
    if lot:
        _add(material, "MaterialLotID", lot)
    _add(material, "MaterialUse", use)
    amount = SubElement(material, "Quantity")
    _add(amount, "QuantityString", plain_number(quantity))
    _add(amount, "DataType", "decimal")
    _add(amount, "UnitOfMeasure", unit)


def _scope(parent: Element, code: str, level: str) -> None:
    scope = SubElement(parent, "HierarchyScope")
    _add(scope, "EquipmentID", code)
    _add(scope, "EquipmentLevel", level)


# What XML 1.0 cannot hold at all.
_UNWRITABLE = {code: None for code in range(32) if code not in (9, 10, 13)} | dict.fromkeys((0xFFFE, 0xFFFF))


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text.translate(_UNWRITABLE)
