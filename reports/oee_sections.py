"""Parts of reports about OEE: the result, machine by machine and over time, where the time went,
all KPIs and what they follow from.
"""

from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _

from core.intervals import floor_hour
from enterprise.models import Line, Machine
from live.templatetags.live_format import band
from oee.closing import closing_of
from oee.engine import MachineSums
from oee.engine.catalogue import ELEMENTS
from oee.engine.kpis import Kpis
from oee.engine.ledger import ledger
from oee.kpis import KpiValue
from oee.scopes import production_days
from oee.selectors import report
from oee.slicing import SlicesByMachine
from reports.asked import MOST_ROWS, Asked, absolute
from reports.document import MOMENT, PIECES, RATIO, SECONDS, Bar, Chart, Column, Figure, Row, Section, Table, words
from reports.periods import Span, days_in
from screens.explain_asked import policies_in_words

HEADLINES = ("oee_index", "availability", "effectiveness", "quality_ratio")


def headline(asked: Asked) -> Section:
    """OEE and its factors, what was made, and what is odd about the numbers."""
    produced = asked.answer.report.sums.quantities.produced
    figures = [asked.kpi_figure(code) for code in HEADLINES]
    if asked.target is not None:
        figures.append(Figure(_("Goal of OEE"), asked.target, RATIO, "target_oee"))
    figures += [
        *made(asked),
        Figure(_("Produced"), produced, PIECES, "produced", asked.explained("PQ", element=True)),
        asked.kpi_figure("coverage"),
    ]
    note = ""
    if asked.answer.report.kpis.ideal_rate_suspect:
        note = _("Performance is over 100 %: an ideal rate is set too slow, or pieces are counted twice.")
    return Section(_("Result"), "result", figures=figures, note=note, tables=[*_signature(asked)])


def made(asked: Asked) -> list[Figure]:
    """Return the pieces that were made, good and bad."""
    pieces = asked.answer.report.sums.quantities
    return [
        Figure(_("Good pieces"), pieces.good, PIECES, "good", asked.explained("GQ", element=True)),
        Figure(_("Scrap"), pieces.scrap, PIECES, "scrap", asked.explained("SQ", element=True)),
        Figure(_("Rework"), pieces.rework, PIECES, "rework", asked.explained("RQ", element=True)),
    ]


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
    shown = asked.all_machines[:MOST_ROWS]
    standing = {machine.pk for machine in asked.machines}
    rows = []
    for machine in shown:
        rows.append(
            Row(
                (
                    machine.line.name,
                    machine.name,
                    _("yes") if machine.pk in standing else _("no"),
                    *_results(asked.sums_by_machine[machine.pk]),
                ),
                asked.explained_of(machine, "oee_index"),
            )
        )
    columns = (
        Column(_("Line"), "line"),
        Column(_("Machine"), "machine"),
        Column(_("Counts for its line"), "stands_for_line"),
        *_result_columns(),
    )
    left_out = len(asked.all_machines) - len(shown)
    return Section(
        _("By machine"), "machines", tables=[Table(_("By machine"), "machines", columns, rows, left_out=left_out)]
    )


def _result_columns() -> tuple[Column, ...]:
    return (
        Column(_("OEE"), "oee", RATIO),
        Column(_("Availability"), "availability", RATIO),
        Column(_("Performance"), "performance", RATIO),
        Column(_("Quality"), "quality", RATIO),
        Column(_("Good"), "good", PIECES),
        Column(_("Scrap"), "scrap", PIECES),
    )


def _results(sums: MachineSums) -> tuple[Fraction | None, ...]:
    kpis, pieces = Kpis.of(sums), sums.quantities
    return (kpis.oee_index, kpis.availability, kpis.effectiveness, kpis.quality_ratio, pieces.good, pieces.scrap)


def over_time(asked: Asked) -> Section:
    """Hour by hour for a shift or a day, day by day for more."""
    by_day = asked.period.span in (Span.WEEK, Span.MONTH)
    columns = (
        Column(_("Day") if by_day else _("Hour"), "day" if by_day else "hour"),
        *_result_columns(),
    )
    rows, good, oee = [], [], []
    for name, sums in _by_day(asked) if by_day else _by_hour(asked):
        rows.append(Row((name, *_results(sums))))
        index = Kpis.of(sums).oee_index
        good.append(Bar(name, sums.quantities.good, "running"))
        oee.append(Bar(name, index, "ink-soft" if index is None else band(index)))
    title = _("Day by day") if by_day else _("Hour by hour")
    return Section(
        title,
        "over_time",
        charts=[
            Chart(_("Good pieces"), "good", good, PIECES),
            Chart(_("OEE"), "oee", oee, RATIO, goal=asked.target),
        ],
        tables=[Table(title, "over_time", columns, rows, empty=_("Nothing of this time is past yet."))],
    )


def _by_hour(asked: Asked) -> list[tuple[str, MachineSums]]:
    pieces: dict[datetime, SlicesByMachine] = {}
    for machine_id, slices in asked.hours.items():
        for piece in slices:
            pieces.setdefault(piece.key.hour, {}).setdefault(machine_id, []).append(piece)
    dated = len({hour.astimezone(asked.zone).date() for hour in pieces}) > 1
    form = "%m-%d %H:%M" if dated else "%H:%M"
    return [
        (
            f"{hour.astimezone(asked.zone):{form}}",
            _summed(asked, pieces[hour]),
        )
        for hour in sorted(pieces)
    ]


def _by_day(asked: Asked) -> list[tuple[str, MachineSums]]:
    """Return the sums of each production day: from the hours, where days begin at whole ones; else day by day."""
    machine, past = asked.machines[0], asked.past
    if past is None:
        return []
    days = {
        str(day): window
        for day, window in production_days(machine, days_in(machine, past)).items()
        if window.start < past.end and window.end > past.start
    }
    is_cut_at_hours = all(at == floor_hour(at) for window in days.values() for at in (window.start, window.end))
    if not is_cut_at_hours or any(first.end > then.start for first, then in pairwise(days.values())):
        return [
            (day, report(asked.machines, window, now=asked.now, part=asked.part).sums) for day, window in days.items()
        ]
    return [
        (
            day,
            _summed(
                asked,
                {
                    pk: [piece for piece in slices if window.start <= piece.key.hour < window.end]
                    for pk, slices in asked.hours.items()
                },
            ),
        )
        for day, window in days.items()
    ]


def _summed(asked: Asked, slices: SlicesByMachine) -> MachineSums:
    return MachineSums.total(asked.answer.sums.of(machine, slices.get(machine.pk, ())) for machine in asked.machines)


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
