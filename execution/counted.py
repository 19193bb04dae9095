"""What machines counted in stretches of their time: stored hours summed, the edges from the facts.

The number of queries does not depend on the number of stretches.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db import connection

from core.intervals import Interval, subtract
from core.retention import closed_until
from counts.models import CountTag
from counts.selectors import counter_events_in, readings_within
from enterprise.models import Machine
from oee.engine import CounterEvent, CounterEventKind, CountRole, Reading, read_counter
from oee.histories import tag_config
from oee.hours import STORED_ROLES, bring_up_to_date, whole_hours
from oee.selectors import schemes_of


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces, exact; None = the machine counts nothing that says so, or the facts of an edge are pruned."""

    good: Fraction | None = Fraction(0)
    scrap: Fraction | None = Fraction(0)
    rework: Fraction | None = Fraction(0)

    def __add__(self, other: "Pieces") -> "Pieces":
        return Pieces(plus(self.good, other.good), plus(self.scrap, other.scrap), plus(self.rework, other.rework))

    def times(self, factor: Fraction) -> "Pieces":
        """Return so many times as much."""
        return Pieces(*(None if value is None else value * factor for value in (self.good, self.scrap, self.rework)))


UNKNOWN = Pieces(None, None, None)


def plus(one: Fraction | None, other: Fraction | None) -> Fraction | None:
    """Return a sum; unknown when one of them is."""
    return None if one is None or other is None else one + other


def pieces_of(spans: Sequence[tuple[int, Interval]], *, now: datetime) -> list[Pieces]:
    """Return what a machine (by id) counted in each of some spans of the past."""
    if not spans:
        return []
    machines = {
        machine.pk: machine
        for machine in Machine.objects.filter(pk__in={machine_id for machine_id, _ in spans}).order_by()
    }
    hours = [whole_hours(span, machines.values(), now=now) for _, span in spans]
    sums: list[dict[CountRole, Fraction]] = [defaultdict(Fraction) for _ in spans]
    _add_stored(spans, hours, sums)
    closed = closed_until()
    edges = [
        (number, machine_id, edge)
        for number, ((machine_id, span), whole) in enumerate(zip(spans, hours, strict=True))
        for edge in subtract(span, [] if whole is None else [whole])
    ]
    lost = {number for number, _, edge in edges if closed is not None and edge.start < closed}
    _add_edges([edge for edge in edges if edge[0] not in lost], sums)
    schemes = schemes_of(list(machines))
    counting = set(
        CountTag.objects.filter(machine__in=machines, count_type__role__in=("good", "total")).values_list(
            "machine", flat=True
        )
    )
    found = []
    for number, (machine_id, _) in enumerate(spans):
        made, scheme = sums[number], schemes[machine_id]
        scrap, rework = made.get(CountRole.REJECT, Fraction(0)), made.get(CountRole.REWORK, Fraction(0))
        good = made.get(CountRole.GOOD, Fraction(0))
        if scheme.counts_total and not scheme.counts_good:
            good = made.get(CountRole.TOTAL, Fraction(0)) - scrap - rework
        known = machine_id in counting
        found.append(UNKNOWN if number in lost else Pieces(good if known else None, scrap, rework))
    return found


def _add_stored(
    spans: Sequence[tuple[int, Interval]],
    hours: Sequence[Interval | None],
    sums: Sequence[dict[CountRole, Fraction]],
) -> None:
    asked = [
        (number, machine_id, whole.start, whole.end)
        for number, ((machine_id, _), whole) in enumerate(zip(spans, hours, strict=True))
        if whole is not None
    ]
    if not asked:
        return
    hull = Interval(min(start for *_, start, _ in asked), max(end for *_, end in asked))
    bring_up_to_date(sorted({machine_id for _, machine_id, *_ in asked}), hull)
    columns = ", ".join(f"sum(stored.{role})" for role in STORED_ROLES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT asked.number, {columns}"
            " FROM unnest(%s::int[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])"
            " AS asked (number, machine_id, starts_at, ends_at)"
            " JOIN oee_hourslice stored ON stored.machine_id = asked.machine_id"
            " AND stored.starts_at >= asked.starts_at AND stored.starts_at < asked.ends_at GROUP BY asked.number",
            [list(column) for column in zip(*asked, strict=True)],
        )
        for number, *values in cursor.fetchall():
            for role, value in zip(STORED_ROLES, values, strict=True):
                sums[number][role] += Fraction(value or 0)


def _add_edges(edges: Sequence[tuple[int, int, Interval]], sums: Sequence[dict[CountRole, Fraction]]) -> None:
    tags: dict[int, list[CountTag]] = defaultdict(list)
    machine_ids = {machine_id for _, machine_id, _ in edges}
    for tag in CountTag.objects.filter(machine__in=machine_ids).select_related("count_type").order_by():
        tags[tag.machine_id].append(tag)
    asked = [(number, tag, edge) for number, machine_id, edge in edges for tag in tags[machine_id]]
    if not asked:
        return
    readings = readings_within([(tag.pk, edge) for _, tag, edge in asked])
    running = {tag.pk for _, tag, _ in asked if tag.mode == CountTag.Mode.RUNNING}
    first = min([edge.start for *_, edge in asked] + [found[0][0] for found in readings if found])
    hull = Interval(first, max(edge.end for *_, edge in asked))
    events = counter_events_in(sorted(running), hull) if running else {}
    for (number, tag, edge), found in zip(asked, readings, strict=True):
        if not found:
            continue
        since = min(edge.start, found[0][0])
        happened = [
            CounterEvent(event.occurred_at, CounterEventKind(event.kind), event.value)
            for event in events.get(tag.pk, ())
            if since <= event.occurred_at < edge.end
        ]
        counted, _ = read_counter(tag_config(tag), [Reading(at=at, value=value) for at, value in found], happened)
        for increment in counted:
            if edge.covers(increment.at):
                sums[number][increment.role] += increment.quantity
