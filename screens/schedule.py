"""The page of the schedule: what is planned per line and shift, what became of it, and the forms that change it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.exports import export_list, format_of
from core.intervals import Interval, microseconds
from core.master_data import caller, in_scope
from core.reader import number, rounded, said
from enterprise.models import Line
from scheduling.actuals import MOST_ENTRIES, Actual, Adherence, actuals_of, adherence_of, entries_of
from scheduling.availability import Availability, availability_of
from scheduling.serializers import ActualSerializer
from screens.days import day_in, day_window
from screens.refusals import refusal_of
from workorders import placing
from workorders.models import Schedule, WorkOrder
from workorders.selectors import schedule_entries

_SCALE = 1000
_KIND = "schedule"


class LocalMoment(forms.DateTimeField):
    """A wall-clock time of the site; it is given its zone by the page."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **kwargs)

    def to_python(self, value: Any) -> datetime | None:
        found = super().to_python(value)
        if found is not None and not placing.FIRST_YEAR <= found.year <= placing.LAST_YEAR:
            raise ValidationError(
                gettext("A year between %(first)s and %(last)s.")
                % {"first": placing.FIRST_YEAR, "last": placing.LAST_YEAR}
            )
        return None if found is None else found.replace(tzinfo=None)


class PlaceForm(forms.Form):
    """What to plan, from when until when, on the line that is shown."""

    kind = forms.ChoiceField(choices=Schedule.Kind.choices)
    work_order = forms.CharField(max_length=64, required=False, label=gettext_lazy("Order"))
    start = LocalMoment(label=gettext_lazy("From"))
    end = LocalMoment(label=gettext_lazy("Until"))
    planned_quantity = forms.DecimalField(
        max_digits=18, decimal_places=6, min_value=0, required=False, label=gettext_lazy("Quantity")
    )
    note = forms.CharField(max_length=500, required=False)


