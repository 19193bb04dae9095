"""Work on operations, as it travels."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rest_framework import serializers

from core.exact import decimal_text
from core.serializers import (
    AwareDateTimeField,
    CodedSerializer,
    CodeField,
    MasterDataSerializer,
    Plain,
    ReferenceField,
)
from enterprise.models import Line, Machine
from execution.dispatching import Dispatched
from execution.models import (
    ExecutionPolicy,
    OperationRun,
    OperationStep,
    ParameterReading,
    ProductionReport,
    ScrapReason,
)
from execution.selectors import OperationProgress, OrderProgress
from execution.taking import Quantities
from labor.models import Employee
from products.models import UnitOfMeasure
from workorders.models import Operation, OrderParameter, WorkOrder
from workorders.serializers import OperationSerializer

KEY = r"^[A-Za-z0-9._:-]{1,64}\Z"


class ScrapReasonSerializer(CodedSerializer):
    """Why something was scrapped or has to be reworked."""

    class Meta:
        model = ScrapReason
        fields = ("id", "code", "name", "names", "is_active")


class ExecutionPolicySerializer(MasterDataSerializer):
    """What a site does about an operation that lacks material, or whose machine is down."""

    class Meta:
        model = ExecutionPolicy
        fields = ("id", "site", "missing_material", "machine_down", "hand_counters")


class OperationProgressSerializer(OperationSerializer):
    """An operation of an order. What it made is derived from reports and counts when it is asked for.

    `completed_quantity` are the good pieces, `rejected_quantity` the scrap, in the order's unit; null = nobody knows.
    """

    completed_quantity = serializers.SerializerMethodField()
    rejected_quantity = serializers.SerializerMethodField()
    rework_quantity = serializers.SerializerMethodField()

    class Meta(OperationSerializer.Meta):
        fields = (*OperationSerializer.Meta.fields, "completed_quantity", "rejected_quantity", "rework_quantity")

    def get_completed_quantity(self, operation: Operation) -> str | None:
        """Good pieces."""
        return decimal_text(self._made(operation).good)

    def get_rejected_quantity(self, operation: Operation) -> str | None:
        """Pieces scrapped."""
        return decimal_text(self._made(operation).scrap)

    def get_rework_quantity(self, operation: Operation) -> str | None:
        """Pieces to rework."""
        return decimal_text(self._made(operation).rework)

    def _made(self, operation: Operation) -> Any:
        return self.context["progress"][operation.pk].made


class OperationRunSerializer(serializers.ModelSerializer):
    """A span in which an operation was worked on."""

    class Meta:
        model = OperationRun
        fields = (
            *("id", "operation", "machine", "employee", "kind", "started_at", "ended_at", "ending", "reason"),
            *("recorded_by", "recorded_at"),
        )


class OperationStepSerializer(serializers.ModelSerializer):
    """A step that somebody took."""

    class Meta:
        model = OperationStep
        fields = (
            *("id", "operation", "action", "from_status", "to_status", "operation_run", "employee", "reason"),
            *("warnings", "occurred_at", "recorded_at", "recorded_by", "idempotency_key"),
        )


class ReasonSerializer(serializers.Serializer):
    """Why an operation is not ready; `refuses` = it cannot be started."""

    code = serializers.CharField()
    text = serializers.CharField()
    refuses = serializers.BooleanField()


class DoneSerializer(serializers.Serializer):
    """What a step did."""

    step = OperationStepSerializer()
    warnings = ReasonSerializer(many=True)
    offers_completion = serializers.BooleanField(help_text="All operations of the order are over: it can be completed.")


class TakeStepSerializer(Plain):
    """A step to take."""

    at = AwareDateTimeField(required=False, help_text="Now when left out; the past is allowed.")
    employee = ReferenceField(queryset=Employee.objects.select_related("site"), required=False, allow_null=True)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    idempotency_key = serializers.RegexField(
        KEY, required=False, help_text="Whoever repeats a request with it gets the first answer."
    )


class PlacedStepSerializer(TakeStepSerializer):
    """A step at a machine."""

    machine = ReferenceField(queryset=Machine.objects.all(), required=False, allow_null=True)


class BeginSerializer(PlacedStepSerializer):
    """Begin or go on to work."""

    kind = serializers.ChoiceField(choices=OperationRun.Kind.choices, default=OperationRun.Kind.PRODUCTION)


def _quantity(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=18, decimal_places=6, min_value=Decimal(0), **options)


class QuantitiesSerializer(Plain):
    """What came of an operation."""

    good = _quantity(default=Decimal(0))
    scrap = _quantity(default=Decimal(0))
    rework = _quantity(default=Decimal(0))
    unit = CodeField(slug_field="code", queryset=UnitOfMeasure.objects.all(), required=False, allow_null=True)
    scrap_reason = ReferenceField(queryset=ScrapReason.objects.all(), required=False, allow_null=True)
    counter_start = _quantity(required=False, allow_null=True, help_text="Of a hand counter of all pieces …")
    counter_end = _quantity(required=False, allow_null=True, help_text="… instead of `good`.")
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)

    NAMES = ("good", "scrap", "rework", "unit", "scrap_reason", "counter_start", "counter_end", "note")

    @classmethod
    def taken_from(cls, values: dict[str, Any]) -> Quantities:
        """Take the quantities out of validated values."""
        return Quantities(**{name: values.pop(name) for name in cls.NAMES if name in values})


class NewReportSerializer(QuantitiesSerializer):
    """Good pieces, scrap and rework in one action."""

    operation = ReferenceField(queryset=Operation.objects.select_related("work_order__line__area"))
    machine = ReferenceField(queryset=Machine.objects.select_related("line__area"), required=False, allow_null=True)
    employee = ReferenceField(queryset=Employee.objects.select_related("site"), required=False, allow_null=True)
    occurred_at = AwareDateTimeField(required=False, help_text="Now when left out.")
    idempotency_key = serializers.RegexField(KEY, required=False)


class NewRunSerializer(QuantitiesSerializer):
    """Work that is over, with what came of it."""

    operation = ReferenceField(queryset=Operation.objects.select_related("work_order__line__area"))
    machine = ReferenceField(queryset=Machine.objects.select_related("line__area"))
    employee = ReferenceField(queryset=Employee.objects.select_related("site"), required=False, allow_null=True)
    kind = serializers.ChoiceField(choices=OperationRun.Kind.choices, default=OperationRun.Kind.PRODUCTION)
    started_at = AwareDateTimeField()
    ended_at = AwareDateTimeField()
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    finishes = serializers.BooleanField(default=False, help_text="The operation is finished with it.")
    idempotency_key = serializers.RegexField(KEY, required=False)


class ReverseSerializer(Plain):
    """Take a report back."""

    note = serializers.CharField(max_length=500, help_text="Why.")
    idempotency_key = serializers.RegexField(KEY, required=False)


class ProductionReportSerializer(serializers.ModelSerializer):
    """What somebody reported. `good_in_order_unit` is exact to six decimals."""

    good_in_order_unit = serializers.SerializerMethodField()
    reversed_by = serializers.SerializerMethodField()

    class Meta:
        model = ProductionReport
        fields = (
            *("id", "operation", "machine", "employee", "good", "scrap", "rework", "unit", "good_in_order_unit"),
            *("scrap_reason", "counter_start", "counter_end", "note", "occurred_at", "recorded_at", "recorded_by"),
            *("idempotency_key", "reverses", "reversed_by"),
        )

    def get_good_in_order_unit(self, report: ProductionReport) -> str | None:
        """Good pieces in the order's unit."""
        return decimal_text(Fraction(report.good) * report.factor)

    def get_reversed_by(self, report: ProductionReport) -> int | None:
        """The report that takes it back."""
        other = getattr(report, "reversed_by", None)
        return other.pk if other is not None else None


