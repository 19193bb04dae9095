"""The sections of a record that follow from orders, materials, people and machines.

Apps between those and this one add their own (`workorders.record_sections.contributes`).
"""

from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Q

from batchrecords.models import SigningPolicy
from core.intervals import Interval
from core.retention import Closed
from counts.models import CountCorrection
from downtime.models import StateCorrection, StateReason
from enterprise.models import Machine
from execution.selectors import progress_of_operations
from labor.models import Certificate, LaborEntry, SkillNeed
from materials.models import GenealogyLink, Kind, LotStatus, LotStatusChange, MaterialLot, MaterialTransaction
from materials.selectors import USED, of_order
from oee.engine import Category
from oee.scopes import machines_on
from oee.stops import SHORT, stops_of
from workorders.models import Operation, OrderMaterial, OrderParameter, OrderStatusChange, WorkOrder
from workorders.record_sections import CRITICAL, MAJOR, MINOR, Finding, Section, contributes, text

_CLOSED = WorkOrder.Status.CLOSED


@contributes("order", "Order", 10)
def order_section(order: WorkOrder, now: datetime) -> Section:
    """Return how the order went and what was confirmed. That it was closed in the books is none of the batch's."""
    section = Section(("At", "What", "Quantity", "By", "Note"))
    changes = OrderStatusChange.objects.filter(order=order).exclude(to_status=_CLOSED).exclude(from_status=_CLOSED)
    for change in changes.select_related("changed_by", "reason").order_by("id"):
        note = " ".join(part for part in (str(change.reason or ""), change.note) if part)
        section.add(change.changed_at, change.get_to_status_display(), None, change.changed_by, note)
        if change.to_status == WorkOrder.Status.ON_HOLD:
            section.findings.append(
                Finding(f"order.hold:{change.pk}", "hold", MAJOR, "The order was on hold", note, change.changed_at)
            )
    for row in order.confirmations.select_related("confirmed_by").order_by("id"):
        quantity = f"good {text(row.good)}, scrap {text(row.scrap)}, rework {text(row.rework)}"
        section.add(row.confirmed_at, "Confirmed", quantity, row.confirmed_by, row.note)
        if row.confirmed_by_id:
            section.workers.add(row.confirmed_by_id)
        if row.reverses_id:
            title = "A confirmation was reversed"
            section.findings.append(
                Finding(f"order.reversal:{row.pk}", "reversal", MINOR, title, quantity, row.confirmed_at)
            )
    return section


@contributes("operations", "Operations", 20)
def operations_section(order: WorkOrder, now: datetime) -> Section:
    """Return the order's operations as they went."""
    section = Section(
        ("Sequence", "Operation", "Status", "Machine", "Planned", "Completed", "Rejected", "Start", "End", "Inspection")
    )
    operations = list(order.operations.select_related("machine", "inspected_by").order_by("sequence", "id"))
    for operation in operations:
        operation.work_order = order
    progress = progress_of_operations(operations, now=now)
    for operation in operations:
        pieces = progress[operation.pk].made
        section.add(
            operation.sequence,
            f"{operation.code} {operation.name}",
            operation.get_status_display(),
            operation.machine,
            operation.planned_quantity,
            pieces.good,
            pieces.scrap,
            operation.actual_start_at,
            operation.actual_end_at,
            operation.get_inspection_status_display(),
        )
        section.findings += _of_operation(operation)
    return section


def _of_operation(operation: Operation) -> list[Finding]:
    found = []
    # What inspections came to, the section of inspections says.
    if operation.inspection_status == Operation.Inspection.PENDING:
        key = f"operation.inspection:{operation.pk}"
        found.append(Finding(key, "inspection", MAJOR, f"{operation.code} was not inspected"))
    if operation.status == Operation.Status.SKIPPED:
        found.append(Finding(f"operation.skipped:{operation.pk}", "skipped", MAJOR, f"{operation.code} was skipped"))
    return found


@contributes("set_points", "Set-points", 30)
def set_points_section(order: WorkOrder, now: datetime) -> Section:
    """Return the set-points that the order was released with, as they are now."""
    section = Section(("Operation", "Parameter", "Set-point", "Minimum", "Maximum", "Unit"))
    rows = OrderParameter.objects.filter(operation__work_order=order).select_related("operation", "unit")
    for row in rows.order_by("operation__sequence", "operation_id", "code"):
        name = f"{row.code} {row.name}"
        section.add(row.operation.code, name, row.target, row.minimum, row.maximum, row.unit)
    return section


@contributes("materials", "Materials required and used", 40)
def materials_section(order: WorkOrder, now: datetime) -> Section:
    """Return, for each material, what was required and what was used, net."""
    section = Section(("Material", "Required", "Used", "Unit"))
    used: dict[int, Any] = {}
    for row in of_order(order):
        if row["role"] == USED:
            used[row["product"]] = used.get(row["product"], 0) + row["total"]
    required = OrderMaterial.objects.filter(work_order=order).select_related("product")
    listed = set()
    for line in required.order_by("position"):
        listed.add(line.product_id)
        section.add(
            f"{line.product.code} {line.product.name}", line.quantity_required, used.get(line.product_id), line.unit_id
        )
        if line.quantity_required > 0 and not used.get(line.product_id):
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


