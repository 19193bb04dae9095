"""A KPI over time: any of the catalogue that stored hours tell, by hour, shift or day, of a place or a product."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.exports import export_table, format_of
from core.master_data import caller, in_scope
from enterprise.models import Line, Machine
from oee.kpis import Kpi, kpis_of
from oee.scopes import representatives
from oee.slicing import Part
from oee.trends import Step, has_trend
from products.models import Product
from screens.charts import Chart
from screens.days import day_in, day_window
from screens.kpi_charts import TONES, Nothing, kpi_trend
from screens.table_files import chart_table, refused_file
from workorders.models import Run

MOST_PRODUCTS = 200


@login_required
def trends(request: HttpRequest) -> HttpResponseBase:
    """Show a KPI over time, with its target; as a file, too."""
    who = caller(request)
    if not who.may("view", "oee_record"):
        raise PermissionDenied
    machines = in_scope(Machine.objects.filter(is_active=True, line__is_active=True), request.user, Machine.site_paths)
    everything = list(
        machines.select_related("line__area__site").order_by("line__area__site__name", "line__code", "position", "id")[
            :500
        ]
    )
    if not everything:
        return render(request, "screens/trends.html", {"lines": []})
    asked = _Asked(request, everything)
    chart, problem = _chart(asked)
    if format_of(request):
        if chart is None:
            return refused_file(problem)
        about = f"{chart.title.removeprefix(name := str(asked.kpi.name)).strip(', ')} {asked.first} {asked.last}"
        return export_table(request, replace(chart_table(chart), name=name, about=about))
    context = {
        "asked": asked,
        "lines": asked.lines,
        "chart": chart,
        "problem": problem,
        "products": Product.objects.filter(is_active=True).order_by("name")[:MOST_PRODUCTS],
        "steps": {"hour": _("Hours"), "shift": _("Shifts"), "day": _("Days")},
        "splits": {
            "": _("One line for all"),
            "line": _("Each line on its own"),
            "machine": _("Each machine on its own"),
        },
    }
    return render(request, "screens/trends.html", context)


class _Asked:
    """What a request asks for; what it leaves out is OEE of everything, by day, over two weeks."""

    def __init__(self, request: HttpRequest, machines: list[Machine]) -> None:
        get = request.GET
        self.now = timezone.now()
        by_line: dict[Line, list[Machine]] = {}
        for machine in machines:
            by_line.setdefault(machine.line, []).append(machine)
        self.lines = list(by_line)
        self.line, self.machine = get.get("line", ""), get.get("machine", "")
        chosen = {line: own for line, own in by_line.items() if self.line in ("", line.code)}
        self.own_machines = [machine for own in chosen.values() for machine in own] if self.line else machines
        if not chosen or (self.machine and self.machine not in {one.code for one in machines}):
            raise Http404
        self.split = get.get("split", "")
        if self.machine:
            one = next(machine for machine in machines if machine.code == self.machine)
            self.groups: list[tuple[str, list[Machine]]] = [(one.name, [one])]
        elif self.split == "machine":
            self.groups = [(machine.name, [machine]) for own in chosen.values() for machine in own][: len(TONES)]
        elif self.split == "line":
            self.groups = [(line.name, representatives(own)) for line, own in chosen.items()][: len(TONES)]
        else:
            whole = [machine for own in chosen.values() for machine in representatives(own)]
            self.groups = [(next(iter(chosen)).name if len(chosen) == 1 else _("All lines"), whole)]
        self.zone: ZoneInfo = next(iter(chosen)).area.site.zone
        known = [kpi for kpi in kpis_of([machine for _name, own in self.groups for machine in own]) if has_trend(kpi)]
        self.kpis: list[Kpi] = known
        self.kpi: Kpi = next((kpi for kpi in known if kpi.code == get.get("kpi")), known[0])
        self.step = Step(get["step"]) if get.get("step") in set(Step) else Step.DAY
        today = self.now.astimezone(self.zone).date()
        last = day_in(get.get("to"), today)
        first = day_in(get.get("from"), last - timedelta(days=13))
        self.first, self.last = min(first, last), max(first, last)
        self.window = day_window(self.first, self.last, self.zone)
        self.target_text = get.get("target", "")
        self.target = _target(self.target_text, self.kpi)
        product = get.get("product", "")
        self.product = Product.objects.filter(code=product).first() if product and "\0" not in product else None
        if product and self.product is None:
            raise Http404

    def part(self) -> dict[str, Any]:
        """Return what narrows it to a product's runs."""
        if self.product is None:
            return {}
        runs = Run.objects.filter(work_order__product=self.product, started_at__lt=self.window.end)
        runs = runs.exclude(ended_at__lte=self.window.start)
        return {"part": Part(run_ids=frozenset(runs.values_list("pk", flat=True)))}


def _target(text: str, kpi: Kpi) -> Fraction | None:
    """Return the target that was asked for, in the KPI's unit: percent are parts of a hundred."""
    try:
        value = (
            Fraction(text.strip().replace(",", "."))
            if text.strip() and len(text) < 30 and "e" not in text.lower()
            else None
        )
    except (ValueError, ZeroDivisionError):
        return None
    return value if value is None or kpi.unit != "ratio" else value / 100


def _chart(asked: _Asked) -> tuple[Chart | None, str]:
    title = ", ".join(
        [
            str(asked.kpi.name),
            *([asked.groups[0][0]] if len(asked.groups) == 1 else []),
            *([asked.product.name] if asked.product else []),
        ]
    )
    try:
        chart = kpi_trend(
            asked.kpi,
            asked.groups,
            asked.window,
            step=asked.step,
            zone=asked.zone,
            now=asked.now,
            title=title,
            target=asked.target,
            **asked.part(),
        )
    except Nothing as nothing:
        return None, str(nothing)
    except DomainError as refusal:
        return None, refusal.message
    return chart, ""
