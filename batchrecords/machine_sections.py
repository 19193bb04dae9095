"""The sections of a record that follow from machines: its runs, and the stops during them."""

from datetime import datetime, timedelta

from batchrecords.models import SigningPolicy
from core.intervals import Interval
from core.retention import Closed
from downtime.models import StateReason
from enterprise.selectors import machines_on_lines
from oee.engine import Category
from oee.stops import SHORT, stops_of
from workorders.models import WorkOrder
from workorders.record_sections import MINOR, Finding, Section, contributes, text


@contributes("runs", "Runs", 80)
def runs_section(order: WorkOrder, now: datetime) -> Section:
    """Return when which line worked on it, with its machines."""
    section = Section(("Line", "Machines", "Start", "End"))
    runs = list(order.runs.select_related("line").order_by("started_at", "id"))
    on_lines = machines_on_lines(run.line_id for run in runs)
    for run in runs:
        machines = ", ".join(machine.code for machine in on_lines.get(run.line_id, ()))
        section.add(run.line, machines, run.started_at, run.ended_at)
    return section


@contributes("stops", "Stops", 90)
def stops_section(order: WorkOrder, now: datetime) -> Section:
    """Return the stops of the machines during the runs, cut to them; micro-stops are left out."""
    section = Section(("Machine", "Start", "End", "Category", "Reason"))
    policy = SigningPolicy.objects.filter(site=order.line.area.site_id).first() or SigningPolicy()
    longest = timedelta(minutes=policy.stop_minutes)
    reasons = {reason.pk: reason for reason in StateReason.objects.without_tree_fields()}
    runs = [
        (run, run.ended_at)
        for run in order.runs.order_by("started_at", "id")
        if run.ended_at is not None and run.ended_at <= now
    ]
    on_lines = machines_on_lines(run.line_id for run, _ in runs)
    for run, ended_at in runs:
        machines = on_lines.get(run.line_id, [])
        by_id = {machine.pk: machine for machine in machines}
        try:
            stops = stops_of(machines, Interval(run.started_at, ended_at), now=now)
        except Closed:
            section.add("", run.started_at, ended_at, "unknown: the raw facts are gone", "")
            continue
        for stop in stops:
            if stop.category in SHORT:
                continue
            start, end = max(stop.start, run.started_at), min(stop.until, ended_at)
            machine, reason = by_id[stop.machine_id], reasons.get(stop.reason_id or 0)
            section.add(machine.code, start, end, stop.category.value, reason)
            if stop.category is Category.UNPLANNED and end - start >= longest:
                key, minutes = f"stop:{machine.pk}:{text(start)}", (end - start) // timedelta(minutes=1)
                title = f"{machine.code} stood for {minutes} min"
                section.findings.append(
                    Finding(key, "stop", MINOR, title, text(reason) or "No reason was given", start)
                )
    return section
