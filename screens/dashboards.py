"""Dashboards as engineers compose them, filled for who looks at them; and their tiles alone,
for pages that stay open.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core.exports import Table, export_table, format_of
from core.intervals import Interval
from core.master_data import caller, in_scope
from dashboards.models import MOST_TILES, Dashboard, Tile
from enterprise.models import Line, Machine
from enterprise.selectors import machines_on_lines, reference_of, shifts_of_all
from live.selectors import shift_status
from screens.charts import Chart
from screens.days import day_in, day_window
from screens.table_files import chart_table, refused_file
from screens.tiles import MOST_LINES, Scope, fill

LONGEST_DAYS = 92


def visible_boards(request: HttpRequest) -> QuerySet[Dashboard]:
    """Return the dashboards that a person may open."""
    if not caller(request).may("view", "oee_record"):
        raise PermissionDenied
    boards: QuerySet[Dashboard] = in_scope(Dashboard.objects.filter(is_active=True), request.user, Dashboard.site_paths)
    return boards


@login_required
def board_list(request: HttpRequest) -> HttpResponse:
    """List the dashboards, those of the person's own roles first."""
    roles = caller(request).roles_at(None)
    boards = list(visible_boards(request).select_related("site")[:200])
    boards.sort(key=lambda board: (board.role not in roles, board.position, board.code))
    context = {"boards": boards, "roles": roles, "may_add": caller(request).may("add", "master_data")}
    return render(request, "screens/dashboards.html", context)


@login_required
def board_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a dashboard with its tiles."""
    board = get_object_or_404(visible_boards(request).select_related("site", "area", "line"), code=slug)
    asked = _Asked(request, board)
    context = {"board": board, "asked": asked, "tiles": [fill(tile, asked.scope) for tile in asked.tiles]}
    return render(request, "screens/dashboard.html", {**context, "tv": "tv" in request.GET})


@login_required
def board_tiles(request: HttpRequest, slug: str) -> JsonResponse:
    """Answer the tiles anew, each as a fragment, for a page that stays open."""
    board = get_object_or_404(visible_boards(request).select_related("site", "area", "line"), code=slug)
    asked = _Asked(request, board)
    filled = [fill(tile, asked.scope) for tile in asked.tiles]
    return JsonResponse(
        {
            "known": asked.known,
            "tiles": [
                {
                    "id": one.tile.pk,
                    "html": render_to_string(
                        "screens/tiles/_inside.html", {"filled": one, "asked": asked, "board": board}, request=request
                    ),
                }
                for one in filled
            ],
        }
    )


@login_required
def tile_file(request: HttpRequest, slug: str, tile_id: int) -> HttpResponseBase:
    """Answer the numbers of a chart or table as a file."""
    board = get_object_or_404(visible_boards(request).select_related("site", "area", "line"), code=slug)
    asked = _Asked(request, board)
    tile = next((one for one in asked.tiles if one.pk == tile_id), None)
    if tile is None:
        raise Http404
    if format_of(request) is None:
        return refused_file(_("Say in the address which file it shall be: format=csv or format=xlsx."))
    filled = fill(tile, asked.scope)
    shown = filled.chart or filled.table
    if shown is None:
        return refused_file(filled.problem or _("There is nothing to list."))
    about = f"{board.name} {asked.first} {asked.last}"
    table = (
        chart_table(shown)
        if isinstance(shown, Chart)
        else Table(filled.title, shown.columns, shown.cells or shown.rows)
    )
    return export_table(request, replace(table, name=filled.title, about=about))


class _Asked:
    """What a request asks of a dashboard: of which lines, over which time."""

    def __init__(self, request: HttpRequest, board: Dashboard) -> None:
        now = timezone.now()
        lines = in_scope(Line.objects.filter(is_active=True), request.user, Line.site_paths)
        if board.site_id is not None:
            lines = lines.filter(area__site=board.site_id)
        if board.area_id is not None:
            lines = lines.filter(area=board.area_id)
        self.lines: list[Line] = list(
            lines.select_related("area__site").order_by("area__site__name", "area__name", "code")[:MOST_LINES]
        )
        # What is in the address, or else what the dashboard is about.
        default = board.line.code if board.line is not None else ""
        self.line = request.GET.get("line", default)
        chosen = [line for line in self.lines if line.code == self.line] if self.line else self.lines
        if self.line and not chosen:
            raise Http404
        machines = machines_on_lines(line.pk for line in chosen)
        periods = {str(code): str(name) for code, name in Dashboard.Period.choices}
        self.periods = {**periods, "custom": _("From … to …")}
        asked = request.GET.get("period", board.period)
        self.period = asked if asked in self.periods else board.period
        reference = next((reference_of(machines[line.pk]) for line in chosen if line.pk in machines), None)
        self.zone = chosen[0].area.site.zone if chosen else timezone.get_default_timezone()
        self.words = ""
        self.window = self._window(request, reference, now)
        self.first = self.window.start.astimezone(self.zone).date()
        self.last = (self.window.end - timedelta(microseconds=1)).astimezone(self.zone).date()
        self.known = date_format(min(now, self.window.end).astimezone(self.zone), "SHORT_DATETIME_FORMAT")
        self.scope = Scope(chosen, machines, self.window, period=self.period, now=now)
        self.tiles: list[Tile] = list(board.tiles.select_related("line").order_by("position", "pk")[:MOST_TILES])
        query = request.GET.copy()
        query.pop("tv", None)
        self.query = query.urlencode()

    def _window(self, request: HttpRequest, reference: Machine | None, now: datetime) -> Interval:
        today = now.astimezone(self.zone).date()
        match self.period:
            case "custom":
                first, last = day_in(request.GET.get("from"), today), day_in(request.GET.get("to"), today)
                first, last = min(first, last), max(first, last)
                return day_window(max(first, last - timedelta(days=LONGEST_DAYS - 1)), last, self.zone)
            case "week":
                monday = today - timedelta(days=today.weekday())
                return day_window(monday, monday + timedelta(days=6), self.zone)
            case "month":
                first = today.replace(day=1)
                return day_window(first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1), self.zone)
            case "shift" if reference is not None:
                around = Interval(now - timedelta(hours=30), now + timedelta(hours=1))
                shift = shift_status(reference, shifts_of_all([reference], around)[reference.pk], now=now)
                self.words = shift.name
                return Interval(shift.start, shift.end)
        return day_window(today, today, self.zone)