_TAKES = {Kind.ISSUE, Kind.CONSUME}


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
    elif fact.kind in _TAKES and fact.reason:
        title = f"Lot {fact.lot or fact.product} was taken for a reason"
        found.append(Finding(f"movement.reason:{fact.pk}", "overridden", MINOR, title, fact.reason, fact.occurred_at))
    if fact.kind in (Kind.REVERSAL, Kind.ADJUST):
        title = f"{fact.get_kind_display()} of {fact.quantity.normalize():f} {fact.unit} {fact.product.code}"
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


@contributes("runs", "Runs", 80)
def runs_section(order: WorkOrder, now: datetime) -> Section:
    """Return when which line worked on it, with its machines."""
    section = Section(("Line", "Machines", "Start", "End"))
    for run in order.runs.select_related("line").order_by("started_at", "id"):
        machines = ", ".join(machine.code for machine in machines_on(run.line))
        section.add(run.line, machines, run.started_at, run.ended_at)
    return section


@contributes("stops", "Stops", 90)
def stops_section(order: WorkOrder, now: datetime) -> Section:
    """Return the stops of the machines during the runs, cut to them; micro-stops are left out."""
    section = Section(("Machine", "Start", "End", "Category", "Reason"))
    policy = SigningPolicy.objects.filter(site=order.line.area.site_id).first() or SigningPolicy()
    longest = timedelta(minutes=policy.stop_minutes)
    reasons = {reason.pk: reason for reason in StateReason.objects.without_tree_fields()}
    for run in order.runs.select_related("line__area__site").order_by("started_at", "id"):
        if run.ended_at is None or run.ended_at > now:
            continue
        machines = machines_on(run.line)
        by_id = {machine.pk: machine for machine in machines}
        try:
            stops = stops_of(machines, Interval(run.started_at, run.ended_at), now=now)
        except Closed:
            section.add("", run.started_at, run.ended_at, "unknown: the raw facts are gone", "")
            continue
        for stop in stops:
            if stop.category in SHORT:
                continue
            start, end = max(stop.start, run.started_at), min(stop.until, run.ended_at)
            machine, reason = by_id[stop.machine_id], reasons.get(stop.reason_id or 0)
            section.add(machine.code, start, end, stop.category.value, reason)
            if stop.category is Category.UNPLANNED and end - start >= longest:
                key, minutes = f"stop:{machine.pk}:{text(start)}", (end - start) // timedelta(minutes=1)
                title = f"{machine.code} stood for {minutes} min"
                section.findings.append(
                    Finding(key, "stop", MINOR, title, text(reason) or "No reason was given", start)
                )
    return section


@contributes("people", "People", 100)
def people_section(order: WorkOrder, now: datetime) -> Section:
    """Return who worked on it, and whether they had the skills that the place needs."""
    section = Section(("Person", "Work", "Operation", "Machine", "Start", "End"))
    entries = list(
        LaborEntry.objects.filter(work_order=order)
        .select_related("employee__site", "machine", "line")
        .order_by("started_at", "id")
    )
    needs = _needs(order, entries)
    held: dict[tuple[int, int], list[Certificate]] = defaultdict(list)
    wanted = {skill_id for skills in needs.values() for skill_id, _ in skills}
    certificates = Certificate.objects.filter(employee__in={entry.employee_id for entry in entries}, skill__in=wanted)
    for certificate in certificates:
        held[certificate.employee_id, certificate.skill_id].append(certificate)
    for entry in entries:
        section.add(
            f"{entry.employee.code} {entry.employee.name}",
            entry.get_kind_display(),
            entry.operation,
            entry.machine,
            entry.started_at,
            entry.ended_at,
        )
        if entry.employee.user_id:
            section.workers.add(entry.employee.user_id)
        day = entry.started_at.astimezone(entry.employee.site.zone).date()
        for skill_id, skill in needs[entry.pk]:
            if not any(_holds(one, day) for one in held[entry.employee_id, skill_id]):
                title = f"{entry.employee.name} had no certificate of {skill}"
                key = f"labor.skill:{entry.pk}:{skill_id}"
                section.findings.append(Finding(key, "uncertified", MAJOR, title, "", entry.started_at))
    return section


def _needs(order: WorkOrder, entries: list[LaborEntry]) -> dict[int, list[tuple[int, str]]]:
    """Return, for each entry, the skills that its machine, or else its line, needs."""
    lines = {entry.line_id or order.line_id for entry in entries} | {
        entry.machine.line_id for entry in entries if entry.machine
    }
    rows = SkillNeed.objects.filter(Q(line__in=lines) | Q(machine__line__in=lines)).select_related("skill")
    by_place: dict[tuple[str, int | None], list[tuple[int, str]]] = defaultdict(list)
    for need in rows.order_by("skill_id", "id"):
        place = ("line", need.line_id) if need.line_id else ("machine", need.machine_id)
        by_place[place].append((need.skill_id, str(need.skill)))
    found = {}
    for entry in entries:
        line_id = entry.machine.line_id if entry.machine else entry.line_id or order.line_id
        every = [*by_place["line", line_id], *by_place["machine", entry.machine_id]]
        found[entry.pk] = list(dict.fromkeys(every))
    return found


