"""State reasons and state history, as they travel."""

from typing import Any

from rest_framework import serializers

from core.fact_api import fact_id
from core.serializers import AwareDateTimeField, CodedSerializer, MasterDataSerializer, ReferenceField
from downtime.models import ReasonPlace, ReasonRule, StateCorrection, StateHistory, StateReason
from enterprise.models import Line, Machine


class StateReasonSerializer(CodedSerializer):
    """A reason in the tree of reasons."""

    record_downtime = serializers.BooleanField(source="records_downtime", read_only=True)
    planned_downtime = serializers.BooleanField(source="is_planned_downtime", read_only=True)

    class Meta:
        model = StateReason
        fields = (
            *(
                "id",
                "code",
                "name",
                "names",
                "parent",
                "category",
                "position",
                "colour",
                "operator_selectable",
                "roles",
            ),
            *("is_failure", "waits_for", "maintenance", "explains", "icon"),
            *("is_active", "record_downtime", "planned_downtime"),
        )


class ReasonPlaceSerializer(MasterDataSerializer):
    """A place whose people are offered a reason."""

    class Meta:
        model = ReasonPlace
        fields = ("id", "reason", "site", "line", "machine")
        validators: list[object] = []


class ReasonRuleSerializer(MasterDataSerializer):
    """A rule that gives stops their reason; every condition that is given must hold."""

    class Meta:
        model = ReasonRule
        fields = (
            *("id", "site", "line", "machine", "name", "position", "sent_reason", "detail_match", "detail_text"),
            *("weekdays", "start_time", "end_time", "reason", "valid_from", "is_active"),
        )


class StateHistorySerializer(serializers.ModelSerializer):
    """A state as the device sent it, until when it lasted, and what people made of it since."""

    id = serializers.SerializerMethodField(help_text="Machine id and microseconds since 1970.")
    machine = ReferenceField(queryset=Machine.objects.all(), required=False)
    line = ReferenceField(
        queryset=Line.objects.all(), required=False, write_only=True, help_text="Stands for its constraint machine."
    )
    reason = ReferenceField(queryset=StateReason.objects.without_tree_fields())
    occurred_at = AwareDateTimeField()
    ended_at = AwareDateTimeField(read_only=True, default=None, help_text="Derived: when the next state began.")
    recorded_at = AwareDateTimeField(read_only=True)
    corrected_reason = serializers.IntegerField(read_only=True, default=None)

    class Meta:
        model = StateHistory
        fields = (
            *("id", "machine", "line", "occurred_at", "ended_at", "reason", "corrected_reason", "detail"),
            *("recorded_at", "source"),
        )
        read_only_fields = ("source",)

    def get_id(self, state: StateHistory) -> str:
        """Return the state's id."""
        return fact_id(state.machine_id, state.occurred_at)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        line = attrs.pop("line", None)
        if line is not None and "machine" in attrs:
            raise serializers.ValidationError({"line": "Name the machine or the line, not both."})
        if line is not None:
            attrs["machine"] = line.machines.filter(is_constraint=True).first()
        if attrs.get("machine") is None:
            raise serializers.ValidationError({"machine": "Name a machine, or a line that has a constraint machine."})
        return attrs


class ReasonCorrectionSerializer(serializers.Serializer):
    """A person's word on a state: its true reason; and why."""

    reason = ReferenceField(queryset=StateReason.objects.without_tree_fields())
    comment = serializers.CharField(max_length=500)


class StateCorrectionSerializer(serializers.ModelSerializer):
    """A person's word on a span of a machine's time."""

    machine = ReferenceField(queryset=Machine.objects.all())
    reason = ReferenceField(
        queryset=StateReason.objects.without_tree_fields(),
        allow_null=True,
        help_text="null = as the machine said: what people said of this span is taken back.",
    )
    comment = serializers.CharField(max_length=500)
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField(allow_null=True, required=False, default=None)
    recorded_at = AwareDateTimeField(read_only=True)
    seen_correction_id = serializers.IntegerField(
        write_only=True,
        required=False,
        min_value=0,
        help_text="The newest correction of this span that you saw (0 = none): 409 when there is a newer one.",
    )

    class Meta:
        model = StateCorrection
        fields = (
            *("id", "machine", "starts_at", "ends_at", "until_running", "reason", "replaces_running", "comment"),
            *("corrected_by", "recorded_at", "seen_correction_id"),
        )
        read_only_fields = ("corrected_by", "until_running")
