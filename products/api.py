"""REST of products: units, revisions, bills of material, routings and ideal rates."""

from datetime import datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import MasterDataViewSet
from core.parsers import BoundedJSONParser
from products import selectors, services
from products.models import (
    BillOfMaterialLine,
    IdealRate,
    MachineRate,
    OperationDocument,
    OperationParameter,
    Product,
    ProductCost,
    ProductRevision,
    ProductUnit,
    Routing,
    RoutingOperation,
    UnitOfMeasure,
)
from products.serializers import (
    BillOfMaterialLineSerializer,
    ConversionSerializer,
    ConvertSerializer,
    CopySerializer,
    ExplodeSerializer,
    IdealRateSerializer,
    MachineRateSerializer,
    MomentSerializer,
    OperationDocumentSerializer,
    OperationParameterSerializer,
    ProductCostSerializer,
    ProductRevisionSerializer,
    ProductSerializer,
    ProductUnitSerializer,
    ReleaseSerializer,
    RequirementSerializer,
    RoutingOperationSerializer,
    RoutingSerializer,
    UnitOfMeasureSerializer,
    UseSerializer,
)
from products.units import convert


def decimal_text(quantity: Fraction) -> str:
    """Return a quantity to nine decimals, without trailing zeros."""
    with localcontext() as context:
        context.prec = 60
        rounded = (Decimal(quantity.numerator) / quantity.denominator).quantize(Decimal("1e-9"))
    text = f"{rounded:f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


class UnitOfMeasureViewSet(MasterDataViewSet):
    """Units of measure."""

    queryset = UnitOfMeasure.objects.all()
    serializer_class = UnitOfMeasureSerializer
    filterset_fields = {"code": ["exact"], "dimension": ["exact"], "is_active": ["exact"]}
    search_fields = ("code", "name")


class ProductViewSet(MasterDataViewSet):
    """Products."""

    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_fields = {
        "code": ["exact"],
        "name": ["exact", "icontains"],
        "unit": ["exact"],
        "material_type": ["exact", "in"],
        "lot_controlled": ["exact"],
        "gtin": ["exact"],
        "is_active": ["exact"],
    }
    search_fields = ("code", "name")
    ordering_fields = ("id", "code", "name", "unit", "is_active")

    @extend_schema(parameters=[MomentSerializer], responses=UseSerializer(many=True), filters=False)
    @action(detail=True, url_path="where-used", pagination_class=None)
    def where_used(self, request: Request, pk: str) -> Response:
        """Answer which bills the product is in, level by level; with `at`, those valid then."""
        asked = MomentSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        uses = selectors.where_used(self.get_object(), asked.validated_data.get("at"))
        return Response([_use(use) for use in uses])

    @extend_schema(parameters=[ConvertSerializer], responses=ConversionSerializer, filters=False)
    @action(detail=True)
    def convert(self, request: Request, pk: str) -> Response:
        """Answer a quantity of the product in another unit."""
        product = self.get_object()
        asked = ConvertSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        found = convert(values["quantity"], values["from_unit"], values["to_unit"], product)
        return Response({"quantity": decimal_text(found), "exact": str(found), "unit": values["to_unit"].code})


def _use(use: selectors.Use) -> dict[str, Any]:
    revision = use.line.revision
    return {
        "level": use.level,
        "path": use.path,
        "line": use.line.pk,
        "product": revision.product_id,
        "revision": revision.pk,
        "revision_code": revision.code,
        "status": revision.status,
        "kind": use.line.kind,
        "quantity": decimal_text(Fraction(use.line.quantity)),
        "unit": use.line.unit_id or use.line.component.unit_id,
    }


class ProductUnitViewSet(MasterDataViewSet):
    """Units of products beside their own: cases, pallets, kilograms of pieces."""

    queryset = ProductUnit.objects.select_related("product")
    serializer_class = ProductUnitSerializer
    filterset_fields = {"product": ["exact"], "unit": ["exact"]}
    ordering_fields = ("id", "product", "unit")


