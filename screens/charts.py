"""What a chart is told: exact numbers made drawable. Every chart carries its table; a CSV is the page's to offer.

The script (`static/js/charts.js`) draws with uPlot; without it the table is what a reader has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

Number = int | Decimal | Fraction | None
TONES = ("accent", "good", "fair", "poor", "running", "unplanned", "planned", "changeover", "call", "ink-soft")
"""Colours of tokens.css that a series may have."""


@dataclass(frozen=True, slots=True)
class Series:
    """A row of numbers over the chart's points; an unknown number is None and leaves a gap.

    `style` draws it as a line, as bars, as steps, or as a line with dots; `scale` is "left" or "right".
    """

    name: str
    values: Sequence[Number]
    style: Literal["line", "bars", "steps", "dots", "dashes"] = "line"
    tone: str = "accent"
    scale: Literal["left", "right"] = "left"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart over moments (`at`) or over names (`labels`), never both.

    Shape: every series has as many values as there are moments or labels. `begins` are the moments at which what the
    labels name begins, where that is a time: files have them. `unit` and `right_unit` are written at the
    scales, as "%" or "pcs"; `zone` is the IANA name of the zone that moments are shown in.
    """

    title: str
    series: Sequence[Series]
    at: Sequence[datetime] = ()
    labels: Sequence[str] = ()
    begins: Sequence[datetime] = ()
    unit: str = ""
    right_unit: str = ""
    zone: str = "UTC"
    height: int = 280

    def __post_init__(self) -> None:
        points = self.points
        for series in self.series:
            if len(series.values) != points:
                raise ValueError(f"{series.name} has {len(series.values)} values for {points} points.")
            if series.tone not in TONES:
                raise ValueError(f"{series.name} has the unknown tone {series.tone}.")

    @property
    def points(self) -> int:
        """How many points there are along the chart."""
        return len(self.at) or len(self.labels)

    def drawable(self) -> dict[str, Any]:
        """Return what the script draws: numbers as floats, for pixels know no fractions."""
        return {
            "title": self.title,
            "at": [moment.timestamp() for moment in self.at],
            "labels": list(self.labels),
            "unit": self.unit,
            "rightUnit": self.right_unit,
            "zone": self.zone,
            "height": self.height,
            "series": [
                {
                    "name": series.name,
                    "values": [None if value is None else float(value) for value in series.values],
                    "style": series.style,
                    "tone": series.tone,
                    "scale": series.scale,
                }
                for series in self.series
            ],
        }

    def rows(self) -> list[tuple[Any, list[Number]]]:
        """Return the chart's table: a moment or label, and each series' number at it."""
        points: Sequence[Any] = self.at or self.labels
        return [(point, [series.values[place] for series in self.series]) for place, point in enumerate(points)]


def pareto(
    title: str, named: Sequence[tuple[str, Number]], *, unit: str, tone: str = "unplanned", most: int | None = None
) -> Chart:
    """Return a Pareto chart: bars, largest first, and the running share of the whole in percent.

    Of the bars the first `most` are drawn; the whole is that of all.
    """
    ordered = sorted(named, key=lambda pair: (-(pair[1] or 0), pair[0]))
    whole = sum(Fraction(value or 0) for _name, value in ordered)
    ordered = ordered[:most]
    running, shares = Fraction(0), []
    for _name, value in ordered:
        running += Fraction(value or 0)
        shares.append(running * 100 / whole if whole else None)
    return Chart(
        title=title,
        labels=[name for name, _value in ordered],
        series=[
            Series(unit, [value for _name, value in ordered], style="bars", tone=tone),
            Series("Σ %", shares, style="dots", tone="ink-soft", scale="right"),
        ],
        unit=unit,
        right_unit="%",
    )
