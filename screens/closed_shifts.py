"""Pages of closed shifts: what was signed, what the facts say now, and the form that signs it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.exact import plain_number
from core.exports import export_list, format_of
from core.master_data import caller, in_scope, site_id_of
from core.reader import localized, said
from enterprise.models import Line
from oee.closing import (
    WITH_PLACE,
    accept_difference,
    bring_checks_up_to_date,
    close_shift,
    refresh_check,
    touched_closings,
    was_and_now,
)
from oee.closing_serializers import KnowledgeChangeSerializer, ShiftClosingSerializer
from oee.frozen_numbers import Comparison
from oee.knowledge_changes import change_keys, describe
from oee.models import ShiftClosing
from oee.open_shifts import closings_due_by_hand

_MICROSECONDS = 1_000_000
_LABELS = {
    "oee": "OEE",
    "target_oee": gettext_lazy("OEE target"),
    "ideal_time": gettext_lazy("Ideal time (s)"),
    "ideal_time_of_good": gettext_lazy("Ideal time of good (s)"),
    "minor_stop_time": gettext_lazy("Micro-stop time"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A number as a page shows it: text, and whether it is another one now."""

    name: str
    was: str
    now: str
    difference: str
    changed: bool


class CloseForm(forms.Form):
    """Which shift of which line to close."""

    line = forms.IntegerField(min_value=1)
    shift = forms.IntegerField(min_value=1)
    date = forms.DateField()
    comment = forms.CharField(max_length=500, required=False)


class AcceptForm(forms.Form):
    """Why the numbers of now are accepted, and which they were."""

    comment = forms.CharField(max_length=500, label=gettext_lazy("Why the numbers changed"))
    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)


def _closings(request: HttpRequest) -> QuerySet[ShiftClosing]:
    closings: QuerySet[ShiftClosing] = in_scope(ShiftClosing.objects.all(), request.user, ShiftClosing.site_paths)
    return closings.select_related(*WITH_PLACE, "supersedes", "superseded_by").order_by("-starts_at", "-id")


def _lines(request: HttpRequest) -> QuerySet[Line]:
    lines: QuerySet[Line] = in_scope(Line.objects.filter(is_active=True), request.user, Line.site_paths)
    return lines.select_related("area__site")


@login_required
def closed_shifts(request: HttpRequest) -> HttpResponseBase:
    """List closed shifts, the newest first, and the shifts of the last days that nobody closed yet."""
    now = timezone.now()
    bring_checks_up_to_date(now=now)
    closings = _closings(request).filter(superseded_by__isnull=True)
    only_differing = request.GET.get("differs") == "1"
    if only_differing:
        closings = closings.filter(check_row__differs=True)
    if format_of(request):
        return export_list(request, closings, ShiftClosingSerializer, name=gettext("Shifts"))
    page = Paginator(closings, 50).get_page(request.GET.get("page"))
    touched = touched_closings(closing.pk for closing in page)
    may_close = [line for line in _lines(request) if caller(request).may("add", "closing", line.area.site_id)]
    context = {
        "page": page,
        "rows": [(closing, closing.pk in touched, percent(closing.numbers["kpis"]["oee"])) for closing in page],
        "only_differing": only_differing,
        "open_shifts": closings_due_by_hand(may_close, now=now),
    }
    return render(request, "screens/closed_shifts.html", context)