class ProductRevisionViewSet(MasterDataViewSet):
    """Revisions of products. What is released stays as it is: copy it to change it."""

    queryset = ProductRevision.objects.select_related("product__unit")
    serializer_class = ProductRevisionSerializer
    filterset_fields = {
        "product": ["exact"],
        "product__code": ["exact"],
        "code": ["exact"],
        "status": ["exact", "in"],
        "valid_from": ["lte", "gte"],
        "valid_until": ["lte", "gte", "isnull"],
    }
    search_fields = ("code", "name", "product__code", "product__name")

    @extend_schema(request=ReleaseSerializer, responses=ProductRevisionSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Release a draft; the revision that was valid until further notice ends then."""
        asked = ReleaseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        valid_from = asked.validated_data.get("valid_from") or timezone.now()
        released = services.release_revision(revision=self._writable(), valid_from=valid_from)
        return Response(self.get_serializer(released).data)

    @extend_schema(request=MomentSerializer, responses=ProductRevisionSerializer)
    @action(detail=True, methods=["post"])
    def obsolete(self, request: Request, pk: str) -> Response:
        """Take a released revision back."""
        at = MomentSerializer(data=request.data).moment(timezone.now())
        return Response(self.get_serializer(services.obsolete_revision(revision=self._writable(), at=at)).data)

    @extend_schema(request=CopySerializer, responses={201: ProductRevisionSerializer})
    @action(detail=True, methods=["post"])
    def copy(self, request: Request, pk: str) -> Response:
        """Make a draft with the content of a revision."""
        asked = CopySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        draft = services.copy_revision(revision=self._writable(), **asked.validated_data)
        return Response(self.get_serializer(draft).data, status=201)

    @extend_schema(parameters=[ExplodeSerializer], responses=RequirementSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def explode(self, request: Request, pk: str) -> Response:
        """Answer what a quantity of the product needs, all levels."""
        revision = self.get_object()
        asked = ExplodeSerializer(data=request.query_params)
        at: datetime = asked.moment(timezone.now())
        rows = selectors.explode(revision, asked.validated_data["quantity"], at)
        return Response([_requirement(row) for row in rows])

    def _writable(self) -> ProductRevision:
        revision: ProductRevision = self.get_object()
        self.check_site(revision)
        return revision


def _requirement(row: selectors.Requirement) -> dict[str, Any]:
    return {
        "level": row.level,
        "path": row.path,
        "component": row.component.pk,
        "component_code": row.component.code,
        "kind": row.line.kind,
        "revision": row.revision.pk if row.revision is not None else None,
        "quantity": decimal_text(row.quantity),
        "exact": str(row.quantity),
        "unit": row.component.unit_id,
        "operation_code": row.operation_code,
        "is_phantom": row.line.is_phantom,
    }


class BillOfMaterialViewSet(MasterDataViewSet):
    """Lines of bills of material."""

    queryset = BillOfMaterialLine.objects.select_related("revision", "component")
    serializer_class = BillOfMaterialLineSerializer
    filterset_fields = {
        "revision": ["exact"],
        "revision__product": ["exact"],
        "component": ["exact"],
        "kind": ["exact"],
        "operation_code": ["exact"],
    }
    search_fields = ("component__code", "component__name")
    ordering_fields = ("id", "revision", "position", "component")


class RoutingViewSet(MasterDataViewSet):
    """Routings of revisions."""

    queryset = Routing.objects.select_related("revision")
    serializer_class = RoutingSerializer
    filterset_fields = {
        "revision": ["exact"],
        "revision__product": ["exact"],
        "code": ["exact"],
        "is_default": ["exact"],
    }
    search_fields = ("code", "name")


class RoutingOperationViewSet(MasterDataViewSet):
    """Operations of routings. One at a line or machine is for the people of that site."""

    queryset = RoutingOperation.objects.select_related("routing")
    serializer_class = RoutingOperationSerializer
    filterset_fields = {
        "routing": ["exact"],
        "routing__revision": ["exact"],
        "code": ["exact"],
        "line": ["exact"],
        "machine": ["exact"],
        "machine_class": ["exact"],
    }
    search_fields = ("code", "name")


class OperationParameterViewSet(MasterDataViewSet):
    """Set-points of operations."""

    queryset = OperationParameter.objects.select_related("operation")
    serializer_class = OperationParameterSerializer
    filterset_fields = {"operation": ["exact"], "operation__routing": ["exact"], "code": ["exact"]}
    search_fields = ("code", "name")
    ordering_fields = ("id", "operation", "code")


class OperationDocumentViewSet(MasterDataViewSet):
    """Pictures and PDFs of operations."""

    queryset = OperationDocument.objects.select_related("operation").defer("content")
    serializer_class = OperationDocumentSerializer
    parser_classes = (MultiPartParser, BoundedJSONParser)
    filterset_fields = {"operation": ["exact"], "operation__routing": ["exact"]}
    search_fields = ("caption",)
    ordering_fields = ("id", "operation", "position")

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True)
    def content(self, request: Request, pk: str) -> HttpResponse:
        """Answer the file itself."""
        return document_response(self.get_object())


def document_response(document: OperationDocument) -> HttpResponse:
    """Return a document's content, as what it is and nothing else."""
    suffix = document.content_type.rpartition("/")[2]
    # A browser shows pictures itself; a PDF, which may carry scripts, it is given to keep.
    shown = "inline" if document.content_type.startswith("image/") else "attachment"
    return HttpResponse(
        bytes(document.content),
        content_type=document.content_type,
        headers={
            "Content-Disposition": f'{shown}; filename="document-{document.pk}.{suffix}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, max-age=3600",
        },
    )


class IdealRateViewSet(MasterDataViewSet):
    """Ideal rates of products on machines, effective-dated."""

    queryset = IdealRate.objects.all()
    serializer_class = IdealRateSerializer
    filterset_fields = {
        "product": ["exact"],
        "machine": ["exact"],
        "unit": ["exact"],
        "valid_from": ["exact", "lte", "gte"],
        "valid_until": ["exact", "lte", "gte", "isnull"],
    }
    search_fields = ("product__code", "product__name", "machine__code")


class ProductCostViewSet(MasterDataViewSet):
    """Standard costs of products at sites, effective-dated."""

    kind = "cost"
    queryset = ProductCost.objects.all()
    serializer_class = ProductCostSerializer
    filterset_fields = {"product": ["exact"], "site": ["exact"], "valid_from": ["lte", "gte"]}
    search_fields = ("product__code", "product__name")


class MachineRateViewSet(MasterDataViewSet):
    """What an hour of lines and machines costs, effective-dated."""

    kind = "cost"
    queryset = MachineRate.objects.all()
    serializer_class = MachineRateSerializer
    filterset_fields = {"line": ["exact"], "machine": ["exact"], "valid_from": ["lte", "gte"]}
