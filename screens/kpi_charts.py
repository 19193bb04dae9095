"""The charts that tiles and pages share: a KPI over time, and planned quantities beside those that were made."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core.intervals import Interval
from enterprise.models import Machine
from oee.kpis import Kpi
from oee.trends import Step, trend
from scheduling.actuals import Actual
from screens import charts

TONES = ("accent", "changeover", "running", "unplanned", "planned", "call")


class Nothing(Exception):
    """There is nothing to show, and why."""


def kpi_trend(
    kpi: Kpi,
    groups: Sequence[tuple[str, Sequence[Machine]]],
    window: Interval,
    *,
    step: Step,
    zone: ZoneInfo,
    now: datetime,
    title: str,
    target: Fraction | None = None,
    **part: Any,
) -> charts.Chart:
    """Return the chart of a KPI over time, a line for each named group of machines; ratios are drawn in percent."""
    points = trend([machines for _name, machines in groups], window, kpi=kpi, step=step, now=now, **part)
    if not points:
        raise Nothing(_("Nothing is known of that time."))
    factor = 100 if kpi.unit == "ratio" else 1
    series = [
        charts.Series(
            name,
            [None if point.values[place] is None else (point.values[place] or 0) * factor for point in points],
            style="dots" if len(points) <= 62 else "line",
            tone=TONES[place % len(TONES)],
        )
        for place, (name, _machines) in enumerate(groups)
    ]
    if target is None and kpi.target is not None:
        target = Fraction(kpi.target)
    if target is not None:
        series.append(charts.Series(_("Target"), [target * factor] * len(points), style="dashes", tone="good"))
    unit = {"ratio": "%", "seconds": "s", "per_hour": _("/h"), "pieces": _("pcs")}.get(kpi.unit, "")
    if step is Step.HOUR:
        return charts.Chart(title, series, at=[point.start for point in points], unit=unit, zone=str(zone))
    labels = [
        f"{point.start.astimezone(zone):%m-%d} {point.name}".strip()
        if step is Step.SHIFT
        else date_format(point.day, "Y-m-d")
        for point in points
    ]
    return charts.Chart(
        title, series, labels=labels, begins=[point.start for point in points], unit=unit, zone=str(zone)
    )


def plan_chart(actuals: Sequence[Actual], *, by: str, title: str, most: int) -> charts.Chart:
    """Return planned and made quantities by order, day or line.

    A sum with an unknown or an uncommon unit is unknown.
    """
    groups: dict[tuple[Any, str], list[Actual]] = defaultdict(list)
    for one in actuals:
        entry: Any = one.entry
        first = one.entry.planned_start_at.isoformat()
        keys = {
            "order": (entry.work_order_id, str(entry.work_order)),
            "day": (str(entry.shift_date), str(entry.shift_date)),
            "line": (entry.line_id, entry.line.name),
        }
        groups[keys.get(by, (first, first))].append(one)
    if not groups:
        raise Nothing(_("Nothing is planned then."))
    named = [(name, _sum(of, "planned_quantity"), _sum(of, "actual_quantity")) for (_key, name), of in groups.items()]
    named = sorted(named) if by == "day" else named
    named = named[-most:] if by == "day" else named[:most]
    units = {_unit(one) for of in groups.values() for one in of}
    return charts.Chart(
        title,
        [
            charts.Series(_("planned"), [planned for _name, planned, _made in named], style="bars", tone="planned"),
            charts.Series(_("made"), [made for _name, _planned, made in named], style="bars", tone="accent"),
        ],
        labels=[name for name, _planned, _made in named],
        unit=units.pop() if len(units) == 1 else "",
    )


def _unit(one: Actual) -> str:
    order = one.entry.work_order
    return str(order.product.unit_id) if order is not None and order.product is not None else ""


def _sum(group: Sequence[Actual], name: str) -> Fraction | None:
    values = [getattr(one, name) for one in group]
    if None in values or len({_unit(one) for one in group}) > 1:
        return None
    return sum(values, start=Fraction(0))
