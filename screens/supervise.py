"""Where a supervisor lands: what wants a decision now, each a step from where it is made."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from core.master_data import caller
from enterprise.models import Site
from execution.risk import orders_at_risk
from labor.board import MISSING, shift_board
from live.selectors import line_statuses
from live.status import LineStatus
from oee.open_shifts import closings_due_by_hand
from screens.asked_shift import Filter, lines_of, narrowed_to
from screens.board_calls import open_calls
from screens.parts import render_part

SHOWN = 6


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line that is behind, or has stops to explain."""

    line: LineStatus
    unexplained: int


@login_required
def supervise(request: HttpRequest) -> HttpResponse:
    """Show what wants a decision now at a site: the panels of people and orders come by themselves."""
    now = timezone.now()
    chosen = _of_one_site(request)
    found = line_statuses([line.pk for line in chosen.lines], now=now)
    statuses = [found[line.pk] for line in chosen.lines if line.pk in found]
    behind = sorted((one for one in statuses if one.is_winning is False), key=lambda one: one.delta or 0)
    to_explain = sorted((one for one in statuses if one.unexplained), key=lambda one: -one.unexplained)
    standing = [one for one in statuses if one.reference and one.reference.category == "unplanned"]
    calls = open_calls(line_ids=[line.pk for line in chosen.lines], now=now)
    context = {
        "chosen": chosen,
        "stops": sum(one.unexplained for one in statuses),
        "to_explain": to_explain[:SHOWN],
        "behind": behind[:SHOWN],
        "behind_count": len(behind),
        "standing": standing[:SHOWN],
        "standing_count": len(standing),
        "calls": calls[:SHOWN],
        "calls_count": len(calls),
        "calls_address": reverse("screens:andon-calls"),
        "lines_count": len(statuses),
        "panels": f"{reverse('screens:supervise-panels')}?{request.GET.urlencode()}",
    }
    return render(request, "screens/supervise.html", context)


@login_required
def panels(request: HttpRequest) -> HttpResponse:
    """Answer the panels that are worked out by themselves: orders at risk, people missing, shifts to hand over;
    without a script as a page.
    """
    now = timezone.now()
    chosen = _of_one_site(request)
    context: dict[str, Any] = {"chosen": chosen, "shown": SHOWN}
    if caller(request).may("view", "order"):
        context["risks"] = orders_at_risk(line_ids=[line.pk for line in chosen.lines], now=now)
    if chosen.site and caller(request).may("view", "employee", chosen.site.pk):
        context["missing"] = _missing(chosen.site, now=now)
        context["day"] = now.astimezone(chosen.site.zone).date()
    if caller(request).may("view", "closing"):
        due = closings_due_by_hand(chosen.lines, now=now)
        context["due"] = due
    address = f"{reverse('screens:supervise')}?{request.GET.urlencode()}"
    words = gettext("What to decide")
    return render_part(request, "screens/_supervise_panels.html", context, title=words, back=(address, words))


def _missing(site: Site, *, now: datetime) -> list[Any]:
    board = shift_board(site, now.astimezone(site.zone).date(), now=now)
    return [
        (person.employee, one.planned)
        for one in board.shifts
        if one.planned.occurrence.start <= now < one.planned.occurrence.end
        for person in one.people
        if person.state == MISSING
    ]


def _of_one_site(request: HttpRequest) -> Filter:
    """Return what was chosen, or the first site: decisions are made at one."""
    lines = list(lines_of(request))
    if lines and not request.GET.get("site") and not request.GET.get("area"):
        return narrowed_to(lines, {"site": lines[0].area.site.code})
    return narrowed_to(lines, request.GET)
