"""The rooms of the product: what a person finds in the bar, and where they land after logging in.

A page is offered to who may see its kind of thing at some site (`accounts.rights`); what a page then shows is scoped by
the page itself.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.master_data import caller
from screens.help import address_for
from screens.preferences import THEMES, theme_of


@dataclass(frozen=True, slots=True)
class Page:
    """A page in the bar: its name, its address by name, and the kind of thing whose viewers find it."""

    name: Promise | str
    view: str
    kind: str | None = None
    action: str = "view"


@dataclass(frozen=True, slots=True)
class Room:
    """Pages that belong together, under one word and one icon."""

    name: Promise | str
    icon: str
    pages: tuple[Page, ...]


ROOMS: tuple[Room, ...] = (
    Room(
        _("Plant"),
        "grid-1x2",
        (
            Page(_("Lines, live"), "screens:overview"),
            Page(_("Board for a television"), "screens:board"),
        ),
    ),
    Room(
        _("Floor"),
        "tablet-landscape",
        (
            Page(_("What to decide"), "screens:supervise", "oee_record"),
            Page(_("Line overview"), "screens:floor", "oee_record"),
            Page(_("Stops without a reason"), "screens:stops", "fact"),
            Page(_("Operator terminal"), "screens:operate-choose", "execution"),
            Page(_("Calls"), "screens:andon-calls", "andon"),
            Page(_("Maintenance"), "screens:maintenance", "maintenance"),
            Page(_("List of work"), "screens:dispatch", "execution"),
            Page(_("Stations"), "screens:stations", "unit"),
            Page(_("Changeovers"), "screens:changeovers", "changeover"),
            Page(_("Clock in and out"), "screens:terminal", "labor", "add"),
        ),
    ),
    Room(
        _("Orders"),
        "clipboard-check",
        (
            Page(_("Orders"), "screens:orders", "order"),
            Page(_("Planner"), "screens:planner", "schedule"),
            Page(_("Schedule, as a list"), "screens:schedule", "schedule"),
            # Who plans is who may bring in orders, products or both.
            Page(_("Import a file"), "erp:upload", "schedule", "add"),
            Page(_("Lots"), "screens:lots", "lot"),
            Page(_("Containers"), "screens:containers", "material"),
            Page(_("Serial units"), "screens:units", "unit"),
            Page(_("Labels"), "screens:label-batches", "label"),
            Page(_("Batch records"), "screens:records", "batch_record"),
        ),
    ),
    Room(
        _("Quality"),
        "patch-check",
        (
            Page(_("Inspections and charts"), "screens:quality", "inspection"),
            Page(_("Non-conformances"), "screens:ncrs", "nonconformance"),
            Page(_("Corrective actions"), "screens:quality-actions", "nonconformance"),
            Page(_("Pareto of defects"), "screens:defects", "nonconformance"),
            Page(_("Gauges"), "screens:gauges", "quality_setup"),
        ),
    ),
    Room(
        _("Numbers"),
        "bar-chart-line",
        (
            Page(_("Dashboards"), "screens:dashboards", "oee_record"),
            Page(_("KPIs over time"), "screens:trends", "oee_record"),
            Page(_("Pareto of stops"), "screens:pareto", "oee_record"),
            Page(_("Loss waterfall"), "screens:waterfall", "oee_record"),
            Page(_("Plan and actual"), "screens:plan-actual", "oee_record"),
            Page(_("Advice"), "screens:advice", "advice"),
            Page(_("Reports"), "reports:index", "oee_record"),
            Page(_("My files"), "reports:exports", "export", "add"),
            Page(_("Closed shifts"), "screens:closed-shifts", "closing"),
            Page(_("Change log"), "screens:change-log", "closing"),
            Page(_("What the KPIs mean"), "screens:kpis"),
            Page(_("Simulated plants"), "simulator:index", "simulation"),
        ),
    ),
    Room(
        _("People"),
        "people",
        (
            Page(_("Shift board"), "screens:people", "employee"),
            Page(_("Approve hours"), "screens:labor-approval", "labor", "change"),
            Page(_("Efficiency"), "screens:labor-efficiency", "employee"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class OfferedPage:
    """A page as this request's bar shows it."""

    name: str
    address: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class OfferedRoom:
    """A room as this request's bar shows it: without the pages that the person may not see."""

    name: str
    icon: str
    pages: tuple[OfferedPage, ...]

    @property
    def is_here(self) -> bool:
        """Whether the page that is asked for lies in it."""
        return any(page.is_here for page in self.pages)


def rooms_for(request: HttpRequest) -> list[OfferedRoom]:
    """Return the rooms of a request's person; the page with the longest fitting address is where they are."""
    who = caller(request)
    offered = [(room, [(page.name, reverse(page.view)) for page in room.pages if _may(who, page)]) for room in ROOMS]
    addresses = [address for _room, pages in offered for _name, address in pages]
    here = max((a for a in addresses if _lies_under(request.path, a)), key=len, default=None)
    return [
        OfferedRoom(str(room.name), room.icon, tuple(OfferedPage(str(n), a, a == here) for n, a in pages))
        for room, pages in offered
        if pages
    ]


def _lies_under(path: str, address: str) -> bool:
    return path == address if address == "/" else path.startswith(address)


def _may(who: Any, page: Page) -> bool:
    return page.kind is None or bool(who.may(page.action, page.kind))


def bar(request: HttpRequest) -> dict[str, Any]:
    """Give templates the rooms and how the person wants pages to look (a context processor)."""
    return {
        "rooms": lambda: rooms_for(request) if request.user.is_authenticated else [],
        "help_address": lambda: address_for(request),
        "theme": theme_of(request),
        "themes": THEMES,
    }
