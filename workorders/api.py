"""REST of orders, schedule, runs and changeover targets."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from core.api import MasterDataViewSet
from core.master_data import caller, site_id_of
from workorders import placing, services
from workorders.models import (
    ChangeoverTarget,
    ChangeoverTask,
    ChangeoverTaskDone,
    Operation,
    OrderMaterial,
    Run,
    Schedule,
    WorkOrder,
)
from workorders.selectors import schedule_entries
from workorders.serializers import (
    ChangeoverTargetSerializer,
    ChangeoverTaskDoneSerializer,
    ChangeoverTaskSerializer,
    MoveSerializer,
    OperationSerializer,
    OrderMaterialSerializer,
    ResizeSerializer,
    RunSerializer,
    ScheduleSerializer,
    SeenSerializer,
    SwapSerializer,
    WorkOrderSerializer,
)


class WorkOrderViewSet(MasterDataViewSet):
    """Work orders."""

    kind = "order"
    queryset = WorkOrder.objects.all()
    serializer_class = WorkOrderSerializer
    filterset_fields = {
        "order_number": ["exact", "icontains"],
        "line": ["exact"],
        "product": ["exact"],
        "status": ["exact", "in"],
        "planned_start_at": ["gte", "lt"],
        "planned_end_at": ["gte", "lt"],
        "due_at": ["gte", "lt"],
        "priority": ["exact", "lte", "gte"],
        "customer": ["exact"],
        "sales_order": ["exact"],
        "external_id": ["exact"],
        "lot_number": ["exact"],
        "parent": ["exact"],
        "revision": ["exact"],
    }
    search_fields = ("order_number", "description", "customer", "sales_order", "lot_number", "external_id")

    @extend_schema(request=None, responses=WorkOrderSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Release an order now: copy the operations and materials of its product's valid revision to it."""
        order = self.get_object()
        self.check_site(order)
        return Response(self.get_serializer(services.release_order(work_order=order, at=timezone.now())).data)


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

    def site_id_of(self, thing: Any) -> int | None:
        """Return the site that an operation's order is made at."""
        return site_id_of(thing)


class OrderMaterialViewSet(ReadOnlyModelViewSet):
    """What released orders take and yield."""

    kind = "order"
    queryset = OrderMaterial.objects.all()
    serializer_class = OrderMaterialSerializer
    filterset_fields = {"work_order": ["exact"], "product": ["exact"], "operation": ["exact"]}
    ordering_fields = ("id", "work_order", "position", "product")
    ordering = ("id",)
    lookup_value_regex = r"\d+"

    def site_id_of(self, thing: Any) -> int | None:
        """Return the site that the order is made at."""
        return site_id_of(thing)


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


class ChangeoverTargetViewSet(MasterDataViewSet):
    """Targets of changeovers. One of any line is for people who see every site."""

    queryset = ChangeoverTarget.objects.prefetch_related("tasks")
    serializer_class = ChangeoverTargetSerializer
    filterset_fields = ("line", "from_product", "to_product")

    def check_site(self, thing: Any) -> None:
        super().check_site(thing)
        if thing.line_id is None and not caller(self.request).sees_every_site():
            self.permission_denied(self.request, "This needs a role at every site.")


class ChangeoverTaskViewSet(MasterDataViewSet):
    """Tasks of changeovers: internal while the line stands, external while it runs."""

    queryset = ChangeoverTask.objects.select_related("target")
    serializer_class = ChangeoverTaskSerializer
    filterset_fields = ("target", "kind")


class ChangeoverTaskDoneViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Tasks that were done, each for the run that it led to."""

    kind = "fact"
    queryset = ChangeoverTaskDone.objects.select_related("task", "run")
    serializer_class = ChangeoverTaskDoneSerializer
    filterset_fields = {"run": ["exact"], "task": ["exact"], "started_at": ["gte", "lt"]}
    ordering_fields = ("id", "started_at")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"

    def site_id_of(self, thing: Any) -> int | None:
        """Return the site of the run that a task led to."""
        return site_id_of(thing)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add one: 201 when it is new, 200 when it was stored already, 409 when it ended otherwise."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        if not caller(request).may("add", self.kind, site_id_of(values["run"])):
            self.permission_denied(request, "Your role at that site does not allow this.")
        done, is_new = services.record_changeover_task(**values, actor=caller(request), recorded_at=timezone.now())
        return Response(self.get_serializer(done).data, status=201 if is_new else 200)
