"""What machines did, drawn: segment by segment while there is room for them, as shares of narrow columns where not.

All positions are on a scale of 0–1000 over the window, written as text, so that no language writes them with a comma.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from core.intervals import Interval, microseconds
from oee.time_columns import Columns

WIDTH = 1000
HEIGHT = 30
MOST_SEGMENTS = 1200
"""More segments than this on a page are drawn as columns: they would be narrower than a pixel, and heavy to send."""
COLUMNS = 500
MOST_TO_TAP = 40
"""Of so many segments, so many stops of a machine can be tapped, the longest; all of them are listed."""
_STACK = ("unplanned", "changeover", "planned", "no_data", "not_scheduled", "running")
"""From the top of a column down: what went wrong first."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch: where it lies, how it looks, what it was; `url` where it can be spoken of."""

    x: str
    width: str
    category: str
    title: str
    url: str = ""
    is_unexplained: bool = False
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """What columns of one category cover, as an SVG path."""

    category: str
    path: str


def position(at: datetime, window: Interval) -> str:
    """Return where a moment lies in a window."""
    part = microseconds(at - window.start) * WIDTH * 100 // window.microseconds
    return f"{part // 100}.{part % 100:02d}" if part >= 0 else "0"


def length(start: datetime, end: datetime, window: Interval) -> str:
    """Return how wide a stretch is."""
    part = microseconds(end - start) * WIDTH * 100 // window.microseconds
    return f"{part // 100}.{part % 100:02d}"


def areas(columns: Columns) -> list[Area]:
    """Return columns as stacked areas, one path per category; unknown time to come stays empty.

    Each area reaches from the bottom to the top of its category, and the next one is drawn over it, so that a column
    costs a few characters and only where it differs from the one before it.
    """
    count = len(columns)
    below: dict[str, list[int]] = {category: [] for category in _STACK}
    for column in columns:
        total = sum(column.values())
        under = total
        for category in _STACK:
            below[category].append(round(HEIGHT * under / total) if total else 0)
            under -= column.get(category, 0)
    return [
        Area(category, _steps(below[category], count))
        for category in _STACK
        if any(column.get(category) for column in columns)
    ]


def _steps(heights: Sequence[int], count: int) -> str:
    """Return the outline of bars side by side: right by the width of those that are alike, then up or down."""
    scale = WIDTH * 10 // count
    parts, before, run = [f"M0 {HEIGHT}"], 0, 0

    def forward(run: int) -> str:
        width = scale * run
        return f"h{width // 10}" if width % 10 == 0 else f"h{width // 10}.{width % 10}"

    for height in heights:
        if height != before:
            if run:
                parts.append(forward(run))
                run = 0
            parts.append(f"v{before - height}")
            before = height
        run += 1
    parts.append(f"{forward(run)}V{HEIGHT}z")
    return "".join(parts)


def ticks(window: Interval, zone: Any) -> list[tuple[str, str]]:
    """Return where the clock's hours, or days of long windows, lie, with what is written there."""
    length_ = window.end - window.start
    if length_ > timedelta(days=2):
        step, form = 1, "%d.%m."
        if length_ > timedelta(days=10):
            step = 2
        day = window.start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        found, n = [], 0
        while day.astimezone(UTC) < window.end:
            if day.astimezone(UTC) >= window.start and n % step == 0:
                found.append((position(day.astimezone(UTC), window), f"{day:{form}}"))
            # By the wall clock, so that days of 23 and 25 hours begin at midnight, too.
            day = (day.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
            n += 1
        return found
    every = 1 if length_ <= timedelta(hours=13) else 2
    at = window.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    found = []
    while at < window.end:
        local = at.astimezone(zone)
        if at >= window.start and local.hour % every == 0:
            found.append((position(at, window), f"{local:%H}"))
        at += timedelta(hours=1)
    return found
