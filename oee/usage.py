"""How long machines ran and how much they made since a moment, from the stored hours: what wears things out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db import connection

from core.intervals import Interval
from enterprise.models import Machine
from oee.hours import bring_up_to_date, whole_hours
from oee.selectors import schemes_of


@dataclass(frozen=True, slots=True)
class Usage:
    """Microseconds of running and pieces made in whole hours; `known_until` is where the last of them ends."""

    running: int
    cycles: Fraction
    known_until: datetime | None


Span = tuple[Machine, datetime, datetime | None]
"""A machine, from when, and until when (None = now)."""


def usage_of(spans: Sequence[Span], *, now: datetime) -> list[Usage]:
    """Return the use of each span, in the order asked; the number of queries does not grow with the spans.

    Counted are the settled clock hours that lie in a span as a whole; so what is worn out is known to the hour. All
    running counts, in and outside of shifts. Pieces are what the machine counts as produced: its total where it counts
    that, else good and reject. The machines' line, area and site are read: select them too.
    """
    machines = {machine.pk: machine for machine, _, _ in spans}
    settled = _settled(spans, machines, now=now)
    if settled is None:
        return [Usage(0, Fraction(0), None) for _ in spans]
    bring_up_to_date(sorted(machines), settled)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT k.number, coalesce(sum(h.running), 0), coalesce(sum(h.good), 0), coalesce(sum(h.reject), 0),
                   coalesce(sum(h.total), 0)
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY AS k (machine, lo, hi, number)
            LEFT JOIN oee_hourslice h ON h.machine_id = k.machine AND h.starts_at >= k.lo
                AND h.starts_at + interval '1 hour' <= k.hi
            GROUP BY k.number ORDER BY k.number
            """,
            [
                [machine.pk for machine, _, _ in spans],
                [since for _, since, _ in spans],
                [min(until or settled.end, settled.end) for _, _, until in spans],
            ],
        )
        rows = cursor.fetchall()
    schemes = schemes_of(sorted(machines))
    return [
        Usage(
            running=int(running),
            cycles=Fraction(total) if schemes[machine.pk].counts_total else Fraction(good) + Fraction(reject),
            known_until=settled.end,
        )
        for (machine, _, _), (_, running, good, reject, total) in zip(spans, rows, strict=True)
    ]


def _settled(spans: Sequence[Span], machines: dict[int, Machine], *, now: datetime) -> Interval | None:
    """Return the settled hours that bear on any span; what nobody knows anything of is left out,
    or it would be stored.
    """
    first = _first_knowledge(sorted(machines)) if machines else None
    if first is None:
        return None
    start = max(first, min(since for _, since, _ in spans))
    return whole_hours(Interval(start, now), list(machines.values()), now=now) if start < now else None


def _first_knowledge(machine_ids: list[int]) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT min(least(
                (SELECT min(starts_at) FROM oee_computedhour WHERE machine_id = m.id),
                (SELECT min(occurred_at) FROM downtime_statehistory WHERE machine_id = m.id),
                (SELECT min(first.occurred_at) FROM counts_counttag tag CROSS JOIN LATERAL (
                    SELECT occurred_at FROM counts_counthistory WHERE tag_id = tag.id ORDER BY occurred_at LIMIT 1
                ) first WHERE tag.machine_id = m.id)
            )) FROM unnest(%s::bigint[]) AS m (id)
            """,
            [machine_ids],
        )
        row = cursor.fetchone()
    return row[0] if row else None
