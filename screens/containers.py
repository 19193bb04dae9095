"""Pages of containers: which there are and where, what is in one, what happened to it,
and the forms of what people do.
"""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.exact import plain_number
from core.exports import export_list, format_of
from core.master_data import caller, in_scope
from materials import container_moves, containers, packing
from materials.container_models import Container, ContainerContent, ContainerPolicy
from materials.container_queries import container_called, history_of, paths_of, tree_ids
from materials.container_serializers import ContainerSerializer
from materials.container_steps import allowed
from materials.models import Location, MaterialLot
from screens.offering import offer
from tracking.packing import units_in

MAX_ROWS = 500
"""What of a tree one page shows."""


def _named(name: Any) -> forms.Select:
    return forms.Select(attrs={"aria-label": name})


class FilterForm(forms.Form):
    """Which containers to list."""

    search = forms.CharField(max_length=100, required=False, label=_("Code, SSCC or lot"))
    kind = forms.ChoiceField(
        choices=[("", _("Any kind")), *Container.Kind.choices], required=False, widget=_named(_("Kind"))
    )
    status = forms.ChoiceField(
        choices=[("", _("Any status")), *Container.Status.choices], required=False, widget=_named(_("Status"))
    )
    location = forms.ModelChoiceField(
        Location.objects.none(), required=False, empty_label=_("Any place"), widget=_named(_("Place"))
    )


class Keyed(forms.Form):
    """A form whose key makes a second click have no second effect."""

    key = forms.RegexField(r"^[A-Za-z0-9._:-]{1,64}\Z", required=False)


class OpenForm(Keyed):
    """A new container."""

    location = forms.ModelChoiceField(Location.objects.none(), empty_label=_("Place"), widget=_named(_("Place")))
    kind = forms.ChoiceField(choices=Container.Kind.choices, widget=_named(_("Kind")))
    code = forms.CharField(max_length=64, required=False)
    new_sscc = forms.BooleanField(required=False)


class PackForm(Keyed):
    """So much of a lot."""

    lot = forms.CharField(max_length=64)
    quantity = forms.DecimalField(max_digits=18, decimal_places=6)


class IntoForm(Keyed):
    """The container that it is put into."""

    into = forms.CharField(max_length=64)


class PlaceForm(Keyed):
    """Where it is brought."""

    to_location = forms.ModelChoiceField(Location.objects.none())


class ShipForm(Keyed):
    """Who it is sent to."""

    recipient = forms.CharField(max_length=200, required=False)


class WhyForm(Keyed):
    """Why."""

    reason = forms.CharField(max_length=500)


@dataclass(frozen=True, slots=True)
class Row:
    """A container in a tree, with what is in it."""

    container: Container
    depth: int
    contents: list[tuple[ContainerContent, str]]


def _containers(request: HttpRequest) -> QuerySet[Container]:
    if not caller(request).may("view", "material"):
        raise PermissionDenied
    seen: QuerySet[Container] = in_scope(Container.objects.all(), request.user, Container.site_paths)
    return seen.select_related("site", "location", "parent", "product")


def _places(request: HttpRequest, site_id: int | None = None) -> QuerySet[Location]:
    places: QuerySet[Location] = in_scope(
        Location.objects.filter(is_active=True), request.user, Location.site_paths
    ).select_related("site")
    return places if site_id is None else places.filter(site=site_id)


@login_required
def container_list(request: HttpRequest) -> HttpResponseBase:
    """List containers, the newest first; a POST opens one."""
    seen, places = _containers(request), _places(request)
    opening = OpenForm(request.POST or None)
    offer(opening, location=places)
    refused = ""
    if request.method == "POST":
        made, refused = _open(request, opening)
        if made is not None:
            return redirect("screens:container", made.pk)
    form = FilterForm(request.GET or None)
    offer(form, location=places)
    if form.is_valid():
        seen = _narrowed(seen, form.cleaned_data)
    if format_of(request):
        rows = seen.prefetch_related("contents__product", "contents__lot").order_by("-id")
        return export_list(request, rows, ContainerSerializer, name=gettext("Containers"))
    page = Paginator(seen.order_by("-id"), 50).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "form": form,
        "opening": opening,
        "refused": refused,
        "key": uuid4().hex,
        "may_open": caller(request).may("add", "material"),
        "makes_sscc": in_scope(ContainerPolicy.objects.all(), request.user, ContainerPolicy.site_paths).exists(),
    }
    return render(request, "screens/containers.html", context, status=409 if refused else 200)


def _narrowed(seen: QuerySet[Container], asked: dict[str, Any]) -> QuerySet[Container]:
    if search := asked.get("search"):
        of_lot = ContainerContent.objects.filter(lot__number__icontains=search).values("container")
        seen = seen.filter(Q(code__icontains=search) | Q(sscc__contains=search) | Q(pk__in=of_lot))
    for name in ("kind", "status", "location"):
        if asked.get(name):
            seen = seen.filter(**{name: asked[name]})
    return seen


