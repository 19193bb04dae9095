"""Time in each reason within planned time, with what it is grouped and priced by: what Pareto and reliability stand on.

Stored hours are summed by the database; only the edges of a window come from the facts, as for `oee.selectors.losses`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from django.db import connection

from core.intervals import Interval
from downtime.models import StateReason
from downtime.selectors import all_reasons
from enterprise.models import Machine
from oee.engine import Calendar, Category, MachineHistory, ReasonSlice, slice_window
from oee.engine.reasons import NO_REASON, ReasonSums, ReasonTraits, TimeInReason
from oee.histories import load_histories
from oee.hours import bring_up_to_date, whole_hours
from oee.models import HourReason
from oee.slicing import EVERYTHING, Part, edges_of, part_condition, stored_at_edge
from products.rates import cycle_times

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
    hour: datetime
    """The clock hour that it is of, or, without `by_hour`, one of them."""
    product_id: int | None = None
    """What was made; None without a run, and where nobody asked (`by_product`)."""


def reason_times(
    machines: Sequence[Machine],
    window: Interval,
    *,
    now: datetime,
    part: Part = EVERYTHING,
    by_hour: bool = False,
    by_product: bool = False,
    histories: Mapping[int, MachineHistory] | None = None,
) -> list[ReasonTime]:
    """Return the time in reasons over the past of a window, inside shifts and outside breaks, running left out.

    Line, area and site of the machines are read. `histories` that reach over the window save loading them for its
    edges.
    """
    if window.start >= now or not machines:
        return []
    past = Interval(window.start, min(window.end, now))
    hours = whole_hours(past, machines, now=now, histories=histories)
    found: list[ReasonTime] = []
    if hours is not None:
        ids = [machine.pk for machine in machines]
        bring_up_to_date(ids, hours)
        found.extend(_stored(ids, hours, part, by_hour, by_product))
    for edge, closed in edges_of(past, hours):
        if closed is not None:
            found.extend(_closed(machines, edge, closed, part, now=now))
            continue
        known = load_histories(machines, edge, now=now) if histories is None else histories
        for machine in machines:
            _, reasons = slice_window(known[machine.pk], edge)
            found.extend(_cut(machine.pk, known[machine.pk], [piece for piece in reasons if part.covers(piece.key)]))
    return found


@dataclass(frozen=True, slots=True)
class Loss:
    """Time spent in one state reason that is not running."""

    reason_id: int | None
    category: Category
    duration: timedelta
    occurrences: int


def losses(machines: Sequence[Machine], window: Interval, *, now: datetime, part: Part = EVERYTHING) -> list[Loss]:
    """Return planned-time losses by reason, longest first: stops, changeovers and unexplained time inside shifts."""
    return ranked(reason_times(machines, window, now=now, part=part))


def ranked(rows: Iterable[ReasonTime]) -> list[Loss]:
    """Return time in reasons summed by reason, the longest first."""
    totals: dict[tuple[int | None, Category], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        total = totals[row.reason_id, row.category]
        total[0] += row.microseconds
        total[1] += row.occurrences
    return sorted(
        (
            Loss(reason_id, category, timedelta(microseconds=microseconds), occurrences)
            for (reason_id, category), (microseconds, occurrences) in totals.items()
        ),
        key=lambda loss: (-loss.duration, loss.reason_id or 0),
    )


def lost_pieces_of(row: ReasonTime) -> Fraction | None:
    """Return the pieces that the time would have yielded at the ideal rate; None where none is known."""
    if row.ideal_cycle_time is None:
        return None
    return Fraction(row.microseconds, _SECOND) / row.ideal_cycle_time


def _stored(
    machine_ids: list[int], hours: Interval, part: Part, by_hour: bool, by_product: bool
) -> Iterator[ReasonTime]:
    condition, parameters = part_condition(part)
    product = (
        """(SELECT product_id FROM workorders_workorder WHERE id =
            (SELECT work_order_id FROM workorders_run WHERE id = run_id))"""
        if by_product
        else "NULL::bigint"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT machine_id, shift_id, reason_id, category, rate_id, sum(microseconds), sum(occurrences), min(starts_at),
                {product}
            FROM oee_hourreason
            WHERE machine_id = ANY(%s) AND starts_at >= %s AND starts_at < %s
                AND calendar = 'scheduled' AND category <> 'running'{condition}
            GROUP BY machine_id, shift_id, reason_id, category, rate_id{", starts_at" if by_hour else ""}
                {", run_id" if by_product else ""}
            """,
            [machine_ids, hours.start, hours.end, *parameters],
        )
        rows: list[Any] = cursor.fetchall()
    cycles = cycle_times({row[4] for row in rows})
    for machine_id, shift_id, reason_id, category, rate_id, microseconds, occurrences, hour, product_id in rows:
        yield ReasonTime(
            machine_id=machine_id,
            shift_id=shift_id,
            reason_id=reason_id,
            category=Category(category),
            ideal_cycle_time=None if rate_id is None else cycles[rate_id],
            microseconds=int(microseconds),
            occurrences=int(occurrences),
            hour=hour,
            product_id=product_id,
        )


def _closed(
    machines: Sequence[Machine], edge: Interval, closed: datetime, part: Part, *, now: datetime
) -> Iterator[ReasonTime]:
    """Yield the time in reasons of an edge whose facts are gone, from those stored parts that lie in it as a whole."""
    for machine_id, hour, within, _ in stored_at_edge(machines, edge, closed, part, now=now):
        rows = HourReason.objects.filter(machine=machine_id, starts_at=hour.start, calendar="scheduled")
        for row in rows.exclude(category="running").select_related("rate", "run__work_order"):
            if (Calendar.SCHEDULED, row.shift_id, row.shift_date, row.run_id) in within:
                yield ReasonTime(
                    machine_id=machine_id,
                    shift_id=row.shift_id,
                    reason_id=row.reason_id,
                    category=Category(row.category),
                    ideal_cycle_time=row.rate.ideal_cycle_time if row.rate else None,
                    microseconds=row.microseconds,
                    occurrences=row.occurrences,
                    hour=hour.start,
                    product_id=row.run.work_order.product_id if row.run else None,
                )


def _cut(machine_id: int, history: MachineHistory, reasons: Iterable[ReasonSlice]) -> Iterator[ReasonTime]:
    cycle_times = {rate.rate_id: rate.ideal_cycle_time for rate in history.rates}
    products = {run.run_id: run.product_id for run in history.runs}
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
            hour=piece.key.hour,
            product_id=products.get(piece.key.run_id or 0),
        )


class Traits:
    """What the plant says of each of its reasons."""

    def __init__(self) -> None:
        self._traits = {
            pk: ReasonTraits(
                is_failure=bool(reason.is_failure),
                waits=bool(reason.waits_for),
                is_corrective=reason.maintenance == StateReason.Maintenance.CORRECTIVE,
                is_preventive=reason.maintenance == StateReason.Maintenance.PREVENTIVE,
                explains=reason.explains,
            )
            for pk, reason in all_reasons().items()
        }

    def of(self, reason_id: int | None) -> ReasonTraits:
        """Return what holds of a reason, or of none."""
        return NO_REASON if reason_id is None else self._traits[reason_id]

    def sums(self, rows: Iterable[ReasonTime]) -> ReasonSums:
        """Return what the reasons of some time add up to."""
        return ReasonSums.of(
            TimeInReason(row.category, self.of(row.reason_id), row.microseconds, row.occurrences) for row in rows
        )
