"""Time in each reason within planned time, with what it is grouped and priced by: what Pareto and reliability stand on.

Stored hours are summed by the database; only the edges of a window come from the facts, as for `oee.selectors.losses`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db import connection

from core.intervals import Interval
from enterprise.models import Machine
from oee.engine import Calendar, Category, MachineHistory, ReasonSlice, slice_window
from oee.histories import load_histories
from oee.hours import bring_up_to_date, whole_hours
from products.models import IdealRate

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class ReasonTime:
    """Microseconds of a machine in one reason, and how many stretches of it began.

    `ideal_cycle_time` (s per piece) is of the product that was run; None without a run or a rate.
    """

    machine_id: int
    shift_id: int | None
    reason_id: int | None
    category: Category
    ideal_cycle_time: Fraction | None
    microseconds: int
    occurrences: int


def reason_times(machines: Sequence[Machine], window: Interval, *, now: datetime) -> list[ReasonTime]:
    """Return the time in reasons over the past of a window, inside shifts and outside breaks, running left out.

    Line, area and site of the machines are read.
    """
    if window.start >= now or not machines:
        return []
    past = Interval(window.start, min(window.end, now))
    hours = whole_hours(past, machines, now=now)
    found: list[ReasonTime] = []
    edges = [past]
    if hours is not None:
        ids = [machine.pk for machine in machines]
        bring_up_to_date(ids, hours)
        found.extend(_stored(ids, hours))
        bounds = ((past.start, hours.start), (hours.end, past.end))
        edges = [Interval(start, end) for start, end in bounds if start < end]
    for edge in edges:
        for machine_id, history in load_histories(machines, edge, now=now).items():
            _, reasons = slice_window(history, edge)
            found.extend(_cut(machine_id, history, reasons))
    return found


def lost_pieces_of(row: ReasonTime) -> Fraction | None:
    """Return the pieces that the time would have yielded at the ideal rate; None where none is known."""
    if row.ideal_cycle_time is None:
        return None
    return Fraction(row.microseconds, _SECOND) / row.ideal_cycle_time


def _stored(machine_ids: list[int], hours: Interval) -> Iterator[ReasonTime]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT machine_id, shift_id, reason_id, category, rate_id, sum(microseconds), sum(occurrences)
            FROM oee_hourreason
            WHERE machine_id = ANY(%s) AND starts_at >= %s AND starts_at < %s
                AND calendar = 'scheduled' AND category <> 'running'
            GROUP BY machine_id, shift_id, reason_id, category, rate_id
            """,
            [machine_ids, hours.start, hours.end],
        )
        rows: list[Any] = cursor.fetchall()
    rates = IdealRate.objects.in_bulk({row[4] for row in rows if row[4] is not None})
    for machine_id, shift_id, reason_id, category, rate_id, microseconds, occurrences in rows:
        yield ReasonTime(
            machine_id=machine_id,
            shift_id=shift_id,
            reason_id=reason_id,
            category=Category(category),
            ideal_cycle_time=None if rate_id is None else rates[rate_id].ideal_cycle_time,
            microseconds=int(microseconds),
            occurrences=int(occurrences),
        )


def _cut(machine_id: int, history: MachineHistory, reasons: Iterable[ReasonSlice]) -> Iterator[ReasonTime]:
    cycle_times = {rate.rate_id: rate.ideal_cycle_time for rate in history.rates}
    for piece in reasons:
        if piece.key.calendar is not Calendar.SCHEDULED or piece.category is Category.RUNNING:
            continue
        yield ReasonTime(
            machine_id=machine_id,
            shift_id=piece.key.shift_id,
            reason_id=piece.reason_id,
            category=piece.category,
            ideal_cycle_time=cycle_times.get(piece.key.rate_id or 0),
            microseconds=piece.microseconds,
            occurrences=piece.occurrences,
        )
