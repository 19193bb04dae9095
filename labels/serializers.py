"""Layouts, batches and labels, as they travel."""

from typing import Any

from rest_framework import serializers

from core.serializers import CodedSerializer, Plain, ReferenceField
from enterprise.models import Site
from labels.models import Label, LabelBatch, LabelLayout, LabelReprint
from labels.services import MAX_FIELDS, MAX_LABELS, MAX_VALUE

KEY = r"^[A-Za-z0-9._:-]{1,64}\Z"


class LabelLayoutSerializer(CodedSerializer):
    """How labels of a kind look."""

    class Meta:
        model = LabelLayout
        fields = (
            *("id", "code", "name", "site", "labels_what", "symbology", "error_level", "width_mm", "height_mm", "dpi"),
            *("text_mm", "base_url", "payload", "text_lines", "on_sheets", "is_active"),
        )


class LabelBatchSerializer(serializers.ModelSerializer):
    """Labels that were printed together."""

    printed_by = serializers.CharField(source="printed_by.username", read_only=True)

    class Meta:
        model = LabelBatch
        fields = ("id", "layout", "site", "label_count", "printed_by", "recorded_at", "idempotency_key")


class RowField(serializers.DictField):
    """One label's fields: `code`, and whatever the layout's texts name."""

    child = serializers.CharField(max_length=MAX_VALUE, allow_blank=True, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and len(data) > MAX_FIELDS:
            raise serializers.ValidationError(f"A row has at most {MAX_FIELDS} fields.")
        return super().to_internal_value(data)


class NewBatchSerializer(Plain):
    """Labels to print."""

    layout = ReferenceField(queryset=LabelLayout.objects.all())
    site = ReferenceField(queryset=Site.objects.all(), required=False, help_text="The layout's when left out.")
    rows = serializers.ListField(child=RowField(), min_length=1, max_length=MAX_LABELS)
    idempotency_key = serializers.RegexField(
        KEY, required=False, help_text="Whoever repeats a request with it gets the first batch."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("site", attrs["layout"].site)
        if attrs["site"] is None:
            raise serializers.ValidationError({"site": ["The layout is for every site; say at which."]})
        return attrs


class LabelSerializer(serializers.ModelSerializer):
    """A code that was given to one thing."""

    reprint_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Label
        fields = ("id", "batch", "site", "labels_what", "code", "position", "payload", "texts", "reprint_count")


class NewReprintSerializer(Plain):
    """Why a label is printed again."""

    reason = serializers.CharField(max_length=500)
    idempotency_key = serializers.RegexField(KEY, required=False)


class LabelReprintSerializer(serializers.ModelSerializer):
    """A label that was printed again."""

    printed_by = serializers.CharField(source="printed_by.username", read_only=True)

    class Meta:
        model = LabelReprint
        fields = ("id", "label", "reason", "printed_by", "recorded_at", "idempotency_key")


class PhotoSerializer(serializers.Serializer):
    """A photo of codes."""

    file = serializers.FileField(write_only=True, help_text="JPEG, PNG or WebP, at most 8 MB.")


class Gs1ElementSerializer(serializers.Serializer):
    """One element of a GS1 code."""

    ai = serializers.CharField()
    title = serializers.CharField()
    raw = serializers.CharField()
    value = serializers.CharField()
    unit = serializers.CharField()


class FoundSerializer(serializers.Serializer):
    """A code in a photo. `text` has FNC1 as GS (0x1D); `identifier` is ISO/IEC 15424's, such as ]Q1."""

    text = serializers.CharField()
    symbology = serializers.CharField()
    identifier = serializers.CharField()
    is_gs1 = serializers.BooleanField()
    elements = Gs1ElementSerializer(many=True)
    position = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))


class FoundCodesSerializer(serializers.Serializer):
    """What is in a photo; none when nothing could be read."""

    codes = FoundSerializer(many=True)
