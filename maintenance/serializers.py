"""Maintenance, as it travels."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from rest_framework import serializers

from core.serializers import AwareDateTimeField, CodedSerializer, Plain, ReferenceField
from enterprise.models import Line, Machine, Site
from maintenance.models import MaintenanceOrder, MaintenancePlan, MaintenanceStep, PartUse, Tool, ToolMounting
from maintenance.services import allowed_steps
from materials.models import Location, MaterialLot
from products.models import Product

KEY = r"^[A-Za-z0-9._:-]{1,64}\Z"
_HUNDREDTH = Decimal("0.01")


class MaintenancePlanSerializer(CodedSerializer):
    """What is to be done to a machine after so many days, run hours or cycles."""

    class Meta:
        model = MaintenancePlan
        fields = (
            *("id", "code", "name", "machine", "basis", "every", "counted_from", "warn_percent", "planned_minutes"),
            *("stops_machine", "instructions", "is_active"),
        )


class ToolSerializer(CodedSerializer):
    """A tool that wears out."""

    class Meta:
        model = Tool
        fields = ("id", "code", "name", "site", "basis", "life", "warn_percent", "is_active")


class MaintenanceOrderSerializer(serializers.ModelSerializer):
    """Something to be done to a machine, and the steps that may be taken."""

    allowed = serializers.SerializerMethodField(help_text="The steps that may be taken now.")

    class Meta:
        model = MaintenanceOrder
        fields = (
            *("id", "machine", "plan", "kind", "title", "description", "status", "down_since", "requested_at"),
            *("planned_for", "started_at", "finished_at", "stop_at", "idempotency_key", "allowed"),
        )

    def get_allowed(self, order: MaintenanceOrder) -> list[str]:
        """Return the steps that may be taken."""
        return [str(one) for one in allowed_steps(order)]


class MaintenanceStepSerializer(serializers.ModelSerializer):
    """What was done about a maintenance order."""

    class Meta:
        model = MaintenanceStep
        fields = (
            *("id", "order", "kind", "occurred_at", "recorded_at", "recorded_by", "person", "note"),
            "idempotency_key",
        )


class PartUseSerializer(serializers.ModelSerializer):
    """A spare part that went into an order, by its line of the material ledger."""

    product = serializers.IntegerField(source="movement.product_id")
    quantity = serializers.DecimalField(source="movement.quantity", max_digits=18, decimal_places=6)
    unit = serializers.CharField(source="movement.unit")
    total_cost = serializers.DecimalField(
        source="movement.total_cost", max_digits=36, decimal_places=12, allow_null=True
    )
    is_reversed = serializers.SerializerMethodField()

    class Meta:
        model = PartUse
        fields = ("id", "order", "movement", "product", "quantity", "unit", "total_cost", "is_reversed")

    def get_is_reversed(self, use: PartUse) -> bool:
        """Return whether it was put back."""
        return getattr(use.movement, "reversed_by", None) is not None


class ToolMountingSerializer(serializers.ModelSerializer):
    """A span in which a tool was on a machine."""

    class Meta:
        model = ToolMounting
        fields = ("id", "tool", "machine", "mounted_at", "removed_at", "is_renewed", "recorded_at", "recorded_by")


class MaintenanceSaidSerializer(Plain):
    """When something was done, in whose name, and how a retry is known."""

    at = AwareDateTimeField(required=False, help_text="Now when left out; the past is allowed.")
    person = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    note = serializers.CharField(max_length=480, required=False, allow_blank=True, default="")
    idempotency_key = serializers.RegexField(
        KEY, required=False, help_text="Whoever repeats a request with it gets the first answer."
    )


class NewMaintenanceOrderSerializer(MaintenanceSaidSerializer):
    """Maintenance that is asked for."""

    machine = ReferenceField(queryset=Machine.objects.select_related("line__area__site"))
    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")
    machine_down = serializers.BooleanField(
        required=False, default=False, help_text="Nothing can be started on the machine until it is released."
    )
    stop_at = AwareDateTimeField(required=False, help_text="A moment in the machine's stop that it is about.")


class TakeMaintenanceStepSerializer(MaintenanceSaidSerializer):
    """A step to take."""

    kind = serializers.ChoiceField(
        choices=[choice for choice in MaintenanceStep.Kind.choices if choice[0] != MaintenanceStep.Kind.REQUESTED]
    )
    planned_for = AwareDateTimeField(required=False)


class UsePartSerializer(MaintenanceSaidSerializer):
    """A spare part to take out of stock."""

    product = ReferenceField(queryset=Product.objects.all())
    quantity = serializers.DecimalField(max_digits=18, decimal_places=6)
    from_location = ReferenceField(queryset=Location.objects.all())
    lot = ReferenceField(queryset=MaterialLot.objects.all(), required=False, allow_null=True)
    unit_cost = serializers.DecimalField(
        max_digits=18, decimal_places=6, min_value=Decimal(0), required=False, allow_null=True
    )


class MountSerializer(MaintenanceSaidSerializer):
    """A tool to mount."""

    machine = ReferenceField(queryset=Machine.objects.select_related("line__area__site"))
    is_renewed = serializers.BooleanField(required=False, default=False)


class MaintenancePlaceSerializer(Plain):
    """Which machines are asked about; nothing = all that the caller may see."""

    site = ReferenceField(queryset=Site.objects.all(), required=False)
    line = ReferenceField(queryset=Line.objects.all(), required=False)
    machine = ReferenceField(queryset=Machine.objects.all(), required=False)


def _rounded(amount: Fraction | None) -> Decimal | None:
    return None if amount is None else (Decimal(amount.numerator) / amount.denominator).quantize(_HUNDREDTH)


class WearSerializer(serializers.Serializer):
    """How much is used, in the unit of the basis, to two decimals; null = nobody knows."""

    used = serializers.SerializerMethodField()
    limit = serializers.SerializerMethodField()
    percent_left = serializers.SerializerMethodField()
    is_due = serializers.BooleanField(source="wear.is_due")
    is_soon = serializers.BooleanField(source="wear.is_soon")
    due_at = AwareDateTimeField(source="wear.due_at", allow_null=True)

    def get_used(self, row: Any) -> Decimal | None:
        """Return what is used."""
        return _rounded(row.wear.used)

    def get_limit(self, row: Any) -> Decimal | None:
        """Return what it lasts."""
        return _rounded(row.wear.limit)

    def get_percent_left(self, row: Any) -> Decimal | None:
        """Return what is left of 100."""
        return _rounded(row.wear.percent_left)


class PlanDueSerializer(WearSerializer):
    """A plan and how far it is."""

    plan = serializers.IntegerField(source="plan.pk")
    code = serializers.CharField(source="plan.code")
    machine = serializers.IntegerField(source="plan.machine_id")
    basis = serializers.CharField(source="plan.basis")
    since = AwareDateTimeField()
    order = serializers.IntegerField(source="order.pk", default=None, allow_null=True)


class ToolLifeSerializer(WearSerializer):
    """A tool and what is left of it."""

    tool = serializers.IntegerField(source="tool.pk")
    code = serializers.CharField(source="tool.code")
    basis = serializers.CharField(source="tool.basis")
    machine = serializers.IntegerField(source="mounting.machine_id", default=None, allow_null=True)
