"""The line overview: a row per machine as wide as its shift, with what nobody explained, now or on any day."""

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from core.retention import Closed, refuse_closed
from enterprise.models import Line
from enterprise.selectors import reference_machines
from live.fragments import FLOOR
from live.selectors import line_statuses
from screens.asked_shift import day_asked, narrowed, shifts_asked
from screens.fragments import fragments_of


@login_required
def floor(request: HttpRequest) -> HttpResponse:
    """Show all lines of a site or area over their shift of now, kept alive, or over a shift of the past."""
    now = timezone.now()
    chosen = narrowed(request, request.GET)
    day = day_asked(request.GET)
    context: dict[str, Any] = {"chosen": chosen, "day": day, "shift": request.GET.get("shift", "")}
    if day is None:
        context |= {"rows": _rows(chosen.lines, line_statuses([line.pk for line in chosen.lines], now=now))}
        context |= {"is_live": True, "socket": _socket(chosen.area), "names": [], "today": now}
        return render(request, "screens/floor.html", context)
    machines = reference_machines(line.pk for line in chosen.lines)
    shifts, names = shifts_asked(machines, day, request.GET.get("shift", ""), now=now)
    try:
        statuses = _of_past(shifts, now=now)
    except Closed as refusal:
        return render(request, "screens/floor.html", {**context, "names": names, "gone": refusal.message})
    return render(request, "screens/floor.html", {**context, "rows": _rows(chosen.lines, statuses), "names": names})


@login_required
def floor_fragments(request: HttpRequest) -> JsonResponse:
    """Answer the rows anew, for a browser that missed something."""
    chosen = narrowed(request, request.GET)
    return JsonResponse({"lines": fragments_of((line.pk for line in chosen.lines), FLOOR)})


def _of_past(shifts: dict[int, Any], *, now: datetime) -> dict[int, Any]:
    if shifts:
        refuse_closed(min(shift.start for shift in shifts.values()), field="date")
    return line_statuses(list(shifts), now=now, shifts=shifts)


def _rows(lines: tuple[Line, ...], statuses: dict[int, Any]) -> list[tuple[Line, Any]]:
    return [(line, statuses.get(line.pk)) for line in lines]


def _socket(area: Any) -> str:
    return f"/ws/floor/{area.pk}/" if area else "/ws/floor/"
