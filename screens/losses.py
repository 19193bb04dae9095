"""Pages of losses: the Pareto of stops, and the waterfall of all time, over any days and any line."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.intervals import microseconds
from core.reader import rounded
from enterprise.models import Machine, Shift
from oee.engine.catalogue import ELEMENTS
from oee.engine.ledger import ledger
from oee.kpi_elements import answer
from oee.pareto import By, Pareto, ParetoRow, pareto
from oee.questions import Question
from oee.selectors import Report
from products.models import Product
from screens import charts
from screens.asked_period import Period, period_asked
from screens.csv_files import csv_file, moment_text, refused_file, rounded_number, seconds
from screens.reason_picker import name_of, reasons_by_id
from screens.waterfall import waterfall as laid_out

BYS = {
    By.REASON.value: _("Reason"),
    By.MACHINE.value: _("Machine"),
    By.PRODUCT.value: _("Product"),
    By.SHIFT.value: _("Shift"),
}
MEASURES = {"minutes": _("Minutes"), "count": _("Count"), "pieces": _("Lost pieces")}
MOST_BARS = 20
_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A bar's numbers, and where its stops are listed."""

    name: str
    row: ParetoRow
    share: Fraction | None
    url: str

    @property
    def minutes(self) -> Fraction:
        """Its time, exact."""
        return Fraction(microseconds(self.row.duration), _MINUTE)


@login_required
def pareto_page(request: HttpRequest) -> HttpResponse:
    """Show what cost the most, by minutes, count or lost pieces; every bar leads to its stops."""
    now = timezone.now()
    period = period_asked(request, now=now)
    by = request.GET.get("by", "") if request.GET.get("by") in BYS else By.REASON.value
    measure = request.GET.get("measure", "") if request.GET.get("measure") in MEASURES else "minutes"
    context = {
        "period": period,
        "by": by,
        "bys": BYS.items(),
        "measure": measure,
        "measures": MEASURES.items(),
    }
    try:
        found, rows = _pareto(period, By(by), measure, now=now)
    except DomainError as refusal:
        return render(request, "screens/pareto.html", {**context, "gone": refusal.message})
    drawn = rows[:MOST_BARS]
    values: list[tuple[str, charts.Number]] = [(row.name, _measured(row, measure)) for row in drawn]
    unit = {"minutes": "min", "count": "×", "pieces": gettext("pcs")}[measure]
    context |= {
        "rows": rows,
        "found": found,
        "chart": charts.pareto(gettext("Stops in planned time"), values, unit=unit) if drawn else None,
        "is_cut": len(rows) > MOST_BARS,
        "most": MOST_BARS,
        "without_rate": sum((row.row.without_rate for row in rows), start=timedelta()),
    }
    return render(request, "screens/pareto.html", context)


@login_required
def pareto_file(request: HttpRequest) -> HttpResponse:
    """Answer the Pareto as CSV."""
    now = timezone.now()
    period = period_asked(request, now=now)
    by = request.GET.get("by", "") if request.GET.get("by") in BYS else By.REASON.value
    try:
        _found, rows = _pareto(period, By(by), request.GET.get("measure", "minutes"), now=now)
    except DomainError as refusal:
        return refused_file(refusal.message)
    header = (by, "seconds", "count", "lost_pieces", "seconds_without_rate", "cost", "from", "to")
    window = moment_text(period.window.start), moment_text(period.window.end)
    lines = [
        (
            row.name,
            seconds(row.row.duration),
            row.row.occurrences,
            rounded_number(row.row.lost_pieces, 3),
            seconds(row.row.without_rate),
            row.row.cost,
            *window,
        )
        for row in rows
    ]
    return csv_file("pareto", [header, *lines])


def _pareto(period: Period, by: By, measure: str, *, now: datetime) -> tuple[Pareto, list[Row]]:
    machines = period.every_machine if by is By.MACHINE else period.machines
    found = pareto(machines, period.window, by=by, now=now)
    names = names_of(by, [row.key for row in found.rows if row.key is not None])
    empty = {By.REASON: gettext("No reason given"), By.PRODUCT: gettext("No order"), By.SHIFT: gettext("No shift")}
    codes = {machine.pk: machine.code for machine in period.every_machine}
    rows = [
        Row(
            names.get(row.key or 0, empty.get(by, "–") if row.key is None else f"#{row.key}"),
            row,
            Fraction(microseconds(row.duration), microseconds(found.stopped)) if found.stopped else None,
            _stops_address(by, row, period, codes),
        )
        for row in found.rows
    ]
    if measure != "minutes":
        rows.sort(key=lambda row: (-(_measured(row, measure) or 0), row.name))
    return found, rows


