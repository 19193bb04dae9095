"""People and their hours, as they travel. Nobody's PIN does."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.serializers import AwareDateTimeField, CodedSerializer, MasterDataSerializer, ReferenceField
from enterprise.models import Line, Machine, Site
from labor.models import (
    Absence,
    Attendance,
    BreakRule,
    Certificate,
    Crew,
    CrewAssignment,
    Employee,
    EmploymentTerms,
    LaborEntry,
    LaborPolicy,
    Skill,
    SkillNeed,
)
from workorders.models import WorkOrder

CODED = ("id", "code", "name", "is_active")


class CrewSerializer(CodedSerializer):
    """A crew."""

    class Meta:
        model = Crew
        fields = (*CODED, "site")


class SkillSerializer(CodedSerializer):
    """A skill."""

    class Meta:
        model = Skill
        fields = CODED


class EmployeeSerializer(CodedSerializer):
    """An employee; the code is the personnel number."""

    class Meta:
        model = Employee
        fields = (*CODED, "site", "crew", "badge", "hourly_rate")


class CertificateSerializer(MasterDataSerializer):
    """A certificate and while it is valid."""

    class Meta:
        model = Certificate
        fields = ("id", "employee", "skill", "valid_from", "valid_until", "reference")


class SkillNeedSerializer(MasterDataSerializer):
    """A skill that a machine or line needs."""

    class Meta:
        model = SkillNeed
        fields = ("id", "skill", "line", "machine")
        validators: list[object] = []


class AbsenceSerializer(MasterDataSerializer):
    """Days on which somebody is not there."""

    class Meta:
        model = Absence
        fields = ("id", "employee", "kind", "first_date", "last_date")


class LaborPolicySerializer(MasterDataSerializer):
    """What a site decides about the hours of its people."""

    class Meta:
        model = LaborPolicy
        fields = (
            *("id", "site", "shows_persons", "terminal_timeout", "terminal_forgets"),
            *("overtime_supplement", "overtime_counts_from", "overtime_rounds_to"),
            *("longest_entry", "expiry_warning"),
        )


class BreakRuleSerializer(MasterDataSerializer):
    """A break that is taken off when people did not book as much."""

    class Meta:
        model = BreakRule
        fields = ("id", "policy", "after_hours", "minutes")
        validators: list[object] = []


class CrewAssignmentSerializer(MasterDataSerializer):
    """A crew works a shift from a day to a day, in every n-th week."""

    class Meta:
        model = CrewAssignment
        fields = ("id", "crew", "shift", "line", "first_date", "last_date", "every_weeks")
        validators: list[object] = []


class EmploymentTermsSerializer(MasterDataSerializer):
    """Agreed hours and rate from a day on."""

    class Meta:
        model = EmploymentTerms
        fields = ("id", "employee", "valid_from", "valid_until", "hours_per_day", "hours_per_week", "hourly_rate")


class AttendanceSerializer(serializers.ModelSerializer):
    """Somebody was there."""

    class Meta:
        model = Attendance
        fields = ("id", "employee", "started_at", "ended_at", "recorded_by", "ended_by")


class LaborEntrySerializer(serializers.ModelSerializer):
    """Somebody worked on something."""

    class Meta:
        model = LaborEntry
        fields = (
            *("id", "employee", "kind", "work_order", "operation", "line", "machine", "started_at", "ended_at"),
            *("quantity_produced", "quantity_rejected", "standard_seconds", "note"),
            *("recorded_at", "recorded_by", "ended_by", "approved_by", "approved_at"),
        )


class WhoSerializer(serializers.Serializer):
    """Who stands at a shared terminal: a badge, or a personnel number and a PIN."""

    site = ReferenceField(queryset=Site.objects.all())
    badge = serializers.CharField(required=False, max_length=100)
    code = serializers.CharField(required=False, max_length=64)
    pin = serializers.CharField(required=False, max_length=12)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("badge") and not (attrs.get("code") and attrs.get("pin")):
            raise serializers.ValidationError({"badge": "Give a badge, or a personnel number (code) and a PIN."})
        return attrs


class ClockSerializer(WhoSerializer):
    """Somebody comes or goes."""

    at = AwareDateTimeField(required=False, help_text="Empty = now.")
    idempotency_key = serializers.CharField(
        required=False, max_length=100, help_text="A retry with the same key has one effect and the same answer."
    )


class StartWorkSerializer(ClockSerializer):
    """Somebody begins to work on something."""

    kind = serializers.ChoiceField(choices=LaborEntry.Kind.choices, default=LaborEntry.Kind.DIRECT)
    work_order = ReferenceField(queryset=WorkOrder.objects.all(), required=False)
    operation = serializers.CharField(required=False, max_length=64, default="")
    line = ReferenceField(queryset=Line.objects.all(), required=False)
    machine = ReferenceField(queryset=Machine.objects.all(), required=False)
    note = serializers.CharField(required=False, max_length=500, default="")


class ResultSerializer(serializers.Serializer):
    """What came of work."""

    quantity_produced = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=0, default=Decimal(0))
    quantity_rejected = serializers.DecimalField(max_digits=18, decimal_places=6, min_value=0, default=Decimal(0))
    standard_seconds = serializers.DecimalField(
        max_digits=18, decimal_places=6, min_value=0, required=False, allow_null=True, default=None
    )


class StopWorkSerializer(ResultSerializer):
    """Work ends, and what came of it."""

    at = AwareDateTimeField(required=False, help_text="Empty = now.")
    idempotency_key = serializers.CharField(required=False, max_length=100)
    employee = ReferenceField(
        queryset=Employee.objects.all(), required=False, help_text="Who it was shown for: 409 when it is another's."
    )


class StopAtTerminalSerializer(ResultSerializer, ClockSerializer):
    """Somebody's work ends, and what came of it."""

    entry = ReferenceField(queryset=LaborEntry.objects.all())


class HoursQuerySerializer(serializers.Serializer):
    """Whose hours, over which window."""

    site = ReferenceField(queryset=Site.objects.all())
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["ends_at"] <= attrs["starts_at"]:
            raise serializers.ValidationError({"ends_at": "The window must end after it starts."})
        return attrs


class HoursSerializer(serializers.Serializer):
    """Hours in seconds, and ratios; exact numbers as text, null = not known."""

    attendance_seconds = serializers.CharField(allow_null=True)
    break_seconds = serializers.CharField(allow_null=True)
    on_orders_seconds = serializers.CharField(allow_null=True)
    worker_efficiency = serializers.CharField(allow_null=True, help_text="APWT / APAT.")
    labor_efficiency = serializers.CharField(allow_null=True)


class PersonHoursSerializer(HoursSerializer):
    """Somebody's hours."""

    employee = serializers.IntegerField()


class SiteHoursSerializer(serializers.Serializer):
    """Everybody's hours together, and those of the persons that may be shown."""

    all = HoursSerializer(allow_null=True)
    persons = PersonHoursSerializer(many=True)
