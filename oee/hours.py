"""Keep a machine's hours computed: forget those that a change touched, compute those that are missing.

One function serves readers and the background worker, so a KPI asked for right after a late fact is right. Only whole
hours that are over are kept; the edges of a window come from the facts (`oee.selectors`).

Lock order: one machine's advisory lock, then its rows. A transaction that holds a machine's lock takes no other's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from django.db import connection, transaction

from core.intervals import HOUR, Interval, ceil_hour, floor_hour
from core.locks import take_turns
from core.retention import closed_until
from core.shared_reads import apart, memory
from enterprise.models import Machine
from oee.engine import Category, CounterStep, CountRole, MachineHistory, ReasonSlice, Slice, slice_window
from oee.histories import NOTHING_COUNTED, Counted, load_counted, load_history, settling_time
from oee.silences import FIRST_SIGNAL_FROM, LAST_SIGNAL_BEFORE

# Facts of this many hours are held in memory at once while hours are computed.
HOURS_AT_ONCE = 240

_EXACT = Context(prec=60)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_FOREVER = datetime.max.replace(tzinfo=UTC)
STORED_CATEGORIES = (
    Category.RUNNING,
    Category.UNPLANNED,
    Category.PLANNED,
    Category.CHANGEOVER,
    Category.NOT_SCHEDULED,
    Category.NO_DATA,
    Category.MICRO_STOP,
)
STORED_ROLES = (
    *(CountRole.GOOD, CountRole.REJECT, CountRole.REWORK),
    *(CountRole.INFEED, CountRole.TOTAL, CountRole.STARTUP_REJECT),
)


def whole_hours(
    window: Interval,
    machines: Iterable[Machine],
    *,
    now: datetime,
    histories: Mapping[int, MachineHistory] | None = None,
) -> Interval | None:
    """Return the whole UTC hours of a window that are over and settled for all machines; None when there is none.

    An hour is settled when it cannot turn out any more, without a late fact, that a machine was silent or stood at its
    end, or that its stop was a short one. For `histories` see `settling_time`.
    """
    first = ceil_hour(window.start)
    last = floor_hour(min(window.end, now - settling_time(machines, histories)))
    return Interval(first, last) if first < last else None


def bring_up_to_date(machine_ids: Sequence[int], hours: Interval) -> None:
    """Make sure that every one of these hours of these machines is stored and reflects all committed facts."""
    checked = memory("hours up to date")
    if checked is not None:
        machine_ids = [pk for pk in machine_ids if pk not in checked or not checked[pk].contains(hours)]
    if not machine_ids:
        return
    for machine_id in stale_machines(machine_ids, hours):
        recompute(machine_id, hours)
    if checked is not None:
        checked.update(dict.fromkeys(machine_ids, hours))


# What a change reaches beyond its own span: a silence is bounded by the signals around it, and whether a running
# counter's pieces were made while nobody knew is decided up to its next reading. Where counts say whether a machine
# ran, a piece bears on those that may stand in a row with it, and the first reading of all on everything after it. A
# stop is a micro-stop by its whole length.
COUNTED_REACH = """CASE WHEN machine.stop_detection = 'counts'
    THEN make_interval(secs => machine.stop_after * machine.run_after) ELSE interval '0' END"""
MICRO_STOP_REACH = """make_interval(secs => greatest(
    machine.micro_stop_below, (SELECT max(micro_stop_below) FROM products_product), 0))"""
_COUNT_FROM = """(SELECT max(next.occurred_at) + interval '1 microsecond' FROM counts_counttag tag CROSS JOIN LATERAL (
        SELECT occurred_at FROM counts_counthistory WHERE tag_id = tag.id AND occurred_at >= {hi}
        ORDER BY occurred_at LIMIT 1
     ) next WHERE tag.machine_id = machine.id AND (tag.mode = 'running' OR machine.stop_detection = 'counts'))"""
_REACH_BACK = f"""(least({{lo}},
    CASE WHEN machine.no_signal_timeout IS NOT NULL THEN {LAST_SIGNAL_BEFORE.format(machine="machine.id", at="{lo}")} END
    ) - {COUNTED_REACH} - {MICRO_STOP_REACH})"""
_REACH_ON = f"""(greatest({{hi}},
    CASE WHEN machine.no_signal_timeout IS NOT NULL
         THEN coalesce({FIRST_SIGNAL_FROM.format(machine="machine.id", at="{hi}")}, 'infinity') END,
    CASE WHEN machine.stop_detection = 'counts' AND NOT EXISTS (
        SELECT FROM counts_counttag tag JOIN counts_counthistory later ON later.tag_id = tag.id
        WHERE tag.machine_id = machine.id AND later.occurred_at >= {{hi}}
    ) THEN 'infinity'::timestamptz END,
    {_COUNT_FROM}) + {COUNTED_REACH} + {MICRO_STOP_REACH})"""


# Hours before are final, because their raw facts are gone.
_CLOSED_UNTIL = "coalesce((SELECT closed_until FROM core_retention), '-infinity')"


def stale_machines(machine_ids: Sequence[int], hours: Interval) -> list[int]:
    """Return the machines that lack one of the hours, or have one that a change touched and that is not closed."""
    expected = (hours.end - hours.start) // HOUR
    with connection.cursor() as cursor:
        # First what needs no look at the facts: planning that, with all their partitions, costs more than the answer.
        cursor.execute(
            f"""
            SELECT machine.id, changed.any, coalesce(changed.inside, FALSE) OR %(expected)s > (
                SELECT count(*) FROM oee_computedhour
                WHERE machine_id = machine.id AND starts_at >= %(start)s AND starts_at < %(end)s
            )
            FROM unnest(%(machines)s::bigint[]) AS machine (id) CROSS JOIN LATERAL (
                SELECT count(*) > 0 AS any, bool_or(
                    changed_from < %(end)s AND coalesce(changed_until, 'infinity') > greatest(%(start)s, {_CLOSED_UNTIL})
                    AND %(end)s > {_CLOSED_UNTIL}
                ) AS inside
                FROM core_changedspan WHERE subject_id = machine.id
            ) changed
            """,
            {"machines": list(machine_ids), "start": hours.start, "end": hours.end, "expected": expected},
        )
        found = cursor.fetchall()
        stale = {machine_id for machine_id, _, is_stale in found if is_stale}
        marked = [machine_id for machine_id, is_marked, is_stale in found if is_marked and not is_stale]
        if marked:
            cursor.execute(
                f"""
                SELECT machine.id
                FROM enterprise_machine machine CROSS JOIN LATERAL (
                    SELECT min(changed_from) AS lo, max(coalesce(changed_until, 'infinity')) AS hi
                    FROM core_changedspan WHERE subject_id = machine.id
                ) changed CROSS JOIN LATERAL (
                    SELECT greatest(%(start)s, {_CLOSED_UNTIL}) AS start
                ) open_time
                WHERE machine.id = ANY(%(machines)s) AND open_time.start < %(end)s AND changed.lo IS NOT NULL
                AND {_REACH_BACK.format(lo="changed.lo")} < %(end)s
                AND {_REACH_ON.format(hi="changed.hi")} >= open_time.start
                """,
                {"machines": marked, "start": hours.start, "end": hours.end},
            )
            stale.update(row[0] for row in cursor.fetchall())
        return sorted(stale)


def recompute(machine_id: int, hours: Interval) -> None:
    """Forget the hours of a machine that changes touched, then compute those of `hours` that are missing.

    The marks are taken first and the facts read in later statements: a fact that commits in between is either read
    now, or its mark is still there for the next reader. Both are right.
    """
    # What was read before the marks are taken may lack the very facts that they are of.
    with transaction.atomic(), apart():
        take_turns("oee.hours", machine_id)
        for changed_from, changed_until in _take_marks(machine_id):
            _forget(machine_id, changed_from, changed_until)
        for stretch in _missing(machine_id, hours):
            _store(machine_id, stretch)


def take_changes(machine_id: int) -> None:
    """Forget the hours that changes touched, without computing any; they are computed when they are asked for."""
    with transaction.atomic():
        take_turns("oee.hours", machine_id)
        for changed_from, changed_until in _take_marks(machine_id):
            _forget(machine_id, changed_from, changed_until)


def recompute_from_scratch(machine_id: int, hours: Interval | None) -> None:
    """Drop every stored hour of a machine and compute those of `hours` from the facts."""
    with transaction.atomic():
        take_turns("oee.hours", machine_id)
        _take_marks(machine_id)
        _forget(machine_id, _LONG_AGO, None)
        for stretch in _missing(machine_id, hours) if hours else ():
            _store(machine_id, stretch)


def _take_marks(machine_id: int) -> list[tuple[datetime, datetime | None]]:
    """Delete and return the spans that changed, as far as they reach, joined where they touch."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM core_changedspan WHERE subject_id = %s RETURNING changed_from, changed_until", [machine_id]
        )
        taken = cursor.fetchall()
        if not taken:
            return []
        # In a later statement, so that the facts of every mark that was taken are seen.
        cursor.execute(
            f"""
            SELECT lower(span), nullif(upper(span), 'infinity')
            FROM enterprise_machine machine CROSS JOIN LATERAL unnest((
                SELECT range_agg(tstzrange({_REACH_BACK.format(lo="lo")}, {_REACH_ON.format(hi="hi")}))
                FROM (
                    SELECT lower(span) AS lo, coalesce(upper(span), 'infinity') AS hi FROM unnest((
                        SELECT range_agg(tstzrange(changed_from, changed_until))
                        FROM unnest(%s::timestamptz[], %s::timestamptz[]) AS taken (changed_from, changed_until)
                    )) AS span
                ) AS joined
            )) AS span
            WHERE machine.id = %s
            """,
            [[row[0] for row in taken], [row[1] for row in taken], machine_id],
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]


