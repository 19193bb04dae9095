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
