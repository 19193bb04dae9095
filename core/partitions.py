"""Keep tables of facts in one partition per UTC month of their moment, made when its first fact comes.

What lies before the month in which a table was partitioned, or before what was pruned, is in one partition, so that a
device whose clock stands in 1990 makes no hundreds of them. There is no default partition: a month could not be made
any more once the default one holds a row of it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg
from django.db import connection
from psycopg import sql

Month = tuple[int, int]

# A writer never waits longer for a new month than this; whoever sent it comes again.
_PATIENCE = "5s"

_PARTITIONS = """
    SELECT child.relname, pg_get_expr(child.relpartbound, child.oid)
    FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent = %s::text::regclass
"""


class _Known(NamedTuple):
    """What has room: everything before a moment, and some months."""

    until: datetime
    months: frozenset[Month]

    def has_room_for(self, at: datetime) -> bool:
        return at < self.until or (at.year, at.month) in self.months


# By database and table. Only what is committed is remembered, because partitions are made in transactions of their own.
_known: dict[tuple[str, str], _Known] = {}


def forget() -> None:
    """Forget which partitions exist, so that the next writer looks."""
    _known.clear()


def make_room(table: str, moments: Sequence[datetime]) -> None:
    """Make sure that facts of these moments can be stored; costs two comparisons where they can.

    A month is made over a connection of its own and committed at once, whatever becomes of the caller's transaction. It
    is attached, which does not wait for open writes as `PARTITION OF` would; processes that make the same month take
    turns.
    """
    first, last = min(moments).astimezone(UTC), max(moments).astimezone(UTC)
    known = _known.get((connection.settings_dict["NAME"], table))
    if known is not None and (first.year, first.month) == (last.year, last.month):
        if known.has_room_for(first):
            return
        wanted = {(first.year, first.month)}
    else:
        wanted = {(at.year, at.month) for at in (moment.astimezone(UTC) for moment in moments)}
        if known is not None and all(known.has_room_for(_start(month)) for month in wanted):
            return
    _known[connection.settings_dict["NAME"], table] = _make(table, wanted)


def _make(table: str, months: set[Month]) -> _Known:
    connection.ensure_connection()
    own: psycopg.Connection[Any] = psycopg.connect(**_connection_parameters())
    try:
        with own.transaction(), own.cursor() as cursor:
            known = _look(cursor, table)
            missing = sorted(month for month in months if not known.has_room_for(_start(month)))
            if missing:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('core.partitions.' || %s, 0))", [table])
                known = _look(cursor, table)
                for month in missing:
                    if not known.has_room_for(_start(month)):
                        _attach_month(cursor, table, month)
                known = _look(cursor, table)
            return known
    finally:
        own.close()


def _connection_parameters() -> dict[str, Any]:
    parameters = connection.get_connection_params()
    # Facts travel as text here, as everywhere without Django's adapters; moments come back in UTC.
    for of_django in ("context", "cursor_factory"):
        parameters.pop(of_django, None)
    return parameters


def _attach_month(cursor: psycopg.Cursor[Any], table: str, month: Month) -> None:
    start, end = _start(month), _start(_after(month))
    child = sql.Identifier(f"{table}_{month[0]:04d}_{month[1]:02d}")
    cursor.execute(
        sql.SQL("CREATE TABLE {child} (LIKE {table} INCLUDING ALL)").format(child=child, table=sql.Identifier(table))
    )
    cursor.execute(
        sql.SQL("ALTER TABLE {table} ATTACH PARTITION {child} FOR VALUES FROM ({start}) TO ({end})").format(
            table=sql.Identifier(table),
            child=child,
            start=sql.Literal(start.isoformat()),
            end=sql.Literal(end.isoformat()),
        )
    )


def _look(cursor: Any, table: str) -> _Known:
    until, months = datetime.min.replace(tzinfo=UTC), set[Month]()
    for partition in partitions_of(cursor, table):
        if partition.start is None:
            until = partition.end
        else:
            months.add((partition.start.year, partition.start.month))
    return _Known(until, frozenset(months))


def make_alike(table: str, there: psycopg.Cursor[Any], here: psycopg.Cursor[Any]) -> int:
    """Give a table the months that the same table of another database has room for; return how many were made.

    For a database that takes another one's place: processes that go on remember which months they have seen.
    """
    theirs, own = _look(there, table), _look(here, table)
    wanted = set(theirs.months)
    month = (own.until.year, own.until.month)
    while _start(month) < theirs.until:
        wanted.add(month)
        month = _after(month)
    missing = sorted(month for month in wanted if not own.has_room_for(_start(month)))
    for month in missing:
        _attach_month(here, table, month)
    return len(missing)


def partitioned_tables(cursor: psycopg.Cursor[Any]) -> list[str]:
    """Return the tables that are kept in partitions by time."""
    cursor.execute(
        "SELECT relname FROM pg_class JOIN pg_partitioned_table ON partrelid = oid"
        " WHERE relnamespace = 'public'::regnamespace AND partstrat = 'r' ORDER BY 1"
    )
    return [name for (name,) in cursor.fetchall()]


class Partition(NamedTuple):
    """A table that holds the facts from a moment (None = since ever) up to, not including, another."""

    name: str
    start: datetime | None
    end: datetime


def partitions_of(cursor: Any, table: str) -> list[Partition]:
    """Return a table's partitions in order of time."""
    cursor.execute("SET LOCAL TIME ZONE 'UTC'")
    cursor.execute(_PARTITIONS, [table])
    found = []
    for name, bounds in cursor.fetchall():
        # FOR VALUES FROM ('2026-03-01 00:00:00+00') TO ('2026-04-01 00:00:00+00')
        start, end = bounds.removeprefix("FOR VALUES FROM (").removesuffix(")").split(") TO (")
        found.append(Partition(name, None if start == "MINVALUE" else _moment(start), _moment(end)))
    return sorted(found, key=lambda partition: partition.end)


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written.strip("'")).astimezone(UTC)