def _forget(machine_id: int, changed_from: datetime, changed_until: datetime | None) -> None:
    """Delete the hours of a changed span, with the one that begins at its end: what began there may have changed.

    Closed hours stay.
    """
    with connection.cursor() as cursor:
        for table in ("oee_computedhour", "oee_hourslice", "oee_hourreason", "oee_counterstep"):
            cursor.execute(
                f"DELETE FROM {table} WHERE machine_id = %s AND starts_at >= greatest(%s, {_CLOSED_UNTIL})"
                " AND starts_at <= %s",
                [machine_id, floor_hour(changed_from), changed_until or _FOREVER],
            )
        # Shifts that were signed keep their numbers; that they may differ now is for `oee.closing` to look at.
        cursor.execute(
            "INSERT INTO oee_touchedclosing (closing_id) SELECT closing_id FROM oee_closingcheck"
            " WHERE %s = ANY(machine_ids) AND ends_at > %s AND starts_at <= %s",
            [machine_id, floor_hour(changed_from), changed_until or _FOREVER],
        )


def _missing(machine_id: int, hours: Interval) -> Iterator[Interval]:
    """Yield the stretches of hours that are not stored, each at most `HOURS_AT_ONCE` long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT starts_at FROM oee_computedhour WHERE machine_id = %s AND starts_at >= %s AND starts_at < %s",
            [machine_id, hours.start, hours.end],
        )
        stored = {row[0] for row in cursor.fetchall()}
    start: datetime | None = None
    at = hours.start
    while at < hours.end:
        if start is not None and (at in stored or at - start >= HOURS_AT_ONCE * HOUR):
            yield Interval(start, at)
            start = None
        if start is None and at not in stored:
            start = at
        at += HOUR
    if start is not None:
        yield Interval(start, hours.end)


def _store(machine_id: int, stretch: Interval) -> None:
    machine = Machine.objects.select_related("line__area__site").get(pk=machine_id)
    closed = closed_until()
    if closed is not None and stretch.start < closed < stretch.end:
        _store(machine_id, Interval(stretch.start, closed))
        stretch = Interval(closed, stretch.end)
    # An hour of closed time that is missing is one that nobody reported anything of: every other was stored before. The
    # readings that are kept from that time are there to count on from, and were counted by the tag's machine of then.
    is_closed = closed is not None and stretch.end <= closed
    counted = NOTHING_COUNTED if is_closed else load_counted([machine], stretch).get(machine_id, NOTHING_COUNTED)
    store_steps(machine_id, stretch, counted)
    slices, reasons = slice_window(load_history(machine, stretch, counted, now=None), stretch)
    starts = [stretch.start + HOUR * n for n in range((stretch.end - stretch.start) // HOUR)]
    _copy("oee_computedhour", ("machine_id", "starts_at"), ((machine_id, at) for at in starts))
    _copy("oee_hourslice", _SLICE_COLUMNS, (_slice_row(machine_id, piece) for piece in slices))
    _copy("oee_hourreason", _REASON_COLUMNS, (_reason_row(machine_id, piece) for piece in reasons))


def store_steps(machine_id: int, stretch: Interval, counted: Counted) -> None:
    """Replace the counter steps of a stretch of a machine's time; the caller holds the machine's lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM oee_counterstep WHERE machine_id = %s AND occurred_at >= %s AND occurred_at < %s",
            [machine_id, stretch.start, stretch.end],
        )
    if counted.steps:
        _copy("oee_counterstep", _STEP_COLUMNS, (_step_row(machine_id, tag_id, step) for tag_id, step in counted.steps))