def _told(request: HttpRequest, form: forms.Form) -> dict[str, Any]:
    now = timezone.now()
    key = form.cleaned_data.pop("key") or None
    return {"actor": caller(request), "occurred_at": now, "recorded_at": now, "idempotency_key": key}


def _open(request: HttpRequest, form: OpenForm) -> tuple[Container | None, str]:
    if not form.is_valid():
        return None, _unfilled(form)
    told = _told(request, form)
    if not caller(request).may("add", "material", form.cleaned_data["location"].site_id):
        raise PermissionDenied
    try:
        return containers.open_container(**form.cleaned_data, **told).step.container, ""
    except DomainError as refusal:
        return None, refusal.message
    except ValidationError as refusal:
        return None, " ".join(refusal.messages)


def _unfilled(form: forms.Form) -> str:
    return str(_("Fill in: %(fields)s.")) % {"fields": ", ".join(sorted(form.errors))}


@login_required
def container_page(request: HttpRequest, container_id: int) -> HttpResponse:
    """Show a container; a POST does one of what is allowed."""
    container = get_object_or_404(_containers(request), pk=container_id)
    refused = ""
    if request.method == "POST":
        try:
            refused = _act(request, container)
        except DomainError as refusal:
            refused = refusal.message
        if not refused:
            return redirect("screens:container", container.pk)
        container = get_object_or_404(_containers(request), pk=container_id)
    person, site_id = caller(request), container.site_id
    may = set(allowed(container)) if person.may("add", "material", site_id) else set()
    if not person.may("change", "material", site_id):
        may.discard("bring_back")
    history = Paginator(history_of(container), 50).get_page(request.GET.get("page"))
    rows = _tree(container)
    context = {
        "container": container,
        "zone": container.site.zone,
        "path": paths_of([container.pk])[container.pk][1:],
        "rows": rows[:MAX_ROWS],
        "is_cut": len(rows) > MAX_ROWS,
        "may": may,
        "units": units_in(container)[:MAX_ROWS],
        "places": _places(request, site_id),
        "page": history,
        "history": [(step, plain_number(step.quantity) if step.quantity else "") for step in history],
        "refused": refused,
        "key": uuid4().hex,
        "said": request.POST if refused else {},
    }
    return render(request, "screens/container.html", context, status=409 if refused else 200)


_ACTIONS: dict[str, tuple[Any, type[Keyed]]] = {
    "pack": (packing.pack, PackForm),
    "unpack": (packing.unpack, PackForm),
    "put_into": (containers.put_into, IntoForm),
    "take_out": (containers.take_out, Keyed),
    "close": (containers.close, Keyed),
    "reopen": (containers.reopen, Keyed),
    "move": (container_moves.move, PlaceForm),
    "ship": (container_moves.ship, ShipForm),
    "bring_back": (container_moves.bring_back, WhyForm),
    "empty": (containers.empty, Keyed),
    "empty_at": (containers.empty, PlaceForm),
}


def _act(request: HttpRequest, container: Container) -> str:
    """Do what the form asks for; return why not when it is not filled in well."""
    name = request.POST.get("action", "")
    if name not in _ACTIONS:
        return str(_("Choose what to do."))
    needs = "change" if name == "bring_back" else "add"
    if not caller(request).may(needs, "material", container.site_id):
        raise PermissionDenied
    service, form_class = _ACTIONS[name]
    form = form_class(request.POST)
    if "to_location" in form.fields:
        offer(form, to_location=_places(request, container.site_id))
    if not form.is_valid():
        return _unfilled(form)
    told = _told(request, form)
    said = form.cleaned_data
    if "lot" in said:
        number = said["lot"]
        lots = in_scope(MaterialLot.objects.filter(number=number), request.user, MaterialLot.site_paths)
        if container.product_id is not None:
            lots = lots.filter(product=container.product_id)
        found = list(lots.select_related("product")[:2])
        if len(found) != 1:
            words = _("There is no lot %(number)s.") if not found else _("Several products have a lot %(number)s.")
            return str(words) % {"number": number}
        said |= {"lot": found[0], "product": found[0].product}
    if "into" in said:
        said["into"] = container_called(said["into"], site_id=container.site_id)
    service(container=container, **said, **told)
    return ""


def _tree(container: Container) -> list[Row]:
    """Return a container and all that lies in it, read from top to bottom."""
    ids = tree_ids([container.pk])
    inside: dict[int | None, list[Container]] = {}
    for one in Container.objects.filter(pk__in=ids).order_by("-code"):
        inside.setdefault(one.parent_id, []).append(one)
    contents: dict[int, list[tuple[ContainerContent, str]]] = {}
    for content in ContainerContent.objects.filter(container__in=ids).select_related("product", "lot"):
        contents.setdefault(content.container_id, []).append((content, plain_number(content.quantity)))
    rows, waiting = [], [(container, 1)]
    while waiting:
        one, depth = waiting.pop()
        rows.append(Row(one, depth, contents.get(one.pk, [])))
        waiting += [(child, depth + 1) for child in inside.get(one.pk, [])]
    return rows
