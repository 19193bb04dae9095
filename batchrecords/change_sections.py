"""The section of a record that tells what people said differently after the fact."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from django.db.models import Q

from core.intervals import Interval
from counts.models import CountCorrection
from downtime.models import StateCorrection
from enterprise.selectors import machines_on_lines
from workorders.models import OrderParameter, Run, WorkOrder
from workorders.record_sections import MINOR, Finding, Section, contributes, text


@contributes("changes", "Corrections and changes after the fact", 900)
def changes_section(order: WorkOrder, now: datetime) -> Section:
    """Return what people said differently later: of the machines' states and counts, of runs,
    set-points and the order.
    """
    section = Section(("At", "What", "Was", "Now", "By", "Comment"))
    runs = [
        (run, run.ended_at)
        for run in order.runs.select_related("line").order_by("started_at", "id")
        if run.ended_at is not None
    ]
    on_lines = machines_on_lines(run.line_id for run, _ in runs)
    worked = [
        ({machine.pk for machine in on_lines.get(run.line_id, ())}, Interval(run.started_at, ended_at))
        for run, ended_at in runs
    ]
    _corrections(section, worked)
    of_runs = {run.pk: f"Run of {run.line.code}" for run, _ in runs}
    _history(section, Run.history, ("started_at", "ended_at"), of_runs, once=("ended_at",))
    if order.released_at is not None:
        names = ("product_id", "target_quantity", "unit_id", "revision_id", "routing_code", "lot_number", "line_id")
        later = order.history.filter(history_date__gt=order.released_at)
        _history(section, later, names, {order.pk: f"Order {order.order_number}"})
        parameters = OrderParameter.objects.filter(operation__work_order=order)
        of_parameters = {parameter.pk: f"Set-point {parameter.code}" for parameter in parameters}
        _history(section, OrderParameter.history, ("target", "minimum", "maximum"), of_parameters)
    section.rows.sort()
    return section


def _corrections(section: Section, worked: Sequence[tuple[set[int], Interval]]) -> None:
    """Add what was corrected of machines, by their ids, in the times in which they worked on it;
    each correction once.
    """
    touching = within = Q(pk__in=[])
    for ids, window in worked:
        lasts = Q(ends_at__isnull=True) | Q(ends_at__gt=window.start)
        touching |= lasts & Q(machine__in=ids, starts_at__lt=window.end)
        within |= Q(tag__machine__in=ids, occurred_at__gte=window.start, occurred_at__lt=window.end)
    states = StateCorrection.objects.filter(touching).select_related("machine", "reason", "corrected_by")
    for row in states.order_by("id"):
        what = f"State of {row.machine.code} from {text(row.starts_at)}"
        now = text(row.reason) or "as the machine said"
        section.add(row.recorded_at, what, "", now, row.corrected_by, row.comment)
        section.workers.add(row.corrected_by_id)
        # To give a stop its reason while the run goes on is ordinary work.
        is_late = any(
            row.machine_id in ids
            and row.starts_at < window.end <= row.recorded_at
            and (row.ends_at is None or row.ends_at > window.start)
            for ids, window in worked
        )
        if row.replaces_running or is_late:
            title = f"The state of {row.machine.code} was corrected"
            detail = f"{now} {row.comment}".strip()
            key = f"correction.state:{row.pk}"
            section.findings.append(Finding(key, "correction", MINOR, title, detail, row.starts_at))
    counts = CountCorrection.objects.filter(within).select_related("tag__machine", "corrected_by")
    for count in counts.order_by("id"):
        what = f"Count {count.tag.tag_path} at {text(count.occurred_at)}"
        now = "void" if count.value is None else text(count.value)
        section.add(count.recorded_at, what, "", now, count.corrected_by, count.comment)
        section.workers.add(count.corrected_by_id)
        title = f"A count of {count.tag.machine.code} was corrected"
        key = f"correction.count:{count.pk}"
        section.findings.append(Finding(key, "correction", MINOR, title, f"{now} {count.comment}", count.occurred_at))


def _history(
    section: Section, history: Any, names: tuple[str, ...], of: Mapping[int, str], once: tuple[str, ...] = ()
) -> None:
    """Add the changes of some fields of some rows, by their ids, between neighbouring versions.

    Those in `once` may be filled in without a word.
    """
    versions = history.filter(id__in=of).select_related("history_user").order_by("id", "history_date", "history_id")
    for pk, of_row in groupby(versions, key=lambda version: version.id):
        for before, after in pairwise(of_row):
            for name in names:
                was, now = getattr(before, name), getattr(after, name)
                if was == now or (name in once and was is None):
                    continue
                what = f"{of[pk]}: {name.removesuffix('_id').replace('_', ' ')}"
                section.add(after.history_date, what, was, now, after.history_user, "")
                key = f"change:{type(after)._meta.model_name}:{after.history_id}:{name}"
                detail = f"{text(was) or 'empty'} → {text(now) or 'empty'}"
                section.findings.append(
                    Finding(key, "change", MINOR, f"{what} was changed", detail, after.history_date)
                )
