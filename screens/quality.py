"""Pages of quality: what is due, inspections, charts, non-conformances, certificates."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from core.errors import DomainError
from core.exports import export_list, format_of
from core.master_data import caller, in_scope, site_id_of
from enterprise.models import Site
from live.fragments import chart_fragment, version_now
from materials.models import MaterialLot
from quality.charting import acknowledge
from quality.figures import certificate
from quality.models import ControlChart, Inspection, Signal
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
        return export_list(request, rows.order_by("-opened_at", "-id"), InspectionSerializer, name="inspections")
    charts = _seen(request, ControlChart).filter(is_active=True).select_related("characteristic", "machine")
    context = {
        "due": [(one, zones[one.subject.site_id]) for one in due_at(sites, now=now)[:200]],
        "page": Paginator(rows.order_by("-opened_at", "-id"), 50).get_page(request.GET.get("page")),
        "charts": charts.order_by("code")[:200],
        "may_begin": any(caller(request).may("add", "inspection", site.pk) for site in sites),
    }
    return render(request, "screens/quality.html", context)


class CommentForm(forms.Form):
    """What a signal was."""

    signal = forms.IntegerField()
    comment = forms.CharField(max_length=500)


@login_required
def chart_page(request: HttpRequest, chart_id: int) -> HttpResponse:
    """Show a control chart, which keeps itself up to date; a POST says what a signal was."""
    chart = get_object_or_404(_seen(request, ControlChart).select_related("machine"), pk=chart_id)
    _refuse_unless(request, "view", "quality_setup", chart)
    refused = ""
    form = CommentForm(request.POST or None)
    if request.method == "POST":
        _refuse_unless(request, "add", "inspection", chart)
        signal = Signal.objects.filter(chart=chart, pk=form.cleaned_data["signal"]).first() if form.is_valid() else None
        if signal is None:
            raise Http404
        try:
            acknowledge(
                signal=signal,
                comment=form.cleaned_data["comment"],
                actor=caller(request),
                acknowledged_at=timezone.now(),
            )
            return redirect("screens:chart", chart.pk)
        except DomainError as refusal:
            refused = refusal.message
    asked = request.GET.get("signal", "")
    context = {
        "chart": chart,
        "line_id": chart.machine.line_id if chart.machine else 0,
        "html": chart_fragment(chart.pk),
        "version": version_now(),
        "refused": refused,
        "signal": Signal.objects.filter(chart=chart, pk=asked).first()
        if asked.isdecimal() and len(asked) < 19
        else None,
    }
    return render(request, "screens/chart.html", context, status=409 if refused else 200)


@login_required
def chart_fragments(request: HttpRequest, chart_id: int) -> HttpResponse:
    """Return the chart as its page fetches it again."""
    chart = get_object_or_404(_seen(request, ControlChart).select_related("machine"), pk=chart_id)
    _refuse_unless(request, "view", "quality_setup", chart)
    version = version_now()
    line_id = chart.machine.line_id if chart.machine else 0
    return JsonResponse({"lines": [{"id": line_id, "version": version, "html": chart_fragment(chart.pk)}]})


@login_required
def certificate_page(request: HttpRequest, lot_id: int) -> HttpResponse:
    """Show the certificate of analysis of a lot."""
    lot = get_object_or_404(_seen(request, MaterialLot).select_related("product", "site"), pk=lot_id)
    _refuse_unless(request, "view", "inspection", lot)
    return render(request, "screens/certificate.html", {"found": certificate(lot, now=timezone.now())})
