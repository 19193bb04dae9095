"""Orders, schedule and runs, as they travel."""

from typing import Any

from django.db.models import Q
from rest_framework import serializers

from core import master_data
from core.serializers import AwareDateTimeField, MasterDataSerializer, ReferenceField
from workorders import services
from workorders.models import ChangeoverTarget, ChangeoverTask, ChangeoverTaskDone, Run, Schedule, WorkOrder


class WorkOrderSerializer(MasterDataSerializer):
    """An order to make a quantity of a product; its status changes only as an order's life allows."""

    class Meta:
        model = WorkOrder
        fields = (
            *("id", "order_number", "description", "line", "product", "target_quantity"),
            *("planned_start_at", "planned_end_at", "status"),
        )


class ScheduleSerializer(MasterDataSerializer):
    """A planned stretch of a line's time."""

    class Meta:
        model = Schedule
        fields = ("id", "line", "work_order", "kind", "planned_start_at", "planned_end_at", "note")
        validators: list[object] = []


class RunSerializer(MasterDataSerializer):
    """A stretch of time in which a line works on an order. Starting one puts the order in progress."""

    is_closed = serializers.BooleanField(read_only=True)

    class Meta:
        model = Run
        fields = ("id", "line", "work_order", "schedule", "started_at", "ended_at", "estimated_finish_at", "is_closed")
        validators: list[object] = []
        extra_kwargs = {"line": {"required": False, "help_text": "The order's line when left out."}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "line" not in attrs and self.instance is None:
            attrs["line"] = attrs["work_order"].line
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Run:
        self.context["view"].check_site(Run(**validated_data))
        return services.start_run(**validated_data)

    def update(self, instance: Run, validated_data: dict[str, Any]) -> Run:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        self.context["view"].check_site(instance)
        return master_data.save(instance)


class ChangeoverTaskSerializer(MasterDataSerializer):
    """A step of a changeover."""

    class Meta:
        model = ChangeoverTask
        fields = ("id", "target", "position", "name", "kind", "target_minutes")


class ChangeoverTargetSerializer(MasterDataSerializer):
    """How long changing from one product to another may take."""

    tasks = ChangeoverTaskSerializer(many=True, read_only=True)

    class Meta:
        model = ChangeoverTarget
        fields = ("id", "line", "from_product", "to_product", "target_minutes", "tasks")
        validators: list[object] = []


class TaskField(ReferenceField):
    """Refer to a task of a line that the caller may see, or of any line."""

    def get_queryset(self) -> Any:
        return ChangeoverTask.objects.select_related("target").filter(
            Q(target__line__isnull=True) | Q(pk__in=super().get_queryset())
        )


class ChangeoverTaskDoneSerializer(serializers.ModelSerializer):
    """A task that was done in the changeover that led to a run."""

    run = ReferenceField(queryset=Run.objects.all())
    task = TaskField(queryset=ChangeoverTask.objects.all())
    started_at = AwareDateTimeField()
    ended_at = AwareDateTimeField()
    recorded_at = AwareDateTimeField(read_only=True)

    class Meta:
        model = ChangeoverTaskDone
        fields = ("id", "run", "task", "started_at", "ended_at", "done_by", "recorded_at")
        read_only_fields = ("done_by",)
        validators: list[object] = []
