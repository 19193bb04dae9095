"""The page on which a number explains itself: the same questions,
rights and answers as its REST (`oee.explain_api`).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from rest_framework import serializers

from core.errors import Conflict, DomainError, NotFound
from core.exports import export_table, format_of
from core.master_data import caller
from oee.engine.catalogue import ELEMENTS, KPIS
from oee.explain import MOST_FACTS, explain_element, explain_kpi, raw_facts
from oee.explain_api import ElementQuestionSerializer, FactsQuestionSerializer, KpiQuestionSerializer
from oee.kpis import kpis_of
from oee.questions import Question, question_of
from oee.scopes import machines_of
from oee.services import refuse_window
from screens.explain_asked import Address, asked_about, place_words
from screens.explain_tables import about_words, element_table, facts_table, kpi_table
from screens.explained import element_page, kpi_page
from screens.explained_facts import fact_rows
from screens.wording import Clock, day_words

ROWS_PER_PAGE = 200
_FACTS_PARAMETERS = {"machine": "facts_machine", "starts_at": "from", "ends_at": "to"}
_BELOW_KPI = ("element", *_FACTS_PARAMETERS.values())


class PagedSerializer(serializers.Serializer):
    """Which page of a long list."""

    page = serializers.IntegerField(default=1, min_value=1)


class KpiPageSerializer(PagedSerializer, KpiQuestionSerializer):
    """A KPI, what it is asked about, and which page of its machines."""


class ElementPageSerializer(PagedSerializer, ElementQuestionSerializer):
    """An element, what it is asked about, and which page of what it adds up from."""


@login_required
def explain(request: HttpRequest) -> HttpResponseBase:
    """Explain a number one step further: a KPI by its elements, one of those by what it adds up from, that by facts."""
    # To the second, so that what people read and add up is not about fractions of the second in which they looked.
    now = timezone.now().replace(microsecond=0)
    address = Address.of(request.GET.dict())
    step: Callable[..., HttpResponseBase] = _explain_kpi
    if not address.parameters.keys().isdisjoint(_FACTS_PARAMETERS.values()):
        step = _show_facts
    elif "element" in address.parameters:
        step = _explain_element
    if not caller(request).may("view", "fact" if step is _show_facts else "oee_record"):
        raise PermissionDenied
    try:
        return step(request, address, now=now)
    except serializers.ValidationError as error:
        return _refuse_parameters(request, error)
    except DomainError as error:
        status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 400
        field = error.field or ""
        return _refuse(
            request, [(_FACTS_PARAMETERS.get(field, field) if step is _show_facts else field, error.message)], status
        )


def _explain_kpi(request: HttpRequest, address: Address, *, now: datetime) -> HttpResponseBase:
    parameters = _checked(KpiPageSerializer, request)
    asked = _question(parameters, now=now)
    found = explain_kpi(parameters["kpi"], asked, now=now)
    if format_of(request):
        return export_table(request, kpi_table(found, asked.machines, about_words(asked)))
    page = _Page(address, parameters["page"], len(asked.machines))
    machines = asked.machines[page.offset : page.offset + ROWS_PER_PAGE]
    context = {
        "about": asked_about(parameters, asked, now=now),
        "shown": kpi_page(found, asked, address, machines),
        "choices": kpis_of(asked.machines),
        "kept": [item for item in address.parameters.items() if item[0] != "kpi"],
        "page": page,
    }
    return _render(request, "screens/explain.html", context)


def _explain_element(request: HttpRequest, address: Address, *, now: datetime) -> HttpResponseBase:
    parameters = _checked(ElementPageSerializer, request)
    asked = _question(parameters, now=now)
    found = explain_element(parameters["element"], asked, now=now)
    if format_of(request):
        return export_table(request, element_table(found, asked, about_words(asked)))
    page = _Page(address, parameters["page"], len(found.contributions))
    about = asked_about(parameters, asked, now=now)
    context = {
        "about": about,
        "shown": element_page(found, asked, address, about.clock, offset=page.offset, limit=ROWS_PER_PAGE),
        "page": page,
        "kpi_name": _kpi_name(address, asked),
        "kpi_url": address.to(without=_BELOW_KPI).url,
    }
    return _render(request, "screens/explain_element.html", context)


def _show_facts(request: HttpRequest, address: Address, *, now: datetime) -> HttpResponseBase:
    data = {name: request.GET[given] for name, given in _FACTS_PARAMETERS.items() if given in request.GET}
    query = FactsQuestionSerializer(data=data, context={"request": request})
    if not query.is_valid():
        raise serializers.ValidationError({_FACTS_PARAMETERS[name]: said for name, said in query.errors.items()})
    paged = _checked(PagedSerializer, request)
    span = query.validated_data
    (machine,) = machines_of(span["machine"])
    found = raw_facts(machine, span["starts_at"], span["ends_at"])
    if format_of(request):
        return export_table(request, facts_table(found))
    page = _Page(address, paged["page"], len(found.facts))
    zone = machine.line.area.site.zone
    clock = Clock.over((span["starts_at"], span["ends_at"]), [zone])
    element = ELEMENTS.get(address.parameters.get("element", ""))
    context = {
        "machine": machine,
        "line": place_words(machine.line),
        "day": day_words(span["starts_at"], zone),
        "starts": clock.write(span["starts_at"], zone),
        "ends": clock.write(span["ends_at"], zone),
        "zone": zone,
        "rows": fact_rows(found.facts[page.offset : page.offset + ROWS_PER_PAGE], zone, span["starts_at"]),
        "most": MOST_FACTS if found.is_cut else 0,
        "page": page,
        "element": element,
        "element_url": address.to(without=_FACTS_PARAMETERS.values()).url if element else "",
        "kpi_name": _kpi_name(address, None),
        "kpi_url": address.to(without=_BELOW_KPI).url,
    }
    return _render(request, "screens/explain_facts.html", context)


def _render(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, template, {**context, "tv": "tv" in request.GET}, status=status)


def _checked(serializer: type[serializers.Serializer], request: HttpRequest) -> dict[str, Any]:
    query = serializer(data=request.GET, context={"request": request})
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


def _question(parameters: dict[str, Any], *, now: datetime) -> Question:
    asked = question_of(parameters, now=now)
    refuse_window(asked.window, now=now)
    return asked


def _kpi_name(address: Address, asked: Question | None) -> str:
    code = address.parameters.get("kpi", "oee_index")
    if code in KPIS:
        return gettext(KPIS[code].name)
    custom = kpis_of(asked.machines) if asked else []
    return next((kpi.name for kpi in custom if kpi.code == code), gettext("The KPI"))


class _Page:
    """A page of a long list, with the links to its neighbours. Raises NotFound for one beyond the last."""

    def __init__(self, address: Address, number: int, rows: int) -> None:
        self.number, self.rows = number, rows
        self.count = max(1, -(-rows // ROWS_PER_PAGE))
        if number > self.count:
            raise NotFound(gettext("There are %(count)s pages.") % {"count": self.count}, field="page")
        self.offset = (number - 1) * ROWS_PER_PAGE
        self.first, self.last = self.offset + 1, min(rows, self.offset + ROWS_PER_PAGE)
        self.before = address.to({"page": number - 1}).url if number > 1 else ""
        self.after = address.to({"page": number + 1}).url if number < self.count else ""


def _refuse_parameters(request: HttpRequest, error: serializers.ValidationError) -> HttpResponse:
    """Say which parameters are wrong; what the person may not know of does not exist."""
    detail: Any = error.detail
    said = [(field, message) for field, messages in detail.items() for message in messages]
    gone = all(message.code == "does_not_exist" for _, message in said)
    return _refuse(request, said, 404 if gone else 400)


def _refuse(request: HttpRequest, said: list[tuple[str, str]], status: int) -> HttpResponse:
    context = {
        "said": [(field, request.GET.get(field, "")[:200], message) for field, message in said],
        "is_gone": status == 404,
    }
    return _render(request, "screens/explain_refused.html", context, status)
