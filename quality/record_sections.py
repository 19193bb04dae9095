"""The sections of an order's record that quality knows: inspections of it and of its lots, what they found,
what does not conform.
"""

from datetime import datetime

from django.db.models import Q, QuerySet

from quality.figures import lines_of, with_characteristics
from quality.judging import held_of
from quality.models import Defect, Disposition, Inspection, InspectionDecision, NonConformance
from workorders.models import WorkOrder
from workorders.record_sections import CRITICAL, MAJOR, Finding, Section, contributes, text

_Status = Inspection.Status
_JUDGED = {
    _Status.FAILED.value: (CRITICAL, "failed"),
    _Status.CONDITIONAL.value: (MAJOR, "passed conditionally"),
    _Status.OPEN.value: (MAJOR, "is not finished"),
}


def _of(order: WorkOrder) -> Q:
    return Q(work_order=order) | Q(lot__work_order=order)


def _inspections(order: WorkOrder) -> QuerySet[Inspection]:
    return Inspection.objects.filter(_of(order)).select_related("plan").order_by("opened_at", "id")


@contributes("inspections", "Inspections", 37)
def inspections_section(order: WorkOrder, now: datetime) -> Section:
    """Return what was inspected and what it came to; one that did not simply pass is a deviation,
    and so is a decision about it.
    """
    section = Section(
        (
            "Inspection",
            "Plan",
            "Operation",
            "Machine",
            "Lot",
            "Serial",
            "Begun",
            "Ended",
            "Units",
            "Bad",
            "Came to",
            "By",
        )
    )
    rows = _inspections(order).select_related("machine", "lot", "inspector")
    for one in rows:
        section.add(
            one.pk,
            one.plan,
            one.operation_code,
            one.machine,
            one.lot,
            one.serial,
            one.opened_at,
            one.finished_at,
            one.sample_size,
            one.nonconforming,
            one.get_result_display() or one.get_status_display(),
            one.inspector,
        )
        if one.inspector_id is not None:
            section.workers.add(one.inspector_id)
        if one.status in _JUDGED:
            severity, what = _JUDGED[one.status]
            key, title = f"inspection:{one.pk}", f"{one.plan} {what}"
            section.findings.append(Finding(key, "inspection", severity, title, one.notes, one.finished_at))
    return section


@contributes("inspection_results", "Results of inspections", 38)
def results_section(order: WorkOrder, now: datetime) -> Section:
    """Return what was found of each characteristic, with its limits; and what was decided whatever the results said."""
    section = Section(
        ("Inspection", "Characteristic", "Unit", "Lower", "Upper", "Results", "Least", "Mean", "Most", "Words", "Good")
    )
    inspections = list(with_characteristics(_inspections(order)))
    held = held_of(inspections)
    for one in inspections:
        for line in lines_of(one, held[one.pk]):
            section.add(one.pk, line.name, line.unit, *line.figures, line.text, line.is_good)
        section.workers |= {row.result.recorded_by_id for row in held[one.pk] if row.result.recorded_by_id is not None}
    decisions = InspectionDecision.objects.filter(inspection__in=inspections).select_related("inspection__plan")
    for decision in decisions.order_by("id"):
        key, title = f"inspection.decided:{decision.pk}", f"{decision.inspection.plan}: {decision.get_result_display()}"
        section.findings.append(Finding(key, "overridden", MAJOR, title, decision.reason, decision.decided_at))
    return section


@contributes("nonconformances", "Non-conformances and defects", 39)
def nonconformances_section(order: WorkOrder, now: datetime) -> Section:
    """Return what did not conform and what became of it. How far it is dealt with is none of the batch's past."""
    section = Section(("At", "What", "Title", "Operation", "Severity", "Quantity", "By", "Reason"))
    rows = NonConformance.objects.filter(_of(order)).select_related("raised_by").order_by("id")
    for row in rows:
        what = f"{row.number} raised"
        section.add(
            row.raised_at,
            what,
            row.title,
            row.operation_code,
            row.severity,
            row.quantity,
            row.raised_by,
            row.description,
        )
        title = f"{row.number}: {row.title}"
        key, detail = f"nonconformance:{row.pk}", f"{text(row.quantity)} {row.description}".strip()
        section.findings.append(Finding(key, "nonconformance", row.severity, title, detail, row.raised_at))
    decided = Disposition.objects.filter(nonconformance__in=rows).select_related("nonconformance", "decided_by")
    for one in decided.order_by("decided_at", "id"):
        what, ncr = f"{one.nonconformance.number} decided", one.nonconformance
        section.add(
            one.decided_at,
            what,
            one.get_kind_display(),
            ncr.operation_code,
            "",
            one.quantity,
            one.decided_by,
            one.reason,
        )
    for defect in Defect.objects.filter(_of(order)).select_related("code", "recorded_by").order_by("detected_at", "id"):
        section.add(
            defect.detected_at,
            "Defect",
            defect.code,
            defect.operation_code,
            defect.severity,
            defect.quantity,
            defect.recorded_by,
            defect.note,
        )
        section.workers.add(defect.recorded_by_id)
    return section
