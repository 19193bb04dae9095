"""REST for the ERP and other systems: fetch what happened, say what arrived."""

from collections.abc import Callable, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import outbox
from core.errors import Invalid, NotFound, Unprocessable
from core.idempotency import Idempotent
from core.master_data import caller, in_scope
from core.models import OutboxMessage
from core.parsers import BoundedJSONParser
from erp import b2mml, catalogue, delivering, files, importing, senders, services
from erp.models import Partner
from erp.serializers import (
    AcknowledgeSerializer,
    AskedMessagesSerializer,
    ImportSerializer,
    OutboxPageSerializer,
    OutcomeSerializer,
    ProgressSerializer,
)
from workorders.models import WorkOrder


def partner_of(user: Any) -> Partner | None:
    """Return the partner that acts as an account; None when there is none that is in use."""
    return Partner.objects.select_related("user", "progress").filter(user=user, is_active=True).first()


class OutboxView(APIView):
    """What happened, in order, from a cursor on."""

    kind = "outbox"

    @extend_schema(parameters=[AskedMessagesSerializer], responses=OutboxPageSerializer)
    def get(self, request: Request) -> Response:
        """Return messages after a cursor, in order.

        Nothing is lost between two calls, and nothing is taken away by one.
        """
        asked = AskedMessagesSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        said, user = asked.validated_data, caller(request)
        patterns = [one.strip() for one in said.get("types", "").split(",") if one.strip()]
        unknown = next((one for one in patterns if not catalogue.is_known(one)), None)
        if unknown is not None:
            raise Invalid(f"There is no type '{unknown[:64]}'.", field="types")
        partner = partner_of(user)
        after = said.get("after", partner.progress.acknowledged if partner else 0)
        services.refuse_unseen(after)
        outbox.number_new()
        # Read first: what is numbered after it comes with the next call.
        last = max(after, outbox.last_position())
        rows = OutboxMessage.objects.filter(catalogue.matching(patterns), position__gt=after, position__lte=last)
        if partner is not None:
            services.note_contact(partner=partner, at=timezone.now())
            rows = rows.filter(catalogue.matching(partner.types))
        found = list(delivering.hears_of(rows, user).order_by("position")[: said["limit"] + 1])
        page, has_more = found[: said["limit"]], len(found) > said["limit"]
        cursor = page[-1].position if has_more else last
        return Response(OutboxPageSerializer({"results": page, "cursor": str(cursor), "has_more": has_more}).data)


class ImportView(Idempotent, APIView):
    """Take products, revisions with bills and routings, orders, demand and stock."""

    kind = "inbox"

    @extend_schema(
        request=ImportSerializer,
        responses={200: OutcomeSerializer, 207: OutcomeSerializer, 422: OpenApiResponse(description="No import.")},
    )
    def post(self, request: Request) -> Response:
        """Make, change or leave each row: 200 when all were taken, 207 when some were not,
        422 for what is no import.
        """
        return answer_import(request, lambda: (request.data, ()))


def answer_import(request: Request, read: Callable[[], tuple[Any, Sequence[int]]]) -> Response:
    """Take what was read of a request, and its rows' numbers in its file; answer what became of it."""
    now = timezone.now()
    try:
        sent, numbers = read()
        outcome = importing.take(sent, by=senders.Sender(request, now), numbers=numbers)
    except Invalid as refusal:
        raise Unprocessable(refusal.message, field=refusal.field) from None
    partner = partner_of(caller(request))
    if partner is not None:
        services.note_contact(partner=partner, at=now)
    return Response(OutcomeSerializer(outcome).data, status=207 if outcome.faults else 200)


