"""REST of places, policies, movements and stock."""

from typing import Any

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet, need
from core.errors import Invalid
from core.fact_api import FactPagination
from core.filters import FilterSet
from core.idempotency import Idempotent
from core.master_data import caller, site_id_of
from materials import services
from materials.backflush import Requirement, backflush, backflush_of_order
from materials.loading import load
from materials.models import BackflushPolicy, Kind, Location, MaterialTransaction, PickingPolicy, Stock
from materials.question_api import AskView
from materials.serializers import (
    BackflushPolicySerializer,
    BackflushSerializer,
    LoadSerializer,
    LocationSerializer,
    NewBackflushSerializer,
    NewTransactionSerializer,
    PickingPolicySerializer,
    StockSerializer,
    TransactionSerializer,
)
from materials.services import Posted
from workorders.models import Operation, WorkOrder


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


class TransactionFilter(FilterSet):
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
        for place in [place for place in places if place is not None] or [None]:
            need(self, needs, place)
            # Whoever takes material in does not release it as well, unless both is theirs to do.
            may_release = caller(self.request).may("change", "lot", site_id_of(place))
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
        Kind.MAINTAIN: services.use_in_maintenance,
    }
    posted: Posted = acts[kind](**what, **places, **said)
    return posted


class StockFilter(FilterSet):
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
            need(self, "add", place)
        at = values.pop("occurred_at", now)
        posted = load(**values, occurred_at=at, recorded_at=now, actor=caller(request))
        data = TransactionSerializer(posted.transaction, context={"request": request}).data
        return Response(data, status=201 if posted.is_new else 200)


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
            need(self, "add", place)
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
