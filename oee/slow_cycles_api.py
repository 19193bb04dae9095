"""REST of slow cycles."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import Invalid
from core.serializers import AwareDateTimeField
from oee import services
from oee.questions import question_of
from oee.serializers import ExactField, ReportQuerySerializer, RoundedField
from oee.slow_cycles import slow_runs

LONGEST_WINDOW = timedelta(days=8)
MOST_ROWS = 1000


class SlowRunSerializer(serializers.Serializer):
    """A machine ran slowly, cycle after cycle."""

    machine = serializers.IntegerField(source="machine.pk")
    starts_at = AwareDateTimeField(source="stretch.start")
    ends_at = AwareDateTimeField(source="stretch.end")
    product = serializers.IntegerField(source="stretch.product_id", allow_null=True)
    pieces = ExactField(source="stretch.pieces")
    running_seconds = ExactField(source="stretch.running_seconds")
    share_of_ideal = RoundedField(source="stretch.share_of_ideal", help_text="Its speed, of the ideal one.")
    lost_pieces = RoundedField(source="stretch.lost_pieces", help_text="What the ideal rate would have made more.")


class SlowRunsSerializer(serializers.Serializer):
    """Where machines ran slowly in a window."""

    count = serializers.IntegerField()
    lost_pieces = RoundedField()
    results = SlowRunSerializer(many=True)


class SlowRunsView(APIView):
    """Where machines ran slower than their limit ('slow cycles are above'), and the pieces that this cost."""

    kind = "oee_record"

    @extend_schema(parameters=[ReportQuerySerializer], responses=SlowRunsSerializer)
    def get(self, request: Request) -> Response:
        """Find them now; the longest window is eight days, the first 1,000 are shown."""
        query = ReportQuerySerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        now = timezone.now()
        asked = question_of(query.validated_data, now=now)
        services.refuse_window(asked.window, now=now)
        if asked.window.end - asked.window.start > LONGEST_WINDOW:
            raise Invalid("The window is longer than eight days.", field="ends_at")
        found = slow_runs(asked.machines, asked.window, now=now)
        answer: dict[str, Any] = {
            "count": len(found),
            "lost_pieces": sum(run.stretch.lost_pieces for run in found),
            "results": found[:MOST_ROWS],
        }
        return Response(SlowRunsSerializer(answer).data)
