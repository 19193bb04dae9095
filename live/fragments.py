"""Render a line's status once: the same fragment for the first paint and for every socket that watches it."""

import time
from collections.abc import Iterable
from datetime import datetime

from django.template.loader import render_to_string

from live.selectors import line_statuses
from live.status import LineStatus

CARD, DETAIL = "card", "detail"
TEMPLATES = {CARD: "live/_line_card.html", DETAIL: "live/_line_detail.html"}


def version_now() -> int:
    """Return a number that rises with time, taken before what is shown is read: of two fragments the higher is newer."""
    return time.time_ns() // 1000


def render(status: LineStatus, view: str) -> str:
    """Return a line's card or detail as HTML."""
    return render_to_string(TEMPLATES[view], {"line": status})


def render_lines(wanted: Iterable[tuple[int, str]], *, now: datetime) -> dict[tuple[int, str], str]:
    """Return the fragments of (line id, view); lines that are gone are absent."""
    pairs = sorted(set(wanted))
    statuses = line_statuses({line_id for line_id, _ in pairs}, now=now)
    return {(line_id, view): render(statuses[line_id], view) for line_id, view in pairs if line_id in statuses}
