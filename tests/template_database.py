"""The migrated database that the processes of a test run copy, so that each need not migrate its own.

Migrating takes most of a minute, a copy a second. The template stays for the next run, and is made anew as soon as
something that it was made from has changed.
"""

import hashlib
import os
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from core import embedded_postgres

PROJECT = Path(__file__).resolve().parent.parent
MADE_FROM = ("*/migrations/*.py", "core/partitions.py", "oee/bi/**/*", "products/models/unit.py", "requirements.txt")
"""What decides what the tables and their first rows are."""
LOCK = 0x6D6573
"""Whoever makes the template holds this advisory lock, and the others wait."""


def main() -> None:
    """Make it before the tests begin, which would all wait for it."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    if not os.environ.get("DATABASE_URL"):
        embedded_postgres.ensure_running()
    ensure(name())


def name() -> str:
    """Return what the template of this run is called."""
    return f"{settings.DATABASES['default']['TEST']['NAME']}_template"


def fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for pattern in MADE_FROM for path in PROJECT.glob(pattern) if path.is_file()):
        digest.update(f"{path.relative_to(PROJECT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def ensure(name: str) -> None:
    """Make the template of that name if there is none that fits."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            [name],
        )
        found = cursor.fetchone()
        if found != (fingerprint(),):
            database = sql.Identifier(name)
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(database))
            _migrate(name)
            cursor.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, fingerprint()))


def _migrate(name: str) -> None:
    kept = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept


if __name__ == "__main__":
    main()
