"""Templates, versions and mappings, as they travel."""

from typing import Any

from rest_framework import serializers

from core.serializers import CodedSerializer, MasterDataSerializer
from reports.models import WorkbookMapping, WorkbookTemplate, WorkbookVersion


class WorkbookTemplateSerializer(CodedSerializer):
    """A workbook of the customer's."""

    class Meta:
        model = WorkbookTemplate
        fields = ("id", "code", "name", "site", "source", "is_active")


class WorkbookMappingSerializer(MasterDataSerializer):
    """A cell and the field that fills it."""

    class Meta:
        model = WorkbookMapping
        fields = ("id", "template", "target", "path", "list_path", "row_step", "max_rows")
        validators: list[object] = []


class WorkbookVersionSerializer(serializers.ModelSerializer):
    """A file that was uploaded."""

    uploaded_by = serializers.CharField(source="uploaded_by.username", read_only=True)

    class Meta:
        model = WorkbookVersion
        fields = ("id", "template", "number", "file_name", "size", "content_digest", "uploaded_by", "recorded_at")


class UploadSerializer(serializers.Serializer):
    """A workbook to upload."""

    file = serializers.FileField(write_only=True, help_text="Excel (.xlsx), at most 5 MB.")


class PlaceSerializer(serializers.Serializer):
    """A name or sheet of the workbook."""

    target = serializers.CharField()
    where = serializers.CharField()


class SourceFieldSerializer(serializers.Serializer):
    """A field of what the workbook is filled with; `[]` repeats."""

    path = serializers.CharField()
    meaning = serializers.CharField()


class PlacesSerializer(serializers.Serializer):
    """What can be mapped to what."""

    places = PlaceSerializer(many=True)
    fields_known = SourceFieldSerializer(many=True)


class AskedSerializer(serializers.Serializer):
    """Which record."""

    record = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class TableSerializer(serializers.Serializer):
    """What kind of file."""

    kind = serializers.ChoiceField(choices=["csv", "xlsx"], default="xlsx")


def asked(serializer: type[serializers.Serializer], data: Any) -> dict[str, Any]:
    """Return a question's parameters, validated."""
    given = serializer(data=data)
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = given.validated_data
    return values
