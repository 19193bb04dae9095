"""REST of lots, movements, stock, traces and scans."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet
from core.errors import Invalid
from core.fact_api import FactPagination
from core.idempotency import Idempotent
from core.master_data import caller, site_id_of
from materials import services
from materials.backflush import Requirement, backflush, backflush_of_order
from materials.balance import mass_balance
from materials.loading import load
from materials.models import BackflushPolicy, Kind, Location, MaterialLot, MaterialTransaction, PickingPolicy, Stock
from materials.scan import read
from materials.selectors import pick, picking_rule
from materials.serializers import (
    BackflushPolicySerializer,
    BackflushSerializer,
    BalanceQuerySerializer,
    BalanceSerializer,
    DecideSerializer,
    LoadSerializer,
    LocationSerializer,
    LotSerializer,
    LotStatusChangeSerializer,
    NewBackflushSerializer,
    NewTransactionSerializer,
    PickingPolicySerializer,
    PickQuerySerializer,
    PickSerializer,
    RecallSerializer,
    ScanQuerySerializer,
    ScanSerializer,
    StockSerializer,
    TraceSerializer,
    TransactionSerializer,
)
from materials.services import Posted
from materials.tracing import MAX_EDGES, Recall, Trace, recall, recall_csv, trace
from workorders.models import Operation, WorkOrder

NOT_AT_THAT_SITE = "Your role at that site does not allow this."


class LocationViewSet(MasterDataViewSet):
    """Where material lies."""

    queryset = Location.objects.all()
    serializer_class = LocationSerializer
    filterset_fields = {
        "site": ["exact"],
        "parent": ["exact", "isnull"],
        "kind": ["exact"],
        "line": ["exact"],
        "code": ["exact"],
        "is_active": ["exact"],
    }
    search_fields = ("code", "name")


class PickingPolicyViewSet(MasterDataViewSet):
    """Whether a lot may be taken while another expires first, by site and product."""

    queryset = PickingPolicy.objects.all()
    serializer_class = PickingPolicySerializer
    filterset_fields = ("site", "product", "rule")


class BackflushPolicyViewSet(MasterDataViewSet):
    """When what an order needs is booked by itself, by site and product that is made."""

    queryset = BackflushPolicy.objects.all()
    serializer_class = BackflushPolicySerializer
    filterset_fields = ("site", "product", "mode")


class LotFilter(filters.FilterSet):  # type: ignore[misc]
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

    def site_id_of(self, thing: Any) -> int | None:
        """Return the site that a lot came in at."""
        return site_id_of(thing)

    def check_site(self, thing: Any) -> None:
        """Raise PermissionDenied unless the caller may write about a lot at its site."""
        if not caller(self.request).may("change", self.kind, site_id_of(thing)):
            self.permission_denied(self.request, NOT_AT_THAT_SITE)

    @extend_schema(request=DecideSerializer, responses={201: LotStatusChangeSerializer})
    @action(detail=True, methods=["post"])
    def status(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Release, hold, reject or quarantine it, saying why. 409 says what is allowed."""
        lot = self.get_object()
        self.check_site(lot)
        said = DecideSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        change = services.change_lot_status(
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

    @extend_schema(responses=RecallSerializer, filters=False)
    @action(detail=True)
    def recall(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say which lots, orders and customers it concerns, how much there was, and what is still in house and where."""
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


class TransactionFilter(filters.FilterSet):  # type: ignore[misc]
    """By what moved, where, when and for which order."""

    location = filters.NumberFilter(method="at_location")

    class Meta:
        model = MaterialTransaction
        fields = {
            "kind": ["exact", "in"],
            "product": ["exact"],
            "lot": ["exact"],
            "lot__number": ["exact"],
            "work_order": ["exact"],
            "operation_code": ["exact"],
            "from_location": ["exact"],
            "to_location": ["exact"],
            "occurred_at": ["gte", "lt"],
            "recorded_at": ["gte", "lt"],
            "idempotency_key": ["exact"],
            "reverses": ["exact", "isnull"],
        }

    def at_location(self, queryset: Any, name: str, value: Any) -> Any:
        """Narrow to what came to or left a place."""
        return queryset.filter(from_location=value) | queryset.filter(to_location=value)


class TransactionViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """The ledger of movements. POST records one; nothing is changed or deleted, a mistake is reversed."""

    kind = "material"
    queryset = MaterialTransaction.objects.select_related("lot", "to_lot", "performed_by")
    serializer_class = TransactionSerializer
    pagination_class = FactPagination
    filterset_class = TransactionFilter
    search_fields = ("lot__number", "reason", "work_order__order_number")
    ordering_fields = ("id", "occurred_at")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"

    def site_id_of(self, thing: Any) -> int | None:
        """Return the site of the place that something left or came to."""
        return site_id_of(thing)

    @extend_schema(request=NewTransactionSerializer, responses={201: TransactionSerializer, 200: TransactionSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Record a movement: 201, or 200 with the first answer for a repeated `idempotency_key`.

        409 says what stands against it: too little stock, a lot that must not be used, an order that is closed.
        """
        given = NewTransactionSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values = given.validated_data
        self._check_rights(values)
        posted = _record(values, actor=caller(request))
        return Response(self.get_serializer(posted.transaction).data, status=201 if posted.is_new else 200)

    def _check_rights(self, values: dict[str, Any]) -> None:
        needs = "change" if values["kind"] in (Kind.ADJUST, Kind.REVERSAL) else "add"
        undone = values.get("reverses")
        named = (undone.from_location, undone.to_location, undone.work_order) if undone else ()
        places = [*named, *(values.get(name) for name in ("from_location", "to_location", "work_order"))]
        sites = {site_id_of(place) for place in places if place is not None}
        for site_id in sites or {None}:
            if not caller(self.request).may(needs, self.kind, site_id):
                self.permission_denied(self.request, NOT_AT_THAT_SITE)
            # Whoever takes material in does not release it as well, unless both is theirs to do.
            may_release = caller(self.request).may("change", "lot", site_id)
            if values.get("lot_status") == "released" and values["kind"] == Kind.RECEIVE and not may_release:
                self.permission_denied(self.request, "Your role does not release lots; leave `lot_status` out.")


def _record(values: dict[str, Any], *, actor: Any) -> Posted:
    """Call the service of a kind with what was validated for it."""
    now = timezone.now()
    kind = values["kind"]
    said: dict[str, Any] = {
        name: values[name]
        for name in ("idempotency_key", "reason", "operation_code", "unit", "unit_cost")
        if name in values
    }
    said |= {"actor": actor, "occurred_at": values.get("occurred_at", now), "recorded_at": now}
    if kind == Kind.REVERSAL:
        return services.reverse(transaction=values["reverses"], **said)
    places = {name: values[name] for name in ("from_location", "to_location", "work_order") if values.get(name)}
    if kind == Kind.SPLIT:
        return services.split_lot(
            lot=values["lot"], number=values["lot_number"], quantity=values["quantity"], **places, **said
        )
    what = {"product": values["product"], "quantity": values["quantity"], "lot": values.get("lot")}
    if kind == Kind.ADJUST:
        less = places.get("from_location")
        quantity = -values["quantity"] if less else values["quantity"]
        if values["quantity"] <= 0:
            raise Invalid("The quantity is greater than zero.", field="quantity")
        return services.adjust(**{**what, "quantity": quantity}, location=less or places["to_location"], **said)
    if kind == Kind.PRODUCE:
        what["inputs"] = [(row["lot"], row["quantity"]) for row in values.get("inputs", ())]
    acts: dict[str, Any] = {
        Kind.RECEIVE: services.receive,
        Kind.ISSUE: services.issue,
        Kind.CONSUME: services.consume,
        Kind.PRODUCE: services.produce,
        Kind.RETURN: services.return_to_stock,
        Kind.SCRAP: services.scrap,
        Kind.SHIP: services.ship,
        Kind.MOVE: services.move,
    }
    posted: Posted = acts[kind](**what, **places, **said)
    return posted


class StockFilter(filters.FilterSet):  # type: ignore[misc]
    """By what lies where; empty places only when asked for."""

    empty = filters.BooleanFilter(method="with_empty")

    class Meta:
        model = Stock
        fields = {
            "product": ["exact"],
            "product__code": ["exact"],
            "lot": ["exact"],
            "lot__number": ["exact"],
            "lot__status": ["exact"],
            "location": ["exact"],
            "location__site": ["exact"],
            "location__kind": ["exact"],
        }

    def with_empty(self, queryset: Any, name: str, value: bool) -> Any:
        """Narrow to places where nothing is left, or something is."""
        return queryset.filter(quantity=0) if value else queryset.exclude(quantity=0)


class StockViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """What lies where: the sum of all movements."""

    kind = "material"
    queryset = Stock.objects.select_related("product", "lot__site", "location")
    serializer_class = StockSerializer
    filterset_class = StockFilter
    search_fields = ("product__code", "product__name", "lot__number", "location__code")
    ordering_fields = ("id", "product", "location", "quantity", "lot__expiry_date")
    ordering = ("id",)
    lookup_value_regex = r"\d+"

    def site_id_of(self, thing: Any) -> int | None:
        """Return the site of the place."""
        return site_id_of(thing)


class AskView(Idempotent, GenericAPIView):
    """A question whose answer is worked out when it is asked."""

    kind = "material"
    queryset = MaterialLot.objects.none()
    pagination_class = None
    filter_backends = ()

    def asked(self, query_class: Any, request: Request) -> dict[str, Any]:
        """Return the question's parameters, validated."""
        query = query_class(data=request.query_params.dict(), context={"request": request})
        query.is_valid(raise_exception=True)
        values: dict[str, Any] = query.validated_data
        return values


class ScanView(AskView):
    """What a scanned code means, and which lot, product, place or order it is here."""

    serializer_class = ScanSerializer

    @extend_schema(parameters=[ScanQuerySerializer], responses=ScanSerializer)
    def get(self, request: Request) -> Response:
        """Read a GS1 element string (GS1-128, DataMatrix, or printed with brackets), or a plain number."""
        code = self.asked(ScanQuerySerializer, request)["code"]
        found = read(code, user=caller(request), today=timezone.now().date())
        answer = {
            "is_gs1": bool(found.elements),
            "problem": found.problem,
            "elements": found.elements,
            "product": found.product.code if found.product else None,
            "lots": found.lots,
            "location": found.location.code if found.location else None,
            "work_order": found.work_order.order_number if found.work_order else None,
        }
        return Response(ScanSerializer(answer, context={"request": request}).data)


class LoadView(AskView):
    """Load what was scanned at a machine."""

    serializer_class = TransactionSerializer

    @extend_schema(request=LoadSerializer, responses={201: TransactionSerializer, 200: TransactionSerializer})
    def post(self, request: Request) -> Response:
        """Use a scanned lot for an operation: 201, or 200 for a repeated key; 409 says what stands against it."""
        given = LoadSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        values, now = dict(given.validated_data), timezone.now()
        for place in (values["operation"], values["machine"]):
            if not caller(request).may("add", self.kind, site_id_of(place)):
                self.permission_denied(request, NOT_AT_THAT_SITE)
        at = values.pop("occurred_at", now)
        posted = load(**values, occurred_at=at, recorded_at=now, actor=caller(request))
        data = TransactionSerializer(posted.transaction, context={"request": request}).data
        return Response(data, status=201 if posted.is_new else 200)


class PickView(AskView):
    """Which lots to take."""

    serializer_class = PickSerializer

    @extend_schema(parameters=[PickQuerySerializer], responses=PickSerializer)
    def get(self, request: Request) -> Response:
        """Suggest lots for a quantity, first expired first, and say what is missing."""
        asked = self.asked(PickQuerySerializer, request)
        at = asked.pop("at", timezone.now())
        found = pick(**asked, at=at)
        takes = [
            {
                "lot": take.lot.pk if take.lot else None,
                "lot_number": take.lot.number if take.lot else None,
                "expiry_date": take.lot.expiry_date if take.lot else None,
                "quantity": take.quantity,
            }
            for take in found.takes
        ]
        rule = picking_rule(product=asked["product"], location=asked["location"])
        return Response(PickSerializer({"takes": takes, "shortage": found.shortage, "rule": rule}).data)


class BalanceView(AskView):
    """What went into an order against what came out of it."""

    serializer_class = BalanceSerializer

    @extend_schema(parameters=[BalanceQuerySerializer], responses=BalanceSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return one row for each unit."""
        asked = self.asked(BalanceQuerySerializer, request)
        rows = mass_balance(asked["work_order"], tolerance=asked["tolerance"])
        return Response(BalanceSerializer(rows, many=True).data)


class BackflushView(AskView):
    """Book what must have been used, from what was made."""

    serializer_class = BackflushSerializer

    @extend_schema(request=NewBackflushSerializer, responses={201: BackflushSerializer, 200: BackflushSerializer})
    def post(self, request: Request) -> Response:
        """Consume requirements × quantity, first expired first; without requirements, what the order keeps of its bill.

        409 names every shortage, unless it is to be taken.
        """
        given = NewBackflushSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        values = given.validated_data
        order: WorkOrder = values["work_order"]
        for place in (order, values["location"]):
            if not caller(request).may("add", self.kind, site_id_of(place)):
                self.permission_denied(request, NOT_AT_THAT_SITE)
        now = timezone.now()
        said = {
            "work_order": order,
            "produced_quantity": values["produced_quantity"],
            "location": values["location"],
            "on_shortage": values["on_shortage"],
            "actor": caller(request),
            "occurred_at": values.get("occurred_at", now),
            "recorded_at": now,
            "idempotency_key": values.get("idempotency_key"),
        }
        if "requirements" in values:
            if values.get("unit") or values.get("operation_code"):
                raise Invalid("It is said with what the order keeps; leave it out.", field="requirements")
            rows = [
                Requirement(row["product"], row["quantity_per_unit"], row["operation_code"])
                for row in values["requirements"]
            ]
            done = backflush(requirements=rows, **said)
        else:
            operation = self._operation(order, values.get("operation_code", ""))
            done = backflush_of_order(operation=operation, unit=values.get("unit", ""), **said)
        return Response(BackflushSerializer(done).data, status=201 if done.is_new else 200)

    def _operation(self, order: WorkOrder, code: str) -> Operation | None:
        if not code:
            return None
        found = order.operations.filter(code=code).first()
        if found is None:
            raise Invalid(f"Order {order} has no operation '{code}'.", field="operation_code")
        return found
