"""One stop: why it was, what was said of it, what began it; cut it, join it with its neighbour, take words back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.rights import ADD, CHANGE
from core.errors import Conflict, DomainError, Invalid
from core.fact_api import fact_id, parse_fact_id
from core.intervals import Interval
from core.master_data import caller, site_id_of
from core.retention import Closed
from downtime.models import StateReason
from enterprise.models import Machine
from maintenance.selectors import orders_of_stop
from oee import stop_words
from oee.root_causes import root_cause_at
from oee.scopes import every_machine_of, representatives
from oee.selectors import timelines
from oee.stops import Stop, shown_category, stops_around
from oee.time_columns import columns_of
from screens.parts import render_part
from screens.reason_picker import name_of, picker_for, reasons_by_id
from screens.stops import Named, key_of, machines_named, named_by, need_right
from screens.timeline import bar, stop_address
from screens.timelines import COLUMNS, MOST_SEGMENTS, Bar, areas, length, position, ticks

_LEAST_AROUND = timedelta(minutes=10)
SPOKEN = "%Y-%m-%dT%H:%M:%S"


class WordForm(forms.Form):
    """What is said of a stop."""

    action = forms.ChoiceField(choices=[(one, one) for one in ("explain", "split", "merge", "withdraw")])
    stop = forms.CharField(max_length=80)
    reason = forms.ModelChoiceField(StateReason.objects.without_tree_fields(), required=False)
    second = forms.ModelChoiceField(StateReason.objects.without_tree_fields(), required=False)
    at = forms.CharField(max_length=30, required=False)
    until = forms.CharField(max_length=80, required=False)
    note = forms.CharField(max_length=500, required=False)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stop that begins where another ends; `key` names the two of them together."""

    stop: Stop
    reason: str
    key: str
    is_before: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """A machine's row around the stop."""

    machine: Machine
    bars: tuple[Bar, ...]
    areas: tuple[Any, ...]


