"""Orders, schedule and runs, as they travel."""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from rest_framework import serializers

from core import master_data
from core.serializers import AwareDateTimeField, MasterDataSerializer, ReferenceField
from enterprise.models import Line
from workorders import placing, services
from workorders.models import (
    ChangeoverTarget,
    ChangeoverTask,
    ChangeoverTaskDone,
    Operation,
    OrderMaterial,
    OrderParameter,
    Run,
    Schedule,
    WorkOrder,
)
from workorders.selectors import schedule_entries


class WorkOrderSerializer(MasterDataSerializer):
    """An order to make a quantity of a product; its status changes only as an order's life allows.

    When it is released or started for the first time, the operations and materials of its revision are copied to it.
    """

    class Meta:
        model = WorkOrder
        fields = (
            *("id", "order_number", "description", "line", "product", "target_quantity"),
            *("planned_start_at", "planned_end_at", "status"),
            *("unit", "revision", "routing_code", "released_at", "priority", "due_at", "customer", "sales_order"),
            *("external_id", "lot_number", "parent", "parent_kind", "over_tolerance", "under_tolerance"),
        )
        read_only_fields = ("released_at",)
        extra_kwargs = {"external_id": {"allow_blank": False}}

    def write(self, instance: WorkOrder) -> WorkOrder:
        return services.save_order(work_order=instance, at=timezone.now())


class OrderParameterSerializer(MasterDataSerializer):
    """A set-point of an order's operation."""

    class Meta:
        model = OrderParameter
        fields = ("id", "operation", *OrderParameter.COPIED)


class OperationSerializer(MasterDataSerializer):
    """An operation of an order. `template` is the step that it was copied from, whose documents show how it is done."""

    parameters = OrderParameterSerializer(many=True, read_only=True)

    class Meta:
        model = Operation
        fields = (
            *("id", "work_order", *Operation.COPIED, "template", "status"),
            *("planned_quantity", "completed_quantity", "rejected_quantity"),
            *("planned_start_at", "planned_end_at", "actual_start_at", "actual_end_at"),
            *("inspection_status", "inspected_at", "inspected_by", "parameters"),
        )


class OrderMaterialSerializer(MasterDataSerializer):
    """What an order takes; negative quantities come out."""

    class Meta:
        model = OrderMaterial
        fields = ("id", "work_order", "position", "product", "operation", "quantity_required", "unit")


class SeenSerializer(serializers.Serializer):
    """Say which version was seen, so that what somebody else changed meanwhile is not overwritten."""

    seen_version = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, help_text="`version` as it was read: 409 when old."
    )


class MoveSerializer(SeenSerializer):
    """Where to: without an end it stays as long as it is, without a line on its own."""

    planned_start_at = AwareDateTimeField()
    planned_end_at = AwareDateTimeField(required=False, allow_null=True, default=None)
    line = ReferenceField(queryset=Line.objects.all(), required=False, allow_null=True, default=None)


class ResizeSerializer(SeenSerializer):
    """Until when."""

    planned_end_at = AwareDateTimeField()


class SwapSerializer(SeenSerializer):
    """With what."""

    other = ReferenceField(queryset=Schedule.objects.all())


class ScheduleSerializer(MasterDataSerializer):
    """A planned stretch of a line's time. What collides is refused with 409, and what it collides with is named.

    The same again is the same entry (200).
    """

    sequence = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Its place within line, shift and day, by its planned start."
    )
    version = serializers.IntegerField(read_only=True, help_text="Give it back as `seen_version`.")
    seen_version = serializers.IntegerField(write_only=True, required=False, allow_null=True, min_value=1)

    class Meta:
        model = Schedule
        fields = (
            *("id", "line", "work_order", "kind", "planned_start_at", "planned_end_at", "note"),
            *("operation", "planned_quantity", "status", "planner", "shift", "shift_date", "sequence"),
            *("version", "seen_version"),
        )
        read_only_fields = ("planner", "shift", "shift_date")
        validators: list[object] = []

    def create(self, validated_data: dict[str, Any]) -> Schedule:
        validated_data.pop("seen_version", None)
        if validated_data.get("work_order") is None and validated_data.get("operation") is not None:
            validated_data["work_order"] = validated_data["operation"].work_order
        self.context["view"].check_site(Schedule(**validated_data))
        entry, self.is_new = placing.place(**validated_data, actor=self.context["request"].user)
        return schedule_entries().get(pk=entry.pk)

    def update(self, instance: Schedule, validated_data: dict[str, Any]) -> Schedule:
        seen = validated_data.pop("seen_version", None)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        self.context["view"].check_site(instance)
        actor = self.context["request"].user
        placing.change(entry=instance, actor=actor, seen_version=seen, **validated_data)
        return schedule_entries().get(pk=instance.pk)


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
