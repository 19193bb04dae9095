"""Batch records over REST."""

from typing import Any

from rest_framework import serializers

from batchrecords.assembly import Assembled
from batchrecords.models import (
    SEVERITIES,
    BatchRecord,
    Resolution,
    Signature,
    SigningPolicy,
    StepEntry,
    StepTemplate,
)
from core.serializers import AwareDateTimeField, MasterDataSerializer, ReferenceField
from materials.models import MaterialLot
from workorders.models import Operation, WorkOrder


class SigningPolicySerializer(MasterDataSerializer):
    """What a site decides about its batch records."""

    class Meta:
        model = SigningPolicy
        fields = (
            *("id", "site", "reviewer_may_have_prepared", "approver_may_have_signed", "releaser_may_have_approved"),
            "stop_minutes",
        )


class StepTemplateSerializer(MasterDataSerializer):
    """What has to be done at an operation of a routing."""

    class Meta:
        model = StepTemplate
        fields = (
            *("id", "operation", "position", "code", "kind", "prompt", "minimum", "maximum", "unit"),
            *("choices", "choices_within", "is_required", "is_critical", "beyond"),
        )


class BatchRecordSerializer(serializers.ModelSerializer):
    """A record in a list."""

    order_number = serializers.CharField(source="work_order.order_number", read_only=True)
    opened_at = AwareDateTimeField(read_only=True)

    class Meta:
        model = BatchRecord
        fields = (
            "id",
            "number",
            "work_order",
            "order_number",
            "lot",
            "requirement",
            "status",
            "opened_by",
            "opened_at",
        )
        read_only_fields = fields


class OpenRecordSerializer(serializers.Serializer):
    """Of which order, or of which lot that it made."""

    work_order = ReferenceField(queryset=WorkOrder.objects.select_related("line__area__site"))
    lot = ReferenceField(queryset=MaterialLot.objects.all(), required=False, allow_null=True, default=None)
    number = serializers.CharField(required=False, allow_blank=True, max_length=64, default="")
    requirement = serializers.ChoiceField(
        choices=BatchRecord.Requirement.choices, required=False, allow_blank=True, default=""
    )


class SignatureSerializer(serializers.ModelSerializer):
    """A signature: name, time and meaning, and the hash of what was signed."""

    signed_at = AwareDateTimeField()
    meaning_text = serializers.CharField(source="get_meaning_display")
    holds = serializers.SerializerMethodField(help_text="Whether the facts still say what was signed.")

    class Meta:
        model = Signature
        fields = (
            *("id", "revision", "meaning", "meaning_text", "signer", "username", "printed_name", "signed_at", "zone"),
            *("comment", "content_hash", "snapshot_hash", "holds"),
        )
        read_only_fields = fields

    def get_holds(self, signature: Signature) -> bool:
        """Return whether it holds."""
        return signature.pk in self.context["standing"].holding


class SectionSerializer(serializers.Serializer):
    """A table of the record."""

    code = serializers.CharField()
    title = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField(), source="section.columns")
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField()), source="section.rows")


class DeviationSerializer(serializers.Serializer):
    """A deviation, with the resolution that holds for it."""

    key = serializers.CharField(source="finding.key")
    kind = serializers.CharField(source="finding.kind")
    severity = serializers.CharField(source="finding.severity")
    title = serializers.CharField(source="finding.title")
    detail = serializers.CharField(source="finding.detail")
    at = AwareDateTimeField(source="finding.at", allow_null=True)
    is_open = serializers.BooleanField()
    decision = serializers.SerializerMethodField()
    comment = serializers.SerializerMethodField()
    resolved_by = serializers.SerializerMethodField()

    def get_decision(self, one: Any) -> str | None:
        """Return what was decided."""
        return one.resolution.decision if one.resolution else None

    def get_comment(self, one: Any) -> str | None:
        """Return why."""
        return one.resolution.comment if one.resolution else None

    def get_resolved_by(self, one: Any) -> str | None:
        """Return who decided."""
        return one.resolution.resolved_name if one.resolution else None


class DifferenceSerializer(serializers.Serializer):
    """A row that is another one than when it was signed."""

    section = serializers.CharField()
    was = serializers.CharField()
    now = serializers.CharField()


