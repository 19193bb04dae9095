"""Pages of reports: which there are, one on screen, and the same as PDF, workbook or CSV."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from core.errors import DomainError, NotFound
from core.exports import disposition
from core.master_data import caller, in_scope, site_id_of
from reports.asked import place_title
from reports.asking import MODELS, Wanted, place_of, visible, wanted
from reports.document import Document
from reports.files import CONTENT_TYPES, WRITERS, drawn_chart
from reports.kinds import KINDS, Kind, build, build_order
from reports.periods import Span
from workorders.models import WorkOrder

MOST_PLACES = 200


@login_required
def index(request: HttpRequest) -> HttpResponse:
    """List the reports that the person may see, each with what it can be of."""
    who = caller(request)
    kinds = [kind for kind in KINDS.values() if who.may("view", kind.right)]
    if not kinds:
        raise PermissionDenied
    choices = {
        name: [(f"{name}-{place.pk}", place_title(place)) for place in visible(who, name)[:MOST_PLACES]]
        for name in MODELS
    }
    cards = [
        (kind, [(name, choices[name]) for name in reversed(kind.places) if choices[name]], list(kind.spans))
        for kind in kinds
    ]
    return render(request, "reports/index.html", {"cards": cards, "may_export": who.may("add", "export")})


@login_required
def report_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show a report of a place and a period; with `?format=`, answer it as a file."""
    kind = KINDS.get(code)
    if kind is None or not kind.places:
        raise Http404
    who, now = caller(request), timezone.now()
    given = request.GET.dict()
    try:
        place = place_of(given, who, kind)
        if place is None:
            return _refused(request, kind, None)
        if not who.may("view", kind.right, site_id_of(place)):
            raise PermissionDenied
        asked = wanted(given, place, kind, now=now)
        document = build(kind, place, asked.period, user=who, now=now)
    except DomainError as refusal:
        return _refused(request, kind, refusal)
    return _answer(request, kind, document, asked)


@login_required
def order_page(request: HttpRequest, number: str) -> HttpResponse:
    """Show the report of an order; with `?format=`, answer it as a file."""
    who = caller(request)
    orders = in_scope(
        WorkOrder.objects.select_related("product", "unit", "line__area__site"), who, WorkOrder.site_paths
    )
    order = get_object_or_404(orders, order_number=number)
    if not who.may("view", "order"):
        raise PermissionDenied
    try:
        document = build_order(order, user=who, now=timezone.now())
    except DomainError as refusal:
        return _refused(request, KINDS["order"], refusal)
    return _answer(request, KINDS["order"], document, None)


def _answer(request: HttpRequest, kind: Kind, document: Document, asked: Wanted | None) -> HttpResponse:
    form = request.GET.get("format", "")
    if form in WRITERS:
        answer = HttpResponse(WRITERS[form](document), content_type=CONTENT_TYPES[form])
        answer["Content-Disposition"] = disposition(document.name, form)
        answer["Cache-Control"] = "no-store"
        return answer
    if form:
        raise Http404
    context = {
        "kind": kind,
        "document": document,
        "charts": {
            chart.code: drawn_chart(chart, document) for section in document.sections for chart in section.charts
        },
        "asked": asked,
        "files": [(one, _with(request, format=one)) for one in WRITERS],
        **(_neighbours(kind, asked) if asked else {}),
    }
    return render(request, "reports/report.html", context)


def _with(request: HttpRequest, **changes: str) -> str:
    given = request.GET.copy()
    for name, value in changes.items():
        given[name] = value
    return f"{request.path}?{given.urlencode()}"


def _neighbours(kind: Kind, asked: Wanted) -> dict[str, Any]:
    """Return the addresses of the period before and after, of the other spans, and of the day's other shifts."""
    step = {Span.SHIFT: 1, Span.DAY: 1, Span.WEEK: 7}.get(asked.period.span)
    before = asked.period.day - timedelta(days=step or 1)
    after = asked.period.day + timedelta(days=step or 32)
    name = next(name for name, model in MODELS.items() if isinstance(asked.place, model))
    base = {name: asked.place.pk, "span": asked.period.span.value}

    def to(**changes: Any) -> str:
        return f"{reverse('reports:report', args=[kind.code])}?{urlencode({**base, **changes})}"

    return {
        "before": to(date=before.isoformat()),
        "after": to(date=after.isoformat()),
        "place_name": name,
        "shifts": [
            (
                shift.name,
                to(date=shift.shift_date.isoformat(), shift=shift.shift_id),
                shift.shift_id == asked.period.shift_id,
            )
            for shift in asked.shifts
        ],
        "spans": [
            (span, to(span=span.value, date=asked.period.day.isoformat()), span is asked.period.span)
            for span in kind.spans
        ],
    }


def _refused(request: HttpRequest, kind: Kind, refusal: DomainError | None) -> HttpResponse:
    """Say what is missing or wrong, with the form to ask anew."""
    who = caller(request)
    places = [
        (name, [(f"{name}-{place.pk}", place_title(place)) for place in visible(who, name)[:MOST_PLACES]])
        for name in reversed(kind.places)
    ]
    status = 200 if refusal is None else 404 if isinstance(refusal, NotFound) else 400
    context = {"kind": kind, "refusal": refusal, "places": [one for one in places if one[1]], "spans": kind.spans}
    return render(request, "reports/ask.html", context, status=status)
