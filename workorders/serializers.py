"""Orders, schedule and runs, as they travel."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework import serializers

from core import master_data
from core.errors import DomainError
from core.master_data import caller
from core.serializers import AwareDateTimeField, CodedSerializer, MasterDataSerializer, Plain, ReferenceField
from enterprise.models import Line, Site
from workorders import placing, services
from workorders.customers import CustomerField
from workorders.models import (
    ChangeoverTarget,
    ChangeoverTask,
    ChangeoverTaskDone,
    Customer,
    Demand,
    LotSizing,
    Operation,
    OrderConfirmation,
    OrderMaterial,
    OrderParameter,
    OrderReason,
    OrderStatusChange,
    Run,
    Schedule,
    Step,
    WorkOrder,
)
from workorders.selectors import allowed, schedule_entries


class CustomerSerializer(CodedSerializer):
    """Somebody for whom orders are made."""

    class Meta:
        model = Customer
        fields = ("id", "code", "name", "external_id", "is_active")
        extra_kwargs = {"external_id": {"allow_blank": False}}


def customer_field() -> CustomerField:
    """Return the field by which orders and demand name their customer."""
    return CustomerField(
        queryset=Customer.objects.all(),
        required=False,
        allow_null=True,
        help_text="Code, external id or name; a name that is new becomes a customer. Answered with the name.",
    )


class WorkOrderSerializer(MasterDataSerializer):
    """An order to make a quantity of a product; its status changes only as an order's life allows.

    When it is released or started for the first time, the operations and materials of its revision are copied to it.
    """

    customer = customer_field()
    allowed = serializers.SerializerMethodField(help_text="The actions that its life allows now.")
    status_reason = ReferenceField(
        queryset=OrderReason.objects.all(),
        write_only=True,
        required=False,
        help_text="With a new status: why. Holding and cancelling need one.",
    )
    status_note = serializers.CharField(write_only=True, required=False, allow_blank=True, max_length=500)

    class Meta:
        model = WorkOrder
        fields = (
            *("id", "order_number", "description", "line", "product", "target_quantity"),
            *("planned_start_at", "planned_end_at", "status"),
            *("unit", "revision", "routing_code", "released_at", "priority", "due_at", "customer", "sales_order"),
            *("external_id", "lot_number", "parent", "parent_kind", "over_tolerance", "under_tolerance"),
            *("merged_into", "held_from", "allowed", "status_reason", "status_note"),
        )
        read_only_fields = ("released_at", "merged_into", "held_from")
        extra_kwargs = {"external_id": {"allow_blank": False}}

    def get_allowed(self, order: WorkOrder) -> list[str]:
        """Return the actions that the order's life allows now."""
        return allowed(order)

    def create(self, validated_data: dict[str, Any]) -> Any:
        step = self._step(validated_data)
        order = WorkOrder(**validated_data)
        order.step = step
        return self._write(order)

    def update(self, instance: WorkOrder, validated_data: dict[str, Any]) -> Any:
        step = self._step(validated_data)
        with transaction.atomic():
            # What the request does not name is as it is stored by now, not as it was when the request was read.
            order = WorkOrder.objects.select_for_update(of=("self",)).get(pk=instance.pk)
            order.step = step
            return super().update(order, validated_data)

    def _step(self, values: dict[str, Any]) -> Step:
        reason, note = values.pop("status_reason", None), values.pop("status_note", "")
        return Step(at=timezone.now(), actor=caller(self.context["request"]), reason=reason, note=note)

    def write(self, instance: WorkOrder) -> WorkOrder:
        try:
            return services.save_order(work_order=instance, at=timezone.now())
        except DomainError as refusal:
            if refusal.field == "reason":
                # As the field of an order is called.
                refusal.field = "status_reason"
            raise


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
            *("planned_quantity", "planned_start_at", "planned_end_at", "actual_start_at", "actual_end_at"),
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
        return services.start_run(**validated_data, actor=caller(self.context["request"]))

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


# --- an order's life ---


class OrderReasonSerializer(CodedSerializer):
    """Why an order is held, cancelled or completed short."""

    class Meta:
        model = OrderReason
        fields = ("id", "code", "name", "names", "kind", "for_hold", "for_cancel", "for_short", "is_active")


class OrderStatusChangeSerializer(serializers.ModelSerializer):
    """A step of an order's life."""

    changed_at = AwareDateTimeField(read_only=True)

    class Meta:
        model = OrderStatusChange
        fields = ("id", "order", "from_status", "to_status", "reason", "note", "changed_by", "changed_at")
        read_only_fields = fields


