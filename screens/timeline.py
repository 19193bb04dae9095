"""The timeline of a line or machine: what it did, which order it made, and every stop a step away from its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.exports import Table, export_table, format_of
from core.fact_api import fact_id
from core.intervals import Interval, floor_hour
from core.master_data import caller, site_id_of
from core.retention import Closed
from core.spreadsheets import Cell
from enterprise.models import Line, Machine
from oee.engine import Segment
from oee.scopes import calendar_day
from oee.selectors import timelines
from oee.stops import STOPPED, asks_for_a_reason, stretches
from oee.time_columns import columns_of, hour_columns, shown_as
from screens.asked_shift import AskedShift, line_named, shift_asked
from screens.reason_picker import reasons_by_id, words_of
from screens.table_files import refused_file, seconds
from screens.timelines import COLUMNS, MOST_SEGMENTS, MOST_TO_TAP, Area, Bar, areas, length, position, ticks
from workorders.models import Run

SPANS = {"shift": _("Shift"), "day": _("Day"), "3d": _("3 days"), "7d": _("7 days"), "30d": _("30 days")}
DAYS = {"day": 1, "3d": 3, "7d": 7, "30d": 30}
HOURS_PER_COLUMN = {"7d": 1, "30d": 1}
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A machine's row: its segments, or columns where there are too many of them."""

    machine: Machine
    bars: tuple[Bar, ...]
    areas: tuple[Area, ...]
    stands: tuple[Bar, ...]
    unexplained: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A stop in the list below the drawing: for keyboards, and for who does not hit thin bars."""

    machine: Machine
    start: datetime
    end: datetime
    reason: str
    category: str
    is_unexplained: bool
    url: str

    @property
    def duration(self) -> timedelta:
        """How long it lasted, as far as it lies in the window."""
        return self.end - self.start


@login_required
def timeline(request: HttpRequest, code: str) -> HttpResponseBase:
    """Draw a line's machines, or one of them, over a shift, a day, or up to thirty days. As a file, too."""
    now = timezone.now()
    line = line_named(request, code)
    if not caller(request).may("view", "fact", site_id_of(line)):
        raise PermissionDenied
    asked = shift_asked(line, request.GET, now=now)
    if asked is None:
        return render(request, "screens/timeline.html", {"line": line})
    span = request.GET.get("span", "shift") if request.GET.get("span", "shift") in SPANS else "shift"
    window = _window(asked, span, now=now)
    machines = [one for one in asked.machines if request.GET.get("machine") in (None, "", one.code)]
    if not machines:
        raise Http404
    if format_of(request):
        return _file(request, asked, machines, window, span, now=now)
    context: dict[str, Any] = {
        "line": line,
        "zone": line.area.site.zone,
        "asked": asked,
        "machine": machines[0] if request.GET.get("machine") else None,
        "span": span,
        "spans": SPANS.items(),
        "window": window,
        "ticks": ticks(window, line.area.site.zone),
        "now_x": position(now, window) if window.covers(now) else None,
        "runs": _runs(line, window, now=now),
        **_steps(asked, span, window, now=now),
    }
    try:
        rows, listed = _rows(machines, window, span, now=now)
    except Closed as refusal:
        return render(request, "screens/timeline.html", {**context, "gone": refusal.message})
    context |= {
        "rows": rows,
        "listed": listed[:MOST_LISTED],
        "is_cut": len(listed) > MOST_LISTED,
        "unexplained": sum(row.unexplained for row in rows),
    }
    return render(request, "screens/timeline.html", context)


def _file(
    request: HttpRequest, asked: AskedShift, machines: Sequence[Machine], window: Interval, span: str, *, now: datetime
) -> HttpResponseBase:
    """Answer what is drawn: each stretch, or where columns are drawn, what each hour was made of."""
    zone, reasons = asked.line.area.site.zone, reasons_by_id()
    header = gettext("Machine"), gettext("From"), gettext("To"), gettext("State"), gettext("Time (s)")
    rows: list[Sequence[Cell]] = []
    try:
        if hours := HOURS_PER_COLUMN.get(span):
            first, step = floor_hour(window.start), timedelta(hours=hours)
            columns = hour_columns(machines, window, hours=hours, now=now)
            for machine in machines:
                for place, column in enumerate(columns[machine.pk]):
                    start = first + place * step
                    hour = start.astimezone(zone), (start + step).astimezone(zone)
                    for category, time in column.items():
                        lasted = seconds(timedelta(microseconds=time))
                        rows.append((machine.name, *hour, words_of(None, category, reasons), lasted))
        else:
            drawn = timelines(machines, window, now=now)
            for machine in machines:
                for one in drawn[machine.pk]:
                    times = one.start.astimezone(zone), one.end.astimezone(zone)
                    rows.append((machine.name, *times, named(one, reasons), seconds(one.end - one.start)))
    except Closed as refusal:
        return refused_file(refusal.message)
    of = machines[0].name if request.GET.get("machine") else asked.line.name
    about = f"{of} {window.start.astimezone(zone):%Y-%m-%d} {SPANS[span]}"
    return export_table(request, Table(gettext("Timeline"), header, rows, len(rows), about))


