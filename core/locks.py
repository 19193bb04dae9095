"""Let transactions that do the same thing take turns, where no row stands for it."""

from django.db import connection


def take_turns(what: str, subject_id: int = 0) -> None:
    """Wait until no other transaction does `what` to a subject; hold the turn until the current one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [what, subject_id])
