"""Ask the database in its own language: for what is asked all the time,
where putting a statement together costs most.
"""

from typing import Any

from django.db import connection


def rows(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a statement; its parameters are named, and a list is an array."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def run(statement: str, **parameters: Any) -> None:
    """Run a statement that returns nothing."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
