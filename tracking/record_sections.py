"""The sections of an order's record that serial units know: what each went through, what was filled in,
what was decided.
"""

from datetime import datetime

from tracking.models import Assembly, AssemblyRemoval, SerialUnit, StageEntry, StagePassage, UnitEvent
from tracking.records import shown
from tracking.state import StageState, UnitStatus
from workorders.models import WorkOrder
from workorders.record_sections import MAJOR, MINOR, Finding, Section, contributes

_Kind = UnitEvent.Kind
_DEVIATES = {_Kind.USE_AS_IS.value: MAJOR, _Kind.HOLD.value: MAJOR, _Kind.SCRAP.value: MAJOR, _Kind.REWORK.value: MINOR}
_ENDED = (UnitStatus.FINISHED, UnitStatus.DISPATCHED, UnitStatus.SCRAPPED)
_OVER = (WorkOrder.Status.COMPLETED, WorkOrder.Status.CLOSED)


@contributes("units", "Serial units", 26)
def units_section(order: WorkOrder, now: datetime) -> Section:
    """Return the stages that units went through, round by round.

    One that was NOT OK is a deviation, and so is a unit left undone.
    """
    section = Section(("Unit", "Stage", "Round", "Result", "Begun", "Done"))
    passes = StagePassage.objects.filter(stage__unit__order=order).select_related("stage__unit")
    for one in passes.order_by("stage__unit_id", "stage__sequence", "round"):
        stage = one.stage
        result = one.get_result_display()
        section.add(stage.unit, f"{stage.code} {stage.name}", one.round, result, one.started_at, one.completed_at)
        if one.result == StageState.NOT_OK:
            key, title = f"unit.pass:{stage.pk}:{one.round}", f"Unit {stage.unit}: {stage.name} was NOT OK"
            section.findings.append(Finding(key, "inspection", MAJOR, title, f"Round {one.round}", one.started_at))
    if order.status in _OVER:
        undone = SerialUnit.objects.filter(order=order).exclude(status__in=_ENDED)
        for pk, serial in undone.order_by("id").values_list("id", "serial"):
            section.findings.append(Finding(f"unit.undone:{pk}", "missing", MAJOR, f"Unit {serial} is not finished"))
    return section


@contributes("unit_entries", "What was filled in of units", 27)
def entries_section(order: WorkOrder, now: datetime) -> Section:
    """Return every value in the order of the units; one that was changed for a reason is a deviation."""
    section = Section(("Unit", "Stage", "Field", "Value", "Unit of it", "Minimum", "Maximum", "At", "By", "Reason"))
    rows = StageEntry.objects.filter(unit__order=order).select_related("unit", "stage", "field", "entered_by")
    for row in rows.order_by("unit_id", "stage__sequence", "occurred_at", "idempotency_key"):
        field, label = row.field, f"{row.field.label} {row.position}".strip()
        value = "cleared" if row.value is None else shown(field.kind, row.value)
        section.add(
            row.unit,
            row.stage.code,
            label,
            value,
            field.unit_id,
            field.minimum,
            field.maximum,
            row.occurred_at,
            row.entered_by,
            row.reason,
        )
        section.workers.add(row.entered_by_id)
        if row.reason:
            title = f"Unit {row.unit}, {row.stage.name}: {label} was changed to {value}"
            key = f"unit.entry:{row.pk}"
            section.findings.append(Finding(key, "correction", MINOR, title, row.reason, row.occurred_at))
    return section


@contributes("unit_events", "Decisions about units, and their parts", 28)
def events_section(order: WorkOrder, now: datetime) -> Section:
    """Return what was decided of units, and what was built into them and taken out."""
    section = Section(("At", "Unit", "What", "Stage or position", "Part", "By", "Reason"))
    events = UnitEvent.objects.filter(unit__order=order).select_related("unit", "stage", "decided_by")
    for event in events.order_by("unit_id", "occurred_at", "idempotency_key"):
        what, stage = event.get_kind_display(), event.stage.name if event.stage else ""
        section.add(event.occurred_at, event.unit, what, stage, "", event.decided_by, event.reason)
        if event.kind == _Kind.COMPLETE:
            # To decide about units is no work on them.
            section.workers.add(event.decided_by_id)
        if event.kind in _DEVIATES:
            title = f"Unit {event.unit}: {what.lower()} {stage}".strip()
            key = f"unit.event:{event.pk}"
            finding = Finding(key, event.kind, _DEVIATES[event.kind], title, event.reason, event.occurred_at)
            section.findings.append(finding)
    built_in = Assembly.objects.filter(parent__order=order).select_related("parent", "child", "assembled_by")
    for part in built_in.order_by("id"):
        section.add(part.assembled_at, part.parent, "Built in", part.position, part.child, part.assembled_by, "")
        section.workers.add(part.assembled_by_id)
    taken_out = AssemblyRemoval.objects.filter(assembly__parent__order=order)
    for gone in taken_out.select_related("assembly__parent", "assembly__child", "removed_by").order_by("id"):
        part = gone.assembly
        section.add(gone.removed_at, part.parent, "Taken out", part.position, part.child, gone.removed_by, gone.reason)
        section.workers.add(gone.removed_by_id)
    return section
