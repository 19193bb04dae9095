"""REST of quality: set-up, what is due, inspections, gauges, defects, non-conformances, charts."""

from typing import Any, cast

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.api import MasterDataViewSet
from core.errors import Invalid
from core.fact_api import FactPagination, refuse_future
from core.idempotency import Idempotent
from core.intervals import Interval
from core.master_data import caller, in_scope, site_id_of
from enterprise.models import Site
from products.api import decimal_text
from quality import charting, nonconformances, planning, services
from quality.calibrations import record_calibration
from quality.figures import pareto
from quality.gates import Step, gate
from quality.gauging import results_in_doubt
from quality.models import (
    Calibration,
    Characteristic,
    ControlChart,
    CorrectiveAction,
    Defect,
    DefectCode,
    Gauge,
    GaugeTag,
    Inspection,
    InspectionPlan,
    NonConformance,
    Result,
    SamplingRule,
    Signal,
)
from quality.nonconformances import About
from quality.selectors import Due, due, due_at
from quality.serializers import (
    CalibrationSerializer,
    ChangeNonConformanceSerializer,
    CharacteristicSerializer,
    ChartPhaseSerializer,
    CheckActionSerializer,
    CommentSerializer,
    ControlChartSerializer,
    CorrectiveActionSerializer,
    CorrectResultSerializer,
    DecideInspectionSerializer,
    DefectCodeSerializer,
    DefectSerializer,
    DispositionSerializer,
    DueQuerySerializer,
    GateQuerySerializer,
    GaugeSerializer,
    GaugeTagSerializer,
    InspectionPlanSerializer,
    InspectionSerializer,
    NewActionSerializer,
    NewCalibrationSerializer,
    NewDefectSerializer,
    NewDispositionSerializer,
    NewInspectionSerializer,
    NewNonConformanceSerializer,
    NewPhaseSerializer,
    NewResultsSerializer,
    NonConformanceSerializer,
    NoteSerializer,
    ParetoQuerySerializer,
    ResultCorrectionSerializer,
    ResultSerializer,
    SamplingRuleSerializer,
    SignalSerializer,
    WindowSerializer,
)
from quality.spc.monitor import Series

NOT_ALLOWED = "Your role at that site does not allow this."
MOST_DUE = 500


class InspectionPlanViewSet(MasterDataViewSet):
    """Versions of inspection plans: drafts are edited, released ones copied."""

    kind = "quality_setup"
    queryset = InspectionPlan.objects.select_related("product", "site", "machine")
    serializer_class = InspectionPlanSerializer
    filterset_fields = ("code", "kind", "status", "product", "site", "operation_code")
    search_fields = ("code", "name")
    ordering_fields = ("id", "code", "version")

    @extend_schema(request=None, responses=InspectionPlanSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str = "") -> Response:
        """Put a draft into force; the version before it is obsolete from then on."""
        return self._step(planning.release_plan)

    @extend_schema(request=None, responses=InspectionPlanSerializer)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str = "") -> Response:
        """Take a released plan out of force."""
        return self._step(planning.retire_plan)

    def _step(self, act: Any) -> Response:
        plan = self.get_object()
        self.check_site(plan)
        return Response(self.get_serializer(act(plan=plan, at=timezone.now())).data)

    @extend_schema(request=None, responses={201: InspectionPlanSerializer})
    @action(detail=True, methods=["post"], url_path="new-version")
    def new_version(self, request: Request, pk: str = "") -> Response:
        """Copy a plan to a draft of its next version."""
        plan = self.get_object()
        self.check_site(plan)
        return Response(self.get_serializer(planning.new_version(plan=plan)).data, status=201)


class CharacteristicViewSet(MasterDataViewSet):
    """What plans inspect."""

    kind = "quality_setup"
    queryset = Characteristic.objects.select_related("plan")
    serializer_class = CharacteristicSerializer
    filterset_fields = ("plan", "code", "kind")


class SamplingRuleViewSet(MasterDataViewSet):
    """When plans are due."""

    kind = "quality_setup"
    queryset = SamplingRule.objects.select_related("plan")
    serializer_class = SamplingRuleSerializer
    filterset_fields = ("plan", "kind")


class GaugeViewSet(MasterDataViewSet):
    """Gauges."""

    kind = "quality_setup"
    queryset = Gauge.objects.select_related("site")
    serializer_class = GaugeSerializer
    filterset_fields = ("code", "site", "is_active")


class GaugeTagViewSet(MasterDataViewSet):
    """What devices call the readings of gauges."""

    kind = "quality_setup"
    queryset = GaugeTag.objects.select_related("machine", "characteristic", "gauge")
    serializer_class = GaugeTagSerializer
    filterset_fields = ("machine", "characteristic", "gauge")


