"""The worklist of stops that nobody explained, and all stops with filters: a reason in two taps, several at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.rights import ADD, CHANGE
from core.errors import DomainError
from core.exports import Table, export_table, format_of
from core.fact_api import fact_id, parse_fact_id
from core.intervals import Interval
from core.master_data import caller, in_scope, site_id_of
from downtime.models import StateReason
from enterprise.models import Line, Machine
from oee import stop_words
from oee.stop_api import MOST_MACHINE_DAYS, touching_shift
from oee.stops import Stop, shown_category, stops_of, stops_while_making
from screens.asked_shift import lines_of, number, shift_asked
from screens.reason_picker import name_of, picker_for, reasons_by_id
from screens.table_files import seconds
from screens.timeline import stop_address

PERIODS = {"8": _("8 hours"), "24": _("24 hours"), "72": _("3 days"), "168": _("7 days"), "720": _("30 days")}
PER_PAGE = 50
MOST_IN_FILE = 20_000
LONGEST, NEWEST = "longest", "newest"


class PickForm(forms.Form):
    """Which reason to give, and what to add."""

    reason = forms.ModelChoiceField(StateReason.objects.without_tree_fields().filter(is_active=True))
    note = forms.CharField(max_length=500, required=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which stops are looked at."""

    lines: list[Line]
    machines: list[Machine]
    window: Interval
    line: Line | None
    machine: Machine | None
    period: str
    shift: Any
    everything: bool
    order: str
    category: str
    reason: str
    product: int | None
    without_order: bool
    in_shift: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """A stop as the list shows it; `key` names exactly what was seen of it."""

    stop: Stop
    machine: Machine
    key: str
    reason: str
    category: str
    is_open: bool
    url: str
    mark: str


@login_required
def stop_list(request: HttpRequest) -> HttpResponseBase:
    """List stops, or answer them as a file; a POST gives those that are ticked a reason and comes back to the list."""
    now = timezone.now()
    refusals: list[str] = []
    status = 200
    if request.method == "POST":
        refusals, status = _explain(request, now=now)
        if not refusals:
            return redirect(f"{reverse('screens:stops')}?{request.GET.urlencode()}")
    ticked = [_moment_of(key) for key in request.POST.getlist("stop")[:PER_PAGE]]
    asked = asked_of(request, now=now)
    rows = rows_of(asked, now=now)
    if format_of(request):
        return export_table(request, _table(asked, rows))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    here = {row.machine.pk: row.machine for row in page}
    may_speak = any(caller(request).may(right, "fact") for right in (ADD, CHANGE))
    context = {
        "asked": asked,
        "page": page,
        "picker": picker_for(list(here.values()), caller(request), now=now) if here and may_speak else None,
        "lines": asked.lines,
        "machines": asked.machines if asked.line or asked.machine else (),
        "periods": PERIODS.items(),
        "categories": [one for one in StateReason.Category.choices if one[0] in ("unplanned", "planned", "changeover")],
        "is_full": len(rows) >= MOST_IN_FILE,
        "lost": _sum(row.stop.scheduled for row in rows),
        "parameters": _parameters(request),
        "reason_named": _reason_named(asked.reason),
        "refusals": refusals,
        "ticked": ticked,
        "note": request.POST.get("note", "")[:500],
    }
    return render(request, "screens/stops.html", context, status=status)


def _moment_of(key: str) -> str:
    """Return the part of a key that stays the same whatever is said of the stop."""
    return "-".join(key.split("-")[:2])


def _table(asked: Asked, rows: Sequence[Row]) -> Table:
    """Return the list under the names of REST: moments in UTC, lengths in seconds."""
    header = (
        *("line", "machine", "starts_at", "ends_at", "seconds", "scheduled_seconds"),
        *("category", "reason", "unexplained"),
    )
    lines = [
        (
            row.machine.line.code,
            row.machine.code,
            row.stop.start.astimezone(UTC),
            row.stop.end and row.stop.end.astimezone(UTC),
            seconds(row.stop.duration),
            seconds(row.stop.scheduled),
            row.stop.category.value,
            row.reason,
            int(row.stop.is_unexplained),
        )
        for row in rows
    ]
    place = asked.machine or asked.line
    zone = asked.lines[0].area.site.zone if asked.lines else UTC
    days = (f"{at.astimezone(zone):%Y-%m-%d}" for at in (asked.window.start, asked.window.end))
    name = gettext("Stops") if asked.everything else gettext("Stops without a reason")
    return Table(name, header, lines, len(lines), " ".join([*([place.name] if place else []), *days]))


