"""The planner's board: orders on lines over time, to be moved by hand. Every change goes through REST of the schedule.

The page draws what `planner_data`, `planner_backlog` and `planner_needs` tell (`static/js/planner.js`); it knows no
rules of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from core.intervals import Interval, clip, union
from core.master_data import caller, in_scope
from core.spreadsheets import moment_text
from enterprise.models import CalendarException, Line, Site
from enterprise.selectors import reference_machines, shifts_of_all
from scheduling.actuals import MOST_ENTRIES, Actual, actuals_of, entries_of
from scheduling.availability import Availability, availability_of
from scheduling.services import HORIZON, Work, work_of
from screens.days import day_in, day_window
from workorders import placing
from workorders.models import Schedule, WorkOrder
from workorders.selectors import unplaced_orders

KIND = "schedule"
MOST_LINES, MOST_IN_BACKLOG = 50, 200
VIEWS = {"day": 1, "week": 7, "month": 0}
UNKNOWN_LENGTH = timedelta(hours=1)
"""How long a bar is at first when nobody knows how long the order takes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the board shows: the lines of a site over some days of it."""

    site: Site
    sites: Sequence[Site]
    lines: Sequence[Line]
    view: str
    day: date
    days: int
    window: Interval

    @property
    def zone(self) -> ZoneInfo:
        """The site's time."""
        return self.site.zone

    @property
    def before(self) -> date:
        """The first day of the stretch before."""
        if self.view == "month":
            return (self.day - timedelta(days=1)).replace(day=1)
        return self.day - timedelta(days=self.days)

    @property
    def after(self) -> date:
        """The first day of the stretch after."""
        return self.day + timedelta(days=self.days)


def asked_of(request: HttpRequest, now: datetime) -> Asked | None:
    """Return what a request asks for; None when there is no line that the person may see. Raises Http404."""
    if not caller(request).may("view", KIND):
        raise PermissionDenied
    lines = in_scope(Line.objects.filter(is_active=True), request.user, Line.site_paths)
    everywhere = list(lines.select_related("area__site").order_by("area__site__name", "area__name", "code"))
    sites = list({line.area.site_id: line.area.site for line in everywhere}.values())
    wanted = request.GET.get("site", "")
    site = next((site for site in sites if site.code == wanted), sites[0] if sites and not wanted else None)
    if site is None:
        if wanted:
            raise Http404
        return None
    view = request.GET.get("view", "week")
    view = view if view in VIEWS else "week"
    day = day_in(request.GET.get("date"), now.astimezone(site.zone).date())
    days = VIEWS[view]
    if view == "week":
        day -= timedelta(days=day.weekday())
    if view == "month":
        day = day.replace(day=1)
        days = ((day + timedelta(days=32)).replace(day=1) - day).days
    of_site = [line for line in everywhere if line.area.site_id == site.pk]
    chosen = request.GET.get("line", "")
    of_site = [line for line in of_site if line.code == chosen] if chosen else of_site
    if chosen and not of_site:
        raise Http404
    return Asked(
        site, sites, of_site[:MOST_LINES], view, day, days, day_window(day, day + timedelta(days=days - 1), site.zone)
    )


@login_required
def planner(request: HttpRequest) -> HttpResponse:
    """Show the board; its bars come by themselves."""
    now = timezone.now()
    asked = asked_of(request, now)
    if asked is None:
        return render(request, "screens/planner.html", {"asked": None})
    who = caller(request)
    context = {
        "asked": asked,
        "views": {"day": _("Day"), "week": _("Week"), "month": _("Month")},
        "start_words": date_format(asked.day, "DATE_FORMAT"),
        "may_plan": who.may("change", KIND, asked.site.pk) and who.may("add", KIND, asked.site.pk),
        "settings": _settings(request, asked),
        "now_local": f"{now.astimezone(asked.zone):%Y-%m-%dT%H:%M}",
        "horizon": HORIZON.days,
    }
    return render(request, "screens/planner.html", context)