class RawParser(BaseParser):
    """Leave a body to whoever knows what it means."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return bytes(stream.read())


class CsvParser(RawParser):
    """A file of text."""

    media_type = files.CSV


class XlsxParser(RawParser):
    """A workbook."""

    media_type = files.XLSX


class KindImportView(Idempotent, APIView):
    """Take rows of one kind: a list as JSON, or a file."""

    kind = "inbox"
    parser_classes = (BoundedJSONParser, CsvParser, XlsxParser)

    @extend_schema(
        operation_id="erp_import_kind_create",
        request={"application/json": list[dict[str, Any]], files.CSV: str, files.XLSX: bytes},
        responses={200: OutcomeSerializer, 207: OutcomeSerializer, 422: OpenApiResponse(description="No import.")},
    )
    def post(self, request: Request, name: str) -> Response:
        """Make, change or leave each row of a list or file, as `/erp/import/` does."""

        def read() -> tuple[Any, Sequence[int]]:
            sent: Any = request.data
            if not isinstance(sent, bytes):
                return {name: sent}, ()
            content_type = (request.content_type or "").partition(";")[0].strip().lower()
            rows, numbers = files.rows_of(sent, content_type, importing.flat_kind(name).shape)
            return {name: rows}, numbers

        return answer_import(request, read)


class XmlParser(RawParser):
    """A B2MML message."""

    media_type = "application/xml"


class TextXmlParser(XmlParser):
    """The same under its other name."""

    media_type = "text/xml"


class XmlRenderer(BaseRenderer):
    """Write what is XML already."""

    media_type = "application/xml"
    format = "xml"
    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> Any:
        if isinstance(data, bytes):
            return data
        root = Element("error")
        root.text = str(data)
        return b2mml.to_xml(root)


class ScheduleView(Idempotent, APIView):
    """Take a B2MML schedule: each request becomes an order, as in an import."""

    kind = "inbox"
    parser_classes = (BoundedJSONParser, XmlParser, TextXmlParser)

    @extend_schema(
        request={"application/xml": str, "application/json": dict[str, Any]},
        parameters=[OpenApiParameter("line", str, description="The line of requests that name no equipment.")],
        responses={200: OutcomeSerializer, 207: OutcomeSerializer, 422: OpenApiResponse(description="No schedule.")},
    )
    def post(self, request: Request) -> Response:
        """Make or change the orders of a schedule: 200, 207 when some were refused, 422 for what is no schedule."""
        try:
            sent: Any = request.data
            message = b2mml.read_xml(sent) if isinstance(sent, bytes) else sent
            rows = b2mml.orders_of(message, line=request.query_params.get("line", ""))
            outcome = importing.take({"orders": rows}, by=senders.Sender(request, timezone.now()))
        except Invalid as refusal:
            raise Unprocessable(refusal.message, field=refusal.field) from None
        return Response(OutcomeSerializer(outcome).data, status=207 if outcome.faults else 200)


class PerformanceView(APIView):
    """What an order did, as a B2MML message."""

    kind = "outbox"
    renderer_classes = (XmlRenderer, JSONRenderer)

    @extend_schema(
        parameters=[OpenApiParameter("order", str, required=True, description="Its external_id, or its number.")],
        responses={(200, "application/xml"): str, (200, "application/json"): dict[str, Any]},
    )
    def get(self, request: Request) -> Response:
        """Return an OperationsPerformance (B2MML V0700) of an order: XML, or JSON for who accepts only that."""
        asked = request.query_params.get("order", "")[:200].replace("\0", "")
        orders = in_scope(
            WorkOrder.objects.select_related("line__area__site", "product__unit", "unit"),
            request.user,
            WorkOrder.site_paths,
        )
        order = orders.filter(external_id=asked).first() or orders.filter(order_number=asked).first()
        if order is None:
            raise NotFound(f"There is no order '{asked[:64]}'.")
        root = b2mml.performance_of(order, now=timezone.now())
        wants_json = request.accepted_renderer.format == "json"
        return Response(b2mml.to_json(root) if wants_json else b2mml.to_xml(root))


class AcknowledgeView(APIView):
    """Say up to where everything arrived."""

    kind = "outbox"

    @extend_schema(request=AcknowledgeSerializer, responses=ProgressSerializer)
    def post(self, request: Request) -> Response:
        """Note that all up to a cursor is kept by the partner. It never goes back; a repetition changes nothing."""
        said = AcknowledgeSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        partner = partner_of(caller(request))
        if partner is None:
            raise NotFound("No partner that is in use acts as this account; an administrator sets it up.")
        progress = services.acknowledge(partner=partner, position=said.validated_data["cursor"], at=timezone.now())
        return Response(
            ProgressSerializer({"cursor": str(progress.acknowledged), "last": str(outbox.last_given())}).data
        )
