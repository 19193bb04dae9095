"""Pages of orders: which there are and how far they are, and everything about one."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Case, F, Q, QuerySet, Sum, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy

from core.errors import DomainError
from core.exports import export_list, format_of
from core.master_data import caller, in_scope, site_id_of
from core.names import sorted_for_reader
from core.reader import localized, number, said
from enterprise.models import Line
from execution.finish import finish_forecast
from execution.forecasting import Forecast
from execution.models import OperationRun
from execution.selectors import progress_of, progress_of_operations
from labor.models import LaborEntry
from materials.selectors import PRODUCED, RETURNED, USED, of_order
from products.models import Product
from screens.offering import offer
from screens.order_story import story
from screens.refusals import errors_in_words, refusal_of
from workorders import life, services
from workorders.models import Operation, OrderReason, WorkOrder
from workorders.selectors import LIVE, allowed, confirmed_of, family, made, tolerance
from workorders.serializers import WorkOrderSerializer

_ACTS: dict[str, Any] = {
    "release": services.release_order,
    "schedule": life.schedule,
    "start": life.start,
    "hold": life.hold,
    "resume": life.resume,
    "complete": life.complete,
    "close": life.close,
    "reopen": life.reopen,
    "cancel": life.cancel,
}
_REASONED = {"hold": "for_hold", "cancel": "for_cancel"}
_RIGHTS = {"hold": ("add", "order_hold"), "resume": ("change", "order_hold"), "confirm": ("add", "fact")}
OPEN = "open"


class FilterForm(forms.Form):
    """Which orders to list."""

    search = forms.CharField(max_length=100, required=False)
    status = forms.ChoiceField(
        choices=[("", gettext_lazy("Any status")), (OPEN, gettext_lazy("Not finished")), *WorkOrder.Status.choices],
        required=False,
    )
    line = forms.ModelChoiceField(Line.objects.none(), required=False, empty_label=gettext_lazy("Any line"))
    product = forms.CharField(max_length=100, required=False)
    customer = forms.CharField(max_length=200, required=False)
    due_before = forms.DateField(required=False)
    overdue = forms.BooleanField(required=False)


class ActForm(forms.Form):
    """What is to happen to an order."""

    action = forms.ChoiceField(choices=[(name, name) for name in (*_ACTS, "confirm")])
    reason = forms.ModelChoiceField(OrderReason.objects.filter(is_active=True), required=False)
    note = forms.CharField(max_length=500, required=False)
    quantity = forms.DecimalField(max_digits=18, decimal_places=6, min_value=Decimal(0), required=False)
    scrap = forms.DecimalField(max_digits=18, decimal_places=6, min_value=Decimal(0), required=False)
    short = forms.BooleanField(required=False)
    key = forms.CharField(max_length=100, required=False)


@dataclass(frozen=True, slots=True)
class Row:
    """An order in the list."""

    order: WorkOrder
    made: str
    target: str
    percent: int | None
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class Action:
    """A button, and what it asks for."""

    name: str
    label: str
    reasons: list[OrderReason] | None


_RANK = Case(
    When(status="in_progress", then=Value(0)),
    When(status="on_hold", then=Value(1)),
    When(status__in=LIVE, then=Value(2)),
    default=Value(3),
)


def _orders(request: HttpRequest) -> QuerySet[WorkOrder]:
    orders: QuerySet[WorkOrder] = in_scope(WorkOrder.objects.all(), request.user, WorkOrder.site_paths)
    return orders.select_related("product", "line__area__site", "unit", "customer")


def _narrowed(orders: QuerySet[WorkOrder], asked: dict[str, Any]) -> QuerySet[WorkOrder]:
    if search := asked.get("search"):
        condition = Q()
        for name in ("order_number", "description", "sales_order", "lot_number", "external_id"):
            condition |= Q(**{f"{name}__icontains": search})
        orders = orders.filter(condition)
    if asked.get("status"):
        orders = orders.filter(status__in=LIVE) if asked["status"] == OPEN else orders.filter(status=asked["status"])
    if asked.get("line"):
        orders = orders.filter(line=asked["line"])
    if product := asked.get("product"):
        orders = orders.filter(Q(product__code__icontains=product) | Q(product__name__icontains=product))
    if customer := asked.get("customer"):
        orders = orders.filter(Q(customer__name__icontains=customer) | Q(customer__code__icontains=customer))
    if asked.get("due_before"):
        orders = orders.filter(due_at__date__lt=asked["due_before"])
    if asked.get("overdue"):
        orders = orders.filter(status__in=LIVE, due_at__lt=timezone.now())
    return orders


def _made_of(orders: list[WorkOrder], now: datetime) -> dict[int, Fraction]:
    """Return what orders made, by id: as confirmed, or else as their operations' work and their lines' runs say.

    The number of queries does not grow with that of the orders. An order of which none is known is absent.
    """
    confirmed = confirmed_of(orders)
    progress = progress_of([order for order in orders if order.pk not in confirmed], now=now)
    reported = {pk: one.made.good for pk, one in progress.items() if one.source and one.made.good is not None}
    return {**reported, **{pk: one.good for pk, one in confirmed.items() if one.good is not None}}


@login_required
def order_list(request: HttpRequest) -> HttpResponseBase:
    """List orders: those in work or on hold, what is to come by its due date, then the finished, the newest first."""
    form = FilterForm(request.GET or None)
    lines = in_scope(Line.objects.filter(is_active=True), request.user, Line.site_paths).order_by("name")
    offer(form, line=lines)
    orders = _orders(request)
    orders = _narrowed(orders, form.cleaned_data if form.is_valid() else {})
    to_come = Case(When(status__in=LIVE, then=F("due_at")))
    ordered = orders.order_by(_RANK, to_come.asc(nulls_last=True), F("due_at").desc(nulls_last=True), "-id")
    if format_of(request):
        return export_list(request, ordered, WorkOrderSerializer, name=gettext("Orders"))
    page = Paginator(ordered, 50).get_page(request.GET.get("page"))
    now = timezone.now()
    made_ = _made_of(list(page), now)
    context = {"page": page, "rows": [_row(order, made_.get(order.pk), now) for order in page], "form": form}
    return render(request, "screens/orders.html", context)


def _row(order: WorkOrder, made_: Fraction | None, now: datetime) -> Row:
    return Row(
        order,
        "" if made_ is None else _amount(made_),
        f"{number(order.target_quantity)} {services.unit_of(order)}",
        None if made_ is None else int(made_ * 100 / Fraction(order.target_quantity)),
        _is_overdue(order, now),
    )


def _is_overdue(order: WorkOrder, now: Any) -> bool:
    return order.due_at is not None and order.due_at < now and order.status in LIVE


def _found(request: HttpRequest, key: str) -> WorkOrder:
    """Return the order of a number, or of an id when no order has that number."""
    orders = _orders(request)
    found = orders.filter(order_number=key).first()
    if found is None and key.isdecimal() and len(key) < 19:
        found = orders.filter(pk=int(key)).first()
    if found is None:
        raise Http404
    return found


@login_required
def order_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show an order; a POST takes a step of its life, or confirms what it made."""
    order = _found(request, key)
    form = ActForm(request.POST or None)
    refused = ""
    if request.method == "POST":
        if not form.is_valid():
            refused = errors_in_words(form)
        elif not _may(request, order, form.cleaned_data["action"]):
            raise PermissionDenied
        else:
            try:
                _act(order, form.cleaned_data, caller(request))
            except (DomainError, ValidationError) as refusal:
                refused = refusal_of(refusal).message
            else:
                return redirect("screens:order", order.order_number)
        order = _found(request, key)
    return render(request, "screens/order.html", _context(request, order, refused), status=409 if refused else 200)


