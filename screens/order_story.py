"""What happened to an order, in the order of time: each source tells its events, and apps may add theirs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext

from core.reader import number
from execution.models import OperationRun, OperationStep, ProductionReport
from labor.models import LaborEntry
from materials.models import MaterialTransaction
from workorders.models import ChangeoverTaskDone, OrderConfirmation, OrderStatusChange, Run, WorkOrder

MAX_EVENTS = 500
"""What each source tells at most: the latest."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: when and perhaps until when, of which sort, in words, and who did it."""

    at: datetime
    sort: str
    text: str
    who: Any = None
    note: str = ""
    is_warning: bool = False
    until: datetime | None = None


Source = Callable[[WorkOrder], Iterable[Event]]


def plain(quantity: Any) -> str:
    """Return a quantity without needless zeros, with the reader's separators."""
    return number(quantity or 0)


def status_changes(order: WorkOrder) -> Iterable[Event]:
    """Tell the steps of its life."""
    rows = OrderStatusChange.objects.filter(order=order).select_related("reason", "changed_by").order_by("-id")
    for row in rows[:MAX_EVENTS]:
        note = ", ".join(filter(None, (row.reason.local_name if row.reason else "", row.note)))
        is_warning = row.to_status in (WorkOrder.Status.ON_HOLD, WorkOrder.Status.CANCELLED)
        yield Event(row.changed_at, gettext("Status"), row.get_to_status_display(), row.changed_by, note, is_warning)


def runs(order: WorkOrder) -> Iterable[Event]:
    """Tell when a line began and ended to work on it."""
    for run in Run.objects.filter(work_order=order).select_related("line").order_by("-started_at")[:MAX_EVENTS]:
        yield Event(run.started_at, gettext("Run"), gettext("Started on %(line)s") % {"line": run.line})
        if run.ended_at is not None:
            yield Event(run.ended_at, gettext("Run"), gettext("Ended on %(line)s") % {"line": run.line})


def movements(order: WorkOrder) -> Iterable[Event]:
    """Tell what it used and made."""
    rows = MaterialTransaction.objects.filter(work_order=order).select_related("product", "lot", "performed_by")
    for row in rows.order_by("-id")[:MAX_EVENTS]:
        what = f"{row.get_kind_display()}: {plain(row.quantity)} {row.unit} {row.product}"
        lot = ", " + gettext("lot %(lot)s") % {"lot": row.lot} if row.lot else ""
        yield Event(row.occurred_at, gettext("Material"), what + lot, row.performed_by, row.reason)


def operation_runs(order: WorkOrder) -> Iterable[Event]:
    """Tell who worked on its operations, at which machine, from when to when."""
    rows = OperationRun.objects.filter(operation__work_order=order).select_related("operation", "machine", "employee")
    for row in rows.order_by("-started_at", "-id")[:MAX_EVENTS]:
        note = (
            row.reason
            if row.ending != OperationRun.Ending.FINISHED
            else (gettext("Finished. %(reason)s") % {"reason": row.reason}).strip()
        )
        goes_on = "" if row.ended_at else " " + gettext("(goes on)")
        text = gettext("%(kind)s: %(name)s at %(machine)s%(goes_on)s") % {
            "kind": row.get_kind_display(),
            "name": row.operation.name,
            "machine": row.machine,
            "goes_on": goes_on,
        }
        yield Event(row.started_at, gettext("Work"), text, row.employee, note, until=row.ended_at)


def operation_steps(order: WorkOrder) -> Iterable[Event]:
    """Tell the steps of its operations that are no work: pauses with a reason and their ends, holds, skips,
    finishes.
    """
    rows = OperationStep.objects.filter(operation__work_order=order).exclude(action__in=_TOLD_BY_RUNS)
    # A pause without a reason is the end of the work that is told already.
    rows = rows.exclude(action__in=(_Action.PAUSE, _Action.RESUME), reason="")
    for row in rows.select_related("operation", "employee", "recorded_by").order_by("-id")[:MAX_EVENTS]:
        text = f"{row.get_action_display()}: {row.operation.name}"
        is_warning = row.action in (_Action.HOLD, _Action.SKIP, _Action.PAUSE)
        yield Event(row.occurred_at, gettext("Step"), text, row.employee or row.recorded_by, row.reason, is_warning)