class ParameterReadingSerializer(serializers.ModelSerializer):
    """What a set-point really was."""

    parameter = ReferenceField(queryset=OrderParameter.objects.select_related("operation__work_order__line__area"))
    occurred_at = AwareDateTimeField(required=False, help_text="Now when left out.")
    deviates = serializers.BooleanField(read_only=True, help_text="It is outside of its bounds.")

    class Meta:
        model = ParameterReading
        fields = ("id", "parameter", "value", "note", "occurred_at", "recorded_at", "recorded_by", "deviates")
        read_only_fields = ("recorded_at", "recorded_by")
        validators: list[object] = []


class DispatchQuerySerializer(serializers.Serializer):
    """Whose list of work: of a line or a machine, and who would do it."""

    line = ReferenceField(queryset=Line.objects.select_related("area__site"), required=False)
    machine = ReferenceField(queryset=Machine.objects.select_related("line__area__site"), required=False)
    employee = ReferenceField(queryset=Employee.objects.select_related("site"), required=False)
    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("line" in attrs) == ("machine" in attrs):
            raise serializers.ValidationError({"line": "Name either a line or a machine."})
        return attrs


class ProgressQuerySerializer(serializers.Serializer):
    """Whose progress."""

    work_order = ReferenceField(queryset=WorkOrder.objects.select_related("line__area__site", "product__unit", "unit"))


def made_texts(progress: OrderProgress | OperationProgress) -> dict[str, str | None]:
    """Return what was made, as exact numbers in text; None = not known."""
    return {name: decimal_text(getattr(progress.made, name)) for name in ("good", "scrap", "rework")}


def progress_texts(progress: OperationProgress) -> dict[str, str | None]:
    """Return how far an operation is, as exact numbers in text; None = not known."""
    return {
        "target": decimal_text(progress.target),
        **made_texts(progress),
        "remaining": decimal_text(progress.remaining),
        "beyond": decimal_text(progress.beyond),
    }


class DispatchedSerializer(serializers.Serializer):
    """An operation in the list of work: ready, or with every reason why not, and how far it is."""

    operation = serializers.IntegerField(source="operation.pk")
    sequence = serializers.IntegerField(source="operation.sequence")
    code = serializers.CharField(source="operation.code")
    name = serializers.CharField(source="operation.name")
    status = serializers.CharField(source="operation.status")
    work_order = serializers.IntegerField(source="operation.work_order_id")
    order_number = serializers.CharField(source="operation.work_order.order_number")
    product = serializers.CharField(source="operation.work_order.product.name", allow_null=True)
    priority = serializers.IntegerField(source="operation.work_order.priority", allow_null=True)
    due_at = AwareDateTimeField(source="operation.work_order.due_at", allow_null=True)
    planned_start_at = serializers.SerializerMethodField()
    is_running = serializers.BooleanField()
    is_ready = serializers.BooleanField()
    reasons = ReasonSerializer(many=True)
    runs = OperationRunSerializer(many=True)
    machines = serializers.SerializerMethodField()
    counting_source = serializers.CharField(source="operation.counting_source")
    actions = serializers.ListField(child=serializers.CharField())
    progress = serializers.SerializerMethodField()

    def get_planned_start_at(self, row: Dispatched) -> datetime | None:
        """Return when it is to start, or else its order."""
        return row.operation.planned_start_at or row.operation.work_order.planned_start_at

    def get_machines(self, row: Dispatched) -> list[int]:
        """Return the machines that can do it."""
        return [machine.pk for machine in row.machines]

    def get_progress(self, row: Dispatched) -> dict[str, str | None]:
        """Return how far it is."""
        return progress_texts(row.progress)