def _may(request: HttpRequest, order: WorkOrder, action: str) -> bool:
    right, kind = _RIGHTS.get(action, ("change", "order"))
    return bool(caller(request).may(right, kind, site_id_of(order)))


def _act(order: WorkOrder, asked: dict[str, Any], actor: Any) -> None:
    said = {"work_order": order, "at": timezone.now(), "actor": actor, "note": asked["note"]}
    action = asked["action"]
    if action == "confirm":
        quantities = life.Quantities(good=asked["quantity"] or Decimal(0), scrap=asked["scrap"] or Decimal(0))
        life.confirm(**said, quantities=quantities, idempotency_key=asked["key"] or None)
    elif action == "complete":
        more = {"quantity": asked["quantity"], "short": asked["short"], "reason": asked["reason"]}
        life.complete(**said, **more)
    elif action in _REASONED:
        _ACTS[action](**said, reason=asked["reason"])
    else:
        _ACTS[action](**said)


def _context(request: HttpRequest, order: WorkOrder, refused: str) -> dict[str, Any]:
    reasons = sorted_for_reader(OrderReason.objects.filter(is_active=True))
    actions = [
        Action(
            name,
            capfirst(said(name)),
            [reason for reason in reasons if getattr(reason, _REASONED[name])] if name in _REASONED else None,
        )
        for name in allowed(order)
        if name != "complete" and _may(request, order, name)
    ]
    so_far, bounds = made(order, now=timezone.now()), tolerance(order)
    events = Paginator(story(order), 100).get_page(request.GET.get("page"))
    relatives = [row for row in family(order) if row.pk != order.pk]
    shown = _orders(request).filter(pk__in=[row.pk for row in relatives])
    unit = services.unit_of(order)
    return {
        "order": order,
        "zone": order.line.area.site.zone,
        "refused": refused,
        "actions": actions,
        "may_complete": "complete" in allowed(order) and _may(request, order, "complete"),
        "may_confirm": order.status in ("in_progress", "on_hold") and _may(request, order, "confirm"),
        "short_reasons": [reason for reason in reasons if reason.for_short],
        "key": f"page-{request.user.pk}-{timezone.now().timestamp()}",
        "unit": unit,
        "target": number(order.target_quantity),
        "made": so_far,
        "numbers": [
            (label, gettext("unknown") if value is None else f"{_amount(value)} {unit}")
            for label, value in (
                (gettext("Good"), so_far.good),
                (gettext("Scrap"), so_far.scrap),
                (gettext("To rework"), so_far.rework),
            )
        ],
        "bounds": [_amount(bound) if bound is not None else "" for bound in (bounds.least, bounds.most)],
        "is_overdue": _is_overdue(order, timezone.now()),
        "operations": _operations(order, timezone.now()),
        "materials": _materials(order),
        "runs": order.runs.select_related("line").order_by("-started_at")[:100],
        "labour": _labour(order),
        "confirmations": order.confirmations.select_related("confirmed_by", "reversed_by").order_by("-id")[:100],
        "lots": in_scope(order.lots_made.all(), request.user, ("site",)).select_related("product")[:100],
        "relatives": shown.select_related("parent", "merged_into").order_by("pk"),
        "page": events,
    }


