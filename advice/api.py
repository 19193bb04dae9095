"""REST of advice."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from advice import services
from advice.models import AdviceModel, Recommendation, RecommendationStep, Silence
from advice.selectors import precisions, seen_by
from advice.serializers import (
    AcceptRecommendationSerializer,
    AdviceModelSerializer,
    PrecisionSerializer,
    RecommendationOutcomeSerializer,
    RecommendationSerializer,
    RecommendationStepSerializer,
    RejectRecommendationSerializer,
    SilenceSerializer,
)
from core.api import need
from core.fact_api import FactPagination
from core.idempotency import Idempotent
from core.master_data import caller


class RecommendationViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """What is recommended, why, and what it should gain.

    `accept`, `reject` and `outcome` say what people think of it.
    """

    kind = "advice"
    queryset = Recommendation.objects.select_related("line", "machine", "model")
    serializer_class = RecommendationSerializer
    pagination_class = FactPagination
    ordering_fields = ("id", "made_at")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"
    filterset_fields = {
        "site": ["exact"],
        "line": ["exact"],
        "machine": ["exact"],
        "kind": ["exact", "in"],
        "status": ["exact", "in"],
        "came_true": ["exact", "isnull"],
        "made_at": ["gte", "lt"],
        "valid_until": ["gt"],
    }

    @extend_schema(
        request=AcceptRecommendationSerializer, responses={201: RecommendationSerializer, 200: RecommendationSerializer}
    )
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Accept it; `make_order` asks for maintenance of its machine, too."""
        one, decided, values = self._given(AcceptRecommendationSerializer)
        if values["make_order"]:
            need(self, "add", one, kind="maintenance")
        return self._answer(services.accept(recommendation=one, decided=decided, **values))

    @extend_schema(
        request=RejectRecommendationSerializer, responses={201: RecommendationSerializer, 200: RecommendationSerializer}
    )
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Reject it, saying why; it comes again only when it grew by a quarter."""
        one, decided, values = self._given(RejectRecommendationSerializer)
        return self._answer(services.reject(recommendation=one, decided=decided, **values))

    @extend_schema(
        request=RecommendationOutcomeSerializer,
        responses={201: RecommendationSerializer, 200: RecommendationSerializer},
    )
    @action(detail=True, methods=["post"])
    def outcome(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say whether it was right, and what it gained."""
        one, decided, values = self._given(RecommendationOutcomeSerializer)
        return self._answer(services.tell_outcome(recommendation=one, decided=decided, **values))

    def _given(self, kind: Any) -> tuple[Recommendation, services.Decided, dict[str, Any]]:
        one = self.get_object()
        need(self, "change", one)
        given = kind(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        decided = services.Decided(
            at=timezone.now(),
            actor=caller(self.request),
            note=values.pop("note"),
            idempotency_key=values.pop("idempotency_key", None),
        )
        return one, decided, values

    def _answer(self, answer: tuple[Recommendation, bool]) -> Response:
        return Response(self.get_serializer(answer[0]).data, status=201 if answer[1] else 200)


class RecommendationStepViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Who decided what about recommendations, and what came of them; never changed."""

    kind = "advice"
    queryset = RecommendationStep.objects.all()
    serializer_class = RecommendationStepSerializer
    pagination_class = FactPagination
    ordering_fields = ("id",)
    ordering = ("-id",)
    lookup_value_regex = r"\d+"
    filterset_fields = {"recommendation": ["exact"], "kind": ["exact", "in"]}


class SilenceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Where nothing can be said, and why."""

    kind = "advice"
    queryset = Silence.objects.all()
    serializer_class = SilenceSerializer
    pagination_class = FactPagination
    ordering_fields = ("id",)
    ordering = ("-id",)
    lookup_value_regex = r"\d+"
    filterset_fields = {"site": ["exact"], "kind": ["exact", "in"]}


class AdviceModelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """What was learned, with its back-test."""

    kind = "advice"
    queryset = AdviceModel.objects.defer("parameters")
    serializer_class = AdviceModelSerializer
    pagination_class = FactPagination
    ordering_fields = ("id",)
    ordering = ("-id",)
    lookup_value_regex = r"\d+"
    filterset_fields = {"site": ["exact"], "kind": ["exact"]}


class PrecisionView(APIView):
    """How often advice came true, by kind."""

    @extend_schema(responses=PrecisionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Count what was made, decided and judged of the sites that the caller may see."""
        return Response(PrecisionSerializer(precisions(seen_by(request.user)), many=True).data)
