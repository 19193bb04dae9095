"""REST of calls for help."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from andon import services
from andon.models import AndonCall, AndonStep, CallType, EscalationStep
from andon.selectors import open_calls, response_times
from andon.serializers import (
    AndonCallSerializer,
    AndonStepSerializer,
    CallTypeSerializer,
    EscalationStepSerializer,
    NewCallSerializer,
    OpenCallSerializer,
    PlaceSerializer,
    ResponseTimesSerializer,
    TakeCallStepSerializer,
    WindowSerializer,
)
from core.api import MasterDataViewSet, need
from core.errors import Invalid
from core.fact_api import FactPagination
from core.idempotency import Idempotent
from core.intervals import Interval
from core.master_data import caller, in_scope
from enterprise.models import Machine

_Kind = AndonStep.Kind


class CallTypeViewSet(MasterDataViewSet):
    """What can be called for."""

    queryset = CallType.objects.all()
    serializer_class = CallTypeSerializer
    filterset_fields = ("code", "is_active")
    search_fields = ("code", "name")
    ordering_fields = ("id", "code", "name", "position")


class EscalationStepViewSet(MasterDataViewSet):
    """Who has to know when a call stands."""

    queryset = EscalationStep.objects.select_related("call_type", "person")
    serializer_class = EscalationStepSerializer
    filterset_fields = ("call_type", "role", "person")
    ordering_fields = ("id", "after_minutes")


class AndonCallViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Calls for help. POST calls; `acknowledge`, `arrive`, `fix` and `cancel` take them on.

    409 lists what is `allowed`.
    """

    kind = "andon"
    queryset = AndonCall.objects.select_related("call_type", "machine")
    serializer_class = AndonCallSerializer
    pagination_class = FactPagination
    ordering_fields = ("id", "called_at")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"
    filterset_fields = {
        "machine": ["exact"],
        "machine__line": ["exact"],
        "call_type": ["exact"],
        "status": ["exact", "in"],
        "called_at": ["gte", "lt"],
        "idempotency_key": ["exact"],
    }

    @extend_schema(request=NewCallSerializer, responses={201: AndonCallSerializer, 200: AndonCallSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Call for help at a machine: 201, or 200 for a repeated key; 409 when the same is called for there already."""
        given = NewCallSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        need(self, "add", values["machine"])
        answer = services.call(said=self._said(values), **values)
        return self._answer(answer, 201)

    @extend_schema(request=TakeCallStepSerializer, responses={201: AndonCallSerializer, 200: AndonCallSerializer})
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say that somebody knows and takes care of it."""
        return self._step(_Kind.ACKNOWLEDGED)

    @extend_schema(request=TakeCallStepSerializer, responses={201: AndonCallSerializer, 200: AndonCallSerializer})
    @action(detail=True, methods=["post"])
    def arrive(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say that somebody is there."""
        return self._step(_Kind.ARRIVED)

    @extend_schema(request=TakeCallStepSerializer, responses={201: AndonCallSerializer, 200: AndonCallSerializer})
    @action(detail=True, methods=["post"])
    def fix(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say that it is over."""
        return self._step(_Kind.FIXED)

    @extend_schema(request=TakeCallStepSerializer, responses={201: AndonCallSerializer, 200: AndonCallSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say that nobody is needed."""
        return self._step(_Kind.CANCELLED)

    def _step(self, kind: str) -> Response:
        call = self.get_object()
        need(self, "add", call)
        given = TakeCallStepSerializer(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return self._answer(services.take_step(call=call, kind=kind, said=self._said(dict(given.validated_data))), 201)

    def _said(self, values: dict[str, Any]) -> services.Said:
        """Take out of validated values how a step is taken."""
        now = timezone.now()
        return services.Said(
            at=values.pop("at", None) or now,
            recorded_at=now,
            actor=caller(self.request),
            person=values.pop("person"),
            note=values.pop("note"),
            idempotency_key=values.pop("idempotency_key", None),
        )

    def _answer(self, answer: services.Answer, status: int) -> Response:
        return Response(self.get_serializer(answer.call).data, status=status if answer.is_new else 200)


class AndonStepViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """What was done about calls: who, when. Written by the calls' own addresses; never changed."""

    kind = "andon"
    queryset = AndonStep.objects.all()
    serializer_class = AndonStepSerializer
    pagination_class = FactPagination
    ordering_fields = ("id",)
    ordering = ("-id",)
    lookup_value_regex = r"\d+"
    filterset_fields = {
        "call": ["exact"],
        "call__machine": ["exact"],
        "kind": ["exact", "in"],
        "occurred_at": ["gte", "lt"],
    }


class _Asked(APIView):
    kind = "andon"

    def machines(self, asked: dict[str, Any]) -> Any:
        """Return the machines that are asked about, of those that the caller may see."""
        machines = in_scope(Machine.objects.all(), self.request.user, Machine.site_paths)
        paths = {"site": "line__area__site", "line": "line", "machine": "pk"}
        for name, path in paths.items():
            if name in asked:
                need(self, "view", asked[name])
                machines = machines.filter(**{path: asked[name].pk})
        return machines

    def asked(self, serializer: Any) -> dict[str, Any]:
        """Return the parameters, validated."""
        query = serializer(data=self.request.query_params.dict(), context={"request": self.request})
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


class OpenCallsView(_Asked):
    """Calls that are not over."""

    @extend_schema(parameters=[PlaceSerializer], responses=OpenCallSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List them, the oldest first, with who should know by now."""
        ids = self.machines(self.asked(PlaceSerializer)).values("pk")
        return Response(OpenCallSerializer(open_calls(now=timezone.now(), machine_ids=ids), many=True).data)


class ResponseTimesView(_Asked):
    """How long calls took."""

    @extend_schema(parameters=[WindowSerializer], responses=ResponseTimesSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return for each type the mean time until somebody acknowledged, came and fixed it."""
        asked, now = self.asked(WindowSerializer), timezone.now()
        end = asked.pop("ends_at", now)
        try:
            start = asked.pop("starts_at", end - timedelta(days=30))
        except OverflowError:
            raise Invalid("The time is outside the calendar.", field="ends_at") from None
        if end <= start:
            raise Invalid("The window must end after it starts.", field="ends_at")
        rows = response_times(self.machines(asked).values("pk"), Interval(start, end), now=now)
        return Response(ResponseTimesSerializer(rows, many=True).data)
