"""REST of orders, schedule, runs and changeover targets."""

from typing import Any

from django.utils import timezone
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet
from core.master_data import caller, site_id_of
from workorders import services
from workorders.models import ChangeoverTarget, ChangeoverTask, ChangeoverTaskDone, Run, Schedule, WorkOrder
from workorders.serializers import (
    ChangeoverTargetSerializer,
    ChangeoverTaskDoneSerializer,
    ChangeoverTaskSerializer,
    RunSerializer,
    ScheduleSerializer,
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
    }
    search_fields = ("order_number", "description")


class ScheduleViewSet(MasterDataViewSet):
    """The schedule of lines."""

    kind = "order"
    queryset = Schedule.objects.all()
    serializer_class = ScheduleSerializer
    filterset_fields = {
        "line": ["exact"],
        "work_order": ["exact"],
        "kind": ["exact"],
        "planned_start_at": ["gte", "lt"],
        "planned_end_at": ["gte", "lt"],
    }
    search_fields = ("note", "work_order__order_number")


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