class DefectCodeViewSet(MasterDataViewSet):
    """The catalogue of defects."""

    kind = "quality_setup"
    queryset = DefectCode.objects.all()
    serializer_class = DefectCodeSerializer
    filterset_fields = ("code", "category", "severity", "is_active")


class ControlChartViewSet(MasterDataViewSet):
    """Control charts, their baselines and their points."""

    kind = "quality_setup"
    queryset = ControlChart.objects.select_related("characteristic__plan", "machine", "product", "site")
    serializer_class = ControlChartSerializer
    filterset_fields = ("code", "site", "machine", "product", "characteristic", "is_active")

    @extend_schema(request=NewPhaseSerializer, responses={201: ChartPhaseSerializer})
    @action(detail=True, methods=["post"])
    def baseline(self, request: Request, pk: str = "") -> Response:
        """Learn centre and spread of a time, and judge by them from a moment on."""
        chart = self.get_object()
        self.check_site(chart)
        said = NewPhaseSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        phase = charting.set_baseline(of=chart, actor=caller(request), set_at=timezone.now(), **said.validated_data)
        return Response(ChartPhaseSerializer(phase).data, status=201)

    @extend_schema(parameters=[WindowSerializer], responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def points(self, request: Request, pk: str = "") -> Response:
        """Return the panels of a chart: points with their limits, and broken rules by the place of their points."""
        chart = self.get_object()
        asked = WindowSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        data = charting.chart_data(chart, asked.validated_data.get("starts_at"), asked.validated_data.get("ends_at"))
        panels = [] if data.chart is None else [_panel(series, data.moments) for series in data.chart.panels]
        return Response({"points": len(data.points), "panels": panels})


def _number(value: Any) -> str | None:
    return None if value is None else decimal_text(value)


def _panel(series: Series, moments: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "panel": series.panel.value,
        "points": [
            {
                "at": at.isoformat(),
                "value": _number(point.value),
                "centre": _number(point.limits.centre),
                "lower": _number(point.limits.lower),
                "upper": _number(point.limits.upper),
            }
            for at, point in zip(moments, series.points, strict=True)
        ],
        "signals": [
            {"rule": one.rule.code, "text": one.rule.text, "points": list(one.points)} for one in series.signals
        ],
        "phases": [{"first": first, "name": name} for first, name in series.starts],
    }


class _Facts(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Rows that are read, and written by services."""

    pagination_class = FactPagination
    ordering = ("-id",)
    lookup_value_regex = r"\d+"

    def site_id_of(self, thing: Any) -> int | None:
        """Return the site of a row."""
        return site_id_of(thing)

    def may(self, what: str, thing: Any, kind: str = "") -> None:
        """Raise PermissionDenied unless the caller may do it at the thing's site."""
        site_id = thing.pk if isinstance(thing, Site) else site_id_of(thing)
        if not caller(self.request).may(what, kind or cast(Any, self).kind, site_id):
            self.permission_denied(self.request, NOT_ALLOWED)

    def said(self, serializer: type[Any]) -> dict[str, Any]:
        """Return what was sent, validated."""
        given = serializer(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return cast(dict[str, Any], given.validated_data)


class CalibrationViewSet(_Facts):
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


class InspectionViewSet(_Facts):
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
        known = services.characteristics_of([row["characteristic"] for row in rows], inspection.plan)
        given = []
        for row in rows:
            of = known.get(row.pop("characteristic"))
            if of is None:
                raise Invalid("The plan has no such characteristic.", field="characteristic")
            at = row.pop("occurred_at", now)
            refuse_future(at, now)
            given.append(services.Said(characteristic=of, occurred_at=at, **row))
        found = services.record_results(inspection=inspection, results=given, actor=caller(request), recorded_at=now)
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


class ResultViewSet(_Facts):
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
        correction = services.correct_result(
            result=result, actor=caller(request), recorded_at=timezone.now(), **self.said(CorrectResultSerializer)
        )
        return Response(ResultCorrectionSerializer(correction).data, status=201)


_ABOUT = ("inspection", "work_order", "operation_code", "machine", "product", "lot")


def _about(said: dict[str, Any]) -> About:
    return About(**{name: said.pop(name) for name in _ABOUT if name in said})


class DefectViewSet(_Facts):
    """Defects that were found."""

    kind = "inspection"
    queryset = Defect.objects.select_related("code")
    serializer_class = DefectSerializer
    filterset_fields = {
        "code": ["exact"],
        "site": ["exact"],
        "machine": ["exact"],
        "work_order": ["exact"],
        "lot": ["exact"],
        "severity": ["exact"],
        "cause": ["exact"],
        "detected_at": ["gte", "lt"],
    }

    @extend_schema(request=NewDefectSerializer, responses={201: DefectSerializer})
    def create(self, request: Request) -> Response:
        """Record a defect: 201, or 200 with the first answer for a repeated key."""
        said, now = self.said(NewDefectSerializer), timezone.now()
        self.may("add", said["site"])
        at = said.pop("detected_at", now)
        refuse_future(at, now)
        row, is_new = nonconformances.record_defect(
            said=_about(said), actor=caller(request), detected_at=at, recorded_at=now, **said
        )
        return Response(self.get_serializer(row).data, status=201 if is_new else 200)


class NonConformanceViewSet(_Facts):
    """Non-conformances: raise, investigate, decide, approve, close."""

    kind = "nonconformance"
    queryset = NonConformance.objects.all()
    serializer_class = NonConformanceSerializer
    filterset_fields = ("number", "site", "status", "severity", "lot", "work_order", "machine", "is_contained")

    @extend_schema(request=NewNonConformanceSerializer, responses={201: NonConformanceSerializer})
    def create(self, request: Request) -> Response:
        """Raise one: 201, or 200 with the first answer for a repeated key."""
        said = self.said(NewNonConformanceSerializer)
        self.may("add", said["site"])
        row, is_new = nonconformances.raise_nonconformance(
            said=_about(said), actor=caller(request), raised_at=timezone.now(), **said
        )
        return Response(self.get_serializer(row).data, status=201 if is_new else 200)

    @extend_schema(request=ChangeNonConformanceSerializer, responses=NonConformanceSerializer)
    def partial_update(self, request: Request, pk: str = "") -> Response:
        """Note what was found out, and how far it is."""
        ncr = self._held("change")
        said = self.said(ChangeNonConformanceSerializer)
        found = nonconformances.change_nonconformance(
            nonconformance=ncr, actor=caller(request), at=timezone.now(), **said
        )
        return Response(self.get_serializer(found).data)

    @extend_schema(request=NewDispositionSerializer, responses={201: DispositionSerializer})
    @action(detail=True, methods=["post"])
    def dispose(self, request: Request, pk: str = "") -> Response:
        """Decide what becomes of a quantity; the stock and the lot follow."""
        ncr, now = self._held("change"), timezone.now()
        row, is_new = nonconformances.dispose(
            nonconformance=ncr,
            actor=caller(request),
            decided_at=now,
            recorded_at=now,
            **self.said(NewDispositionSerializer),
        )
        return Response(DispositionSerializer(row).data, status=201 if is_new else 200)

    @extend_schema(request=None, responses=NonConformanceSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str = "") -> Response:
        """Approve what somebody else decided."""
        found = nonconformances.approve_nonconformance(
            nonconformance=self._held("change"), actor=caller(request), approved_at=timezone.now()
        )
        return Response(self.get_serializer(found).data)

    @extend_schema(request=None, responses=NonConformanceSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str = "") -> Response:
        """Close it: 409 names what is not done."""
        found = nonconformances.close_nonconformance(
            nonconformance=self._held("change"), actor=caller(request), closed_at=timezone.now()
        )
        return Response(self.get_serializer(found).data)

    @extend_schema(request=NewActionSerializer, responses={201: CorrectiveActionSerializer})
    @action(detail=True, methods=["post"])
    def actions(self, request: Request, pk: str = "") -> Response:
        """Say what is done so that it does not happen again."""
        row = nonconformances.add_action(nonconformance=self._held("change"), **self.said(NewActionSerializer))
        return Response(CorrectiveActionSerializer(row).data, status=201)

    def _held(self, what: str) -> NonConformance:
        ncr: NonConformance = self.get_object()
        self.may(what, ncr)
        return ncr


class CorrectiveActionViewSet(_Facts):
    """Corrective and preventive actions."""

    kind = "nonconformance"
    queryset = CorrectiveAction.objects.select_related("nonconformance__site", "owner")
    serializer_class = CorrectiveActionSerializer
    filterset_fields = {
        "nonconformance": ["exact"],
        "owner": ["exact"],
        "verdict": ["exact"],
        "due_date": ["gte", "lt"],
        "done_at": ["isnull"],
    }

    @extend_schema(request=NoteSerializer, responses=CorrectiveActionSerializer)
    @action(detail=True, methods=["post"])
    def done(self, request: Request, pk: str = "") -> Response:
        """Say that it was done: its owner, or quality."""
        found = self.get_object()
        self.may("add", found)
        row = nonconformances.finish_action(
            action=found, actor=caller(request), done_at=timezone.now(), **self.said(NoteSerializer)
        )
        return Response(self.get_serializer(row).data)

    @extend_schema(request=CheckActionSerializer, responses=CorrectiveActionSerializer)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str = "") -> Response:
        """Say whether it had its effect."""
        found = self.get_object()
        self.may("change", found)
        row = nonconformances.check_action(
            action=found, actor=caller(request), checked_at=timezone.now(), **self.said(CheckActionSerializer)
        )
        return Response(self.get_serializer(row).data)


class SignalViewSet(_Facts):
    """Rules that points broke."""

    kind = "inspection"
    queryset = Signal.objects.select_related("chart")
    serializer_class = SignalSerializer
    filterset_fields = {"chart": ["exact"], "rule": ["exact"], "point_at": ["gte", "lt"]}

    @extend_schema(request=CommentSerializer, responses=SignalSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str = "") -> Response:
        """Say what it was."""
        signal = self.get_object()
        self.may("add", signal)
        charting.acknowledge(
            signal=signal, actor=caller(request), acknowledged_at=timezone.now(), **self.said(CommentSerializer)
        )
        return Response(self.get_serializer(signal).data)


class _Asked(APIView):
    """A question about quality."""

    kind = "inspection"

    def asked(self, serializer: type[Any]) -> dict[str, Any]:
        """Return what was asked, validated."""
        query = serializer(data=self.request.query_params, context={"request": self.request})
        query.is_valid(raise_exception=True)
        return cast(dict[str, Any], query.validated_data)

    def sites(self, site: Site | None = None) -> list[Site]:
        """Return the sites that the caller may look at, or the one asked about."""
        sites = in_scope(Site.objects.all(), self.request.user, Site.site_paths)
        found = [one for one in sites if caller(self.request).may("view", self.kind, one.pk)]
        if site is not None:
            found = [one for one in found if one.pk == site.pk]
        if not found:
            self.permission_denied(self.request, NOT_ALLOWED)
        return found


class DueView(_Asked):
    """What is due to be inspected, and since when."""

    @extend_schema(parameters=[DueQuerySerializer], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Return it, the longest waiting first."""
        asked = self.asked(DueQuerySerializer)
        sites = self.sites(asked.pop("site", None))
        now = timezone.now()
        found = due(now=now, **asked) if asked else due_at(sites, now=now)
        ids = {site.pk for site in sites}
        return Response([_due(one) for one in found if one.subject.site_id in ids][:MOST_DUE])


def _due(one: Due) -> dict[str, Any]:
    about = one.subject
    return {
        "plan": one.plan.pk,
        "plan_code": one.plan.code,
        "rule": one.rule.pk,
        "kind": one.rule.kind,
        "work_order": about.work_order.pk if about.work_order else None,
        "operation_code": about.operation_code,
        "machine": about.machine.pk if about.machine else None,
        "lot": about.lot.pk if about.lot else None,
        "since": one.since.isoformat(),
        "overdue_at": one.overdue_at.isoformat() if one.overdue_at else None,
        "is_overdue": one.is_overdue,
    }


class GateView(_Asked):
    """What stands against going on with an operation, an order or a lot."""

    @extend_schema(parameters=[GateQuerySerializer], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Return the reasons; none = it may go on."""
        asked = self.asked(GateQuerySerializer)
        step = Step(asked.pop("step"))
        self.sites()
        return Response(
            [
                {
                    "kind": reason.kind,
                    "words": reason.words,
                    "inspection": reason.inspection_id,
                    "nonconformance": reason.nonconformance_id,
                    "plan": reason.plan_id,
                }
                for reason in gate(step=step, now=timezone.now(), **asked)
            ]
        )


class ParetoView(_Asked):
    """Defects of a window, the most frequent first."""

    @extend_schema(parameters=[ParetoQuerySerializer], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Return the bars: how many, their cost, and the share of all up to there."""
        asked = self.asked(ParetoQuerySerializer)
        sites = self.sites(asked["site"])
        bars = pareto(sites, Interval(asked["starts_at"], asked["ends_at"]), by=asked["by"])
        return Response(
            [
                {
                    "key": bar.key,
                    "name": bar.name,
                    "quantity": bar.quantity,
                    "occurrences": bar.occurrences,
                    "cost": None if bar.cost is None else str(bar.cost),
                    "cumulative": _number(bar.cumulative),
                }
                for bar in bars
            ]
        )
