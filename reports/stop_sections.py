"""Parts of reports about stops: by reason, machine and shift, and the longest one by one."""

from datetime import timedelta
from fractions import Fraction

from django.utils.translation import gettext as _

from core.retention import Closed
from enterprise.models import Shift
from oee.pareto import By, gather
from oee.reason_times import reason_times
from oee.reliability import Reliability, reliability_from
from oee.stops import SHORT, stops_of
from reports.asked import MOST_ROWS, Asked
from reports.document import MOMENT, NUMBER, PIECES, RATIO, SECONDS, Bar, Chart, Column, Figure, Row, Section, Table

MOST_STOPS = 25


def top_stops(asked: Asked) -> Section:
    """The reasons that cost the most time."""
    found = gather(asked.answer.times, asked.machines, by=By.REASON)
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
    times = [*asked.answer.times, *reason_times(asked.others, asked.window, now=asked.now)]
    found = gather(times, asked.all_machines, by=By.MACHINE)
    rows = [Row((asked.names[row.key or 0], row.duration, row.occurrences)) for row in found.rows[:MOST_ROWS]]
    by_shift = gather(asked.answer.times, asked.machines, by=By.SHIFT)
    shifts = Shift.objects.in_bulk([row.key for row in by_shift.rows if row.key is not None])
    shift_rows = [
        Row((shifts[row.key].name if row.key else _("outside of shifts"), row.duration, row.occurrences))
        for row in by_shift.rows
    ]
    reliability = reliability_from(asked.sums_by_machine, times)
    together = sum((reliability[machine.pk] for machine in asked.machines), start=Reliability())
    means = [(name, reliability[pk]) for pk, name in asked.names.items()][:MOST_ROWS]
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
                max(0, len(found.rows) - MOST_ROWS),
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
                left_out=len(asked.names) - len(means),
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
            Row((asked.names[stop.machine_id], stop.start, stop.end, stop.duration, asked.reason_name(stop.reason_id)))
            for stop in found[:MOST_STOPS]
        ]
    table = Table(_("Longest stops"), "longest_stops", columns, rows, _("No stop is known."), left)
    return Section(_("Longest stops"), "longest_stops", tables=[table], note=note)
