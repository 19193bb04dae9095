"""The schedule against what happened, what it needs, and suggestions, as they travel."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.exact import decimal_text
from core.serializers import AwareDateTimeField, MasterDataSerializer, ReferenceField
from enterprise.models import Line, Site
from scheduling.models import SchedulingPolicy
from scheduling.services import HORIZON, MOST_LINES, MOST_ORDERS
from workorders.models import Operation, Schedule, WorkOrder
from workorders.serializers import ScheduleSerializer


@extend_schema_field(OpenApiTypes.DECIMAL)
class ExactField(serializers.Field):
    """An exact fraction as a decimal with 6 places; null = not known."""

    def __init__(self, places: int = 6, **kwargs: Any) -> None:
        self.places = places
        super().__init__(read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: Fraction) -> str | None:
        return decimal_text(value, self.places)


class SchedulingPolicySerializer(MasterDataSerializer):
    """What counts as on time at a site."""

    class Meta:
        model = SchedulingPolicy
        fields = ("id", "site", "start_tolerance", "end_tolerance")


class WindowSerializer(serializers.Serializer):
    """Of which line or site, over which window of at most 100 days."""

    LONGEST_DAYS = 100

    line = ReferenceField(queryset=Line.objects.select_related("area__site"), required=False, default=None)
    site = ReferenceField(queryset=Site.objects.all(), required=False, default=None)
    starts_at = AwareDateTimeField(required=False, help_text="Or `from`.")
    ends_at = AwareDateTimeField(required=False, help_text="Or `to`.")

    def to_internal_value(self, data: Any) -> Any:
        names = {"from": "starts_at", "to": "ends_at"}
        return super().to_internal_value({names.get(name, name): data[name] for name in data})

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs.get("line") is None) == (attrs.get("site") is None):
            raise serializers.ValidationError({"line": "Name a line or a site."})
        for name in ("starts_at", "ends_at"):
            if name not in attrs:
                raise serializers.ValidationError({name: "This field is required."})
        start, end = attrs["starts_at"], attrs["ends_at"]
        if end <= start:
            raise serializers.ValidationError({"ends_at": "The window must end after it starts."})
        if (end - start).days > self.LONGEST_DAYS:
            raise serializers.ValidationError({"ends_at": f"At most {self.LONGEST_DAYS} days at once."})
        return attrs


class AdherenceQuerySerializer(WindowSerializer):
    """And by what."""

    by = serializers.ChoiceField(choices=["shift", "day", "week"], default="shift")


class ActualSerializer(serializers.Serializer):
    """An entry and what became of it. Quantities are good pieces in the product's unit."""

    entry = ScheduleSerializer(read_only=True)
    order_number = serializers.CharField(source="entry.work_order.order_number", default=None, allow_null=True)
    customer_due_at = AwareDateTimeField(source="entry.work_order.due_at", default=None, allow_null=True)
    priority = serializers.IntegerField(source="entry.work_order.priority", default=None, allow_null=True)
    runs = serializers.SerializerMethodField()
    planned_quantity = ExactField()
    actual_quantity = ExactField()
    actual_start_at = AwareDateTimeField(allow_null=True)
    actual_end_at = AwareDateTimeField(allow_null=True)
    on_time_start = serializers.BooleanField(allow_null=True)
    on_time_end = serializers.BooleanField(allow_null=True)
    status = serializers.CharField(help_text="planned, confirmed, in_progress, completed, delayed or cancelled")
    is_delayed = serializers.BooleanField(help_text="Late at this moment, and not over.")

    def get_runs(self, actual: Any) -> list[int]:
        """Return the ids of its runs."""
        return [run.pk for run in actual.runs]


class AdherenceSerializer(serializers.Serializer):
    """How far the plan was kept: entries whose planned end is past."""

    line = serializers.IntegerField(source="line_id")
    key = serializers.SerializerMethodField(help_text="Day, shift and its name; day; or ISO year and week.")
    due = serializers.IntegerField(help_text="Entries that were due.")
    on_time = serializers.IntegerField(help_text="Of them, began and ended on time.")
    planned_quantity = ExactField()
    delivered_quantity = ExactField(help_text="Σ min(actual, planned).")
    quantity_adherence = ExactField(places=12)
    time_adherence = ExactField(places=12)

    def get_key(self, adherence: Any) -> list[str | int | None]:
        """Return what it is grouped by."""
        return [part if part is None or isinstance(part, int) else str(part) for part in adherence.key]


class AnswerSerializer(serializers.Serializer):
    """Yes, no or not known, and why."""

    is_there = serializers.BooleanField(allow_null=True)
    words = serializers.CharField()