def _start(month: Month) -> datetime:
    return datetime(*month, 1, tzinfo=UTC)


def _after(month: Month) -> Month:
    return (month[0] + 1, 1) if month[1] == 12 else (month[0], month[1] + 1)


def month_start(at: datetime, *, months_before: int = 0) -> datetime:
    """Return the start of the UTC month of a moment, or of a month before it."""
    at = at.astimezone(UTC)
    year, month = divmod(at.year * 12 + at.month - 1 - months_before, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def partition(cursor: Any, table: str, view: str) -> None:
    """Turn a table with a primary key that holds `occurred_at` into one with monthly partitions; for migrations.

    The table itself becomes the partition of all that came before, so no row moves. Triggers and the view over it are
    the same afterwards.
    """
    old = f"{table}_before"
    triggers, definition = _triggers(cursor, table), _definition(cursor, view)
    name, old_name, view_name = sql.Identifier(table), sql.Identifier(old), sql.Identifier(view)
    cursor.execute(sql.SQL("DROP VIEW {}").format(view_name))
    for trigger in triggers:
        cursor.execute(sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(trigger.name), name))
    cursor.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(name, old_name))
    key = _primary_key(cursor, old)
    cursor.execute(
        sql.SQL("ALTER TABLE {} RENAME CONSTRAINT {} TO {}").format(
            old_name, sql.Identifier(key.name), sql.Identifier(f"{old}_pkey")
        )
    )
    cursor.execute(
        sql.SQL(
            "CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING COMMENTS) PARTITION BY RANGE (occurred_at)"
        ).format(name, old_name)
    )
    cursor.execute(
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(name, sql.Identifier(key.name), sql.SQL(key.definition))
    )
    cursor.execute(
        sql.SQL(
            "SELECT date_trunc('month', greatest(now(), max(occurred_at) + interval '1 month'), 'UTC') FROM {}"
        ).format(old_name)
    )
    until = cursor.fetchone()[0].astimezone(UTC)
    attach_before(cursor, table, old, until)
    for trigger in triggers:
        _create_trigger(cursor, table, trigger)
    cursor.execute(sql.SQL("CREATE VIEW {} AS {}").format(view_name, sql.SQL(definition)))


def attach_before(cursor: Any, table: str, child: str, until: datetime) -> None:
    """Make a table the partition of everything before a moment."""
    cursor.execute(
        sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM (MINVALUE) TO ({})").format(
            sql.Identifier(table), sql.Identifier(child), sql.Literal(until.isoformat())
        )
    )


def unpartition(cursor: Any, table: str, view: str) -> None:
    """Turn a table with monthly partitions back into a plain one with the same rows; for migrations."""
    triggers, definition, key = _triggers(cursor, table), _definition(cursor, view), _primary_key(cursor, table)
    name, parted = sql.Identifier(table), sql.Identifier(f"{table}_parted")
    cursor.execute(sql.SQL("DROP VIEW {}").format(sql.Identifier(view)))
    cursor.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(name, parted))
    cursor.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING COMMENTS)").format(name, parted))
    cursor.execute(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(name, parted))
    cursor.execute(sql.SQL("DROP TABLE {}").format(parted))
    cursor.execute(
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(name, sql.Identifier(key.name), sql.SQL(key.definition))
    )
    for trigger in triggers:
        _create_trigger(cursor, table, trigger)
    cursor.execute(sql.SQL("CREATE VIEW {} AS {}").format(sql.Identifier(view), sql.SQL(definition)))


class _Trigger(NamedTuple):
    name: str
    definition: str
    comment: str | None


class _Constraint(NamedTuple):
    name: str
    definition: str


def _triggers(cursor: Any, table: str) -> list[_Trigger]:
    cursor.execute(
        "SELECT tgname, pg_get_triggerdef(oid), obj_description(oid, 'pg_trigger') FROM pg_trigger"
        " WHERE tgrelid = %s::text::regclass AND NOT tgisinternal ORDER BY tgname",
        [table],
    )
    return [_Trigger(*row) for row in cursor.fetchall()]


def _create_trigger(cursor: Any, table: str, trigger: _Trigger) -> None:
    cursor.execute(sql.SQL(trigger.definition))
    if trigger.comment is not None:
        cursor.execute(
            sql.SQL("COMMENT ON TRIGGER {} ON {} IS {}").format(
                sql.Identifier(trigger.name), sql.Identifier(table), sql.Literal(trigger.comment)
            )
        )


def _definition(cursor: Any, view: str) -> str:
    cursor.execute("SELECT pg_get_viewdef(%s::text::regclass)", [view])
    return str(cursor.fetchone()[0])


def _primary_key(cursor: Any, table: str) -> _Constraint:
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::text::regclass AND contype = 'p'",
        [table],
    )
    return _Constraint(*cursor.fetchone())
