"""REST of maintenance."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet, need
from core.fact_api import FactPagination
from core.idempotency import Idempotent
from core.master_data import caller, in_scope
from maintenance import services
from maintenance.models import MaintenanceOrder, MaintenancePlan, MaintenanceStep, PartUse, Tool, ToolMounting
from maintenance.selectors import due_list, tool_lives
from maintenance.serializers import (
    MaintenanceOrderSerializer,
    MaintenancePlaceSerializer,
    MaintenancePlanSerializer,
    MaintenanceSaidSerializer,
    MaintenanceStepSerializer,
    MountSerializer,
    NewMaintenanceOrderSerializer,
    PartUseSerializer,
    PlanDueSerializer,
    TakeMaintenanceStepSerializer,
    ToolLifeSerializer,
    ToolMountingSerializer,
    ToolSerializer,
    UsePartSerializer,
)


def said_of(request: Any, values: dict[str, Any]) -> services.Said:
    """Take out of validated values how something is done."""
    now = timezone.now()
    return services.Said(
        at=values.pop("at", None) or now,
        recorded_at=now,
        actor=caller(request),
        person=values.pop("person"),
        note=values.pop("note"),
        idempotency_key=values.pop("idempotency_key", None),
    )


class MaintenancePlanViewSet(MasterDataViewSet):
    """What is to be done to machines after so many days, run hours or cycles."""

    queryset = MaintenancePlan.objects.select_related("machine")
    serializer_class = MaintenancePlanSerializer
    filterset_fields = ("code", "machine", "machine__line", "basis", "is_active")
    search_fields = ("code", "name")
    ordering_fields = ("id", "code", "name")


class ToolViewSet(MasterDataViewSet):
    """Tools that wear out. `mount` and `remove` say where they are."""

    queryset = Tool.objects.select_related("site")
    serializer_class = ToolSerializer
    filterset_fields = ("code", "site", "basis", "is_active")
    search_fields = ("code", "name")
    ordering_fields = ("id", "code", "name")

    @extend_schema(request=MountSerializer, responses={201: ToolMountingSerializer, 200: ToolMountingSerializer})
    @action(detail=True, methods=["post"])
    def mount(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Put the tool on a machine; `is_renewed` lets its life begin anew."""
        values = self._given(MountSerializer)
        mounting, is_new = services.mount_tool(tool=self.get_object(), said=said_of(request, values), **values)
        return Response(ToolMountingSerializer(mounting).data, status=201 if is_new else 200)

    @extend_schema(request=MaintenanceSaidSerializer, responses={200: ToolMountingSerializer})
    @action(detail=True, methods=["post"])
    def remove(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take the tool off its machine."""
        values = self._given(MaintenanceSaidSerializer)
        return Response(
            ToolMountingSerializer(services.remove_tool(tool=self.get_object(), said=said_of(request, values))).data
        )

    def _given(self, kind: Any) -> dict[str, Any]:
        need_maintenance(self, self.get_object())
        given = kind(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)


def need_maintenance(view: Any, thing: Any) -> None:
    """Raise PermissionDenied unless the caller does maintenance at a thing's site."""
    kind, view.kind = view.kind, "maintenance"
    try:
        need(view, "change", thing)
    finally:
        view.kind = kind


class MaintenanceOrderViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """What is to be done to machines. POST asks for it; `step` takes it on, `use-part` takes spare parts.

    409 lists what is `allowed`.
    """

    kind = "maintenance"
    queryset = MaintenanceOrder.objects.select_related("machine", "plan")
    serializer_class = MaintenanceOrderSerializer
    pagination_class = FactPagination
    ordering_fields = ("id", "requested_at")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"
    filterset_fields = {
        "machine": ["exact"],
        "machine__line": ["exact"],
        "plan": ["exact"],
        "status": ["exact", "in"],
        "kind": ["exact"],
        "stop_at": ["gte", "lt"],
        "idempotency_key": ["exact"],
    }

    @extend_schema(
        request=NewMaintenanceOrderSerializer,
        responses={201: MaintenanceOrderSerializer, 200: MaintenanceOrderSerializer},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask for maintenance of a machine: 201, or 200 for a repeated key."""
        values = self._given(NewMaintenanceOrderSerializer)
        need(self, "add", values["machine"])
        answer = services.ask(said=said_of(request, values), **values)
        return self._answer(answer)

    @extend_schema(
        request=TakeMaintenanceStepSerializer,
        responses={201: MaintenanceOrderSerializer, 200: MaintenanceOrderSerializer},
    )
    @action(detail=True, methods=["post"])
    def step(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Plan, start, finish or cancel it; say that the machine is `down`, or release it (`up`)."""
        order = self.get_object()
        need(self, "change", order)
        values = self._given(TakeMaintenanceStepSerializer)
        return self._answer(services.take_step(order=order, said=said_of(request, values), **values))

    @extend_schema(request=UsePartSerializer, responses={201: PartUseSerializer, 200: PartUseSerializer})
    @action(detail=True, methods=["post"], url_path="use-part")
    def use_part(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take a spare part out of stock for it."""
        order = MaintenanceOrder.objects.select_related("machine__line__area__site").get(pk=self.get_object().pk)
        need(self, "change", order)
        values = self._given(UsePartSerializer)
        use, is_new = services.use_part(order=order, said=said_of(request, values), **values)
        return Response(PartUseSerializer(use).data, status=201 if is_new else 200)

    def _given(self, kind: Any) -> dict[str, Any]:
        given = kind(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def _answer(self, answer: services.Answer) -> Response:
        return Response(self.get_serializer(answer.order).data, status=201 if answer.is_new else 200)


class MaintenanceStepViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """What was done about maintenance orders: who, when. Written by the orders' own addresses; never changed."""

    kind = "maintenance"
    queryset = MaintenanceStep.objects.all()
    serializer_class = MaintenanceStepSerializer
    pagination_class = FactPagination
    ordering_fields = ("id",)
    ordering = ("-id",)
    lookup_value_regex = r"\d+"
    filterset_fields = {
        "order": ["exact"],
        "order__machine": ["exact"],
        "kind": ["exact", "in"],
        "occurred_at": ["gte", "lt"],
    }


class PartUseViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Spare parts that went into maintenance orders."""

    kind = "maintenance"
    queryset = PartUse.objects.select_related("movement__reversed_by")
    serializer_class = PartUseSerializer
    pagination_class = FactPagination
    ordering_fields = ("id",)
    ordering = ("-id",)
    lookup_value_regex = r"\d+"
    filterset_fields = {"order": ["exact"], "order__machine": ["exact"], "movement__product": ["exact"]}


class ToolMountingViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Where tools were mounted, and when."""

    kind = "maintenance"
    queryset = ToolMounting.objects.all()
    serializer_class = ToolMountingSerializer
    pagination_class = FactPagination
    ordering_fields = ("id",)
    ordering = ("-id",)
    lookup_value_regex = r"\d+"
    filterset_fields = {"tool": ["exact"], "machine": ["exact"]}


class _Asked(APIView):
    kind = "maintenance"

    def asked(self, request: Request) -> dict[str, Any]:
        """Return the place that is asked about, validated."""
        query = MaintenancePlaceSerializer(data=request.query_params.dict(), context={"request": request})
        query.is_valid(raise_exception=True)
        for place in query.validated_data.values():
            need(self, "view", place)
        return dict(query.validated_data)


class DueView(_Asked):
    """What is due and when the rest will be."""

    @extend_schema(parameters=[MaintenancePlaceSerializer], responses=PlanDueSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the plans, the most used first, with a forecast of when each is due."""
        asked = self.asked(request)
        paths = {"site": "machine__line__area__site", "line": "machine__line", "machine": "machine"}
        plans = in_scope(MaintenancePlan.objects.all(), request.user, MaintenancePlan.site_paths)
        plans = plans.filter(**{paths[name]: place for name, place in asked.items()})
        return Response(PlanDueSerializer(due_list(plans, now=timezone.now()), many=True).data)


class ToolLifeView(_Asked):
    """What is left of tools."""

    @extend_schema(parameters=[MaintenancePlaceSerializer], responses=ToolLifeSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the tools, the most used first, with a forecast of when each is used up."""
        asked = self.asked(request)
        paths = {"site": "site", "line": "mountings__machine__line", "machine": "mountings__machine"}
        tools = in_scope(Tool.objects.all(), request.user, Tool.site_paths)
        for name, place in asked.items():
            mounted = {"mountings__removed_at__isnull": True} if name != "site" else {}
            tools = tools.filter(**{paths[name]: place}, **mounted)
        return Response(ToolLifeSerializer(tool_lives(tools, now=timezone.now()), many=True).data)
