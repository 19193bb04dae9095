"""REST of orders, schedule and runs."""

from core.api import MasterDataViewSet
from workorders.models import Run, Schedule, WorkOrder
from workorders.serializers import RunSerializer, ScheduleSerializer, WorkOrderSerializer


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
