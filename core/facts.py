"""Append facts set-wise: idempotent, order-independent, safe with many writers.

A fact has a natural key of (owner, moment). The same fact again changes nothing; another value for a stored key is a
conflict: the stored one stays, and the other goes back to whoever keeps refused items.
"""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import psycopg
from django.db import connection

Key = tuple[int, datetime]
Value = TypeVar("Value", bound=Hashable)


class Verdict(StrEnum):
    """What became of a delivered fact."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Answer(Generic[Value]):
    """The verdict on one fact; `stored` is the value that a conflicting one met."""

    verdict: Verdict
    stored: Value | None = None


_ACCEPTED: Answer[Any] = Answer(Verdict.ACCEPTED)
_DUPLICATE: Answer[Any] = Answer(Verdict.DUPLICATE)


def append(
    facts: Sequence[tuple[Key, Value]],
    *,
    insert: Callable[[Mapping[Key, Value]], set[Key]],
    look_up: Callable[[list[Key]], dict[Key, Value]],
) -> tuple[list[Answer[Value]], set[Key]]:
    """Append facts through `insert`, and answer each in the order given; also return the keys that are new.

    `insert` gets facts by key and returns the keys it stored (`insert_new`); `look_up` returns what is stored under the
    others, in a later statement, so that a concurrent writer's commit is seen. Of two facts with one key in the same
    delivery, the first counts.
    """
    first: dict[Key, Value] = {}
    for key, value in facts:
        first.setdefault(key, value)
    new = insert(first)
    if len(new) == len(facts):
        return [_ACCEPTED] * len(facts), new
    known = look_up([key for key in first if key not in new]) if len(new) < len(first) else {}
    answers: list[Answer[Value]] = []
    answered: set[Key] = set()
    for key, value in facts:
        stored = first[key] if key in new else known[key]
        if value != stored:
            answers.append(Answer(Verdict.CONFLICT, stored))
        elif key in new and key not in answered:
            answers.append(_ACCEPTED)
        else:
            answers.append(_DUPLICATE)
        answered.add(key)
    return answers, new


def insert_new(statement: str, parameters: Sequence[Any], keys: Collection[Key]) -> set[Key]:
    """Run an `INSERT … ON CONFLICT DO NOTHING RETURNING owner, moment` of facts with these keys; return the new ones.

    The statement must insert in key order, or two writers with the same keys in another order would deadlock.
    """
    with fact_cursor() as cursor:
        # When all are new, which is the rule, their number says it without bringing the keys back.
        cursor.execute(
            f"""
            WITH new (owner, moment) AS ({statement})
            SELECT count(*) = {len(keys)}, array_agg(owner) FILTER (WHERE fetched), array_agg(moment) FILTER (WHERE fetched)
            FROM new, (SELECT count(*) < {len(keys)} AS fetched FROM new) AS number
            """,
            parameters,
            binary=True,
        )
        row = cursor.fetchone()
    if row is None:
        raise RuntimeError("An aggregate returned no row.")
    return set(keys) if row[0] else set(zip(row[1] or (), row[2] or (), strict=True))


@contextmanager
def fact_cursor() -> Iterator[psycopg.Cursor[Any]]:
    """Open a cursor on Django's connection, inside its transaction, whose parameters travel apart from the statement.

    Django's own renders parameters into the text of the statement, which costs most of the time of a large batch.
    Write `%b` for arrays: in binary they take half the time of text. Errors are Django's, as from its own cursor.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor
