"""KPIs, as they travel: every value as an exact fraction and as a decimal, beside the formula that gave it."""

from dataclasses import fields
from typing import Any

from rest_framework import serializers

from core.serializers import AwareDateTimeField
from oee.engine.catalogue import ELEMENTS
from oee.kpis import KpiValue
from oee.serializers import ExactField, RoundedField


class KpiSerializer(serializers.Serializer):
    """A KPI of the catalogue, or one that the plant defined."""

    code = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField(help_text="ratio, seconds, per_hour, pieces or index")
    formula = serializers.CharField(help_text="What is computed, over the codes of elements.")
    meaning = serializers.CharField(allow_blank=True)
    source = serializers.CharField(help_text="Where the definition is from.")  # type: ignore[assignment]
    better = serializers.CharField(allow_null=True, help_text="higher, lower or null")
    target = serializers.DecimalField(max_digits=24, decimal_places=12, allow_null=True)
    is_custom = serializers.BooleanField()
    problem = serializers.CharField(
        allow_blank=True, help_text="Why the formula cannot be computed any more; empty = it can."
    )


class DefinedKpiSerializer(KpiSerializer):
    """A KPI with the codes of the elements that it follows from."""

    elements = serializers.ListField(child=serializers.CharField())


class ElementValueSerializer(serializers.Serializer):
    """What an element came to."""

    code = serializers.CharField()
    name = serializers.SerializerMethodField()
    unit = serializers.SerializerMethodField(help_text="seconds, pieces, events or index")
    value = ExactField()
    decimal = RoundedField(source="value")

    def get_name(self, element: Any) -> str:
        """Return what people call it; its code when there is no such element any more."""
        return ELEMENTS[element.code].name if element.code in ELEMENTS else element.code

    def get_unit(self, element: Any) -> str | None:
        """Return its unit; none when there is no such element any more."""
        return ELEMENTS[element.code].unit if element.code in ELEMENTS else None


class KpiValueSerializer(KpiSerializer):
    """What a KPI came to, with the formula and the elements that it follows from."""

    value = ExactField()
    decimal = RoundedField(source="value")
    elements = ElementValueSerializer(many=True)

    def to_representation(self, instance: KpiValue) -> dict[str, Any]:
        shown = {field.name: getattr(instance.kpi, field.name) for field in fields(instance.kpi)}
        return super().to_representation({**shown, "value": instance.value, "elements": instance.elements})


class KpiReportSerializer(serializers.Serializer):
    """All KPIs of some machines over a window."""

    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()
    known_until = AwareDateTimeField()
    machines = serializers.ListField(child=serializers.IntegerField())
    policies = serializers.JSONField(help_text="What the sites concerned decided where definitions differ.")
    kpis = KpiValueSerializer(many=True)
