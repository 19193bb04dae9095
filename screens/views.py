"""The pages that people at the line see: painted by the server with real content, kept alive by the socket."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from core.master_data import caller, in_scope
from enterprise.models import Line
from live.fragments import CARD, DETAIL
from live.selectors import line_statuses
from oee.engine.catalogue import ELEMENTS
from oee.kpis import kpis_for
from screens.fragments import fragments_of


def _lines(request: HttpRequest) -> QuerySet[Line]:
    lines: QuerySet[Line] = in_scope(Line.objects.filter(is_active=True), request.user, ("area__site",))
    return lines.select_related("area__site").order_by("area__site__name", "area__name", "code")


@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """Show all lines that the person may see, area by area."""
    lines = list(_lines(request))
    statuses = line_statuses([line.pk for line in lines], now=timezone.now())
    areas: dict[str, list[Any]] = {}
    for line in lines:
        areas.setdefault(f"{line.area.site.name} · {line.area.name}", []).append(
            statuses.get(line.pk) or {"line_id": line.pk, "code": line.code, "name": line.name, "is_empty": True}
        )
    # Then nobody needs to ask which first steps are left.
    has_oee = any(status.kpis.oee_index is not None for status in statuses.values())
    return render(request, "screens/overview.html", {"areas": areas, "tv": "tv" in request.GET, "has_oee": has_oee})


@login_required
def line_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show one line: what it does now, whether it wins the shift, and what it lost."""
    line = get_object_or_404(_lines(request), code=code)
    status = line_statuses([line.pk], now=timezone.now()).get(line.pk)
    return render(request, "screens/line.html", {"line": status, "place": line, "tv": "tv" in request.GET})


@login_required
def kpis(request: HttpRequest) -> HttpResponse:
    """Explain every KPI and every element: what it means, how it is computed, where the definition is from."""
    context = {"kpis": kpis_for(caller(request)), "elements": ELEMENTS.values()}
    return render(request, "screens/kpis.html", context)


@login_required
def overview_fragments(request: HttpRequest) -> JsonResponse:
    """Answer all cards anew, for a browser that missed something."""
    return JsonResponse({"lines": fragments_of((line.pk for line in _lines(request)), CARD)})


@login_required
def line_fragment(request: HttpRequest, line_id: int) -> JsonResponse:
    """Answer one line's page anew, for a browser that missed something."""
    if not _lines(request).filter(pk=line_id).exists():
        raise Http404
    return JsonResponse({"lines": fragments_of([line_id], DETAIL)})