def asked_of(request: HttpRequest, *, now: datetime) -> Asked:
    """Return what the address asks for; raises Http404 for a line or machine that the person may not see."""
    if not caller(request).may("view", "fact"):
        raise PermissionDenied
    asked = request.GET
    lines = {line.code: line for line in lines_of(request)}
    machines: list[Machine] = list(
        in_scope(Machine.objects.filter(is_active=True), request.user, Machine.site_paths)
        .select_related("line__area__site")
        .order_by("line_id", "position", "id")
    )
    machine = next((one for one in machines if one.code == asked.get("machine")), None)
    line = lines.get(asked.get("line", "")) or (machine.line if machine else None)
    if (asked.get("machine") and machine is None) or (asked.get("line") and line is None):
        raise Http404
    if machine is not None and line is not None and machine.line_id != line.pk:
        machine = None
    kept = [one for one in machines if line is None or one.line_id == line.pk]
    shift = shift_asked(line, asked, now=now) if line and asked.get("date") else None
    period = asked.get("period", "24") if asked.get("period", "24") in PERIODS else "24"
    return Asked(
        lines=list(lines.values()),
        machines=kept,
        window=_window(asked, shift, period, [machine] if machine else kept, now=now),
        line=line,
        machine=machine,
        period=period,
        shift=shift,
        everything=asked.get("show") == "all",
        order=NEWEST if asked.get("order", LONGEST) == NEWEST else LONGEST,
        category=asked.get("category", ""),
        reason=asked.get("reason", ""),
        product=number(asked.get("product")),
        without_order=asked.get("product") == "none",
        in_shift=number(asked.get("in_shift")),
    )


