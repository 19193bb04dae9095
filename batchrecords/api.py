"""REST of batch records: read, open, sign, note and resolve deviations, enter steps."""

import base64
import binascii
from datetime import datetime
from io import BytesIO
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.signing import Confirmed, confirm
from batchrecords import services
from batchrecords.assembly import assemble, standing
from batchrecords.models import BatchRecord, SigningPolicy, StepEntry, StepTemplate
from batchrecords.pdf import file_name, write_pdf
from batchrecords.serializers import (
    BatchRecordSerializer,
    EnterStepSerializer,
    NoteDeviationSerializer,
    OpenRecordSerializer,
    ResolveSerializer,
    SigningPolicySerializer,
    SignSerializer,
    StepEntrySerializer,
    StepTemplateSerializer,
    WholeRecordSerializer,
)
from batchrecords.steps import Answer, enter_step
from core.api import MasterDataViewSet, need
from core.errors import Invalid
from core.idempotency import Idempotent
from core.master_data import caller


class SigningPolicyViewSet(MasterDataViewSet):
    """What sites decide about their batch records."""

    queryset = SigningPolicy.objects.all()
    serializer_class = SigningPolicySerializer
    filterset_fields = ("site",)


class StepTemplateViewSet(MasterDataViewSet):
    """What has to be done at operations of routings."""

    queryset = StepTemplate.objects.select_related("operation__routing__revision")
    serializer_class = StepTemplateSerializer
    filterset_fields = ("operation", "kind")


class BatchRecordViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Batch records. POST opens one (or returns the one that is open); nothing is ever overwritten or deleted."""

    kind = "batch_record"
    queryset = BatchRecord.objects.select_related(*services.WITH_PLACE)
    serializer_class = BatchRecordSerializer
    filterset_fields = ("work_order", "lot", "status", "requirement", "work_order__line")
    search_fields = ("number", "work_order__order_number", "lot__number")
    ordering_fields = ("id", "number", "opened_at", "status")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"

    @extend_schema(request=OpenRecordSerializer, responses={201: BatchRecordSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Open the record of an order, or of a lot that it made."""
        asked = OpenRecordSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        order = values.pop("work_order")
        need(self, "add", order)
        made = services.open_record(order=order, actor=caller(request), now=timezone.now(), **values)
        return Response(self.get_serializer(made).data, status=201)

    @extend_schema(responses=WholeRecordSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a record: what it contains now, what needs eyes, who signed what."""
        return Response(self._whole(self.get_object(), timezone.now()))

    @extend_schema(request=SignSerializer, responses={201: WholeRecordSerializer})
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: str | None = None) -> Response:
        """Sign with user name and password. The same signature again changes nothing."""
        record = self.get_object()
        asked = SignSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values, person = asked.validated_data, caller(request)
        need(self, "add", record, services.KIND_OF_MEANING[values["meaning"]])
        identity = confirm(request=request, username=values["username"], password=values["password"], caller=person)
        now = timezone.now()
        services.sign(
            record=record,
            identity=identity,
            meaning=values["meaning"],
            seen=values["seen"],
            comment=values["comment"],
            now=now,
        )
        return Response(self._whole(record, now), status=201)

    @extend_schema(request=NoteDeviationSerializer, responses={201: WholeRecordSerializer})
    @action(detail=True, methods=["post"])
    def deviation(self, request: Request, pk: str | None = None) -> Response:
        """Note that something was not as it should be."""
        record = self.get_object()
        asked = NoteDeviationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        need(self, "add", record, "step_entry")
        now = timezone.now()
        services.open_deviation(record=record, actor=caller(request), now=now, **asked.validated_data)
        return Response(self._whole(record, now), status=201)

    @extend_schema(request=ResolveSerializer, responses={201: WholeRecordSerializer})
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str | None = None) -> Response:
        """Decide about a deviation."""
        record = self.get_object()
        asked = ResolveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        need(self, "add", record, "batch_review")
        now = timezone.now()
        services.resolve(record=record, actor=caller(request), now=now, **asked.validated_data)
        return Response(self._whole(record, now), status=201)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True)
    def pdf(self, request: Request, pk: str | None = None) -> HttpResponse:
        """Print a record."""
        return printed(self.get_object(), request)

    def _whole(self, record: BatchRecord, now: datetime) -> Any:
        record = self.get_queryset().get(pk=record.pk)
        found = assemble(record, now=now)
        context = {**self.get_serializer_context(), "assembled": found, "standing": standing(found)}
        return WholeRecordSerializer(record, context=context).data


def printed(record: BatchRecord, request: Any) -> HttpResponse:
    """Return a record's PDF as an answer."""
    now = timezone.now()
    found = assemble(record, now=now)
    file = BytesIO()
    write_pdf(file, found, standing(found), now=now, printed_by=str(caller(request)))
    answer = HttpResponse(file.getvalue(), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{file_name(found)}"'
    return answer


class StepEntryViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Steps that were done at operations of orders. POST records one; a mistake is entered again, and both stay."""

    kind = "step_entry"
    queryset = StepEntry.objects.select_related("operation__work_order__line__area__site").defer("photo")
    serializer_class = StepEntrySerializer
    filterset_fields = ("operation", "template", "is_within", "operation__work_order")
    ordering_fields = ("id", "occurred_at")
    ordering = ("-id",)
    lookup_value_regex = r"\d+"

    @extend_schema(request=EnterStepSerializer, responses={201: StepEntrySerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Record a step. Beyond its limits it needs a comment."""
        asked = EnterStepSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        values, now = asked.validated_data, timezone.now()
        operation, template = values["operation"], values["template"]
        need(self, "add", operation)
        second: Confirmed | None = None
        if template.kind == "person" and values["second_username"]:
            second = confirm(request=request, username=values["second_username"], password=values["second_password"])
        made = enter_step(
            operation=operation,
            template=template,
            answer=Answer(values["number"], values["said"], values["time"], _bytes(values["photo"]), second),
            actor=caller(request),
            occurred_at=values["occurred_at"] or now,
            comment=values["comment"],
            now=now,
        )
        return Response(self.get_serializer(made).data, status=201)


def _bytes(photo: str) -> bytes | None:
    if not photo:
        return None
    try:
        return base64.b64decode(photo, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("That is no base64.", field="photo") from error
