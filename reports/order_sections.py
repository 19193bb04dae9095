"""Parts of reports about orders: what was worked on in a time, and what an order has made."""

from django.urls import reverse
from django.utils.translation import gettext as _

from execution.selectors import progress_of
from oee.engine import Slice
from reports.asked import MOST_ROWS, Asked, absolute, some_of
from reports.document import MOMENT, NUMBER, PIECES, RATIO, TEXT, Column, Figure, Row, Section, Table
from workorders.models import Run


def orders(asked: Asked) -> Section:
    """What was worked on, and what came out of it in this time."""
    past = asked.past
    found = Run.objects.none()
    if past is not None:
        lines = {machine.line_id for machine in asked.machines}
        found = Run.objects.filter(line__in=lines, started_at__lt=past.end).exclude(ended_at__lte=past.start)
    if asked.run_ids is not None:
        found = found.filter(pk__in=asked.run_ids)
    found = found.select_related("line", "work_order__product")
    runs, left_out = some_of(found.order_by("started_at", "id"), MOST_ROWS)
    rows = []
    for run in runs:
        machines = [machine for machine in asked.machines if machine.line_id == run.line_id]
        of_run: dict[int, list[Slice]] = {
            machine.pk: [piece for piece in asked.hours[machine.pk] if piece.key.run_id == run.pk]
            for machine in machines
        }
        made = asked.answer.sums.report(machines, asked.window, of_run, now=asked.now)
        rows.append(
            Row(
                (
                    run.work_order.order_number,
                    str(run.work_order.product or ""),
                    run.line.name,
                    run.started_at,
                    run.ended_at,
                    made.kpis.oee_index,
                    made.sums.quantities.good,
                    made.sums.quantities.scrap,
                ),
                absolute(reverse("screens:order", args=[run.work_order.order_number])),
            )
        )
    columns = (
        Column(_("Order"), "order"),
        Column(_("Product"), "product"),
        Column(_("Line"), "line"),
        Column(_("Began"), "started_at", MOMENT),
        Column(_("Ended"), "ended_at", MOMENT),
        Column(_("OEE"), "oee", RATIO),
        Column(_("Good in this time"), "good", PIECES),
        Column(_("Scrap in this time"), "scrap", PIECES),
    )
    table = Table(_("Orders"), "orders", columns, rows, _("No order ran."), left_out)
    return Section(_("Orders"), "orders", tables=[table])


def order_progress(asked: Asked) -> Section:
    """What an order has made of what it should, operation by operation."""
    assert asked.order is not None
    found = progress_of([asked.order], now=asked.now)[asked.order.pk]
    order = asked.order
    share = None if found.made.good is None or not found.target else found.made.good / found.target
    figures = [
        Figure(_("Ordered"), found.target, PIECES, "target"),
        Figure(_("Good"), found.made.good, PIECES, "good"),
        Figure(_("Scrap"), found.made.scrap, PIECES, "scrap"),
        Figure(_("Rework"), found.made.rework, PIECES, "rework"),
        Figure(_("Made of what is ordered"), share, RATIO, "share"),
        Figure(_("Status"), str(order.get_status_display()), TEXT, "status"),
        Figure(_("Due"), order.due_at, MOMENT, "due_at"),
    ]
    rows = [
        Row(
            (
                one.operation.sequence,
                one.operation.name,
                str(one.operation.get_status_display()),
                one.target,
                one.made.good,
                one.made.scrap,
                one.remaining,
            )
        )
        for one in found.operations
    ]
    columns = (
        Column(_("No."), "sequence", NUMBER),
        Column(_("Operation"), "operation"),
        Column(_("Status"), "status"),
        Column(_("Planned"), "planned", PIECES),
        Column(_("Good"), "good", PIECES),
        Column(_("Scrap"), "scrap", PIECES),
        Column(_("Remaining"), "remaining", PIECES),
    )
    return Section(
        _("Progress"),
        "progress",
        figures=figures,
        tables=[Table(_("Operations"), "operations", columns, rows, _("It has no operations."))],
        note=_("In %(unit)s of the order.") % {"unit": order.unit_id or _("pieces")},
    )
