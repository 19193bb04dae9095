"""Pages of quality: what is due, inspections, charts, non-conformances, certificates."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from core.errors import DomainError
from core.exports import export_list, format_of
from core.master_data import caller, in_scope, site_id_of
from enterprise.models import Site
from live.fragments import chart_fragment, version_now
from materials.models import MaterialLot
from quality.charting import acknowledge
from quality.figures import certificate
from quality.judging import sheet_of_inspection
from quality.models import Characteristic, ControlChart, Gauge, Inspection, NonConformance, Result, Signal
from quality.selectors import due_at
from quality.serializers import InspectionSerializer, NonConformanceSerializer
from quality.services import Said, add_picture, finish_inspection, record_results

MOST_CELLS = 400
"""So many boxes an inspection's form shows; larger samples are filled in over REST or by a gauge."""


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
    }
    return render(request, "screens/quality.html", context)


class CellForm(forms.Form):
    """One result, as it is typed."""

    characteristic = forms.ModelChoiceField(Characteristic.objects.none())
    sample = forms.IntegerField(min_value=1)
    value = forms.CharField(max_length=1000, required=False)
    gauge = forms.ModelChoiceField(Gauge.objects.none(), required=False)
    picture = forms.FileField(required=False)


@login_required
def inspection_page(request: HttpRequest, inspection_id: int) -> HttpResponse:
    """Show an inspection; each result is a form of its own, so that what was recorded stays whatever happens next."""
    inspection = get_object_or_404(_seen(request, Inspection).select_related("plan", "site"), pk=inspection_id)
    _refuse_unless(request, "view", "inspection", inspection)
    gauges = Gauge.objects.filter(site=inspection.site_id, is_active=True).order_by("code")
    refused = ""
    typed: Any = {}
    if request.method == "POST":
        _refuse_unless(request, "add", "inspection", inspection)
        try:
            if "finish" in request.POST:
                finish_inspection(inspection=inspection, actor=caller(request), finished_at=timezone.now())
            else:
                _record(request, inspection, gauges)
            return redirect("screens:inspection", inspection.pk)
        except DomainError as refusal:
            refused, typed = refusal.message, request.POST
    context = {
        "inspection": inspection,
        "rows": _rows(inspection),
        "gauges": gauges,
        "refused": refused,
        "typed": typed,
        "is_open": inspection.status == Inspection.Status.OPEN,
        "may_record": caller(request).may("add", "inspection", inspection.site_id),
        "decisions": inspection.decisions.select_related("decided_by")[:20],
    }
    return render(request, "screens/inspection.html", context, status=409 if refused else 200)


def _record(request: HttpRequest, inspection: Inspection, gauges: Any) -> None:
    form = CellForm(request.POST, request.FILES)
    form.fields["characteristic"].queryset = inspection.plan.characteristics.all()  # type: ignore[attr-defined]
    form.fields["gauge"].queryset = gauges  # type: ignore[attr-defined]
    if not form.is_valid():
        field, reasons = next(iter(form.errors.items()))
        raise DomainError(f"{field}: {' '.join(map(str, reasons))}")
    said, now = form.cleaned_data, timezone.now()
    of: Characteristic = said["characteristic"]
    (result, _), *_ = record_results(
        inspection=inspection,
        results=[
            Said(characteristic=of, sample=said["sample"], gauge=said["gauge"], occurred_at=now, **_content(of, said))
        ],
        actor=caller(request),
        recorded_at=now,
    )
    if said["picture"] is not None:
        add_picture(content=said["picture"].read(), actor=caller(request), recorded_at=now, result=result)


def _content(of: Characteristic, said: dict[str, Any]) -> dict[str, Any]:
    typed = said["value"].strip()
    if typed == Result.Verdict.NOT_APPLICABLE or of.kind == Characteristic.Kind.ATTRIBUTE:
        if typed not in Result.Verdict.values:
            raise DomainError(
                gettext("%(of)s: one of %(choices)s.") % {"of": of, "choices": ", ".join(Result.Verdict.values)}
            )
        return {"verdict": typed}
    if of.kind not in (Characteristic.Kind.VARIABLE, Characteristic.Kind.COUNT):
        return {"text": typed}
    try:
        # People write a comma where their language does.
        return {"value": Decimal(typed.replace(",", "."))}
    except ArithmeticError:
        raise DomainError(gettext("%(of)s: '%(typed)s' is no number.") % {"of": of, "typed": typed[:40]}) from None


def _rows(inspection: Inspection) -> list[tuple[Characteristic, list[tuple[int, Any]]]]:
    sheet = sheet_of_inspection(inspection)
    characteristics = list(inspection.plan.characteristics.select_related("unit"))
    shown = min(inspection.sample_size, max(1, MOST_CELLS // max(1, len(characteristics))))
    return [(of, [(n, sheet.get(of.pk, {}).get(n)) for n in range(1, shown + 1)]) for of in characteristics]


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
def ncr_list(request: HttpRequest) -> HttpResponseBase:
    """List non-conformances, the newest first."""
    rows = _seen(request, NonConformance).select_related("lot", "work_order", "product")
    status = request.GET.get("status", "")
    if status in NonConformance.Status.values:
        rows = rows.filter(status=status)
    if format_of(request):
        return export_list(request, rows.order_by("-id"), NonConformanceSerializer, name="nonconformances")
    page = Paginator(rows.order_by("-id"), 50).get_page(request.GET.get("page"))
    return render(
        request, "screens/ncrs.html", {"page": page, "choices": NonConformance.Status.choices, "status": status}
    )


@login_required
def ncr_page(request: HttpRequest, ncr_id: int) -> HttpResponse:
    """Show a non-conformance with its decisions, actions and defects."""
    rows = _seen(request, NonConformance).select_related(
        "site", "lot", "work_order", "product", "machine", "inspection__plan"
    )
    ncr = get_object_or_404(rows, pk=ncr_id)
    _refuse_unless(request, "view", "nonconformance", ncr)
    context = {
        "ncr": ncr,
        "dispositions": ncr.dispositions.select_related("decided_by", "rework_order")[:100],
        "actions": ncr.actions.select_related("owner", "checked_by")[:100],
        "defects": ncr.defects.select_related("code")[:100],
    }
    return render(request, "screens/ncr.html", context)


@login_required
def certificate_page(request: HttpRequest, lot_id: int) -> HttpResponse:
    """Show the certificate of analysis of a lot."""
    lot = get_object_or_404(_seen(request, MaterialLot).select_related("product", "site"), pk=lot_id)
    _refuse_unless(request, "view", "inspection", lot)
    return render(request, "screens/certificate.html", {"found": certificate(lot, now=timezone.now())})
