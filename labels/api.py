"""REST of labels: layouts, batches and their files, reprints, and codes read from photos."""

from contextlib import suppress
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet, need
from core.exports import Streamed
from core.gs1 import NotGs1, parse
from core.idempotency import Idempotent
from core.master_data import caller
from labels import rendering
from labels.decode import decode
from labels.models import Label, LabelBatch, LabelLayout
from labels.selectors import content_of_label, contents_of, with_reprints
from labels.serializers import (
    FoundCodesSerializer,
    LabelBatchSerializer,
    LabelLayoutSerializer,
    LabelReprintSerializer,
    LabelSerializer,
    NewBatchSerializer,
    NewReprintSerializer,
    PhotoSerializer,
)
from labels.services import design_from, print_batch, reprint

FILES = {"pdf": "application/pdf", "zpl": "text/plain; charset=utf-8", "zip": "application/zip", "png": "image/png"}


def file_headers(name: str) -> dict[str, str]:
    """Return the headers by which a browser keeps a file, and takes it for nothing else."""
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }


def batch_file(batch: LabelBatch, kind: str) -> HttpResponse | Streamed:
    """Return a batch's labels as a file: pdf, zpl, or zip with a PNG for each."""
    design, headers = design_from(batch.design), file_headers(f"labels-{batch.pk}.{kind}")
    if kind == "pdf":
        content = rendering.pdf(design, [content for _, content in contents_of(batch)])
        return HttpResponse(content, content_type=FILES[kind], headers=headers)
    pieces: Any = (
        rendering.zip_of_pngs(design, contents_of(batch))
        if kind == "zip"
        else rendering.zpl(design, (content for _, content in contents_of(batch)))
    )
    return Streamed(pieces, content_type=FILES[kind], headers=headers)


class LabelLayoutViewSet(MasterDataViewSet):
    """How labels look."""

    queryset = LabelLayout.objects.select_related("site")
    serializer_class = LabelLayoutSerializer
    filterset_fields = ("code", "site", "labels_what", "symbology", "is_active")
    search_fields = ("code", "name", "labels_what")
    ordering_fields = ("id", "code", "name")


class LabelBatchViewSet(
    Idempotent, mixins.CreateModelMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet
):
    """Batches of labels. POST prints one; its files are at `pdf`, `zpl` and `zip`."""

    kind = "label"
    queryset = LabelBatch.objects.select_related("layout", "site", "printed_by")
    serializer_class = LabelBatchSerializer
    filterset_fields = ("layout", "site", "idempotency_key")
    ordering_fields = ("id", "recorded_at")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"

    @extend_schema(request=NewBatchSerializer, responses={201: LabelBatchSerializer, 200: LabelBatchSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Print a batch: 201, or 200 with the first one for a repeated `idempotency_key`.

        409 names the batch in which a code was printed already; then nothing is printed.
        """
        given = NewBatchSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values = given.validated_data
        need(self, "add", values["site"])
        printed = print_batch(**values, actor=caller(request), recorded_at=timezone.now())
        return Response(self.get_serializer(printed.batch).data, status=201 if printed.is_new else 200)

    @extend_schema(responses={(200, FILES["pdf"]): OpenApiTypes.BINARY})
    @action(detail=True)
    def pdf(self, request: Request, pk: str) -> Any:
        """Answer the labels as a PDF."""
        return batch_file(self.get_object(), "pdf")

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    @action(detail=True)
    def zpl(self, request: Request, pk: str) -> Any:
        """Answer the labels in the language of label printers, ZPL II."""
        return batch_file(self.get_object(), "zpl")

    @extend_schema(responses={(200, FILES["zip"]): OpenApiTypes.BINARY})
    @action(detail=True)
    def zip(self, request: Request, pk: str) -> Any:
        """Answer a ZIP with a PNG of each label."""
        return batch_file(self.get_object(), "zip")


class LabelViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Labels that were printed. POST to `reprint` says that one is printed again, and why."""

    kind = "label"
    queryset = with_reprints(Label.objects.select_related("batch"))
    serializer_class = LabelSerializer
    filterset_fields = {"code": ["exact"], "batch": ["exact"], "site": ["exact"], "labels_what": ["exact"]}
    search_fields = ("code",)
    ordering_fields = ("id", "code", "position")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"

    @extend_schema(responses={(200, FILES["png"]): OpenApiTypes.BINARY})
    @action(detail=True)
    def png(self, request: Request, pk: str) -> HttpResponse:
        """Answer the label as a picture."""
        label = self.get_object()
        content = rendering.png(design_from(label.batch.design), content_of_label(label))
        return HttpResponse(content, content_type=FILES["png"], headers=file_headers(f"label-{label.pk}.png"))

    @extend_schema(request=NewReprintSerializer, responses={201: LabelReprintSerializer, 200: LabelReprintSerializer})
    @action(detail=True, methods=["post"])
    def reprint(self, request: Request, pk: str) -> Response:
        """Record that it is printed again: 201, or 200 for a repeated `idempotency_key`; then fetch its `png`."""
        given = NewReprintSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        done = reprint(
            label=self.get_object(), **given.validated_data, actor=caller(request), recorded_at=timezone.now()
        )
        return Response(LabelReprintSerializer(done.reprint).data, status=201 if done.is_new else 200)


class DecodeView(APIView):
    """Codes in a photo."""

    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": PhotoSerializer}, responses=FoundCodesSerializer)
    def post(self, request: Request) -> Response:
        """Read the codes in a photo (`multipart/form-data` with `file`); nothing of it is kept."""
        if not caller(request).may("view", "label"):
            self.permission_denied(request, "Your role does not allow this.")
        given = PhotoSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        codes = []
        for found in decode(given.validated_data["file"].read()):
            elements: list[Any] = []
            if found.is_gs1:
                with suppress(NotGs1):
                    elements = parse(found.text, today=timezone.now().date())
            codes.append(
                {
                    "text": found.text,
                    "symbology": found.symbology,
                    "identifier": found.identifier,
                    "is_gs1": found.is_gs1,
                    "elements": elements,
                    "position": found.position,
                }
            )
        return Response(FoundCodesSerializer({"codes": codes}).data)
