"""Closed shifts, data quality and the change log, as they travel."""

from typing import Any

from rest_framework import serializers

from core.serializers import AwareDateTimeField, MasterDataSerializer, ReferenceField
from enterprise.models import Line, Machine, Shift, Site
from oee.closing import WasAndNow
from oee.data_quality import DataQuality, score_text, seconds_of
from oee.models import ClosingRule, ShiftClosing
from oee.serializers import ComparisonSerializer


class ClosingRuleSerializer(MasterDataSerializer):
    """What a site decides about closing shifts."""

    class Meta:
        model = ClosingRule
        fields = (
            *("id", "site", "close_after_hours", "first_date", "unexplained_minutes"),
            *("needs_review", "needs_hour_comments"),
        )


class CloseShiftSerializer(serializers.Serializer):
    """Which shift to close: of a line or machine, by its rule and the day it started on."""

    line = ReferenceField(queryset=Line.objects.all(), required=False, allow_null=True)
    machine = ReferenceField(queryset=Machine.objects.all(), required=False, allow_null=True)
    shift = ReferenceField(queryset=Shift.objects.all())
    date = serializers.DateField(help_text="The day on which the shift started, at the site.")
    comment = serializers.CharField(required=False, allow_blank=True, max_length=500, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        place, other = attrs.get("line"), attrs.get("machine")
        if bool(place) == bool(other):
            raise serializers.ValidationError({"line": "Name either a line or a machine."})
        return attrs


class AcceptSerializer(serializers.Serializer):
    """Accept what differs: why, and exactly what was seen."""

    comment = serializers.CharField(max_length=500)
    seen = serializers.CharField(
        max_length=64, required=False, allow_null=True, default=None, help_text="`seen` of what you looked at."
    )


class ShiftClosingSerializer(serializers.ModelSerializer):
    """A closing: its signature and its frozen numbers."""

    date = serializers.DateField(source="shift_date")
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()
    closed_at = AwareDateTimeField()
    meaning_text = serializers.CharField(source="get_meaning_display")
    is_current = serializers.SerializerMethodField(help_text="Whether no later revision supersedes it.")
    differs = serializers.SerializerMethodField(
        help_text="Whether the facts say something else now; null = not compared yet since they changed, or superseded."
    )

    class Meta:
        model = ShiftClosing
        fields = (
            *("id", "line", "machine", "shift", "shift_name", "date", "starts_at", "ends_at"),
            *("revision", "supersedes", "is_current", "differs"),
            *("closed_at", "closed_by", "signed_as", "meaning", "meaning_text", "comment"),
            *("numbers", "open_points", "sequence", "previous_hash", "content_hash"),
        )
        read_only_fields = fields

    def get_is_current(self, closing: ShiftClosing) -> bool:
        """Return whether it holds."""
        return hasattr(closing, "check_row")

    def get_differs(self, closing: ShiftClosing) -> bool | None:
        """Return the outcome of the last comparison, if nothing changed since."""
        if not hasattr(closing, "check_row") or closing.pk in self.context.get("touched", ()):
            return None
        return bool(closing.check_row.differs)


class WasAndNowSerializer(ShiftClosingSerializer):
    """A closing with its numbers beside those of now."""

    comparisons = serializers.SerializerMethodField()
    seen = serializers.SerializerMethodField(help_text="Give it back to accept exactly what you see here.")

    class Meta:
        model = ShiftClosing
        fields = (*ShiftClosingSerializer.Meta.fields, "seen", "comparisons")
        read_only_fields = fields

    def get_differs(self, closing: ShiftClosing) -> bool | None:
        """Return whether it differs now."""
        return self._found().differs

    def get_seen(self, closing: ShiftClosing) -> str:
        """Return the digest of what is shown."""
        return self._found().seen

    def get_comparisons(self, closing: ShiftClosing) -> list[dict[str, Any]]:
        """Return every frozen number with that of now."""
        return list(ComparisonSerializer(self._found().comparisons, many=True).data)

    def _found(self) -> WasAndNow:
        found: WasAndNow = self.context["was_and_now"]
        return found


class DataQualityQuerySerializer(serializers.Serializer):
    """Which shifts: of a machine, or of all machines of a line or site, on one day."""

    site = ReferenceField(queryset=Site.objects.all(), required=False)
    line = ReferenceField(queryset=Line.objects.all(), required=False)
    machine = ReferenceField(queryset=Machine.objects.all(), required=False)
    shift = ReferenceField(queryset=Shift.objects.all(), required=False, help_text="Only this one.")
    date = serializers.DateField(help_text="The day on which the shifts start, at the site.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in ("site", "line", "machine")) != 1:
            raise serializers.ValidationError({"line": "Name exactly one of site, line, machine."})
        return attrs


class QualityPartSerializer(serializers.Serializer):
    """One part of the score."""

    code = serializers.CharField()
    weight = serializers.IntegerField()
    rule = serializers.CharField()
    share = serializers.CharField(allow_null=True, help_text="Exact, as a fraction; null = unknown.")


class DataQualitySerializer(serializers.Serializer):
    """The data quality of a machine's shift: a score and all that it is made of."""

    machine = serializers.IntegerField(source="machine.pk")
    machine_code = serializers.CharField(source="machine.code")
    shift = serializers.IntegerField(source="shift.shift_id")
    shift_name = serializers.CharField(source="shift.name")
    date = serializers.DateField(source="shift.shift_date")
    starts_at = AwareDateTimeField(source="window.start")
    ends_at = AwareDateTimeField(source="window.end")
    score = serializers.SerializerMethodField(help_text="0 to 100 with two decimals; null when nothing was planned.")
    score_exact = serializers.SerializerMethodField()
    parts = QualityPartSerializer(many=True)
    stopped_microseconds = serializers.IntegerField(source="stops.stopped")
    unexplained_microseconds = serializers.IntegerField(source="stops.unexplained")
    unexplained_share = serializers.SerializerMethodField(help_text="Unexplained ÷ stopped time, exact.")
    facts = serializers.IntegerField(source="clock.facts")
    facts_ahead = serializers.IntegerField(source="clock.ahead")
    facts_late = serializers.IntegerField(source="clock.late")
    median_delay_seconds = serializers.SerializerMethodField()
    shortest_delay_seconds = serializers.SerializerMethodField()
    longest_delay_seconds = serializers.SerializerMethodField()
    duplicates = serializers.IntegerField(source="tally.duplicates")
    conflicts = serializers.IntegerField(source="tally.conflicts")
    future = serializers.IntegerField(source="tally.future")
    refused = serializers.IntegerField(source="tally.refused")
    held_steps = serializers.IntegerField()
    gap_microseconds = serializers.IntegerField()

    def get_score(self, quality: DataQuality) -> str | None:
        """Return the score, rounded half to even."""
        return score_text(quality.score)

    def get_score_exact(self, quality: DataQuality) -> str | None:
        """Return the score as a fraction."""
        return None if quality.score is None else str(quality.score)

    def get_unexplained_share(self, quality: DataQuality) -> str | None:
        """Return the unexplained share as a fraction."""
        share = quality.stops.unexplained_share
        return None if share is None else str(share)

    def get_median_delay_seconds(self, quality: DataQuality) -> str | None:
        """Return the middle delay of the facts."""
        return seconds_of(quality.clock.median_delay)

    def get_shortest_delay_seconds(self, quality: DataQuality) -> str | None:
        """Return the shortest delay; below zero the device's clock is ahead."""
        return seconds_of(quality.clock.shortest_delay)

    def get_longest_delay_seconds(self, quality: DataQuality) -> str | None:
        """Return the longest delay."""
        return seconds_of(quality.clock.longest_delay)


class ChangeLogQuerySerializer(serializers.Serializer):
    """Which edits: of one kind or of all, of a span."""

    kind = serializers.CharField(required=False)
    since = AwareDateTimeField(required=False)
    until = AwareDateTimeField(required=False)


class FieldChangeSerializer(serializers.Serializer):
    """One field: old → new."""

    field = serializers.CharField()
    old = serializers.CharField(allow_null=True)
    new = serializers.CharField(allow_null=True)


class TouchedShiftSerializer(serializers.Serializer):
    """A closed shift that an edit reaches: its OEE as signed and now."""

    closing = serializers.IntegerField(source="pk")
    title = serializers.CharField()
    oee_was = serializers.CharField(allow_null=True)
    oee_now = serializers.CharField(allow_null=True)
    differs = serializers.BooleanField(allow_null=True)


class KnowledgeChangeSerializer(serializers.Serializer):
    """An edit of a calendar, policy, rate, tag or rule."""

    kind = serializers.CharField()
    id = serializers.IntegerField(source="object_id")
    title = serializers.CharField()
    action = serializers.CharField(help_text="created, changed or deleted")
    at = AwareDateTimeField()
    by = serializers.CharField(allow_null=True)
    changes = FieldChangeSerializer(many=True)
    closed_shifts = TouchedShiftSerializer(many=True)
    closed_shifts_more = serializers.BooleanField(help_text="There are more closed shifts than these.")
