"""Advice, as it travels."""

from decimal import Decimal

from rest_framework import serializers

from advice.models import AdviceModel, Recommendation, RecommendationStep, Silence
from advice.wording import headline, links, reasons, silence
from core.serializers import Plain

KEY = r"^[A-Za-z0-9._:-]{1,64}\Z"


class RecommendationSerializer(serializers.ModelSerializer):
    """Something to do, why, and what it should gain; null = not known."""

    headline = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField(help_text="Pages that show what it follows from.")
    model_version = serializers.IntegerField(source="model.version", default=None, allow_null=True)

    class Meta:
        model = Recommendation
        fields = (
            *(
                "id",
                "site",
                "line",
                "machine",
                "kind",
                "component",
                "status",
                "headline",
                "reasons",
                "links",
                "evidence",
            ),
            *("probability", "horizon_hours", "gain_hours", "gain_oee_points", "gain_money", "made_at", "window_start"),
            *("window_end", "valid_until", "model_version", "maintenance_order", "came_true", "gained_hours"),
        )

    def get_headline(self, one: Recommendation) -> str:
        """Return what to do."""
        return headline(one)

    def get_reasons(self, one: Recommendation) -> list[str]:
        """Return why."""
        return reasons(one)

    def get_links(self, one: Recommendation) -> list[dict[str, str]]:
        """Return pages."""
        return links(one)


class RecommendationStepSerializer(serializers.ModelSerializer):
    """What was decided about a recommendation, or came of it."""

    class Meta:
        model = RecommendationStep
        fields = (
            *("id", "recommendation", "kind", "occurred_at", "recorded_by", "note", "came_true", "gained_hours"),
            "idempotency_key",
        )


class SilenceSerializer(serializers.ModelSerializer):
    """Why nothing is said about something."""

    says = serializers.SerializerMethodField()

    class Meta:
        model = Silence
        fields = ("id", "site", "line", "machine", "kind", "subject", "why", "facts", "says", "looked_at")

    def get_says(self, one: Silence) -> str:
        """Return it in words."""
        return silence(one)


class AdviceModelSerializer(serializers.ModelSerializer):
    """What was learned, from when until when, and how it did in its back-test."""

    class Meta:
        model = AdviceModel
        fields = ("id", "site", "kind", "version", "trained_at", "window_start", "window_end", "report")


class DecideSerializer(Plain):
    """How a decision is taken."""

    note = serializers.CharField(max_length=480, required=False, allow_blank=True, default="")
    idempotency_key = serializers.RegexField(
        KEY, required=False, help_text="Whoever repeats a request with it gets the first answer."
    )


class AcceptRecommendationSerializer(DecideSerializer):
    """Accept it; `make_order` asks for maintenance of its machine, too."""

    make_order = serializers.BooleanField(required=False, default=False)


class RejectRecommendationSerializer(DecideSerializer):
    """Reject it, and say why."""

    note = serializers.CharField(max_length=480)


class RecommendationOutcomeSerializer(DecideSerializer):
    """What came of it."""

    came_true = serializers.BooleanField()
    gained_hours = serializers.DecimalField(
        max_digits=12,
        decimal_places=3,
        min_value=Decimal(-100_000),
        max_value=Decimal(100_000),
        required=False,
        allow_null=True,
    )


class PrecisionSerializer(serializers.Serializer):
    """How a kind of advice did; `precision` is the part of those judged that came true, null while none was."""

    kind = serializers.CharField()
    made = serializers.IntegerField()
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    judged = serializers.IntegerField()
    came_true = serializers.IntegerField()
    precision = serializers.FloatField(source="share", allow_null=True)