def _window(asked: Any, shift: Any, period: str, machines: Sequence[Machine], *, now: datetime) -> Interval:
    given = _moment(asked.get("starts_at")), _moment(asked.get("ends_at"))
    if given[0] and given[1] and given[0] < min(given[1], now):
        window = Interval(given[0], min(given[1], now))
    elif shift is not None:
        window = shift.window
    else:
        window = Interval(now - timedelta(hours=int(period)), now)
    most = timedelta(days=max(1, MOST_MACHINE_DAYS // max(1, len(machines))))
    return Interval(max(window.start, window.end - most), window.end)


def _moment(text: str | None) -> datetime | None:
    try:
        found = parse_datetime(text or "")
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None and 1990 <= found.year <= 9000 else None


def rows_of(asked: Asked, *, now: datetime) -> list[Row]:
    """Return the stops that are asked for, in the order asked for, at most as many as a file holds."""
    machines = [asked.machine] if asked.machine else asked.machines
    known = {machine.pk: machine for machine in machines}
    stops = stops_of(machines, asked.window, now=now) if machines else []
    if not asked.everything:
        stops = [stop for stop in stops if stop.asks_for_a_reason]
    if asked.category:
        stops = [stop for stop in stops if stop.category.value == asked.category]
    if asked.reason == "none":
        stops = [stop for stop in stops if stop.is_unexplained]
    elif asked.reason:
        stops = [stop for stop in stops if stop.reason_id == number(asked.reason)]
    if asked.product is not None or asked.without_order:
        stops = stops_while_making(stops, machines, asked.product, asked.window)
    if asked.in_shift is not None:
        stops = touching_shift(stops, machines, asked.in_shift, asked.window)
    if asked.order == LONGEST:
        stops.sort(key=lambda stop: (-stop.duration, stop.start, stop.machine_id))
    else:
        stops.sort(key=lambda stop: (stop.start, stop.machine_id), reverse=True)
    names = {pk: name_of(reason) for pk, reason in reasons_by_id().items()}
    return [_row(stop, known[stop.machine_id], names) for stop in stops[:MOST_IN_FILE]]


def _row(stop: Stop, machine: Machine, names: dict[int, str]) -> Row:
    named = names.get(stop.reason_id or 0, "")
    return Row(
        stop=stop,
        machine=machine,
        key=key_of(stop),
        reason=named,
        category=shown_category(stop.category),
        is_open=stop.end is None,
        url=stop_address(machine, stop.start),
        mark=fact_id(machine.pk, stop.start),
    )


def key_of(stop: Stop) -> str:
    """Return what names a stop and what was seen of it: machine-start-end-newest word."""
    end = fact_id(stop.machine_id, stop.end).partition("-")[2] if stop.end else ""
    return f"{fact_id(stop.machine_id, stop.start)}-{end}-{stop.newest_correction_id}"


@dataclass(frozen=True, slots=True)
class Named:
    """A stop as a form names it."""

    machine_id: int
    starts_at: datetime
    ends_at: datetime | None
    seen: int


def named_by(key: str) -> Named:
    """Return what a key names; raises Http404 for what is none."""
    parts = key.split("-")
    if len(parts) != 4 or not all(part.isdecimal() for part in (*parts[:2], parts[3])):
        raise Http404
    if any(len(part) > 18 for part in parts):
        raise Http404
    machine_id, start = parse_fact_id(f"{parts[0]}-{parts[1]}")
    if parts[2] and not parts[2].isdecimal():
        raise Http404
    end = parse_fact_id(f"{parts[0]}-{parts[2]}")[1] if parts[2] else None
    return Named(machine_id, start, end, int(parts[3]))


def machines_named(request: HttpRequest, ids: Iterable[int]) -> dict[int, Machine]:
    """Return machines by id; raises Http404 for one that the person may not see."""
    wanted = set(ids)
    found: dict[int, Machine] = (
        in_scope(Machine.objects.filter(pk__in=wanted), request.user, Machine.site_paths)
        .select_related("line__area__site")
        .in_bulk()
    )
    if found.keys() != wanted:
        raise Http404
    return found


def need_right(request: HttpRequest, machine: Machine, named: Named, *, now: datetime) -> None:
    """Raise PermissionDenied unless the person may speak of a stop, as over REST."""
    actor = caller(request)
    needed = stop_words.right_needed(machine, named.starts_at, named.ends_at, actor=actor, now=now)
    if not any(actor.may(right, "fact", site_id_of(machine)) for right in {needed, CHANGE}):
        raise PermissionDenied


def _explain(request: HttpRequest, *, now: datetime) -> tuple[list[str], int]:
    """Give the ticked stops the reason that was tapped; return why not, in words, with a status."""
    form = PickForm(request.POST)
    chosen = [named_by(key) for key in dict.fromkeys(request.POST.getlist("stop")[:PER_PAGE])]
    machines = machines_named(request, (one.machine_id for one in chosen))
    if not chosen:
        return [gettext("Tick the stops first, then tap their reason.")], 400
    if not form.is_valid():
        return [gettext("Choose a reason, and write at most 500 characters.")], 400
    refusals, done = [], 0
    for one in chosen:
        machine = machines[one.machine_id]
        try:
            need_right(request, machine, one, now=now)
            stop_words.explain_stop(
                machine=machine,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                reason=form.cleaned_data["reason"],
                comment=form.cleaned_data["note"],
                actor=caller(request),
                recorded_at=now,
                seen_correction_id=one.seen,
            )
        except DomainError as refusal:
            began = one.starts_at.astimezone(machine.line.area.site.zone)
            refusals.append(f"{machine.name} {began:%H:%M}: {refusal.message}")
        else:
            done += 1
    if done:
        said = ngettext("%(number)d stop: %(reason)s", "%(number)d stops: %(reason)s", done)
        messages.success(request, said % {"number": done, "reason": name_of(form.cleaned_data["reason"])})
    return refusals, 409 if refusals else 200


def _sum(lengths: Iterable[timedelta]) -> timedelta:
    return sum(lengths, start=timedelta())


def _parameters(request: HttpRequest) -> str:
    kept = request.GET.copy()
    kept.pop("page", None)
    return kept.urlencode()


def _reason_named(asked: str) -> str:
    if asked == "none":
        return gettext("without a reason")
    pk = number(asked)
    found = StateReason.objects.without_tree_fields().filter(pk=pk).first() if pk else None
    return name_of(found) if found else ""