class WholeRecordSerializer(BatchRecordSerializer):
    """A record with all that it contains now."""

    content_hash = serializers.SerializerMethodField(help_text="Give it back as `seen` to sign exactly this.")
    changed_since_signed = serializers.SerializerMethodField()
    head = serializers.SerializerMethodField()
    deviations = serializers.SerializerMethodField()
    signatures = serializers.SerializerMethodField()
    differences = serializers.SerializerMethodField()
    sections = serializers.SerializerMethodField()

    class Meta:
        model = BatchRecord
        fields = (
            *BatchRecordSerializer.Meta.fields,
            *("content_hash", "changed_since_signed", "head", "deviations", "signatures", "differences", "sections"),
        )
        read_only_fields = fields

    @property
    def _found(self) -> Assembled:
        found: Assembled = self.context["assembled"]
        return found

    def get_content_hash(self, record: BatchRecord) -> str:
        """Return the SHA-256 of what would be signed now."""
        return self._found.content_hash

    def get_changed_since_signed(self, record: BatchRecord) -> bool:
        """Return whether the last signature is void."""
        return bool(self.context["standing"].changed_since_signed)

    def get_head(self, record: BatchRecord) -> list[list[str]]:
        """Return names and values."""
        return [list(row) for row in self._found.head]

    def get_deviations(self, record: BatchRecord) -> list[dict[str, Any]]:
        """Return what needs eyes, and what was decided."""
        return list(DeviationSerializer(self._found.exceptions, many=True).data)

    def get_signatures(self, record: BatchRecord) -> list[dict[str, Any]]:
        """Return the signatures, oldest first."""
        found = self.context["standing"].signatures
        return list(SignatureSerializer(found, many=True, context=self.context).data)

    def get_differences(self, record: BatchRecord) -> list[dict[str, Any]]:
        """Return what changed since the last signature."""
        return list(DifferenceSerializer(self.context["standing"].differences, many=True).data)

    def get_sections(self, record: BatchRecord) -> list[dict[str, Any]]:
        """Return the tables."""
        return list(SectionSerializer(self._found.sections, many=True).data)


class SignSerializer(serializers.Serializer):
    """Both components of the signature, its meaning, and what was seen."""

    meaning = serializers.ChoiceField(choices=Signature.Meaning.choices)
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=500, trim_whitespace=False, write_only=True)
    seen = serializers.CharField(max_length=64, help_text="`content_hash` of the record that you looked at.")
    comment = serializers.CharField(required=False, allow_blank=True, max_length=500, default="")


class NoteDeviationSerializer(serializers.Serializer):
    """A deviation that somebody notes."""

    severity = serializers.ChoiceField(choices=SEVERITIES, default="major")
    title = serializers.CharField(max_length=200)
    detail = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")


class ResolveSerializer(serializers.Serializer):
    """What was decided about a deviation, and why."""

    key = serializers.CharField(max_length=150)
    decision = serializers.ChoiceField(choices=Resolution.Decision.choices)
    comment = serializers.CharField(max_length=1000)


class StepEntrySerializer(serializers.ModelSerializer):
    """A step that was done."""

    occurred_at = AwareDateTimeField()
    recorded_at = AwareDateTimeField()
    time = AwareDateTimeField(allow_null=True)

    class Meta:
        model = StepEntry
        fields = (
            *("id", "operation", "template", "asked", "number", "said", "time", "photo_type", "second_person"),
            *("is_within", "comment", "occurred_at", "recorded_at", "entered_by", "entered_name"),
        )
        read_only_fields = fields


class EnterStepSerializer(serializers.Serializer):
    """What is entered: the part that the step's kind asks for."""

    operation = ReferenceField(
        queryset=Operation.objects.select_related("work_order__line__area__site", "work_order__product")
    )
    template = ReferenceField(queryset=StepTemplate.objects.all())
    number = serializers.DecimalField(max_digits=18, decimal_places=6, required=False, allow_null=True, default=None)
    said = serializers.CharField(required=False, allow_blank=True, max_length=2000, default="")
    time = AwareDateTimeField(required=False, allow_null=True, default=None)
    photo = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=6 * 1024 * 1024, help_text="JPEG or PNG in base64."
    )
    second_username = serializers.CharField(required=False, allow_blank=True, max_length=150, default="")
    second_password = serializers.CharField(
        required=False, allow_blank=True, max_length=500, trim_whitespace=False, default="", write_only=True
    )
    occurred_at = AwareDateTimeField(required=False, allow_null=True, default=None, help_text="Empty = now.")
    comment = serializers.CharField(required=False, allow_blank=True, max_length=1000, default="")
