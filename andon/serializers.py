"""Calls for help, as they travel."""

from typing import Any

from rest_framework import serializers

from accounts.models import User
from andon.models import AndonCall, AndonStep, CallType, EscalationStep
from andon.services import AFTER
from core.serializers import AwareDateTimeField, CodedSerializer, MasterDataSerializer, Plain, ReferenceField
from enterprise.models import Line, Machine, Site
from workorders.models import WorkOrder

KEY = r"^[A-Za-z0-9._:-]{1,64}\Z"


class CallTypeSerializer(CodedSerializer):
    """What can be called for."""

    class Meta:
        model = CallType
        fields = ("id", "code", "name", "names", "icon", "tone", "position", "is_active")


class EscalationStepSerializer(MasterDataSerializer):
    """Who has to know when a call of a type stands: a role at the machine's site, or one person."""

    person = ReferenceField(queryset=User.objects.filter(is_active=True), required=False, allow_null=True)

    class Meta:
        model = EscalationStep
        fields = ("id", "call_type", "after_minutes", "unless", "role", "person")
        validators: list[object] = []


class AndonStepSerializer(serializers.ModelSerializer):
    """What was done about a call."""

    class Meta:
        model = AndonStep
        fields = (
            *("id", "call", "kind", "occurred_at", "recorded_at", "recorded_by", "person", "note"),
            *("after_minutes", "told_role", "told_person", "idempotency_key"),
        )


class AndonCallSerializer(serializers.ModelSerializer):
    """A call for help at a machine, and what may be done about it."""

    allowed = serializers.SerializerMethodField(help_text="The steps that may be taken now.")

    class Meta:
        model = AndonCall
        fields = ("id", "call_type", "machine", "work_order", "status", "called_at", "idempotency_key", "allowed")

    def get_allowed(self, call: AndonCall) -> list[str]:
        """Return the steps that may be taken."""
        return [str(one) for one in AFTER[call.status]]


class OpenCallSerializer(serializers.Serializer):
    """A call that is not over, with who should know by now."""

    call = serializers.IntegerField(source="call.pk")
    call_type = serializers.CharField(source="call.call_type.code")
    name = serializers.CharField(source="call.call_type.name")
    machine = serializers.IntegerField(source="call.machine_id")
    machine_code = serializers.CharField(source="call.machine.code")
    line = serializers.IntegerField(source="call.machine.line_id")
    status = serializers.CharField(source="call.status")
    called_at = AwareDateTimeField(source="call.called_at")
    waited_seconds = serializers.SerializerMethodField()
    last_step_at = AwareDateTimeField(source="last_step.occurred_at")
    note = serializers.CharField(source="first_note")
    who_should_know = serializers.ListField(child=serializers.CharField())
    next_escalation_at = AwareDateTimeField(source="next_at", allow_null=True)

    def get_waited_seconds(self, row: Any) -> int:
        """Return how long it waits."""
        return int(row.waited.total_seconds())


class TakeCallStepSerializer(Plain):
    """A step to take."""

    at = AwareDateTimeField(required=False, help_text="Now when left out; the past is allowed.")
    person = serializers.CharField(
        max_length=300, required=False, allow_blank=True, default="", help_text="In whose name, at a shared terminal."
    )
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    idempotency_key = serializers.RegexField(
        KEY, required=False, help_text="Whoever repeats a request with it gets the first answer."
    )


class NewCallSerializer(TakeCallStepSerializer):
    """Help that is called for."""

    call_type = ReferenceField(queryset=CallType.objects.all())
    machine = ReferenceField(queryset=Machine.objects.select_related("line__area__site"))
    work_order = ReferenceField(
        queryset=WorkOrder.objects.select_related("line__area"), required=False, allow_null=True
    )


class PlaceSerializer(Plain):
    """Whose calls: of a site, a line or a machine; without any, of all sites that one may see."""

    site = ReferenceField(queryset=Site.objects.all(), required=False)
    line = ReferenceField(queryset=Line.objects.select_related("area__site"), required=False)
    machine = ReferenceField(queryset=Machine.objects.select_related("line__area__site"), required=False)


class WindowSerializer(PlaceSerializer):
    """Whose calls, made when; without a window, in the last 30 days."""

    starts_at = AwareDateTimeField(required=False)
    ends_at = AwareDateTimeField(required=False)


class ResponseTimesSerializer(serializers.Serializer):
    """How long calls of a type took: mean seconds from the call, null = none got so far."""

    call_type = serializers.CharField(source="call_type.code")
    name = serializers.CharField(source="call_type.name")
    calls = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    escalated = serializers.IntegerField()
    seconds_to_acknowledge = serializers.SerializerMethodField()
    seconds_to_arrive = serializers.SerializerMethodField()
    seconds_to_fix = serializers.SerializerMethodField()

    def get_seconds_to_acknowledge(self, row: Any) -> str | None:
        """Return the mean time until somebody acknowledged."""
        return _seconds(row.acknowledged)

    def get_seconds_to_arrive(self, row: Any) -> str | None:
        """Return the mean time until somebody came."""
        return _seconds(row.arrived)

    def get_seconds_to_fix(self, row: Any) -> str | None:
        """Return the mean time until it was fixed."""
        return _seconds(row.fixed)


def _seconds(value: Any) -> str | None:
    """Return seconds with three decimals, half to even."""
    if value is None:
        return None
    thousandths = round(value * 1000)
    return f"{thousandths // 1000}.{thousandths % 1000:03d}"
