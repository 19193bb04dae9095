"""REST of KPIs: what they are, and what they come to."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.master_data import caller
from oee import services
from oee.api import OeeReportView
from oee.kpi_serializers import DefinedKpiSerializer, KpiReportSerializer
from oee.kpis import Kpi, kpis_for, kpis_of, values_of
from oee.selectors import report
from oee.serializers import ReportQuerySerializer


class KpiCatalogueView(ListAPIView):
    """All KPIs with formula, meaning and source: the catalogue's and the plant's own. People read them at `/kpis/`."""

    kind = "oee_record"
    serializer_class = DefinedKpiSerializer
    filter_backends = ()

    def get_queryset(self) -> list[Kpi]:  # type: ignore[override]
        return kpis_for(caller(self.request))


class KpiValuesView(OeeReportView):
    """All KPIs of a machine, line, area, site or enterprise, each with its formula and the elements behind it."""

    @extend_schema(parameters=[ReportQuerySerializer], responses=KpiReportSerializer)
    def get(self, request: Request) -> Response:
        """Compute them now; nothing is kept."""
        query = ReportQuerySerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        now = timezone.now()
        machines, window, part = self._what(query.validated_data)
        services.refuse_window(window, now=now)
        answer = report(machines, window, now=now, part=part)
        return Response(
            KpiReportSerializer(
                {
                    "starts_at": window.start,
                    "ends_at": window.end,
                    "known_until": answer.known_until,
                    "machines": answer.machine_ids,
                    "policies": services.numbers_of(answer, now=now)["elements"]["policies"],
                    "kpis": values_of(answer.sums, kpis_of(machines)),
                }
            ).data
        )
