"""REST of KPIs: what they are, and what they come to."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.master_data import caller
from oee import services
from oee.kpi_elements import answer
from oee.kpi_serializers import DefinedKpiSerializer, KpiReportSerializer
from oee.kpis import Kpi, kpis_for, kpis_of, values_of
from oee.questions import question_of
from oee.serializers import ReportQuerySerializer


class KpiCatalogueView(ListAPIView):
    """All KPIs with formula, meaning and source: the catalogue's and the plant's own. People read them at `/kpis/`."""

    kind = "oee_record"
    serializer_class = DefinedKpiSerializer
    filter_backends = ()

    def get_queryset(self) -> list[Kpi]:  # type: ignore[override]
        return kpis_for(caller(self.request))


class KpiValuesView(APIView):
    """All KPIs of a machine, line, area, site or enterprise, each with its formula and the elements behind it."""

    kind = "oee_record"

    @extend_schema(parameters=[ReportQuerySerializer], responses=KpiReportSerializer)
    def get(self, request: Request) -> Response:
        """Compute them now; nothing is kept."""
        query = ReportQuerySerializer(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        now = timezone.now()
        asked = question_of(query.validated_data, now=now)
        services.refuse_window(asked.window, now=now)
        found = answer(asked, now=now)
        return Response(
            KpiReportSerializer(
                {
                    "starts_at": asked.window.start,
                    "ends_at": asked.window.end,
                    "known_until": found.report.known_until,
                    "machines": found.report.machine_ids,
                    "policies": services.numbers_of(found.report, now=now)["elements"]["policies"],
                    "kpis": values_of(found.values, kpis_of(asked.machines)),
                }
            ).data
        )
