"""Short help for people by what they do, searched by plain text. The texts are templates, one for each role."""

import html
import re
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TOPICS: dict[str, Promise] = {
    "operator": _("Operator"),
    "supervisor": _("Supervisor"),
    "engineer": _("Engineer"),
    "integrator": _("Integrator"),
}
_STOPS, _ORDERS, _QUALITY = ("operator", "stops"), ("supervisor", "orders"), ("supervisor", "quality")
_WORK, _COLOURS, _SHIFT = ("operator", "start"), ("operator", "colours"), ("supervisor", "shift")
_NUMBERS, _REPORTS, _UNITS = ("supervisor", "numbers"), ("supervisor", "reports"), ("supervisor", "units")
_LOTS, _RECORDS = ("supervisor", "lots"), ("supervisor", "records")
PART_OF_VIEW: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("overview", "line", "board", "floor", "timeline", "supervise", "supervise-panels"), _COLOURS),
    **dict.fromkeys(("stops", "stop", "stop-cause"), _STOPS),
    **dict.fromkeys(("operate-choose", "operate", "operate-beside", "dispatch", "steps"), _WORK),
    **dict.fromkeys(("andon-calls", "andon-call"), ("operator", "calls")),
    **dict.fromkeys(("hours", "handover", "closed-shifts", "closed-shift", "change-log"), _SHIFT),
    **dict.fromkeys(("pareto", "waterfall", "plan-actual", "kpis", "explain", "trends"), _NUMBERS),
    **dict.fromkeys(("dashboards", "dashboard"), _NUMBERS),
    **dict.fromkeys(("orders", "order", "planner", "schedule", "changeovers", "changeover"), _ORDERS),
    **dict.fromkeys(("lots", "lot", "lot-recall", "containers", "container"), _LOTS),
    **dict.fromkeys(("units", "unit", "stations", "station", "station-unit", "unit-photo"), _UNITS),
    **dict.fromkeys(("label-batches", "label-batch", "label-batch-new"), _UNITS),
    **dict.fromkeys(("records", "record"), _RECORDS),
    **dict.fromkeys(("quality", "inspection", "inspection-new", "chart", "gauge-study", "certificate"), _QUALITY),
    **dict.fromkeys(("ncrs", "ncr", "ncr-new", "defects", "quality-actions", "charts-at", "gauges"), _QUALITY),
    **dict.fromkeys(("people", "labor-approval", "labor-efficiency"), ("supervisor", "hours")),
    **dict.fromkeys(("maintenance", "maintenance-order"), ("supervisor", "maintenance")),
    **dict.fromkeys(("advice", "recommendation"), ("supervisor", "advice")),
    "terminal": ("operator", "clock"),
    **dict.fromkeys(("first-steps", "plant-file"), ("engineer", "first-steps")),
}
"""Which part of the help a page of `screens` leads to, by the name of its address."""
PART_OF_ROOM: dict[str, tuple[str, str]] = {
    "reports": _REPORTS,
    "erp": ("integrator", "files"),
    "simulator": ("engineer", "first-steps"),
}
"""The same for all pages of another app."""
MOST_ASKED = 100
_SECTION = re.compile(r'<section id="([a-z-]+)">\s*<h2>(.*?)</h2>(.*?)</section>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_AROUND = 110


@dataclass(frozen=True, slots=True)
class Part:
    """A section of help: where it is, what it is called, what it says without its marks."""

    topic: str
    topic_name: str
    section: str
    title: str
    text: str

    @property
    def url(self) -> str:
        """Where it stands."""
        return f"{reverse('screens:help', args=[self.topic])}#{self.section}"


@dataclass(frozen=True, slots=True)
class Found:
    """A section that has all words asked for, and the words around the first of them."""

    part: Part
    excerpt: str


def _plain(marked: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", marked)).split())


def parts(request: HttpRequest) -> list[Part]:
    """Return all sections in the reader's language."""
    found = []
    for topic, name in TOPICS.items():
        text = render_to_string(f"screens/help/_{topic}.html", request=request)
        for section, title, body in _SECTION.findall(text):
            found.append(Part(topic, str(name), section, _plain(title), _plain(body)))
    return found


def address_for(request: HttpRequest) -> str:
    """Return where the help with a request's page stands; of a page that nobody knows, where help begins."""
    match = request.resolver_match
    part = None
    if match is not None:
        known = PART_OF_VIEW if match.app_name == "screens" else {}
        part = known.get(match.url_name or "") or PART_OF_ROOM.get(match.app_name)
    return f"{reverse('screens:help', args=[part[0]])}#{part[1]}" if part else reverse("screens:help")


def search(asked: str, among: list[Part]) -> list[Found]:
    """Return the sections that have every word, those first that have them in their title."""
    words = asked.casefold().split()
    if not words:
        return []
    found = [part for part in among if all(word in f"{part.title} {part.text}".casefold() for word in words)]
    found.sort(key=lambda part: not any(word in part.title.casefold() for word in words))
    return [Found(part, _excerpt(part.text, words)) for part in found]


def _excerpt(text: str, words: list[str]) -> str:
    places = [at for word in words if (at := text.casefold().find(word)) >= 0]
    start = max(0, min(places, default=0) - _AROUND // 2)
    cut = text[start : start + 2 * _AROUND]
    return f"{'… ' if start else ''}{cut}{' …' if start + 2 * _AROUND < len(text) else ''}"


@login_required
def help_page(request: HttpRequest, topic: str = "") -> HttpResponse:
    """Show the help of a role, or what a search finds."""
    asked = request.GET.get("q", "")[:MOST_ASKED].replace("\0", "")
    if topic and topic not in TOPICS:
        raise Http404
    context: dict[str, Any] = {"topics": TOPICS.items(), "topic": topic, "asked": asked}
    if asked:
        context["found"] = search(asked, parts(request))
    elif topic:
        context |= {"title": TOPICS[topic], "text": f"screens/help/_{topic}.html"}
    return render(request, "screens/help.html", context)
