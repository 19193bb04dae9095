"""Count what was delivered twice or not taken, by machine and hour: the only trace that such items leave."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from core.facts import fact_cursor
from core.intervals import floor_hour


class Trouble(StrEnum):
    """Why a delivered item left no fact."""

    DUPLICATE = "duplicates"
    CONFLICT = "conflicts"
    FUTURE = "future"
    REFUSED = "refused"


class TroubledItem(NamedTuple):
    """A delivered item that left no fact: of which machine, and when it says that it happened."""

    machine_id: int
    occurred_at: datetime
    trouble: Trouble


def tally(items: Iterable[TroubledItem]) -> None:
    """Add items to the tallies of their hours; call it last in the transaction that delivers them.

    Rows are written in key order and after everything else that a delivery locks, so that no two deliveries wait for
    each other in a circle. Without items nothing is done.
    """
    counts: dict[tuple[int, datetime], Counter[Trouble]] = {}
    for machine_id, occurred_at, trouble in items:
        counts.setdefault((machine_id, floor_hour(occurred_at)), Counter())[trouble] += 1
    if not counts:
        return
    keys = sorted(counts)
    columns = [[counts[key][trouble] for key in keys] for trouble in Trouble]
    with fact_cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO oee_deliverytally AS kept (machine_id, starts_at, duplicates, conflicts, future, refused)
            SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[], %s::int[], %s::int[], %s::int[])
                AS item (machine_id, starts_at, duplicates, conflicts, future, refused)
            ORDER BY machine_id, starts_at
            ON CONFLICT (machine_id, starts_at) DO UPDATE SET
                duplicates = kept.duplicates + excluded.duplicates, conflicts = kept.conflicts + excluded.conflicts,
                future = kept.future + excluded.future, refused = kept.refused + excluded.refused
            """,
            [[machine_id for machine_id, _ in keys], [at for _, at in keys], *columns],
        )
