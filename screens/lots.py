"""Pages of lots: what there is and where, what happened to one, what it is in and what is in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from core.errors import DomainError
from core.exports import export_list, format_of
from core.master_data import caller, in_scope, site_id_of
from core.reader import number
from materials.container_queries import containers_of_lot
from materials.lot_api import csv_of
from materials.lots import TRANSITIONS, change_lot_status
from materials.models import Location, LotStatus, MaterialLot, Stock
from materials.selectors import expired
from materials.serializers import LotSerializer
from materials.tracing import Trace, movements_of, recall, trace
from oee.lot_conditions import what_was_there
from oee.lot_conditions_api import seen_by
from screens.offering import offer
from screens.order_story import plain

MAX_ROWS = 500
"""What a trace shows on the page; the recall's file has all."""


class FilterForm(forms.Form):
    """Which lots to list."""

    search = forms.CharField(max_length=100, required=False, label=gettext_lazy("Lot, supplier's lot or product"))
    status = forms.ChoiceField(
        choices=[("", gettext_lazy("Any status")), *LotStatus.choices, ("expired", gettext_lazy("Expired"))],
        required=False,
    )
    location = forms.ModelChoiceField(Location.objects.none(), required=False, empty_label=gettext_lazy("Any place"))
    in_stock = forms.BooleanField(required=False, label=gettext_lazy("Only what is in stock"))


class DecideForm(forms.Form):
    """What becomes of a lot, and why."""

    status = forms.ChoiceField(choices=LotStatus.choices)
    reason = forms.CharField(max_length=500)


@dataclass(frozen=True, slots=True)
class Row:
    """A lot in a trace, as the table and the tree show it."""

    lot: MaterialLot
    depth: int
    status: str
    quantity: str
    orders: str
    further: bool
    """Whether it was shown above already, with what follows from it."""


def _lots(request: HttpRequest) -> QuerySet[MaterialLot]:
    lots: QuerySet[MaterialLot] = in_scope(MaterialLot.objects.all(), request.user, MaterialLot.site_paths)
    return lots.select_related("product", "site", "work_order", "parent")


def _narrowed(lots: QuerySet[MaterialLot], asked: dict[str, Any], *, now: datetime) -> QuerySet[MaterialLot]:
    if search := asked.get("search"):
        names = ("number", "supplier_lot", "product__name", "product__code")
        condition = Q()
        for name in names:
            condition |= Q(**{f"{name}__icontains": search})
        lots = lots.filter(condition)
    status = asked.get("status")
    if status == "expired":
        lots = expired(lots, at=now)
    elif status:
        lots = lots.filter(status=status)
    there = Stock.objects.filter(lot__isnull=False).exclude(quantity=0)
    if asked.get("location"):
        lots = lots.filter(pk__in=there.filter(location=asked["location"]).values("lot"))
    elif asked.get("in_stock"):
        lots = lots.filter(pk__in=there.values("lot"))
    return lots


@login_required
def lot_list(request: HttpRequest) -> HttpResponseBase:
    """List lots, the newest first, with what is in stock and where."""
    now = timezone.now()
    form = FilterForm(request.GET or None)
    offer(form, location=in_scope(Location.objects.filter(is_active=True), request.user, Location.site_paths))
    lots = _lots(request)
    if form.is_valid():
        lots = _narrowed(lots, form.cleaned_data, now=now)
    stock = in_scope(Stock.objects.exclude(quantity=0), request.user, Stock.site_paths).select_related("location")
    lots = lots.prefetch_related(Prefetch("stock", queryset=stock, to_attr="in_house"))
    if format_of(request):
        return export_list(request, lots.order_by("-id"), LotSerializer, name=gettext("Lots"))
    page = Paginator(lots.order_by("-id"), 50).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(lot, lot.status_at(now), _sum(lot)) for lot in page],
        "form": form,
    }
    return render(request, "screens/lots.html", context)


def _sum(lot: Any) -> str:
    return number(sum(row.quantity for row in lot.in_house))