class AvailabilitySerializer(serializers.Serializer):
    """Whether what an entry needs is there."""

    entry = serializers.IntegerField(source="entry_id")
    material = AnswerSerializer()
    people = AnswerSerializer()
    equipment = AnswerSerializer()


class SuggestSerializer(serializers.Serializer):
    """Which orders, from when, on which lines, and how."""

    orders = serializers.ListField(
        child=ReferenceField(queryset=WorkOrder.objects.select_related("line__area__site", "product__unit", "unit")),
        allow_empty=False,
        max_length=MOST_ORDERS,
    )
    lines = serializers.ListField(
        child=ReferenceField(queryset=Line.objects.all()),
        required=False,
        allow_null=True,
        default=None,
        max_length=MOST_LINES,
    )
    start = AwareDateTimeField(help_text=f"Nothing begins before; the plan reaches {HORIZON.days} days from there.")
    direction = serializers.ChoiceField(choices=["forward", "backward"], default="forward")
    less_setup = serializers.BooleanField(
        default=False, help_text="Look for a sequence with less set-up, no later in sum."
    )
    efficiency = serializers.DecimalField(
        max_digits=7,
        decimal_places=6,
        default=Decimal(1),
        min_value=Decimal("0.01"),
        max_value=Decimal(1),
        help_text="How much of the ideal speed to count on: 0.8 = everything takes a quarter longer.",
    )

    def validate_orders(self, orders: list[WorkOrder]) -> list[WorkOrder]:
        """Take each order once."""
        return list({order.pk: order for order in orders}.values())


class AcceptedSerializer(serializers.Serializer):
    """An entry to place, as it was suggested."""

    work_order = ReferenceField(queryset=WorkOrder.objects.select_related("line__area__site"))
    operation = ReferenceField(queryset=Operation.objects.all(), required=False, allow_null=True, default=None)
    line = ReferenceField(queryset=Line.objects.select_related("area__site"))
    planned_start_at = AwareDateTimeField()
    planned_end_at = AwareDateTimeField()
    planned_quantity = serializers.DecimalField(
        max_digits=18, decimal_places=6, required=False, allow_null=True, default=None, min_value=Decimal("0.000001")
    )


class AcceptSuggestionSerializer(serializers.Serializer):
    """The entries to place: all, or none where one collides."""

    entries = serializers.ListField(child=AcceptedSerializer(), allow_empty=False, max_length=2 * MOST_ORDERS)


class SuggestedSerializer(serializers.Serializer):
    """A suggested entry and why it lies there."""

    work_order = serializers.IntegerField(source="work_order.pk")
    order_number = serializers.CharField(source="work_order.order_number")
    operation = serializers.IntegerField(source="operation.pk", default=None, allow_null=True)
    line = serializers.IntegerField(source="line.pk")
    planned_start_at = AwareDateTimeField()
    planned_end_at = AwareDateTimeField()
    planned_quantity = serializers.DecimalField(max_digits=18, decimal_places=6, allow_null=True)
    setup_seconds = serializers.SerializerMethodField()
    why = serializers.CharField(help_text="The binding constraint.")
    warnings = serializers.ListField(child=serializers.CharField())

    def get_setup_seconds(self, suggested: Any) -> float:
        """Return its set-up time."""
        return float(suggested.setup.total_seconds())


class RefusedSerializer(serializers.Serializer):
    """An order that has no place, and why."""

    work_order = serializers.SerializerMethodField()
    order_number = serializers.SerializerMethodField()
    why = serializers.SerializerMethodField()

    def get_work_order(self, pair: Any) -> int:
        """Return the order's id."""
        return int(pair[0].pk)

    def get_order_number(self, pair: Any) -> str:
        """Return its number."""
        return str(pair[0].order_number)

    def get_why(self, pair: Any) -> str:
        """Return the reason."""
        return str(pair[1])


class SuggestionSerializer(serializers.Serializer):
    """What is suggested; give the entries to `accept` as they are."""

    entries = SuggestedSerializer(many=True)
    refused = RefusedSerializer(many=True)
    setup_seconds = serializers.SerializerMethodField()
    lateness_seconds = serializers.SerializerMethodField(help_text="By how much orders end after they are due, summed.")

    def get_setup_seconds(self, suggestion: Any) -> float:
        """Return all set-up time."""
        return float(suggestion.setup.total_seconds())

    def get_lateness_seconds(self, suggestion: Any) -> float:
        """Return all lateness."""
        return float(suggestion.lateness.total_seconds())


class ScheduledSerializer(serializers.ModelSerializer):
    """An entry that was placed."""

    class Meta:
        model = Schedule
        fields = ("id", "line", "work_order", "operation", "planned_start_at", "planned_end_at", "planned_quantity")
