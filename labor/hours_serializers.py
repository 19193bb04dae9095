"""What is asked about crews, timesheets, efficiency and approval, and how it is told."""

from typing import Any

from rest_framework import serializers

from core.serializers import AwareDateTimeField, ReferenceField
from enterprise.models import Line, Shift, Site
from labor.efficiency import BY
from labor.models import Crew, Employee, LaborEntry
from labor.serializers import HoursQuerySerializer
from workorders.models import WorkOrder

MOST_AT_ONCE = 500


class EfficiencyQuerySerializer(HoursQuerySerializer):
    """Which window, and by what."""

    by = serializers.ChoiceField(choices=BY, default="crew")


class BoardQuerySerializer(serializers.Serializer):
    """Which day of which site."""

    site = ReferenceField(queryset=Site.objects.all())
    date = serializers.DateField(required=False, help_text="Empty = today at the site.")
    line = ReferenceField(queryset=Line.objects.all(), required=False)
    shift = ReferenceField(queryset=Shift.objects.all(), required=False)


class TimesheetQuerySerializer(serializers.Serializer):
    """Whose days."""

    site = ReferenceField(queryset=Site.objects.all())
    first_date = serializers.DateField()
    last_date = serializers.DateField()
    crew = ReferenceField(queryset=Crew.objects.all(), required=False)
    employee = serializers.IntegerField(required=False, min_value=1, help_text="The id of a person.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["last_date"] < attrs["first_date"]:
            raise serializers.ValidationError({"last_date": "The last day must not be before the first."})
        return attrs


class ToApproveQuerySerializer(serializers.Serializer):
    """Which day of which site."""

    site = ReferenceField(queryset=Site.objects.all())
    date = serializers.DateField()
    crew = ReferenceField(queryset=Crew.objects.all(), required=False)


class ApproveSerializer(serializers.Serializer):
    """Which entries to approve."""

    entries = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), min_length=1, max_length=MOST_AT_ONCE
    )


class RotationSerializer(serializers.Serializer):
    """Which shifts a crew takes turns on, a week each."""

    crew = ReferenceField(queryset=Crew.objects.all())
    shifts = serializers.ListField(child=ReferenceField(queryset=Shift.objects.all()), min_length=1, max_length=52)
    line = ReferenceField(queryset=Line.objects.all(), required=False, allow_null=True, default=None)
    first_date = serializers.DateField()
    last_date = serializers.DateField(required=False, allow_null=True, default=None)


class _CorrectionSerializer(serializers.Serializer):
    """What every correction says."""

    reason = serializers.CharField(max_length=100)
    seen = serializers.IntegerField(
        required=False, min_value=0, help_text="The `version` that was looked at: 409 when there is another by now."
    )
    started_at = AwareDateTimeField(required=False)
    ended_at = AwareDateTimeField(required=False)


class CorrectAttendanceSerializer(_CorrectionSerializer):
    """When somebody came or left in truth."""


class CorrectEntrySerializer(_CorrectionSerializer):
    """What an entry should say."""

    kind = serializers.ChoiceField(choices=LaborEntry.Kind.choices, required=False)
    work_order = ReferenceField(queryset=WorkOrder.objects.all(), required=False)
    operation = serializers.CharField(required=False, max_length=64, allow_blank=True)
    quantity_produced = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False)
    quantity_rejected = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False)
    standard_seconds = serializers.DecimalField(
        max_digits=18, decimal_places=6, min_value=0, required=False, allow_null=True
    )
    note = serializers.CharField(required=False, max_length=500, allow_blank=True)


class PersonSerializer(serializers.ModelSerializer):
    """A person, as everybody at the site may see them."""

    class Meta:
        model = Employee
        fields = ("id", "code", "name", "crew")
