"""REST of serial units, their stages, parts and first-pass yield."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound as RestNotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet
from core.errors import Invalid
from core.idempotency import Idempotent
from core.master_data import caller, site_id_of
from core.uploads import picture_response
from materials.container_queries import container_called
from tracking import assembling, creating, packing, records, selectors, services, stage_forms
from tracking.models import SerialUnit, StageField, StageForm, StagePhoto
from tracking.serializers import (
    AssemblySerializer,
    BuildInSerializer,
    CompleteStageSerializer,
    CreateUnitsSerializer,
    EnterSerializer,
    NextStepSerializer,
    PackUnitSerializer,
    ScanQuerySerializer,
    ScrapUnitSerializer,
    SerialUnitSerializer,
    StageDecisionSerializer,
    StageFieldSerializer,
    StageFormSerializer,
    TakePartOutSerializer,
    UnitDecisionSerializer,
    UnpackUnitSerializer,
    YieldQuerySerializer,
    YieldSerializer,
)


class StageFormViewSet(MasterDataViewSet):
    """Stage forms, in versions."""

    queryset = StageForm.objects.all()
    serializer_class = StageFormSerializer
    filterset_fields = ("product", "operation_code", "status")
    search_fields = ("name", "operation_code")
    # Arrays cannot be sorted by.
    ordering_fields = ("id", "product", "operation_code", "version", "sequence", "status")

    @extend_schema(request=None, responses=StageFormSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Release a draft; units created from now on take it."""
        form = self.get_object()
        self.check_site(form)
        return Response(self.get_serializer(stage_forms.release_form(form=form)).data)

    @extend_schema(request=None, responses={201: StageFormSerializer})
    @action(detail=True, methods=["post"])
    def revise(self, request: Request, pk: str) -> Response:
        """Make a draft of the next version."""
        form = self.get_object()
        self.check_site(form)
        return Response(self.get_serializer(stage_forms.revise_form(form=form)).data, status=201)


class StageFieldViewSet(MasterDataViewSet):
    """Fields of stage forms."""

    queryset = StageField.objects.select_related("form")
    serializer_class = StageFieldSerializer
    filterset_fields = ("form", "kind", "form__product")
    search_fields = ("code", "label")
    ordering_fields = ("id", "form", "sequence", "code")


class SerialUnitViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Serial units: created, filled in, decided about; never edited or deleted."""

    kind = "unit"
    queryset = SerialUnit.objects.select_related("product", "order", "site", "parent").prefetch_related("stages")
    serializer_class = SerialUnitSerializer
    lookup_value_regex = r"\d{1,18}"
    filterset_fields = {
        "serial": ["exact", "icontains"],
        "product": ["exact"],
        "order": ["exact"],
        "site": ["exact"],
        "status": ["exact"],
        "is_blocked": ["exact"],
        "parent": ["exact", "isnull"],
        "container": ["exact", "isnull"],
        "finished_at": ["gte", "lt"],
    }
    search_fields = ("serial", "order__order_number", "product__name")
    ordering_fields = ("id", "serial", "status", "finished_at", "created_at")
    ordering = ("-id",)

    def site_id_of(self, thing: Any) -> int | None:
        """Return the site of a unit."""
        return site_id_of(thing)

    def _check(self, action_: str, site_id: int | None, kind: str = "unit") -> None:
        if not caller(self.request).may(action_, kind, site_id):
            self.permission_denied(self.request, "Your role at that site does not allow this.")

    def _asked(self, serializer: type[Any]) -> dict[str, Any]:
        said = serializer(data=self.request.data, context={"request": self.request})
        said.is_valid(raise_exception=True)
        return dict(said.validated_data)

    def _unit(self, action_: str, kind: str = "unit") -> SerialUnit:
        unit: SerialUnit = self.get_object()
        self._check(action_, unit.site_id, kind)
        return unit

    def _answer(self, unit: SerialUnit, status: int = 200) -> Response:
        return Response(self.get_serializer(self.queryset.get(pk=unit.pk)).data, status=status)

    def _by(self, asked: dict[str, Any]) -> services.By:
        return services.By(caller(self.request), timezone.now(), asked["key"], asked["reason"])

    @extend_schema(request=CreateUnitsSerializer, responses={201: SerialUnitSerializer(many=True)})
    def create(self, request: Request) -> Response:
        """Create units with the stages that they go through. With a pattern, send an `Idempotency-Key`."""
        asked, now = self._asked(CreateUnitsSerializer), timezone.now()
        order, product, site = asked.get("order"), asked.get("product"), asked.get("site")
        self._check("add", order.line.area.site_id if order else site.pk if site else None)
        serials = asked.get("serials")
        if serials is None:
            made_of = (order.product if order else None) or product
            if made_of is None:
                raise Invalid("The order names no product; its pieces cannot be tracked.", field="order")
            serials = creating.serials_of(
                pattern=asked["pattern"], count=asked["count"], product=made_of, at=now, order=order, site=site
            )
        units = creating.create_units(
            serials=serials, order=order, product=product, site=site, actor=caller(request), at=now
        )
        rows = self.queryset.filter(pk__in=[unit.pk for unit in units]).order_by("id")
        return Response(self.get_serializer(rows, many=True).data, status=201)

    @extend_schema(request=EnterSerializer, responses=SerialUnitSerializer)
    @action(detail=True, methods=["post"])
    def enter(self, request: Request, pk: str) -> Response:
        """Fill in fields of the stage that is due, or correct those of a done one; saves merge.

        409 at a wrong stage.
        """
        unit, asked = self._unit("add"), self._asked(EnterSerializer)
        entries = [services.Entry(**entry | {"value": entry["value"] or None}) for entry in asked.pop("entries")]
        services.enter(unit=unit, entries=entries, actor=caller(request), recorded_at=timezone.now(), **asked)
        return self._answer(unit)

    @extend_schema(request={"multipart/form-data": OpenApiTypes.OBJECT}, responses={201: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def photo(self, request: Request, pk: str) -> Response:
        """Keep a picture, sent as `file`; its `id` is the value of a photo field."""
        unit, file = self._unit("add"), request.FILES.get("file")
        if file is None:
            raise Invalid("Send the picture as 'file'.", field="file")
        kept = services.keep_photo(unit=unit, content=file.read(), actor=caller(request), at=timezone.now())
        return Response({"id": kept.pk}, status=201)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, url_path=r"photo/(?P<photo>\d{1,18})")
    def picture(self, request: Request, pk: str, photo: str) -> HttpResponse:
        """Answer a picture itself."""
        kept = StagePhoto.objects.filter(unit=self.get_object(), pk=int(photo)).first()
        if kept is None:
            raise RestNotFound
        return picture_response(kept)

    @extend_schema(request=CompleteStageSerializer, responses=SerialUnitSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """Say that the stage that is due is done."""
        unit, asked = self._unit("add"), self._asked(CompleteStageSerializer)
        services.complete_stage(unit=unit, stage=asked["stage"], station=asked.get("station"), by=self._by(asked))
        return self._answer(unit)

    @extend_schema(request=StageDecisionSerializer, responses=SerialUnitSerializer)
    @action(detail=True, methods=["post"])
    def rework(self, request: Request, pk: str) -> Response:
        """Send a unit back to a stage."""
        unit, asked = self._unit("change"), self._asked(StageDecisionSerializer)
        services.send_to_rework(unit=unit, to_stage=asked["stage"], by=self._by(asked))
        return self._answer(unit)

    @extend_schema(request=StageDecisionSerializer, responses=SerialUnitSerializer)
    @action(detail=True, methods=["post"], url_path="use-as-is")
    def use_as_is(self, request: Request, pk: str) -> Response:
        """Let pass, by quality, what is NOT OK at a stage."""
        unit, asked = self._unit("add", "unit_check"), self._asked(StageDecisionSerializer)
        services.use_as_is(unit=unit, stage=asked["stage"], by=self._by(asked))
        return self._answer(unit)

    @extend_schema(request=PackUnitSerializer, responses=SerialUnitSerializer)
    @action(detail=True, methods=["post"])
    def pack(self, request: Request, pk: str) -> Response:
        """Put a finished unit into an open container of its site."""
        unit, asked = self._unit("add"), self._asked(PackUnitSerializer)
        container = container_called(asked["container"], site_id=unit.site_id)
        packing.pack_unit(unit=unit, container=container, by=self._packer(asked))
        return self._answer(unit)

    @extend_schema(request=UnpackUnitSerializer, responses=SerialUnitSerializer)
    @action(detail=True, methods=["post"])
    def unpack(self, request: Request, pk: str) -> Response:
        """Take a unit out of its container."""
        unit, asked = self._unit("add"), self._asked(UnpackUnitSerializer)
        packing.unpack_unit(unit=unit, by=self._packer(asked))
        return self._answer(unit)

    def _packer(self, asked: dict[str, Any]) -> services.By:
        return services.By(caller(self.request), timezone.now(), asked["key"])

    @extend_schema(request=UnitDecisionSerializer, responses=SerialUnitSerializer)
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: str) -> Response:
        """Stop a unit."""
        unit, asked = self._unit("add"), self._asked(UnitDecisionSerializer)
        services.hold(unit=unit, by=self._by(asked))
        return self._answer(unit)

    @extend_schema(request=UnitDecisionSerializer, responses=SerialUnitSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Let a unit go on."""
        unit, asked = self._unit("change"), self._asked(UnitDecisionSerializer)
        services.release(unit=unit, by=self._by(asked))
        return self._answer(unit)

    @extend_schema(request=ScrapUnitSerializer, responses=SerialUnitSerializer)
    @action(detail=True, methods=["post"])
    def scrap(self, request: Request, pk: str) -> Response:
        """Give a unit up, with another one in its place if wanted."""
        unit, asked = self._unit("change"), self._asked(ScrapUnitSerializer)
        services.scrap(unit=unit, replacement=asked["replacement"], by=self._by(asked))
        return self._answer(unit)

    @extend_schema(request=UnitDecisionSerializer, responses=SerialUnitSerializer)
    @action(detail=True, methods=["post"], url_path="dispatch")
    def dispatch_unit(self, request: Request, pk: str) -> Response:
        """Send a finished unit out."""
        unit, asked = self._unit("add"), self._asked(UnitDecisionSerializer)
        services.dispatch(unit=unit, by=self._by(asked))
        return self._answer(unit)

    @extend_schema(request=BuildInSerializer, responses={201: AssemblySerializer})
    @action(detail=True, methods=["post"])
    def assemble(self, request: Request, pk: str) -> Response:
        """Build a finished unit in at a position."""
        unit, asked = self._unit("add"), self._asked(BuildInSerializer)
        made = assembling.assemble(
            parent=unit,
            position=asked["position"],
            child=asked["child"],
            actor=caller(request),
            at=timezone.now(),
            idempotency_key=asked["key"],
        )
        return Response(AssemblySerializer(made).data, status=201)

    @extend_schema(request=BuildInSerializer, responses={201: AssemblySerializer})
    @action(detail=True, methods=["post"], url_path="replace-part")
    def replace_part(self, request: Request, pk: str) -> Response:
        """Build another unit in, in place of the one at a position, saying why."""
        unit, asked = self._unit("add"), self._asked(BuildInSerializer)
        made = assembling.replace_part(
            parent=unit,
            position=asked["position"],
            child=asked["child"],
            reason=asked["reason"],
            actor=caller(request),
            at=timezone.now(),
            idempotency_key=asked["key"],
        )
        return Response(AssemblySerializer(made).data, status=201)

    @extend_schema(request=TakePartOutSerializer, responses=SerialUnitSerializer)
    @action(detail=True, methods=["post"], url_path="remove-part")
    def remove_part(self, request: Request, pk: str) -> Response:
        """Take the part at a position out again."""
        unit, asked = self._unit("add"), self._asked(TakePartOutSerializer)
        assembling.remove(
            parent=unit,
            position=asked["position"],
            reason=asked["reason"],
            actor=caller(request),
            at=timezone.now(),
            idempotency_key=asked["key"],
        )
        return self._answer(unit)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def record(self, request: Request, pk: str) -> Response:
        """Everything about a unit: stages with values and passes, parts, where it is used, history."""
        return Response(records.unit_as_record(self.get_object()))

    @extend_schema(parameters=[ScanQuerySerializer], responses=NextStepSerializer)
    @action(detail=False, filter_backends=[], pagination_class=None)
    def scan(self, request: Request) -> Response:
        """Find a unit, or the next one of an order, and what is to be done with it at a station. 409 at a wrong one."""
        said = ScanQuerySerializer(data=request.query_params, context={"request": request})
        said.is_valid(raise_exception=True)
        station = said.validated_data.get("station")
        unit = selectors.find_scanned(said.validated_data["code"], station=station, user=caller(request))
        step = selectors.next_step(self.queryset.get(pk=unit.pk), station)
        return Response(NextStepSerializer(step, context={"request": request}).data)


class YieldView(APIView):
    """First-pass yield per stage."""

    kind = "unit"

    @extend_schema(parameters=[YieldQuerySerializer], responses=YieldSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Count each serial number once per stage: good at its first pass ÷ all first passes with a result."""
        said = YieldQuerySerializer(data=request.query_params, context={"request": request})
        said.is_valid(raise_exception=True)
        found = selectors.first_pass_yield(**said.validated_data, user=caller(request))
        return Response(YieldSerializer(found, many=True).data)
