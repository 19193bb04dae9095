"""An empty database after each test that commits: what it wrote goes, what the migrations wrote stays as it was.

Django truncates every table and writes its own rows anew, under other ids. That takes most of a second with so many
tables, waits for whoever still reads, and leaves a server that knows the former ids.
"""

import time

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase
from psycopg import sql

KEPT = "django_migrations"
SCHEMA = "pristine"
"""The rows that the migrations wrote, as they were."""
PATIENCE = 5.0
"""So many seconds may a server of the tests finish what it was asked before the test ended."""


def do_not_wait_for_the_disk() -> None:
    """Let commits in the tests' database not wait for the disk, their servers' too: nobody needs it after a power cut.

    What must outlast a crash of the database is tried on clusters of their own (`torture`).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        database = sql.Identifier(cursor.fetchone()[0])
        cursor.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(database))
        cursor.execute("SET synchronous_commit = off")


def remember() -> None:
    """Keep a copy of the rows that are there before the first test, and clean up with it from now on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone() != (True,):
            # Only a superuser may leave the guards of append-only tables out; Django's own way is slower.
            return
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
        for table in _written(cursor):
            cursor.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(*_both(table)))
    TransactionTestCase._fixture_teardown = lambda case: restore()  # type: ignore[attr-defined]


def restore() -> None:
    """Delete what was written since `remember`, without triggers, and put the first rows back."""
    with connection.cursor() as cursor:
        _await_others(cursor)
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [SCHEMA])
        pristine = [name for (name,) in cursor.fetchall()]
        statements = [sql.SQL("DELETE FROM {}").format(sql.Identifier("public", table)) for table in _written(cursor)]
        for table in pristine:
            copy, own = _both(table)
            statements.append(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(own, copy))
        everything = sql.SQL("; ").join(
            [sql.SQL("BEGIN; SET LOCAL session_replication_role = replica"), *statements, sql.SQL("COMMIT")]
        )
        cursor.execute(everything)


def _written(cursor: CursorWrapper) -> list[str]:
    """Return the tables, and the leaves of partitioned ones, that have or had rows."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> %s"
        " AND pg_relation_size(oid) > 0",
        [KEPT],
    )
    return [name for (name,) in cursor.fetchall()]


def _both(table: str) -> tuple[sql.Identifier, sql.Identifier]:
    return sql.Identifier(SCHEMA, table), sql.Identifier("public", table)


def _await_others(cursor: CursorWrapper) -> None:
    """Wait until nobody else is at work in this database; what is written after the cleaning would stay."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle')"
        )
        if cursor.fetchone() == (False,):
            return
        time.sleep(0.02)
