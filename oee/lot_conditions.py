"""What was there while a lot was made: machines' states, counts, people, changeovers, set-points,
over the time it took.

The time is that of the runs of the orders that made it, clipped by the productions: a lot is made from when its order
last put another lot in stock until it was put there itself. Whoever knows finer spans gives them instead.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from django.db.models import Q

from core.intervals import Interval, clip, intersect, microseconds, union
from core.retention import Closed
from downtime.models import StateReason
from enterprise.models import Machine
from labor.models import LaborEntry
from materials.models import Kind, MaterialLot, MaterialTransaction
from oee.engine import Calendar, Category
from oee.histories import load_counted
from oee.scopes import machines_on
from oee.selectors import timelines
from workorders.models import Changeover, OrderParameter, Run

MOST_SPANS = 50
LONGEST = timedelta(days=31)
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class MadeSpan:
    """A stretch of time in which an order's run made a lot."""

    run: Run
    span: Interval


@dataclass(frozen=True, slots=True)
class StateTime:
    """How long a machine was in a state, and how often, in planned time (inside shifts, breaks aside) or outside."""

    category: Category
    reason: StateReason | None
    calendar: Calendar
    duration: timedelta
    occurrences: int


@dataclass(frozen=True, slots=True)
class MachineThen:
    """A machine over the spans. `states` is None where the facts of that time are gone (retention)."""

    machine: Machine
    states: tuple[StateTime, ...] | None
    counts: dict[str, Fraction]
    """Pieces by what was counted: good, reject, total, infeed."""


