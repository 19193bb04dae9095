"""REST of questions about quality: what is due, what stands against going on, what is found most often."""

from typing import Any, cast

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.exact import short_text
from core.intervals import Interval
from core.master_data import caller, in_scope
from enterprise.models import Site
from quality.capabilities import study_of
from quality.figures import pareto
from quality.gates import Step, gate
from quality.rest import NOT_ALLOWED
from quality.selectors import Due, due, due_at
from quality.serializers import (
    DueQuerySerializer,
    GateQuerySerializer,
    GaugeStudyQuerySerializer,
    ParetoQuerySerializer,
)
from quality.spc.gauge import Method

MOST_DUE = 500


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


class GaugeStudyView(_Asked):
    """How much of what was measured by hand is the measuring (gauge repeatability and reproducibility)."""

    @extend_schema(parameters=[GaugeStudyQuerySerializer], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Return the study: deviations of one sigma, the percentages, the verdict."""
        asked = self.asked(GaugeStudyQuerySerializer)
        (site,) = self.sites(asked["site"])
        window = Interval(asked["starts_at"], asked["ends_at"])
        found = study_of(
            asked["characteristic"], site, window, method=Method(asked["method"]), gauge=asked.get("gauge")
        )
        deviations = ("equipment", "appraiser", "interaction", "gauge", "parts", "total")
        told = {name: getattr(found, name) for name in (*deviations, "percent_gauge", "percent_of_tolerance")}
        return Response(
            {
                "method": found.method,
                **{name: None if value is None else short_text(value) for name, value in told.items()},
                "distinct_categories": found.distinct_categories,
                "verdict": found.verdict,
            }
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
                    "cumulative": short_text(bar.cumulative),
                }
                for bar in bars
            ]
        )
