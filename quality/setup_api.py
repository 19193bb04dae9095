"""REST of what quality sets up: plans, gauges, the catalogue of defects, control charts; and what charts signal."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import MasterDataViewSet
from core.exact import short_text
from core.master_data import caller
from quality import charting, planning
from quality.capabilities import capability_on
from quality.models import (
    Characteristic,
    ControlChart,
    DefectCode,
    Gauge,
    GaugeTag,
    InspectionPlan,
    SamplingRule,
    Signal,
)
from quality.rest import Facts
from quality.serializers import (
    CharacteristicSerializer,
    ChartPhaseSerializer,
    CommentSerializer,
    ControlChartSerializer,
    DefectCodeSerializer,
    GaugeSerializer,
    GaugeTagSerializer,
    InspectionPlanSerializer,
    NewPhaseSerializer,
    SamplingRuleSerializer,
    SignalSerializer,
    WindowSerializer,
)
from quality.spc.monitor import Series


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

    @extend_schema(parameters=[WindowSerializer], responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def capability(self, request: Request, pk: str = "") -> Response:
        """Return what the process of a chart can do in a time, against the limits of its characteristic."""
        chart = self.get_object()
        asked = WindowSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        window = asked.validated_data
        found = capability_on(chart, window.get("starts_at"), window.get("ends_at"))
        exact = ("mean", "sigma_within", "sigma_overall", "cp", "cpk", "upper", "lower", "pp", "ppk", "cpm")
        normal = found.normality
        return Response(
            {
                "values": found.values,
                "sigma_source": found.sigma_source,
                **{name: _number(getattr(found, name)) for name in exact},
                "band": found.band,
                "looks_normal": normal.looks_normal if normal is not None else None,
            }
        )


def _number(value: Any) -> str | None:
    return None if value is None else short_text(value)


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


class SignalViewSet(Facts):
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
