"""Draw a control chart as SVG text: no script, no style of its own, colours by classes of `static/css/app.css`.

All text is escaped, so what it returns is safe to embed. What broke a rule has a shape and the rule's code beside its
colour.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from html import escape

from quality.spc.charts import Limits
from quality.spc.monitor import Chart, Series
from quality.spc.rules import Signal

WIDTH, HEIGHT = 1000, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 20, 110, 34, 24
# Beyond so many points their marks would cover each other; the line and what broke a rule stay.
_MOST_MARKS = 120
_HALF = 6
_LINE = 12


def draw(chart: Chart, *, title: str, labels: Sequence[str] = (), places: int = 3) -> str:
    """Return a chart's panels as SVG elements, one after the other.

    `labels` name the points (a time, a lot), for whoever points at one; figures are written with so many decimal
    places.
    """
    return "".join(draw_panel(series, title=title, labels=labels, places=places) for series in chart.panels)


def draw_panel(series: Series, *, title: str, labels: Sequence[str] = (), places: int = 3) -> str:
    """Return one panel as an SVG element of 1000 × 300 units that takes any width."""
    canvas = _Canvas(series, places)
    name = f"{title}, {series.panel.value}"
    parts = [
        f'<svg class="spc" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(name, quote=True)}">',
        f"<title>{escape(name)}</title><desc>{escape(described(series, labels))}</desc>",
        *canvas.limits(),
        *canvas.phases(),
        *canvas.numbers(),
        *canvas.line(),
        *canvas.marks(labels),
        "</svg>",
    ]
    return "".join(parts)


def described(series: Series, labels: Sequence[str] = ()) -> str:
    """Say in words what a panel shows: how many points, and each broken rule."""
    known = sum(point.value is not None for point in series.points)
    said = [f"{known} points" if known != 1 else "1 point"]
    said += [f"{_label(signal.at, labels)}: {signal.rule.code} {signal.rule.text}" for signal in series.signals]
    return ". ".join(said if series.signals else [*said, "No rule is broken"]) + "."


class _Canvas:
    """Where the points of a series lie. Floating point: it ends in pixels."""

    def __init__(self, series: Series, places: int) -> None:
        self._series = series
        self._places = places
        figures = [
            figure
            for point in series.points
            for figure in (point.value, point.limits.centre, point.limits.lower, point.limits.upper)
            if figure is not None
        ] or [Fraction(0)]
        self._low, self._high = min(figures), max(figures)
        if self._low == self._high:
            self._low, self._high = self._low - 1, self._high + 1
        self._step = (WIDTH - _LEFT - _RIGHT) / max(len(series.points), 1)

    def x(self, place: float) -> float:
        return _LEFT + (place + 0.5) * self._step

    def y(self, value: Fraction) -> float:
        share = float((value - self._low) / (self._high - self._low))
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)

    def limits(self) -> Iterable[str]:
        """Draw centre, limits and zones as steps, with their last figures at the right end."""
        for name, of in _LINES.items():
            for start, end in self._spans():
                drawn = [of(point.limits) for point in self._series.points[start:end]]
                yield from self._steps(f"spc-{name}", start, drawn)
        if not self._series.points:
            return
        last = self._series.points[-1].limits
        for text, figure in (("UCL", last.upper), ("CL", last.centre), ("LCL", last.lower)):
            if figure is not None:
                y = self.y(figure) + 4
                yield f'<text class="spc-figure" x="{WIDTH - _RIGHT + 6}" y="{y:.1f}">{text} {self._written(figure)}</text>'

    def phases(self) -> Iterable[str]:
        """Draw where phases begin, with their names."""
        for place, name in self._series.starts:
            x = self.x(place - 0.5)
            if place:
                yield f'<line class="spc-phase" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 14}" y2="{HEIGHT - _BOTTOM}"/>'
            if name:
                yield f'<text class="spc-phase-name" x="{x + 4:.1f}" y="14">{escape(name)}</text>'

    def numbers(self) -> Iterable[str]:
        """Number the points along the bottom, every fifth, or of many every twentieth."""
        every = 5 if len(self._series.points) <= _MOST_MARKS // 2 else 20
        for place in range(every - 1, len(self._series.points), every):
            yield f'<text class="spc-figure spc-number" x="{self.x(place):.1f}" y="{HEIGHT - 3}">{place + 1}</text>'

    def line(self) -> Iterable[str]:
        """Draw the line through the points; it is open where one is unknown, and between phases."""
        for start, end in self._spans():
            run: list[str] = []
            for place in range(start, end):
                value = self._series.points[place].value
                if value is not None:
                    run.append(f"{self.x(place):.1f},{self.y(value):.1f}")
                if run and (value is None or place == end - 1):
                    yield f'<polyline class="spc-line" points="{" ".join(run)}"/>'
                    run = []

    def marks(self, labels: Sequence[str]) -> Iterable[str]:
        """Draw the points: a dot, or a diamond with the codes of the rules that spoke there;
        rings for the rest of a pattern.
        """
        spoke = _by_place(self._series.signals)
        within = {place for signal in self._series.signals for place in signal.points}
        for place, point in enumerate(self._series.points):
            if point.value is None:
                continue
            x, y = self.x(place), self.y(point.value)
            said = f"{_label(place, labels)}: {self._written(point.value)}"
            if signals := spoke.get(place):
                texts = "; ".join(f"{signal.rule.code} {signal.rule.text}" for signal in signals)
                corners = f"M{x:.1f} {y - _HALF:.1f}l{_HALF} {_HALF}l-{_HALF} {_HALF}l-{_HALF} -{_HALF}z"
                yield f'<g class="spc-broken"><title>{escape(f"{said}. {texts}")}</title><path d="{corners}"/>'
                yield f"{_stacked([signal.rule.code for signal in signals], x, y)}</g>"
            elif place in within or len(self._series.points) <= _MOST_MARKS:
                kind, radius = ("spc-within", 4.5) if place in within else ("spc-point", 3)
                yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"><title>{escape(said)}</title></circle>'

    def _spans(self) -> list[tuple[int, int]]:
        starts = [place for place, _ in self._series.starts]
        return list(zip(starts, [*starts[1:], len(self._series.points)], strict=True))

    def _steps(self, kind: str, start: int, figures: Sequence[Fraction | None]) -> Iterable[str]:
        """Draw a line that changes halfway between points; it is left out where there is no limit."""
        begin = 0
        for end in range(1, len(figures) + 1):
            if end < len(figures) and figures[end] == figures[begin]:
                continue
            figure = figures[begin]
            if figure is not None and self._low <= figure <= self._high:
                x, to, y = self.x(start + begin - 0.5), self.x(start + end - 0.5), self.y(figure)
                yield f'<path class="{kind}" d="M{x:.1f} {y:.1f}H{to:.1f}"/>'
            begin = end

    def _written(self, figure: Fraction) -> str:
        exact = Decimal(figure.numerator) / Decimal(figure.denominator)
        return str(exact.quantize(Decimal(1).scaleb(-self._places), ROUND_HALF_UP)).replace("-", "−")


_LINES: dict[str, Callable[[Limits], Fraction | None]] = {
    "zone spc-zone-upper-2": lambda of: _zone(of, 2),
    "zone spc-zone-upper-1": lambda of: _zone(of, 1),
    "zone spc-zone-lower-1": lambda of: _zone(of, -1),
    "zone spc-zone-lower-2": lambda of: _zone(of, -2),
    "limit spc-upper": lambda of: of.upper,
    "limit spc-lower": lambda of: of.lower,
    "centre": lambda of: of.centre,
}


def _zone(of: Limits, sigmas: int) -> Fraction | None:
    at = of.centre + sigmas * of.sigma
    inside = (of.upper is None or at < of.upper) and (of.lower is None or at > of.lower)
    return at if inside else None


def _stacked(codes: Sequence[str], x: float, y: float) -> str:
    """Return codes one above the other, so that those of neighbours stay apart;
    below the point where there is no room above.
    """
    top = y - _HALF - 4 - _LINE * (len(codes) - 1)
    if top < _TOP - 14:
        top = y + _HALF + _LINE
    lines = [f'<text x="{x:.1f}" y="{top + _LINE * line:.1f}">{code}</text>' for line, code in enumerate(codes)]
    return "".join(lines)


def _by_place(signals: Iterable[Signal]) -> dict[int, list[Signal]]:
    found: dict[int, list[Signal]] = {}
    for signal in signals:
        found.setdefault(signal.at, []).append(signal)
    return found


def _label(place: int, labels: Sequence[str]) -> str:
    return labels[place] if place < len(labels) else f"Point {place + 1}"
