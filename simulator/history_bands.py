"""The figures that a simulated past should have: each as the MES itself computes it, beside its band."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from core.intervals import Interval
from enterprise.models import Machine
from labor.models import Employee, LaborEntry
from labor.selectors import Hours, hours_of
from materials.balance import mass_balance
from materials.models import Kind, MaterialTransaction
from oee.engine.catalogue import KPIS
from oee.kpi_elements import answer
from oee.questions import Question
from quality.models import Inspection
from scheduling.actuals import actuals_of, adherence_of, entries_of
from simulator.history_facts import Past
from simulator.working_time import DAY
from workorders.models import WorkOrder

_MONTH = 30
_IN_PARTS = 20 * DAY
_LITRE = "l"


@dataclass(frozen=True, slots=True)
class Band:
    """A figure, and between which two it should lie; `of` says which quantity it is measured on."""

    what: str
    value: Fraction | None
    least: Fraction
    most: Fraction
    of: str
    is_share: bool = True

    @property
    def is_in(self) -> bool:
        """Whether it lies there; what is unknown does not."""
        return self.value is not None and self.least <= self.value <= self.most

    def __str__(self) -> str:
        words = (self._said(self.value), f"{self._said(self.least)} – {self._said(self.most)}")
        return f"{self.what:<22}{words[0]:>10}   {words[1]:<20}{'in ' if self.is_in else 'OUT'}  {self.of}"

    def _said(self, value: Fraction | None) -> str:
        if value is None:
            return "unknown"
        return f"{float(value):.1%}" if self.is_share else f"{float(value):,.0f}"


def _share(what: str, value: Fraction | None, least: str, most: str, of: str) -> Band:
    return Band(what, value, Fraction(least) / 100, Fraction(most) / 100, of)


def bands(past: Past) -> list[Band]:
    """Return the figures of a past. What grows with time is meant for 30 days, and taken in proportion."""
    window, now = past.window, past.end
    part = Fraction(past.days, _MONTH)
    codes = [line.constraint.code for line in past.plant.lines]
    machines = list(Machine.objects.filter(code__in=codes).select_related("line__area__site").order_by("pk"))
    values = answer(Question(machines, window), now=now).values

    def kpi(code: str) -> Fraction | None:
        return KPIS[code].formula.evaluate(values)

    orders = WorkOrder.objects.filter(runs__started_at__gte=window.start, runs__started_at__lt=window.end)
    entries = LaborEntry.objects.filter(started_at__gte=window.start, started_at__lt=window.end)
    pace = kpi("effectiveness")
    return [
        _number("orders", orders.distinct().count(), 500 * part, 1_000 * part, "orders that began"),
        _number("labour entries", entries.count(), 10_000 * part, 20_000 * part, "entries that began"),
        _share("OEE", kpi("oee_index"), "75", "85", "KPI oee_index of both fillers"),
        _share("first-pass yield", kpi("first_pass_yield"), "92", "99.5", "KPI first_pass_yield of both fillers"),
        _share("schedule adherence", _adherence(machines, window, past), "75", "90", "entries on time / entries due"),
        _share(
            "cycle variance",
            1 / pace - 1 if pace else None,
            "5",
            "15",
            "time per piece over ideal, 1 / effectiveness − 1",
        ),
        _share("inspections passed", _passed(window), "93", "97", "inspections passed / finished"),
        _share(
            "defect rate", _rest(kpi("inspection_yield")), "2", "4", "units of samples that do not conform / inspected"
        ),
        _number(
            "defects, PPM",
            _ppm(values["DFQ"], values["PQ"]),
            500,
            3_000,
            "defects people noted / pieces made (DFQ / PQ)",
        ),
        _share(
            "labour efficiency", _labour(window, past), "85", "110", "standard time / time it took, direct and set-up"
        ),
        _share("utilisation", kpi("utilisation"), "70", "85", "KPI utilisation of both fillers: PBT / CT"),
        _share(
            "material yield", _yield(past), "95", "98", "litres in bottles in stock / litres used, last week's orders"
        ),
    ]


def _number(what: str, value: Fraction | int | None, least: Fraction | int, most: Fraction | int, of: str) -> Band:
    return Band(what, None if value is None else Fraction(value), Fraction(least), Fraction(most), of, is_share=False)


def _rest(share: Fraction | None) -> Fraction | None:
    return None if share is None else 1 - share


def _ppm(defects: Fraction | None, pieces: Fraction | None) -> Fraction | None:
    return None if defects is None or not pieces else defects / pieces * 1_000_000


def _adherence(machines: Sequence[Machine], window: Interval, past: Past) -> Fraction | None:
    due = on_time = 0
    lines = [machine.line_id for machine in machines]
    for part in _parts(window):
        entries = [entry for entry in entries_of(lines, part) if part.covers(entry.planned_start_at)]
        for found in adherence_of(actuals_of(entries, now=past.end), by="day", now=past.end):
            due, on_time = due + found.due, on_time + found.on_time
    return Fraction(on_time, due) if due else None


def _parts(window: Interval) -> Iterable[Interval]:
    at = window.start
    while at < window.end:
        yield Interval(at, min(at + _IN_PARTS, window.end))
        at += _IN_PARTS


def _passed(window: Interval) -> Fraction | None:
    finished = Inspection.objects.filter(
        finished_at__gte=window.start, finished_at__lt=window.end, plan__code__in=("VB-RUN", "VB-FINAL")
    )
    passed = finished.filter(status=Inspection.Status.PASSED).count()
    return Fraction(passed, finished.count()) if finished.exists() else None


def _labour(window: Interval, past: Past) -> Fraction | None:
    employees = list(Employee.objects.filter(site__code=past.plant.site[0]).values_list("pk", flat=True))
    # People of a year are summed in parts, as an entry lies in one of them or is spread over two.
    total = Hours()
    for part in _parts(window):
        total = sum(hours_of(employees, part, now=past.end + timedelta(hours=1)).values(), start=total)
    return total.labor_efficiency


def _yield(past: Past) -> Fraction | None:
    made = MaterialTransaction.objects.filter(
        kind=Kind.PRODUCE, occurred_at__gte=past.end - 7 * DAY, occurred_at__lt=past.end
    )
    used = produced = Fraction(0)
    for order in WorkOrder.objects.filter(pk__in=made.values("work_order")).select_related("product__unit"):
        for balance in mass_balance(order):
            if balance.unit == _LITRE:
                used, produced = used + Fraction(balance.went_in), produced + Fraction(balance.produced)
    return produced / used if used else None
