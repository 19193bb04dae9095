"""Pages of maintenance: what is due and asked for, what is left of tools, and one order with what is done about it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.errors import Invalid
from core.exports import export_list, format_of
from core.fact_api import parse_fact_id
from core.master_data import caller, in_scope, site_id_of
from enterprise.models import Machine, Site
from maintenance import services
from maintenance.models import MaintenanceOrder, MaintenancePlan, MaintenanceStep, Tool
from maintenance.selectors import cost_of_parts, due_list, finished_orders, open_orders, stop_of, tool_lives
from maintenance.serializers import MaintenanceOrderSerializer
from maintenance.services import Said, allowed_steps
from materials.models import Location, MaterialLot
from oee.stops import Stop
from products.models import Product
from screens.acts import Act, KeyedForm, QuantityField, Refused, do_asked, offers
from screens.called import called
from screens.offering import offer
from screens.people_sites import MINUTES, sites_where
from screens.timeline import stop_address

KIND = "maintenance"
PAGE = 30
_Kind = MaintenanceStep.Kind


def _said(said: dict[str, Any], actor: User, now: datetime) -> Said:
    return Said(
        at=now,
        recorded_at=now,
        actor=actor,
        person=said.pop("person", ""),
        note=said.pop("note", ""),
        idempotency_key=said.pop("idempotency_key"),
    )


# --- asking for it ---


class AskForm(KeyedForm):
    """What is wrong with a machine. Its thing is the sites where the reader may ask."""

    machine = forms.ModelChoiceField(Machine.objects.none(), label=_("Machine"))
    title = forms.CharField(max_length=200, label=_("What is wrong"))
    description = forms.CharField(
        max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3}), label=_("What was seen")
    )
    machine_down = forms.BooleanField(required=False, label=_("The machine is down: nothing is started on it"))
    stop = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)

    def fill(self, thing: list[Site]) -> None:
        machines = Machine.objects.filter(is_active=True, line__area__site__in=thing).select_related("line")
        offer(self, machine=machines.order_by("line__name", "position", "name"))

    def clean_stop(self) -> datetime | None:
        """Return a moment in the stop that it is about."""
        owner, _dash, moment = str(self.cleaned_data["stop"]).partition("-")
        if not (owner.isdecimal() and moment.isdecimal() and len(owner) < 19 and len(moment) < 19):
            return None
        at: datetime = parse_fact_id(f"{owner}-{moment}")[1]
        return at


def _ask(sites: list[Site], said: dict[str, Any], actor: User, now: datetime) -> MaintenanceOrder:
    stop_at = said.pop("stop")
    return services.ask(said=_said(said, actor, now), stop_at=stop_at, **said).order


ASK = {"ask": Act(_("Ask for maintenance"), _ask, AskForm, needs="add")}


@login_required
def maintenance_list(request: HttpRequest) -> HttpResponseBase:
    """Show what is due, what was asked for, what is left of tools; a POST asks for maintenance."""
    now = timezone.now()
    sites_where(request, "view", KIND)
    may_ask = [site for site in _sites(request) if caller(request).may("add", KIND, site.pk)]
    refused: Refused | None = None
    if request.method == "POST":
        if not may_ask:
            raise PermissionDenied
        made, refused = do_asked(request, ASK, may_ask, kind=KIND, site_id=None)
        if refused is None:
            return redirect("screens:maintenance-order", made.pk)
    found = offers(request, ASK, may_ask, kind=KIND, site_id=None, refused=refused) if may_ask else []
    for one in found:
        if not one.is_refused:
            told = {name: text for name, text in request.GET.items() if name in ("machine", "stop")}
            one.form.initial = {**one.form.initial, **told}
    orders = _seen(request)
    if format_of(request):
        return export_list(request, orders.order_by("-id"), MaintenanceOrderSerializer, name=gettext("Maintenance"))
    page = Paginator(finished_orders(orders), PAGE).get_page(request.GET.get("page"))
    context = {
        "offers": found,
        "is_asking": "stop" in request.GET,
        "refused": refused,
        "open": open_orders(orders),
        "due": due_list(in_scope(MaintenancePlan.objects.all(), request.user, MaintenancePlan.site_paths), now=now),
        "tools": tool_lives(in_scope(Tool.objects.all(), request.user, Tool.site_paths), now=now),
        "page": page,
        "now": now,
    }
    return render(request, "screens/maintenance.html", context, status=400 if refused else 200)


def _sites(request: HttpRequest) -> list[Site]:
    return list(in_scope(Site.objects.filter(is_active=True), request.user, Site.site_paths).order_by("name", "pk"))


def _seen(request: HttpRequest) -> QuerySet[MaintenanceOrder]:
    seen: QuerySet[MaintenanceOrder] = in_scope(
        MaintenanceOrder.objects.all(), request.user, MaintenanceOrder.site_paths
    )
    return seen


# --- one order ---


class StepForm(KeyedForm):
    """A step, with what somebody says of it."""

    note = forms.CharField(max_length=480, required=False, label=_("Note"))


class WhyForm(KeyedForm):
    """A step that needs a reason."""

    note = forms.CharField(max_length=480, label=_("Why"))


class PlanForm(StepForm):
    """When it is to be done, on the site's clock."""

    planned_for = forms.DateTimeField(
        label=_("When"), widget=forms.DateTimeInput(format=MINUTES, attrs={"type": "datetime-local"})
    )