@login_required
def closed_shift(request: HttpRequest, closing_id: int) -> HttpResponse:
    """Show a closed shift: its signature, its numbers as signed and as they are now; a POST accepts those of now."""
    closing = get_object_or_404(_closings(request), pk=closing_id)
    may_accept = caller(request).may("change", "closing", site_id_of(closing)) and hasattr(closing, "check_row")
    form = AcceptForm(request.POST or None)
    if request.method == "POST":
        if not may_accept:
            raise PermissionDenied
        if form.is_valid():
            try:
                made = accept_difference(
                    closing=closing, actor=caller(request), now=timezone.now(), **form.cleaned_data
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                return redirect("screens:closed-shift", made.pk)
    is_current = hasattr(closing, "check_row")
    found = refresh_check(closing, now=timezone.now()) if is_current else was_and_now(closing, now=timezone.now())
    groups = [
        (title, [_row(comparison) for comparison in found.comparisons if comparison.group == group])
        for title, group in (
            (gettext("Ratios"), "kpis"),
            (gettext("Elements and quantities"), "elements"),
            (gettext("Losses"), "losses"),
            (gettext("Policies that they follow"), "policies"),
        )
    ]
    context = {
        "closing": closing,
        "zone": closing.place.area.site.zone if isinstance(closing.place, Line) else closing.place.line.area.site.zone,
        "found": found,
        "groups": groups,
        "machines_changed": any(c.group == "machines" for c in found.changes),
        "open_points": [
            {**point, "items": [{**item, "at": datetime.fromisoformat(item["at"])} for item in point["items"][:10]]}
            for point in closing.open_points
        ],
        "may_accept": may_accept and found.differs,
        "form": form,
    }
    return render(request, "screens/closed_shift.html", context, status=409 if form.non_field_errors() else 200)


@login_required
@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Close a shift that is over."""
    form = CloseForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("That is no shift."))
        return redirect("screens:closed-shifts")
    line = get_object_or_404(_lines(request), pk=form.cleaned_data["line"])
    if not caller(request).may("add", "closing", line.area.site_id):
        raise PermissionDenied
    try:
        made = close_shift(
            place=line,
            shift_id=form.cleaned_data["shift"],
            shift_date=form.cleaned_data["date"],
            comment=form.cleaned_data["comment"],
            actor=caller(request),
            now=timezone.now(),
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("screens:closed-shifts")
    return redirect("screens:closed-shift", made.pk)


@login_required
def change_log(request: HttpRequest) -> HttpResponseBase:
    """List edits of calendar, policies, rates and tags, and what they did to closed shifts."""
    if not caller(request).may("view", "audit"):
        raise PermissionDenied
    bring_checks_up_to_date(now=timezone.now())
    if format_of(request):
        edits_of = change_keys(user=request.user)
        return export_list(request, edits_of, KnowledgeChangeSerializer, name=gettext("Changes"), prepare=describe)
    page = Paginator(change_keys(user=request.user), 30).get_page(request.GET.get("page"))
    edits = [
        (edit, [(shift, percent(shift.oee_was), percent(shift.oee_now)) for shift in edit.closed_shifts])
        for edit in describe(page)
    ]
    return render(request, "screens/change_log.html", {"page": page, "edits": edits})


def percent(ratio: Any) -> str:
    """Return a ratio as people read it."""
    return (
        gettext("unknown")
        if ratio is None
        else f"{localized(str((Decimal(str(ratio)) * 100).quantize(Decimal('0.01'))))} %"
    )


def _row(of: Comparison) -> Row:
    name = str(_LABELS[of.name]) if of.name in _LABELS else said(of.name.removesuffix(", microseconds"))
    show, difference = _showing(of), ""
    if of.changed and of.difference is not None:
        sign = "+" if Fraction(str(of.difference)) > 0 else ""
        difference = sign + show(of.difference).replace("-", "−")
        if of.group == "kpis":
            difference = difference.replace("%", gettext("points"))
    return Row(name[:1].upper() + name[1:], show(of.was), show(of.now), difference, of.changed)


def _showing(of: Comparison) -> Callable[[Any], str]:
    if of.group == "kpis":
        return percent
    if of.group in ("policies", "machines"):
        return _listed
    if of.name == "coverage":
        return lambda value: gettext("unknown") if value is None else percent(_decimal(value))
    is_time = of.group == "elements" and isinstance(of.was, int) and not isinstance(of.was, bool)
    return _duration if is_time or of.name.endswith(", microseconds") else _plain


def _duration(microseconds: int) -> str:
    """Return a time as hours, minutes and seconds, rounded to the second."""
    seconds = round(Fraction(abs(microseconds), _MICROSECONDS))
    return f"{'−' if microseconds < 0 else ''}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _plain(value: Any) -> str:
    if value is None:
        return gettext("unknown")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    try:
        return localized(plain_number(_decimal(value).quantize(Decimal("0.001"))))
    except ValueError:
        return str(value)


def _decimal(value: Any) -> Decimal:
    exact = Fraction(value)
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def _listed(values: Any) -> str:
    return ", ".join(said(_plain(value)) for value in values)
