"""REST of containers: open, pack, close, put into one another, move, ship; contents and history."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet, need
from core.errors import Invalid
from core.exact import plain_number
from core.fact_api import FactPagination
from core.filters import FilterSet
from core.idempotency import Idempotent
from core.master_data import caller, in_scope
from labels.services import print_batch
from materials import container_moves, containers, packing
from materials.container_models import Container, ContainerPolicy
from materials.container_queries import contents_at, history_of, inside_at, tree_ids
from materials.container_serializers import (
    BringBackSerializer,
    ContainerPolicySerializer,
    ContainerSerializer,
    ContainerStepSerializer,
    ContentsQuerySerializer,
    ContentsSerializer,
    EmptyContainerSerializer,
    MoveContainerSerializer,
    OpenContainerSerializer,
    PackSerializer,
    PrintedSerializer,
    PrintLabelSerializer,
    PutIntoSerializer,
    ShipContainerSerializer,
    ToldSerializer,
)
from materials.container_steps import Stepped


class ContainerPolicyViewSet(MasterDataViewSet):
    """By which company prefix a site's SSCCs are made."""

    queryset = ContainerPolicy.objects.all()
    serializer_class = ContainerPolicySerializer
    filterset_fields = ("site", "gs1_company_prefix")


class ContainerFilter(FilterSet):
    """By what a container is, where it stands, and what is in it."""

    lot = filters.NumberFilter(method="of_lot")
    lot_number = filters.CharFilter(field_name="contents__lot__number", distinct=True)
    holds = filters.NumberFilter(field_name="contents__product", distinct=True)

    class Meta:
        model = Container
        fields = {
            "site": ["exact"],
            "code": ["exact", "icontains"],
            "sscc": ["exact"],
            "kind": ["exact"],
            "status": ["exact", "in"],
            "location": ["exact"],
            "product": ["exact"],
            "parent": ["exact", "isnull"],
        }

    def of_lot(self, queryset: Any, name: str, value: Any) -> Any:
        """Narrow to containers in which something of a lot is."""
        return queryset.filter(contents__lot=value)


STEPS = {201: ContainerStepSerializer, 200: ContainerStepSerializer}


class ContainerViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Cartons, pallets and bins. Each POST is a step that stays: 201, or 200 with the first answer for a repeated key.

    409 says what stands against it and, in `allowed`, what can be done.
    """

    kind = "material"
    queryset = Container.objects.select_related("site", "location", "parent").prefetch_related(
        "contents__product", "contents__lot"
    )
    serializer_class = ContainerSerializer
    filterset_class = ContainerFilter
    search_fields = ("code", "sscc", "contents__lot__number")
    ordering_fields = ("id", "code", "kind", "status")
    ordering = ("-id",)
    lookup_value_regex = r"\d{1,18}"

    def _asked(self, serializer: Any, **options: Any) -> dict[str, Any]:
        said: BaseSerializer[Any] = serializer(data=self.request.data, context={"request": self.request}, **options)
        said.is_valid(raise_exception=True)
        return dict(said.validated_data)

    def _told(self, asked: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        return {"occurred_at": now, **asked, "recorded_at": now, "actor": caller(self.request)}

    def _answer(self, stepped: Stepped) -> Response:
        return Response(ContainerStepSerializer(stepped.step).data, status=201 if stepped.is_new else 200)

    def _do(self, service: Any, serializer: Any, needs: str = "add", **options: Any) -> Response:
        container = self.get_object()
        need(self, needs, container)
        return self._answer(service(container=container, **self._told(self._asked(serializer, **options))))

    @extend_schema(request=OpenContainerSerializer, responses={201: ContainerSerializer, 200: ContainerSerializer})
    def create(self, request: Request) -> Response:
        """Open a container at a place."""
        asked = self._asked(OpenContainerSerializer)
        need(self, "add", asked["location"])
        stepped = containers.open_container(**self._told(asked))
        made = self.queryset.get(pk=stepped.step.container_id)
        return Response(self.get_serializer(made).data, status=201 if stepped.is_new else 200)

    @extend_schema(request=PackSerializer, responses=STEPS)
    @action(detail=True, methods=["post"])
    def pack(self, request: Request, pk: str) -> Response:
        """Put so much of a lot into it. 409 for a lot that must not be used, and for more than is free there."""
        return self._do(packing.pack, PackSerializer)

    @extend_schema(request=PackSerializer, responses=STEPS)
    @action(detail=True, methods=["post"])
    def unpack(self, request: Request, pk: str) -> Response:
        """Take so much of a lot out of it."""
        return self._do(packing.unpack, PackSerializer)

    @extend_schema(request=PutIntoSerializer, responses=STEPS)
    @action(detail=True, methods=["post"], url_path="put-into")
    def put_into(self, request: Request, pk: str) -> Response:
        """Put it, closed, into an open one at the same place."""
        seen = in_scope(Container.objects.all(), request.user, Container.site_paths)
        return self._do(containers.put_into, PutIntoSerializer, containers=seen)

    @extend_schema(request=ToldSerializer, responses=STEPS)
    @action(detail=True, methods=["post"], url_path="take-out")
    def take_out(self, request: Request, pk: str) -> Response:
        """Take it out of the one that it lies in."""
        return self._do(containers.take_out, ToldSerializer)

    @extend_schema(request=ToldSerializer, responses=STEPS)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """Close it."""
        return self._do(containers.close, ToldSerializer)

    @extend_schema(request=ToldSerializer, responses=STEPS)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Open it again."""
        return self._do(containers.reopen, ToldSerializer)

    @extend_schema(request=MoveContainerSerializer, responses=STEPS)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Bring it, with all that is in it, to another place; the ledger has a movement for each content."""
        return self._do(container_moves.move, MoveContainerSerializer)

    @extend_schema(request=ShipContainerSerializer, responses=STEPS)
    @action(detail=True, methods=["post"])
    def ship(self, request: Request, pk: str) -> Response:
        """Send it, with all that is in it; 409 names a lot that must not be used, and nothing is shipped."""
        return self._do(container_moves.ship, ShipContainerSerializer)

    @extend_schema(request=BringBackSerializer, responses=STEPS)
    @action(detail=True, methods=["post"], url_path="bring-back")
    def bring_back(self, request: Request, pk: str) -> Response:
        """Undo a shipment that did not leave; supervisors do."""
        return self._do(container_moves.bring_back, BringBackSerializer, "change")

    @extend_schema(request=EmptyContainerSerializer, responses=STEPS)
    @action(detail=True, methods=["post"])
    def empty(self, request: Request, pk: str) -> Response:
        """Take everything out; a shipped bin that came back is opened at `to_location`."""
        return self._do(containers.empty, EmptyContainerSerializer)

    @extend_schema(parameters=[ContentsQuerySerializer], responses=ContentsSerializer, filters=False)
    @action(detail=True)
    def contents(self, request: Request, pk: str) -> Response:
        """Say what was in it, and what lay in it, at a moment; now as nothing is said."""
        container = self.get_object()
        query = ContentsQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        at = query.validated_data.get("at", timezone.now())
        codes = [one.code for one in inside_at(container, at)]
        answer = {"at": at, "contents": contents_at(container, at), "containers": codes}
        return Response(ContentsSerializer(answer).data)

    @extend_schema(responses=ContainerStepSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=FactPagination)
    def history(self, request: Request, pk: str) -> Response:
        """List what happened to it, the newest first."""
        paginator = FactPagination()
        paginator.ordering = ("-id",)
        page = paginator.paginate_queryset(history_of(self.get_object()), request, view=self)
        return paginator.get_paginated_response(ContainerStepSerializer(page, many=True).data)

    @extend_schema(request=PrintLabelSerializer, responses={201: PrintedSerializer, 200: PrintedSerializer})
    @action(detail=True, methods=["post"])
    def label(self, request: Request, pk: str) -> Response:
        """Print its label: the layout may name {code} (the SSCC), {container}, {kind}, {product}, {lot},
        {quantity} and {unit}.
        """
        container = self.get_object()
        need(self, "add", container, "label")
        asked = self._asked(PrintLabelSerializer)
        printed = print_batch(
            rows=[label_row(container)],
            site=container.site,
            actor=caller(request),
            recorded_at=timezone.now(),
            **asked,
        )
        return Response({"batch": printed.batch.pk}, status=201 if printed.is_new else 200)


def label_row(container: Container) -> dict[str, str]:
    """Return what a label may say of a container; product, lot and quantity where all in it is of one."""
    if container.sscc is None:
        raise Invalid(f"{container} has no SSCC.", field="sscc")
    row = {"code": container.sscc, "container": container.code, "kind": container.get_kind_display()}
    contents = _all_in(container)
    products = {one.product for one in contents}
    lots = {one.lot for one in contents}
    row |= dict.fromkeys(("product", "lot", "quantity", "unit"), "")
    if len(products) == 1:
        (product,) = products
        total = sum(one.quantity for one in contents)
        row |= {"product": product.name, "unit": product.unit_id, "quantity": plain_number(total)}
    if len(lots) == 1:
        row["lot"] = str(next(iter(lots)) or "")
    return row


def _all_in(container: Container) -> QuerySet[Any]:
    inside: QuerySet[Any] = container.contents.model._default_manager.filter(container__in=tree_ids([container.pk]))
    return inside.select_related("product", "lot")
