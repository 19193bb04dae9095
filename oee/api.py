"""REST of OEE: records that are kept, and reports over anything."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet, need
from core.idempotency import Idempotent
from core.intervals import Interval
from core.pagination import BoundedPagination
from core.serializers import MasterDataSerializer
from oee import services
from oee.closing import closing_asked_for, signed_report, was_and_now
from oee.engine.ledger import ledger
from oee.models import OeePolicy, OeeRecord
from oee.questions import question_of
from oee.reason_times import Traits, ranked, reason_times
from oee.selectors import report
from oee.serializers import OeeRecordSerializer, ReportQuerySerializer, ReportSerializer


class OeeRecordPagination(BoundedPagination):
    """Short pages, since each row is brought up to the facts of now."""

    max_page_size = 200


class OeeRecordViewSet(
    Idempotent,
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """OEE records: POST computes and keeps the OEE of a line or machine over a window; nobody posts a percentage."""

    kind = "oee_record"
    queryset = OeeRecord.objects.select_related("line__area", "machine__line__area")
    serializer_class = OeeRecordSerializer
    pagination_class = OeeRecordPagination
    filterset_fields = {
        "line": ["exact"],
        "machine": ["exact"],
        "starts_at": ["exact", "gte", "lt"],
        "ends_at": ["exact", "gte", "lt"],
    }
    ordering_fields = ("id", "starts_at", "ends_at", "oee", "availability", "performance", "quality")
    ordering = ("-starts_at", "-id")
    lookup_value_regex = r"\d+"

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Compute and keep: 201 for a new window, 200 when it was asked before."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        line, machine = values.get("line"), values.get("machine")
        need(self, "add", line or machine)
        record, is_new = services.compute_record(
            line=line, machine=machine, window=Interval(values["starts_at"], values["ends_at"]), now=timezone.now()
        )
        return Response(self.get_serializer(record).data, status=201 if is_new else 200)

    def get_object(self) -> Any:
        return services.refresh_record(super().get_object(), now=timezone.now())

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        now = timezone.now()
        return [services.refresh_record(record, now=now) for record in page or ()]


class OeePolicySerializer(MasterDataSerializer):
    """What a site decides where definitions of OEE differ."""

    class Meta:
        model = OeePolicy
        fields = (
            *("id", "site", "valid_from", "target_oee", "changeover", "overtime", "breaks"),
            *("micro_stops", "no_data", "startup_rejects", "startup_minutes"),
        )
        validators: list[object] = []


class OeePolicyViewSet(MasterDataViewSet):
    """OEE policies of sites; a site without one has the defaults."""

    queryset = OeePolicy.objects.all()
    serializer_class = OeePolicySerializer
    filterset_fields = ("site", "changeover", "overtime")


class OeeReportView(APIView):
    """OEE of a machine, line, area, site or enterprise, over a window, a day, a shift, a run, or for a product."""

    kind = "oee_record"

    @extend_schema(parameters=[ReportQuerySerializer], responses=ReportSerializer)
    def get(self, request: Request) -> Response:
        """Compute it now; nothing is kept. Of a shift that is closed, show what was signed."""
        query = ReportQuerySerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        now = timezone.now()
        closed = closing_asked_for(query.validated_data)
        if closed is not None:
            return Response(ReportSerializer(signed_report(was_and_now(closed, now=now))).data)
        asked = question_of(query.validated_data, now=now)
        services.refuse_window(asked.window, now=now)
        answer = report(asked.machines, asked.window, now=now, part=asked.part)
        rows = reason_times(asked.machines, asked.window, now=now, part=asked.part)
        numbers = services.numbers_of(answer, now=now)
        return Response(
            ReportSerializer(
                {
                    **numbers,
                    "starts_at": asked.window.start,
                    "ends_at": asked.window.end,
                    "known_until": answer.known_until,
                    "machines": answer.machine_ids,
                    "losses": ranked(rows),
                    "ledger": ledger(answer.sums, Traits().sums(rows)).lines,
                    "closing": None,
                }
            ).data
        )