@dataclass(frozen=True, slots=True)
class PersonThen:
    """Somebody worked on the order, or on its line without naming an order, during the spans."""

    entry: LaborEntry
    parts: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What was there while a lot was made. `is_complete` is False where the spans are more than is looked through."""

    lot: MaterialLot
    spans: tuple[MadeSpan, ...]
    machines: tuple[MachineThen, ...]
    people: tuple[PersonThen, ...]
    changeovers: tuple[Changeover, ...]
    set_points: tuple[OrderParameter, ...]
    is_complete: bool


def spans_of(lot: MaterialLot, *, now: datetime) -> list[MadeSpan]:
    """Return when a lot was made, in order; empty when no order made it or its order never ran."""
    made = MaterialTransaction.objects.filter(kind=Kind.PRODUCE, reversed_by__isnull=True)
    own = list(made.filter(lot=lot).values_list("work_order", "occurred_at"))
    by_order: dict[int, list[datetime]] = defaultdict(list)
    for order_id, at in own:
        by_order[order_id or 0].append(at)
    others: dict[int, list[datetime]] = defaultdict(list)
    # Another product's lot comes out beside it (a by-product) and says nothing about when this one began.
    beside = made.filter(work_order__in=by_order, product=lot.product_id).exclude(lot=lot)
    for order_id, at in beside.values_list("work_order", "occurred_at"):
        others[order_id or 0].append(at)
    runs = Run.objects.filter(work_order__in=by_order).select_related("work_order", "line__area__site")
    found = []
    for run in runs.order_by("started_at", "id"):
        end = min(run.ended_at or now, now)
        if run.started_at >= end:
            continue
        window = Interval(run.started_at, end)
        stretches = []
        for at in by_order[run.work_order_id]:
            begin = max((other for other in others[run.work_order_id] if other < at), default=run.started_at)
            if max(begin, run.started_at) < at:
                stretches.append(Interval(max(begin, run.started_at), at))
        found += [MadeSpan(run, span) for span in clip(union(stretches), window)]
    return sorted(found, key=lambda made: made.span)


def what_was_there(lot: MaterialLot, *, now: datetime, spans: Sequence[MadeSpan] | None = None) -> Conditions:
    """Return what was there while a lot was made. `spans` are taken instead of `spans_of`, where they are known finer.

    Looks through the latest 31 days of at most 50 spans; the number of queries grows with the spans, not with the
    table.
    """
    every = spans_of(lot, now=now) if spans is None else sorted(spans, key=lambda made: made.span)
    looked, budget = [], LONGEST
    for made in reversed(every[-MOST_SPANS:]):
        start = max(made.span.start, made.span.end - budget)
        if start >= made.span.end:
            break
        looked.append(MadeSpan(made.run, Interval(start, made.span.end)))
        budget -= made.span.end - start
    looked.reverse()
    orders = {made.run.work_order_id for made in looked}
    return Conditions(
        lot=lot,
        spans=tuple(looked),
        machines=tuple(_machines(looked, now=now)),
        people=tuple(_people(looked, now=now)),
        changeovers=tuple(
            Changeover.objects.filter(run__in={made.run.pk for made in looked})
            .select_related("from_product", "to_product", "line")
            .prefetch_related("phases")
            .order_by("started_at")
        ),
        set_points=tuple(
            OrderParameter.objects.filter(operation__work_order__in=orders)
            .select_related("operation__work_order")
            .order_by("operation__work_order", "operation__sequence", "code")[:MOST_ROWS]
        ),
        is_complete=[made.span for made in looked] == [made.span for made in every],
    )


def _machines(spans: Iterable[MadeSpan], *, now: datetime) -> list[MachineThen]:
    machines: dict[int, Machine] = {}
    totals: dict[int, dict[tuple[Category, int | None, Calendar], list[int]]] = {}
    counts: dict[int, dict[str, Fraction]] = {}
    unknown: set[int] = set()
    on_line: dict[int, list[Machine]] = {}
    for made in spans:
        line = made.run.line
        here = on_line.setdefault(line.pk, machines_on(line))
        for machine in here:
            machines[machine.pk] = machine
            totals.setdefault(machine.pk, {})
            counts.setdefault(machine.pk, {})
        for machine_id, counted in load_counted(here, made.span).items():
            for increment in counted.increments:
                if made.span.covers(increment.at):
                    of_machine = counts[machine_id]
                    of_machine[increment.role] = of_machine.get(increment.role, Fraction(0)) + increment.quantity
        try:
            drawn = timelines(here, made.span, now=now)
        except Closed:
            unknown |= {machine.pk for machine in here}
            continue
        for machine_id, segments in drawn.items():
            before = None
            for segment in segments:
                key = (segment.category, segment.reason_id, segment.calendar)
                total = totals[machine_id].setdefault(key, [0, 0])
                total[0] += microseconds(segment.end - segment.start)
                total[1] += before != (segment.category, segment.reason_id)
                before = (segment.category, segment.reason_id)
    wanted = {reason_id for of_machine in totals.values() for _, reason_id, _ in of_machine if reason_id is not None}
    reasons = StateReason.objects.without_tree_fields().in_bulk(wanted)
    return [
        MachineThen(machine, None if pk in unknown else _states(totals[pk], reasons), counts[pk])
        for pk, machine in machines.items()
    ]


def _states(
    totals: dict[tuple[Category, int | None, Calendar], list[int]], reasons: dict[int, StateReason]
) -> tuple[StateTime, ...]:
    rows = [
        StateTime(category, reasons.get(reason_id or 0), calendar, timedelta(microseconds=total), times)
        for (category, reason_id, calendar), (total, times) in totals.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.duration, row.category, row.calendar)))


def _people(spans: Sequence[MadeSpan], *, now: datetime) -> list[PersonThen]:
    found: dict[int, tuple[LaborEntry, list[Interval]]] = {}
    for made in spans:
        place = Q(line=made.run.line_id) | Q(machine__line=made.run.line_id)
        rows = LaborEntry.objects.filter(
            Q(work_order=made.run.work_order_id) | (Q(work_order__isnull=True) & place),
            Q(ended_at__isnull=True) | Q(ended_at__gt=made.span.start),
            started_at__lt=made.span.end,
        )
        for entry in rows.select_related("employee", "machine").order_by("started_at", "id")[:MOST_ROWS]:
            end = now if entry.ended_at is None else entry.ended_at
            part = intersect(Interval(entry.started_at, end), made.span) if entry.started_at < end else None
            if part is not None:
                found.setdefault(entry.pk, (entry, []))[1].append(part)
    return [PersonThen(entry, tuple(parts)) for entry, parts in found.values()]
