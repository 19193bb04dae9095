"""REST of work on operations: the list of work, steps, spans, reports, readings of set-points, progress."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.permissions import SiteScopeFilter
from core.api import MasterDataViewSet, need
from core.exact import decimal_text
from core.fact_api import FactPagination
from core.filters import FilterSet
from core.idempotency import Idempotent
from core.master_data import caller
from execution import reporting, services
from execution.dispatching import dispatch, rows_of
from execution.finish import finish_forecast
from execution.models import (
    DEVIATING,
    ExecutionPolicy,
    OperationRun,
    OperationStep,
    ParameterReading,
    ProductionReport,
    ScrapReason,
)
from execution.selectors import progress_of, progress_of_operations
from execution.serializers import (
    BeginSerializer,
    DispatchedSerializer,
    DispatchQuerySerializer,
    DoneSerializer,
    ExecutionPolicySerializer,
    NewReportSerializer,
    NewRunSerializer,
    OperationProgressSerializer,
    OperationRunSerializer,
    OperationStepSerializer,
    ParameterReadingSerializer,
    PlacedStepSerializer,
    ProductionReportSerializer,
    ProgressQuerySerializer,
    QuantitiesSerializer,
    ReverseSerializer,
    ScrapReasonSerializer,
    TakeStepSerializer,
    made_texts,
    progress_texts,
)
from execution.services import Done
from execution.taking import Taken
from workorders.api import OperationViewSet as CopiedOperationViewSet
from workorders.models import Operation


class ScrapReasonViewSet(MasterDataViewSet):
    """Reasons of scrap and rework."""

    queryset = ScrapReason.objects.all()
    serializer_class = ScrapReasonSerializer
    filterset_fields = ("code", "is_active")


class ExecutionPolicyViewSet(MasterDataViewSet):
    """What sites do about missing material and machines that are down."""

    queryset = ExecutionPolicy.objects.select_related("site")
    serializer_class = ExecutionPolicySerializer
    filterset_fields = ("site",)


class OperationViewSet(CopiedOperationViewSet):
    """Operations of released orders, with their set-points and what they have made so far."""

    queryset = CopiedOperationViewSet.queryset.select_related("work_order__product__unit", "work_order__unit")
    serializer_class = OperationProgressSerializer

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        rows = [args[0]] if args and isinstance(args[0], Operation) else list(args[0]) if args else []
        progress = progress_of_operations(rows, now=timezone.now())
        kwargs["context"] = {**self.get_serializer_context(), "progress": progress}
        return super().get_serializer(*args, **kwargs)


class _Facts(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Facts of the floor: listed by cursor, never changed."""

    kind = "execution"
    pagination_class = FactPagination
    ordering_fields: tuple[str, ...] = ("id",)
    ordering: tuple[str, ...] = ("-id",)
    lookup_value_regex = r"\d+"

    def taken(self, values: dict[str, Any], moment: str = "at") -> Taken:
        """Take out of validated values how a step is taken."""
        now = timezone.now()
        return Taken(
            at=values.pop(moment, None) or now,
            recorded_at=now,
            actor=caller(self.request),
            employee=values.pop("employee", None),
            reason=values.pop("reason", ""),
            idempotency_key=values.pop("idempotency_key", None),
        )

    def said(self, serializer: Any) -> dict[str, Any]:
        """Return what the request says, validated."""
        given = serializer(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)


