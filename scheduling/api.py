"""REST of the schedule against what happened, of what it needs, and of suggestions."""

from fractions import Fraction
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import NOT_AT_THAT_SITE, MasterDataViewSet
from core.errors import Invalid
from core.idempotency import Idempotent
from core.intervals import Interval
from core.master_data import caller
from core.pagination import BoundedPagination
from enterprise.models import Line
from scheduling import services
from scheduling.actuals import MOST_ENTRIES, actuals_of, adherence_of, entries_of
from scheduling.availability import availability_of
from scheduling.models import SchedulingPolicy
from scheduling.serializers import (
    AcceptSuggestionSerializer,
    ActualSerializer,
    AdherenceQuerySerializer,
    AdherenceSerializer,
    AvailabilitySerializer,
    ScheduledSerializer,
    SchedulingPolicySerializer,
    SuggestionSerializer,
    SuggestSerializer,
    WindowSerializer,
)
from workorders.models import Schedule


class SchedulingPolicyViewSet(MasterDataViewSet):
    """What counts as on time at a site."""

    queryset = SchedulingPolicy.objects.select_related("site")
    serializer_class = SchedulingPolicySerializer
    filterset_fields = ("site",)


class _OfWindow(APIView):
    """Something of the entries that touch a window of a line or a site."""

    kind = "schedule"
    takes: type[WindowSerializer] = WindowSerializer

    def entries(self, request: Request) -> tuple[dict[str, Any], list[Schedule]]:
        """Return what was asked for, and the entries."""
        query = self.takes(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        of_site = Line.objects.filter(area__site=asked["site"]) if asked["site"] else ()
        lines = [asked["line"].pk] if asked["line"] else [line.pk for line in of_site]
        found = entries_of(lines, Interval(asked["starts_at"], asked["ends_at"]))
        if len(found) > MOST_ENTRIES:
            raise Invalid(f"More than {MOST_ENTRIES} entries; ask for a shorter window.", field="ends_at")
        return asked, found

    def page(self, request: Request, rows: list[Any]) -> tuple[BoundedPagination, list[Any]]:
        """Return a page of rows."""
        pagination = BoundedPagination()
        pagination.page_size = 200
        return pagination, pagination.paginate_queryset(rows, request, view=self)


class PlanAgainstActualView(_OfWindow):
    """Planned and actual times and quantities of each entry, on time or not, delayed or not."""

    @extend_schema(parameters=[WindowSerializer], responses=ActualSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Work it out from the runs as they are now."""
        _, entries = self.entries(request)
        pagination, page = self.page(request, entries)
        rows = ActualSerializer(actuals_of(page, now=timezone.now()), many=True, context={"request": request}).data
        return pagination.get_paginated_response(rows)


class AdherenceView(_OfWindow):
    """How far the plan was kept, per line and shift, day or week: by quantity and by time."""

    takes = AdherenceQuerySerializer

    @extend_schema(parameters=[AdherenceQuerySerializer], responses=AdherenceSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Work it out from the runs as they are now."""
        asked, entries = self.entries(request)
        now = timezone.now()
        found = adherence_of(actuals_of(entries, now=now), by=asked["by"], now=now)
        pagination, page = self.page(request, found)
        return pagination.get_paginated_response(AdherenceSerializer(page, many=True).data)


class AvailabilityView(_OfWindow):
    """Whether material, people and equipment for each entry are there."""

    @extend_schema(parameters=[WindowSerializer], responses=AvailabilitySerializer(many=True))
    def get(self, request: Request) -> Response:
        """Check it now; cancelled entries need nothing and are left out."""
        _, entries = self.entries(request)
        active = [entry for entry in entries if entry.status != Schedule.Status.CANCELLED]
        pagination, page = self.page(request, active)
        found = availability_of(page, now=timezone.now())
        return pagination.get_paginated_response(AvailabilitySerializer([found[e.pk] for e in page], many=True).data)


class SuggestView(APIView):
    """Where orders could go."""

    kind = "schedule"

    @extend_schema(request=SuggestSerializer, responses=SuggestionSerializer)
    def post(self, request: Request) -> Response:
        """Work it out; nothing is written. Each entry says what binds it."""
        said = SuggestSerializer(data=request.data, context={"request": request})
        said.is_valid(raise_exception=True)
        values = said.validated_data
        efficiency = Fraction(values.pop("efficiency"))
        found = services.suggest(**values, efficiency=efficiency, now=timezone.now())
        return Response(SuggestionSerializer(found).data)


class AcceptView(Idempotent, APIView):
    """Take a suggestion over."""

    kind = "schedule"

    @extend_schema(request=AcceptSuggestionSerializer, responses={201: ScheduledSerializer(many=True)})
    def post(self, request: Request) -> Response:
        """Place all entries, or none: 409 with what collides. Again: the same entries."""
        said = AcceptSuggestionSerializer(data=request.data, context={"request": request})
        said.is_valid(raise_exception=True)
        entries = [services.Accepted(**entry) for entry in said.validated_data["entries"]]
        for entry in entries:
            for line in (entry.line, entry.work_order.line):
                moves = entry.operation is None and entry.line.pk != entry.work_order.line_id
                may_move = not moves or caller(request).may("change", "order", line.area.site_id)
                if not may_move or not caller(request).may("add", self.kind, line.area.site_id):
                    self.permission_denied(request, NOT_AT_THAT_SITE)
        placed = services.accept(entries=entries, actor=caller(request), now=timezone.now())
        return Response(ScheduledSerializer(placed, many=True).data, status=201)