@login_required
def lot_page(request: HttpRequest, lot_id: int) -> HttpResponse:
    """Show a lot; a POST decides about it."""
    now = timezone.now()
    lot = get_object_or_404(_lots(request), pk=lot_id)
    may_decide = caller(request).may("change", "lot", site_id_of(lot))
    form = DecideForm(request.POST or None)
    refused = ""
    if request.method == "POST":
        if not may_decide:
            raise PermissionDenied
        if form.is_valid():
            try:
                change_lot_status(
                    lot=lot,
                    to_status=form.cleaned_data["status"],
                    reason=form.cleaned_data["reason"],
                    actor=caller(request),
                    changed_at=now,
                )
            except DomainError as refusal:
                refused = refusal.message
            else:
                return redirect("screens:lot", lot.pk)
    stock = in_scope(Stock.objects.filter(lot=lot).exclude(quantity=0), request.user, Stock.site_paths)
    rows = movements_of(lot).select_related(
        "lot", "to_lot", "from_location", "to_location", "work_order", "performed_by", "reversed_by"
    )
    movements = Paginator(rows, 50).get_page(request.GET.get("page"))
    traces = [trace(lot, forward=forward, user=caller(request)) for forward in (False, True)]
    context = {
        "lot": lot,
        "zone": lot.site.zone,
        "status_now": lot.status_at(now),
        "choices": [choice for choice in LotStatus.choices if choice[0] in TRANSITIONS[lot.status]],
        "may_decide": may_decide,
        "form": form,
        "refused": refused,
        "stock": [(there.location, plain(there.quantity)) for there in stock.select_related("location")],
        "containers": [
            (there, plain(there.quantity)) for there in containers_of_lot(lot, user=caller(request))[:MAX_ROWS]
        ],
        "decisions": lot.status_changes.select_related("changed_by").order_by("-id")[:50],
        "conditions": seen_by(what_was_there(lot, now=now), caller(request)),
        "sees_people": caller(request).may("view", "labor", site_id_of(lot)),
        "page": movements,
        "movements": [(fact, plain(fact.quantity)) for fact in movements],
        "traces": [
            (title, empty, found, _tree(found, now), _table(found, now), len(found.edges) > MAX_ROWS)
            for title, empty, found in zip(
                (gettext("Made of"), gettext("Went into")),
                (gettext("Nothing is known to be in it."), gettext("It went into nothing yet.")),
                traces,
                strict=True,
            )
        ],
    }
    return render(request, "screens/lot.html", context, status=409 if refused else 200)


def _row(found: Trace, lot_id: int, edge: Any, depth: int, further: bool, now: datetime) -> Row:
    lot = found.lots[lot_id]
    return Row(
        lot,
        depth,
        lot.status_at(now),
        f"{number(edge.quantity)} {found.lots[edge.input_lot_id].product.unit_id}",
        found.orders.get(edge.work_order_id or 0, "" if edge.work_order_id else gettext("split")),
        further,
    )


def _table(found: Trace, now: datetime) -> list[Row]:
    """Return one row for each link, the nearest first."""
    rows = []
    for edge in found.edges[:MAX_ROWS]:
        there = edge.output_lot_id if found.forward else edge.input_lot_id
        rows.append(_row(found, there, edge, found.depths[there], False, now))
    return sorted(rows, key=lambda row: row.depth)


def _tree(found: Trace, now: datetime) -> list[Row]:
    """Return the links as a tree read from top to bottom; what is met again is not unfolded again."""
    near: dict[int, list[Any]] = {}
    for edge in found.edges:
        near.setdefault(edge.input_lot_id if found.forward else edge.output_lot_id, []).append(edge)
    rows: list[Row] = []
    unfolded = {found.lot.pk}
    waiting = [(edge, 1) for edge in reversed(near.get(found.lot.pk, []))]
    while waiting and len(rows) < MAX_ROWS:
        edge, depth = waiting.pop()
        there = edge.output_lot_id if found.forward else edge.input_lot_id
        again = there in unfolded and bool(near.get(there))
        rows.append(_row(found, there, edge, min(depth, 12), again, now))
        if there not in unfolded:
            unfolded.add(there)
            waiting += [(following, depth + 1) for following in reversed(near.get(there, []))]
    return rows


@login_required
def recall_file(request: HttpRequest, lot_id: int) -> HttpResponse:
    """Return what a recall of a lot concerns, as a spreadsheet."""
    return csv_of(recall(get_object_or_404(_lots(request), pk=lot_id), user=caller(request)))
