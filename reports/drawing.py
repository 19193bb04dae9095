"""Lay a bar chart out once, for the page (SVG) and the PDF: rectangles and texts in points. No Django, no clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

WIDTH, HEIGHT = 760, 190
_LEFT, _TOP, _BOTTOM = 4, 20, 34
MOST_BARS = 40


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """A bar: upper left corner, size, the middle for its texts, what it is called and how much it is."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    name: str
    value: str
    tone: str
    is_known: bool


@dataclass(frozen=True, slots=True)
class DrawnChart:
    """A chart of WIDTH × HEIGHT points; y grows downwards. `goal` is the height of its line, None = without."""

    bars: tuple[DrawnBar, ...]
    base: float
    goal: float | None
    every: int
    """Each so many bars, names and values are written, so that they do not overlap."""


def draw(
    bars: Sequence[tuple[str, Fraction | None, str]],
    *,
    goal: Fraction | None,
    written: Callable[[Fraction | None], str],
) -> DrawnChart:
    """Lay out bars of (name, value, tone); the longest fills the height."""
    shown = bars[:MOST_BARS]
    base = HEIGHT - _BOTTOM
    highest = max((value for _name, value, _tone in shown if value is not None), default=Fraction(0))
    highest = max(highest, goal or Fraction(0))
    room = base - _TOP
    pitch = (WIDTH - 2 * _LEFT) / max(len(shown), 1)
    width = min(pitch * 0.72, 90.0)
    drawn = []
    for number, (name, value, tone) in enumerate(shown):
        height = float(max(value, Fraction(0)) / highest * room) if value is not None and highest else 0.0
        middle = _LEFT + pitch * (number + 0.5)
        drawn.append(
            DrawnBar(
                x=round(middle - width / 2, 2),
                y=round(base - height, 2),
                width=round(width, 2),
                height=round(height, 2),
                middle=round(middle, 2),
                name=name,
                value=written(value),
                tone=tone,
                is_known=value is not None,
            )
        )
    line = None if goal is None or not highest else round(base - float(goal / highest * room), 2)
    longest = max((len(bar.name) for bar in drawn), default=1)
    every = max(1, round(longest * 6.2 / pitch + 0.49)) if len(drawn) > 8 else 1
    return DrawnChart(tuple(drawn), float(base), line, every)
