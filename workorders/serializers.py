"""Orders, schedule and runs, as they travel."""

from typing import Any

from rest_framework import serializers

from core import master_data
from core.serializers import MasterDataSerializer
from workorders import services
from workorders.models import Run, Schedule, WorkOrder


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