def _window(asked: AskedShift, span: str, *, now: datetime) -> Interval:
    if span == "shift":
        return asked.window
    last = calendar_day(asked.machines[0], asked.status.date)
    if span == "day":
        return last
    first = calendar_day(asked.machines[0], asked.status.date - timedelta(days=DAYS[span] - 1))
    return Interval(first.start, last.end)


def _steps(asked: AskedShift, span: str, window: Interval, *, now: datetime) -> dict[str, str]:
    """Return the addresses' parameters of the span before and after."""
    if span == "shift":
        return {"before": asked.before_query, "after": asked.after_query}
    step = timedelta(days=DAYS[span])
    before, after = asked.status.date - step, asked.status.date + step
    today = now.astimezone(asked.line.area.site.zone).date()
    return {
        "before": urlencode({"span": span, "date": before.isoformat()}),
        "after": urlencode({"span": span, "date": min(after, today).isoformat()}) if asked.status.date < today else "",
    }


def _rows(machines: Sequence[Machine], window: Interval, span: str, *, now: datetime) -> tuple[list[Row], list[Listed]]:
    if span in HOURS_PER_COLUMN:
        found = hour_columns(machines, window, hours=HOURS_PER_COLUMN[span], now=now)
        return [Row(one, (), tuple(areas(found[one.pk])), (), 0) for one in machines], []
    drawn = timelines(machines, window, now=now)
    reasons = reasons_by_id()
    unexplaining = frozenset(pk for pk, reason in reasons.items() if not reason.explains)
    rows, listed = [], []
    few = sum(len(segments) for segments in drawn.values()) <= MOST_SEGMENTS
    for machine in machines:
        segments = drawn[machine.pk]
        stops = [pieces for pieces in stretches(segments) if pieces[0].category in STOPPED]
        asking = [pieces for pieces in stops if asks_for_a_reason(pieces, unexplaining)]
        wide = stops
        if not few:
            wide = sorted(stops, key=lambda pieces: pieces[0].start - pieces[-1].end)[:MOST_TO_TAP]
        rows.append(
            Row(
                machine,
                tuple(bar(segment, window, reasons, machine) for segment in segments) if few else (),
                () if few else tuple(areas(columns_of(segments, window, COLUMNS))),
                tuple(_stand(pieces, window, reasons, machine, unexplaining) for pieces in wide),
                len(asking),
            )
        )
        listed += [_listed(pieces, reasons, machine, pieces in asking) for pieces in stops]
    listed.sort(key=lambda one: (not one.is_unexplained, -one.duration, one.start))
    return rows, listed


def bar(segment: Segment, window: Interval, reasons: Mapping[int, Any], machine: Machine) -> Bar:
    """Return a segment as it is drawn."""
    return Bar(
        position(segment.start, window),
        length(segment.start, segment.end, window),
        shown_as(segment),
        title_of(segment.start, segment.end, named(segment, reasons), machine),
    )


def _stand(
    pieces: Sequence[Segment],
    window: Interval,
    reasons: Mapping[int, Any],
    machine: Machine,
    unexplaining: frozenset[int],
) -> Bar:
    start, end = pieces[0].start, pieces[-1].end
    return Bar(
        position(start, window),
        length(start, end, window),
        shown_as(pieces[0]),
        title_of(start, end, named(pieces[0], reasons), machine),
        url=stop_address(machine, start),
        is_unexplained=asks_for_a_reason(pieces, unexplaining),
    )


def _listed(pieces: Sequence[Segment], reasons: Mapping[int, Any], machine: Machine, is_asking: bool) -> Listed:
    return Listed(
        machine,
        pieces[0].start,
        pieces[-1].end,
        named(pieces[0], reasons),
        shown_as(pieces[0]),
        is_asking,
        stop_address(machine, pieces[0].start),
    )


def stop_address(machine: Machine, start: datetime) -> str:
    """Return the page of the stop in which a machine stood at a moment."""
    return reverse("screens:stop", args=[fact_id(machine.pk, start)])


def named(segment: Segment, reasons: Mapping[int, Any]) -> str:
    """Return what a segment was, in words."""
    return words_of(segment.reason_id, shown_as(segment), reasons)


def title_of(start: datetime, end: datetime, name: str, machine: Machine) -> str:
    """Return when a stretch was, on the site's clock, and what it was."""
    zone = machine.line.area.site.zone
    return f"{start.astimezone(zone):%H:%M:%S}–{end.astimezone(zone):%H:%M:%S} {name}"


def _runs(line: Line, window: Interval, *, now: datetime) -> list[Bar]:
    """Return the runs of a line in a window, with their orders."""
    rows = (
        Run.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=window.start), line=line)
        .filter(started_at__lt=min(window.end, now))
        .select_related("work_order__product")
        .order_by("started_at")[:MOST_SEGMENTS]
    )
    found = []
    for run in rows:
        start, end = max(run.started_at, window.start), min(run.ended_at or now, window.end, max(now, run.started_at))
        if start >= end:
            continue
        product = run.work_order.product
        found.append(
            Bar(
                position(start, window),
                length(start, end, window),
                "run",
                f"{run.work_order.order_number}{f' · {product.name}' if product else ''}",
                url=reverse("screens:order", args=[run.work_order.order_number]),
            )
        )
    return found
