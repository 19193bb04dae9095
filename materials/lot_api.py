"""REST of lots: what they are, what is decided about them, traces and recalls."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.api import need
from core.errors import Invalid
from core.fact_api import FactPagination
from core.filters import FilterSet
from core.idempotency import Idempotent
from core.master_data import caller
from materials.container_queries import containers_of_lot
from materials.lots import change_lot_status
from materials.models import MaterialLot, Stock
from materials.serializers import (
    DecideSerializer,
    LotSerializer,
    LotStatusChangeSerializer,
    RecallSerializer,
    TraceSerializer,
    WhereaboutsSerializer,
)
from materials.tracing import MAX_EDGES, Recall, Trace, recall, recall_csv, trace

MAX_CONTAINERS = 1000


class LotFilter(FilterSet):
    """By what a lot is, says, and where something of it lies."""

    location = filters.NumberFilter(method="at_location")
    in_stock = filters.BooleanFilter(method="having_stock")

    class Meta:
        model = MaterialLot
        fields = {
            "product": ["exact"],
            "product__code": ["exact"],
            "number": ["exact", "icontains"],
            "site": ["exact"],
            "status": ["exact", "in"],
            "parent": ["exact"],
            "work_order": ["exact"],
            "supplier_lot": ["exact"],
            "serial": ["exact"],
            "expiry_date": ["lt", "lte", "gte"],
            "recorded_at": ["gte", "lt"],
        }

    def at_location(self, queryset: Any, name: str, value: Any) -> Any:
        """Narrow to lots of which something lies at a place."""
        return queryset.filter(pk__in=Stock.objects.filter(location=value).exclude(quantity=0).values("lot"))

    def having_stock(self, queryset: Any, name: str, value: bool) -> Any:
        """Narrow to lots of which something is, or nothing is, in stock."""
        there = Stock.objects.filter(lot__isnull=False).exclude(quantity=0).values("lot")
        return queryset.filter(pk__in=there) if value else queryset.exclude(pk__in=there)


class LotViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, GenericViewSet):
    """Lots. One comes with its first movement; PATCH notes where it came from; `status` decides about it."""

    kind = "lot"
    queryset = MaterialLot.objects.select_related("product", "site")
    serializer_class = LotSerializer
    filterset_class = LotFilter
    search_fields = ("number", "supplier_lot", "batch", "serial", "product__code", "product__name")
    ordering_fields = ("id", "number", "expiry_date", "made_date", "recorded_at")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"
    http_method_names = ("get", "head", "options", "patch", "post")

    def check_site(self, thing: Any) -> None:
        """Raise PermissionDenied unless the caller may write about a lot at its site."""
        need(self, "change", thing)

    @extend_schema(request=DecideSerializer, responses={201: LotStatusChangeSerializer})
    @action(detail=True, methods=["post"])
    def status(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Release, hold, reject or quarantine it, saying why. 409 says what is allowed."""
        lot = self.get_object()
        self.check_site(lot)
        said = DecideSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        change = change_lot_status(
            lot=lot,
            to_status=said.validated_data["status"],
            reason=said.validated_data["reason"],
            actor=caller(request),
            changed_at=timezone.now(),
        )
        return Response(LotStatusChangeSerializer(change).data, status=201)

    @extend_schema(responses=LotStatusChangeSerializer(many=True), filters=False)
    @action(detail=True, url_path="status-changes", pagination_class=FactPagination)
    def status_changes(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what was decided about it, the newest first."""
        rows = self._lot().status_changes.select_related("changed_by").order_by("-id")
        paginator = FactPagination()
        paginator.ordering = ("-id",)
        page = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(LotStatusChangeSerializer(page, many=True).data)

    @extend_schema(
        parameters=[OpenApiParameter("direction", str, enum=["forward", "backward"])],
        responses=TraceSerializer,
        filters=False,
    )
    @action(detail=True)
    def trace(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say what it went into (`forward`, as nothing is said) or what it was made of (`backward`), over any depth."""
        direction = request.query_params.get("direction", "forward")
        if direction not in ("forward", "backward"):
            raise Invalid("One of forward, backward.", field="direction")
        found = trace(self._lot(), forward=direction == "forward", user=caller(request))
        return Response(TraceSerializer(_graph(found)).data)

    @extend_schema(responses=WhereaboutsSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def containers(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say in which containers it is, and in which it was shipped."""
        found = containers_of_lot(self._lot(), user=caller(request))
        return Response(WhereaboutsSerializer(found[:MAX_CONTAINERS], many=True).data)

    @extend_schema(responses=RecallSerializer, filters=False)
    @action(detail=True)
    def recall(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say which lots, orders and customers it concerns, how much there was,
        and what is still in house and where.
        """
        return Response(RecallSerializer(_report(recall(self._lot(), user=caller(request)))).data)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR}, filters=False)
    @action(detail=True, url_path=r"recall\.csv", url_name="recall-csv")
    def recall_csv(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the recall as a spreadsheet, complete."""
        lot = self._lot()
        return csv_of(recall(lot, user=caller(request)))

    def _lot(self) -> MaterialLot:
        lot: MaterialLot = self.get_object()
        return lot


def csv_of(found: Recall) -> HttpResponse:
    """Return a recall as a file to save."""
    now = timezone.now()
    text = recall_csv(found, status_of={row.lot.pk: row.lot.status_at(now) for row in found.lots})
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="recall-lot-{found.lot.pk}.csv"'
    return answer


def _node(lot: MaterialLot, depth: int) -> dict[str, Any]:
    return {
        "id": lot.pk,
        "number": lot.number,
        "product": lot.product.code,
        "product_name": lot.product.name,
        "status_now": lot.status_at(timezone.now()),
        "depth": depth,
    }


def _graph(found: Trace) -> dict[str, Any]:
    shown = found.edges[:MAX_EDGES]
    near = {found.lot.pk} | {pk for edge in shown for pk in (edge.input_lot_id, edge.output_lot_id)}
    return {
        "lot": found.lot.pk,
        "direction": "forward" if found.forward else "backward",
        "nodes": [_node(lot, found.depths[lot.pk]) for lot in found.near_first() if lot.pk in near],
        "edges": [
            {
                "input_lot": edge.input_lot_id,
                "output_lot": edge.output_lot_id,
                "work_order": edge.work_order_id if edge.work_order_id in found.orders else None,
                "order_number": found.orders.get(edge.work_order_id or 0),
                "quantity": edge.quantity,
            }
            for edge in shown
        ],
        "is_complete": len(shown) == len(found.edges),
        "hidden_lots": found.hidden,
    }


def _report(found: Recall) -> dict[str, Any]:
    return {
        "lot": found.lot.pk,
        "lots": [
            {
                **_node(row.lot, row.depth),
                "made_by": row.made_by,
                "customers": row.customers,
                "used_by": row.orders,
                "brought_in": row.brought_in,
                "still_in_house": row.still_in_house,
                "consumed": row.flow.consumed,
                "shipped": row.flow.shipped,
                "scrapped": row.flow.scrapped,
                "gone": row.gone,
                "unit": row.lot.product.unit_id,
                "containers": row.containers,
                "where": [
                    {"location": there.location.code, "site": there.location.site.code, "quantity": there.quantity}
                    for there in row.in_house
                ],
            }
            for row in found.lots[:MAX_EDGES]
        ],
        "orders": found.orders,
        "customers": found.customers,
        "is_complete": len(found.lots) <= MAX_EDGES,
        "hidden_lots": found.hidden,
    }
