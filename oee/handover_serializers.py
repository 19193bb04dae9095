"""Comments on hours, notes of shifts and reviews, as they travel."""

from rest_framework import serializers

from core.serializers import AwareDateTimeField, ReferenceField
from enterprise.models import Line, Shift
from oee.models import HourComment, ShiftNote, ShiftReview


class HourCommentSerializer(serializers.ModelSerializer):
    """A comment on an hour of a line."""

    line = ReferenceField(queryset=Line.objects.select_related("area__site"))
    starts_at = AwareDateTimeField(help_text="Any moment of the hour; it is kept by the hour's start.")
    recorded_at = AwareDateTimeField(read_only=True)
    author_name = serializers.CharField(source="author", read_only=True)

    class Meta:
        model = HourComment
        fields = ("id", "line", "starts_at", "text", "author", "author_name", "recorded_at")
        read_only_fields = ("author",)


class ShiftNoteSerializer(serializers.ModelSerializer):
    """A note for whoever takes over."""

    line = ReferenceField(queryset=Line.objects.select_related("area__site"))
    shift = ReferenceField(queryset=Shift.objects.all())
    date = serializers.DateField(source="shift_date", help_text="The day on which the shift started, at the site.")
    recorded_at = AwareDateTimeField(read_only=True)
    author_name = serializers.CharField(source="author", read_only=True)

    class Meta:
        model = ShiftNote
        fields = ("id", "line", "shift", "date", "text", "author", "author_name", "recorded_at")
        read_only_fields = ("author",)


class ShiftReviewSerializer(serializers.ModelSerializer):
    """Somebody looked at a shift's balance."""

    line = ReferenceField(queryset=Line.objects.select_related("area__site"))
    shift = ReferenceField(queryset=Shift.objects.all())
    date = serializers.DateField(source="shift_date", help_text="The day on which the shift started, at the site.")
    seen = serializers.CharField(
        max_length=64, required=False, help_text="Of the balance that was looked at; left out = as it is now."
    )
    recorded_at = AwareDateTimeField(read_only=True)
    reviewed_by_name = serializers.CharField(source="reviewed_by", read_only=True)

    class Meta:
        model = ShiftReview
        fields = (
            *("id", "line", "shift", "date", "seen", "balance"),
            *("reviewed_by", "reviewed_by_name", "recorded_at"),
        )
        read_only_fields = ("balance", "reviewed_by")
