"""What the page on which a number explains itself shows, worked out:
the view models that its templates only lay out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import accumulate
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from core.intervals import microseconds
from core.spreadsheets import moment_text
from downtime.models import StateReason
from downtime.selectors import all_reasons
from enterprise.models import Machine
from live.status import UNNAMED
from oee.engine import Category
from oee.engine.catalogue import ELEMENTS, ElementDefinition
from oee.engine.ledger import ledger
from oee.explain import ADDITIVE, Contribution, ElementExplanation, KpiExplanation
from oee.kpis import Kpi
from oee.questions import Question
from oee.stops import shown_category
from products.rates import cycle_times
from screens.explain_asked import PLACES, Address, Policies, policies_in_words
from screens.waterfall import Waterfall, waterfall
from screens.wording import (
    UNKNOWN,
    Clock,
    element_words,
    exact_duration,
    exact_number,
    exact_words,
    kpi_words,
)
from workorders.models import Run

CATEGORY_WORDS = {
    **{category.value: category.label for category in StateReason.Category},
    Category.MICRO_STOP.value: gettext_lazy("Micro-stop"),
    Category.UNDETERMINED.value: gettext_lazy("Stop just begun"),
}
COUNTED_WORDS = {
    "good": gettext_lazy("good"),
    "reject": gettext_lazy("rejected"),
    "rework": gettext_lazy("to be reworked"),
    "infeed": gettext_lazy("fed in"),
    "total": gettext_lazy("counted in total"),
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Word:
    """A part of a formula: an element with its value, or what stands between."""

    text: str
    value: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ElementRow:
    """An element of the formula, summed over the machines."""

    of: ElementDefinition
    value: str
    url: str


@dataclass(frozen=True, slots=True)
class MachineRow:
    """What one machine adds to the elements."""

    machine: str
    line: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KpiPage:
    """The first step."""

    kpi: Kpi
    value: str
    exact: str
    why_unknown: tuple[str, ...]
    formula: tuple[Word, ...]
    plain: str
    elements: tuple[ElementRow, ...]
    machines: tuple[MachineRow, ...]
    policies: list[Policies]
    losses: Waterfall
    is_suspect: bool


def kpi_page(found: KpiExplanation, asked: Question, address: Address, machines: Sequence[Machine]) -> KpiPage:
    """Work out the first step; of the machines, those of the list's page are shown."""
    kpi, value = found.kpi.kpi, found.kpi.value
    values = {element.code: element.value for element in found.kpi.elements}
    until = found.answer.known_until
    here = _with_window(address, asked, until)

    def url_of(element: str) -> str:
        return here.to({"element": element}).url if element in ELEMENTS else ""

    known = [code for code in values if code in ELEMENTS]
    return KpiPage(
        kpi=kpi,
        value=kpi_words(value, kpi.unit),
        exact="" if value is None else exact_words(value, kpi.unit),
        why_unknown=_why_unknown(kpi, values) if value is None else (),
        formula=tuple(_formula_words(kpi, values, url_of)),
        plain=_plain_formula(kpi, values),
        elements=tuple(
            ElementRow(ELEMENTS[code], element_words(values[code], ELEMENTS[code].unit), url_of(code)) for code in known
        ),
        machines=tuple(
            MachineRow(
                machine.name,
                machine.line.name,
                tuple(
                    (
                        element_words(found.by_machine[machine.pk].get(code), ELEMENTS[code].unit)
                        if code in ADDITIVE
                        else "",
                        here.to({"machine": machine.pk, "element": code}, without=PLACES[:-1]).url,
                    )
                    for code in known
                ),
            )
            for machine in machines
        ),
        policies=policies_in_words(asked.machines, asked.window.start, until),
        losses=waterfall(ledger(found.answer.sums, found.reasons), found.values, url_of),
        is_suspect=found.answer.kpis.ideal_rate_suspect,
    )


