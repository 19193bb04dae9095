"""Count types, tags and readings, as they travel."""

from typing import Any

from rest_framework import serializers

from core.fact_api import fact_id
from core.serializers import AwareDateTimeField, CodedSerializer, MasterDataSerializer, ReferenceField
from counts.models import CountHistory, CountTag, CountType


class CountTypeSerializer(CodedSerializer):
    """What is counted."""

    class Meta:
        model = CountType
        fields = ("id", "code", "name", "names", "role", "is_active")


class CountTagSerializer(MasterDataSerializer):
    """A counter of a machine."""

    class Meta:
        model = CountTag
        fields = (
            *("id", "tag_path", "machine", "count_type", "mode", "scale", "cavities", "offset"),
            *("modulus", "reset_policy", "fastest_rate", "is_active"),
        )


class TagField(ReferenceField):
    """Refer to a tag by its id or its path."""

    def to_internal_value(self, data: Any) -> CountTag:
        if isinstance(data, str) and not data.isdecimal() and "\0" not in data:
            tag: CountTag | None = self.get_queryset().filter(tag_path=data).first()
            if tag is None:
                raise serializers.ValidationError(f"There is no count tag '{data}'.")
            return tag
        found: CountTag = super().to_internal_value(data)
        return found


class CountHistorySerializer(serializers.ModelSerializer):
    """A reading as the device sent it, and what people made of it since."""

    id = serializers.SerializerMethodField(help_text="Tag id and microseconds since 1970.")
    tag = TagField(queryset=CountTag.objects.all())
    occurred_at = AwareDateTimeField()
    recorded_at = AwareDateTimeField(read_only=True)
    value = serializers.DecimalField(max_digits=24, decimal_places=6, min_value=0, help_text="In the tag's pulses.")
    is_corrected = serializers.BooleanField(read_only=True, default=False)
    corrected_value = serializers.DecimalField(
        max_digits=24, decimal_places=6, read_only=True, default=None, help_text="Null with is_corrected: void."
    )

    class Meta:
        model = CountHistory
        fields = ("id", "tag", "occurred_at", "value", "is_corrected", "corrected_value", "recorded_at", "source")
        read_only_fields = ("source",)

    def get_id(self, reading: CountHistory) -> str:
        """Return the reading's id."""
        return fact_id(reading.tag_id, reading.occurred_at)


class CountCorrectionSerializer(serializers.Serializer):
    """A person's word on a reading: its true value, or null when it is void; and why."""

    value = serializers.DecimalField(max_digits=24, decimal_places=6, min_value=0, allow_null=True)
    comment = serializers.CharField(max_length=500)
