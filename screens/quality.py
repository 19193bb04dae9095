"""Pages of quality: what is due, inspections, charts, non-conformances, certificates."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext

from core.exports import export_list, format_of
from core.master_data import caller, in_scope, site_id_of
from enterprise.models import Site
from materials.models import MaterialLot
from quality.charting import unanswered
from quality.figures import certificate
from quality.models import ControlChart, Inspection
from quality.selectors import due_at
from quality.serializers import InspectionSerializer


def _seen(request: HttpRequest, model: Any) -> Any:
    return in_scope(model.objects.all(), request.user, model.site_paths)


def _refuse_unless(request: HttpRequest, action: str, kind: str, thing: Any) -> None:
    if not caller(request).may(action, kind, site_id_of(thing)):
        raise PermissionDenied


@login_required
def overview(request: HttpRequest) -> HttpResponseBase:
    """List what is due, the inspections, and the charts."""
    now = timezone.now()
    sites = [site for site in _seen(request, Site) if caller(request).may("view", "inspection", site.pk)]
    if not sites:
        raise PermissionDenied
    zones = {site.pk: site.zone for site in sites}
    rows = _seen(request, Inspection).select_related("plan", "work_order", "lot", "machine", "product", "site")
    if format_of(request):
        return export_list(
            request, rows.order_by("-opened_at", "-id"), InspectionSerializer, name=gettext("Inspections")
        )
    charts = _seen(request, ControlChart).filter(is_active=True).select_related("characteristic", "machine")
    drawn = list(charts.order_by("code")[:200])
    signals = unanswered(drawn).order_by().values("chart").annotate(count=Count("pk"))
    by_chart = {row["chart"]: row["count"] for row in signals}
    for chart in drawn:
        chart.unanswered = by_chart.get(chart.pk, 0)
    waiting = due_at(sites, now=now)
    context = {
        "due": [(one, zones[one.subject.site_id]) for one in waiting[:200]],
        "overdue": sum(one.is_overdue for one in waiting),
        "page": Paginator(rows.order_by("-opened_at", "-id"), 50).get_page(request.GET.get("page")),
        "charts": drawn,
        "may_begin": any(caller(request).may("add", "inspection", site.pk) for site in sites),
    }
    return render(request, "screens/quality.html", context)


@login_required
def certificate_page(request: HttpRequest, lot_id: int) -> HttpResponse:
    """Show the certificate of analysis of a lot."""
    lot = get_object_or_404(_seen(request, MaterialLot).select_related("product", "site"), pk=lot_id)
    _refuse_unless(request, "view", "inspection", lot)
    return render(request, "screens/certificate.html", {"found": certificate(lot, now=timezone.now())})
