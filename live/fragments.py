"""Render a line's status once for each language: the same fragment for the first paint and for all who watch it."""

import time
from collections.abc import Iterable
from datetime import datetime

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.safestring import mark_safe

from live.selectors import line_statuses
from live.status import LineStatus
from quality.charting import acknowledgements_of, chart_data, judged_from, phases_of, results_on
from quality.models import ControlChart, Signal
from quality.spc.charts import Kind as ChartKind
from quality.spc.drawing import draw

CARD, DETAIL, FLOOR, BOARD, CHART = "card", "detail", "floor", "board", "chart-"
PLAN = "plan"
"""Who watches a line's plan is told that it changed, and fetches what they show of it."""
POINTS_SHOWN, ALARMS_SHOWN = 200, 3
TEMPLATES = {CARD: "live/_line_card.html", DETAIL: "live/_line_detail.html", FLOOR: "live/_floor_line.html"}
TEMPLATES[BOARD] = "live/_board_line.html"


Watched = tuple[int, str, str]
"""A line's id, a view of it, and the language of whoever watches."""


def version_now() -> int:
    """Return a number that rises with time, taken before what is shown is read:
    of two fragments the higher is newer.
    """
    return time.time_ns() // 1000


def render(status: LineStatus, view: str) -> str:
    """Return a line's card or detail as HTML."""
    return render_to_string(TEMPLATES[view], {"line": status})


def render_lines(wanted: Iterable[Watched], *, now: datetime) -> dict[Watched, str]:
    """Return the fragments of (line id, view, language); lines that are gone are absent.

    A line's numbers are worked out once, whatever the views and languages are.
    """
    asked = sorted(set(wanted))
    lines = {line_id for line_id, view, _ in asked if chart_of(view) is None}
    statuses = line_statuses(lines, now=now) if lines else {}
    found: dict[Watched, str] = {}
    for watched in asked:
        line_id, view, language = watched
        with translation.override(language):
            if (chart := chart_of(view)) is not None:
                found[watched] = chart_fragment(chart)
            elif line_id in statuses:
                found[watched] = render(statuses[line_id], view)
    return found


def chart_of(view: str) -> int | None:
    """Return the id of the control chart that a view shows; None for a view of a line."""
    return int(view.removeprefix(CHART)) if view.startswith(CHART) else None


def _places(chart: ControlChart) -> int:
    """Return with how many decimals a chart's figures are written: of measured values one more than they are read
    to.
    """
    return chart.characteristic.decimals + 1 if ChartKind(chart.kind).is_measured else 3


def chart_fragment(chart_id: int) -> str:
    """Return the last points of a control chart as HTML, with the rules that they broke."""
    chart = ControlChart.objects.select_related("characteristic__plan", "site").filter(pk=chart_id).first()
    if chart is None:
        return ""
    rows = results_on(chart).order_by("-occurred_at").values_list("occurred_at", flat=True)
    newest = list(rows[: POINTS_SHOWN * chart.subgroup_size])
    # Counted off from where the phase begins, so that points are those that were judged.
    phases = phases_of(chart)
    if phases and newest:
        start: datetime | None = judged_from(chart, phases, newest[-1])
    else:
        start = newest[-1] if newest else None
    data = chart_data(chart, start, most=None)
    drawing = (
        draw(
            data.chart,
            title=chart.name,
            places=_places(chart),
            labels=[date_format(at.astimezone(chart.site.zone), "DAY_SECOND_FORMAT") for at in data.moments],
        )
        if data.chart
        else ""
    )
    signals = list(Signal.objects.filter(chart=chart).order_by("-point_at", "rule")[:50])
    said = acknowledgements_of(signals)
    context = {"chart": chart, "drawing": mark_safe(drawing), "points": len(data.points)}  # escaped by draw
    alarms = [signal for signal in signals if signal.pk not in said]
    context |= {"alarms": alarms[:ALARMS_SHOWN], "more_alarms": max(len(alarms) - ALARMS_SHOWN, 0)}
    with timezone.override(chart.site.zone):
        return render_to_string(
            "live/_chart.html", {**context, "signals": [(signal, said.get(signal.pk)) for signal in signals]}
        )
