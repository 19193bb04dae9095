"""Throw raw facts away when their time has come, once every hour that they tell of is computed.

Whole months go, by dropping their partitions. Of each table one small partition stays for all that came before, with
what later hours still need: each machine's last state, each counter's last readings, and where later time is judged by
what was before (a running counter's pieces that were begun to be made, a short stop, a row of counts), the facts from
there on. People's corrections, counters' events, gaps stay.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from psycopg import sql
from psycopg.errors import LockNotAvailable

from core.intervals import Interval, floor_hour
from core.locks import take_turns
from core.models import Retention
from core.partitions import Partition, attach_before, month_start, partitions_of
from enterprise.models import Machine
from oee.hours import COUNTED_REACH, MICRO_STOP_REACH, bring_up_to_date, stale_machines
from oee.services import first_knowledge

COUNTS, STATES = "counts_counthistory", "downtime_statehistory"
# A running counter that was silent for longer than this before the time that is closed counts on from its last reading,
# but how much of its silence nobody knew the machine's state is not known any more.
LONGEST_REACH = timedelta(days=31)
# Writers wait behind a lock that waits; less than PostgreSQL waits before it looks for deadlocks.
_PATIENCE = "500ms"
_ATTEMPTS = 20

_REACH = f"""
    SELECT machine.id, greatest(%(furthest)s,
        coalesce(min(boundary.occurred_at), %(closed)s) - {COUNTED_REACH} - {MICRO_STOP_REACH}) AS reach
    FROM enterprise_machine machine
    LEFT JOIN counts_counttag tag ON tag.machine_id = machine.id AND tag.mode = 'running'
    LEFT JOIN LATERAL (
        SELECT fact.occurred_at FROM counts_counthistory fact
        WHERE fact.tag_id = tag.id AND fact.occurred_at < %(closed)s AND NOT EXISTS (
            SELECT FROM (
                SELECT value FROM counts_countcorrection word
                WHERE word.tag_id = fact.tag_id AND word.occurred_at = fact.occurred_at ORDER BY id DESC LIMIT 1
            ) last WHERE last.value IS NULL
        ) ORDER BY fact.occurred_at DESC LIMIT 1
    ) boundary ON TRUE
    GROUP BY machine.id
