"""REST of stops, and of what people say about them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.permissions import RolePermission
from accounts.rights import ADD, CHANGE, VIEW
from core.api import NOT_AT_THAT_SITE
from core.errors import Invalid
from core.idempotency import Idempotent
from core.intervals import Interval
from core.master_data import caller, site_id_of
from core.serializers import AwareDateTimeField, ReferenceField
from downtime.models import StateReason
from enterprise.models import Area, Line, Machine, Shift, Site
from enterprise.selectors import shifts_of_all
from oee import stop_words
from oee.scopes import every_machine_of, machines_of
from oee.services import refuse_window
from oee.stops import Stop, stops_of, stops_while_making
from products.models import Product

MOST_MACHINE_DAYS = 3100
"""How much is looked through at once: a hundred machines for a month."""


class SpeakPermission(RolePermission):
    """Let those look who may view facts, and those speak who may add or change them; the site is checked later."""

    def actions(self, request: Request) -> tuple[str, ...]:
        return (VIEW,) if request.method in ("GET", "HEAD", "OPTIONS") else (ADD, CHANGE)


class PlaceWindowSerializer(serializers.Serializer):
    """One place and a window; without a window, the last 24 hours."""

    site = ReferenceField(queryset=Site.objects.all(), required=False)
    area = ReferenceField(queryset=Area.objects.all(), required=False)
    line = ReferenceField(queryset=Line.objects.all(), required=False)
    machine = ReferenceField(queryset=Machine.objects.all(), required=False)
    starts_at = AwareDateTimeField(required=False)
    ends_at = AwareDateTimeField(required=False)

    PLACES: tuple[str, ...] = ("site", "area", "line", "machine")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        places = [attrs[name] for name in self.PLACES if name in attrs]
        if len(places) != 1:
            raise serializers.ValidationError({"line": f"Name exactly one of {', '.join(self.PLACES)}."})
        attrs["place"] = places[0]
        now = timezone.now()
        end = attrs.get("ends_at", now)
        try:
            start = attrs.get("starts_at", end - timedelta(days=1))
        except OverflowError:
            raise serializers.ValidationError({"ends_at": "The time is outside the calendar."}) from None
        if end <= start:
            raise serializers.ValidationError({"ends_at": "The window must end after it starts."})
        attrs["window"] = Interval(start, end)
        return attrs


def bounded(asked: dict[str, Any], machines: list[Machine], *, now: datetime) -> Interval:
    """Return the window that was asked for; raises Invalid when it is too much to look through at once."""
    window: Interval = asked["window"]
    refuse_window(window, now=now)
    days = max(1, (min(window.end, now) - window.start).days)
    if days * len(machines) > MOST_MACHINE_DAYS:
        raise Invalid("That is too much at once; choose a shorter window or a smaller place.", field="starts_at")
    return window


class StopQuerySerializer(PlaceWindowSerializer):
    """Which stops are asked for."""

    unexplained = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text="true = only stops in shifts, micro-stops left out, of which nobody knows why.",
    )
    reason = ReferenceField(queryset=StateReason.objects.without_tree_fields(), required=False)
    category = serializers.ChoiceField(choices=StateReason.Category.choices, required=False)
    shift = ReferenceField(queryset=Shift.objects.all(), required=False, help_text="Stops that touch this shift.")
    product = ReferenceField(
        queryset=Product.objects.all(), required=False, help_text="Stops that touch a run of this product."
    )
    of_line = serializers.BooleanField(
        default=False, help_text="true = only of the machines that stand for their lines, as in OEE."
    )


class StopPartSerializer(serializers.Serializer):
    """A part of a stop under one word of the calendar."""

    starts_at = AwareDateTimeField(source="start")
    ends_at = AwareDateTimeField(source="end")
    calendar = serializers.CharField()


class StopSerializer(serializers.Serializer):
    """A stretch in which a machine stood for one reason."""

    machine = serializers.IntegerField(source="machine_id")
    starts_at = AwareDateTimeField(source="start")
    ends_at = AwareDateTimeField(source="end", allow_null=True, help_text="null = it is not over.")
    seconds = serializers.SerializerMethodField(help_text="So far.")
    scheduled_seconds = serializers.SerializerMethodField(help_text="In shifts, breaks aside.")
    reason = serializers.IntegerField(source="reason_id", allow_null=True)
    category = serializers.CharField()
    is_unexplained = serializers.BooleanField()
    newest_correction_id = serializers.IntegerField(help_text="Send it back as `seen_correction_id`.")
    parts = StopPartSerializer(many=True)

    def get_seconds(self, stop: Stop) -> float:
        """Return how long it lasted so far."""
        return stop.duration.total_seconds()

    def get_scheduled_seconds(self, stop: Stop) -> float:
        """Return how much of it lies in shifts."""
        return stop.scheduled.total_seconds()


class SpanSerializer(serializers.Serializer):
    """The stop that is spoken of."""

    machine = ReferenceField(queryset=Machine.objects.select_related("line__area__site"))
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField(required=False, allow_null=True, default=None, help_text="null = it is not over.")


class WithdrawSerializer(SpanSerializer):
    """Take back what people said of a stop."""

    comment = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    seen_correction_id = serializers.IntegerField(
        min_value=0, help_text="The stop's `newest_correction_id` as you saw it: 409 when there is a newer one."
    )


class ExplainSerializer(WithdrawSerializer):
    """Say why a machine stood, or make one stop of several."""

    reason = ReferenceField(queryset=StateReason.objects.without_tree_fields())


class SplitSerializer(WithdrawSerializer):
    """Cut a stop into parts."""

    moments = serializers.ListField(child=AwareDateTimeField(), min_length=1, max_length=stop_words.MOST_PARTS - 1)
    reasons = serializers.ListField(
        child=ReferenceField(queryset=StateReason.objects.without_tree_fields(), allow_null=True),
        min_length=2,
        max_length=stop_words.MOST_PARTS,
        help_text="One for each part; null = as the machine said.",
    )


class SaidSerializer(serializers.Serializer):
    """What somebody said about a stop, and what held there before."""

    id = serializers.IntegerField(source="correction.pk")
    starts_at = AwareDateTimeField(source="correction.starts_at")
    ends_at = AwareDateTimeField(source="correction.holds_until", allow_null=True)
    until_running = serializers.BooleanField(source="correction.until_running")
    before = serializers.ListField(child=serializers.IntegerField(allow_null=True), help_text="Reasons, in order.")
    reason = serializers.IntegerField(
        source="correction.reason_id", allow_null=True, help_text="null = as the machine said."
    )
    comment = serializers.CharField(source="correction.comment")
    corrected_by = serializers.IntegerField(source="correction.corrected_by_id")
    corrected_by_name = serializers.CharField(source="correction.corrected_by")
    recorded_at = AwareDateTimeField(source="correction.recorded_at")


class StopViewSet(Idempotent, GenericViewSet):
    """Stops: stretches in which a machine stood for one reason, and what people say about them."""

    kind = "fact"
    queryset = Machine.objects.none()  # stops are derived, and kept in no table
    permission_classes = (SpeakPermission,)
    serializer_class = StopSerializer
    filter_backends = ()

    @extend_schema(parameters=[StopQuerySerializer], responses=StopSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the stops of a place that touch a window, whole, newest first."""
        query = StopQuerySerializer(data=request.query_params, context=self.get_serializer_context())
        query.is_valid(raise_exception=True)
        asked, now = query.validated_data, timezone.now()
        machines = (machines_of if asked["of_line"] else every_machine_of)(asked["place"])
        window = bounded(asked, machines, now=now)
        stops = stops_of(machines, window, now=now)
        if asked["unexplained"] is not None:
            stops = [stop for stop in stops if stop.asks_for_a_reason is asked["unexplained"]]
        if "reason" in asked:
            stops = [stop for stop in stops if stop.reason_id == asked["reason"].pk]
        if "category" in asked:
            stops = [stop for stop in stops if stop.category == asked["category"]]
        if "shift" in asked:
            stops = touching_shift(stops, machines, asked["shift"].pk, window)
        if "product" in asked:
            stops = stops_while_making(stops, machines, asked["product"].pk, window)
        stops.sort(key=lambda stop: (stop.start, stop.machine_id), reverse=True)
        page: Any = self.paginate_queryset(stops)
        return self.get_paginated_response(StopSerializer(page, many=True).data)

    @extend_schema(parameters=[SpanSerializer], responses=SaidSerializer(many=True))
    @action(detail=False, methods=["get"], pagination_class=None)
    def words(self, request: Request) -> Response:
        """List what people said about a stop, oldest first: who, when, what held before, what they said."""
        query = SpanSerializer(data=request.query_params, context=self.get_serializer_context())
        query.is_valid(raise_exception=True)
        said = stop_words.words_about(**query.validated_data, now=timezone.now())
        return Response(SaidSerializer(said, many=True).data)

    @extend_schema(request=ExplainSerializer, responses={201: SaidSerializer(many=True)})
    @action(detail=False, methods=["post"])
    def explain(self, request: Request) -> Response:
        """Say why a machine stood. The first reason of unexplained time needs no comment."""
        return self._say(request, ExplainSerializer, stop_words.explain_stop)

    @extend_schema(request=SplitSerializer, responses={201: SaidSerializer(many=True)})
    @action(detail=False, methods=["post"])
    def split(self, request: Request) -> Response:
        """Cut a stop at moments inside it; each part gets its reason."""
        return self._say(request, SplitSerializer, stop_words.split_stop)

    @extend_schema(request=ExplainSerializer, responses={201: SaidSerializer(many=True)})
    @action(detail=False, methods=["post"])
    def merge(self, request: Request) -> Response:
        """Make one stop of neighbouring ones, from the first's start to the last's end."""
        return self._say(request, ExplainSerializer, stop_words.merge_stops)

    @extend_schema(request=WithdrawSerializer, responses={201: SaidSerializer(many=True)})
    @action(detail=False, methods=["post"])
    def withdraw(self, request: Request) -> Response:
        """Take back what people said of a stop: what the machine said holds again."""
        return self._say(request, WithdrawSerializer, stop_words.withdraw)

    def _say(self, request: Request, serializer: type[serializers.Serializer], speak: Callable[..., Any]) -> Response:
        given = serializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values, actor, now = given.validated_data, caller(request), timezone.now()
        span = {name: values[name] for name in ("machine", "starts_at", "ends_at")}
        needed = stop_words.right_needed(**span, actor=actor, now=now)
        site_id = site_id_of(values["machine"])
        if not any(actor.may(right, self.kind, site_id) for right in {needed, CHANGE}):
            self.permission_denied(request, NOT_AT_THAT_SITE)
        speak(**values, actor=actor, recorded_at=now)
        return Response(SaidSerializer(stop_words.words_about(**span, now=now), many=True).data, status=201)


def touching_shift(stops: list[Stop], machines: list[Machine], shift_id: int, window: Interval) -> list[Stop]:
    """Return the stops that touch an occurrence of a shift in a window."""
    spans = {
        machine_id: [shift for shift in shifts or () if shift.shift_id == shift_id]
        for machine_id, shifts in shifts_of_all(machines, window).items()
    }
    return [stop for stop in stops if any(s.start < stop.until and stop.start < s.end for s in spans[stop.machine_id])]
