"""REST of count types, tags and readings."""

from typing import Any

from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import MasterDataViewSet
from core.fact_api import CONFLICT_MESSAGE, STATUS_OF_VERDICT, FactPagination, FactViewSet, refuse_future
from core.facts import Verdict
from core.master_data import caller
from core.retention import refuse_closed
from counts import services
from counts.filters import CountHistoryFilter
from counts.models import CountCorrection, CountHistory, CountTag, CountType
from counts.serializers import (
    CountCorrectionSerializer,
    CountHistorySerializer,
    CountTagSerializer,
    CountTypeSerializer,
)


class CountTypeViewSet(MasterDataViewSet):
    """Count types: what is counted, and what it means for quality."""

    queryset = CountType.objects.all()
    serializer_class = CountTypeSerializer
    filterset_fields = {"code": ["exact"], "role": ["exact"], "is_active": ["exact"]}
    search_fields = ("code", "name")


class CountTagViewSet(MasterDataViewSet):
    """Count tags: the counters of machines, as devices call them."""

    queryset = CountTag.objects.all()
    serializer_class = CountTagSerializer
    filterset_fields = {
        "tag_path": ["exact", "icontains"],
        "machine": ["exact"],
        "machine__line": ["exact"],
        "count_type": ["exact"],
        "mode": ["exact"],
        "is_active": ["exact"],
    }
    search_fields = ("tag_path",)


class CountHistoryPagination(FactPagination):
    """Newest first; tags decide between equal times."""

    ordering = ("-occurred_at", "tag_id")


class CountHistoryViewSet(FactViewSet):
    """Count readings. Devices send theirs in batches to `/ingest/`; people add single ones here, and correct them."""

    owner_field = "tag_id"
    pagination_class = CountHistoryPagination
    serializer_class = CountHistorySerializer
    filterset_class = CountHistoryFilter
    queryset = CountHistory.objects.select_related("tag__machine__line__area")

    def get_queryset(self) -> Any:
        corrections = CountCorrection.objects.filter(
            tag=OuterRef("tag_id"), occurred_at=OuterRef("occurred_at")
        ).order_by("-id")
        return (
            super()
            .get_queryset()
            .annotate(is_corrected=Exists(corrections), corrected_value=Subquery(corrections.values("value")[:1]))
        )

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add a reading: 201 when it is new, 200 when it was stored already, 409 when another value was."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        tag: CountTag = given.validated_data["tag"]
        now = timezone.now()
        self.check_site_of(tag, "add")
        services.refuse_reading(tag=tag, value=given.validated_data["value"])
        refuse_future(given.validated_data["occurred_at"], now)
        refuse_closed(given.validated_data["occurred_at"], field="occurred_at")
        reading = services.NewReading(
            tag_id=tag.pk,
            machine_id=tag.machine_id,
            is_running_counter=tag.mode == CountTag.Mode.RUNNING,
            occurred_at=given.validated_data["occurred_at"],
            value=given.validated_data["value"],
            source=f"user:{request.user.pk}",
        )
        (answer,) = services.record_readings([reading], recorded_at=now)
        if answer.verdict is Verdict.CONFLICT:
            return Response({"value": [CONFLICT_MESSAGE], "stored": str(answer.stored)}, status=409)
        stored = self.get_queryset().get(tag=tag, occurred_at=reading.occurred_at)
        return Response(self.get_serializer(stored).data, status=STATUS_OF_VERDICT[answer.verdict])

    @extend_schema(request=CountCorrectionSerializer, responses=CountHistorySerializer)
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Correct a reading: the device's value stays readable, the corrected one counts."""
        fact = self.get_object()
        word = CountCorrectionSerializer(data=request.data)
        word.is_valid(raise_exception=True)
        services.correct_count(fact=fact, actor=caller(request), recorded_at=timezone.now(), **word.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=CountCorrectionSerializer, responses=CountHistorySerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Correct a reading, as PUT does."""
        return self.update(request, *args, **kwargs)