"""
_KEPT = {
    STATES: f"""
        WITH reached AS ({_REACH})
        SELECT fact.* FROM reached CROSS JOIN LATERAL (
            (SELECT * FROM downtime_statehistory WHERE machine_id = reached.id AND occurred_at < reached.reach
             ORDER BY occurred_at DESC LIMIT 1)
            UNION ALL
            SELECT * FROM downtime_statehistory
            WHERE machine_id = reached.id AND occurred_at >= reached.reach AND occurred_at < %(until)s
        ) fact
    """,
    COUNTS: f"""
        WITH reached AS ({_REACH})
        SELECT DISTINCT ON (tag_id, occurred_at) fact.*
        FROM reached JOIN counts_counttag tag ON tag.machine_id = reached.id CROSS JOIN LATERAL (
            (SELECT * FROM counts_counthistory WHERE tag_id = tag.id AND occurred_at < reached.reach
             ORDER BY occurred_at DESC LIMIT 1)
            UNION ALL
            (SELECT fact.* FROM counts_counthistory fact
             WHERE fact.tag_id = tag.id AND fact.occurred_at < reached.reach AND NOT EXISTS (
                SELECT FROM (
                    SELECT value FROM counts_countcorrection word
                    WHERE word.tag_id = fact.tag_id AND word.occurred_at = fact.occurred_at ORDER BY id DESC LIMIT 1
                ) last WHERE last.value IS NULL
             ) ORDER BY fact.occurred_at DESC LIMIT 1)
            UNION ALL
            SELECT * FROM counts_counthistory
            WHERE tag_id = tag.id AND occurred_at >= reached.reach AND occurred_at < %(until)s
        ) fact
    """,
}


class NotPruned(RuntimeError):
    """Facts and changes kept coming in, so that there was no moment to close; the next attempt may find one."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """What was thrown away, or would be: up to when, and the bytes and rows that partitions held and that were kept."""

    closed_until: datetime
    partitions: tuple[str, ...]
    bytes: int
    rows_kept: int | None = None


def due(*, now: datetime) -> Pruning | None:
    """Return what is to be pruned by the setting; None when nothing is."""
    setting = Retention.objects.first()
    if setting is None or setting.keep_months is None:
        return None
    closed = month_start(now, months_before=setting.keep_months)
    if setting.closed_until is not None and closed <= setting.closed_until:
        return None
    if first_of_all() is None:
        return None
    names = tuple(partition.name for table in (COUNTS, STATES) for partition in _older(table, closed))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(pg_total_relation_size(name::regclass)), 0) FROM unnest(%s::text[]) name", [[*names]]
        )
        (size,) = cursor.fetchone()
    return Pruning(closed, names, int(size))


def first_of_all() -> datetime | None:
    """Return the first moment that facts or stored hours of any machine tell of."""
    firsts = (first_knowledge(machine_id) for machine_id in Machine.objects.values_list("id", flat=True))
    return min((at for at in firsts if at is not None), default=None)


def prune(*, now: datetime, progress: Callable[[str], None] = lambda line: None) -> Pruning | None:
    """Compute every hour of the time that is due, close it, and drop its raw facts; return what was done.

    Closing and dropping is one transaction that begins with locking out every writer of facts and changes, so that
    nothing that was accepted before is left uncounted. It lasts milliseconds; what waits for it goes on after. Raises
    NotPruned when no moment without unfinished changes was found.
    """
    asked = due(now=now)
    if asked is None:
        return None
    for attempt in range(_ATTEMPTS):
        hours = _hours_to_close(asked.closed_until)
        for machine_id, of_machine in hours.items():
            bring_up_to_date([machine_id], of_machine)
        progress(f"The hours of {len(hours)} machines before {asked.closed_until:%Y-%m-%d} UTC are computed.")
        try:
            kept = _close(asked.closed_until)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            kept = None
        if kept is not None:
            return Pruning(asked.closed_until, asked.partitions, asked.bytes, kept)
        time.sleep(0.05 * (attempt + 1))
    raise NotPruned(f"Time up to {asked.closed_until:%Y-%m-%d} could not be closed: its facts kept changing.")


def _hours_to_close(closed: datetime) -> dict[int, Interval]:
    """Return the open hours before a moment of each machine that has any, from the first that anything is known of."""
    before = Retention.objects.values_list("closed_until", flat=True).first()
    hours = {}
    for machine_id in Machine.objects.order_by("id").values_list("id", flat=True):
        first = first_knowledge(machine_id)
        if first is not None:
            start = floor_hour(first) if before is None else max(floor_hour(first), before)
            if start < closed:
                hours[machine_id] = Interval(start, closed)
    return hours


@transaction.atomic
def _close(closed: datetime) -> int | None:
    """Close time and drop its facts; return the rows kept, or None when an hour is not up to date any more."""
    take_turns("oee.prune")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
        # In the order in which writers take them. Marks: people's edits write them without writing facts.
        cursor.execute(f"LOCK TABLE {COUNTS}, {STATES} IN ACCESS EXCLUSIVE MODE")
        cursor.execute("LOCK TABLE core_changedspan IN EXCLUSIVE MODE")
    if any(stale_machines([machine_id], hours) for machine_id, hours in _hours_to_close(closed).items()):
        return None
    Retention.objects.update(closed_until=closed)
    return sum(_drop_before(table, closed) for table in (COUNTS, STATES))


def _drop_before(table: str, closed: datetime) -> int:
    """Drop a table's partitions of closed time; what is kept of them is the new partition of all that came before."""
    gone = _older(table, closed)
    with connection.cursor() as cursor:
        # Where the former "before" reaches further than what is closed, the rest of it is kept too.
        until = max([closed, *(partition.end for partition in gone)])
        kept = sql.Identifier(f"{table}_kept")
        cursor.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(kept, sql.Identifier(table)))
        insert = sql.SQL("INSERT INTO {} {}").format(kept, sql.SQL(_KEPT[table]))
        cursor.execute(insert, {"closed": closed, "furthest": closed - LONGEST_REACH, "until": until})
        rows = int(cursor.rowcount)
        for partition in gone:
            cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(partition.name)))
        before = f"{table}_before"
        key = sql.Identifier(f"{before}_pkey")
        cursor.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(kept, sql.Identifier(before)))
        cursor.execute("SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'", [before])
        (name,) = cursor.fetchone()
        cursor.execute(
            sql.SQL("ALTER TABLE {} RENAME CONSTRAINT {} TO {}").format(
                sql.Identifier(before), sql.Identifier(name), key
            )
        )
        attach_before(cursor, table, before, until)
        _refuse_closed(before, closed)
    return rows


def _refuse_closed(table: str, closed: datetime) -> None:
    """Let the database itself refuse new facts of closed time, however they come."""
    statements = (
        """
        CREATE OR REPLACE FUNCTION refuse_closed_time() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'Time before % is closed', TG_ARGV[0] USING ERRCODE = 'check_violation';
        END $$
        """,
        sql.SQL(
            "CREATE TRIGGER refuse_closed_time BEFORE INSERT ON {} FOR EACH ROW WHEN (NEW.occurred_at < {})"
            " EXECUTE FUNCTION refuse_closed_time({})"
        ).format(sql.Identifier(table), sql.Literal(closed.isoformat()), sql.Literal(closed.isoformat())),
    )
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _older(table: str, closed: datetime) -> list[Partition]:
    with connection.cursor() as cursor:
        return [p for p in partitions_of(cursor, table) if p.start is None or p.end <= closed]
