"""Fill the tiles of a dashboard from the selectors that all pages read. A tile that breaks says so, and only itself."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.intervals import Interval
from core.reader import UNKNOWN, rounded, said
from core.spreadsheets import Cell, moment_text
from dashboards.models import Tile
from enterprise.models import Line, Machine
from live.selectors import line_statuses
from live.status import LineStatus
from oee.engine.element_values import element_values
from oee.kpi_elements import answer
from oee.kpis import Kpi, KpiValue, kpis_of, values_of
from oee.pareto import By, ParetoRow, pareto
from oee.questions import Question
from oee.reason_times import Traits, reason_times
from oee.scopes import representatives
from oee.selectors import report
from oee.trends import Step, has_trend
from scheduling.actuals import Actual, actuals_of, entries_of
from screens import charts
from screens.kpi_charts import TONES, Nothing, kpi_trend, plan_chart
from screens.losses import names_of
from screens.table_files import rounded_number, with_unit
from screens.wording import kpi_words
from workorders.models import Schedule, WorkOrder
from workorders.selectors import LIVE

logger = logging.getLogger(__name__)
TEMPLATES = {
    Tile.Kind.KPI: "screens/tiles/_kpi.html",
    Tile.Kind.TREND: "screens/tiles/_chart.html",
    Tile.Kind.PARETO: "screens/tiles/_chart.html",
    Tile.Kind.PLAN: "screens/tiles/_chart.html",
    Tile.Kind.TIMELINE: "screens/tiles/_timeline.html",
    Tile.Kind.TABLE: "screens/tiles/_table.html",
    Tile.Kind.TEXT: "screens/tiles/_text.html",
}
BANDS = ("oee_index",)
"""KPIs for which plants know the bands 65 and 85 %."""
MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts; the first column names the row. `cells` are the rows as files have them: exact."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    links: tuple[str, ...] = ()
    cells: tuple[tuple[Cell, ...], ...] = ()

    @property
    def linked(self) -> list[tuple[str, tuple[str, ...]]]:
        """The rows, each with where it leads to, if anywhere."""
        return [(self.links[place] if place < len(self.links) else "", row) for place, row in enumerate(self.rows)]


@dataclass(frozen=True, slots=True)
class Filled:
    """A tile with what it shows; `problem` says why it shows nothing."""

    tile: Tile
    title: str
    template: str
    data: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    is_broken: bool = False

    @property
    def chart(self) -> charts.Chart | None:
        """Its chart, if it is one."""
        return self.data.get("chart")

    @property
    def table(self) -> Table | None:
        """Its numbers as a table, for its CSV."""
        return self.data.get("table")


class Scope:
    """What the tiles of one page are about; what several tiles need is looked up once."""

    def __init__(
        self,
        lines: Sequence[Line],
        machines: Mapping[int, Sequence[Machine]],
        window: Interval,
        *,
        period: str,
        now: datetime,
    ) -> None:
        self.lines = list(lines)
        self.window, self.period, self.now = window, period, now
        self.zone: ZoneInfo = lines[0].area.site.zone if lines else ZoneInfo("UTC")
        self._machines = machines
        self._values: dict[tuple[int, ...], dict[str, Fraction | None]] = {}
        self._asked: dict[tuple[int, ...], Mapping[str, Fraction | None]] = {}
        self._statuses: dict[int, LineStatus] | None = None
        self._actuals: list[Actual] | None = None
        self._kpis: dict[str, Kpi] | None = None

    def lines_of(self, tile: Tile) -> list[Line]:
        """Return the lines that a tile is about. Raises Nothing where there is none."""
        found = [line for line in self.lines if tile.line_id in (None, line.pk)]
        if not found:
            raise Nothing(_("There is no line here that you may see."))
        return found

    def machines_of(self, lines: Sequence[Line]) -> list[Machine]:
        """Return the machines that stand for lines. Raises Nothing where there is none."""
        found = [
            machine
            for line in lines
            if self._machines.get(line.pk)
            for machine in representatives(list(self._machines[line.pk]))
        ]
        if not found:
            raise Nothing(_("There is no active machine here yet."))
        return found

    def kpi(self, code: str) -> Kpi:
        """Return a KPI by its code. Raises Nothing for one that does not hold here."""
        if self._kpis is None:
            self._kpis = {kpi.code: kpi for kpi in kpis_of(self.machines_of(self.lines))}
        if code not in self._kpis:
            raise Nothing(_("The KPI %(code)s does not hold here.") % {"code": code})
        return self._kpis[code]

    def value(self, kpi: Kpi, machines: Sequence[Machine]) -> KpiValue:
        """Return what a KPI came to.

        What stored hours tell costs less than what needs people, orders and inspections.
        """
        key = tuple(machine.pk for machine in machines)
        if not has_trend(kpi):
            if key not in self._asked:
                self._asked[key] = answer(Question(list(machines), self.window), now=self.now).values
            return values_of(self._asked[key], [kpi])[0]
        if key not in self._values:
            sums = report(machines, self.window, now=self.now).sums
            reasons = Traits().sums(reason_times(machines, self.window, now=self.now))
            self._values[key] = element_values(sums, reasons)
        return values_of(self._values[key], [kpi])[0]

    def statuses(self) -> dict[int, LineStatus]:
        """Return how all lines stand now."""
        if self._statuses is None:
            self._statuses = line_statuses([line.pk for line in self.lines], now=self.now)
        return self._statuses

    def actuals(self) -> list[Actual]:
        """Return what is planned in the window, and what became of it."""
        if self._actuals is None:
            entries = entries_of([line.pk for line in self.lines], self.window)
            active = [entry for entry in entries if entry.status != Schedule.Status.CANCELLED]
            self._actuals = actuals_of(active, now=self.now)
        return self._actuals


def fill(tile: Tile, scope: Scope) -> Filled:
    """Return a tile with what it shows; never raises."""
    template = TEMPLATES[Tile.Kind(tile.kind)]
    try:
        title, data = _FILLERS[Tile.Kind(tile.kind)](tile, scope)
        return Filled(tile, tile.title or title, template, data)
    except Nothing as nothing:
        return Filled(tile, str(tile), template, problem=str(nothing))
    except DomainError as refusal:
        return Filled(tile, str(tile), template, problem=refusal.message)
    except Exception:
        logger.exception("Tile %s could not be worked out", tile.pk)
        problem = _("This tile could not be worked out; the server's log says why. The others are right.")
        return Filled(tile, str(tile), template, problem=problem, is_broken=True)


Shown = tuple[str, dict[str, Any]]


def _kpi(tile: Tile, scope: Scope) -> Shown:
    lines = scope.lines_of(tile)
    kpi = scope.kpi(tile.kpi)
    if kpi.problem:
        raise Nothing(kpi.problem)
    value = scope.value(kpi, scope.machines_of(lines)).value
    question = ""
    if len(lines) == 1:
        asked = {
            "kpi": kpi.code,
            "line": lines[0].pk,
            "starts_at": moment_text(scope.window.start),
            "ends_at": moment_text(scope.window.end),
        }
        question = urlencode(asked)
    table = Table(("", kpi.name), ((_place(lines), kpi_words(value, kpi.unit)),))
    data = {
        "words": kpi_words(value, kpi.unit) if value is not None else UNKNOWN,
        "is_known": value is not None,
        "value": value,
        "has_band": kpi.code in BANDS,
        "target": kpi_words(Fraction(kpi.target), kpi.unit) if kpi.target is not None else "",
        "meaning": kpi.meaning,
        "place": _place(lines),
        "question": question,
        "table": table,
    }
    return str(kpi.name), data


def _place(lines: Sequence[Line]) -> str:
    return lines[0].name if len(lines) == 1 else _("%(count)s lines") % {"count": len(lines)}


def _trend(tile: Tile, scope: Scope) -> Shown:
    lines = scope.lines_of(tile)
    kpi = scope.kpi(tile.kpi)
    default = {"shift": "hour", "day": "hour", "week": "shift", "month": "day"}.get(scope.period, "day")
    groups = [(line.name, [line]) for line in lines[: len(TONES)]] if tile.by_line else [(str(kpi.name), lines)]
    chart = kpi_trend(
        kpi,
        [(name, scope.machines_of(of_lines)) for name, of_lines in groups],
        scope.window,
        step=Step(tile.step or default),
        zone=scope.zone,
        now=scope.now,
        title=tile.title or f"{kpi.name}, {_place(lines)}",
    )
    return str(kpi.name), {"chart": chart}


def _pareto(tile: Tile, scope: Scope) -> Shown:
    lines = scope.lines_of(tile)
    by, measure = By(tile.losses or By.REASON), tile.measure or Tile.Measure.TIME
    machines = scope.machines_of(lines)
    found = pareto(machines, scope.window, by=by, now=scope.now)
    if not found.rows:
        raise Nothing(_("Nothing stood in planned time."))
    names = names_of(by, [row.key for row in found.rows if row.key is not None])
    value: dict[str, Callable[[ParetoRow], charts.Number]] = {
        "time": lambda row: Fraction(row.duration // timedelta(microseconds=1), 60_000_000),
        "count": lambda row: row.occurrences,
        "pieces": lambda row: row.lost_pieces,
    }
    unit = {"time": _("min"), "count": _("times"), "pieces": _("pcs")}[measure]
    unnamed = _("no reason given") if by is By.REASON else _("outside of shifts")
    named = [(names.get(row.key or 0, unnamed), value[measure](row)) for row in found.rows]
    title = tile.title or _("Losses, %(place)s") % {"place": _place(lines)}
    return f"{_('Losses')}: {Tile.Losses(by.value).label}", {
        "chart": charts.pareto(title, named, unit=unit, most=tile.rows)
    }


def _timeline(tile: Tile, scope: Scope) -> Shown:
    lines = scope.lines_of(tile)[: tile.rows]
    statuses = scope.statuses()
    found = [statuses[line.pk] for line in lines if line.pk in statuses]
    if not found:
        raise Nothing(_("There is no active machine here yet."))
    return _("This shift"), {"statuses": found, "one": found[0] if len(found) == 1 else None}


def _table(tile: Tile, scope: Scope) -> Shown:
    lines = scope.lines_of(tile)
    content = Tile.Content(tile.content or Tile.Content.LINES)
    table = {Tile.Content.LINES: _lines, Tile.Content.ORDERS: _orders, Tile.Content.LATE: _late}[content](
        tile, scope, lines
    )
    if not table.rows:
        raise Nothing(_("There is nothing to list."))
    return str(content.label), {"table": table}


def _percent(ratio: Fraction | None) -> str:
    return UNKNOWN if ratio is None else f"{rounded(ratio * 100, 1)} %"


def _pieces(quantity: Fraction | None) -> str:
    return UNKNOWN if quantity is None else rounded(quantity, 0)


def _lines(tile: Tile, scope: Scope, lines: Sequence[Line]) -> Table:
    statuses = scope.statuses()
    known = [statuses[line.pk] for line in lines if line.pk in statuses][: tile.rows]
    rows = tuple(
        (
            status.name,
            status.reference.state if status.reference else UNKNOWN,
            _pieces(status.good),
            _pieces(status.target),
            _percent(status.kpis.oee_index),
            f"{status.order.number}, {status.order.product}" if status.order else "–",
        )
        for status in known
    )
    cells = tuple(
        (
            *row[:2],
            *(rounded_number(one, 6) for one in (status.good, status.target)),
            rounded_number(None if status.kpis.oee_index is None else status.kpis.oee_index * 100, 6),
            row[-1],
        )
        for row, status in zip(rows, known, strict=True)
    )
    columns = (_("Line"), _("State"), _("Good so far"), _("Target so far"), with_unit(_("OEE"), "%"), _("Order"))
    return Table(columns, rows, tuple(reverse("screens:line", args=[status.code]) for status in known), cells)


def _of_lines(scope: Scope, lines: Sequence[Line]) -> list[Actual]:
    wanted = {line.pk for line in lines}
    return [
        one for one in scope.actuals() if one.entry.line_id in wanted and one.entry.kind == Schedule.Kind.PRODUCTION
    ]


def _orders(tile: Tile, scope: Scope, lines: Sequence[Line]) -> Table:
    found = _of_lines(scope, lines)[: tile.rows]
    rows = tuple(
        (
            str(one.entry.work_order),
            one.entry.line.name,
            date_format(one.entry.planned_start_at.astimezone(scope.zone), "WEEKDAY_TIME_FORMAT"),
            date_format(one.entry.planned_end_at.astimezone(scope.zone), "WEEKDAY_TIME_FORMAT"),
            _pieces(one.planned_quantity),
            _pieces(one.actual_quantity),
            said(one.status) + (f" ({_('late now')})" if one.is_delayed else ""),
        )
        for one in found
    )
    cells = tuple(
        (
            *row[:2],
            *(at.astimezone(scope.zone) for at in (one.entry.planned_start_at, one.entry.planned_end_at)),
            *(rounded_number(quantity, 6) for quantity in (one.planned_quantity, one.actual_quantity)),
            row[-1],
        )
        for row, one in zip(rows, found, strict=True)
    )
    columns = (_("Order"), _("Line"), _("From"), _("Until"), _("Planned"), _("Made"), _("Status"))
    return Table(columns, rows, tuple(reverse("screens:order", args=[one.entry.work_order]) for one in found), cells)


def _late(tile: Tile, scope: Scope, lines: Sequence[Line]) -> Table:
    late = WorkOrder.objects.filter(line__in=[line.pk for line in lines], status__in=LIVE, due_at__lt=scope.now)
    found = list(late.select_related("product", "line").order_by("due_at", "order_number")[: tile.rows])
    rows = tuple(
        (
            order.order_number,
            order.product.name if order.product else "",
            order.line.name,
            date_format(order.due_at.astimezone(scope.zone), "SHORT_DATETIME_FORMAT") if order.due_at else "",
            str(order.get_status_display()),
        )
        for order in found
    )
    cells = tuple(
        (*row[:3], order.due_at and order.due_at.astimezone(scope.zone), row[-1])
        for row, order in zip(rows, found, strict=True)
    )
    columns = (_("Order"), _("Product"), _("Line"), _("Due"), _("Status"))
    return Table(columns, rows, tuple(reverse("screens:order", args=[order.order_number]) for order in found), cells)


def _plan(tile: Tile, scope: Scope) -> Shown:
    lines = scope.lines_of(tile)
    title = tile.title or _("Plan and actual, %(place)s") % {"place": _place(lines)}
    by = Tile.PlanBy(tile.plan_by or Tile.PlanBy.ORDER)
    return f"{_('Plan and actual')}: {by.label}", {
        "chart": plan_chart(_of_lines(scope, lines), by=tile.plan_by or "order", title=title, most=tile.rows)
    }


def _words(tile: Tile, scope: Scope) -> Shown:
    return "", {"text": tile.text}


_FILLERS: Mapping[str, Callable[[Tile, Scope], Shown]] = {
    Tile.Kind.KPI: _kpi,
    Tile.Kind.TREND: _trend,
    Tile.Kind.PARETO: _pareto,
    Tile.Kind.TIMELINE: _timeline,
    Tile.Kind.TABLE: _table,
    Tile.Kind.PLAN: _plan,
    Tile.Kind.TEXT: _words,
}
