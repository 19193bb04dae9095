"""REST of inspections, their results, and calibrations."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Invalid
from core.fact_api import refuse_future
from core.master_data import caller, in_scope
from quality import results, services
from quality.calibrations import record_calibration
from quality.gauging import results_in_doubt
from quality.models import (
    Calibration,
    Inspection,
    Result,
)
from quality.rest import Facts
from quality.serializers import (
    CalibrationSerializer,
    CorrectResultSerializer,
    DecideInspectionSerializer,
    InspectionSerializer,
    NewCalibrationSerializer,
    NewInspectionSerializer,
    NewResultsSerializer,
    ResultCorrectionSerializer,
    ResultSerializer,
)


class CalibrationViewSet(Facts):
    """Calibrations. POST records one: 200 for one that was recorded before."""

    kind = "quality_setup"
    queryset = Calibration.objects.select_related("gauge")
    serializer_class = CalibrationSerializer
    filterset_fields = ("gauge", "result")

    @extend_schema(request=NewCalibrationSerializer, responses={201: CalibrationSerializer})
    def create(self, request: Request) -> Response:
        """Record that a gauge was calibrated."""
        said = self.said(NewCalibrationSerializer)
        self.may("add", said["gauge"])
        row, is_new = record_calibration(**said, actor=caller(request), recorded_at=timezone.now())
        return Response(self.get_serializer(row).data, status=201 if is_new else 200)

    @extend_schema(responses=ResultSerializer(many=True))
    @action(detail=True, url_path="results-in-doubt")
    def results_in_doubt(self, request: Request, pk: str = "") -> Response:
        """Return what the gauge measured since its last good calibration before this one, which failed."""
        rows = results_in_doubt(self.get_object()).order_by("-id")
        page = self.paginate_queryset(in_scope(rows, request.user, Result.site_paths))
        return self.get_paginated_response(ResultSerializer(page, many=True).data)


class InspectionViewSet(Facts):
    """Inspections: begin, record, finish, decide."""

    kind = "inspection"
    queryset = Inspection.objects.select_related("plan")
    serializer_class = InspectionSerializer
    filterset_fields = {
        "plan": ["exact"],
        "plan__code": ["exact"],
        "status": ["exact", "in"],
        "work_order": ["exact"],
        "lot": ["exact"],
        "machine": ["exact"],
        "serial": ["exact"],
        "opened_at": ["gte", "lt"],
    }

    @extend_schema(request=NewInspectionSerializer, responses={201: InspectionSerializer})
    def create(self, request: Request) -> Response:
        """Begin an inspection: 201, or 200 with the first answer for a repeated key."""
        said = self.said(NewInspectionSerializer)
        now = timezone.now()
        opened_at = said.pop("opened_at", now)
        refuse_future(opened_at, now)
        names = ("work_order", "operation_code", "machine", "product", "lot", "batch", "serial")
        what = services.What(**{name: said.pop(name) for name in names if name in said})
        for place in (what.lot, what.work_order, what.machine):
            if place is not None:
                self.may("add", place)
        row, is_new = services.open_inspection(what=what, actor=caller(request), opened_at=opened_at, **said)
        return Response(self.get_serializer(row).data, status=201 if is_new else 200)

    @extend_schema(request=NewResultsSerializer, responses={201: ResultSerializer(many=True)})
    @action(detail=True, methods=["post"])
    def results(self, request: Request, pk: str = "") -> Response:
        """Record results, all or none; the same ones again are answered with 200."""
        inspection = self.get_object()
        self.may("add", inspection)
        rows, now = self.said(NewResultsSerializer)["results"], timezone.now()
        known = results.characteristics_of([row["characteristic"] for row in rows], inspection.plan)
        given = []
        for row in rows:
            of = known.get(row.pop("characteristic"))
            if of is None:
                raise Invalid("The plan has no such characteristic.", field="characteristic")
            at = row.pop("occurred_at", now)
            refuse_future(at, now)
            given.append(results.Said(characteristic=of, occurred_at=at, **row))
        found = results.record_results(inspection=inspection, results=given, actor=caller(request), recorded_at=now)
        body = ResultSerializer([row for row, _ in found], many=True).data
        return Response(body, status=201 if any(is_new for _, is_new in found) else 200)

    @extend_schema(request=None, responses=InspectionSerializer)
    @action(detail=True, methods=["post"])
    def finish(self, request: Request, pk: str = "") -> Response:
        """End it: 409 names what is missing."""
        inspection = self.get_object()
        self.may("add", inspection)
        found = services.finish_inspection(inspection=inspection, actor=caller(request), finished_at=timezone.now())
        return Response(self.get_serializer(found).data)

    @extend_schema(request=DecideInspectionSerializer, responses=InspectionSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str = "") -> Response:
        """Decide about it, whatever its results say."""
        inspection = self.get_object()
        self.may("change", inspection)
        services.decide_inspection(
            inspection=inspection,
            actor=caller(request),
            decided_at=timezone.now(),
            **self.said(DecideInspectionSerializer),
        )
        return Response(self.get_serializer(self.get_object()).data)


class ResultViewSet(Facts):
    """Results; a wrong one is corrected, never changed."""

    kind = "inspection"
    queryset = Result.objects.select_related("inspection", "machine__line__area")
    serializer_class = ResultSerializer
    filterset_fields = {
        "inspection": ["exact"],
        "characteristic": ["exact"],
        "gauge": ["exact"],
        "machine": ["exact"],
        "occurred_at": ["gte", "lt"],
    }

    @extend_schema(request=CorrectResultSerializer, responses={201: ResultCorrectionSerializer})
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: str = "") -> Response:
        """Say what it should have been, or that it is void, and why."""
        result = self.get_object()
        self.may("change", result)
        correction = results.correct_result(
            result=result, actor=caller(request), recorded_at=timezone.now(), **self.said(CorrectResultSerializer)
        )
        return Response(ResultCorrectionSerializer(correction).data, status=201)
