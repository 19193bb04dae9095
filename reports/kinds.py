"""The reports that there are, each defined once: what it is called, what it is of, and which parts it has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.errors import NotFound
from core.intervals import Interval
from core.shared_reads import sharing
from oee.scopes import Place
from oee.services import refuse_window
from reports import audit_sections, oee_sections, order_sections, quality_sections, stop_sections
from reports.asked import Asked, absolute, place_title
from reports.document import Document, Section
from reports.periods import Period, Span
from workorders.models import Run, WorkOrder

Part = Callable[[Asked], Section]
_MOMENT = timedelta(microseconds=1)
PLACES = ("machine", "line", "area", "site", "enterprise")


@dataclass(frozen=True, slots=True)
class Kind:
    """A report: its name, what it tells, whose viewers may see it, of which places and spans it can be,
    and its parts.
    """

    code: str
    name: Promise
    meaning: Promise
    right: str
    parts: tuple[Part, ...]
    places: tuple[str, ...] = PLACES
    spans: tuple[Span, ...] = tuple(Span)


_OEE = (oee_sections.headline, oee_sections.over_time)
_WHY = (oee_sections.losses, stop_sections.top_stops)
_END = (oee_sections.all_kpis, oee_sections.elements)

KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "shift",
            _("Shift report"),
            _("What a shift made, hour by hour, what stood in its way, and who signed it."),
            "oee_record",
            (*_OEE, *_WHY, order_sections.orders, oee_sections.machines_table, stop_sections.longest_stops, *_END),
            spans=(Span.SHIFT,),
        ),
        Kind(
            "day",
            _("Day report"),
            _("A production day: what was made, hour by hour, and what it cost."),
            "oee_record",
            (*_OEE, *_WHY, order_sections.orders, oee_sections.machines_table, *_END),
            spans=(Span.DAY,),
        ),
        Kind(
            "week",
            _("Week report"),
            _("A week or a month, day by day, with what cost the most."),
            "oee_record",
            (*_OEE, *_WHY, order_sections.orders, oee_sections.machines_table, *_END),
            spans=(Span.WEEK, Span.MONTH),
        ),
        Kind(
            "order",
            _("Order report"),
            _("What an order has made of what it should, its runs, and their OEE."),
            "order",
            (order_sections.order_progress, oee_sections.headline, order_sections.orders, oee_sections.losses, *_END),
            places=(),
            spans=(),
        ),
        Kind(
            "machine",
            _("Machine report"),
            _("One machine: its OEE, its stops one by one, and how reliable it is."),
            "oee_record",
            (*_OEE, *_WHY, stop_sections.stops_by_machine, stop_sections.longest_stops, *_END),
            places=("machine",),
        ),
        Kind(
            "downtime",
            _("Downtime report"),
            _("What stood, why, how long and how often; the longest stops one by one."),
            "oee_record",
            (stop_sections.top_stops, stop_sections.stops_by_machine, stop_sections.longest_stops, oee_sections.losses),
        ),
        Kind(
            "quality",
            _("Quality report"),
            _("Good and bad pieces, inspections, defects, non-conformances, and rules that charts broke."),
            "inspection",
            (
                quality_sections.inspected,
                quality_sections.defects,
                quality_sections.nonconformances,
                oee_sections.machines_table,
            ),
        ),
        Kind(
            "audit",
            _("Audit report"),
            _(
                "Who did, corrected or edited what: the audit trail, corrections of facts, edits of rates and calendars."
            ),
            "audit",
            (audit_sections.audited, audit_sections.corrections, audit_sections.edits),
        ),
    )
}


def build(kind: Kind, place: Place, period: Period, *, user: Any, now: datetime) -> Document:
    """Compute a report of a place and a period.

    Raises NotFound without an active machine, Invalid for what is to come.
    """
    return _document(kind, Asked(place, period, now, user), place_title(place), _address(kind, place, period))


def build_order(order: WorkOrder, *, user: Any, now: datetime) -> Document:
    """Compute the report of an order over its runs. Raises NotFound where nobody can say which line it belongs to."""
    kind = KINDS["order"]
    runs = list(
        Run.objects.filter(work_order=order, started_at__lt=now)
        .select_related("line__area__site")
        .order_by("started_at")
    )
    lines = {run.line_id: run.line for run in runs}
    place: Place | None = order.line
    if len(lines) == 1:
        place = next(iter(lines.values()))
    elif lines:
        place = next(iter(lines.values())).area.site
    if place is None:
        raise NotFound(_now("The order has no line and no run yet."))
    starts = min((run.started_at for run in runs), default=now)
    ends = max((run.ended_at or now for run in runs), default=now)
    title = _now("Order %(number)s") % {"number": order.order_number}
    window = Interval(starts, max(ends, starts + _MOMENT))
    period = Period(Span.DAY, title, f"order:{order.pk}", window, starts.date())
    asked = Asked(place, period, now, user, order=order, run_ids=frozenset(run.pk for run in runs))
    parts = kind.parts if runs else (order_sections.order_progress,)
    address = reverse("reports:order", args=[order.order_number])
    return _document(kind, asked, str(order.product or order.order_number), address, parts=parts)


@sharing()
def _document(kind: Kind, asked: Asked, place: str, address: str, *, parts: tuple[Part, ...] | None = None) -> Document:
    if not asked.machines:
        raise NotFound(_now("There is no active machine there."))
    if asked.order is None:
        refuse_window(asked.window, now=asked.now)
    return Document(
        kind=kind.code,
        title=str(kind.name),
        place=place,
        period=asked.period.title,
        starts_at=asked.window.start,
        ends_at=asked.window.end,
        known_until=min(asked.window.end, asked.now),
        as_of=asked.now,
        zone=asked.zone,
        address=absolute(address),
        sections=tuple(part(asked) for part in (kind.parts if parts is None else parts)),
    )


def _address(kind: Kind, place: Place, period: Period) -> str:
    given = {type(place).__name__.lower(): place.pk, "span": period.span.value, "date": period.day.isoformat()}
    if period.shift_id is not None:
        given["shift"] = period.shift_id
    return f"{reverse('reports:report', args=[kind.code])}?{urlencode(given)}"
