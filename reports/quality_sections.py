"""Parts of reports about quality: what was inspected and found, non-conformances, rules that charts broke."""

from fractions import Fraction

from django.urls import reverse
from django.utils.translation import gettext as _

from quality.figures import inspected_in
from quality.figures import pareto as defects_by
from quality.models import NonConformance, Signal
from reports.asked import MOST_ROWS, Asked, absolute, some_of
from reports.document import MOMENT, NUMBER, RATIO, Bar, Chart, Column, Figure, Row, Section, Table
from reports.oee_sections import made


def inspected(asked: Asked) -> Section:
    """What inspections looked at, what they found, and what the machines sorted out."""
    found = inspected_in([machine.pk for machine in asked.all_machines], asked.window)
    figures = [
        asked.kpi_figure("quality_ratio"),
        asked.kpi_figure("first_pass_yield"),
        asked.kpi_figure("scrap_ratio"),
        *made(asked),
        Figure(_("Units inspected"), found.units, NUMBER, "inspected"),
        Figure(_("Not conforming"), found.nonconforming, NUMBER, "nonconforming"),
        Figure(_("Defects found"), found.defects, NUMBER, "defects"),
    ]
    return Section(_("Result"), "result", figures=figures)


def defects(asked: Asked) -> Section:
    """The most frequent defects of the sites concerned."""
    bars = defects_by(asked.sites, asked.window)
    columns = (
        Column(_("Defect"), "defect"),
        Column(_("Number"), "quantity", NUMBER),
        Column(_("Times found"), "occurrences", NUMBER),
        Column(_("Cost"), "cost", NUMBER),
        Column(_("Share up to here"), "cumulative", RATIO),
    )
    rows = [Row((bar.name, bar.quantity, bar.occurrences, bar.cost, bar.cumulative)) for bar in bars[:MOST_ROWS]]
    charts = [
        Chart(_("Defects"), "defects", [Bar(bar.name, Fraction(bar.quantity), "poor") for bar in bars[:8]], NUMBER)
    ]
    return Section(
        _("Defects at the site"),
        "defects",
        charts=charts if bars else [],
        tables=[
            Table(
                _("Defects by kind"), "defects", columns, rows, _("No defect was found."), max(0, len(bars) - MOST_ROWS)
            )
        ],
    )


def nonconformances(asked: Asked) -> Section:
    """Non-conformances raised in the time, and rules that charts broke."""
    found = NonConformance.objects.filter(
        site__in=asked.sites, raised_at__gte=asked.window.start, raised_at__lt=asked.window.end
    )
    raised, more_raised = some_of(found.order_by("raised_at", "id"), MOST_ROWS)
    rows = [
        Row(
            (one.number, one.title, one.get_severity_display(), one.get_status_display(), one.raised_at, one.closed_at),
            absolute(reverse("screens:ncr", args=[one.pk])),
        )
        for one in raised
    ]
    broken = Signal.objects.filter(
        chart__site__in=asked.sites, point_at__gte=asked.window.start, point_at__lt=asked.window.end
    )
    signals, more_signals = some_of(broken.select_related("chart").order_by("point_at", "id"), MOST_ROWS)
    signal_rows = [
        Row((one.chart.name, one.point_at, one.rule, one.text), absolute(reverse("screens:chart", args=[one.chart_id])))
        for one in signals
    ]
    return Section(
        _("Non-conformances and signals"),
        "nonconformances",
        tables=[
            Table(
                _("Non-conformances"),
                "nonconformances",
                (
                    Column(_("Number"), "number"),
                    Column(_("Title"), "title"),
                    Column(_("Severity"), "severity"),
                    Column(_("Status"), "status"),
                    Column(_("Raised"), "raised_at", MOMENT),
                    Column(_("Closed"), "closed_at", MOMENT),
                ),
                rows,
                _("None was raised."),
                more_raised,
            ),
            Table(
                _("Rules that control charts broke"),
                "signals",
                (
                    Column(_("Chart"), "chart"),
                    Column(_("At"), "at", MOMENT),
                    Column(_("Rule"), "rule"),
                    Column(_("What it says"), "text"),
                ),
                signal_rows,
                _("No rule was broken."),
                more_signals,
            ),
        ],
    )
