"""REST of explanations: from a number to its elements, from an element to what it adds up from,
from there to the facts.
"""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.serializers import AwareDateTimeField, ReferenceField
from enterprise.models import Machine
from oee import services
from oee.engine.catalogue import ELEMENTS
from oee.engine.ledger import ledger
from oee.explain import explain_element, explain_kpi, raw_facts
from oee.kpi_serializers import KpiValueSerializer
from oee.questions import question_of
from oee.scopes import machines_of
from oee.serializers import ExactField, LedgerLineSerializer, ReportQuerySerializer, RoundedField, plausible

MOST_ROWS = 1000


class KpiQuestionSerializer(ReportQuerySerializer):
    """A KPI and what it is asked about."""

    kpi = serializers.CharField(default="oee_index", max_length=64, help_text="Its code; /oee/kpi/ lists them.")


class ElementQuestionSerializer(ReportQuerySerializer):
    """An element and what it is asked about."""

    element = serializers.CharField(max_length=16, help_text="Its code, such as APT or GQ.")
    offset = serializers.IntegerField(default=0, min_value=0)
    limit = serializers.IntegerField(default=200, min_value=1, max_value=MOST_ROWS)


class FactsQuestionSerializer(serializers.Serializer):
    """A machine and a span of its time."""

    machine = ReferenceField(queryset=Machine.objects.all())
    starts_at = AwareDateTimeField(validators=[plausible])
    ends_at = AwareDateTimeField(validators=[plausible])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["ends_at"] < attrs["starts_at"]:
            raise serializers.ValidationError({"ends_at": "The span must not end before it starts."})
        return attrs


class MachineElementsSerializer(serializers.Serializer):
    """What a machine adds to the elements of a KPI."""

    machine = serializers.IntegerField()
    elements = serializers.DictField(child=ExactField())


class KpiExplanationSerializer(serializers.Serializer):
    """The first step: formula, elements, whose they are, the policies that hold, and what each loss costs."""

    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()
    known_until = AwareDateTimeField()
    kpi = KpiValueSerializer()
    machines = MachineElementsSerializer(many=True)
    policies = serializers.JSONField()
    ledger = LedgerLineSerializer(many=True)


class ContributionSerializer(serializers.Serializer):
    """A stretch of time, a count, an hour or a day, and what it adds."""

    machine = serializers.IntegerField(source="machine_id")
    starts_at = AwareDateTimeField(source="start")
    ends_at = AwareDateTimeField(source="end")
    value = ExactField()
    decimal = RoundedField(source="value")
    is_unknown = serializers.BooleanField(source="unknown", help_text="Pieces for which no ideal rate held.")
    category = serializers.CharField(allow_null=True)
    reason = serializers.IntegerField(source="reason_id", allow_null=True)
    counted = ExactField(help_text="Pieces, of a count.")
    counted_as = serializers.CharField(allow_blank=True)
    counted_since = AwareDateTimeField(source="since", allow_null=True, help_text="The counter's reading before.")
    calendar = serializers.CharField(source="key.calendar", default=None)
    run = serializers.IntegerField(source="key.run_id", default=None)
    rate = serializers.IntegerField(source="key.rate_id", default=None)


class ElementExplanationSerializer(serializers.Serializer):
    """The second step: what an element adds up from. `total` is the sum of all rows, on this page or not."""

    code = serializers.CharField()
    name = serializers.SerializerMethodField()
    unit = serializers.SerializerMethodField()
    value = ExactField()
    total = ExactField()
    made_of = serializers.CharField(help_text="stretches (with counts), hours or days, by the length of the window")
    count = serializers.IntegerField()
    results = ContributionSerializer(many=True)

    def get_name(self, found: Any) -> str:
        """Return what people call it."""
        return ELEMENTS[found["code"]].name

    def get_unit(self, found: Any) -> str:
        """Return its unit."""
        return ELEMENTS[found["code"]].unit


class RawFactSerializer(serializers.Serializer):
    """A fact as it was stored."""

    kind = serializers.CharField(help_text="state, count, correction, gap or counter event")
    occurred_at = AwareDateTimeField()
    until = AwareDateTimeField(allow_null=True)
    said = serializers.CharField()
    corrected = serializers.CharField(allow_blank=True, help_text="What a person made of it.")
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    recorded_at = AwareDateTimeField()


class RawFactsSerializer(serializers.Serializer):
    """The third step: the facts that bear on a span."""

    machine = serializers.IntegerField(source="machine.pk")
    facts = RawFactSerializer(many=True)
    is_cut = serializers.BooleanField(help_text="There are more; ask for a shorter span.")


class KpiExplanationView(APIView):
    """Explain a KPI: one step from the number to its elements."""

    kind = "oee_record"

    @extend_schema(parameters=[KpiQuestionSerializer], responses=KpiExplanationSerializer)
    def get(self, request: Request) -> Response:
        """Compute it now, with everything that it follows from."""
        query = KpiQuestionSerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        now = timezone.now()
        asked = question_of(query.validated_data, now=now)
        services.refuse_window(asked.window, now=now)
        found = explain_kpi(query.validated_data["kpi"], asked, now=now)
        answer = {
            "starts_at": asked.window.start,
            "ends_at": asked.window.end,
            "known_until": found.answer.known_until,
            "kpi": found.kpi,
            "machines": [{"machine": machine, "elements": values} for machine, values in found.by_machine.items()],
            "policies": services.numbers_of(found.answer, now=now)["elements"]["policies"],
            "ledger": ledger(found.answer.sums, found.reasons).lines,
        }
        return Response(KpiExplanationSerializer(answer).data)


class ElementExplanationView(APIView):
    """Explain an element: one step from it to the stretches and counts that it adds up from."""

    kind = "oee_record"

    @extend_schema(parameters=[ElementQuestionSerializer], responses=ElementExplanationSerializer)
    def get(self, request: Request) -> Response:
        """Take it apart; long windows come apart into hours or days, each of which can be asked for in turn."""
        query = ElementQuestionSerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        now = timezone.now()
        asked = question_of(query.validated_data, now=now)
        services.refuse_window(asked.window, now=now)
        found = explain_element(query.validated_data["element"], asked, now=now)
        offset, limit = query.validated_data["offset"], query.validated_data["limit"]
        answer = {
            "code": found.code,
            "value": found.value,
            "total": found.total,
            "made_of": found.made_of,
            "count": len(found.contributions),
            "results": found.contributions[offset : offset + limit],
        }
        return Response(ElementExplanationSerializer(answer).data)


class RawFactsView(APIView):
    """Show the facts behind a span: what was said, by which device or person, when it happened and when it came."""

    kind = "fact"

    @extend_schema(parameters=[FactsQuestionSerializer], responses=RawFactsSerializer)
    def get(self, request: Request) -> Response:
        """Return them oldest first, with what was carried into the span."""
        query = FactsQuestionSerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        (machine,) = machines_of(asked["machine"])
        return Response(RawFactsSerializer(raw_facts(machine, asked["starts_at"], asked["ends_at"])).data)
