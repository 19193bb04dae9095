"""The database schema `bi`: views for reporting tools, one SQL file each,
in the order in which they build on each other.
"""

from pathlib import Path
from typing import Any

from django.db import DatabaseError, transaction
from psycopg.errors import UndefinedColumn, UndefinedFunction, UndefinedTable

_FILES = sorted(Path(__file__).parent.glob("*.sql"))


def refresh(schema_editor: Any) -> None:
    """Create the views as the files have them now, in place of what is there; for migrations.

    Call it at the end of a migration that a view needs, and `drop` before one changes a column that a view shows. A
    view that needs what only a later migration brings is left out: that migration calls this again.
    """
    drop(schema_editor)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS bi")
        for file in _FILES:
            try:
                with transaction.atomic(using=schema_editor.connection.alias):
                    cursor.execute(file.read_text())
            except DatabaseError as error:
                if not isinstance(error.__cause__, UndefinedColumn | UndefinedTable | UndefinedFunction):
                    raise


def drop(schema_editor: Any) -> None:
    """Drop the views; rights that a role has by default (`ALTER DEFAULT PRIVILEGES`) come back with `refresh`."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT viewname FROM pg_views WHERE schemaname = 'bi'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP VIEW IF EXISTS bi."{name}" CASCADE')
