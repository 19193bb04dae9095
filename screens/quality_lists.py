"""Pages that quality looks over: defects as a Pareto, actions that are to be done and checked,
gauges and their calibration.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from core.exports import Table, export_list, export_table, format_of
from core.intervals import Interval
from core.master_data import caller, in_scope
from enterprise.models import Site
from quality.figures import PARETO_BY, Bar, pareto
from quality.gauging import why_unusable
from quality.models import Calibration, Cause, CorrectiveAction, DefectCode, Gauge, Severity
from quality.serializers import CorrectiveActionSerializer, GaugeSerializer
from screens import charts
from screens.days import day_in, day_window
from screens.people_sites import chosen_site, sites_where
from screens.table_files import rounded_number, with_unit

DAYS = 30
"""So many days back defects are added up, unless asked otherwise."""
MOST_BARS = 20
SHOWN = 500
"""Gauges that the page lists; its file has all."""
SOON = timedelta(days=30)
"""A calibration that ends within this is to be arranged."""
BY = {
    "code": gettext_lazy("Kind"),
    "category": gettext_lazy("Category"),
    "severity": gettext_lazy("Severity"),
    "cause": gettext_lazy("Cause"),
    "machine": gettext_lazy("Machine"),
    "product": gettext_lazy("Product"),
}
_CHOICES: dict[str, Any] = {"category": DefectCode.Category, "severity": Severity, "cause": Cause}


# --- defects ---


@login_required
def defects_page(request: HttpRequest) -> HttpResponseBase:
    """Show which defects were found most often at a site: `?site=&first=&last=&by=`; as a file, too."""
    sites = sites_where(request, "view", "nonconformance")
    site = chosen_site(sites, request.GET.get("site"))
    today = timezone.localtime(timezone=site.zone).date()
    last = min(day_in(request.GET.get("last"), today), today)
    first = min(day_in(request.GET.get("first"), last - timedelta(days=DAYS - 1)), last)
    by = request.GET.get("by", "")
    by = by if by in PARETO_BY else "code"
    window = day_window(first, last, site.zone)
    bars = [(_named(by, bar), bar) for bar in pareto([site], window, by=by)]
    if format_of(request):
        about = f"{site.name} {first} {last}"
        return export_table(request, replace(_defects_table(by, bars, window, site.zone), about=about))
    drawn: list[tuple[str, charts.Number]] = [(name, bar.quantity) for name, bar in bars]
    context = {
        "sites": sites,
        "site": site,
        "first": first,
        "last": last,
        "by": by,
        "bys": BY.items(),
        "by_name": BY[by],
        "bars": bars,
        "chart": charts.pareto(gettext("Defects"), drawn, unit="×", tone="poor", most=MOST_BARS) if drawn else None,
    }
    return render(request, "screens/defects.html", context)


def _named(by: str, bar: Bar) -> str:
    """Return what a bar is called, in the reader's language where the word is ours."""
    if not bar.key:
        return gettext("not said")
    choices = _CHOICES.get(by)
    return str(choices(bar.key).label) if choices is not None else bar.name


def _defects_table(by: str, bars: list[tuple[str, Bar]], window: Interval, zone: tzinfo) -> Table:
    header = (
        *(
            str(BY[by]),
            gettext("Number"),
            gettext("Times found"),
            gettext("Cost"),
            with_unit(gettext("Share up to here"), "%"),
        ),
        *(gettext("From"), gettext("To")),
    )
    times = window.start.astimezone(zone), window.end.astimezone(zone)
    lines = [
        (name, bar.quantity, bar.occurrences, bar.cost, rounded_number(bar.cumulative * 100, 6), *times)
        for name, bar in bars
    ]
    return Table(gettext("Pareto of defects"), header, lines, len(lines))


# --- corrective and preventive actions ---


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An action and what it waits for: `to do`, `to check` or nothing; late = the day for that is over."""

    action: CorrectiveAction
    waits_for: str
    is_late: bool


def _action_row(action: CorrectiveAction, now: datetime) -> ActionRow:
    today: date = now.astimezone(action.nonconformance.site.zone).date()
    if action.verdict:
        return ActionRow(action, "", False)
    if action.done_at is None:
        return ActionRow(action, "do", action.due_date < today)
    return ActionRow(action, "check", action.check_date < today)


@login_required
def actions_page(request: HttpRequest) -> HttpResponseBase:
    """List corrective and preventive actions, those due first: `?show=mine` those of the reader,
    `?show=all` closed ones, too.
    """
    sites = sites_where(request, "view", "nonconformance")
    rows = _actions(request, sites)
    show = request.GET.get("show", "")
    if show != "all":
        rows = rows.filter(verdict="")
    if show == "mine":
        rows = rows.filter(owner=caller(request).pk)
    rows = rows.order_by("due_date", "id")
    if format_of(request):
        return export_list(request, rows, CorrectiveActionSerializer, name=gettext("Corrective and preventive actions"))
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    now = timezone.now()
    shows = (("", gettext("Not closed")), ("mine", gettext("Mine")), ("all", gettext("All")))
    context = {"page": page, "rows": [_action_row(one, now) for one in page], "show": show, "shows": shows}
    return render(request, "screens/quality_actions.html", context)


def _actions(request: HttpRequest, sites: list[Site]) -> QuerySet[CorrectiveAction]:
    seen: QuerySet[CorrectiveAction] = in_scope(
        CorrectiveAction.objects.all(), request.user, CorrectiveAction.site_paths
    )
    return seen.filter(nonconformance__site__in=sites).select_related("nonconformance__site", "owner", "checked_by")


# --- gauges ---


@dataclass(frozen=True, slots=True)
class GaugeRow:
    """A gauge with its last calibration: why it is refused (empty = it is not), and whether that comes soon."""

    gauge: Gauge
    last: Calibration | None
    why: str
    is_soon: bool


def _gauge_row(gauge: Gauge, now: datetime) -> GaugeRow:
    last = max(gauge.calibrations.all(), key=lambda one: (one.calibrated_at, one.pk), default=None)
    why = why_unusable(gauge, now)
    return GaugeRow(gauge, last, why, not why and last is not None and last.valid_until - now < SOON)


class _ShownGauge(GaugeSerializer):
    """A gauge with its last calibration."""

    def to_representation(self, row: GaugeRow) -> dict[str, Any]:
        """Return a row of the page."""
        last = row.last
        return {
            **super().to_representation(row.gauge),
            "calibrated_at": last and last.calibrated_at,
            "valid_until": last and last.valid_until,
            "why_unusable": row.why,
        }


@login_required
def gauges_page(request: HttpRequest) -> HttpResponseBase:
    """List the gauges of the reader's sites, the calibration that ends first on top."""
    sites = sites_where(request, "view", "quality_setup")
    gauges = Gauge.objects.filter(site__in=sites, is_active=True)
    if text := request.GET.get("q", "")[:100]:
        gauges = gauges.filter(Q(code__icontains=text) | Q(name__icontains=text))
    now = timezone.now()
    found = gauges.select_related("site").prefetch_related("calibrations").order_by("code", "pk")
    found = found if format_of(request) else found[:SHOWN]
    rows = sorted((_gauge_row(gauge, now) for gauge in found), key=lambda row: (_ends(row), row.gauge.code))
    if format_of(request):
        return export_list(request, rows, _ShownGauge, name=gettext("Gauges and their calibration"))
    return render(request, "screens/gauges.html", {"rows": rows, "q": text})


def _ends(row: GaugeRow) -> datetime:
    return row.last.valid_until if row.last is not None else datetime.min.replace(tzinfo=row.gauge.site.zone)