class WorkViewSet(_Facts):
    """An operation as it stands on the floor, and the steps that take it on. A step that cannot be taken is a 409."""

    queryset = Operation.objects.select_related(
        "work_order__line__area__site", "work_order__product__unit", "work_order__unit"
    )
    serializer_class = DoneSerializer
    pagination_class = None  # type: ignore[assignment]
    filter_backends = [SiteScopeFilter]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show whether it is ready and every reason why not, who works on it, and what it has made."""
        return Response(DispatchedSerializer(rows_of([self.get_object()], now=timezone.now())[0]).data)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def forecast(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say when it will be finished at the rate of so far, between when and when (90 %); null = not known."""
        found = finish_forecast(self.get_object(), now=timezone.now())
        moments = {name: getattr(found, name) for name in ("finish_at", "earliest", "latest")}
        rates = {"per_hour": found.rate, "per_hour_worked": found.running_rate}
        return Response(
            {
                "remaining": decimal_text(found.remaining),
                **{name: decimal_text(None if rate is None else rate * 3600) for name, rate in rates.items()},
                **moments,
            }
        )

    @extend_schema(request=BeginSerializer, responses={201: DoneSerializer, 200: DoneSerializer})
    @action(detail=True, methods=["post"])
    def start(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Begin to work on it at a machine, or join those who do."""
        return self._step(services.start_operation, BeginSerializer)

    @extend_schema(request=PlacedStepSerializer, responses={201: DoneSerializer, 200: DoneSerializer})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Stop working on it for a while; everybody does when neither employee nor machine is named."""
        return self._step(services.pause_operation, PlacedStepSerializer)

    @extend_schema(request=BeginSerializer, responses={201: DoneSerializer, 200: DoneSerializer})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Go on."""
        return self._step(services.resume_operation, BeginSerializer)

    @extend_schema(request=TakeStepSerializer, responses={201: DoneSerializer, 200: DoneSerializer})
    @action(detail=True, methods=["post"])
    def finish(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say that it is done."""
        return self._step(services.finish_operation, TakeStepSerializer)

    @extend_schema(request=TakeStepSerializer, responses={201: DoneSerializer, 200: DoneSerializer})
    @action(detail=True, methods=["post"])
    def skip(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Leave it out, saying why."""
        return self._step(services.skip_operation, TakeStepSerializer, needs="change")

    @extend_schema(request=TakeStepSerializer, responses={201: DoneSerializer, 200: DoneSerializer})
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Stop it until somebody takes it off hold, saying why. Whoever sees a danger may."""
        return self._step(services.hold_operation, TakeStepSerializer)

    @extend_schema(request=TakeStepSerializer, responses={201: DoneSerializer, 200: DoneSerializer})
    @action(detail=True, methods=["post"])
    def unhold(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let it go on."""
        return self._step(services.unhold_operation, TakeStepSerializer, needs="change")

    def _step(self, service: Callable[..., Done], serializer: Any, needs: str = "add") -> Response:
        operation = self.get_object()
        need(self, needs, operation)
        values = self.said(serializer)
        done = service(operation=operation, taken=self.taken(values), **values)
        return Response(DoneSerializer(done).data, status=201 if done.is_new else 200)


class RunFilter(FilterSet):
    """By what was worked on, where, by whom and when."""

    class Meta:
        model = OperationRun
        fields = {
            "operation": ["exact"],
            "operation__work_order": ["exact"],
            "machine": ["exact"],
            "machine__line": ["exact"],
            "employee": ["exact"],
            "kind": ["exact"],
            "started_at": ["gte", "lt"],
            "ended_at": ["gte", "lt", "isnull"],
        }


class OperationRunViewSet(_Facts):
    """Spans of work on operations. POST writes down one that is over; live ones begin with `start`."""

    queryset = OperationRun.objects.all()
    serializer_class = OperationRunSerializer
    filterset_class = RunFilter

    @extend_schema(request=NewRunSerializer, responses={201: OperationRunSerializer, 200: OperationRunSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Write down work that is over, with what came of it: 201, or 200 for a repeated key."""
        values = self.said(NewRunSerializer)
        need(self, "add", values["operation"])
        quantities = QuantitiesSerializer.taken_from(values)
        done = services.record_operation_run(
            taken=self.taken(values, "ended_at"), quantities=quantities or None, **values
        )
        return Response(self.get_serializer(done.step.operation_run).data, status=201 if done.is_new else 200)


class OperationStepViewSet(_Facts):
    """Steps of operations: who took which, when and why."""

    queryset = OperationStep.objects.all()
    serializer_class = OperationStepSerializer
    filterset_fields = {
        "operation": ["exact"],
        "operation__work_order": ["exact"],
        "action": ["exact", "in"],
        "occurred_at": ["gte", "lt"],
    }


class ProductionReportViewSet(_Facts):
    """Reports of what came of operations. Nothing is changed or deleted; a wrong one is taken back by `reverse`."""

    queryset = ProductionReport.objects.select_related("reversed_by")
    serializer_class = ProductionReportSerializer
    filterset_fields = {
        "operation": ["exact"],
        "operation__work_order": ["exact"],
        "machine": ["exact"],
        "employee": ["exact"],
        "scrap_reason": ["exact"],
        "occurred_at": ["gte", "lt"],
        "idempotency_key": ["exact"],
    }

    @extend_schema(
        request=NewReportSerializer, responses={201: ProductionReportSerializer, 200: ProductionReportSerializer}
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Report good pieces, scrap and rework in one action: 201, or 200 for a repeated key."""
        values = self.said(NewReportSerializer)
        need(self, "add", values["operation"])
        quantities = QuantitiesSerializer.taken_from(values)
        report, is_new = reporting.report_production(
            taken=self.taken(values, "occurred_at"), quantities=quantities, **values
        )
        return Response(self.get_serializer(report).data, status=201 if is_new else 200)

    @extend_schema(
        request=ReverseSerializer, responses={201: ProductionReportSerializer, 200: ProductionReportSerializer}
    )
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take it back by a report of the opposite quantities: one's own, or anybody's with the right to correct."""
        report = self.get_object()
        need(self, "add" if report.recorded_by_id == caller(request).pk else "change", report)
        reversal, is_new = reporting.reverse_report(
            report=report, actor=caller(request), recorded_at=timezone.now(), **self.said(ReverseSerializer)
        )
        return Response(self.get_serializer(reversal).data, status=201 if is_new else 200)


class ReadingFilter(FilterSet):
    """By set-point, operation and order, and whether they deviate."""

    deviates = filters.BooleanFilter(method="deviating")

    class Meta:
        model = ParameterReading
        fields = {
            "parameter": ["exact"],
            "parameter__operation": ["exact"],
            "parameter__operation__work_order": ["exact"],
            "occurred_at": ["gte", "lt"],
        }

    def deviating(self, queryset: Any, name: str, value: bool) -> Any:
        """Narrow to readings outside of their bounds, or inside."""
        outside = ParameterReading.objects.filter(DEVIATING).values("pk")
        return queryset.filter(pk__in=outside) if value else queryset.exclude(pk__in=outside)


class ParameterReadingViewSet(_Facts):
    """What set-points really were. One outside its bounds is kept and flagged."""

    queryset = ParameterReading.objects.select_related("parameter")
    serializer_class = ParameterReadingSerializer
    filterset_class = ReadingFilter

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add one: 201 when it is new, 200 when it was stored already, 409 when another value is."""
        values = self.said(ParameterReadingSerializer)
        need(self, "add", values["parameter"].operation)
        now = timezone.now()
        values["occurred_at"] = values.get("occurred_at") or now
        reading, is_new = reporting.record_reading(**values, actor=caller(request), recorded_at=now)
        return Response(self.get_serializer(reading).data, status=201 if is_new else 200)


class DispatchView(APIView):
    """The list of work of a line or machine."""

    kind = "execution"

    @extend_schema(parameters=[DispatchQuerySerializer], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """List what runs, then what can be started, most urgent first, each ready or with every reason why not."""
        query = DispatchQuerySerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        place = asked.get("line") or asked["machine"]
        need(self, "view", place)
        rows, is_complete = dispatch(place, now=timezone.now(), employee=asked.get("employee"), limit=asked["limit"])
        return Response({"is_complete": is_complete, "operations": DispatchedSerializer(rows, many=True).data})


class ProgressView(APIView):
    """What an order and its operations have made."""

    kind = "execution"

    @extend_schema(parameters=[ProgressQuerySerializer], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Show an order's progress in its unit, derived from reports and counts up to now."""
        query = ProgressQuerySerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        order = query.validated_data["work_order"]
        need(self, "view", order)
        progress = progress_of([order], now=timezone.now())[order.pk]
        return Response(
            {
                "work_order": order.pk,
                "target": decimal_text(progress.target),
                **made_texts(progress),
                "source": progress.source,
                "operations": [
                    {"operation": one.operation.pk, "code": one.operation.code, **progress_texts(one)}
                    for one in progress.operations
                ],
            }
        )