def production_reports(order: WorkOrder) -> Iterable[Event]:
    """Tell what was reported to come of its operations."""
    rows = ProductionReport.objects.filter(operation__work_order=order)
    rows = rows.select_related("operation", "machine", "employee", "recorded_by", "scrap_reason", "unit")
    for row in rows.order_by("-occurred_at", "-id")[:MAX_EVENTS]:
        why = f" ({row.scrap_reason.local_name})" if row.scrap_reason else ""
        parts = (
            (row.good, gettext("good")),
            (row.scrap, gettext("scrap") + why),
            (row.rework, gettext("rework")),
        )
        text = ", ".join(f"{plain(quantity)} {name}" for quantity, name in parts if quantity)
        place = " " + gettext("at %(machine)s") % {"machine": row.machine} if row.machine else ""
        sort = gettext("Reported") if row.reverses_id is None else gettext("Taken back")
        is_warning = row.reverses_id is not None or bool(row.scrap)
        who = row.employee or row.recorded_by
        yield Event(row.occurred_at, sort, f"{row.operation.name}{place}: {text}", who, row.note, is_warning)


_Action = OperationStep.Action
_TOLD_BY_RUNS = (_Action.START, _Action.RECORD)


def labour(order: WorkOrder) -> Iterable[Event]:
    """Tell when people began and ended to work on it, without their names: hours of persons have their own pages.

    What is labour on an operation's span is told by that.
    """
    told = OperationRun.objects.filter(
        operation__work_order=order,
        operation__code=OuterRef("operation"),
        employee=OuterRef("employee"),
        started_at__lte=OuterRef("started_at"),
        ended_at__gte=OuterRef("ended_at"),
    )
    rows = LaborEntry.objects.filter(~Exists(told), work_order=order).order_by("-id")
    for row in rows[:MAX_EVENTS]:
        yield Event(
            row.started_at,
            gettext("Labour"),
            gettext("%(kind)s began") % {"kind": row.get_kind_display()},
            note=row.operation,
        )
        if row.ended_at is not None:
            yield Event(
                row.ended_at,
                gettext("Labour"),
                gettext("%(kind)s ended") % {"kind": row.get_kind_display()},
                note=row.note,
            )


def confirmations(order: WorkOrder) -> Iterable[Event]:
    """Tell what was confirmed to be made."""
    rows = OrderConfirmation.objects.filter(order=order).select_related("confirmed_by").order_by("-id")
    for row in rows[:MAX_EVENTS]:
        parts = (
            (gettext("good"), row.good),
            (gettext("scrap"), row.scrap),
            (gettext("to rework"), row.rework),
        )
        text = ", ".join(f"{plain(quantity)} {name}" for name, quantity in parts if quantity)
        sort = gettext("Confirmed") if row.reverses_id is None else gettext("Taken back")
        yield Event(row.confirmed_at, sort, text, row.confirmed_by, row.note, row.reverses_id is not None)


def changeover_tasks(order: WorkOrder) -> Iterable[Event]:
    """Tell which tasks of changeovers to it were done."""
    rows = ChangeoverTaskDone.objects.filter(run__work_order=order).select_related("task", "done_by").order_by("-id")
    for row in rows[:MAX_EVENTS]:
        yield Event(
            row.started_at,
            gettext("Changeover"),
            gettext("%(name)s (until %(ended_at)s UTC)")
            % {"name": row.task.name, "ended_at": f"{row.ended_at:%H:%M:%S}"},
            row.done_by,
        )


SOURCES: list[Source] = [
    production_reports,
    operation_steps,
    operation_runs,
    labour,
    movements,
    confirmations,
    changeover_tasks,
    runs,
    status_changes,
]
"""Who tells; a further app's events are one more function here. Of one moment, the first of these is the latest."""


def story(order: WorkOrder, sources: Iterable[Source] | None = None) -> list[Event]:
    """Return all that happened to an order, the latest first."""
    events = [event for source in (SOURCES if sources is None else sources) for event in source(order)]
    return sorted(events, key=lambda event: event.at, reverse=True)
