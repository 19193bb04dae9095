"""The KPIs that people see: the catalogue's and the plant's own, and what each comes to.

A custom KPI never breaks a report: one whose formula cannot be computed (any more) is unknown, and says why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core import exact
from core.errors import Invalid
from core.master_data import precedes
from core.shared_reads import once
from enterprise.models import Machine
from oee.engine.catalogue import ELEMENTS, KPIS
from oee.engine.formulas import Formula, FormulaError, Values
from oee.models import CustomKpi, is_taken

MOST_CUSTOM_KPIS = 200
_PLACES = 12


@dataclass(frozen=True, slots=True)
class Kpi:
    """A KPI as it is shown; `problem` says why its formula cannot be computed, "" = it can."""

    code: str
    name: str
    formula: str
    unit: str
    meaning: str
    source: str
    better: str | None
    is_custom: bool = False
    target: Decimal | None = None
    elements: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ElementValue:
    """What an element came to; None = not known. Seconds, pieces, events or none, as its definition says."""

    code: str
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class KpiValue:
    """What a KPI came to, exactly, and the elements that it follows from; None = not known."""

    kpi: Kpi
    value: Fraction | None
    elements: tuple[ElementValue, ...]


CATALOGUE = tuple(
    Kpi(
        code=kpi.code,
        name=kpi.name,
        formula=kpi.formula.text,
        unit=kpi.unit,
        meaning=kpi.meaning,
        source=kpi.source,
        better=kpi.better,
        elements=tuple(code for code in ELEMENTS if code in kpi.formula.names),
    )
    for kpi in KPIS.values()
)


def kpis_for(user: Any) -> list[Kpi]:
    """Return the catalogue's KPIs and the active custom ones that a person may know of."""
    if not user.may("view", "oee_record"):
        return list(CATALOGUE)
    return [*CATALOGUE, *map(_shown, CustomKpi.objects.visible_to(user).filter(is_active=True))]


def kpis_of(machines: Sequence[Machine]) -> list[Kpi]:
    """Return the KPIs that hold for some machines: those of one site hold where all machines are of that site."""
    sites = {machine.line.area.site_id for machine in machines}
    own = once("custom KPIs", lambda: list(CustomKpi.objects.filter(is_active=True)), kept=True)
    custom = [kpi for kpi in own if kpi.site_id is None or sites == {kpi.site_id}]
    return [*CATALOGUE, *map(_shown, custom)]


def values_of(values: Values, kpis: Iterable[Kpi]) -> list[KpiValue]:
    """Return what KPIs come to, given the elements by code (`oee.kpi_elements`)."""
    return [
        KpiValue(
            kpi,
            None if kpi.problem else _formula(kpi).evaluate(values),
            tuple(ElementValue(code, values.get(code)) for code in kpi.elements),
        )
        for kpi in kpis
    ]


def kpi_problem(custom: CustomKpi) -> str:
    """Say why a custom KPI's formula cannot be computed; "" = it can."""
    if is_taken(custom.code):
        return "The catalogue has this code by now; choose another."
    try:
        Formula.parse(custom.formula).check(ELEMENTS)
    except FormulaError as error:
        return f"Its formula cannot be computed: {error}"
    return ""


def decimal_text(value: Fraction | None) -> str | None:
    """Return a value to 12 places, rounded half to even, however large it is."""
    return exact.decimal_text(value, _PLACES)


def _formula(kpi: Kpi) -> Formula:
    return Formula.parse(kpi.formula) if kpi.is_custom else KPIS[kpi.code].formula


def _shown(custom: CustomKpi) -> Kpi:
    """Return a custom KPI as it is shown. What was right when it was stored need not be any more."""
    try:
        names = Formula.parse(custom.formula).names
    except FormulaError:
        names = frozenset()
    return Kpi(
        code=custom.code,
        name=custom.name,
        formula=custom.formula,
        unit=custom.unit,
        meaning=custom.meaning,
        source="Defined by the plant",
        better=custom.better or None,
        is_custom=True,
        target=custom.target,
        elements=(*(code for code in ELEMENTS if code in names), *sorted(names - ELEMENTS.keys())),
        problem=kpi_problem(custom),
    )


@precedes(CustomKpi)
def refuse_too_many(kpi: CustomKpi) -> None:
    """Raise Invalid for one more active custom KPI than a report is bounded to."""
    if kpi.is_active and CustomKpi.objects.filter(is_active=True).exclude(pk=kpi.pk).count() >= MOST_CUSTOM_KPIS:
        raise Invalid(f"There are {MOST_CUSTOM_KPIS} active custom KPIs; switch one off first.", field="is_active")