class PartForm(KeyedForm):
    """A spare part that is taken out of stock."""

    product = forms.CharField(max_length=64, label=_("Spare part"))
    quantity = QuantityField(label=_("Quantity"))
    from_location = forms.ModelChoiceField(Location.objects.none(), label=_("From"), empty_label=None)
    lot = forms.CharField(max_length=64, required=False, label=_("Lot"))
    unit_cost = QuantityField(min_value=0, required=False, label=_("Cost of one"))

    def fill(self, thing: MaintenanceOrder) -> None:
        site = thing.machine.line.area.site_id
        offer(self, from_location=Location.objects.filter(site=site, is_active=True).order_by("name", "pk"))


def _step(kind: str) -> Callable[[MaintenanceOrder, dict[str, Any], User, datetime], Any]:
    def do(order: MaintenanceOrder, said: dict[str, Any], actor: User, now: datetime) -> Any:
        planned_for = said.pop("planned_for", None)
        if planned_for is not None:
            # Written on the site's clock, read as the server's.
            planned_for = planned_for.replace(tzinfo=order.machine.line.area.site.zone)
        return services.take_step(order=order, kind=kind, said=_said(said, actor, now), planned_for=planned_for)

    return do


def _part(order: MaintenanceOrder, said: dict[str, Any], actor: User, now: datetime) -> Any:
    site = order.machine.line.area.site
    code = said.pop("product").strip()
    product = Product.objects.filter(code=code, is_active=True).first()
    if product is None:
        raise Invalid(gettext("There is no product %(name)s.") % {"name": code}, field="product")
    lot = called(MaterialLot, said.pop("lot"), site, field="lot")
    return services.use_part(order=order, product=product, lot=lot, said=_said(said, actor, now), **said)


def _may(kind: str) -> Callable[[MaintenanceOrder], bool]:
    return lambda order: kind in allowed_steps(order)


ACTS: dict[str, Act] = {
    "start": Act(_("Start"), _step(_Kind.STARTED), StepForm, is_offered=_may(_Kind.STARTED)),
    "part": Act(_("Use a spare part"), _part, PartForm, is_offered=lambda order: order.is_open),
    "finish": Act(_("Finish"), _step(_Kind.FINISHED), StepForm, is_offered=_may(_Kind.FINISHED)),
    "plan": Act(_("Plan"), _step(_Kind.PLANNED), PlanForm, is_offered=_may(_Kind.PLANNED)),
    "down": Act(_("The machine is down"), _step(_Kind.DOWN), StepForm, is_offered=_may(_Kind.DOWN)),
    "up": Act(_("Release the machine"), _step(_Kind.UP), StepForm, is_offered=_may(_Kind.UP)),
    "cancel": Act(_("Cancel"), _step(_Kind.CANCELLED), WhyForm, is_offered=_may(_Kind.CANCELLED)),
}


@login_required
def maintenance_order(request: HttpRequest, order_id: int) -> HttpResponse:
    """Show an order with its steps, parts and stop; a POST does something about it."""
    order = get_object_or_404(_seen(request).select_related("machine__line__area__site", "plan"), pk=order_id)
    site_id = site_id_of(order)
    if not caller(request).may("view", KIND, site_id):
        raise PermissionDenied
    refused: Refused | None = None
    if request.method == "POST":
        _made, refused = do_asked(request, ACTS, order, kind=KIND, site_id=site_id)
        if refused is None:
            return redirect("screens:maintenance-order", order.pk)
    parts = order.parts.select_related("movement__product", "movement__lot", "movement__reversed_by")
    context = {
        "order": order,
        "zone": order.machine.line.area.site.zone,
        "refused": refused,
        "offers": offers(request, ACTS, order, kind=KIND, site_id=site_id, refused=refused),
        "steps": order.steps.select_related("recorded_by").order_by("id"),
        "parts": parts.order_by("id"),
        "cost": cost_of_parts(order),
        "stop": _stop(order),
        "stop_address": stop_address(order.machine, order.stop_at) if order.stop_at else "",
    }
    return render(request, "screens/maintenance_order.html", context, status=400 if refused else 200)


def _stop(order: MaintenanceOrder) -> Stop | None:
    """Return the stop that it is about, as it is known now; None when it is about none,
    or the machine ran after all.
    """
    if order.stop_at is None:
        return None
    try:
        return stop_of(order.machine, order.stop_at, now=timezone.now())
    except Invalid:
        return None
