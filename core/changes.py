"""Say which span of whose history changed: the link between a fact and the knowledge derived from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from core.facts import fact_cursor


@dataclass(frozen=True, slots=True)
class Change:
    """A half-open UTC span in which one subject's history changed; `until=None` = until further notice."""

    subject_id: int
    start: datetime
    until: datetime | None = None


def mark(changes: Iterable[Change]) -> None:
    """Log the changed spans; call it inside the transaction that makes the change.

    Mark from the changed fact to the next one (or leave it open), never only the point: a concurrent writer's fact
    may lie in between. Marking too much costs time, marking too little costs the truth.
    """
    marks = list(changes)
    if not marks:
        return
    with fact_cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_changedspan (subject_id, changed_from, changed_until)"
            " SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[])",
            [[m.subject_id for m in marks], [m.start for m in marks], [m.until for m in marks]],
        )
