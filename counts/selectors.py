"""Read what counters said, with people's corrections over it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection

from core.intervals import Interval
from counts.models import CounterEvent


def readings_in(tag_ids: Sequence[int], window: Interval) -> dict[int, list[tuple[datetime, Decimal]]]:
    """Return each tag's (occurred_at, value) in a window and the last reading before it, in order.

    Values are in pulses, as corrected; a void reading is left out, also as the last one before. Tags without any
    reading are absent.
    """
    readings: dict[int, list[tuple[datetime, Decimal]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH word AS (
                SELECT DISTINCT ON (tag_id, occurred_at) tag_id, occurred_at, value FROM counts_countcorrection
                WHERE tag_id = ANY(%(tags)s) ORDER BY tag_id, occurred_at, id DESC
            ), before AS (
                SELECT last.* FROM unnest(%(tags)s::bigint[]) AS tag (id) CROSS JOIN LATERAL (
                    SELECT fact.tag_id, fact.occurred_at, fact.value FROM counts_counthistory fact
                    WHERE fact.tag_id = tag.id AND fact.occurred_at < %(start)s AND NOT EXISTS (
                        SELECT FROM word WHERE word.tag_id = fact.tag_id AND word.occurred_at = fact.occurred_at
                        AND word.value IS NULL
                    ) ORDER BY fact.occurred_at DESC LIMIT 1
                ) last
            ), fact AS (
                SELECT * FROM before UNION ALL
                SELECT tag_id, occurred_at, value FROM counts_counthistory
                WHERE tag_id = ANY(%(tags)s) AND occurred_at >= %(start)s AND occurred_at < %(end)s
            )
            SELECT fact.tag_id, fact.occurred_at, CASE WHEN word.tag_id IS NULL THEN fact.value ELSE word.value END
            FROM fact LEFT JOIN word ON word.tag_id = fact.tag_id AND word.occurred_at = fact.occurred_at
            ORDER BY fact.tag_id, fact.occurred_at
            """,
            {"tags": list(tag_ids), "start": window.start, "end": window.end},
        )
        for tag_id, occurred_at, value in cursor.fetchall():
            if value is not None:
                readings[tag_id].append((occurred_at, value))
    return readings


def readings_within(spans: Sequence[tuple[int, Interval]]) -> list[list[tuple[datetime, Decimal]]]:
    """Return, for each span of a tag (by id), its (occurred_at, value) there and the last reading before, in order.

    Values are as in `readings_in`. One query, however many spans.
    """
    found: list[list[tuple[datetime, Decimal]]] = [[] for _ in spans]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH span AS (
                SELECT * FROM unnest(%(tags)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
                    WITH ORDINALITY AS span (tag_id, starts_at, ends_at, number)
            ), word AS (
                SELECT DISTINCT ON (tag_id, occurred_at) tag_id, occurred_at, value FROM counts_countcorrection
                WHERE tag_id = ANY(%(tags)s) ORDER BY tag_id, occurred_at, id DESC
            ), before AS (
                SELECT span.number, last.* FROM span CROSS JOIN LATERAL (
                    SELECT fact.tag_id, fact.occurred_at, fact.value FROM counts_counthistory fact
                    WHERE fact.tag_id = span.tag_id AND fact.occurred_at < span.starts_at AND NOT EXISTS (
                        SELECT FROM word WHERE word.tag_id = fact.tag_id AND word.occurred_at = fact.occurred_at
                        AND word.value IS NULL
                    ) ORDER BY fact.occurred_at DESC LIMIT 1
                ) last
            ), fact AS (
                SELECT * FROM before UNION ALL
                SELECT span.number, fact.tag_id, fact.occurred_at, fact.value
                FROM span JOIN counts_counthistory fact ON fact.tag_id = span.tag_id
                AND fact.occurred_at >= span.starts_at AND fact.occurred_at < span.ends_at
            )
            SELECT fact.number, fact.occurred_at, CASE WHEN word.tag_id IS NULL THEN fact.value ELSE word.value END
            FROM fact LEFT JOIN word ON word.tag_id = fact.tag_id AND word.occurred_at = fact.occurred_at
            ORDER BY fact.number, fact.occurred_at
            """,
            {
                "tags": [tag_id for tag_id, _ in spans],
                "starts": [span.start for _, span in spans],
                "ends": [span.end for _, span in spans],
            },
        )
        for number, occurred_at, value in cursor.fetchall():
            if value is not None:
                found[number - 1].append((occurred_at, value))
    return found


def counter_events_in(tag_ids: Sequence[int], window: Interval) -> dict[int, list[CounterEvent]]:
    """Return each tag's events in a window in the order in which a later one holds over an earlier one.

    That is by moment; of one moment the device's word before people's, and these in the order they were said.
    """
    events: dict[int, list[CounterEvent]] = defaultdict(list)
    found = CounterEvent.objects.filter(tag__in=tag_ids, occurred_at__gte=window.start, occurred_at__lt=window.end)
    for event in sorted(found, key=lambda event: (event.occurred_at, event.stated_by_id is not None, event.pk)):
        events[event.tag_id].append(event)
    return events
