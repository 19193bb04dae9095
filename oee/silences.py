"""Find when machines kept silent for longer than their no-signal timeout, from the moments of their facts alone.

A machine's signals are its states and the readings of all its tags. The search leaps: from a signal to the last one
within the timeout after it, so its cost follows the length of the window in timeouts, not the number of facts.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection

from core.intervals import Interval

_FOREVER = datetime.max.replace(tzinfo=UTC)

# The machine's last signal before a moment, and its first one from a moment on; names in braces are SQL expressions.
LAST_SIGNAL_BEFORE = """greatest(
    (SELECT occurred_at FROM downtime_statehistory WHERE machine_id = {machine} AND occurred_at < {at}
     ORDER BY occurred_at DESC LIMIT 1),
    (SELECT max(last.occurred_at) FROM counts_counttag tag CROSS JOIN LATERAL (
        SELECT occurred_at FROM counts_counthistory WHERE tag_id = tag.id AND occurred_at < {at}
        ORDER BY occurred_at DESC LIMIT 1
     ) last WHERE tag.machine_id = {machine}))"""
FIRST_SIGNAL_FROM = """least(
    (SELECT occurred_at FROM downtime_statehistory WHERE machine_id = {machine} AND occurred_at >= {at}
     ORDER BY occurred_at LIMIT 1),
    (SELECT min(next.occurred_at) FROM counts_counttag tag CROSS JOIN LATERAL (
        SELECT occurred_at FROM counts_counthistory WHERE tag_id = tag.id AND occurred_at >= {at}
        ORDER BY occurred_at LIMIT 1
     ) next WHERE tag.machine_id = {machine}))"""

_MOMENT = "interval '1 microsecond'"
_SILENCES = f"""
WITH RECURSIVE leap (machine_id, timeout, at, silent_from) AS (
    SELECT machine.id, make_interval(secs => machine.no_signal_timeout),
        coalesce({LAST_SIGNAL_BEFORE.format(machine="machine.id", at="%(start)s::timestamptz")}, %(start)s::timestamptz),
        NULL::timestamptz
    FROM enterprise_machine machine WHERE machine.id = ANY(%(machines)s) AND machine.no_signal_timeout IS NOT NULL
    UNION ALL
    SELECT leap.machine_id, leap.timeout,
        CASE WHEN within.at > leap.at THEN within.at
             ELSE {FIRST_SIGNAL_FROM.format(machine="leap.machine_id", at=f"leap.at + {_MOMENT}")} END,
        CASE WHEN within.at > leap.at THEN NULL ELSE leap.at END
    FROM leap CROSS JOIN LATERAL (
        SELECT {LAST_SIGNAL_BEFORE.format(machine="leap.machine_id", at=f"leap.at + leap.timeout + {_MOMENT}")} AS at
    ) within
    WHERE leap.at < %(end)s
)
SELECT machine_id, silent_from, at, extract(epoch FROM timeout)::bigint FROM leap WHERE silent_from IS NOT NULL
"""


def silences_in(machine_ids: Sequence[int], window: Interval, *, now: datetime | None) -> dict[int, list[Interval]]:
    """Return the silences that touch a window (or end at its start),
    each from the machine's last signal to the one that ended it.

    A silence that goes on counts once it is longer than the timeout `now`; None = the window is long past. Machines
    without a timeout, or without a silence, are absent.
    """
    silences: dict[int, list[Interval]] = defaultdict(list)
    if not machine_ids:
        return silences
    with connection.cursor() as cursor:
        cursor.execute(_SILENCES, {"machines": list(machine_ids), "start": window.start, "end": window.end})
        for machine_id, silent_from, resumed_at, timeout in cursor.fetchall():
            if resumed_at is not None or now is None or silent_from + timedelta(seconds=timeout) < now:
                silences[machine_id].append(Interval(silent_from, resumed_at or _FOREVER))
    return silences
