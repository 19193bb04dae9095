"""Read what machines and people said about states."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from core.intervals import Interval
from downtime.models import SignalGap, StateCorrection


def states_in(machine_ids: Sequence[int], window: Interval) -> dict[int, list[tuple[datetime, int, str]]]:
    """Return each machine's (occurred_at, reason id, category) in a window, and of the last one before it."""
    states: dict[int, list[tuple[datetime, int, str]]] = {machine_id: [] for machine_id in machine_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH fact AS (
                SELECT last.* FROM unnest(%(machines)s::bigint[]) AS machine (id) CROSS JOIN LATERAL (
                    SELECT machine_id, occurred_at, reason_id FROM downtime_statehistory
                    WHERE machine_id = machine.id AND occurred_at < %(start)s ORDER BY occurred_at DESC LIMIT 1
                ) last
                UNION ALL
                SELECT machine_id, occurred_at, reason_id FROM downtime_statehistory
                WHERE machine_id = ANY(%(machines)s) AND occurred_at >= %(start)s AND occurred_at < %(end)s
            )
            SELECT fact.machine_id, fact.occurred_at, fact.reason_id, reason.category
            FROM fact JOIN downtime_statereason reason ON reason.id = fact.reason_id
            ORDER BY fact.machine_id, fact.occurred_at
            """,
            {"machines": list(machine_ids), "start": window.start, "end": window.end},
        )
        for machine_id, *state in cursor.fetchall():
            states[machine_id].append(tuple(state))
    return states


def corrections_in(machine_ids: Sequence[int], window: Interval) -> Iterable[StateCorrection]:
    """Return the corrections that touch a window, those that end at its very start included."""
    return StateCorrection.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gte=window.start), machine__in=machine_ids, starts_at__lt=window.end
    ).select_related("reason")


def gaps_in(machine_ids: Sequence[int], window: Interval) -> Iterable[SignalGap]:
    """Return the gaps that touch a window, those that end at its very start included."""
    return SignalGap.objects.filter(machine__in=machine_ids, starts_at__lt=window.end, ends_at__gte=window.start)


@dataclass(frozen=True, slots=True)
class CurrentState:
    """The last thing a machine said about itself."""

    machine_id: int
    since: datetime
    reason_id: int
    detail: str


def current_states(machine_ids: Sequence[int], *, now: datetime) -> dict[int, CurrentState]:
    """Return each machine's state at a moment, since when it lasts; a machine that never said anything is absent.

    `since` looks back over repetitions of the same reason.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT machine.id, coalesce(change.since, last.occurred_at), last.reason_id, last.detail
            FROM unnest(%(machines)s::bigint[]) AS machine (id)
            CROSS JOIN LATERAL (
                SELECT occurred_at, reason_id, detail FROM downtime_statehistory
                WHERE machine_id = machine.id AND occurred_at <= %(now)s ORDER BY occurred_at DESC LIMIT 1
            ) last
            LEFT JOIN LATERAL (
                SELECT occurred_at FROM downtime_statehistory
                WHERE machine_id = machine.id AND occurred_at < last.occurred_at AND reason_id <> last.reason_id
                ORDER BY occurred_at DESC LIMIT 1
            ) other ON TRUE
            LEFT JOIN LATERAL (
                SELECT occurred_at AS since FROM downtime_statehistory
                WHERE machine_id = machine.id AND occurred_at > other.occurred_at
                ORDER BY occurred_at LIMIT 1
            ) change ON TRUE
            """,
            {"machines": list(machine_ids), "now": now},
        )
        return {row[0]: CurrentState(*row) for row in cursor.fetchall()}