def _with_window(address: Address, asked: Question, until: datetime) -> Address:
    """Say the window itself while it is open, so that the next step is about the same time as this one."""
    if until == asked.window.end:
        return address
    window = {"starts_at": moment_text(asked.window.start), "ends_at": moment_text(until)}
    return address.to(window, without=("date", "shift"))


def _formula_words(kpi: Kpi, values: Mapping[str, Fraction | None], url_of: Any) -> Iterable[Word]:
    at = 0
    for found in _NAME.finditer(kpi.formula):
        if found.group() in values:
            if between := kpi.formula[at : found.start()].strip():
                yield Word(_signs(between))
            code, at = found.group(), found.end()
            unit = ELEMENTS[code].unit if code in ELEMENTS else ""
            yield Word(code, element_words(values[code], unit), url_of(code))
    if between := kpi.formula[at:].strip():
        yield Word(_signs(between))


def _plain_formula(kpi: Kpi, values: Mapping[str, Fraction | None]) -> str:
    """Write the formula over plain numbers, times in seconds, so that it can be typed into a calculator."""

    def number(found: re.Match[str]) -> str:
        if found.group() not in values:
            return found.group()
        value = values[found.group()]
        if value is None:
            return "?"
        text = exact_number(value)
        return f"({text})" if "/" in text or value < 0 else text

    return _signs(_NAME.sub(number, kpi.formula))


def _signs(text: str) -> str:
    return text.replace("*", "×").replace(" - ", " − ")


def _why_unknown(kpi: Kpi, values: Mapping[str, Fraction | None]) -> tuple[str, ...]:
    if kpi.problem:
        return (kpi.problem,)
    unknown = [code for code, value in values.items() if value is None]
    if not unknown:
        return (gettext("The formula divides by zero here."),)
    return tuple(
        gettext("%(code)s is not known: %(why)s") % {"code": code, "why": why_element_unknown(code)} for code in unknown
    )


def why_element_unknown(code: str, *, counts_without_rate: bool = True) -> str:
    """Say why an element has no value."""
    if code not in ADDITIVE:
        return gettext("nothing that is recorded of this window tells it.")
    if code == "IPQ":
        return gettext("for a part of the planned time no ideal rate says how fast it should have run.")
    if counts_without_rate:
        return gettext("no ideal rate holds for some of the pieces, or a machine ran without one and made nothing.")
    return gettext("a machine ran without an ideal rate and made nothing.")


@dataclass(frozen=True, slots=True)
class ContributionRow:
    """A row of the second step, with the running total that it ends in."""

    machine: str
    span: str
    what: str
    how: str
    category: str
    category_words: str
    order: str
    value: str
    total: str
    url: str
    is_unknown: bool


@dataclass(frozen=True, slots=True)
class ElementPage:
    """The second step."""

    of: ElementDefinition
    value: str
    total: str
    made_of: str
    carried: str
    rows: tuple[ContributionRow, ...]
    count: int
    why_unknown: str
    exact_seconds: str
    is_additive: bool


def element_page(
    found: ElementExplanation, asked: Question, address: Address, clock: Clock, *, offset: int, limit: int
) -> ElementPage:
    """Work out the second step: one page of what an element adds up from."""
    of = ELEMENTS[found.code]
    shown = found.contributions[offset : offset + limit]
    carried = sum((one.value for one in found.contributions[:offset]), start=Fraction(0))
    totals = list(accumulate((one.value for one in shown), initial=carried))[1:]
    names = _Names(shown, asked.machines)
    without_rate = any(one.unknown for one in found.contributions)
    return ElementPage(
        of=of,
        value=element_words(found.value, of.unit),
        total=element_words(found.total, of.unit),
        made_of=found.made_of,
        carried=element_words(carried, of.unit) if offset else "",
        rows=tuple(
            _row(one, element_words(total, of.unit), of, found.made_of, names, address, clock)
            for one, total in zip(shown, totals, strict=True)
        ),
        count=len(found.contributions),
        why_unknown=""
        if found.value is not None
        else gettext("no ideal rate holds for the pieces that are marked.")
        if without_rate
        else why_element_unknown(found.code, counts_without_rate=False),
        is_additive=found.code in ADDITIVE,
        exact_seconds="" if found.value is None or of.unit != "seconds" else f"{exact_number(found.value)} s",
    )