class OrderConfirmationSerializer(serializers.ModelSerializer):
    """What was confirmed to be made, in the order's unit; a reversal has negative quantities."""

    confirmed_at = AwareDateTimeField(read_only=True)

    class Meta:
        model = OrderConfirmation
        fields = (
            *("id", "order", "good", "scrap", "rework", "note", "confirmed_by", "confirmed_at"),
            *("idempotency_key", "reverses"),
        )
        read_only_fields = fields


class MadeByOrderSerializer(serializers.Serializer):
    """What an order has made, in its own unit; null = nobody knows."""

    target = serializers.CharField()
    unit = serializers.CharField()
    produced = serializers.CharField(allow_null=True, help_text="good + scrap + rework, as far as known.")
    good = serializers.CharField(allow_null=True)
    scrap = serializers.CharField(allow_null=True)
    rework = serializers.CharField(allow_null=True)
    known_from = serializers.CharField(help_text="confirmations, operations, ledger, or nothing.")
    least = serializers.CharField(allow_null=True, help_text="What completes it; null = not decided.")
    most = serializers.CharField(allow_null=True, help_text="What may be made at most; null = not decided.")


class StepSerializer(Plain):
    """A step without a reason."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=500)


class ReasonedStepSerializer(StepSerializer):
    """A step with a reason, by code or id."""

    reason = ReferenceField(queryset=OrderReason.objects.filter(is_active=True))


def _quantity(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=18, decimal_places=6, **options)


class CompleteSerializer(StepSerializer):
    """Completing: `quantity` is what the order made in all; `short` = less than its tolerance is meant,
    with a reason.
    """

    quantity = _quantity(required=False, min_value=0)
    short = serializers.BooleanField(required=False, default=False)
    reason = ReferenceField(queryset=OrderReason.objects.filter(is_active=True), required=False)


class ConfirmOrderSerializer(StepSerializer):
    """So much more was made."""

    good = _quantity(required=False, min_value=0, default=Decimal(0))
    scrap = _quantity(required=False, min_value=0, default=Decimal(0))
    rework = _quantity(required=False, min_value=0, default=Decimal(0))
    idempotency_key = serializers.CharField(required=False, allow_null=True, max_length=100)


class ReverseConfirmationSerializer(Plain):
    """Why a confirmation is taken back."""

    note = serializers.CharField(max_length=500)
    idempotency_key = serializers.CharField(required=False, allow_null=True, max_length=100)


class SplitOrderSerializer(Plain):
    """How much to split off."""

    quantity = _quantity()
    number = serializers.CharField(required=False, allow_blank=True, max_length=64)


class ReworkOrderSerializer(SplitOrderSerializer):
    """How much to rework, and why."""

    reason = serializers.CharField(max_length=400)


class MergeOrdersSerializer(Plain):
    """Which orders to add to this one."""

    orders = ReferenceField(queryset=WorkOrder.objects.all(), many=True)


class DemandSerializer(MasterDataSerializer):
    """So much of a product is wanted at a site by a time. `covered` is by orders made for it, in the product's unit."""

    customer = customer_field()
    covered_by = serializers.SerializerMethodField(help_text="The orders made for it.")

    class Meta:
        model = Demand
        fields = (
            *("id", "site", "product", "quantity", "unit", "due_at", "customer", "sales_order", "external_id", "line"),
            *("is_active", "covered_by"),
        )
        extra_kwargs = {"external_id": {"allow_blank": False}}

    def get_covered_by(self, demand: Demand) -> list[dict[str, Any]]:
        """Return the orders that were made for it, and how much each makes for it."""
        return [{"order": row.order_id, "quantity": str(row.quantity)} for row in demand.covered_by.all()]


class LotSizingSerializer(MasterDataSerializer):
    """How orders for a product are cut at a site."""

    class Meta:
        model = LotSizing
        fields = (
            *("id", "site", "product", "line", "rule", "lot_size", "minimum", "multiple"),
            *("reorder_point", "stock_level", "lead_time_hours"),
        )
        validators: list[object] = []


class GenerateSerializer(Plain):
    """For which site to make orders, and for demand due before when."""

    site = ReferenceField(queryset=Site.objects.all())
    until = AwareDateTimeField()
    dry_run = serializers.BooleanField(required=False, default=False)


class PlannedOrderSerializer(serializers.Serializer):
    """An order that is wanted, and which demand it covers; quantities in the product's unit."""

    order = serializers.IntegerField(allow_null=True)
    order_number = serializers.CharField(allow_null=True)
    product = serializers.CharField()
    line = serializers.CharField()
    quantity = serializers.CharField()
    due_at = AwareDateTimeField()
    covers = serializers.DictField(child=serializers.CharField(), help_text="Demand id to quantity.")


class GeneratedSerializer(serializers.Serializer):
    """What was made, or would be; and demands of products without lot sizing."""

    dry_run = serializers.BooleanField()
    orders = PlannedOrderSerializer(many=True)
    without_rule = serializers.ListField(child=serializers.IntegerField())
