"""REST of state reasons, state history and corrections."""

from typing import Any

from django.db.models import Case, OuterRef, Q, Subquery, When
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet, need
from core.errors import Invalid
from core.fact_api import CONFLICT_MESSAGE, STATUS_OF_VERDICT, FactPagination, FactViewSet, refuse_future
from core.facts import Verdict
from core.idempotency import Idempotent
from core.master_data import caller
from core.retention import refuse_closed
from downtime import services
from downtime.filters import StateCorrectionFilter, StateHistoryFilter, StateReasonFilter
from downtime.models import ReasonPlace, ReasonRule, StateCorrection, StateHistory, StateReason, holds_until
from downtime.serializers import (
    ReasonCorrectionSerializer,
    ReasonPlaceSerializer,
    ReasonRuleSerializer,
    StateCorrectionSerializer,
    StateHistorySerializer,
    StateReasonSerializer,
)


class StateReasonViewSet(MasterDataViewSet):
    """State reasons: a tree under each category."""

    queryset = StateReason.objects.without_tree_fields()
    serializer_class = StateReasonSerializer
    filterset_class = StateReasonFilter
    search_fields = ("code", "name")
    ordering_fields = ("id", "code", "name", "category", "position")


class ReasonPlaceViewSet(MasterDataViewSet):
    """Where reasons are offered to people; a reason that names no place is offered where its parent is,
    or everywhere.
    """

    queryset = ReasonPlace.objects.select_related("reason")
    serializer_class = ReasonPlaceSerializer
    filterset_fields = ("reason", "site", "line", "machine")


class ReasonRuleViewSet(MasterDataViewSet):
    """Rules that give stops their reason by what the machine sent, its words and the time."""

    queryset = ReasonRule.objects.select_related("reason", "sent_reason")
    serializer_class = ReasonRuleSerializer
    filterset_fields = ("site", "line", "machine", "reason", "sent_reason", "is_active")
    search_fields = ("name", "detail_text")
    ordering_fields = ("id", "name", "position", "valid_from")


class StateHistoryPagination(FactPagination):
    """Newest first; machines decide between equal times."""

    ordering = ("-occurred_at", "machine_id")


class StateHistoryViewSet(FactViewSet):
    """State history. Devices send theirs in batches to `/ingest/`; people add single ones here, and correct them."""

    owner_field = "machine_id"
    pagination_class = StateHistoryPagination
    serializer_class = StateHistorySerializer
    filterset_class = StateHistoryFilter
    queryset = StateHistory.objects.select_related("machine__line__area", "reason")

    def get_queryset(self) -> Any:
        words = (
            StateCorrection.objects.annotate(holds_until=holds_until())
            .filter(
                Q(holds_until__isnull=True) | Q(holds_until__gt=OuterRef("occurred_at")),
                machine=OuterRef("machine_id"),
                starts_at__lte=OuterRef("occurred_at"),
            )
            .order_by("-id")
            .values("reason")
        )
        following = StateHistory.objects.filter(
            machine=OuterRef("machine_id"), occurred_at__gt=OuterRef("occurred_at")
        ).order_by("occurred_at")
        return (
            super()
            .get_queryset()
            .annotate(
                ended_at=Subquery(following.values("occurred_at")[:1]),
                corrected_reason=Case(
                    When(
                        reason__category=StateReason.Category.RUNNING,
                        then=Subquery(words.filter(Q(replaces_running=True) | Q(reason__isnull=True))[:1]),
                    ),
                    default=Subquery(words[:1]),
                ),
            )
        )

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add a state: 201 when it is new, 200 when it was stored already, 409 when another one was."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        machine, reason, now = values["machine"], values["reason"], timezone.now()
        self.check_site_of(machine, "add")
        if not (machine.is_active and reason.is_active):
            raise Invalid(
                "The machine or the reason is switched off.", field="reason" if machine.is_active else "machine"
            )
        refuse_future(values["occurred_at"], now)
        refuse_closed(values["occurred_at"], field="occurred_at")
        state = services.NewState(
            machine_id=machine.pk,
            occurred_at=values["occurred_at"],
            reason_id=reason.pk,
            detail=values.get("detail", ""),
            source=f"user:{request.user.pk}",
        )
        (answer,) = services.record_states([state], recorded_at=now)
        if answer.verdict is Verdict.CONFLICT:
            return Response({"reason": [CONFLICT_MESSAGE]}, status=409)
        stored = self.get_queryset().get(machine=machine, occurred_at=state.occurred_at)
        return Response(self.get_serializer(stored).data, status=STATUS_OF_VERDICT[answer.verdict])

    @extend_schema(request=ReasonCorrectionSerializer, responses=StateHistorySerializer)
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Correct a state's reason over its whole time: the device's word stays readable, the corrected one counts."""
        fact = self.get_object()
        word = ReasonCorrectionSerializer(data=request.data, context=self.get_serializer_context())
        word.is_valid(raise_exception=True)
        services.correct_fact(fact=fact, actor=caller(request), recorded_at=timezone.now(), **word.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=ReasonCorrectionSerializer, responses=StateHistorySerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Correct a state's reason, as PUT does."""
        return self.update(request, *args, **kwargs)


class StateCorrectionViewSet(
    Idempotent, mixins.CreateModelMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet
):
    """Corrections of any span of a machine's time: split, merge and reclassify are spans with a reason."""

    kind = "fact"
    queryset = StateCorrection.objects.all()
    serializer_class = StateCorrectionSerializer
    filterset_class = StateCorrectionFilter
    ordering_fields = ("id", "starts_at", "recorded_at")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"

    def perform_create(self, serializer: Any) -> None:
        need(self, "change", serializer.validated_data["machine"])
        serializer.instance = services.correct_state(
            actor=caller(self.request), recorded_at=timezone.now(), **serializer.validated_data
        )
