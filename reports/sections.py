"""The parts that reports are put together from. Every number comes from the service that screens and REST have it from."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.audit_models import AuditEntry
from core.intervals import HOUR, Interval
from core.retention import Closed
from counts.models import CountCorrection
from downtime.models import StateCorrection, StateReason
from enterprise.models import Enterprise, Line, Machine, Shift, Site
from execution.selectors import progress_of
from oee.closing import closing_of
from oee.engine import Slice
from oee.engine.catalogue import ELEMENTS
from oee.engine.kpis import Kpis
from oee.engine.ledger import ledger
from oee.knowledge_changes import change_keys, describe
from oee.kpi_elements import Answer, answer
from oee.kpis import KpiValue, kpis_of, values_of
from oee.models import OeePolicy
from oee.pareto import By, Pareto, pareto
from oee.policies import policies_of
from oee.questions import Question
from oee.reliability import Reliability, reliability_of
from oee.scopes import Place, every_machine_of, machines_of, production_day
from oee.selectors import Part, SlicesByMachine, report, reports_of, slices_of, sums_for
from oee.stops import SHORT, stops_of
from quality.figures import inspected_in
from quality.figures import pareto as defects_by
from quality.models import NonConformance, Signal
from reports.document import (
    MOMENT,
    NUMBER,
    PIECES,
    RATIO,
    SECONDS,
    TEXT,
    Bar,
    Chart,
    Column,
    Figure,
    Row,
    Section,
    Table,
    words,
)
from reports.periods import Period, Span, days_in
from screens.csv_files import moment_text
from screens.explain_asked import Address, place_words, policies_in_words
from workorders.models import Run, WorkOrder

MOST_ROWS = 50
MOST_STOPS = 25
MOST_AUDITED = 500
HEADLINES = ("oee_index", "availability", "effectiveness", "quality_ratio")


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
        return answer(Question(self.machines, self.window, self.part), now=self.now)

    @cached_property
    def kpis(self) -> dict[str, KpiValue]:
        """All KPIs by code."""
        return {found.kpi.code: found for found in values_of(self.answer.values, kpis_of(self.machines))}

    @cached_property
    def hours(self) -> SlicesByMachine:
        """What the machines did, hour by hour and run by run."""
        return slices_of(self.machines, self.window, now=self.now, part=self.part, by_hour=True, by_run=True)

    @cached_property
    def stops_by_reason(self) -> Pareto:
        """What cost the most."""
        return pareto(self.machines, self.window, by=By.REASON, now=self.now)

    @cached_property
    def reasons(self) -> dict[int, StateReason]:
        """All reasons by id."""
        reasons: dict[int, StateReason] = StateReason.objects.without_tree_fields().in_bulk()
        return reasons

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

    def reason_name(self, reason_id: int | None) -> str:
        """Return what a reason is called."""
        return _("no reason given") if reason_id is None else str(self.reasons[reason_id])


def absolute(address: str) -> str:
    """Return an address of this system with its host, so that it can be followed from a file."""
    return f"{settings.PUBLIC_URL}{address}"


# --- OEE ---


def headline(asked: Asked) -> Section:
    """OEE and its factors, what was made, and what is odd about the numbers."""
    kpis, pieces = asked.kpis, asked.answer.report.sums.quantities
    target = _target(asked)
    figures = [_kpi_figure(asked, kpis[code]) for code in HEADLINES]
    if target is not None:
        figures.append(Figure(_("Goal of OEE"), target, RATIO, "target_oee"))
    figures += [
        Figure(_("Good pieces"), pieces.good, PIECES, "good", asked.explained("GQ", element=True)),
        Figure(_("Scrap"), pieces.scrap, PIECES, "scrap", asked.explained("SQ", element=True)),
        Figure(_("Rework"), pieces.rework, PIECES, "rework", asked.explained("RQ", element=True)),
        Figure(_("Produced"), pieces.produced, PIECES, "produced", asked.explained("PQ", element=True)),
        _kpi_figure(asked, kpis["coverage"]),
    ]
    note = ""
    if asked.answer.report.kpis.ideal_rate_suspect:
        note = _("Performance is over 100 %: an ideal rate is set too slow, or pieces are counted twice.")
    return Section(_("Result"), "result", figures=figures, note=note, tables=[*_signature(asked)])


def _kpi_figure(asked: Asked, found: KpiValue) -> Figure:
    kpi = found.kpi
    return Figure(kpi.name, found.value, kpi.unit, kpi.code, asked.explained(kpi.code), kpi.problem)


def _target(asked: Asked) -> Fraction | None:
    """Return the goal of OEE at the end, where all machines are of one site."""
    if len(asked.sites) != 1:
        return None
    row = policies_of([asked.sites[0].pk])[asked.sites[0].pk].row_at(asked.window.start)
    goal = (row or OeePolicy()).target_oee
    return None if goal is None else Fraction(goal)


def _signature(asked: Asked) -> list[Table]:
    """Return what was signed, where the period is a closed shift of one line or machine."""
    if asked.period.shift_id is None or not isinstance(asked.place, Line | Machine):
        return []
    closing = closing_of(asked.place, asked.period.shift_id, asked.period.day)
    if closing is None:
        return []
    signed = closing.numbers["kpis"]["oee"]
    row = Row(
        (closing.signed_as, closing.closed_at, None if signed is None else Fraction(str(signed)), closing.comment),
        absolute(reverse("screens:closed-shift", args=[closing.pk])),
    )
    columns = (
        Column(_("Signed by"), "signed_by"),
        Column(_("At"), "signed_at", MOMENT),
        Column(_("OEE as signed"), "oee_signed", RATIO),
        Column(_("Comment"), "comment"),
    )
    return [Table(_("Signature"), "signature", columns, [row])]


def machines_table(asked: Asked) -> Section:
    """Each machine of the place by itself."""
    found = reports_of(asked.all_machines, asked.window, now=asked.now)
    standing = {machine.pk for machine in asked.machines}
    rows = []
    for machine in asked.all_machines:
        sums, kpis = found[machine.pk].sums, found[machine.pk].kpis
        rows.append(
            Row(
                (
                    machine.line.name,
                    machine.name,
                    _("yes") if machine.pk in standing else _("no"),
                    *_ratios(kpis),
                    sums.quantities.good,
                    sums.quantities.scrap,
                ),
                asked.explained_of(machine, "oee_index"),
            )
        )
    columns = (
        Column(_("Line"), "line"),
        Column(_("Machine"), "machine"),
        Column(_("Counts for its line"), "stands_for_line"),
        *_ratio_columns(),
        Column(_("Good"), "good", PIECES),
        Column(_("Scrap"), "scrap", PIECES),
    )
    return Section(
        _("By machine"),
        "machines",
        tables=[Table(_("By machine"), "machines", columns, rows[:MOST_ROWS], left_out=max(0, len(rows) - MOST_ROWS))],
    )


def _ratio_columns() -> tuple[Column, ...]:
    return (
        Column(_("OEE"), "oee", RATIO),
        Column(_("Availability"), "availability", RATIO),
        Column(_("Performance"), "performance", RATIO),
        Column(_("Quality"), "quality", RATIO),
    )


def _ratios(kpis: Kpis) -> tuple[Fraction | None, ...]:
    return (kpis.oee_index, kpis.availability, kpis.effectiveness, kpis.quality_ratio)


def over_time(asked: Asked) -> Section:
    """Hour by hour for a shift or a day, day by day for more."""
    by_day = asked.period.span in (Span.WEEK, Span.MONTH)
    columns = (
        Column(_("Day") if by_day else _("Hour"), "day" if by_day else "hour"),
        *_ratio_columns(),
        Column(_("Good"), "good", PIECES),
        Column(_("Scrap"), "scrap", PIECES),
    )
    rows, good, oee = [], [], []
    for name, sums in _by_day(asked) if by_day else _by_hour(asked):
        kpis = Kpis.of(sums)
        rows.append(Row((name, *_ratios(kpis), sums.quantities.good, sums.quantities.scrap)))
        good.append(Bar(name, sums.quantities.good, "running"))
        oee.append(Bar(name, kpis.oee_index, _tone(kpis.oee_index)))
    title = _("Day by day") if by_day else _("Hour by hour")
    return Section(
        title,
        "over_time",
        charts=[
            Chart(_("Good pieces"), "good", good, PIECES),
            Chart(_("OEE"), "oee", oee, RATIO, goal=_target(asked)),
        ],
        tables=[Table(title, "over_time", columns, rows, empty=_("Nothing of this time is past yet."))],
    )


def _tone(oee: Fraction | None) -> str:
    if oee is None:
        return "ink-soft"
    return "good" if oee >= Fraction(85, 100) else "fair" if oee >= Fraction(65, 100) else "poor"


def _by_hour(asked: Asked) -> list[tuple[str, Any]]:
    pieces: dict[datetime, SlicesByMachine] = {}
    for machine_id, slices in asked.hours.items():
        for piece in slices:
            pieces.setdefault(piece.key.hour, {}).setdefault(machine_id, []).append(piece)
    sums = sums_for(asked.machines, asked.hours.values())
    dated = len({hour.astimezone(asked.zone).date() for hour in pieces}) > 1
    form = "%m-%d %H:%M" if dated else "%H:%M"
    return [
        (
            f"{hour.astimezone(asked.zone):{form}}",
            sums.report(asked.machines, Interval(hour, hour + HOUR), pieces[hour], now=asked.now).sums,
        )
        for hour in sorted(pieces)
    ]


def _by_day(asked: Asked) -> list[tuple[str, Any]]:
    """Return the sums of each production day: from the hours, where days begin at whole ones; else day by day."""
    machine, past = asked.machines[0], asked.past
    if past is None:
        return []
    windows = [(day, production_day(machine, day)) for day in days_in(machine, past)]
    windows = [
        (day, window) for day, window in windows if window.start < asked.window.end and window.end > asked.window.start
    ]
    ends = [window.end for _day, window in windows]
    cut = all(at.minute == at.second == at.microsecond == 0 for _day, w in windows for at in (w.start, w.end))
    if not cut or any(end > window.start for end, (_day, window) in zip(ends, windows[1:], strict=False)):
        return [
            (str(day), report(asked.machines, window, now=asked.now, part=asked.part).sums)
            for day, window in windows
            if window.start < asked.now
        ]
    sums = sums_for(asked.machines, asked.hours.values())
    found = []
    for day, window in windows:
        of_day = {
            pk: [piece for piece in slices if window.start <= piece.key.hour < window.end]
            for pk, slices in asked.hours.items()
        }
        if window.start < asked.now:
            found.append((str(day), sums.report(asked.machines, window, of_day, now=asked.now).sums))
    return found


def losses(asked: Asked) -> Section:
    """Where planned time went: every second in one class, which add up to the calendar time."""
    found = ledger(asked.answer.report.sums, asked.answer.reasons)
    rows = [
        Row((line.of.name, line.of.factor.value, line.seconds, line.oee_cost)) for line in found.lines if line.seconds
    ]
    rows.append(Row((_("Calendar time"), "", found.calendar_seconds, None), is_sum=True))
    columns = (
        Column(_("Class of time"), "class"),
        Column(_("Factor"), "factor"),
        Column(_("Time"), "seconds", SECONDS),
        Column(_("What OEE would gain without it"), "oee_cost", RATIO),
    )
    return Section(_("Where the time went"), "losses", tables=[Table(_("Classes of time"), "losses", columns, rows)])


def top_stops(asked: Asked) -> Section:
    """The reasons that cost the most time."""
    found = asked.stops_by_reason
    rows = [
        Row((asked.reason_name(row.key), row.duration, row.occurrences, row.lost_pieces, row.cost))
        for row in found.rows[:MOST_ROWS]
    ]
    bars = [
        Bar(asked.reason_name(row.key), Fraction(row.duration // timedelta(microseconds=1), 60_000_000), "unplanned")
        for row in found.rows[:8]
    ]
    currency = asked.sites[0].currency if len(asked.sites) == 1 else ""
    columns = (
        Column(_("Reason"), "reason"),
        Column(_("Time"), "seconds", SECONDS),
        Column(_("Stops"), "stops", NUMBER),
        Column(_("Lost pieces"), "lost_pieces", PIECES),
        Column(_("Cost") + (f" ({currency})" if currency else ""), "cost", NUMBER),
    )
    figures = [
        Figure(_("Stopped in planned time"), found.stopped, SECONDS, "stopped"),
        Figure(_("Without a reason"), found.unexplained, SECONDS, "unexplained"),
        Figure(_("Share without a reason"), found.unexplained_share, RATIO, "unexplained_share"),
    ]
    return Section(
        _("Stops"),
        "stops",
        figures=figures,
        charts=[Chart(_("Minutes by reason"), "stops_by_reason", bars, NUMBER)] if bars else [],
        tables=[
            Table(
                _("Stops by reason"),
                "stops_by_reason",
                columns,
                rows,
                empty=_("Nothing stood in planned time."),
                left_out=max(0, len(found.rows) - MOST_ROWS),
            )
        ],
    )


def stops_by_machine(asked: Asked) -> Section:
    """Which machines stood, and how reliable they were."""
    names = {machine.pk: f"{machine.line.name} · {machine.name}" for machine in asked.all_machines}
    found = pareto(asked.all_machines, asked.window, by=By.MACHINE, now=asked.now)
    rows = [Row((names[row.key or 0], row.duration, row.occurrences)) for row in found.rows[:MOST_ROWS]]
    by_shift = pareto(asked.machines, asked.window, by=By.SHIFT, now=asked.now)
    shifts = Shift.objects.in_bulk([row.key for row in by_shift.rows if row.key is not None])
    shift_rows = [
        Row((shifts[row.key].name if row.key else _("outside of shifts"), row.duration, row.occurrences))
        for row in by_shift.rows
    ]
    reliability = reliability_of(asked.all_machines, asked.window, now=asked.now)
    together = sum((reliability[machine.pk] for machine in asked.machines), start=Reliability())
    means = [(names[pk], row) for pk, row in reliability.items()][:MOST_ROWS]
    columns = (Column(_("Time"), "seconds", SECONDS), Column(_("Stops"), "stops", NUMBER))
    return Section(
        _("Stops by machine and shift"),
        "stops_by_machine",
        figures=[
            Figure(_("Failures"), together.failures, NUMBER, "failures"),
            Figure(_("Mean time between failures"), together.mtbf, SECONDS, "mtbf", asked.explained("mtbf")),
            Figure(_("Mean time to repair"), together.mttr, SECONDS, "mttr", asked.explained("mttr")),
        ],
        tables=[
            Table(
                _("Stops by machine"),
                "by_machine",
                (Column(_("Machine"), "machine"), *columns),
                rows,
                _("Nothing stood in planned time."),
            ),
            Table(
                _("Stops by shift"),
                "by_shift",
                (Column(_("Shift"), "shift"), *columns),
                shift_rows,
                _("Nothing stood in planned time."),
            ),
            Table(
                _("Reliability"),
                "reliability",
                (
                    Column(_("Machine"), "machine"),
                    Column(_("Failures"), "failures", NUMBER),
                    Column(_("MTBF"), "mtbf", SECONDS),
                    Column(_("MTTR"), "mttr", SECONDS),
                    Column(_("MTTF"), "mttf", SECONDS),
                ),
                [Row((name, row.failures, row.mtbf, row.mttr, row.mttf)) for name, row in means],
            ),
        ],
    )


def longest_stops(asked: Asked) -> Section:
    """The longest single stops, each whole."""
    columns = (
        Column(_("Machine"), "machine"),
        Column(_("From"), "starts_at", MOMENT),
        Column(_("To"), "ends_at", MOMENT),
        Column(_("Duration"), "seconds", SECONDS),
        Column(_("Reason"), "reason"),
    )
    names = {machine.pk: f"{machine.line.name} · {machine.name}" for machine in asked.all_machines}
    note, rows, left = "", [], 0
    if asked.past is not None:
        try:
            found = [
                stop
                for stop in stops_of(asked.all_machines, asked.past, now=asked.now)
                if stop.category not in SHORT and stop.scheduled
            ]
        except Closed as closed:
            found, note = [], str(closed.message)
        found.sort(key=lambda stop: (-stop.duration, stop.start))
        left = max(0, len(found) - MOST_STOPS)
        rows = [
            Row((names[stop.machine_id], stop.start, stop.end, stop.duration, asked.reason_name(stop.reason_id)))
            for stop in found[:MOST_STOPS]
        ]
    table = Table(_("Longest stops"), "longest_stops", columns, rows, _("No stop is known."), left)
    return Section(_("Longest stops"), "longest_stops", tables=[table], note=note)


def orders(asked: Asked) -> Section:
    """What was worked on, and what came out of it in this time."""
    past = asked.past
    lines = {machine.line_id for machine in asked.machines}
    runs: list[Run] = []
    if past is not None:
        found = Run.objects.filter(line__in=lines, started_at__lt=past.end).exclude(ended_at__lte=past.start)
        if asked.run_ids is not None:
            found = found.filter(pk__in=asked.run_ids)
        runs = list(found.select_related("line", "work_order__product").order_by("started_at", "id")[: MOST_ROWS + 1])
    sums = sums_for(asked.machines, asked.hours.values())
    rows = []
    for run in runs[:MOST_ROWS]:
        of_run: dict[int, list[Slice]] = {
            machine.pk: [piece for piece in asked.hours[machine.pk] if piece.key.run_id == run.pk]
            for machine in asked.machines
            if machine.line_id == run.line_id
        }
        made = sums.report([m for m in asked.machines if m.line_id == run.line_id], asked.window, of_run, now=asked.now)
        rows.append(
            Row(
                (
                    run.work_order.order_number,
                    str(run.work_order.product or ""),
                    run.line.name,
                    run.started_at,
                    run.ended_at,
                    made.kpis.oee_index,
                    made.sums.quantities.good,
                    made.sums.quantities.scrap,
                ),
                absolute(reverse("screens:order", args=[run.work_order.order_number])),
            )
        )
    columns = (
        Column(_("Order"), "order"),
        Column(_("Product"), "product"),
        Column(_("Line"), "line"),
        Column(_("Began"), "started_at", MOMENT),
        Column(_("Ended"), "ended_at", MOMENT),
        Column(_("OEE"), "oee", RATIO),
        Column(_("Good in this time"), "good", PIECES),
        Column(_("Scrap in this time"), "scrap", PIECES),
    )
    table = Table(_("Orders"), "orders", columns, rows, _("No order ran."), max(0, len(runs) - MOST_ROWS))
    return Section(_("Orders"), "orders", tables=[table])


def all_kpis(asked: Asked) -> Section:
    """Every KPI of the catalogue and of the plant, rounded as screens have it, and to 12 places."""
    rows = [
        Row((found.kpi.name, _reading(found), found.value, found.kpi.formula), asked.explained(found.kpi.code))
        for found in asked.kpis.values()
    ]
    columns = (
        Column(_("KPI"), "kpi"),
        Column(_("Value"), "shown"),
        Column(_("Exact, to 12 places"), "exact", "exact"),
        Column(_("Formula"), "formula"),
    )
    return Section(_("All KPIs"), "kpis", tables=[Table(_("All KPIs"), "kpis", columns, rows)])


def _reading(found: KpiValue) -> str:
    return words(found.value, found.kpi.unit, ZoneInfo("UTC"))


def elements(asked: Asked) -> Section:
    """The elements that KPIs are computed from."""
    rows = [
        Row((code, definition.name, value, definition.unit), asked.explained(code, element=True))
        for code, definition in ELEMENTS.items()
        if (value := asked.answer.values.get(code)) is not None
    ]
    columns = (
        Column(_("Code"), "code"),
        Column(_("Element"), "element"),
        Column(_("Value"), "value", "exact"),
        Column(_("Unit"), "unit"),
    )
    policies = [
        Row((held.holds, name, value))
        for held in policies_in_words(asked.machines, asked.window.start, asked.window.end)
        for name, value in held.words
    ]
    columns_of_policies = (
        Column(_("Holds at"), "holds"),
        Column(_("Question"), "question"),
        Column(_("Decided"), "decided"),
    )
    return Section(
        _("What the numbers follow from"),
        "elements",
        tables=[
            Table(_("Elements"), "elements", columns, rows),
            Table(_("Policies"), "policies", columns_of_policies, policies),
        ],
    )


# --- Quality ---


def inspected(asked: Asked) -> Section:
    """What inspections looked at, what they found, and what the machines sorted out."""
    found = inspected_in([machine.pk for machine in asked.all_machines], asked.window)
    pieces = asked.answer.report.sums.quantities
    figures = [
        _kpi_figure(asked, asked.kpis["quality_ratio"]),
        _kpi_figure(asked, asked.kpis["first_pass_yield"]),
        _kpi_figure(asked, asked.kpis["scrap_ratio"]),
        Figure(_("Good pieces"), pieces.good, PIECES, "good", asked.explained("GQ", element=True)),
        Figure(_("Scrap"), pieces.scrap, PIECES, "scrap", asked.explained("SQ", element=True)),
        Figure(_("Rework"), pieces.rework, PIECES, "rework", asked.explained("RQ", element=True)),
        Figure(_("Units inspected"), found.units, NUMBER, "inspected"),
        Figure(_("Not conforming"), found.nonconforming, NUMBER, "nonconforming"),
        Figure(_("Defects found"), found.defects, NUMBER, "defects"),
    ]
    return Section(_("Result"), "result", figures=figures)


def defects(asked: Asked) -> Section:
    """The most frequent defects of the sites concerned."""
    bars = defects_by(asked.sites, asked.window)
    columns = (
        Column(_("Defect"), "defect"),
        Column(_("Number"), "quantity", NUMBER),
        Column(_("Times found"), "occurrences", NUMBER),
        Column(_("Cost"), "cost", NUMBER),
        Column(_("Share up to here"), "cumulative", RATIO),
    )
    rows = [Row((bar.name, bar.quantity, bar.occurrences, bar.cost, bar.cumulative)) for bar in bars[:MOST_ROWS]]
    charts = [
        Chart(_("Defects"), "defects", [Bar(bar.name, Fraction(bar.quantity), "poor") for bar in bars[:8]], NUMBER)
    ]
    return Section(
        _("Defects at the site"),
        "defects",
        charts=charts if bars else [],
        tables=[
            Table(
                _("Defects by kind"), "defects", columns, rows, _("No defect was found."), max(0, len(bars) - MOST_ROWS)
            )
        ],
    )


def nonconformances(asked: Asked) -> Section:
    """Non-conformances raised in the time, and rules that charts broke."""
    found = NonConformance.objects.filter(
        site__in=asked.sites, raised_at__gte=asked.window.start, raised_at__lt=asked.window.end
    ).order_by("raised_at", "id")
    some = list(found[: MOST_ROWS + 1])
    rows = [
        Row(
            (one.number, one.title, one.get_severity_display(), one.get_status_display(), one.raised_at, one.closed_at),
            absolute(reverse("screens:ncr", args=[one.pk])),
        )
        for one in some[:MOST_ROWS]
    ]
    signals = list(
        Signal.objects.filter(
            chart__site__in=asked.sites, point_at__gte=asked.window.start, point_at__lt=asked.window.end
        )
        .select_related("chart")
        .order_by("point_at", "id")[: MOST_ROWS + 1]
    )
    signal_rows = [
        Row((one.chart.name, one.point_at, one.rule, one.text), absolute(reverse("screens:chart", args=[one.chart_id])))
        for one in signals[:MOST_ROWS]
    ]
    return Section(
        _("Non-conformances and signals"),
        "nonconformances",
        tables=[
            Table(
                _("Non-conformances"),
                "nonconformances",
                (
                    Column(_("Number"), "number"),
                    Column(_("Title"), "title"),
                    Column(_("Severity"), "severity"),
                    Column(_("Status"), "status"),
                    Column(_("Raised"), "raised_at", MOMENT),
                    Column(_("Closed"), "closed_at", MOMENT),
                ),
                rows,
                _("None was raised."),
                max(0, len(some) - MOST_ROWS),
            ),
            Table(
                _("Rules that control charts broke"),
                "signals",
                (
                    Column(_("Chart"), "chart"),
                    Column(_("At"), "at", MOMENT),
                    Column(_("Rule"), "rule"),
                    Column(_("What it says"), "text"),
                ),
                signal_rows,
                _("No rule was broken."),
                max(0, len(signals) - MOST_ROWS),
            ),
        ],
    )


# --- Orders ---


def order_progress(asked: Asked) -> Section:
    """What an order has made of what it should, operation by operation."""
    assert asked.order is not None
    found = progress_of([asked.order], now=asked.now)[asked.order.pk]
    order = asked.order
    share = None if found.made.good is None or not found.target else found.made.good / found.target
    figures = [
        Figure(_("Ordered"), found.target, PIECES, "target"),
        Figure(_("Good"), found.made.good, PIECES, "good"),
        Figure(_("Scrap"), found.made.scrap, PIECES, "scrap"),
        Figure(_("Rework"), found.made.rework, PIECES, "rework"),
        Figure(_("Made of what is ordered"), share, RATIO, "share"),
        Figure(_("Status"), str(order.get_status_display()), TEXT, "status"),
        Figure(_("Due"), order.due_at, MOMENT, "due_at"),
    ]
    rows = [
        Row(
            (
                one.operation.sequence,
                one.operation.name,
                str(one.operation.get_status_display()),
                one.target,
                one.made.good,
                one.made.scrap,
                one.remaining,
            )
        )
        for one in found.operations
    ]
    columns = (
        Column(_("No."), "sequence", NUMBER),
        Column(_("Operation"), "operation"),
        Column(_("Status"), "status"),
        Column(_("Planned"), "planned", PIECES),
        Column(_("Good"), "good", PIECES),
        Column(_("Scrap"), "scrap", PIECES),
        Column(_("Remaining"), "remaining", PIECES),
    )
    return Section(
        _("Progress"),
        "progress",
        figures=figures,
        tables=[Table(_("Operations"), "operations", columns, rows, _("It has no operations."))],
        note=_("In %(unit)s of the order.") % {"unit": order.unit_id or _("pieces")},
    )


# --- Audit ---


def audited(asked: Asked) -> Section:
    """Who did what that has to be provable, as the audit trail has it."""
    found = AuditEntry.objects.filter(site__in=asked.sites, at__gte=asked.window.start, at__lt=asked.window.end)
    entries = list(found.order_by("at", "sequence")[: MOST_AUDITED + 1])
    counted = Counter(entry.action for entry in entries[:MOST_AUDITED])
    columns = (
        Column(_("No."), "sequence", NUMBER),
        Column(_("At"), "at", MOMENT),
        Column(_("Who"), "who"),
        Column(_("Did what"), "action"),
        Column(_("To what"), "subject"),
        Column(_("Hash"), "hash"),
    )
    rows = [
        Row((one.sequence, one.at, one.actor_name or _("the system"), one.action, one.subject, one.content_hash[:16]))
        for one in entries[:MOST_AUDITED]
    ]
    actions = [
        Row((action, number)) for action, number in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    return Section(
        _("Audit trail"),
        "audit",
        tables=[
            Table(
                _("By action"),
                "actions",
                (Column(_("Action"), "action"), Column(_("Number"), "number", NUMBER)),
                actions,
                _("No entry."),
            ),
            Table(_("Entries"), "entries", columns, rows, _("No entry."), max(0, len(entries) - MOST_AUDITED)),
        ],
    )


def corrections(asked: Asked) -> Section:
    """What people corrected of the facts of these machines, whenever these happened."""
    machines = {machine.pk: f"{machine.line.name} · {machine.name}" for machine in asked.all_machines}
    within = {"recorded_at__gte": asked.window.start, "recorded_at__lt": asked.window.end}
    states = list(
        StateCorrection.objects.filter(machine__in=machines, **within)
        .select_related("corrected_by")
        .order_by("recorded_at", "id")[: MOST_AUDITED + 1]
    )
    counts = list(
        CountCorrection.objects.filter(tag__machine__in=machines, **within)
        .select_related("corrected_by", "tag")
        .order_by("recorded_at", "id")[: MOST_AUDITED + 1]
    )
    state_rows = [
        Row(
            (
                one.recorded_at,
                str(one.corrected_by),
                machines[one.machine_id],
                one.starts_at,
                one.ends_at,
                asked.reason_name(one.reason_id) if one.reason_id else _("as the machine said"),
                one.comment,
            )
        )
        for one in states[:MOST_AUDITED]
    ]
    count_rows = [
        Row((one.recorded_at, str(one.corrected_by), one.tag.tag_path, one.occurred_at, one.value, one.comment))
        for one in counts[:MOST_AUDITED]
    ]
    who = (Column(_("At"), "at", MOMENT), Column(_("Who"), "who"))
    return Section(
        _("Corrections of facts"),
        "corrections",
        tables=[
            Table(
                _("Of states"),
                "state_corrections",
                (
                    *who,
                    Column(_("Machine"), "machine"),
                    Column(_("From"), "starts_at", MOMENT),
                    Column(_("To"), "ends_at", MOMENT),
                    Column(_("Reason"), "reason"),
                    Column(_("Comment"), "comment"),
                ),
                state_rows,
                _("Nothing was corrected."),
                max(0, len(states) - MOST_AUDITED),
            ),
            Table(
                _("Of counts"),
                "count_corrections",
                (
                    *who,
                    Column(_("Tag"), "tag"),
                    Column(_("Reading of"), "occurred_at", MOMENT),
                    Column(_("Value"), "value", NUMBER),
                    Column(_("Comment"), "comment"),
                ),
                count_rows,
                _("Nothing was corrected."),
                max(0, len(counts) - MOST_AUDITED),
            ),
        ],
    )


def edits(asked: Asked) -> Section:
    """Edits of what numbers follow from besides facts: calendar, policies, rates, tags."""
    keys = change_keys(user=asked.user, since=asked.window.start, until=asked.window.end)[: MOST_AUDITED + 1]
    some = list(keys)
    rows = [
        Row(
            (
                edit.at,
                edit.by or _("the system"),
                edit.kind.replace("_", " "),
                edit.title,
                edit.action,
                "; ".join(f"{change.field}: {change.old} → {change.new}" for change in edit.changes),
            )
        )
        for edit in describe(some[:MOST_AUDITED])
    ]
    columns = (
        Column(_("At"), "at", MOMENT),
        Column(_("Who"), "who"),
        Column(_("Kind"), "kind"),
        Column(_("What"), "what"),
        Column(_("Did what"), "action"),
        Column(_("Change"), "change"),
    )
    table = Table(_("Edits"), "edits", columns, rows, _("Nothing was edited."), max(0, len(some) - MOST_AUDITED))
    return Section(_("Edits of calendar, policies, rates and tags"), "edits", tables=[table])


def place_title(place: Place) -> str:
    """Return what a place is called, with its site where it lies in one."""
    match place:
        case Machine():
            return f"{place.line.name} · {place.name}"
        case Site() | Enterprise():
            return str(place.name)
    return place_words(place)