@login_required
def stop_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show the stop in which a machine stood at a moment; a POST says something of it."""
    now = timezone.now()
    machine, at = _asked(request, key)
    form = WordForm(request.POST or None)
    refused, status = "", 200
    if request.method == "POST":
        refused, status, where = _speak(request, machine, form, now=now)
        if not refused:
            messages.success(request, gettext("Saved."))
            return redirect(where)
    try:
        around = stops_around(machine, at, now=now)
        stop = _standing_at(at, around)
        if stop is None:
            # Somebody said meanwhile that it ran, or a late fact did.
            return render(request, "screens/stop.html", {"machine": machine, "refused": refused}, status=404)
        context = _context(request, machine, stop, around, now=now)
    except Closed as refusal:
        return render(request, "screens/stop.html", {"machine": machine, "gone": refusal.message}, status=409)
    return render(request, "screens/stop.html", {**context, "form": form, "refused": refused}, status=status)


def _asked(request: HttpRequest, key: str) -> tuple[Machine, datetime]:
    owner, _dash, moment = key.partition("-")
    if not (owner.isdecimal() and moment.isdecimal() and len(owner) < 19 and len(moment) < 19):
        raise Http404
    machine_id, at = parse_fact_id(key)
    machine = machines_named(request, [machine_id])[machine_id]
    if not caller(request).may("view", "fact", site_id_of(machine)):
        raise PermissionDenied
    if not 1990 <= at.year <= 9000:
        raise Http404
    return machine, at


def _standing_at(at: datetime, stops: Sequence[Stop]) -> Stop | None:
    return next((stop for stop in stops if stop.start <= at < stop.until), None)


def _context(
    request: HttpRequest, machine: Machine, stop: Stop, around: Sequence[Stop], *, now: datetime
) -> dict[str, Any]:
    zone = machine.line.area.site.zone
    everyone = every_machine_of(machine.line)
    if machine.pk not in {one.pk for one in everyone}:
        everyone.append(machine)
    margin = max(_LEAST_AROUND, stop.duration / 4)
    window = Interval(stop.start - margin, stop.until + margin)
    reasons = reasons_by_id()
    drawn = timelines(everyone, window, now=now)
    may_speak = any(caller(request).may(right, "fact", site_id_of(machine)) for right in (ADD, CHANGE))
    said = stop_words.words_about(machine, stop.start, stop.end, now=now) if stop.newest_correction_id else []
    reason = reasons.get(stop.reason_id or 0)
    read = "%Y-%m-%d %H:%M:%S" if _days(stop, zone) else "%H:%M:%S"
    return {
        "machine": machine,
        "line": machine.line,
        "zone": zone,
        "stop": stop,
        "key": key_of(stop),
        "reason": name_of(reason) if reason else "",
        "category": shown_category(stop.category),
        "rows": [_drawn(one, drawn[one.pk], window, reasons) for one in everyone],
        "mark": (position(stop.start, window), length(stop.start, stop.until, window)),
        "ticks": ticks(window, zone) if window.microseconds > 7_200_000_000 else _minute_ticks(window, zone),
        "picker": picker_for([machine], caller(request), now=now) if may_speak else None,
        "said": [(one, _names(one.before, reasons)) for one in said],
        "neighbours": _neighbours(stop, around, reasons) if may_speak else [],
        "asks_cause": len(everyone) > 1 and machine.pk in {one.pk for one in representatives(everyone)},
        "address": fact_id(machine.pk, stop.start),
        "maintained": orders_of_stop(machine, stop.start, stop.until)
        if caller(request).may("view", "maintenance", site_id_of(machine))
        else [],
        "may_ask_maintenance": caller(request).may("add", "maintenance", site_id_of(machine)),
        "local_start": stop.start.astimezone(zone).strftime(SPOKEN),
        "local_end": stop.until.astimezone(zone).strftime(SPOKEN),
        "local_middle": _middle(stop).astimezone(zone).strftime(SPOKEN if _days(stop, zone) else "%H:%M:%S"),
        "shown_start": f"{stop.start.astimezone(zone):{read}}",
        "shown_end": f"{stop.until.astimezone(zone):{read}}",
        "is_one_day": not _days(stop, zone),
        "seconds": int(stop.duration.total_seconds()),
        "query_date": stop.start.astimezone(zone).date(),
    }


@login_required
def stop_cause(request: HttpRequest, key: str) -> HttpResponse:
    """Answer what began a stop: the chain of machines that waited for each other, as far as it can be followed;
    without a script as a page.
    """
    now = timezone.now()
    machine, at = _asked(request, key)
    everyone = every_machine_of(machine.line)
    try:
        cause = _cause(everyone, machine, at, now=now)
    except Closed:
        cause = None
    context = {"cause": cause, "zone": machine.line.area.site.zone}
    back = reverse("screens:stop", args=[key]), machine.name
    return render_part(request, "screens/_stop_cause.html", context, title=gettext("What began it"), back=back)


def _days(stop: Stop, zone: Any) -> int:
    return (stop.until.astimezone(zone).date() - stop.start.astimezone(zone).date()).days


def _middle(stop: Stop) -> datetime:
    return (stop.start + stop.duration / 2).replace(microsecond=0)


def _drawn(machine: Machine, segments: Any, window: Interval, reasons: Mapping[int, Any]) -> Drawn:
    if len(segments) > MOST_SEGMENTS:
        return Drawn(machine, (), tuple(areas(columns_of(segments, window, COLUMNS))))
    return Drawn(machine, tuple(bar(segment, window, reasons, machine) for segment in segments), ())


def _minute_ticks(window: Interval, zone: Any) -> list[tuple[str, str]]:
    step = timedelta(minutes=next(n for n in (5, 10, 15, 20) if window.microseconds <= n * 600_000_000 or n == 20))
    at = window.start.replace(second=0, microsecond=0, minute=0)
    found = []
    while at < window.end:
        if at >= window.start:
            found.append((position(at, window), f"{at.astimezone(zone):%H:%M}"))
        at += step
    return found


def _names(before: tuple[int | None, ...], reasons: Mapping[int, Any]) -> str:
    return ", ".join(_name(pk, reasons) for pk in before)


def _neighbours(stop: Stop, around: Sequence[Stop], reasons: Mapping[int, Any]) -> list[Neighbour]:
    """Return the stops that touch a stop: those that it can be merged with."""
    found = []
    for one in around:
        if one is stop:
            continue
        first, last = sorted((one, stop), key=lambda either: either.start)
        newest = max(first.newest_correction_id, last.newest_correction_id)
        together = replace(first, end=last.end, until=last.until, newest_correction_id=newest)
        found.append(Neighbour(one, _name(one.reason_id, reasons), key_of(together), one is first))
    return found


def _name(reason_id: int | None, reasons: Mapping[int, Any]) -> str:
    reason = reasons.get(reason_id or 0)
    return name_of(reason) if reason else gettext("no reason")


def _cause(everyone: list[Machine], machine: Machine, at: datetime, *, now: datetime) -> dict[str, Any] | None:
    """Return what began a stop of a machine that stands for its line; None where there is nothing to look for."""
    if len(everyone) < 2 or machine.pk not in {one.pk for one in representatives(everyone)}:
        return None
    cause = root_cause_at(machine, at, everyone, now=now)
    if cause is None:
        return None
    reasons = reasons_by_id()
    names = {one.pk: one for one in everyone}
    return {
        "found": cause.found,
        "words": FOUND[str(cause.found)],
        "chain": [
            {
                "machine": names[link.machine_id].name,
                "reason": _name(link.reason_id, reasons),
                "start": link.start,
                "url": stop_address(names[link.machine_id], link.start),
                "is_this": link.machine_id == machine.pk,
            }
            for link in cause.chain
        ],
    }


FOUND = {
    "own": _("Its own reason says it."),
    "followed": _("Followed along the line, from machine to machine that waited."),
    "first_fault": _("Another machine had just stopped."),
    "lost": _("It waited for others, but none of them stood."),
    "unknown": _("Nothing says why."),
}


def _speak(request: HttpRequest, machine: Machine, form: WordForm, *, now: datetime) -> tuple[str, int, str]:
    """Say what the form says; return why not and a status, or where to go next."""
    if not form.is_valid():
        return " ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()), 400, ""
    said = form.cleaned_data
    of = named_by(said["until"] if said["action"] == "merge" else said["stop"])
    if of.machine_id != machine.pk:
        raise Http404
    try:
        need_right(request, machine, of, now=now)
        where = _DOORS[said["action"]](machine, of, said, request, now)
    except DomainError as refusal:
        return refusal.message, 409 if isinstance(refusal, Conflict) else 400, ""
    return "", 200, stop_address(machine, where)


def _explain(machine: Machine, of: Named, said: dict[str, Any], request: HttpRequest, now: datetime) -> datetime:
    stop_words.explain_stop(**_of(machine, of, said, request, now), reason=_needed(said["reason"], "reason"))
    return of.starts_at


def _split(machine: Machine, of: Named, said: dict[str, Any], request: HttpRequest, now: datetime) -> datetime:
    moment = moment_within(said["at"], machine, of, now=now)
    stop_words.split_stop(
        **_of(machine, of, said, request, now), moments=[moment], reasons=[said["reason"], said["second"]]
    )
    return moment


def _merge(machine: Machine, of: Named, said: dict[str, Any], request: HttpRequest, now: datetime) -> datetime:
    stop_words.merge_stops(**_of(machine, of, said, request, now), reason=_needed(said["reason"], "reason"))
    return of.starts_at


def _withdraw(machine: Machine, of: Named, said: dict[str, Any], request: HttpRequest, now: datetime) -> datetime:
    stop_words.withdraw(**_of(machine, of, said, request, now))
    return of.starts_at


_DOORS: dict[str, Callable[..., datetime]] = {
    "explain": _explain,
    "split": _split,
    "merge": _merge,
    "withdraw": _withdraw,
}


def _of(machine: Machine, of: Named, said: dict[str, Any], request: HttpRequest, now: datetime) -> dict[str, Any]:
    return {
        "machine": machine,
        "starts_at": of.starts_at,
        "ends_at": of.ends_at,
        "comment": said["note"],
        "actor": caller(request),
        "recorded_at": now,
        "seen_correction_id": of.seen,
    }


def _needed(reason: StateReason | None, field: str) -> StateReason:
    if reason is None:
        raise Invalid(gettext("Choose a reason."), field=field)
    return reason


def moment_within(text: str, machine: Machine, of: Named, *, now: datetime) -> datetime:
    """Return a wall-clock time of the site inside a stop; of an hour that the clock shows twice, the one in the stop.

    A time without a day (`08:15` or `08:15:30`) is taken of the stop's days. Raises Invalid for what lies outside.
    """
    zone, end = machine.line.area.site.zone, of.ends_at or now
    for naive in _read(text, of.starts_at.astimezone(zone), end.astimezone(zone)):
        for fold in (0, 1):
            at = naive.replace(tzinfo=zone, fold=fold).astimezone(of.starts_at.tzinfo)
            if of.starts_at < at < end:
                return at
    raise Invalid(gettext("Write a time inside the stop, such as 08:15:30."), field="at")


def _read(text: str, first: datetime, last: datetime) -> list[datetime]:
    """Return the wall-clock times that a text may mean, in the order of the days."""
    written = text.strip().replace(" ", "T")
    try:
        if "T" in written:
            found = datetime.fromisoformat(written)
            return [found] if found.tzinfo is None and 1990 <= found.year <= 9000 else []
        clock = datetime.fromisoformat(
            f"2000-01-01T{written.zfill(5) if written.count(':') == 1 else written.zfill(8)}"
        )
    except ValueError:
        return []
    days = (last.date() - first.date()).days
    return [datetime.combine(first.date() + timedelta(days=n), clock.time()) for n in range(min(days, 400) + 1)]