def _settings(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """Return what the script needs to know before it asks for bars, its words among it."""
    query = f"?{request.GET.urlencode()}"
    return {
        "dataUrl": reverse("screens:planner-data") + query,
        "needsUrl": reverse("screens:planner-needs") + query,
        "backlogUrl": reverse("screens:planner-backlog") + query,
        "socket": f"/ws/plan/{asked.site.pk}/",
        "zone": str(asked.zone),
        "view": asked.view,
        "start": moment_text(asked.window.start),
        "end": moment_text(asked.window.end),
        "icons": static("vendor/icons.svg"),
        "names": {
            "product": _("Product"),
            "operation": _("Operation"),
            "note": _("Note"),
            "quantity": _("Quantity"),
            "status": _("Status"),
            "shift": _("Shift"),
            "number": _("No."),
            "due": _("Due"),
        },
        "words": {
            "planned": _("planned"),
            "confirmed": _("confirmed"),
            "in_progress": _("in progress"),
            "completed": _("completed"),
            "delayed": _("late now"),
            "cancelled": _("cancelled"),
            "material": _("Material"),
            "people": _("People"),
            "equipment": _("Equipment"),
            "there": _("there"),
            "missing": _("missing"),
            "unknown": _("not known"),
            "suggested": _("suggested"),
            "now": _("As it is now:"),
            "moved": _("Moved: %s"),
            "placed": _("Planned: %s"),
            "taken": _("Taken out: %s"),
            "confirmedDone": _("Confirmed: %s"),
            "accepted": _("The suggestion is planned."),
            "undone": _("Undone: %s"),
            "redone": _("Done again: %s"),
            "nothing": _("Choose at least one order first."),
            "failed": _("The server did not answer; nothing was changed."),
            "select": _("Select"),
            "choose": _("Choose"),
            "noBacklog": _("Every order has its place."),
            "noBars": _("Nothing is planned then. Drag an order from the list onto a line."),
            "due": _("due %s"),
            "noDue": _("no due date"),
            "overdue": _("overdue"),
            "priority": _("priority %s"),
            "severalLines": _("over several lines: let it be suggested"),
            "noLength": _("how long it takes is not known; a bar of 1 hour is planned"),
            "takes": _("takes %s"),
            "refused": _("No place"),
        },
    }


@login_required
def planner_data(request: HttpRequest) -> JsonResponse:
    """Answer what the board draws: lines, bars with what became of them, and shifts."""
    now = timezone.now()
    asked = asked_of(request, now)
    if asked is None:
        raise Http404
    entries = [entry for entry in _entries(asked) if entry.status != Schedule.Status.CANCELLED]
    actuals = actuals_of(entries[:MOST_ENTRIES], now=now)
    return JsonResponse(
        {
            "now": moment_text(now),
            "tooMany": _("Only the first %(most)s bars are shown; choose a shorter stretch of time or one line.")
            % {"most": MOST_ENTRIES}
            if len(entries) > MOST_ENTRIES
            else "",
            "lines": [{"id": line.pk, "name": line.name, "area": line.area.name} for line in asked.lines],
            "bars": [_bar(actual, asked, now) for actual in actuals],
            "times": _times(asked),
            "days": _exceptions(asked),
        }
    )


@login_required
def planner_backlog(request: HttpRequest) -> JsonResponse:
    """Answer the orders of the site that have no place yet, the most urgent first."""
    now = timezone.now()
    asked = asked_of(request, now)
    if asked is None:
        raise Http404
    return JsonResponse({"backlog": _backlog(asked, now)})


@login_required
def planner_needs(request: HttpRequest) -> JsonResponse:
    """Answer whether what the bars need is there, by bar; what is over needs nothing."""
    now = timezone.now()
    asked = asked_of(request, now)
    if asked is None:
        raise Http404
    coming = [e for e in _entries(asked) if e.status != Schedule.Status.CANCELLED and e.planned_end_at > now]
    found = availability_of(coming[:MOST_ENTRIES], now=now)
    return JsonResponse({"needs": {str(pk): _needs(of_entry) for pk, of_entry in found.items()}})


def _entries(asked: Asked) -> list[Schedule]:
    return entries_of([line.pk for line in asked.lines], asked.window)


def _needs(found: Availability) -> dict[str, Any]:
    return {
        name: {"isThere": answer.is_there, "words": answer.words}
        for name, answer in (("material", found.material), ("people", found.people), ("equipment", found.equipment))
    }


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _quantity(quantity: Fraction | None) -> str:
    return (
        ""
        if quantity is None
        else number_format(round(float(quantity), 3), force_grouping=True).rstrip("0").rstrip(".,")
    )


def _bar(actual: Actual, asked: Asked, now: datetime) -> dict[str, Any]:
    entry: Any = actual.entry
    order: WorkOrder | None = entry.work_order
    made, planned = actual.actual_quantity, actual.planned_quantity
    share = min(100, int(made * 100 / planned)) if made is not None and planned and actual.runs else None
    return {
        "id": entry.pk,
        "version": entry.version,
        "line": entry.line_id,
        "title": str(order) if order else entry.note or entry.get_kind_display(),
        "order": order.pk if order else None,
        "address": reverse("screens:order", args=[order.order_number]) if order else "",
        "product": order.product.name if order and order.product else "",
        "operation": entry.operation.name if entry.operation else "",
        "operationId": entry.operation_id,
        "quantity": str(entry.planned_quantity) if entry.planned_quantity is not None else "",
        "kind": entry.kind,
        "note": entry.note,
        "stored": entry.status,
        "status": actual.status,
        "start": moment_text(entry.planned_start_at),
        "end": moment_text(entry.planned_end_at),
        "sequence": entry.sequence,
        "shift": entry.shift.name if entry.shift else "",
        "words": placing.words(entry),
        "made": _made_words(made if actual.runs else None, planned) if entry.kind == Schedule.Kind.PRODUCTION else "",
        "share": share,
        "isLate": actual.is_delayed,
        "overdue": _overdue_words(entry, order, asked.zone, actual, now),
        "hasBegun": bool(actual.runs),
        "runs": [
            {
                "start": moment_text(run.started_at),
                "end": moment_text(min(run.ended_at or now, now)),
                "isOpen": not run.ended_at,
            }
            for run in actual.runs
            if run.started_at < now
        ],
    }


def _made_words(made: Fraction | None, planned: Fraction | None) -> str:
    told = {"made": _quantity(made), "planned": _quantity(planned) or _("unknown")}
    return _("%(made)s of %(planned)s made") % told if made is not None else _("%(planned)s planned") % told


def _overdue_words(entry: Any, order: WorkOrder | None, zone: ZoneInfo, actual: Actual, now: datetime) -> str:
    if order is None or order.due_at is None or actual.status == "completed":
        return ""
    due = _clock(order.due_at, zone)
    if order.due_at < now:
        return _("overdue since %(due)s") % {"due": due}
    return _("ends after it is due: %(due)s") % {"due": due} if entry.planned_end_at > order.due_at else ""


def _times(asked: Asked) -> list[dict[str, Any]]:
    """Return when lines work: their shifts, and breaks in them; over a month only whether they work at all.

    A line without a calendar works all the time.
    """
    machines = reference_machines(line.pk for line in asked.lines)
    calendars = shifts_of_all(list(machines.values()), asked.window) if machines else {}
    found: list[dict[str, Any]] = []
    for line_id, machine in machines.items():
        shifts = calendars[machine.pk]
        if shifts is None:
            found.append(_time(line_id, asked.window, "always", _("no calendar")))
            continue
        if asked.view == "month":
            found += [
                _time(line_id, part, "shift") for part in clip(union(shift.interval for shift in shifts), asked.window)
            ]
            continue
        for number, shift in enumerate(shifts):
            kind = "overtime" if shift.kind != "regular" else ("shift", "shift other")[number % 2]
            found.append(_time(line_id, shift.interval, kind, shift.name))
            found += [_time(line_id, pause, "break") for pause in shift.breaks]
    return found


def _time(line_id: int, span: Interval, kind: str, name: str = "") -> dict[str, Any]:
    return {"line": line_id, "start": moment_text(span.start), "end": moment_text(span.end), "kind": kind, "name": name}


def _exceptions(asked: Asked) -> list[dict[str, Any]]:
    """Return the days that the calendar makes an exception of, for the site or one of its lines."""
    lines = [line.pk for line in asked.lines]
    found = CalendarException.objects.filter(
        Q(site=asked.site) | Q(line__in=lines),
        date__gte=asked.day,
        date__lt=asked.day + timedelta(days=asked.days),
    )
    days = []
    exceptions = list(found.order_by("date", "pk")[:500])
    own = {(day.line_id, day.date) for day in exceptions if day.line_id}
    for day in exceptions:
        start = datetime.combine(day.date, time(), tzinfo=asked.zone)
        span = Interval.utc(start, datetime.combine(day.date + timedelta(days=1), time(), tzinfo=asked.zone))
        name = f"{day.name or day.get_kind_display()} ({day.get_kind_display().lower()})"
        # What the calendar says of the line itself holds over what it says of the site.
        of = [day.line_id] if day.line_id else [pk for pk in lines if (pk, day.date) not in own]
        days += [_time(line_id, span, day.kind, name) for line_id in of]
    return days


def _backlog(asked: Asked, now: datetime) -> list[dict[str, Any]]:
    waiting = unplaced_orders().filter(line__area__site=asked.site)
    orders = list(waiting.select_related("line__area__site", "product__unit", "unit")[:MOST_IN_BACKLOG])
    work = work_of(orders=orders, lines=asked.lines, start=max(now, asked.window.start), now=now)
    return [_waiting(order, work.get(order.pk), asked, now) for order in orders]


def _waiting(order: WorkOrder, work: Work | None, asked: Asked, now: datetime) -> dict[str, Any]:
    unit = order.unit_id or (order.product.unit_id if order.product else "")
    on: Mapping[int, timedelta] = work.on if work else {}
    lengths = {str(line.pk): int(on.get(line.pk, UNKNOWN_LENGTH).total_seconds()) for line in asked.lines}
    return {
        "id": order.pk,
        "number": order.order_number,
        "product": order.product.name if order.product else "",
        "quantity": f"{_quantity(Fraction(order.target_quantity))} {unit or ''}".strip(),
        "due": _clock(order.due_at, asked.zone) if order.due_at else "",
        "isOverdue": bool(order.due_at and order.due_at < now),
        "priority": order.priority,
        "line": order.line_id,
        "lengths": lengths,
        "known": sorted(on),
        "isOneBar": work is None or work.lines == 1,
    }
