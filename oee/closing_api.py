"""REST of closed shifts, of data quality and of the change log."""

from typing import Any

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet, need
from core.errors import Invalid
from core.filters import FilterSet
from core.idempotency import Idempotent
from core.master_data import caller
from core.pagination import BoundedPagination
from enterprise.models import Line, Machine, Site
from oee import closing, knowledge_changes
from oee.closing_serializers import (
    AcceptSerializer,
    ChangeLogQuerySerializer,
    CloseShiftSerializer,
    ClosingRuleSerializer,
    DataQualityQuerySerializer,
    DataQualitySerializer,
    KnowledgeChangeSerializer,
    ShiftClosingSerializer,
    WasAndNowSerializer,
)
from oee.data_quality import data_quality
from oee.models import ClosingRule, ShiftClosing
from oee.scopes import machines_of, shifts_on


class ShortPagination(BoundedPagination):
    """Short pages, since each row is computed from facts."""

    page_size = 20
    max_page_size = 50


class ClosingPagination(BoundedPagination):
    """Pages of closings, which carry all their numbers."""

    max_page_size = 200


class ShiftClosingFilter(FilterSet):
    """By place, shift, day, and whether the facts say something else now."""

    site = filters.NumberFilter(method="of_site")
    date = filters.DateFilter(field_name="shift_date")
    date_from = filters.DateFilter(field_name="shift_date", lookup_expr="gte")
    date_until = filters.DateFilter(field_name="shift_date", lookup_expr="lt")
    differs = filters.BooleanFilter(field_name="check_row__differs")
    is_current = filters.BooleanFilter(field_name="superseded_by", lookup_expr="isnull")

    class Meta:
        model = ShiftClosing
        fields = ("line", "machine", "shift", "revision", "meaning")

    def of_site(self, queryset: Any, name: str, value: Any) -> Any:
        """Narrow to one site's lines and machines."""
        return queryset.filter(line__area__site=value) | queryset.filter(machine__line__area__site=value)


class ShiftClosingViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Closed shifts. POST closes one; `accept` signs changed numbers; nothing is ever overwritten or deleted."""

    kind = "closing"
    queryset = ShiftClosing.objects.select_related(*closing.WITH_PLACE)
    serializer_class = ShiftClosingSerializer
    pagination_class = ClosingPagination
    filterset_class = ShiftClosingFilter
    ordering_fields = ("id", "starts_at", "closed_at", "revision")
    ordering = ("-starts_at", "-id")
    lookup_value_regex = r"\d+"

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List closings; `differs` is as of now, or null where it waits to be compared."""
        closing.bring_checks_up_to_date(now=timezone.now())
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        context = {**self.get_serializer_context(), "touched": closing.touched_closings(row.pk for row in page)}
        return self.get_paginated_response(ShiftClosingSerializer(page, many=True, context=context).data)

    @extend_schema(request=CloseShiftSerializer, responses={201: ShiftClosingSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Close a shift that is over: freeze its numbers and sign them. 409 when it is not over, or closed already."""
        asked = CloseShiftSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        place = values.get("line") or values.get("machine")
        need(self, "add", place)
        made = closing.close_shift(
            place=place,
            shift_id=values["shift"].pk,
            shift_date=values["date"],
            comment=values["comment"],
            actor=caller(request),
            now=timezone.now(),
        )
        return Response(self.get_serializer(made).data, status=201)

    @extend_schema(responses=WasAndNowSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a closing with every number as it was signed and as it is now."""
        return Response(self._compared(self.get_object()))

    @extend_schema(request=AcceptSerializer, responses={201: WasAndNowSerializer})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Sign the numbers of now as the next revision. 409 when nothing differs, or it is not what was seen."""
        closed = self.get_object()
        word = AcceptSerializer(data=request.data, context=self.get_serializer_context())
        word.is_valid(raise_exception=True)
        made = closing.accept_difference(
            closing=closed, actor=caller(request), now=timezone.now(), **word.validated_data
        )
        return Response(self._compared(made), status=201)

    def _compared(self, closed: ShiftClosing) -> Any:
        now = timezone.now()
        is_current = hasattr(closed, "check_row")
        found = closing.refresh_check(closed, now=now) if is_current else closing.was_and_now(closed, now=now)
        context = {**self.get_serializer_context(), "was_and_now": found}
        return WasAndNowSerializer(closed, context=context).data


class ClosingRuleViewSet(MasterDataViewSet):
    """When sites close shifts by rule; a site without a rule closes by hand."""

    queryset = ClosingRule.objects.all()
    serializer_class = ClosingRuleSerializer
    filterset_fields = ("site",)


class DataQualityView(GenericAPIView):
    """How far the data of machines' shifts can be trusted: a score from 0 to 100, with all that it is made of."""

    kind = "oee_record"
    queryset = Machine.objects.none()
    pagination_class = ShortPagination
    serializer_class = DataQualitySerializer

    @extend_schema(parameters=[DataQualityQuerySerializer], responses=DataQualitySerializer(many=True))
    def get(self, request: Request) -> Response:
        """Compute it now, machine by machine and shift by shift."""
        query = DataQualityQuerySerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        asked, now = query.validated_data, timezone.now()
        wanted = asked["shift"].pk if "shift" in asked else None
        pairs = [
            (machine, shift.interval, shift)
            for machine in _machines(asked)
            for shift in shifts_on(machine, asked["date"])
            if wanted in (None, shift.shift_id)
        ]
        page = self.paginate_queryset(pairs) or []
        return self.get_paginated_response(DataQualitySerializer(data_quality(page, now=now), many=True).data)


def _machines(asked: dict[str, Any]) -> list[Machine]:
    """Return every machine of a place: of data, each has its own."""
    machines = Machine.objects.select_related("line__area__site").filter(is_active=True)
    if "machine" in asked:
        return machines_of(asked["machine"])
    if "line" in asked:
        line: Line = asked["line"]
        return list(machines.filter(line=line).order_by("position", "id"))
    site: Site = asked["site"]
    return list(machines.filter(line__area__site=site).order_by("line_id", "position", "id"))


class ChangeLogView(GenericAPIView):
    """Edits of what numbers follow from besides facts, and what they did to closed shifts."""

    kind = "audit"
    queryset = ShiftClosing.objects.none()
    pagination_class = ShortPagination
    serializer_class = KnowledgeChangeSerializer

    @extend_schema(
        parameters=[
            ChangeLogQuerySerializer,
            OpenApiParameter("kind", str, enum=sorted(knowledge_changes.KINDS)),
        ],
        responses=KnowledgeChangeSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List them, the newest first."""
        query = ChangeLogQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        if asked.get("kind") not in (None, *knowledge_changes.KINDS):
            raise Invalid(f"One of {', '.join(knowledge_changes.KINDS)}.", field="kind")
        closing.bring_checks_up_to_date(now=timezone.now())
        page = self.paginate_queryset(knowledge_changes.change_keys(user=request.user, **asked)) or []
        return self.get_paginated_response(KnowledgeChangeSerializer(knowledge_changes.describe(page), many=True).data)
