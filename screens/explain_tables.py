"""The steps of an explanation as tables for files: exact numbers, all pages of them."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from django.utils.translation import gettext

from core.exports import Table
from core.reader import said, translated
from enterprise.models import Machine
from oee.engine.catalogue import ELEMENTS, ElementDefinition
from oee.explain import ADDITIVE, ElementExplanation, KpiExplanation, RawFacts
from oee.questions import Question
from screens.explained import contribution_words
from screens.explained_facts import fact_rows
from screens.table_files import rounded_number, with_unit

_PLACES = 6
_UNITS = {"seconds": "s"}


def _named(of: ElementDefinition) -> str:
    return with_unit(translated(of.name), _UNITS.get(of.unit, said(of.unit)))


def about_words(asked: Question) -> str:
    """Return what a question is about, for the name of a file: its line, or how many machines, and its days."""
    lines = {machine.line for machine in asked.machines}
    place = next(iter(lines)).name if len(lines) == 1 else gettext("%(count)s lines") % {"count": len(lines)}
    zone = asked.machines[0].line.area.site.zone
    first, last = (at.astimezone(zone) for at in (asked.window.start, asked.window.end))
    return f"{place} {first:%Y-%m-%d} {last:%Y-%m-%d}"


def kpi_table(found: KpiExplanation, machines: Sequence[Machine], about: str) -> Table:
    """Return the elements of a KPI's formula by machine, and their sums; what is only of the whole is empty."""
    values: Mapping[str, Fraction | None] = {one.code: one.value for one in found.kpi.elements if one.code in ELEMENTS}
    header = [gettext("Machine"), gettext("Line"), *(_named(ELEMENTS[code]) for code in values)]
    rows = [
        [
            machine.name,
            machine.line.name,
            *(
                rounded_number(found.by_machine[machine.pk].get(code) if code in ADDITIVE else None, _PLACES)
                for code in values
            ),
        ]
        for machine in machines
    ]
    rows.append([gettext("Together"), "", *(rounded_number(value, _PLACES) for value in values.values())])
    return Table(translated(found.kpi.kpi.name), header, rows, len(rows), about)


def element_table(found: ElementExplanation, asked: Question, about: str) -> Table:
    """Return all that an element adds up from; what makes it unknown is empty."""
    of = ELEMENTS[found.code]
    header = (gettext("Machine"), gettext("From"), gettext("To"), gettext("What"), gettext("Kind"), gettext("Order"))
    rows = []
    for one, machine, words in contribution_words(found.contributions, asked.machines):
        zone = machine.line.area.site.zone
        value = None if one.unknown else rounded_number(one.value, _PLACES)
        rows.append((machine.name, one.start.astimezone(zone), one.end.astimezone(zone), *words, value))
    return Table(translated(of.name), (*header, _named(of)), rows, len(rows), about)


def facts_table(found: RawFacts) -> Table:
    """Return the facts about a machine, oldest first."""
    zone = found.machine.line.area.site.zone
    header = (
        *(gettext("Kind"), gettext("Happened"), gettext("Until"), gettext("What was said"), gettext("Corrected")),
        *(gettext("By whom"), gettext("Came")),
    )
    words = fact_rows(found.facts, zone, found.window.start)
    rows = [
        (
            row.kind,
            fact.occurred_at.astimezone(zone),
            fact.until and fact.until.astimezone(zone),
            row.said,
            row.corrected,
            row.by,
            fact.recorded_at.astimezone(zone),
        )
        for fact, row in zip(found.facts, words, strict=True)
    ]
    about = f"{found.machine.name} {found.window.start.astimezone(zone):%Y-%m-%d %H-%M}"
    return Table(gettext("The facts"), header, rows, len(rows), about)
