"""Stations of serial units: what waits at a machine, what a scan leads to, the form of the stage that is due there.

A code comes from a hand scanner or a keyboard, from the tablet's camera (static/js/station.js), or in a photo, which
the server reads; without a script the photo is a plain form.
"""

from collections.abc import Iterable
from typing import Any

from csp.decorators import csp_update
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from core.errors import Conflict, DomainError, Invalid, NotFound
from core.master_data import caller, in_scope
from enterprise.models import Machine, Site
from execution.dispatching import work_at
from labels.decode import decode
from screens.operate import SCANNING
from screens.operate_words import camera_words
from screens.people_sites import sites_where
from screens.refusals import refusal_of
from screens.units import TONES, fill_in, form_context, said_of, seen_unit, stage_words
from tracking import selectors
from tracking.derivation import know
from tracking.models import UnitStage
from workorders.models import Operation, WorkOrder

_OVER = (Operation.Status.COMPLETED, Operation.Status.SKIPPED)


def _machines(request: HttpRequest, sites: list[Site]) -> Any:
    rows = in_scope(Machine.objects.filter(is_active=True), request.user, Machine.site_paths)
    return rows.filter(line__area__site__in=sites).select_related("line__area__site", "machine_class")


@login_required
@require_GET
def stations(request: HttpRequest) -> HttpResponse:
    """List the machines that are stations of units, to choose where one stands."""
    sites = sites_where(request, "add", "unit")
    tracked = UnitStage.objects.filter(unit__site__in=sites, is_due=True)
    rows = _machines(request, sites).filter(line__in=_lines(tracked)).order_by("line__name", "position", "pk")
    return render(request, "screens/stations.html", {"machines": rows[:500]})


def _lines(stages: Any) -> Any:
    """Return the lines on which the machines of stages stand."""
    return Machine.objects.filter(pk__in=stages.values("machine")).values("line")


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
@csp_update(SCANNING)  # type: ignore[arg-type]
def station(request: HttpRequest, code: str) -> HttpResponse:
    """Wait for a scan at a machine; a code, or a photo of one, leads to the unit or order, or is refused in words."""
    sites = sites_where(request, "add", "unit")
    machine = get_object_or_404(_machines(request, sites), code=code)
    refusal, scanned = None, request.GET.get("code", "")[:500]
    if scanned.strip() or request.method == "POST":
        try:
            codes = _codes_in(request) if request.method == "POST" else [scanned]
            scanned = codes[0]
            return redirect(_first_known(codes, machine, caller(request)))
        except DomainError as error:
            refusal = refusal_of(error)
    due = selectors.due_at(machine).select_related("unit__product", "unit__order").order_by("-state", "unit_id")
    context = {
        "station": machine,
        "scanned": scanned if refusal else "",
        "refusal": refusal,
        "due": [(stage, TONES.get(stage.state, ""), stage_words(stage.state)) for stage in due[:50]],
        "camera_words": camera_words(),
    }
    return render(request, "screens/station.html", context, status=refusal.status if refusal else 200)


def _codes_in(request: HttpRequest) -> list[str]:
    photo: Any = request.FILES.get("photo")
    if photo is None:
        raise Invalid(gettext("Take a photo of the code, or choose one."), field="photo")
    found = [one.text for one in decode(photo.read(), field="photo")]
    if not found:
        raise Invalid(gettext("No code was found in the photo; take it again, closer."), field="photo")
    return found


def _first_known(codes: Iterable[str], station: Machine, user: User) -> str:
    """Return where the first of the codes leads that is known here: a photo may show others beside it."""
    unknown: NotFound | None = None
    for code in codes:
        try:
            return _destination(code, station, user)
        except NotFound as refusal:
            unknown = unknown or refusal
    assert unknown is not None
    raise unknown


def _destination(code: str, station: Machine, user: User) -> str:
    """Return the address that a code leads to: a unit's form here, or at the terminal an order that has no units."""
    try:
        unit = selectors.find_scanned(code, station=station, user=user)
    except NotFound as refusal:
        if refusal.code != "no_units":
            raise
        return _order_here(selectors.serial_in(code), station, user)
    selectors.next_step(unit, station)
    return reverse("screens:station-unit", args=[station.code, unit.pk])


def _order_here(number: str, station: Machine, user: User) -> str:
    """Return the address of an order's next operation at a machine. Raises Conflict saying where it goes on instead."""
    orders = in_scope(WorkOrder.objects.filter(order_number=number), user, WorkOrder.site_paths)
    order = orders.select_related("line").get()
    here = work_at(station).filter(work_order=order).first()
    if here is not None:
        return f"{reverse('screens:operate', args=[station.code])}?operation={here.pk}"
    words = {"station": station.name, "order": order.order_number}
    following = order.operations.exclude(status__in=_OVER).select_related("machine").order_by("sequence", "id").first()
    if following is None:
        said = gettext("Nothing of order %(order)s is to be done now; it is %(status)s.")
        raise Conflict(said % {**words, "status": order.get_status_display().lower()}, code="nothing_due")
    words |= {"step": following.name, "place": following.machine.name if following.machine else order.line.name}
    said = gettext("Not here (%(station)s). Order %(order)s: %(step)s comes next, at %(place)s.")
    raise Conflict(said % words, field="code", code="wrong_station")


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def station_unit(request: HttpRequest, code: str, unit_id: int) -> HttpResponse:
    """Show the form of the stage that is due for a unit at a machine; a POST saves it or completes the stage."""
    sites = sites_where(request, "add", "unit")
    machine = get_object_or_404(_machines(request, sites), code=code)
    unit = seen_unit(request, unit_id)
    refusal = None
    if request.method == "POST":
        try:
            said = fill_in(request, unit, machine)
        except (DomainError, ValidationError, PermissionDenied) as error:
            refusal = said_of(error)
        else:
            messages.success(request, said)
            due = know(unit).due
            if due is None or due.code != request.POST.get("stage"):
                return redirect("screens:station", machine.code)
            return redirect("screens:station-unit", machine.code, unit.pk)
    try:
        step = selectors.next_step(unit, machine)
    except DomainError as error:
        context = {"station": machine, "refusal": refusal_of(error), "scanned": unit.serial, "due": []}
        return render(request, "screens/station.html", context, status=409)
    context = {**form_context(request, know(unit), step.stage, refusal), "station": machine, "step": step}
    return render(request, "screens/station_unit.html", context, status=refusal.status if refusal else 200)