def _measured(row: Row, measure: str) -> charts.Number:
    if measure == "count":
        return row.row.occurrences
    return row.row.lost_pieces if measure == "pieces" else row.minutes


def names_of(by: By, keys: Collection[int]) -> dict[int, str]:
    """Return what the rows of a Pareto are called, in the reader's language where they have a name in it."""
    if by is By.MACHINE:
        machines = Machine.objects.filter(pk__in=keys).select_related("line")
        return {machine.pk: f"{machine.name} ({machine.line.name})" for machine in machines}
    if by is By.REASON:
        return {pk: name_of(reason) for pk, reason in reasons_by_id().items() if pk in keys}
    if by is By.PRODUCT:
        return {product.pk: f"{product.code} {product.name}" for product in Product.objects.filter(pk__in=keys)}
    return dict(Shift.objects.filter(pk__in=keys).values_list("id", "name"))


def _stops_address(by: By, row: ParetoRow, period: Period, codes: dict[int, str]) -> str:
    query = {"show": "all", "starts_at": moment_text(period.window.start), "ends_at": moment_text(period.window.end)}
    if period.line:
        query["line"] = period.line.code
    if by is By.MACHINE and row.key in codes:
        query |= {"machine": codes[row.key]}
    elif by is By.REASON:
        query["reason"] = "none" if row.key is None else str(row.key)
    elif by is By.PRODUCT:
        query["product"] = "none" if row.key is None else str(row.key)
    elif by is By.SHIFT and row.key is not None:
        query["in_shift"] = str(row.key)
    return f"{reverse('screens:stops')}?{urlencode(query)}"


@login_required
def waterfall_page(request: HttpRequest) -> HttpResponse:
    """Show all time of some lines and days as a waterfall, from the calendar down to good pieces,
    in time and pieces.
    """
    now = timezone.now()
    period = period_asked(request, now=now)
    context: dict[str, Any] = {"period": period}
    if not period.machines:
        return render(request, "screens/losses.html", context)
    try:
        found = answer(Question(list(period.machines), period.window), now=now)
    except DomainError as refusal:
        return render(request, "screens/losses.html", {**context, "gone": refusal.message})
    per_second = _pieces_per_second(found.report)

    def url_of(element: str) -> str:
        if element not in ELEMENTS or not period.place:
            return ""
        window = {"starts_at": moment_text(period.window.start), "ends_at": moment_text(min(period.window.end, now))}
        return f"{reverse('screens:explain')}?{urlencode({'kpi': 'oee_index', 'element': element, **period.place, **window})}"

    def pieces_of(lost: Fraction) -> str:
        return rounded(lost * (per_second or 0), 0)

    losses = laid_out(
        ledger(found.report.sums, found.reasons), found.values, url_of, None if per_second is None else pieces_of
    )
    context |= {"losses": losses, "quantities": found.report.sums.quantities, "kpis": found.report.kpis}
    return render(request, "screens/losses.html", context)


def _pieces_per_second(of: Report) -> Fraction | None:
    """Return what a second of planned busy time yields at the ideal rates, on average; None where no rate is known."""
    busy = of.sums.times.planned_busy_time
    if not busy or of.sums.planned_time_without_rate or not of.sums.ideal_quantity_of_planned_time:
        return None
    ideal: Fraction = of.sums.ideal_quantity_of_planned_time
    return ideal * 1_000_000 / busy


@login_required
def waterfall_file(request: HttpRequest) -> HttpResponse:
    """Answer the waterfall as CSV: seconds and pieces of each class, exact to six decimals."""
    now = timezone.now()
    period = period_asked(request, now=now)
    header = ("class", "factor", "big_loss", "seconds", "pieces", "oee_points", "from", "to")
    if not period.machines:
        return csv_file("losses", [header])
    try:
        found = answer(Question(list(period.machines), period.window), now=now)
    except DomainError as refusal:
        return refused_file(refusal.message)
    per_second = _pieces_per_second(found.report)
    window = moment_text(period.window.start), moment_text(period.window.end)
    rows = []
    for line in ledger(found.report.sums, found.reasons).lines:
        is_planned = line.oee_cost is not None or line.of.code == "productive"
        pieces = line.seconds * per_second if per_second is not None and is_planned else None
        points = None if line.oee_cost is None else line.oee_cost * 100
        numbers = (rounded_number(one, 6) for one in (line.seconds, pieces, points))
        loss = line.of.big_loss.value if line.of.big_loss else None
        rows.append((line.of.code, line.of.factor.value, loss, *numbers, *window))
    return csv_file("losses", [header, *rows])
