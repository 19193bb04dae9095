"""REST of orders, demand, schedule and runs."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from core.api import MasterDataViewSet, need
from core.errors import NotFound
from core.fact_api import FactPagination
from core.master_data import caller
from workorders import kinship, life, placing, services
from workorders.filters import DemandFilter, WorkOrderFilter
from workorders.models import (
    Customer,
    Demand,
    LotSizing,
    Operation,
    OrderMaterial,
    OrderReason,
    Run,
    Schedule,
    WorkOrder,
)
from workorders.selectors import made, schedule_entries, tolerance
from workorders.serializers import (
    CompleteSerializer,
    ConfirmOrderSerializer,
    CustomerSerializer,
    DemandSerializer,
    LotSizingSerializer,
    MadeByOrderSerializer,
    MergeOrdersSerializer,
    MoveSerializer,
    OperationSerializer,
    OrderConfirmationSerializer,
    OrderMaterialSerializer,
    OrderReasonSerializer,
    OrderStatusChangeSerializer,
    ReasonedStepSerializer,
    ResizeSerializer,
    ReverseConfirmationSerializer,
    ReworkOrderSerializer,
    RunSerializer,
    ScheduleSerializer,
    SeenSerializer,
    SplitOrderSerializer,
    StepSerializer,
    SwapSerializer,
    WorkOrderSerializer,
)


class WorkOrderViewSet(MasterDataViewSet):
    """Work orders."""

    kind = "order"
    queryset = WorkOrder.objects.select_related("customer")
    serializer_class = WorkOrderSerializer
    filterset_class = WorkOrderFilter
    search_fields = ("order_number", "description", "customer__name", "sales_order", "lot_number", "external_id")

    # --- its life: each action is a POST; 409 names the status and, as `allowed`, what can be done ---

    @extend_schema(request=StepSerializer, responses=WorkOrderSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Release an order now: copy the operations and materials of its product's valid revision to it."""
        return self._step(request, services.release_order, StepSerializer)

    @extend_schema(request=StepSerializer, responses=WorkOrderSerializer)
    @action(detail=True, methods=["post"])
    def schedule(self, request: Request, pk: str) -> Response:
        """Say that it has its place in the schedule."""
        return self._step(request, life.schedule, StepSerializer)

    @extend_schema(request=StepSerializer, responses=WorkOrderSerializer)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str) -> Response:
        """Say that work on it has begun. Starting a run on a line (`/schedule-run/run`) says so as well."""
        return self._step(request, life.start, StepSerializer)

    @extend_schema(request=ReasonedStepSerializer, responses=WorkOrderSerializer)
    @action(detail=True, methods=["post"], kind="order_hold")
    def hold(self, request: Request, pk: str) -> Response:
        """Stop it: no run, operation or issue of material starts until it is resumed."""
        return self._step(request, life.hold, ReasonedStepSerializer, needs="add")

    @extend_schema(request=StepSerializer, responses=WorkOrderSerializer)
    @action(detail=True, methods=["post"], kind="order_hold")
    def resume(self, request: Request, pk: str) -> Response:
        """Let it go on from where it was held."""
        return self._step(request, life.resume, StepSerializer, needs="change")

    @extend_schema(request=CompleteSerializer, responses=WorkOrderSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """Say that it is done. 409 says how much is missing, or too much."""
        return self._step(request, life.complete, CompleteSerializer)

    @extend_schema(request=StepSerializer, responses=WorkOrderSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """Put it to the files: nothing more is booked to it."""
        return self._step(request, life.close, StepSerializer)

    @extend_schema(request=StepSerializer, responses=WorkOrderSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Take a completed one up again."""
        return self._step(request, life.reopen, StepSerializer)

    @extend_schema(request=ReasonedStepSerializer, responses=WorkOrderSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Give it up: 409 while it runs, or when it has made something."""
        return self._step(request, life.cancel, ReasonedStepSerializer)

    def _step(self, request: Request, act: Any, body: Any, needs: str = "change") -> Response:
        order, said = self._asked(request, body, needs)
        done = act(work_order=order, at=timezone.now(), actor=caller(request), **said)
        return Response(self.get_serializer(done).data)

    def _asked(self, request: Request, body: Any, needs: str = "change") -> tuple[WorkOrder, dict[str, Any]]:
        order = self.get_object()
        need(self, needs, order)
        said = body(data=request.data or {}, context=self.get_serializer_context())
        said.is_valid(raise_exception=True)
        return order, said.validated_data

    @extend_schema(responses=OrderStatusChangeSerializer(many=True), filters=False)
    @action(detail=True, url_path="status-changes", pagination_class=FactPagination)
    def status_changes(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the steps of its life, the last first."""
        return self._listed(self.get_object().status_changes.all(), OrderStatusChangeSerializer)

    def _listed(self, rows: Any, serializer: Any) -> Response:
        paginator = FactPagination()
        paginator.ordering = ("-id",)
        # Without the view, whose own order is another one.
        page: Any = paginator.paginate_queryset(rows, self.request, view=None)
        return paginator.get_paginated_response(serializer(page, many=True).data)

    # --- what it made ---

    @extend_schema(responses=MadeByOrderSerializer, filters=False)
    @action(detail=True)
    def made(self, request: Request, pk: str) -> Response:
        """Say what it has made, and how much completes it."""
        order = self.get_object()
        found, bounds = made(order, now=timezone.now()), tolerance(order)
        numbers = {
            "target": order.target_quantity,
            "produced": found.whole,
            "good": found.good,
            "scrap": found.scrap,
            "rework": found.rework,
            "least": bounds.least,
            "most": bounds.most,
        }
        said = {name: None if value is None else services.amount(value) for name, value in numbers.items()}
        return Response({**said, "unit": services.unit_of(order), "known_from": found.source})

    @extend_schema(request=ConfirmOrderSerializer, responses={201: OrderConfirmationSerializer})
    @action(detail=True, methods=["post"], kind="fact")
    def confirm(self, request: Request, pk: str) -> Response:
        """Confirm that so much more was made: 201, or 200 for a repeated key. It completes when that is enough."""
        order, said = self._asked(request, ConfirmOrderSerializer, "add")
        quantities = life.Quantities(**{name: said.pop(name) for name in ("good", "scrap", "rework")})
        done = life.confirm(work_order=order, quantities=quantities, at=timezone.now(), actor=caller(request), **said)
        return Response(OrderConfirmationSerializer(done.confirmation).data, status=201 if done.is_new else 200)

    @extend_schema(responses=OrderConfirmationSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=FactPagination)
    def confirmations(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what was confirmed, the last first."""
        return self._listed(self.get_object().confirmations.all(), OrderConfirmationSerializer)

    @extend_schema(request=ReverseConfirmationSerializer, responses={201: OrderConfirmationSerializer})
    @action(
        detail=True,
        methods=["post"],
        kind="fact",
        url_path=r"confirmations/(?P<confirmation>\d{1,18})/reverse",
        url_name="reverse-confirmation",
    )
    def reverse_confirmation(self, request: Request, pk: str, confirmation: str) -> Response:
        """Take a confirmation back, saying why."""
        order, said = self._asked(request, ReverseConfirmationSerializer)
        found = order.confirmations.filter(pk=int(confirmation)).first()
        if found is None:
            raise NotFound("The order has no such confirmation.")
        done = life.reverse_confirmation(confirmation=found, at=timezone.now(), actor=caller(request), **said)
        return Response(OrderConfirmationSerializer(done.confirmation).data, status=201 if done.is_new else 200)

    # --- orders that come from it ---

    @extend_schema(request=SplitOrderSerializer, responses={201: WorkOrderSerializer})
    @action(detail=True, methods=["post"])
    def split(self, request: Request, pk: str) -> Response:
        """Split a quantity off before work has begun; answers the new order."""
        return self._child(request, kinship.split_order, SplitOrderSerializer)

    @extend_schema(request=ReworkOrderSerializer, responses={201: WorkOrderSerializer})
    @action(detail=True, methods=["post"])
    def rework(self, request: Request, pk: str) -> Response:
        """Make an order for what has to be made again; answers the new order."""
        return self._child(request, kinship.rework_order, ReworkOrderSerializer)

    def _child(self, request: Request, act: Any, body: Any) -> Response:
        order, said = self._asked(request, body)
        child = act(work_order=order, at=timezone.now(), actor=caller(request), **said)
        return Response(self.get_serializer(child).data, status=201)

    @extend_schema(request=MergeOrdersSerializer, responses=WorkOrderSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str) -> Response:
        """Add other orders' quantities to it; they are cancelled then."""
        order, said = self._asked(request, MergeOrdersSerializer)
        for other in said["orders"]:
            self.check_site(other)
        into = kinship.merge_orders(work_order=order, others=said["orders"], at=timezone.now(), actor=caller(request))
        return Response(self.get_serializer(into).data)


class CustomerViewSet(MasterDataViewSet):
    """For whom orders are made."""

    kind = "order"
    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer
    filterset_fields = ("code", "external_id", "name", "is_active")
    search_fields = ("code", "name", "external_id")


class OrderReasonViewSet(MasterDataViewSet):
    """Why orders are held, cancelled or completed short."""

    queryset = OrderReason.objects.all()
    serializer_class = OrderReasonSerializer
    filterset_fields = ("code", "kind", "for_hold", "for_cancel", "for_short", "is_active")
    search_fields = ("code", "name")


class DemandViewSet(MasterDataViewSet):
    """What is wanted, with the orders that were made for it."""

    kind = "order"
    queryset = Demand.objects.select_related("customer").prefetch_related("covered_by")
    serializer_class = DemandSerializer
    filterset_class = DemandFilter
    search_fields = ("customer__name", "sales_order", "external_id", "product__code", "product__name")


class LotSizingViewSet(MasterDataViewSet):
    """How sites cut orders for products."""

    queryset = LotSizing.objects.all()
    serializer_class = LotSizingSerializer
    filterset_fields = ("site", "product", "line", "rule")


class OperationViewSet(ReadOnlyModelViewSet):
    """Operations of released orders, with their set-points."""

    kind = "order"
    queryset = Operation.objects.prefetch_related("parameters")
    serializer_class = OperationSerializer
    filterset_fields = {
        "work_order": ["exact"],
        "status": ["exact", "in"],
        "code": ["exact"],
        "line": ["exact"],
        "machine": ["exact"],
        "machine_class": ["exact"],
    }
    search_fields = ("work_order__order_number", "code", "name")
    ordering_fields = ("id", "work_order", "sequence", "status", "planned_start_at")
    ordering = ("id",)
    lookup_value_regex = r"\d+"


class OrderMaterialViewSet(ReadOnlyModelViewSet):
    """What released orders take and yield."""

    kind = "order"
    queryset = OrderMaterial.objects.all()
    serializer_class = OrderMaterialSerializer
    filterset_fields = {"work_order": ["exact"], "product": ["exact"], "operation": ["exact"]}
    ordering_fields = ("id", "work_order", "position", "product")
    ordering = ("id",)
    lookup_value_regex = r"\d+"


class ScheduleViewSet(MasterDataViewSet):
    """The schedule of lines. What became of it: `/scheduling/plan-against-actual/`."""

    kind = "schedule"
    queryset = Schedule.objects.all()
    serializer_class = ScheduleSerializer
    filterset_fields = {
        "line": ["exact"],
        "work_order": ["exact"],
        "kind": ["exact"],
        "status": ["exact", "in"],
        "shift": ["exact"],
        "shift_date": ["exact", "gte", "lt"],
        "planned_start_at": ["gte", "lt"],
        "planned_end_at": ["gte", "lt"],
    }
    search_fields = ("note", "work_order__order_number")
    ordering_fields = ("id", "line", "work_order", "planned_start_at", "planned_end_at", "status", "shift_date")

    def get_queryset(self) -> Any:
        return schedule_entries().select_related("line__area__site", "work_order__line__area")

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Plan a line's time: 201 when it is new, 200 when it is planned already, 409 when it collides."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        given.save()
        return Response(given.data, status=201 if getattr(given, "is_new", True) else 200)

    @extend_schema(request=SeenSerializer, responses=ScheduleSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str = "") -> Response:
        """Say that it holds. Again: no change."""
        return self._act(placing.confirm, SeenSerializer)

    @extend_schema(request=SeenSerializer, responses=ScheduleSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str = "") -> Response:
        """Take it out of the schedule: 409 when work on it has begun."""
        return self._act(placing.cancel, SeenSerializer)

    @extend_schema(request=MoveSerializer, responses=ScheduleSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str = "") -> Response:
        """Move it to another time or line: 409 with what it collides with."""
        return self._act(placing.move, MoveSerializer)

    @extend_schema(request=ResizeSerializer, responses=ScheduleSerializer)
    @action(detail=True, methods=["post"])
    def resize(self, request: Request, pk: str = "") -> Response:
        """Let it end at another time."""
        return self._act(placing.resize, ResizeSerializer)

    @extend_schema(request=SwapSerializer, responses=ScheduleSerializer)
    @action(detail=True, methods=["post"])
    def swap(self, request: Request, pk: str = "") -> Response:
        """Let it change places with another entry of its line."""
        return self._act(placing.swap, SwapSerializer)

    def _act(self, service: Callable[..., Any], takes: type[SeenSerializer]) -> Response:
        entry = self.get_object()
        self.check_site(entry)
        said = takes(data=self.request.data, context=self.get_serializer_context())
        said.is_valid(raise_exception=True)
        values = said.validated_data
        if values.get("line") is not None:
            self.check_site(Schedule(pk=entry.pk, line=values["line"]))
        service(entry=entry, actor=caller(self.request), **values)
        return Response(self.get_serializer(self.get_queryset().get(pk=entry.pk)).data)


class RunViewSet(MasterDataViewSet):
    """Runs of orders on lines: one at a time per line. Ending one is a PUT or PATCH with `ended_at`."""

    kind = "run"
    queryset = Run.objects.all()
    serializer_class = RunSerializer
    filterset_fields = {
        "line": ["exact"],
        "work_order": ["exact"],
        "schedule": ["exact"],
        "started_at": ["gte", "lt"],
        "ended_at": ["gte", "lt", "isnull"],
    }
    search_fields = ("work_order__order_number",)
    ordering_fields = ("id", "line", "work_order", "started_at", "ended_at")
