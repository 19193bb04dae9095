"""REST of workbooks: templates, mappings, versions; one filled, one with a sheet for each record, a table of all."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import kind_of
from core.api import MasterDataViewSet
from core.errors import Invalid
from core.exports import Pieces, Streamed
from core.master_data import caller
from core.parsers import BoundedJSONParser
from core.spreadsheets import csv_pieces, workbook_file
from reports import selectors
from reports.models import WorkbookMapping, WorkbookTemplate
from reports.serializers import (
    AskedSerializer,
    PlacesSerializer,
    TableSerializer,
    UploadSerializer,
    WorkbookMappingSerializer,
    WorkbookTemplateSerializer,
    WorkbookVersionSerializer,
    asked,
)
from reports.services import add_version

MAX_IDS = 300
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
RECORDS = OpenApiParameter(
    "record", int, many=True, description="Which ones, by id. Left out: all that the source's filters leave."
)


def headers_of(name: str) -> dict[str, str]:
    """Return the headers by which a browser keeps a file."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)[:120]
    return {
        "Content-Disposition": f'attachment; filename="{safe}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }


class WorkbookTemplateViewSet(MasterDataViewSet):
    """The customer's workbooks. `version` takes a file; `fill`, `sheets` and `table` give filled ones."""

    queryset = WorkbookTemplate.objects.select_related("site")
    serializer_class = WorkbookTemplateSerializer
    parser_classes = (BoundedJSONParser, MultiPartParser)
    filterset_fields = ("code", "site", "source", "is_active")
    search_fields = ("code", "name")
    ordering_fields = ("id", "code", "name")

    @extend_schema(
        methods=["post"], request={"multipart/form-data": UploadSerializer}, responses={201: WorkbookVersionSerializer}
    )
    @extend_schema(methods=["get"], responses=WorkbookVersionSerializer(many=True))
    @action(detail=True, methods=["get", "post"], filter_backends=[], pagination_class=None)
    def version(self, request: Request, pk: str) -> Response:
        """List the newest 50 versions; POST takes a new file (`multipart/form-data`),
        the same one again is no new version.
        """
        template = self._template()
        if request.method == "GET":
            rows = template.versions.defer("content").select_related("uploaded_by").order_by("-number")[:50]
            return Response(WorkbookVersionSerializer(rows, many=True).data)
        self.check_site(template)
        upload = asked(UploadSerializer, request.data)["file"]
        version = add_version(
            template=template,
            content=upload.read(),
            file_name=str(upload.name),
            actor=caller(request),
            recorded_at=timezone.now(),
        )
        return Response(WorkbookVersionSerializer(version).data, status=201)

    @extend_schema(responses=PlacesSerializer)
    @action(detail=True)
    def places(self, request: Request, pk: str) -> Response:
        """Say which names and sheets the workbook has, and which fields can fill them."""
        template = self._template()
        source = selectors.source_of(template)
        answer = {
            "places": [{"target": name, "where": where} for name, where in selectors.places_of(template)],
            "fields_known": [{"path": path, "meaning": meaning} for path, meaning in source.fields.items()],
        }
        return Response(PlacesSerializer(answer).data)

    @extend_schema(parameters=[AskedSerializer], responses={(200, XLSX): OpenApiTypes.BINARY})
    @action(detail=True)
    def fill(self, request: Request, pk: str) -> HttpResponse:
        """Answer the workbook filled with one record."""
        template = self._template()
        self._check_may_see(template)
        record = asked(AskedSerializer, request.query_params.dict())["record"]
        title, content = selectors.filled(template, record, user=caller(request))
        return HttpResponse(content, content_type=XLSX, headers=headers_of(f"{template.code}-{title}.xlsx"))

    @extend_schema(parameters=[RECORDS], responses={(200, XLSX): OpenApiTypes.BINARY})
    @action(detail=True)
    def sheets(self, request: Request, pk: str) -> Streamed:
        """Answer one workbook with a filled sheet for each record, at most 10,000, while it is made."""
        template = self._template()
        out = selectors.master_file(template, self._records(template), user=caller(request))
        return Streamed(out, content_type=XLSX, headers=headers_of(f"{template.code}-sheets.xlsx"))

    @extend_schema(
        parameters=[RECORDS, TableSerializer],
        responses={(200, XLSX): OpenApiTypes.BINARY, (200, "text/csv"): OpenApiTypes.STR},
    )
    @action(detail=True)
    def table(self, request: Request, pk: str) -> Streamed:
        """Answer a table with a row for each record and a column for each mapped field, as Excel or CSV."""
        template = self._template()
        kind = asked(TableSerializer, request.query_params.dict())["kind"]
        rows = selectors.table_rows(template, self._records(template), user=caller(request))
        headers = headers_of(f"{template.code}.{kind}")
        if kind == "csv":
            pieces = (piece.encode() for piece in csv_pieces(rows))
            return Streamed(pieces, content_type="text/csv; charset=utf-8", headers=headers)
        return Streamed(Pieces(workbook_file(rows)), content_type=XLSX, headers=headers)

    def _template(self) -> WorkbookTemplate:
        template: WorkbookTemplate = self.get_object()
        return template

    def _check_may_see(self, template: WorkbookTemplate) -> None:
        model = selectors.source_of(template).model._meta
        if not caller(self.request).may("view", kind_of(f"{model.app_label}.{model.model_name}")):
            self.permission_denied(self.request, "Your role does not allow this.")

    def _records(self, template: WorkbookTemplate) -> Any:
        """Return the records that are asked for, those that the caller may know of. Raises ValidationError."""
        self._check_may_see(template)
        source = selectors.source_of(template)
        records = source.records(caller(self.request))
        asked_for = dict(self.request.query_params.lists())
        ids = asked_for.pop("record", [])
        asked_for.pop("kind", None)
        unknown = sorted(set(asked_for) - set(source.filters))
        if unknown:
            raise ValidationError({unknown[0][:64]: [f"Ask by record, {', '.join(source.filters)}."]})
        for name, values in asked_for.items():
            try:
                records = records.filter(**{source.filters[name]: values[-1]})
            except (ValueError, TypeError):
                raise ValidationError({name: ["This is not a value for it."]}) from None
        if not ids:
            return records
        if len(ids) > MAX_IDS or not all(one.isascii() and one.isdigit() and len(one) < 19 for one in ids):
            raise Invalid(f"At most {MAX_IDS} ids, each a number.", field="record")
        return records.filter(pk__in=[int(one) for one in ids])


class WorkbookMappingViewSet(MasterDataViewSet):
    """Which cell says what."""

    queryset = WorkbookMapping.objects.select_related("template__site")
    serializer_class = WorkbookMappingSerializer
    filterset_fields = ("template",)
    search_fields = ("target", "path")
    ordering_fields = ("id", "target")
