"""How stage forms, units and what is done with them travel."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.serializers import AwareDateTimeField, MasterDataSerializer, ReferenceField
from enterprise.models import Machine, Site
from products.models import Product
from tracking.creating import MOST_AT_ONCE
from tracking.models import Assembly, SerialUnit, StageField, StageForm, UnitStage
from tracking.selectors import overall
from tracking.services import MOST_ENTRIES
from workorders.models import WorkOrder


class StageFormSerializer(MasterDataSerializer):
    """A version of a stage's form."""

    class Meta:
        model = StageForm
        fields = ("id", "product", "operation_code", "version", "name", "sequence", "positions", "status")
        read_only_fields = ("status",)


class StageFieldSerializer(MasterDataSerializer):
    """A field of a stage's form."""

    class Meta:
        model = StageField
        fields = (
            *("id", "form", "sequence", "code", "label", "kind", "required", "per_position", "filled_by"),
            *("minimum", "maximum", "unit", "choices", "component", "help"),
        )


class UnitStageSerializer(serializers.ModelSerializer):
    """A stage of a unit, as the tracker shows it."""

    class Meta:
        model = UnitStage
        fields = ("id", "sequence", "code", "name", "state", "round", "is_due", "machine", "line", "machine_class")
        read_only_fields = fields


class SerialUnitSerializer(serializers.ModelSerializer):
    """A unit with how its stages stand."""

    stages = UnitStageSerializer(many=True, read_only=True)
    overall = serializers.SerializerMethodField(help_text="How it stands in one word.")

    class Meta:
        model = SerialUnit
        fields = (
            *("id", "serial", "product", "order", "site", "status", "overall", "is_blocked", "rework_count"),
            *("parent", "parent_position", "replaces", "created_by", "created_at", "finished_at", "stages"),
        )
        read_only_fields = fields

    def get_overall(self, unit: SerialUnit) -> str:
        """Return how it stands."""
        return overall(unit)


class AssemblySerializer(serializers.ModelSerializer):
    """A part that was built in."""

    class Meta:
        model = Assembly
        fields = ("id", "parent", "position", "child", "assembled_by", "assembled_at")
        read_only_fields = fields


class CreateUnitsSerializer(serializers.Serializer):
    """Which units to create: their serials, or a pattern and how many."""

    order = ReferenceField(queryset=WorkOrder.objects.select_related("product", "line__area__site"), required=False)
    product = ReferenceField(queryset=Product.objects.all(), required=False)
    site = ReferenceField(queryset=Site.objects.all(), required=False)
    serials = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, min_length=1, max_length=MOST_AT_ONCE
    )
    pattern = serializers.CharField(required=False, max_length=100, help_text="`BP-{YY}{MM}-####`")
    count = serializers.IntegerField(required=False, min_value=1, max_value=MOST_AT_ONCE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        by_pattern = "pattern" in attrs and "count" in attrs
        if ("serials" in attrs) == by_pattern or ("pattern" in attrs) != ("count" in attrs):
            raise serializers.ValidationError({"serials": "Give the serials, or a pattern with a count."})
        if "order" not in attrs and not ("product" in attrs and "site" in attrs):
            raise serializers.ValidationError({"order": "Name the order, or the product and the site."})
        return attrs


class EntrySerializer(serializers.Serializer):
    """A value of a field; null clears it."""

    field = serializers.CharField(max_length=32)
    position = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
    value = serializers.CharField(max_length=500, allow_null=True, allow_blank=True)
    key = serializers.CharField(max_length=80, help_text="Made up by the sender: the same again has one effect.")
    occurred_at = AwareDateTimeField(required=False, help_text="When it was filled in; left out: now.")
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class EnterSerializer(serializers.Serializer):
    """What is filled in at a stage."""

    stage = serializers.CharField(max_length=32)
    station = ReferenceField(queryset=Machine.objects.all(), required=False, help_text="Where: refused if not there.")
    entries = serializers.ListField(child=EntrySerializer(), min_length=1, max_length=MOST_ENTRIES)


class UnitDecisionSerializer(serializers.Serializer):
    """A decision, with a key and, where one is needed, a reason."""

    key = serializers.CharField(max_length=80, help_text="Made up by the sender: the same again has one effect.")
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class StageDecisionSerializer(UnitDecisionSerializer):
    """A decision about a stage."""

    stage = serializers.CharField(max_length=32)


class CompleteStageSerializer(StageDecisionSerializer):
    """A stage is done."""

    station = ReferenceField(queryset=Machine.objects.all(), required=False)


class ScrapUnitSerializer(UnitDecisionSerializer):
    """A unit is given up."""

    replacement = serializers.CharField(
        max_length=100, required=False, allow_blank=True, default="", help_text="Serial of one to make instead."
    )


class TakePartOutSerializer(serializers.Serializer):
    """Which part is taken out, and why."""

    position = serializers.CharField(max_length=64)
    reason = serializers.CharField(max_length=500)
    key = serializers.CharField(max_length=80)


class BuildInSerializer(serializers.Serializer):
    """Which part is built in, and where; with a reason, in place of what is there."""

    position = serializers.CharField(max_length=64)
    child = ReferenceField(queryset=SerialUnit.objects.all(), help_text="The id of the part's unit.")
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    key = serializers.CharField(max_length=80)


class ScanQuerySerializer(serializers.Serializer):
    """What was scanned, and where."""

    code = serializers.CharField(max_length=500)
    station = ReferenceField(queryset=Machine.objects.select_related("line__area"), required=False)


class NextStepSerializer(serializers.Serializer):
    """What is to be done with a unit now."""

    unit = SerialUnitSerializer()
    stage = UnitStageSerializer(allow_null=True)
    words = serializers.CharField()
    missing = serializers.ListField(child=serializers.CharField())


class YieldQuerySerializer(serializers.Serializer):
    """First passes of which product, order and time."""

    product = ReferenceField(queryset=Product.objects.all())
    order = ReferenceField(queryset=WorkOrder.objects.all(), required=False)
    starts_at = AwareDateTimeField(required=False)
    ends_at = AwareDateTimeField(required=False)


class YieldSerializer(serializers.Serializer):
    """First-pass yield of a stage."""

    code = serializers.CharField()
    name = serializers.CharField()
    first_passes = serializers.IntegerField()
    good = serializers.IntegerField()
    first_pass_yield = serializers.SerializerMethodField(help_text="Six decimals; null when there was no first pass.")

    def get_first_pass_yield(self, row: Any) -> str | None:
        """Return the ratio as text."""
        return None if row.value is None else f"{Decimal(row.value.numerator) / row.value.denominator:.6f}"
