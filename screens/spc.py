"""Pages of statistics: a control chart with its baseline and capability, and how far a gauge is to be trusted."""

from collections import defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from core.errors import Invalid
from core.exports import Table, export_table, format_of
from core.master_data import caller, in_scope
from core.reader import UNKNOWN, rounded, said
from enterprise.models import Machine
from live.fragments import CHART, chart_fragment, version_now
from quality.capabilities import capability_on, study_of
from quality.charting import (
    MOST_RESULTS,
    acknowledge,
    chart_data,
    charts_at_machine,
    judged_from,
    phases_of,
    results_on,
    set_baseline,
    unanswered,
)
from quality.models import (
    Characteristic,
    ChartPhase,
    ControlChart,
    Gauge,
    InspectionPlan,
    Signal,
    SignalAcknowledgement,
)
from quality.spc.capability import Capability
from quality.spc.charts import Kind
from quality.spc.gauge import Method, Study
from quality.spc.monitor import Series
from screens.acts import Act, ActForm, Refused, do_asked, offers
from screens.days import day_in, day_window
from screens.offering import offer
from screens.people_sites import chosen_site, sites_where
from screens.table_files import rounded_number, with_unit

KIND = "quality_setup"
DAYS = 30
"""So many days a study looks back, unless asked otherwise."""


