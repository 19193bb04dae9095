"""The page of calls for help: what is open and who should know, what was, and how long it took until somebody came."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from andon.models import AndonCall, AndonStep, CallType
from andon.selectors import as_they_stand, open_calls, response_times
from andon.serializers import AndonCallSerializer
from andon.services import AFTER, Said
from andon.services import take_step as take
from core.errors import DomainError
from core.exports import export_list, format_of
from core.intervals import Interval
from core.master_data import caller, in_scope, site_id_of
from enterprise.models import Line, Machine
from screens.offering import offer

MEASURED = timedelta(days=30)
PAGE = 30


class FilterForm(forms.Form):
    """Which calls to list."""

    line = forms.ModelChoiceField(Line.objects.none(), required=False, empty_label=_("All lines"), label=_("Line"))
    type = forms.ModelChoiceField(CallType.objects.all(), required=False, empty_label=_("All types"), label=_("Type"))


class StepForm(forms.Form):
    """What is done about a call."""

    kind = forms.ChoiceField(choices=AndonStep.Kind.choices)
    key = forms.RegexField(r"^[A-Za-z0-9._:-]{1,64}\Z")
    note = forms.CharField(max_length=500, required=False)


@login_required
@require_safe
def call_list(request: HttpRequest) -> HttpResponseBase:
    """List the calls that are open, the oldest first, then those that are over."""
    return _page(request)


@login_required
@require_POST
def take_step(request: HttpRequest, call_id: int) -> HttpResponseBase:
    """Acknowledge a call, arrive, fix it or cancel it; the list follows."""
    calls: Any = in_scope(AndonCall.objects.all(), request.user, AndonCall.site_paths)
    call = get_object_or_404(calls.select_related("machine__line__area"), pk=call_id)
    if not caller(request).may("add", "andon", site_id_of(call)):
        raise PermissionDenied
    form = StepForm(request.POST)
    if not form.is_valid():
        return _page(request, refused=str(_("That form is incomplete; start again.")), status=400)
    now, said = timezone.now(), form.cleaned_data
    try:
        take(
            call=call,
            kind=said["kind"],
            said=Said(
                at=now,
                recorded_at=now,
                actor=caller(request),
                note=said["note"],
                idempotency_key=said["key"],
            ),
        )
    except DomainError as refusal:
        return _page(request, refused=refusal.message, status=409, about=call.pk)
    return redirect("screens:andon-calls")


def _page(request: HttpRequest, *, refused: str = "", status: int = 200, about: int | None = None) -> HttpResponseBase:
    user, now = caller(request), timezone.now()
    if not user.may("view", "andon"):
        raise PermissionDenied
    form = FilterForm(request.GET or None)
    lines: Any = in_scope(Line.objects.filter(is_active=True), request.user, Line.site_paths)
    offer(form, line=lines.order_by("name"))
    asked = form.cleaned_data if form.is_valid() else {}
    machines: Any = in_scope(Machine.objects.all(), request.user, Machine.site_paths)
    if asked.get("line"):
        machines = machines.filter(line=asked["line"])
    ids = machines.values("pk")
    calls = AndonCall.objects.filter(machine__in=ids).order_by("-called_at", "-id")
    found = open_calls(now=now, machine_ids=ids)
    if asked.get("type"):
        calls = calls.filter(call_type=asked["type"])
        found = [row for row in found if row.call.call_type_id == asked["type"].pk]
    if format_of(request):
        return export_list(request, calls, AndonCallSerializer, name=gettext("Calls for help"))
    over = calls.exclude(status__in=AndonCall.OPEN)
    shown = over.select_related("call_type", "machine__line__area__site", "work_order")
    page = Paginator(shown, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "refused": refused,
        "about": about,
        "note": request.POST.get("note", ""),
        "open": [
            (row, AFTER[row.call.status] if user.may("add", "andon", site_id_of(row.call)) else (), uuid4().hex)
            for row in found
        ],
        "over": as_they_stand(list(page), now=now),
        "page": page,
        "times": response_times(ids, Interval(now - MEASURED, now), now=now),
    }
    return render(request, "screens/andon_calls.html", context, status=status)
