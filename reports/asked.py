"""What a report is asked about, and what its parts share: worked out once,
each number by the service that screens and REST have it from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.intervals import Interval
from core.spreadsheets import moment_text
from downtime.models import StateReason
from downtime.selectors import all_reasons
from enterprise.models import Enterprise, Machine, Site
from oee.engine import MachineSums
from oee.kpi_elements import Answer, answer
from oee.kpis import KpiValue, kpis_of, values_of
from oee.models import OeePolicy
from oee.questions import Question
from oee.scopes import Place, every_machine_of, machines_of
from oee.selectors import reports_of
from oee.slicing import Part, SlicesByMachine, slices_of
from reports.document import Figure
from reports.periods import Period, Span
from screens.explain_asked import Address, place_words
from workorders.models import WorkOrder

MOST_ROWS = 50


@dataclass(frozen=True)
class Asked:
    """What a report is asked about: a place and its time, or an order; who asks, and when."""

    place: Place
    period: Period
    now: datetime
    user: Any
    order: WorkOrder | None = None
    run_ids: frozenset[int] | None = None

    @cached_property
    def machines(self) -> list[Machine]:
        """The machines that stand for the place."""
        return machines_of(self.place)

    @cached_property
    def all_machines(self) -> list[Machine]:
        """All active machines of the place."""
        return every_machine_of(self.place) or self.machines

    @property
    def window(self) -> Interval:
        """The time."""
        return self.period.window

    @property
    def past(self) -> Interval | None:
        """What of the time is past."""
        end = min(self.window.end, self.now)
        return Interval(self.window.start, end) if end > self.window.start else None

    @cached_property
    def names(self) -> dict[int, str]:
        """What all machines of the place are called, by id."""
        return {machine.pk: machine_name(machine) for machine in self.all_machines}

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone of the place."""
        return self.machines[0].line.area.site.zone

    @cached_property
    def sites(self) -> list[Site]:
        """The sites of its machines."""
        return list({machine.line.area.site_id: machine.line.area.site for machine in self.machines}.values())

    @cached_property
    def part(self) -> Part:
        """What of the machines' work counts."""
        return Part(run_ids=self.run_ids)

    @cached_property
    def answer(self) -> Answer:
        """Everything that KPIs follow from."""
        return answer(Question(self.machines, self.window, self.part), now=self.now, slices=self.slices)

    @cached_property
    def kpis(self) -> dict[str, KpiValue]:
        """All KPIs by code."""
        return {found.kpi.code: found for found in values_of(self.answer.values, kpis_of(self.machines))}

    @cached_property
    def hours(self) -> SlicesByMachine:
        """What the machines did, hour by hour and run by run."""
        return slices_of(self.machines, self.window, now=self.now, part=self.part, by_hour=True, by_run=True)

    @cached_property
    def slices(self) -> SlicesByMachine:
        """The same, only as fine as sums need it: of weeks and months the database adds the hours up."""
        if self.period.span in (Span.SHIFT, Span.DAY):
            return self.hours
        return slices_of(self.machines, self.window, now=self.now, part=self.part)

    @cached_property
    def others(self) -> list[Machine]:
        """The machines of the place that do not stand for it."""
        standing = {machine.pk for machine in self.machines}
        return [machine for machine in self.all_machines if machine.pk not in standing]

    @cached_property
    def sums_by_machine(self) -> dict[int, MachineSums]:
        """The sums of each machine of the place, by its id."""
        found = {machine.pk: self.answer.sums.of(machine, self.slices[machine.pk]) for machine in self.machines}
        others = reports_of(self.others, self.window, now=self.now)
        return found | {pk: report.sums for pk, report in others.items()}

    @cached_property
    def target(self) -> Fraction | None:
        """The goal of OEE at the beginning, where all machines are of one site."""
        if len(self.sites) != 1:
            return None
        row = self.answer.sums.policies[self.sites[0].pk].row_at(self.window.start)
        goal = (row or OeePolicy()).target_oee
        return None if goal is None else Fraction(goal)

    @cached_property
    def reasons(self) -> Mapping[int, StateReason]:
        """All reasons by id."""
        return all_reasons()

    @cached_property
    def address(self) -> Address:
        """Where numbers of this place and time are explained."""
        kind = type(self.place).__name__.lower()
        given = {
            kind: str(self.place.pk),
            "starts_at": moment_text(self.window.start),
            "ends_at": moment_text(self.window.end),
        }
        if self.run_ids is not None and len(self.run_ids) == 1:
            given = {"run": str(next(iter(self.run_ids)))}
        return Address(given)

    def explained(self, code: str, *, element: bool = False) -> str:
        """Return the address at which a KPI or element of the whole is explained; "" where no page has it."""
        if self.run_ids is not None and len(self.run_ids) != 1:
            return ""
        return absolute(self.address.to({"element" if element else "kpi": code}).url)

    def explained_of(self, machine: Machine, code: str) -> str:
        """Return the address at which a machine's KPI is explained."""
        places = [name for name in self.address.parameters if name in ("enterprise", "site", "area", "line", "run")]
        return absolute(self.address.to({"machine": machine.pk, "kpi": code}, without=places).url)

    def kpi_figure(self, code: str) -> Figure:
        """Return a KPI as a figure that leads to how it was computed."""
        found = self.kpis[code]
        kpi = found.kpi
        return Figure(kpi.name, found.value, kpi.unit, kpi.code, self.explained(kpi.code), kpi.problem)

    def reason_name(self, reason_id: int | None) -> str:
        """Return what a reason is called."""
        return _("no reason given") if reason_id is None else str(self.reasons[reason_id])


def some_of(rows: QuerySet[Any, Any], most: int) -> tuple[list[Any], int]:
    """Return the first rows, and how many more there are."""
    some = list(rows[: most + 1])
    return some[:most], max(1, rows.count() - most) if len(some) > most else 0


def machine_name(machine: Machine) -> str:
    """Return what a machine is called, with its line."""
    return f"{machine.line.name} · {machine.name}"


def absolute(address: str) -> str:
    """Return an address of this system with its host, so that it can be followed from a file."""
    return f"{settings.PUBLIC_URL}{address}"


def place_title(place: Place) -> str:
    """Return what a place is called, with its site where it lies in one."""
    match place:
        case Machine():
            return machine_name(place)
        case Site() | Enterprise():
            return str(place.name)
    return place_words(place)