def _moment(label: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S")
    return forms.DateTimeField(label=label, widget=widget)


class CommentForm(ActForm):
    """What a signal was. Its thing is the chart."""

    signal = forms.ModelChoiceField(Signal.objects.none(), label=gettext_lazy("Signal"), empty_label=None)
    comment = forms.CharField(max_length=500, label=gettext_lazy("What it was"))

    def fill(self, thing: ControlChart) -> None:
        offer(self, signal=unanswered([thing]))


class BaselineForm(ActForm):
    """What is learned from which time, and from when on it judges."""

    name = forms.CharField(max_length=100, label=gettext_lazy("Name of the phase"))
    learned_from = _moment(gettext_lazy("Learn from"))
    learned_until = _moment(gettext_lazy("Learn until"))
    starts_at = _moment(gettext_lazy("Judge from"))
    comment = forms.CharField(max_length=500, required=False, label=gettext_lazy("Comment"))


def _acknowledge(chart: ControlChart, said: dict[str, Any], actor: User, now: datetime) -> SignalAcknowledgement:
    return acknowledge(actor=actor, acknowledged_at=now, **said)


def _set_baseline(chart: ControlChart, said: dict[str, Any], actor: User, now: datetime) -> ChartPhase:
    return set_baseline(of=chart, actor=actor, set_at=now, **said)


ANSWER = {
    "acknowledge": Act(
        gettext_lazy("Say what a signal was"),
        _acknowledge,
        CommentForm,
        needs="add",
        is_offered=lambda chart: unanswered([chart]).exists(),
    )
}
SET_UP = {"baseline": Act(gettext_lazy("Set a baseline"), _set_baseline, BaselineForm)}


@login_required
def chart_page(request: HttpRequest, chart_id: int) -> HttpResponseBase:
    """Show a control chart, which keeps itself up to date; a POST says what a signal was, or sets a baseline.

    As a file, too.
    """
    chart = _chart(request, chart_id)
    if format_of(request):
        return export_table(request, _table(chart))
    site_id = chart.site_id
    refused: Refused | None = None
    with timezone.override(chart.site.zone):
        if request.method == "POST":
            is_answer = request.POST.get("act") in ANSWER
            acts, kind = (ANSWER, "inspection") if is_answer else (SET_UP, KIND)
            _made, refused = do_asked(request, acts, chart, kind=kind, site_id=site_id)
            if refused is None:
                return redirect("screens:chart", chart.pk)
        told: dict[str, Any] = {"site_id": site_id, "refused": refused}
        context = {
            "chart": chart,
            "view": f"{CHART}{chart.pk}",
            "html": chart_fragment(chart.pk),
            "version": version_now(),
            "refused": refused,
            "capability": _indices(chart),
            "offers": [
                *offers(request, ANSWER, chart, kind="inspection", **told),
                *offers(request, SET_UP, chart, kind=KIND, **told),
            ],
        }
        return render(request, "screens/chart.html", context, status=409 if refused else 200)


def _table(chart: ControlChart) -> Table:
    """Return the points of a chart with their limits and the rules that they broke: as many as are judged at once."""
    newest = results_on(chart).order_by("-occurred_at").values_list("occurred_at", flat=True)
    since = newest[MOST_RESULTS - 1 : MOST_RESULTS].first()
    phases = phases_of(chart)
    start = judged_from(chart, phases, since) if since is not None and phases else since
    data = chart_data(chart, start, most=None)
    header = (
        *(gettext("Time"), gettext("Chart"), gettext("Value"), gettext("Centre")),
        *(gettext("Lower limit"), gettext("Upper limit"), gettext("Rules that it breaks")),
    )
    panels = data.chart.panels if data.chart else ()
    rows = [
        (
            at.astimezone(chart.site.zone),
            said(series.panel),
            *(
                rounded_number(number, 9)
                for number in (point.value, point.limits.centre, point.limits.lower, point.limits.upper)
            ),
            ", ".join(broken.get(place, ())),
        )
        for series in panels
        for broken in [_broken(series)]
        for place, (at, point) in enumerate(zip(data.moments, series.points, strict=True))
    ]
    return Table(gettext("Control chart"), header, rows, len(rows), chart.name)


def _broken(series: Series) -> dict[int, list[str]]:
    """Return the codes of the rules that each point of a panel breaks, by its place."""
    found: dict[int, list[str]] = defaultdict(list)
    for signal in series.signals:
        for place in signal.points:
            found[place].append(signal.rule.code)
    return found


def _chart(request: HttpRequest, chart_id: int) -> ControlChart:
    charts = in_scope(ControlChart.objects.all(), request.user, ControlChart.site_paths)
    chart: ControlChart = get_object_or_404(
        charts.select_related("machine", "site", "characteristic__plan"), pk=chart_id
    )
    if not caller(request).may("view", KIND, chart.site_id):
        raise PermissionDenied
    return chart


def _indices(chart: ControlChart) -> tuple[Capability, list[tuple[str, str]]] | None:
    """Return what the process can do since its last baseline, or all the time; None where that has no meaning."""
    if not Kind(chart.kind).is_measured:
        return None
    phases = phases_of(chart)
    try:
        found = capability_on(chart, phases[-1].starts_at if phases else None)
    except Invalid:
        return None
    indices = {"Cp": found.cp, "Cpk": found.cpk, "Pp": found.pp, "Ppk": found.ppk, "Cpm": found.cpm}
    return found, [(name, _two(value)) for name, value in indices.items()]


def _two(value: Fraction | None, places: int = 2) -> str:
    return UNKNOWN if value is None else rounded(value, places)


@login_required
def chart_fragments(request: HttpRequest, chart_id: int) -> HttpResponse:
    """Return the chart as its page fetches it again."""
    chart = _chart(request, chart_id)
    return JsonResponse({"lines": [_fragment(chart)]})


def _fragment(chart: ControlChart) -> dict[str, Any]:
    """Return a chart as the socket would bring it."""
    version = version_now()
    line_id = chart.machine.line_id if chart.machine else 0
    return {"id": line_id, "view": f"{CHART}{chart.pk}", "version": version, "html": chart_fragment(chart.pk)}


@login_required
def charts_at(request: HttpRequest, code: str) -> HttpResponse:
    """Show the control charts of a machine, which keep themselves up to date: what stands open at its station."""
    machine, charts = _at(request, code)
    with timezone.override(machine.line.area.site.zone):
        drawn = [(chart, f"{CHART}{chart.pk}", chart_fragment(chart.pk)) for chart in charts]
        return render(request, "screens/charts_at.html", {"machine": machine, "charts": drawn})


@login_required
def charts_at_fragments(request: HttpRequest, code: str) -> HttpResponse:
    """Return the charts of a machine as its page fetches them again."""
    return JsonResponse({"lines": [_fragment(chart) for chart in _at(request, code)[1]]})


def _at(request: HttpRequest, code: str) -> tuple[Machine, list[ControlChart]]:
    machines = in_scope(Machine.objects.all(), request.user, Machine.site_paths)
    machine = get_object_or_404(machines.select_related("line__area__site"), code=code)
    if not caller(request).may("view", KIND, machine.line.area.site_id):
        raise PermissionDenied
    return machine, list(charts_at_machine(machine.pk))


@login_required
def study_page(request: HttpRequest) -> HttpResponseBase:
    """Show how much of what people measured is the measuring: `?site=&characteristic=&gauge=&method=&first=&last=`."""
    sites = sites_where(request, "view", "inspection")
    site = chosen_site(sites, request.GET.get("site"))
    today = timezone.localtime(timezone=site.zone).date()
    first = day_in(request.GET.get("first"), today - timedelta(days=DAYS))
    last = day_in(request.GET.get("last"), today)
    measured = Characteristic.objects.filter(
        kind=Characteristic.Kind.VARIABLE, plan__status=InspectionPlan.Status.RELEASED
    ).filter(Q(plan__site=None) | Q(plan__site=site))
    characteristics = list(measured.select_related("plan", "unit").order_by("plan__code", "position", "pk")[:500])
    gauges = list(Gauge.objects.filter(site=site, is_active=True).order_by("code")[:500])
    of = next((one for one in characteristics if str(one.pk) == request.GET.get("characteristic")), None)
    gauge = next((one for one in gauges if str(one.pk) == request.GET.get("gauge")), None)
    method = Method.AVERAGE_RANGE if request.GET.get("method") == Method.AVERAGE_RANGE else Method.ANOVA
    found, refused = None, ""
    if of is not None:
        try:
            found = study_of(of, site, day_window(first, last, site.zone), method=method, gauge=gauge)
        except Invalid as refusal:
            refused = refusal.message
    context = {
        "sites": sites,
        "site": site,
        "first": first,
        "last": last,
        "characteristics": characteristics,
        "gauges": gauges,
        "of": of,
        "gauge": gauge,
        "method": method,
        "methods": [(Method.ANOVA, "ANOVA"), (Method.AVERAGE_RANGE, gettext_lazy("Average and range"))],
        "study": found,
        "parts": _parts(found) if found else [],
        "percent_gauge": _two(found.percent_gauge, 1) if found else "",
        "percent_of_tolerance": _two(found.percent_of_tolerance, 1) if found else "",
        "refused": refused,
    }
    if format_of(request) and found:
        rows = [
            (str(words), rounded_number(sigma, 9), rounded_number(found.percent(sigma), 6))
            for words, sigma in _variation(found)
        ]
        header = gettext("Variation"), "σ", with_unit(gettext("of all"), "%")
        about = f"{of} {first} {last}"
        return export_table(request, Table(gettext("Gauge study"), header, rows, len(rows), about))
    return render(request, "screens/gauge_study.html", context)


def _parts(study: Study) -> list[tuple[Any, str, str]]:
    """Return what the variation is made of, written: its words, one sigma of it, and its percent of all."""
    return [(words, rounded(sigma, 6), _two(study.percent(sigma), 1)) for words, sigma in _variation(study)]


def _variation(study: Study) -> list[tuple[Any, Fraction]]:
    return [
        (gettext_lazy("Repeatability (EV)"), study.equipment),
        (gettext_lazy("Reproducibility (AV)"), study.appraiser),
        *([(gettext_lazy("Appraisers with parts"), study.interaction)] if study.interaction is not None else []),
        (gettext_lazy("Gauge (GRR)"), study.gauge),
        (gettext_lazy("Parts (PV)"), study.parts),
        (gettext_lazy("Total (TV)"), study.total),
    ]