class _Names:
    """What the things are called that rows refer to: looked up once for all of them."""

    def __init__(self, rows: Sequence[Contribution], machines: Sequence[Machine]) -> None:
        keys = [row.key for row in rows if row.key is not None]
        self.machines = {machine.pk: machine for machine in machines}
        self.reasons: dict[int, str] = {pk: reason.local_name for pk, reason in all_reasons().items()}
        runs = Run.objects.filter(pk__in=[key.run_id for key in keys if key.run_id])
        self.orders: dict[int, str] = dict(runs.values_list("pk", "work_order__order_number"))
        self.cycle_times = cycle_times({key.rate_id for key in keys})


def _row(
    one: Contribution,
    total: str,
    of: ElementDefinition,
    made_of: str,
    names: _Names,
    address: Address,
    clock: Clock,
) -> ContributionRow:
    machine = names.machines[one.machine_id]
    zone = machine.line.area.site.zone
    category = "" if one.category is None else one.category.value
    if made_of == "stretches":
        since = min(one.since or one.start, one.start)
        facts = {"facts_machine": one.machine_id, "from": moment_text(since), "to": moment_text(one.end)}
        url = address.to(facts).url
    else:
        period = {"machine": one.machine_id, "starts_at": moment_text(one.start), "ends_at": moment_text(one.end)}
        opened = address.to(period, without=(*PLACES[:-1], "date", "shift"))
        # Of closed time an hour is the smallest that is known: it would open as itself.
        url = "" if opened == address else opened.url
    return ContributionRow(
        machine=machine.name,
        span=clock.span(one.start, one.end, zone),
        what=_what(one, names),
        how=_how(one, of, names),
        category=category,
        category_words=_kind(one),
        order=names.orders.get(one.key.run_id or 0, "") if one.key else "",
        value=element_words(one.value, of.unit) if not one.unknown else str(UNKNOWN),
        total=total,
        url=url,
        is_unknown=one.unknown,
    )


def contribution_words(
    of: Sequence[Contribution], machines: Sequence[Machine]
) -> Iterable[tuple[Contribution, Machine, tuple[str, str, str]]]:
    """Yield what an element adds up from, each with its machine, and in words: what it was, of which kind, and whose
    order.
    """
    names = _Names(of, machines)
    for one in of:
        order = names.orders.get(one.key.run_id or 0, "") if one.key else ""
        yield one, names.machines[one.machine_id], (_what(one, names), _kind(one), order)


def _kind(one: Contribution) -> str:
    category = "" if one.category is None else one.category.value
    return str(CATEGORY_WORDS.get(category, gettext("Count") if one.counted is not None else ""))


def _what(one: Contribution, names: _Names) -> str:
    if one.counted is not None:
        return f"{exact_number(one.counted)} {COUNTED_WORDS.get(one.counted_as, one.counted_as)}"
    if one.category is None:
        return ""
    unnamed = UNNAMED[shown_category(one.category)]
    return names.reasons.get(one.reason_id or 0, str(unnamed))


def _how(one: Contribution, of: ElementDefinition, names: _Names) -> str:
    """Write how a value follows from pieces or time and the ideal cycle time, where it does."""
    cycle = names.cycle_times.get(one.key.rate_id or 0) if one.key else None
    if not cycle or one.unknown:
        return ""
    if of.unit == "seconds" and one.counted is not None and one.counted * cycle == one.value:
        return f"{exact_number(one.counted)} × {exact_number(cycle)} s"
    spent = Fraction(microseconds(one.end - one.start), 10**6)
    if of.unit == "pieces" and spent and spent / cycle == one.value:
        return f"{exact_duration(spent)} ÷ {exact_number(cycle)} s"
    return ""
