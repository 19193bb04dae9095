"""The page of the list of work: what runs at a line or machine, what can be started, and the forms to do it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from core.errors import DomainError
from core.exact import decimal_text
from core.exports import export_list, format_of
from core.master_data import caller, in_scope, site_id_of
from core.names import sorted_for_reader
from core.reader import number
from enterprise.models import Line, Machine
from execution import reporting, services
from execution.dispatching import Dispatched, dispatch, rows_of, work_at
from execution.models import ScrapReason
from execution.selectors import scrap_reasons
from execution.serializers import DispatchedSerializer
from execution.services import Done
from execution.taking import Quantities, Taken
from labor.models import Employee
from screens.offering import offer
from screens.refusals import errors_in_words, refusal_of
from workorders.models import Operation

SHOWN = 100
STEPS: dict[str, tuple[Callable[..., Done], str]] = {
    "start": (services.start_operation, "add"),
    "pause": (services.pause_operation, "add"),
    "resume": (services.resume_operation, "add"),
    "finish": (services.finish_operation, "add"),
    "hold": (services.hold_operation, "add"),
    "unhold": (services.unhold_operation, "change"),
    "skip": (services.skip_operation, "change"),
}
"""What a button does, and which right it needs."""
AT_A_MACHINE = ("start", "resume")


class PlaceForm(forms.Form):
    """Whose list of work."""

    line = forms.ModelChoiceField(Line.objects.none(), required=False, empty_label=gettext_lazy("Choose a line"))
    machine = forms.ModelChoiceField(
        Machine.objects.none(), required=False, empty_label=gettext_lazy("… or one machine")
    )
    employee = forms.ModelChoiceField(
        Employee.objects.none(), required=False, empty_label=gettext_lazy("Nobody in particular")
    )


class StepForm(forms.Form):
    """A step to take, or what came of an operation."""

    action = forms.ChoiceField(choices=[(name, name) for name in (*STEPS, "report")])
    key = forms.RegexField(r"^[A-Za-z0-9._:-]{1,64}\Z")
    reason = forms.CharField(max_length=500, required=False)
    good = forms.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False)
    scrap = forms.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False)
    rework = forms.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False)
    counter_start = forms.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False)
    counter_end = forms.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False)
    scrap_reason = forms.ModelChoiceField(ScrapReason.objects.filter(is_active=True), required=False)


@dataclass(frozen=True, slots=True)
class Row:
    """An operation as the page shows it; `key` makes its form's repetition harmless."""

    work: Dispatched
    key: str
    target: str
    good: str
    scrap: str
    unit: str
    buttons: tuple[str, ...]


def _places(request: HttpRequest) -> PlaceForm:
    form = PlaceForm(request.GET or None)
    for name, model in (("line", Line), ("machine", Machine), ("employee", Employee)):
        choices: Any = in_scope(model._default_manager.filter(is_active=True), request.user, model.site_paths)
        related = {"line": ("area__site",), "machine": ("line__area__site",), "employee": ("site",)}[name]
        offer(form, **{name: choices.select_related(*related).order_by("name")})
    return form


@login_required
def dispatch_list(request: HttpRequest) -> HttpResponseBase:
    """Show the list of work of a line or machine; a POST takes a step and comes back to it."""
    form = _places(request)
    asked = form.cleaned_data if form.is_valid() else {}
    place = asked.get("machine") or asked.get("line")
    refused, status = "", 200
    if place is not None and not caller(request).may("view", "execution", site_id_of(place)):
        raise PermissionDenied
    if request.method == "POST":
        refused = _take(request, asked)
        if not refused:
            return redirect(f"{reverse('screens:dispatch')}?{request.GET.urlencode()}")
        status = 409
    if place is not None and format_of(request):
        return _file(request, place, asked.get("employee"))
    rows: list[Row] = []
    is_complete = True
    if place is not None:
        works, is_complete = dispatch(place, now=timezone.now(), employee=asked.get("employee"), limit=SHOWN)
        rows = [_row(request, work) for work in works]
    context = {
        "form": form,
        "place": place,
        "zone": (place.line if isinstance(place, Machine) else place).area.site.zone if place else None,
        "rows": rows,
        "is_complete": is_complete,
        "scrap_reasons": sorted_for_reader(scrap_reasons()),
        "refused": refused,
        "shown": SHOWN,
    }
    return render(request, "screens/dispatch.html", context, status=status)


def _file(request: HttpRequest, place: Line | Machine, employee: Employee | None) -> HttpResponseBase:
    now, machine = timezone.now(), place if isinstance(place, Machine) else None
    return export_list(
        request,
        work_at(place),
        DispatchedSerializer,
        name=gettext("Work"),
        prepare=lambda some: rows_of(some, now=now, machine=machine, employee=employee),
    )


def _row(request: HttpRequest, work: Dispatched) -> Row:
    order = work.operation.work_order
    site_id = site_id_of(work.operation)
    may = {needs: caller(request).may(needs, "execution", site_id) for needs in ("add", "change")}
    buttons = tuple(
        action for action in work.actions if may[STEPS[action][1]] and (action not in AT_A_MACHINE or work.is_ready)
    )
    unit = order.unit_id or (order.product.unit_id if order.product else "")
    progress = work.progress
    begun = work.operation.status == Operation.Status.IN_PROGRESS
    reports = ("report",) if begun and may["add"] and work.operation.counting_source != "machine" else ()
    return Row(
        work,
        uuid.uuid4().hex,
        _short(progress.target),
        _short(progress.made.good),
        _short(progress.made.scrap),
        str(unit),
        (*buttons, *reports),
    )


def _short(value: Any) -> str:
    text = decimal_text(value)
    return gettext("not known") if text is None else number(text)


def _take(request: HttpRequest, asked: dict[str, Any]) -> str:
    """Take the step that a form asks for; return why not, in words, when it is refused."""
    operations: Any = in_scope(Operation.objects.all(), request.user, Operation.site_paths)
    number = request.POST.get("operation", "")
    if not number.isdecimal() or len(number) > 18:
        return gettext("Choose an operation.")
    operation = get_object_or_404(operations.select_related("work_order__line__area"), pk=int(number))
    form = StepForm(request.POST)
    if not form.is_valid():
        return errors_in_words(form)
    said = form.cleaned_data
    action = said["action"]
    needs = STEPS[action][1] if action in STEPS else "add"
    if not caller(request).may(needs, "execution", site_id_of(operation)):
        raise PermissionDenied
    now = timezone.now()
    taken = Taken(
        at=now,
        recorded_at=now,
        actor=caller(request),
        employee=asked.get("employee"),
        reason=said["reason"],
        idempotency_key=said["key"],
    )
    try:
        if action == "report":
            reporting.report_production(operation=operation, quantities=_quantities(said), taken=taken)
        elif action in AT_A_MACHINE:
            STEPS[action][0](operation=operation, taken=taken, machine=asked.get("machine"))
        else:
            STEPS[action][0](operation=operation, taken=taken)
    except (DomainError, ValidationError) as refusal:
        return refusal_of(refusal).message
    return ""


def _quantities(said: dict[str, Any]) -> Quantities:
    numbers = {name: said[name] for name in ("good", "scrap", "rework") if said[name] is not None}
    return Quantities(
        **numbers,
        scrap_reason=said["scrap_reason"],
        counter_start=said["counter_start"],
        counter_end=said["counter_end"],
        note=said["reason"],
    )
