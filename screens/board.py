"""The andon board of an area or the whole plant, for a television: read from ten metres, and never needs a hand."""

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone

from enterprise.models import Area, Line
from live.fragments import BOARD
from live.selectors import line_statuses
from screens.asked_shift import lines_of
from screens.board_calls import open_calls
from screens.fragments import fragments_of

MOST_CALLS = 6


@login_required
def board(request: HttpRequest, area: str | None = None) -> HttpResponse:
    """Show an area's lines, or all, with the open calls on top; the socket keeps them alive."""
    now = timezone.now()
    place, lines = _lines(request, area)
    statuses = line_statuses([line.pk for line in lines], now=now)
    context = {
        "tv": True,
        "place": place,
        "areas": [] if place else list({line.area_id: line.area for line in lines}.values()),
        "zone": _one_zone(lines, now=now),
        "rows": [(line, statuses.get(line.pk)) for line in lines],
        **_calls(lines, now=now),
        "socket": f"/ws/board/{place.pk}/" if place else "/ws/board/",
    }
    return render(request, "screens/board.html", context)


@login_required
def board_fragments(request: HttpRequest, area: str | None = None) -> JsonResponse:
    """Answer the lines and the calls anew, for a browser that missed something;
    `only=calls` answers the calls alone.
    """
    now = timezone.now()
    _place, lines = _lines(request, area)
    calls = render_to_string("screens/_board_calls.html", _calls(lines, now=now))
    found: dict[str, Any] = {"calls": calls, "lines": []}
    if request.GET.get("only") != "calls":
        found["lines"] = fragments_of((line.pk for line in lines), BOARD)
    return JsonResponse(found)


def _one_zone(lines: list[Line], *, now: datetime) -> str | None:
    """Return the name of a zone in which the clocks of all lines go alike now, by which the board's clock goes; None
    where they differ.
    """
    zones = {now.astimezone(line.area.site.zone).utcoffset(): line.area.site.zone.key for line in lines}
    return next(iter(zones.values())) if len(zones) == 1 else None


def _calls(lines: list[Line], *, now: datetime) -> dict[str, Any]:
    calls = open_calls(line_ids=[line.pk for line in lines], now=now)
    return {"calls": calls[:MOST_CALLS], "more_calls": max(0, len(calls) - MOST_CALLS)}


def _lines(request: HttpRequest, code: str | None) -> tuple[Area | None, list[Line]]:
    lines = list(lines_of(request))
    if code is None:
        return None, lines
    kept = [line for line in lines if line.area.code == code]
    if not kept:
        raise Http404
    return kept[0].area, kept
