"""Plan against actual: by line and day from the target of planned time, and order by order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Max, Min, Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.exports import Table, export_table, format_of
from core.spreadsheets import Cell
from execution.risk import good_of_orders
from oee.plan_actual import PlanAndActual, plan_and_actual
from screens import charts
from screens.asked_period import Period, period_asked
from screens.table_files import refused_file, rounded_number
from workorders.models import Run, Schedule, WorkOrder

MOST_DAYS = 62
MOST_ORDERS, MOST_IN_FILE = 200, 5000
"""Orders that the page lists, and that its file has."""
BYS = {"day": _("Day"), "line": _("Line"), "order": _("Order")}


@dataclass(frozen=True, slots=True)
class Row:
    """A day, line or order: what was planned and what was made; None = not known."""

    name: str
    planned: Fraction | None
    good: Fraction | None
    reject: Fraction | None = None
    unit: str = ""
    order: Any = None
    planned_end: datetime | None = None
    ended_at: datetime | None = None

    @property
    def delta(self) -> Fraction | None:
        """Ahead (positive) or behind."""
        return None if self.planned is None or self.good is None else self.good - self.planned

    @property
    def share(self) -> Fraction | None:
        """The part of the plan that was made."""
        return None if not self.planned or self.good is None else self.good / self.planned


@login_required
def plan_page(request: HttpRequest) -> HttpResponseBase:
    """Show plan against actual as a chart with its table, or answer it as a file."""
    now = timezone.now()
    period = period_asked(request, now=now, most_days=MOST_DAYS)
    by = request.GET.get("by", "") if request.GET.get("by") in BYS else "day"
    context: dict[str, Any] = {"period": period, "by": by, "bys": BYS.items()}
    try:
        rows = rows_by(period, by, most=MOST_IN_FILE if format_of(request) else MOST_ORDERS, now=now)
    except DomainError as refusal:
        if format_of(request):
            return refused_file(refusal.message)
        return render(request, "screens/plan_actual.html", {**context, "gone": refusal.message})
    if format_of(request):
        return export_table(request, _table(period, by, rows))
    return render(request, "screens/plan_actual.html", {**context, "rows": rows, "chart": _chart(rows, by)})


def _table(period: Period, by: str, rows: Sequence[Row]) -> Table:
    header = (
        *(str(BYS[by]), gettext("Planned"), gettext("Made"), gettext("Reject"), gettext("Difference")),
        *(gettext("Unit"), gettext("Due"), gettext("Planned end"), gettext("Ended")),
    )
    lines: list[Sequence[Cell]] = []
    for row in rows:
        numbers = [rounded_number(one, 3) for one in (row.planned, row.good, row.reject, row.delta)]
        moments = [row.order.due_at if row.order else None, row.planned_end, row.ended_at]
        lines.append([row.name, *numbers, row.unit, *(at and at.astimezone(period.zone) for at in moments)])
    return Table(gettext("Plan and actual"), header, lines, len(lines), period.about)


def rows_by(period: Period, by: str, *, most: int, now: datetime) -> list[Row]:
    """Return the rows of a period by day, line or order; of orders the first `most`."""
    if by == "order":
        return _orders(period, most=most, now=now)
    found = plan_and_actual(period.by_line, period.window, period.zone, now=now)
    groups: dict[Any, list[PlanAndActual]] = defaultdict(list)
    for one in found:
        groups[one.day if by == "day" else one.line_id].append(one)
    names = {line.pk: line.name for line in period.lines}
    return [
        Row(
            key.isoformat() if isinstance(key, date) else names[key],
            _sum([one.target for one in group]),
            sum((one.good for one in group), Fraction(0)),
            sum((one.reject for one in group), Fraction(0)),
        )
        for key, group in groups.items()
    ]


def _sum(values: list[Fraction | None]) -> Fraction | None:
    """Return a sum; None when any part of it is not known."""
    known = [value for value in values if value is not None]
    return sum(known, Fraction(0)) if len(known) == len(values) else None


def _orders(period: Period, *, most: int, now: datetime) -> list[Row]:
    """Return the orders that ran or were due on the days, with what they should make and made, in their own units."""
    start, end = period.window.start, period.window.end
    lines = [line.pk for line in period.lines]
    ran = Run.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=start), line__in=lines, started_at__lt=end)
    orders = list(
        WorkOrder.objects.filter(
            Q(pk__in=ran.values("work_order")) | Q(line__in=lines, due_at__gte=start, due_at__lt=end)
        )
        .exclude(status=WorkOrder.Status.CANCELLED)
        .select_related("product__unit", "unit", "line__area__site")
        .order_by("due_at", "id")[:most]
    )
    good = good_of_orders(orders, now=now)
    ends = dict(
        Schedule.objects.filter(work_order__in=orders)
        .order_by()
        .values_list("work_order")
        .annotate(end=Max("planned_end_at"))
    )
    spans = {
        row["work_order"]: row
        for row in Run.objects.filter(work_order__in=orders)
        .order_by()
        .values("work_order")
        .annotate(first=Min("started_at"), last=Max("ended_at"))
    }
    finished = (WorkOrder.Status.COMPLETED, WorkOrder.Status.CLOSED)
    return [
        Row(
            order.order_number,
            Fraction(order.target_quantity),
            good.get(order.pk),
            unit=str(order.unit_id or (order.product.unit_id if order.product else "") or ""),
            order=order,
            planned_end=ends.get(order.pk) or order.planned_end_at,
            ended_at=spans[order.pk]["last"] if order.pk in spans and order.status in finished else None,
        )
        for order in orders
    ]


def _chart(rows: list[Row], by: str) -> charts.Chart | None:
    shown = rows[:40]
    if not shown:
        return None
    return charts.Chart(
        title=gettext("Planned and made"),
        labels=[row.name for row in shown],
        series=[
            charts.Series(gettext("Made"), [row.good for row in shown], style="bars", tone="accent"),
            charts.Series(gettext("Planned"), [row.planned for row in shown], style="dots", tone="ink-soft"),
        ],
        unit="" if by == "order" else gettext("pcs"),
    )