@dataclass(frozen=True, slots=True)
class OperationRow:
    """An operation in the table: its quantities in words, and when it will be finished."""

    operation: Operation
    target: str
    good: str
    scrap: str
    rework: str
    percent: int | None
    is_beyond: bool
    forecast: Forecast | None


def _operations(order: WorkOrder, now: datetime) -> list[OperationRow]:
    """Return an order's operations with what they made. What is being worked on has a forecast, up to so many."""
    operations = list(
        order.operations.select_related("line", "machine", "machine_class", "work_order__product__unit")
        .select_related("work_order__unit", "work_order__line__area__site")
        .prefetch_related("parameters")
        .order_by("sequence", "id")
    )
    progress = progress_of_operations(operations, now=now)
    running = [one for one in operations if one.status == Operation.Status.IN_PROGRESS] if order.status in LIVE else []
    open_ = set(
        OperationRun.objects.filter(operation__in=running, ended_at__isnull=True).values_list("operation", flat=True)
    )
    shown = [one for one in running if one.pk in open_][:MAX_FORECASTS]
    forecasts = {one.pk: finish_forecast(one, now=now) for one in shown}
    rows = []
    for one in operations:
        made_ = progress[one.pk].made
        target = progress[one.pk].target
        rows.append(
            OperationRow(
                operation=one,
                target=_amount(target),
                good=_or_dash(made_.good),
                scrap=_or_dash(made_.scrap),
                rework=_or_dash(made_.rework),
                percent=int(made_.good * 100 / target) if made_.good is not None and target else None,
                is_beyond=bool(progress[one.pk].beyond),
                forecast=forecasts.get(one.pk),
            )
        )
    return rows


def _amount(quantity: Any) -> str:
    return localized(services.amount(quantity))


def _or_dash(quantity: Fraction | None) -> str:
    return "–" if quantity is None else _amount(quantity)


MAX_FORECASTS = 5


def _labour(order: WorkOrder) -> list[tuple[Any, Decimal]]:
    """Return what kinds of work people did on it, with what they made."""
    rows = order.labor_entries.values("kind").annotate(quantity=Sum("quantity_produced")).order_by("kind")
    return [(LaborEntry.Kind(row["kind"]).label, row["quantity"]) for row in rows]


def _materials(order: WorkOrder) -> list[tuple[Product, str, str, str]]:
    """Return what the order requires and has used, by product: product, required, used, unit."""
    used: dict[int, Decimal] = {}
    for row in of_order(order):
        if row["role"] in (USED, RETURNED, PRODUCED):
            sign = 1 if row["role"] == USED else -1
            used[row["product"]] = used.get(row["product"], Decimal(0)) + sign * row["total"]
    required: dict[int, Fraction] = {}
    for needed in order.materials.all():
        required[needed.product_id] = required.get(needed.product_id, Fraction(0)) + Fraction(needed.quantity_required)
    used.pop(order.product_id or 0, None)
    products = Product.objects.in_bulk([*required, *used])
    return [
        (
            product,
            _amount(required[pk]) if pk in required else "–",
            number(used.get(pk, Decimal(0))),
            str(product.unit_id),
        )
        for pk, product in sorted(products.items(), key=lambda item: item[1].code)
    ]
