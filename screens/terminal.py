"""A shared terminal: it always shows in whose name the next entry goes, and refuses one for anybody else.

Who stands there is kept in the terminal's session until a time-out. Every form carries the person it was shown for and
a key of its own: a form of another tab or of a page gone back to is refused, and one sent twice has one effect.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.errors import Conflict, DomainError, Invalid, NotFound
from core.master_data import caller
from core.reader import in_sentence
from enterprise.models import Machine, Site
from labor import services
from labor.models import Attendance, Employee, LaborEntry
from screens.people_sites import chosen_site, sites_where
from screens.refusals import Refusal, refusal_of
from screens.shared_terminal import Terminal
from workorders.models import WorkOrder

_SITE = "terminal-site"
_WORK = [choice for choice in LaborEntry.Kind.choices if choice[0] != LaborEntry.Kind.BREAK]


class StartForm(forms.Form):
    """What somebody begins to work on."""

    kind = forms.ChoiceField(choices=_WORK)
    order = forms.CharField(max_length=64, required=False)
    operation = forms.CharField(max_length=64, required=False)
    machine = forms.CharField(max_length=64, required=False)


class StopForm(forms.Form):
    """What came of it."""

    entry = forms.IntegerField(min_value=1, max_value=2**62)
    good = forms.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False)
    scrap = forms.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def terminal(request: HttpRequest) -> HttpResponse:
    """Show who is there and what they may do; a POST identifies somebody, writes an entry, or forgets them."""
    now = timezone.now()
    sites = sites_where(request, "add", "labor")
    site = chosen_site(sites, request.GET.get("site") or request.session.get(_SITE))
    request.session[_SITE] = site.code
    at = Terminal.of(request, site, now)
    refusal = None
    if request.method == "POST":
        try:
            _act(at)
        except (DomainError, ValidationError) as error:
            refusal = refusal_of(error)
        else:
            return redirect("screens:terminal")
    return _page(at, sites, refusal)


def _page(at: Terminal, sites: list[Site], refusal: Refusal | None) -> HttpResponse:
    request, site, employee = at.request, at.site, at.person()
    context: dict[str, Any] = {
        "sites": sites,
        "site": site,
        "zone": site.zone,
        "employee": employee,
        "refusal": refusal,
        "forget_after": at.policy.terminal_timeout if employee else None,
    }
    if employee is not None:
        at.keep(employee)
        open_entries = LaborEntry.objects.filter(employee=employee, ended_at__isnull=True)
        context |= {
            "attendance": Attendance.objects.filter(employee=employee, ended_at__isnull=True).first(),
            "entries": [
                (entry, str(uuid4()))
                for entry in open_entries.select_related("work_order", "machine", "line").order_by("started_at", "pk")
            ],
            # Each form has its own, so that the same form sent twice is known and two forms are not taken for one.
            "keys": {name: str(uuid4()) for name in ("clock_in", "clock_out", "start", "pause")},
            "kinds": _WORK,
            "typed": request.POST if refusal else {},
        }
    response = render(request, "screens/terminal.html", context, status=refusal.status if refusal else 200)
    if refusal and refusal.retry_after:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def _act(at: Terminal) -> None:
    action = at.request.POST.get("do", "")
    if action == "forget":
        at.forget()
    elif action == "identify":
        at.identify()
    elif action in _ACTIONS:
        _write(at, action)
    else:
        raise Invalid(gettext("Choose what to do."))


def _write(at: Terminal, action: str) -> None:
    request, now = at.request, at.now
    shown_for, key = request.POST.get("employee", ""), request.POST.get("key", "")
    if not key or len(key) > 100 or "\0" in key:
        raise Invalid(gettext("That form is incomplete; start again."))
    employee = at.person()
    if employee is None or str(employee.pk) != shown_for:
        if services.was_answered(key=key, employee_id=shown_for, actor=caller(request)):
            messages.info(request, gettext("That was written already."))
            return
        at.refuse_other(employee, shown_for)
    assert employee is not None
    messages.success(request, f"{employee}: {_ACTIONS[action](request, employee, key, now)}")
    at.forget_after_entry()


def _clock_in(request: HttpRequest, employee: Employee, key: str, now: datetime) -> str:
    services.clock_in(employee=employee, at=now, actor=caller(request), idempotency_key=key)
    return gettext("clocked in.")


def _clock_out(request: HttpRequest, employee: Employee, key: str, now: datetime) -> str:
    services.clock_out(employee=employee, at=now, actor=caller(request), idempotency_key=key)
    return gettext("clocked out.")


def _pause(request: HttpRequest, employee: Employee, key: str, now: datetime) -> str:
    services.start_work(
        employee=employee, kind=LaborEntry.Kind.BREAK, at=now, actor=caller(request), idempotency_key=key
    )
    return gettext("break begins.")


def _start(request: HttpRequest, employee: Employee, key: str, now: datetime) -> str:
    form = StartForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("Say what kind of work it is, and on what."))
    said = form.cleaned_data
    order = machine = None
    if said["order"]:
        here = WorkOrder.objects.filter(line__area__site=employee.site_id, order_number=said["order"])
        order = here.select_related("line__area").first()
        if order is None:
            raise NotFound(gettext("There is no order '%(order)s' at this site.") % {"order": said["order"]})
    if said["machine"]:
        found = Machine.objects.filter(line__area__site=employee.site_id, code=said["machine"], is_active=True)
        machine = found.select_related("line__area").first()
        if machine is None:
            raise NotFound(gettext("There is no machine '%(machine)s' at this site.") % {"machine": said["machine"]})
    steps = set(order.operations.values_list("code", flat=True)) if order and said["operation"] else set()
    if steps and said["operation"] not in steps:
        raise NotFound(
            gettext("Order %(order)s has no operation '%(operation)s'.")
            % {"order": order, "operation": said["operation"]}
        )
    entry = services.start_work(
        employee=employee,
        kind=said["kind"],
        at=now,
        actor=caller(request),
        work_order=order,
        operation=said["operation"],
        machine=machine,
        idempotency_key=key,
    )
    begun = {"kind": in_sentence(entry.get_kind_display()), "order": order}
    if order:
        return gettext("%(kind)s begins on order %(order)s.") % begun
    return gettext("%(kind)s begins.") % begun


def _stop(request: HttpRequest, employee: Employee, key: str, now: datetime) -> str:
    form = StopForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("Quantities are numbers that are not negative."))
    entry = LaborEntry.objects.filter(pk=form.cleaned_data["entry"]).first()
    if entry is None or entry.employee_id != employee.pk:
        raise Conflict(gettext("That entry is not of %(employee)s; nothing was written.") % {"employee": employee})
    services.stop_work(
        entry=entry,
        at=now,
        quantity_produced=form.cleaned_data["good"] or Decimal(0),
        quantity_rejected=form.cleaned_data["scrap"] or Decimal(0),
        actor=caller(request),
        idempotency_key=key,
    )
    return gettext("%(kind)s ended.") % {"kind": in_sentence(entry.get_kind_display())}


_ACTIONS: dict[str, Callable[[HttpRequest, Employee, str, datetime], str]] = {
    "clock_in": _clock_in,
    "clock_out": _clock_out,
    "pause": _pause,
    "start": _start,
    "stop": _stop,
}