_SLICE_COLUMNS = (
    *("machine_id", "starts_at", "calendar", "shift_id", "shift_date", "run_id", "rate_id", "has_data"),
    *STORED_CATEGORIES,
    *STORED_ROLES,
)
_REASON_COLUMNS = (
    *("machine_id", "starts_at", "calendar", "shift_id", "shift_date", "run_id", "rate_id"),
    *("reason_id", "category", "microseconds", "occurrences"),
)

_STEP_COLUMNS = (
    *("machine_id", "starts_at", "tag_id", "before_at", "value_before"),
    *("occurred_at", "value", "verdict", "pulses"),
)


def _copy(table: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def exact_decimal(quantity: Fraction) -> Decimal:
    """Return a quantity as the decimal that it is; counts times scales are finite decimals."""
    return _EXACT.divide(Decimal(quantity.numerator), Decimal(quantity.denominator))


def _slice_row(machine_id: int, piece: Slice) -> tuple[Any, ...]:
    key = piece.key
    return (
        *(machine_id, key.hour, key.calendar.value, key.shift_id, key.shift_date, key.run_id, key.rate_id),
        key.has_data,
        *(piece.microseconds.get(category, 0) for category in STORED_CATEGORIES),
        *(exact_decimal(piece.quantities.get(role, Fraction(0))) for role in STORED_ROLES),
    )


def _reason_row(machine_id: int, piece: ReasonSlice) -> tuple[Any, ...]:
    key = piece.key
    return (
        *(machine_id, key.hour, key.calendar.value, key.shift_id, key.shift_date, key.run_id, key.rate_id),
        *(piece.reason_id, piece.category.value, piece.microseconds, piece.occurrences),
    )


def _step_row(machine_id: int, tag_id: int, step: CounterStep) -> tuple[Any, ...]:
    return (
        *(machine_id, floor_hour(step.after.at), tag_id, step.before.at, step.before.value),
        *(step.after.at, step.after.value, step.verdict.value, step.pulses),
    )
