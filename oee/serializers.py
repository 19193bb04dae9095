"""OEE, as it travels."""

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.serializers import AwareDateTimeField, ReferenceField
from enterprise.models import Area, Enterprise, Line, Machine, Shift, Site
from oee.kpis import decimal_text
from oee.models import OeeRecord
from products.models import Product
from workorders.models import Run

EXACT = "Exact: a whole number, or a fraction such as 373/420. Null = not known."
ROUNDED = "Rounded to 12 places. Null = not known."


@extend_schema_field({"type": "string", "nullable": True, "description": EXACT})
class ExactField(serializers.Field):
    """An exact fraction as text."""

    def to_representation(self, value: Fraction) -> str:
        return str(value)


@extend_schema_field({"type": "string", "format": "decimal", "nullable": True, "description": ROUNDED})
class RoundedField(serializers.Field):
    """A fraction as a decimal of 12 places."""

    def to_representation(self, value: Fraction) -> str | None:
        return decimal_text(value)


YEARS = range(1990, 2200)


def plausible(moment: date | datetime) -> None:
    """Raise ValidationError for a moment or day in which nothing of a plant can lie; beyond, calendars end."""
    year = moment.astimezone(UTC).year if isinstance(moment, datetime) else moment.year
    if year not in YEARS:
        raise serializers.ValidationError(f"The year must lie between {YEARS[0]} and {YEARS[-1]}.")


class OeeRecordSerializer(serializers.ModelSerializer):
    """The OEE of a line or machine over a window. Name those; the numbers are computed."""

    line = ReferenceField(queryset=Line.objects.all(), required=False, allow_null=True)
    machine = ReferenceField(queryset=Machine.objects.all(), required=False, allow_null=True)
    starts_at = AwareDateTimeField(validators=[plausible])
    ends_at = AwareDateTimeField(validators=[plausible])
    computed_at = AwareDateTimeField(read_only=True)

    class Meta:
        model = OeeRecord
        fields = (
            *("id", "line", "machine", "starts_at", "ends_at", "computed_at"),
            *("availability", "performance", "quality", "oee", "elements"),
        )
        read_only_fields = ("availability", "performance", "quality", "oee", "elements")
        validators: list[object] = []

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            computed = sorted(set(data) & {*self.Meta.read_only_fields, "teep"})
            if computed:
                raise serializers.ValidationError(
                    {
                        name: ["This is computed from the facts; name a line or machine and a window."]
                        for name in computed
                    }
                )
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("line")) == bool(attrs.get("machine")):
            raise serializers.ValidationError({"line": "Name either a line or a machine."})
        if attrs["ends_at"] <= attrs["starts_at"]:
            raise serializers.ValidationError({"ends_at": "The window must end after it starts."})
        return attrs


class ReportQuerySerializer(serializers.Serializer):
    """Which OEE is asked for: one place, and one of window, day, shift, or run (which place and window may narrow)."""

    enterprise = ReferenceField(queryset=Enterprise.objects.all(), required=False)
    site = ReferenceField(queryset=Site.objects.all(), required=False)
    area = ReferenceField(queryset=Area.objects.all(), required=False)
    line = ReferenceField(queryset=Line.objects.all(), required=False)
    machine = ReferenceField(queryset=Machine.objects.all(), required=False)
    run = ReferenceField(queryset=Run.objects.all(), required=False)
    product = ReferenceField(queryset=Product.objects.all(), required=False)
    shift = ReferenceField(queryset=Shift.objects.all(), required=False, help_text="With `date`.")
    date = serializers.DateField(
        required=False, validators=[plausible], help_text="A production day of the place, in its site's time."
    )
    starts_at = AwareDateTimeField(required=False, validators=[plausible])
    ends_at = AwareDateTimeField(required=False, validators=[plausible])

    PLACES = ("enterprise", "site", "area", "line", "machine")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        places = [attrs[name] for name in self.PLACES if name in attrs]
        if len(places) > 1 or not (places or "run" in attrs):
            raise serializers.ValidationError({"line": f"Name exactly one of {', '.join(self.PLACES)}."})
        if places:
            attrs["place"] = places[0]
        if "starts_at" in attrs and "ends_at" in attrs and attrs["ends_at"] <= attrs["starts_at"]:
            raise serializers.ValidationError({"ends_at": "The window must end after it starts."})
        if "run" in attrs or "date" in attrs:
            return attrs
        if "shift" in attrs:
            raise serializers.ValidationError({"date": "Say which day's shift is meant."})
        if "starts_at" not in attrs or "ends_at" not in attrs:
            raise serializers.ValidationError({"starts_at": "Give a window (starts_at, ends_at), a date, or a run."})
        return attrs


class ComparisonSerializer(serializers.Serializer):
    """One number of a closed shift: as it was signed, as it is now, now − was (exact, null where one is unknown)."""

    group = serializers.CharField()
    name = serializers.CharField()
    was = serializers.JSONField()
    now = serializers.JSONField()
    difference = serializers.JSONField()
    changed = serializers.BooleanField()


class LossSerializer(serializers.Serializer):
    """Time lost to one reason."""

    reason = serializers.IntegerField(source="reason_id", allow_null=True)
    category = serializers.CharField()
    seconds = serializers.SerializerMethodField()
    occurrences = serializers.IntegerField()

    def get_seconds(self, loss: Any) -> float:
        """Return the time in seconds."""
        return float(loss.duration.total_seconds())


class LedgerLineSerializer(serializers.Serializer):
    """A class of the time-loss ledger; all of them add up to the calendar time."""

    code = serializers.CharField(source="of.code")
    name = serializers.CharField(source="of.name")
    factor = serializers.CharField(
        source="of.factor", help_text="unscheduled, planned, unknown, availability, performance, quality or productive"
    )
    big_loss = serializers.CharField(source="of.big_loss", allow_null=True, help_text="Of the Six Big Losses.")
    meaning = serializers.CharField(source="of.meaning")
    seconds = ExactField()
    oee_cost = RoundedField(help_text="What OEE would gain without it: with OEE, the costs of all make 1.")


class ReportClosingSerializer(serializers.Serializer):
    """The signature under a closed shift's numbers, and what the facts say differently since."""

    id = serializers.IntegerField(source="closing.pk")
    revision = serializers.IntegerField(source="closing.revision")
    closed_at = AwareDateTimeField(source="closing.closed_at")
    signed_as = serializers.CharField(source="closing.signed_as")
    meaning = serializers.CharField(source="closing.get_meaning_display")
    changed_since = serializers.BooleanField(source="differs")
    changes = ComparisonSerializer(many=True)


class ReportSerializer(serializers.Serializer):
    """OEE with its factors, and the elements and quantities that they follow from."""

    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()
    known_until = AwareDateTimeField()
    machines = serializers.ListField(child=serializers.IntegerField())
    availability = serializers.DecimalField(max_digits=24, decimal_places=12, allow_null=True)
    performance = serializers.DecimalField(max_digits=24, decimal_places=12, allow_null=True)
    quality = serializers.DecimalField(max_digits=24, decimal_places=12, allow_null=True)
    oee = serializers.DecimalField(max_digits=24, decimal_places=12, allow_null=True)
    elements = serializers.JSONField()
    losses = LossSerializer(many=True)
    ledger = LedgerLineSerializer(many=True)
    closing = ReportClosingSerializer(
        allow_null=True, help_text="Of a closed shift: its numbers above are those that were signed. Else null."
    )