class ChangeForm(forms.Form):
    """What to do with an entry, as it was seen."""

    action = forms.ChoiceField(choices=[(name, name) for name in ("move", "confirm", "cancel")])
    start = LocalMoment(required=False)
    end = LocalMoment(required=False)
    seen_version = forms.IntegerField(min_value=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the chart, in thousandths of its width."""

    x: str
    width: str
    style: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as the table shows it."""

    actual: Actual
    availability: Availability | None
    planned: str
    made: str
    shift: str
    status: str
    version: int | None


def _lines(request: HttpRequest) -> QuerySet[Line]:
    lines: QuerySet[Line] = in_scope(Line.objects.filter(is_active=True), request.user, Line.site_paths)
    return lines.select_related("area__site").order_by("area__site", "area", "code")


def _chosen(request: HttpRequest) -> tuple[list[Line], Line | None]:
    lines = list(_lines(request))
    code = request.GET.get("line") or ""
    return lines, next((line for line in lines if line.code == code), lines[0] if lines and not code else None)


def _window(request: HttpRequest, zone: ZoneInfo, now: datetime) -> tuple[date, int, Interval]:
    """Return the first day, how many days, and the window: 1 or 7 days of the site from midnight to midnight."""
    day = day_in(request.GET.get("date"), now.astimezone(zone).date())
    days = 7 if request.GET.get("span") == "week" else 1
    if days == 7:
        day -= timedelta(days=day.weekday())
    return day, days, day_window(day, day + timedelta(days=days - 1), zone)


@login_required
def schedule_page(request: HttpRequest) -> HttpResponseBase:
    """Show a line's day or week: planned, actual, on time, what is there for it."""
    now = timezone.now()
    if not caller(request).may("view", _KIND):
        raise PermissionDenied
    lines, line = _chosen(request)
    if line is None:
        return render(request, "screens/schedule.html", {"lines": lines}, status=404 if lines else 200)
    zone = line.area.site.zone
    day, days, window = _window(request, zone, now)
    entries = entries_of([line.pk], window)[:MOST_ENTRIES]
    if format_of(request):
        return export_list(
            request, entries, ActualSerializer, name=gettext("Schedule"), prepare=lambda some: actuals_of(some, now=now)
        )
    actuals = actuals_of(entries, now=now)
    active = [entry for entry in entries if entry.status != Schedule.Status.CANCELLED and entry.planned_end_at > now]
    there = availability_of(active, now=now)
    found = adherence_of(actuals, by="shift", now=now)
    context = {
        "lines": lines,
        "line": line,
        "zone": zone,
        "day": day,
        "is_week": days == 7,
        "before": day - timedelta(days=days),
        "after": day + timedelta(days=days),
        "rows": [_row(actual, there.get(actual.entry.pk)) for actual in actuals],
        "planned_bars": [bar for actual in actuals if (bar := _planned_bar(actual, window)) is not None],
        "actual_bars": [bar for actual in actuals for bar in _actual_bars(actual, window, zone, now)],
        "ticks": _ticks(day, days, window, zone),
        "now_x": _x(now, window) if window.covers(now) else "",
        "adherence": [_adherence_words(one) for one in found],
        "may_add": caller(request).may("add", _KIND, line.area.site_id),
        "may_change": caller(request).may("change", _KIND, line.area.site_id),
        "kinds": Schedule.Kind.choices,
        "orders": WorkOrder.objects.filter(line=line).exclude(status__in=placing.OVER).order_by("due_at", "pk")[:200],
    }
    return render(request, "screens/schedule.html", context)


def _row(actual: Actual, availability: Availability | None) -> Row:
    entry: Any = actual.entry
    return Row(
        actual,
        availability,
        _quantity(actual.planned_quantity),
        _quantity(actual.actual_quantity),
        entry.shift.name if entry.shift else "",
        said(actual.status),
        entry.version,
    )


def _quantity(quantity: Fraction | None) -> str:
    return gettext("unknown") if quantity is None else number(f"{float(quantity):.3f}")


def _adherence_words(found: Adherence) -> tuple[Any, str, str, int, int]:
    return (
        found.key[0],
        str(found.key[2]) or gettext("outside of shifts"),
        _percent(found.quantity_adherence),
        found.on_time,
        found.due,
    )


def _percent(ratio: Fraction | None) -> str:
    return gettext("unknown") if ratio is None else f"{rounded(ratio * 100, 1)} %"


def _x(at: datetime, window: Interval) -> str:
    part = Fraction(microseconds(at - window.start), window.microseconds)
    return f"{float(part * _SCALE):.2f}"


def _bar(start: datetime, end: datetime, window: Interval, style: str, title: str) -> Bar | None:
    start, end = max(start, window.start), min(end, window.end)
    if start >= end:
        return None
    width = Fraction(microseconds(end - start), window.microseconds) * _SCALE
    return Bar(_x(start, window), f"{max(float(width), 1):.2f}", style, title)


def _planned_bar(actual: Actual, window: Interval) -> Bar | None:
    entry = actual.entry
    if entry.status == Schedule.Status.CANCELLED:
        return None
    style = "maintenance" if entry.kind != Schedule.Kind.PRODUCTION else entry.status
    return _bar(
        entry.planned_start_at,
        entry.planned_end_at,
        window,
        f"plan-{style}",
        gettext("Planned: %(words)s") % {"words": placing.words(entry)},
    )


def _actual_bars(actual: Actual, window: Interval, zone: ZoneInfo, now: datetime) -> list[Bar]:
    bars = []
    for run in actual.runs:
        end = min(run.ended_at or now, now)
        since, until = run.started_at.astimezone(zone), end.astimezone(zone)
        title = gettext("Actual: order %(work_order)s, %(since)s – %(until)s") % {
            "work_order": actual.entry.work_order,
            "since": date_format(since, "SHORT_DATETIME_FORMAT"),
            "until": f"{until:%H:%M %Z}",
        }
        bar = _bar(run.started_at, end, window, "run-late" if actual.on_time_start is False else "run", title)
        if bar is not None:
            bars.append(bar)
    return bars


def _ticks(day: date, days: int, window: Interval, zone: ZoneInfo) -> list[tuple[str, str]]:
    if days == 1:
        moments = [datetime.combine(day, time(hour), tzinfo=zone) for hour in range(0, 24, 3)]
        return [(_x(at.astimezone(UTC), window), f"{at:%H:%M}") for at in moments]
    moments = [datetime.combine(day + timedelta(days=number), time(), tzinfo=zone) for number in range(days)]
    return [(_x(at.astimezone(UTC), window), date_format(at, "D d")) for at in moments]


def _aware(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _back(request: HttpRequest, line: Line, at: datetime) -> HttpResponse:
    day = at.astimezone(line.area.site.zone).date()
    span = {"span": "week"} if request.POST.get("span") == "week" else {}
    query = urlencode({"line": line.code, "date": day.isoformat(), **span})
    return redirect(f"{reverse('screens:schedule')}?{query}")


def _try(request: HttpRequest, act: Callable[[], Any], done: str) -> None:
    try:
        act()
    except (DomainError, ValidationError) as refusal:
        messages.error(request, refusal_of(refusal).message)
    else:
        messages.success(request, done)


def _say_errors(request: HttpRequest, form: forms.Form) -> None:
    for name, errors in form.errors.items():
        messages.error(request, f"{form.fields[name].label or name}: {' '.join(map(str, errors))}")


@login_required
@require_POST
def place(request: HttpRequest, line_id: int) -> HttpResponse:
    """Plan something on a line; the same again changes nothing."""
    line = get_object_or_404(_lines(request), pk=line_id)
    if not caller(request).may("add", _KIND, line.area.site_id):
        raise PermissionDenied
    form = PlaceForm(request.POST)
    if not form.is_valid():
        _say_errors(request, form)
        return _back(request, line, timezone.now())
    asked, zone = form.cleaned_data, line.area.site.zone
    start, end = _aware(asked["start"], zone), _aware(asked["end"], zone)
    order = None
    if asked["work_order"]:
        orders = in_scope(WorkOrder.objects.all(), request.user, WorkOrder.site_paths)
        order = orders.filter(order_number=asked["work_order"]).first()
        if order is None:
            messages.error(
                request, gettext("There is no order '%(work_order)s'.") % {"work_order": asked["work_order"]}
            )
            return _back(request, line, start)
    _try(
        request,
        lambda: placing.place(
            line=line,
            kind=asked["kind"],
            work_order=order,
            planned_start_at=start,
            planned_end_at=end,
            planned_quantity=asked["planned_quantity"] or None,
            note=asked["note"],
            actor=caller(request),
        ),
        gettext("It is planned."),
    )
    return _back(request, line, start)


@login_required
@require_POST
def change(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Move, confirm or cancel an entry, as it was seen."""
    entries = in_scope(schedule_entries(), request.user, Schedule.site_paths)
    entry = get_object_or_404(entries.select_related("line__area__site", "work_order"), pk=entry_id)
    line = entry.line
    if not caller(request).may("change", _KIND, line.area.site_id):
        raise PermissionDenied
    form = ChangeForm(request.POST)
    if not form.is_valid():
        _say_errors(request, form)
        return _back(request, line, entry.planned_start_at)
    asked, zone = form.cleaned_data, line.area.site.zone
    common = {"entry": entry, "actor": caller(request), "seen_version": asked["seen_version"]}
    at = entry.planned_start_at
    if asked["action"] == "move":
        if asked["start"] is None:
            messages.error(request, gettext("Say from when."))
            return _back(request, line, at)
        at = _aware(asked["start"], zone)
        end = _aware(asked["end"], zone) if asked["end"] is not None else None
        _try(request, lambda: placing.move(planned_start_at=at, planned_end_at=end, **common), gettext("It is moved."))
    elif asked["action"] == "confirm":
        _try(request, lambda: placing.confirm(**common), gettext("It is confirmed."))
    else:
        _try(request, lambda: placing.cancel(**common), gettext("It is cancelled."))
    return _back(request, line, at)
