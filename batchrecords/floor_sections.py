"""The sections of a record that follow from the work on the floor: who did what at which machine, and what was read."""

from datetime import datetime

from execution.models import OperationRun, OperationStep, ParameterReading, ProductionReport, deviates
from workorders.models import WorkOrder
from workorders.record_sections import MAJOR, MINOR, Finding, Section, contributes, text


@contributes("work", "Work on operations", 22)
def work_section(order: WorkOrder, now: datetime) -> Section:
    """Return the spans of work on operations; a start in spite of a warning is a deviation."""
    section = Section(("Operation", "Machine", "Person", "Kind", "Start", "End", "Ending", "Reason"))
    runs = OperationRun.objects.filter(operation__work_order=order).select_related(
        "operation", "machine", "employee", "recorded_by"
    )
    for run in runs.order_by("started_at", "id"):
        section.add(
            run.operation.code,
            run.machine.code,
            run.employee or run.recorded_by,
            run.get_kind_display(),
            run.started_at,
            run.ended_at,
            run.get_ending_display(),
            run.reason,
        )
        section.workers.add(run.recorded_by_id)
        if run.employee and run.employee.user_id:
            section.workers.add(run.employee.user_id)
    warned = OperationStep.objects.filter(operation__work_order=order).exclude(warnings="").select_related("operation")
    for step in warned.order_by("id"):
        title = f"{step.operation.code} was started in spite of a warning"
        key = f"step.warning:{step.pk}"
        section.findings.append(Finding(key, "overridden", MAJOR, title, step.warnings, step.occurred_at))
    return section


@contributes("reports", "Production reports", 24)
def reports_section(order: WorkOrder, now: datetime) -> Section:
    """Return what was reported as good, scrap and rework; a reversal is a deviation."""
    section = Section(("At", "Operation", "Machine", "Good", "Scrap", "Rework", "Unit", "Scrap reason", "By", "Note"))
    rows = ProductionReport.objects.filter(operation__work_order=order).select_related(
        "operation", "machine", "employee", "scrap_reason", "unit", "recorded_by"
    )
    for row in rows.order_by("occurred_at", "id"):
        section.add(
            row.occurred_at,
            row.operation.code,
            row.machine.code if row.machine else "",
            row.good,
            row.scrap,
            row.rework,
            row.unit_id,
            row.scrap_reason,
            row.employee or row.recorded_by,
            row.note,
        )
        section.workers.add(row.recorded_by_id)
        if row.employee and row.employee.user_id:
            section.workers.add(row.employee.user_id)
        if row.reverses_id:
            title = f"A report of {row.operation.code} was reversed"
            detail = f"good {text(row.good)}, scrap {text(row.scrap)}, rework {text(row.rework)}"
            key = f"report.reversal:{row.pk}"
            section.findings.append(Finding(key, "reversal", MINOR, title, detail, row.occurred_at))
    return section


@contributes("readings", "Parameters read", 32)
def readings_section(order: WorkOrder, now: datetime) -> Section:
    """Return what set-points really were; a reading outside the bounds is a deviation."""
    section = Section(
        ("At", "Operation", "Parameter", "Value", "Set-point", "Minimum", "Maximum", "Unit", "By", "Note")
    )
    rows = ParameterReading.objects.filter(parameter__operation__work_order=order).select_related(
        "parameter__operation", "recorded_by"
    )
    for row in rows.order_by("occurred_at", "id"):
        parameter = row.parameter
        section.add(
            row.occurred_at,
            parameter.operation.code,
            parameter.code,
            row.value,
            parameter.target,
            parameter.minimum,
            parameter.maximum,
            parameter.unit_id,
            row.recorded_by,
            row.note,
        )
        section.workers.add(row.recorded_by_id)
        if deviates(parameter, row.value):
            bounds = f"{text(parameter.minimum) or '…'} – {text(parameter.maximum) or '…'}"
            title = f"{parameter.operation.code}, {parameter.code}: {text(row.value)}"
            detail = f"set-point {text(parameter.target)}, {bounds} {row.note}".strip()
            key = f"reading:{row.pk}"
            section.findings.append(Finding(key, "set_point", MAJOR, title, detail, row.occurred_at))
    return section