def _holds(certificate: Certificate, day: date) -> bool:
    return certificate.valid_from <= day and (certificate.valid_until is None or day <= certificate.valid_until)


@contributes("changeovers", "Changeovers", 110)
def changeovers_section(order: WorkOrder, now: datetime) -> Section:
    """Return the changeovers that it was made ready by."""
    section = Section(("Line", "Kind", "From", "To", "Start", "End", "First piece", "By"))
    rows = order.changeovers.select_related("line", "from_product", "to_product", "started_by")
    for row in rows.order_by("started_at", "id"):
        section.add(
            row.line,
            row.get_kind_display(),
            row.from_product,
            row.to_product,
            row.started_at,
            row.ended_at,
            row.get_inspection_display(),
            row.started_by,
        )
        section.workers.add(row.started_by_id)
        if row.inspection in ("failed", "conditional"):
            title = f"First piece: {row.get_inspection_display().lower()}"
            key = f"changeover.inspection:{row.pk}"
            section.findings.append(Finding(key, "inspection", MAJOR, title, row.inspection_note, row.started_at))
    return section


@contributes("changes", "Corrections and changes after the fact", 900)
def changes_section(order: WorkOrder, now: datetime) -> Section:
    """Return what people said differently later: of the machines' states and counts, of runs, set-points and the order."""
    section = Section(("At", "What", "Was", "Now", "By", "Comment"))
    for run in order.runs.select_related("line").order_by("started_at", "id"):
        if run.ended_at is None:
            continue
        machines = machines_on(run.line)
        _corrections(section, machines, Interval(run.started_at, run.ended_at))
        _history(section, run.history, ("started_at", "ended_at"), f"Run of {run.line.code}", once=("ended_at",))
    if order.released_at is not None:
        names = ("product_id", "target_quantity", "unit_id", "revision_id", "routing_code", "lot_number", "line_id")
        later = order.history.filter(history_date__gt=order.released_at)
        _history(section, later, names, f"Order {order.order_number}")
        for parameter in OrderParameter.objects.filter(operation__work_order=order).order_by("id"):
            _history(section, parameter.history, ("target", "minimum", "maximum"), f"Set-point {parameter.code}")
    section.rows.sort()
    return section


def _corrections(section: Section, machines: list[Machine], window: Interval) -> None:
    ids = [machine.pk for machine in machines]
    states = StateCorrection.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=window.start), machine__in=ids, starts_at__lt=window.end
    ).select_related("machine", "reason", "corrected_by")
    for row in states.order_by("id"):
        what = f"State of {row.machine.code} from {text(row.starts_at)}"
        now = text(row.reason) or "as the machine said"
        section.add(row.recorded_at, what, "", now, row.corrected_by, row.comment)
        section.workers.add(row.corrected_by_id)
        # To give a stop its reason while the run goes on is ordinary work.
        if row.replaces_running or row.recorded_at >= window.end:
            title = f"The state of {row.machine.code} was corrected"
            detail = f"{now} {row.comment}".strip()
            key = f"correction.state:{row.pk}"
            section.findings.append(Finding(key, "correction", MINOR, title, detail, row.starts_at))
    counts = CountCorrection.objects.filter(
        tag__machine__in=ids, occurred_at__gte=window.start, occurred_at__lt=window.end
    ).select_related("tag__machine", "corrected_by")
    for count in counts.order_by("id"):
        what = f"Count {count.tag.tag_path} at {text(count.occurred_at)}"
        now = "void" if count.value is None else text(count.value)
        section.add(count.recorded_at, what, "", now, count.corrected_by, count.comment)
        section.workers.add(count.corrected_by_id)
        title = f"A count of {count.tag.machine.code} was corrected"
        key = f"correction.count:{count.pk}"
        section.findings.append(Finding(key, "correction", MINOR, title, f"{now} {count.comment}", count.occurred_at))


def _history(section: Section, history: Any, names: tuple[str, ...], what: str, once: tuple[str, ...] = ()) -> None:
    """Add the changes of some fields between neighbouring versions; those in `once` may be filled in without a word."""
    versions = list(history.select_related("history_user").order_by("history_date", "history_id"))
    for before, after in pairwise(versions):
        for name in names:
            was, now = getattr(before, name), getattr(after, name)
            if was == now or (name in once and was is None):
                continue
            field = name.removesuffix("_id").replace("_", " ")
            section.add(after.history_date, f"{what}: {field}", was, now, after.history_user, "")
            key = f"change:{type(after)._meta.model_name}:{after.history_id}:{name}"
            title = f"{what}: {field} was changed"
            detail = f"{text(was) or 'empty'} → {text(now) or 'empty'}"
            section.findings.append(Finding(key, "change", MINOR, title, detail, after.history_date))
