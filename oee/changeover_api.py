"""REST of changeover records: written as they happen, shown beside what was counted."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from core.api import need
from core.idempotency import Idempotent
from core.master_data import caller
from core.serializers import AwareDateTimeField, Plain, ReferenceField
from enterprise.models import Line
from oee.changeover_records import RecordedChangeover, beside_counts
from oee.downtime_api import ChangeoverSerializer
from products.models import Product
from workorders import changeovers
from workorders.models import Changeover, ChangeoverPhase, Run, WorkOrder

_NOT_NEGATIVE: dict[str, Any] = {"max_digits": 18, "decimal_places": 6, "min_value": 0, "required": False}
WITH_ALL = (
    "line__area__site",
    "run",
    "from_product",
    "to_product",
    "work_order",
    "approved_by",
    "started_by",
    "supervisor",
)


class NewChangeoverSerializer(Plain):
    """A changeover that begins."""

    line = ReferenceField(queryset=Line.objects.select_related("area__site"))
    kind = serializers.ChoiceField(choices=Changeover.Kind.choices, default=Changeover.Kind.PRODUCT)
    phase = serializers.ChoiceField(choices=ChangeoverPhase.Phase.choices, default=ChangeoverPhase.Phase.TEARDOWN)
    from_product = ReferenceField(
        queryset=Product.objects.all(), required=False, help_text="What the line ran last when left out."
    )
    to_product = ReferenceField(queryset=Product.objects.all(), required=False, help_text="The order's when left out.")
    work_order = ReferenceField(queryset=WorkOrder.objects.select_related("product"), required=False)
    operators = serializers.CharField(max_length=500, required=False, allow_blank=True)
    started_at = AwareDateTimeField(required=False, help_text="Now when left out.")
    idempotency_key = serializers.RegexField(r"^[A-Za-z0-9._:-]{1,64}\Z", required=False)


class PhaseSerializer(serializers.ModelSerializer):
    """A phase of a changeover."""

    started_at = AwareDateTimeField()
    ended_at = AwareDateTimeField(allow_null=True)

    class Meta:
        model = ChangeoverPhase
        fields = ("phase", "started_at", "ended_at")


class NextPhaseSerializer(Plain):
    """Which phase begins, and when."""

    phase = serializers.ChoiceField(choices=ChangeoverPhase.Phase.choices)
    at = AwareDateTimeField(required=False, help_text="Now when left out.")


class FirstGoodSerializer(Plain):
    """When the first good piece came, and what was made and scrapped up to it."""

    at = AwareDateTimeField(required=False, help_text="Now when left out.")
    pieces_made = serializers.DecimalField(**_NOT_NEGATIVE)
    pieces_scrapped = serializers.DecimalField(**_NOT_NEGATIVE)


class FinishSerializer(Plain):
    """The end of a changeover."""

    at = AwareDateTimeField(required=False, help_text="Now when left out.")
    run = ReferenceField(
        queryset=Run.objects.all(), required=False, help_text="What it led to. Left out = the first run since it began."
    )
    inspection = serializers.ChoiceField(choices=Changeover.Inspection.choices, required=False, allow_blank=True)
    inspection_note = serializers.CharField(max_length=500, required=False, allow_blank=True)
    improvement_idea = serializers.CharField(max_length=4000, required=False, allow_blank=True)


class CorrectedPhaseSerializer(Plain):
    """The right times of a phase."""

    phase = serializers.ChoiceField(choices=ChangeoverPhase.Phase.choices)
    started_at = AwareDateTimeField()
    ended_at = AwareDateTimeField(allow_null=True, required=False, default=None)


class CorrectSerializer(Plain):
    """What was written down wrongly, and why it is corrected."""

    reason = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(choices=Changeover.Kind.choices, required=False)
    from_product = ReferenceField(queryset=Product.objects.all(), required=False, allow_null=True)
    to_product = ReferenceField(queryset=Product.objects.all(), required=False, allow_null=True)
    work_order = ReferenceField(queryset=WorkOrder.objects.all(), required=False, allow_null=True)
    run = ReferenceField(queryset=Run.objects.all(), required=False, allow_null=True)
    started_at = AwareDateTimeField(required=False)
    ended_at = AwareDateTimeField(required=False)
    first_good_at = AwareDateTimeField(required=False, allow_null=True)
    pieces_made = serializers.DecimalField(**_NOT_NEGATIVE, allow_null=True)
    pieces_scrapped = serializers.DecimalField(**_NOT_NEGATIVE, allow_null=True)
    operators = serializers.CharField(max_length=500, required=False, allow_blank=True)
    inspection = serializers.ChoiceField(choices=Changeover.Inspection.choices, required=False, allow_blank=True)
    inspection_note = serializers.CharField(max_length=500, required=False, allow_blank=True)
    improvement_idea = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    phases = CorrectedPhaseSerializer(many=True, required=False, max_length=4)  # type: ignore[call-arg]


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


class ChangeoverRecordSerializer(serializers.ModelSerializer):
    """A changeover as it was written down; `counted` is what the counts say of the same one."""

    started_at = AwareDateTimeField()
    ended_at = AwareDateTimeField()
    first_good_at = AwareDateTimeField(help_text="As somebody noted it.")
    approved_at = AwareDateTimeField()
    recorded_at = AwareDateTimeField()
    started_by = serializers.CharField(source="started_by.username")
    supervisor = serializers.CharField(source="supervisor.username", default=None)
    approved_by = serializers.CharField(source="approved_by.username", default=None)
    phases = PhaseSerializer(many=True)

    class Meta:
        model = Changeover
        fields = (
            *("id", "line", "kind", "from_product", "to_product", "work_order", "run", "started_at", "ended_at"),
            *("first_good_at", "phases", "pieces_made", "pieces_scrapped", "target_minutes", "supervisor", "operators"),
            *("inspection", "inspection_note", "improvement_idea", "started_by", "recorded_at", "approved_by"),
            *("approved_at", "idempotency_key"),
        )
        read_only_fields = fields


class RecordedSerializer(serializers.Serializer):
    """What follows from a record and the counts together."""

    counted = ChangeoverSerializer(allow_null=True)
    first_good_from = serializers.CharField(help_text="written, counted, or nothing when nobody knows.")
    effective_first_good_at = AwareDateTimeField(source="first_good_at", allow_null=True)
    seconds = serializers.SerializerMethodField(help_text="From its begin to the first good piece, or to its end.")
    target_seconds = serializers.SerializerMethodField()
    over_target_seconds = serializers.SerializerMethodField(help_text="Negative = shorter than its target.")

    def get_seconds(self, of: RecordedChangeover) -> float | None:
        """Return how long it took."""
        return _seconds(of.duration)

    def get_target_seconds(self, of: RecordedChangeover) -> float | None:
        """Return how long it was allowed to take."""
        return _seconds(of.target)

    def get_over_target_seconds(self, of: RecordedChangeover) -> float | None:
        """Return how much longer it took."""
        return _seconds(of.over_target)


def shown(records: list[Changeover]) -> list[dict[str, Any]]:
    """Return records as they travel, each with what was counted."""
    return [
        {**ChangeoverRecordSerializer(of.record).data, **RecordedSerializer(of).data}
        for of in beside_counts(records, now=timezone.now())
    ]


@extend_schema(responses=ChangeoverRecordSerializer)
class ChangeoverRecordViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Changeovers as people write them down. POST begins one; nothing is deleted, and what is approved stays."""

    kind = "changeover"
    queryset = Changeover.objects.select_related(*WITH_ALL).prefetch_related("phases")
    serializer_class = ChangeoverRecordSerializer
    filterset_fields = {
        "line": ["exact"],
        "kind": ["exact"],
        "run": ["exact"],
        "work_order": ["exact"],
        "from_product": ["exact"],
        "to_product": ["exact"],
        "started_at": ["gte", "lt"],
        "ended_at": ["isnull"],
        "approved_at": ["isnull"],
    }
    ordering_fields = ("id", "started_at")
    ordering = ("-started_at", "-id")
    lookup_value_regex = r"\d+"

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List records, the newest first."""
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(shown(page))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one."""
        return Response(shown([self.get_object()])[0])

    @extend_schema(request=NewChangeoverSerializer)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Begin one: 201, or 200 for a repeated `idempotency_key`. 409 while the line is being changed over."""
        values = self._said(NewChangeoverSerializer, request)
        need(self, "add", values["line"])
        now = timezone.now()
        values.setdefault("started_at", now)
        actor: User = caller(request)
        record, is_new = changeovers.begin_changeover(**values, actor=actor, recorded_at=now)
        return self._answer(record, 201 if is_new else 200)

    @extend_schema(request=NextPhaseSerializer)
    @action(detail=True, methods=["post"], url_path="next-phase")
    def next_phase(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End the phase that lasts and begin a later one."""
        return self._act(changeovers.next_phase, NextPhaseSerializer, request)

    @extend_schema(request=FirstGoodSerializer)
    @action(detail=True, methods=["post"], url_path="first-good")
    def first_good(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Note the first good piece."""
        return self._act(changeovers.note_first_good, FirstGoodSerializer, request)

    @extend_schema(request=FinishSerializer)
    @action(detail=True, methods=["post"])
    def finish(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End it and its last phase."""
        return self._act(changeovers.finish_changeover, FinishSerializer, request)

    @extend_schema(request=CorrectSerializer)
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Correct what was written down, saying why; 409 for one that is approved."""
        record: Changeover = self.get_object()
        need(self, "change", record)
        values = self._said(CorrectSerializer, request)
        phases = {row["phase"]: (row["started_at"], row["ended_at"]) for row in values.pop("phases", ())}
        reason = values.pop("reason")
        changed = changeovers.correct_changeover(
            changeover=record, reason=reason, values=values, phases=phases, recorded_at=timezone.now()
        )
        return self._answer(changed)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Approve it; not one's own. It stays as it is from then on."""
        record: Changeover = self.get_object()
        need(self, "change", record)
        actor: User = caller(request)
        return self._answer(changeovers.approve_changeover(changeover=record, actor=actor, approved_at=timezone.now()))

    def _act(self, service: Any, body: type[serializers.Serializer], request: Request) -> Response:
        record: Changeover = self.get_object()
        need(self, "add", record)
        now = timezone.now()
        values = {"at": now, **self._said(body, request)}
        return self._answer(service(changeover=record, recorded_at=now, **values))

    def _said(self, body: type[serializers.Serializer], request: Request) -> dict[str, Any]:
        given = body(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = dict(given.validated_data)
        return values

    def _answer(self, record: Changeover, status: int = 200) -> Response:
        return Response(shown([self.get_queryset().get(pk=record.pk)])[0], status=status)
