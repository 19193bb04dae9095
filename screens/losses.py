"""Pages of losses: the Pareto of stops, and the waterfall of all time, over any days and any line."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.exports import Table, export_table, format_of
from core.intervals import microseconds
from core.reader import rounded, said, translated
from core.spreadsheets import moment_text
from enterprise.models import Machine, Shift
from oee.engine.catalogue import ELEMENTS
from oee.engine.ledger import Ledger, ledger
from oee.kpi_elements import answer
from oee.pareto import By, Pareto, ParetoRow, pareto
from oee.questions import Question
from oee.selectors import Report
from products.models import Product
from screens import charts
from screens.asked_period import Period, period_asked
from screens.reason_picker import name_of, reasons_by_id
from screens.table_files import refused_file, rounded_number, seconds, with_unit
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
def pareto_page(request: HttpRequest) -> HttpResponseBase:
    """Show what cost the most, by minutes, count or lost pieces; every bar leads to its stops. As a file, too."""
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
        if format_of(request):
            return refused_file(refusal.message)
        return render(request, "screens/pareto.html", {**context, "gone": refusal.message})
    if format_of(request):
        return export_table(request, _pareto_table(period, by, rows))
    values: list[tuple[str, charts.Number]] = [(row.name, _measured(row, measure)) for row in rows]
    unit = {"minutes": "min", "count": "×", "pieces": gettext("pcs")}[measure]
    context |= {
        "rows": rows,
        "found": found,
        "chart": charts.pareto(gettext("Stops in planned time"), values, unit=unit, most=MOST_BARS) if rows else None,
        "is_cut": len(rows) > MOST_BARS,
        "most": MOST_BARS,
        "without_rate": sum((row.row.without_rate for row in rows), start=timedelta()),
    }
    return render(request, "screens/pareto.html", context)


def _pareto_table(period: Period, by: str, rows: Sequence[Row]) -> Table:
    header = (
        str(BYS[by]),
        *(gettext("Time (s)"), with_unit(gettext("Share"), "%"), gettext("Count"), gettext("Lost pieces")),
        *(gettext("Time without an ideal rate (s)"), gettext("Cost"), gettext("From"), gettext("To")),
    )
    lines = [
        (
            row.name,
            seconds(row.row.duration),
            rounded_number(None if row.share is None else row.share * 100, 6),
            row.row.occurrences,
            rounded_number(row.row.lost_pieces, 3),
            seconds(row.row.without_rate),
            row.row.cost,
            *period.bounds,
        )
        for row in rows
    ]
    return Table(gettext("Pareto of stops"), header, lines, len(lines), period.about)


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
def waterfall_page(request: HttpRequest) -> HttpResponseBase:
    """Show all time of some lines and days as a waterfall, from the calendar down to good pieces,
    in time and pieces. As a file, too.
    """
    now = timezone.now()
    period = period_asked(request, now=now)
    context: dict[str, Any] = {"period": period}
    if not period.machines:
        return render(request, "screens/losses.html", context)
    try:
        found = answer(Question(list(period.machines), period.window), now=now)
    except DomainError as refusal:
        if format_of(request):
            return refused_file(refusal.message)
        return render(request, "screens/losses.html", {**context, "gone": refusal.message})
    per_second = _pieces_per_second(found.report)
    if format_of(request):
        return export_table(request, _waterfall_table(period, ledger(found.report.sums, found.reasons), per_second))

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


def _waterfall_table(period: Period, found: Ledger, per_second: Fraction | None) -> Table:
    """Return seconds and pieces of each class of time, exact to six decimals."""
    header = (
        *(gettext("Code"), gettext("Class of time"), gettext("Factor"), gettext("Big Loss"), gettext("Time (s)")),
        *(gettext("Pieces"), gettext("OEE points"), gettext("From"), gettext("To")),
    )
    rows = []
    for line in found.lines:
        is_planned = line.oee_cost is not None or line.of.code == "productive"
        pieces = line.seconds * per_second if per_second is not None and is_planned else None
        points = None if line.oee_cost is None else line.oee_cost * 100
        numbers = (rounded_number(one, 6) for one in (line.seconds, pieces, points))
        loss = said(line.of.big_loss) if line.of.big_loss else None
        rows.append((line.of.code, translated(line.of.name), said(line.of.factor), loss, *numbers, *period.bounds))
    return Table(gettext("Loss waterfall"), header, rows, len(rows), period.about)
