"""Write what counters say, and what people say about it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, cast

from django.db import transaction

from accounts.models import User
from core.announcements import announce
from core.binary_arrays import BigintArray, MomentArray
from core.changes import Change, mark
from core.errors import Invalid
from core.facts import Answer, Key, append, fact_cursor, insert_new
from core.master_data import follows
from core.partitions import make_room
from core.retention import refuse_closed
from counts.models import CountCorrection, CounterEvent, CountHistory, CountTag

_MOMENT = timedelta(microseconds=1)


class NewReading(NamedTuple):
    """A counter's reading, as somebody reports it; `value` in pulses, exact."""

    tag_id: int
    machine_id: int
    is_running_counter: bool
    occurred_at: datetime
    value: int | Decimal
    source: str = ""


@transaction.atomic(savepoint=False)
def record_readings(readings: Sequence[NewReading], *, recorded_at: datetime) -> list[Answer[int | Decimal]]:
    """Append readings and answer each, in order. Tags must exist and values fit: the caller looked."""
    if not readings:
        return []
    keys = [(reading.tag_id, reading.occurred_at) for reading in readings]
    answers, new = append(
        list(zip(keys, [reading.value for reading in readings], strict=True)),
        insert=lambda facts: _insert(facts, _sources(keys, readings), recorded_at),
        look_up=_look_up,
    )
    if len(new) == len(keys):
        fresh: Sequence[NewReading] = readings
    else:
        fresh = [reading for key, reading in zip(keys, readings, strict=True) if key in new]
    _mark(fresh)
    announce("machine", {reading.machine_id for reading in fresh})
    return answers


def _sources(keys: Sequence[Key], readings: Sequence[NewReading]) -> str | dict[Key, str]:
    """Return who delivered all of them, or who delivered each: of repetitions the first counts."""
    first = readings[0].source
    if all(reading.source == first for reading in readings):
        return first
    return {key: reading.source for key, reading in zip(reversed(keys), reversed(readings), strict=True)}


def _insert(facts: Mapping[Key, int | Decimal], sources: str | dict[Key, str], recorded_at: datetime) -> set[Key]:
    values: BigintArray | list[Decimal]
    if all(type(value) is int for value in facts.values()):
        # An array has one type, and that of whole numbers travels faster.
        number, values = "bigint", BigintArray(cast(list[int], list(facts.values())))
    else:
        number, values = "numeric", [Decimal(value) for value in facts.values()]
    at = [key[1] for key in facts]
    make_room("counts_counthistory", at)
    tag_ids, moments = BigintArray([key[0] for key in facts]), MomentArray(at)
    if isinstance(sources, str):
        arrays, source = "", "%s::text"
        parameters: list[Any] = [recorded_at, sources, tag_ids, moments, values]
    else:
        arrays, source = ", %b::text[]", "source"
        parameters = [recorded_at, tag_ids, moments, values, [sources[key] for key in facts]]
    return insert_new(
        f"""
        INSERT INTO counts_counthistory (tag_id, occurred_at, value, recorded_at, source)
        SELECT tag_id, occurred_at, value, %s, {source}
        FROM unnest(%b::bigint[], %b::timestamptz[], %b::{number}[]{arrays})
            AS fact (tag_id, occurred_at, value{", source" if arrays else ""})
        ORDER BY tag_id, occurred_at
        ON CONFLICT DO NOTHING RETURNING tag_id, occurred_at
        """,
        parameters,
        facts.keys(),
    )


def _look_up(keys: list[Key]) -> dict[Key, int | Decimal]:
    with fact_cursor() as cursor:
        cursor.execute(
            """
            SELECT tag_id, occurred_at, value
            FROM counts_counthistory
            JOIN unnest(%b::bigint[], %b::timestamptz[]) AS wanted (tag_id, occurred_at) USING (tag_id, occurred_at)
            """,
            [[key[0] for key in keys], [key[1] for key in keys]],
        )
        return {(row[0], row[1]): row[2] for row in cursor.fetchall()}


def _mark(fresh: Iterable[NewReading]) -> None:
    """Mark what new readings count: their own moments, and for a running counter up to the next reading, or open."""
    deltas: dict[int, list[datetime]] = {}
    running: dict[tuple[int, int], list[datetime]] = {}
    for reading in fresh:
        if reading.is_running_counter:
            running.setdefault((reading.machine_id, reading.tag_id), []).append(reading.occurred_at)
        else:
            deltas.setdefault(reading.machine_id, []).append(reading.occurred_at)
    changes = [Change(machine_id, min(moments), max(moments) + _MOMENT) for machine_id, moments in deltas.items()]
    if running:
        changes.extend(_until_next_reading(running))
    mark(changes)


def _until_next_reading(running: dict[tuple[int, int], list[datetime]]) -> list[Change]:
    with fact_cursor() as cursor:
        cursor.execute(
            """
            SELECT span.machine_id, min(span.first), CASE WHEN bool_and(following.at IS NOT NULL) THEN max(following.at) END
            FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
                AS span (machine_id, tag_id, first, last)
            LEFT JOIN LATERAL (
                SELECT occurred_at AS at FROM counts_counthistory
                WHERE tag_id = span.tag_id AND occurred_at > span.last ORDER BY occurred_at LIMIT 1
            ) AS following ON TRUE
            GROUP BY span.machine_id
            """,
            [
                [machine_id for machine_id, _ in running],
                [tag_id for _, tag_id in running],
                [min(moments) for moments in running.values()],
                [max(moments) for moments in running.values()],
            ],
        )
        # The next reading's own increment changes too.
        return [Change(row[0], row[1], None if row[2] is None else row[2] + _MOMENT) for row in cursor.fetchall()]


class NewCounterEvent(NamedTuple):
    """Something happened to a running counter, as its device reports it."""

    tag_id: int
    machine_id: int
    occurred_at: datetime
    kind: str
    value: int | Decimal | None
    source: str = ""


EventValue = tuple[str, Decimal | None]
"""Kind and value: what must agree for a delivery to be a repetition."""


@transaction.atomic(savepoint=False)
def record_counter_events(events: Sequence[NewCounterEvent], *, recorded_at: datetime) -> list[Answer[EventValue]]:
    """Append what devices say of their counters and answer each, in order. Tags must exist: the caller looked."""
    if not events:
        return []
    machines = {event.tag_id: event.machine_id for event in events}
    by_key = {(event.tag_id, event.occurred_at): event for event in reversed(events)}
    answers, new = append(
        [
            ((event.tag_id, event.occurred_at), (event.kind, None if event.value is None else Decimal(event.value)))
            for event in events
        ],
        insert=lambda facts: _insert_events(facts, by_key, recorded_at),
        look_up=_look_up_events,
    )
    for tag_id, at in new:
        _mark_step(tag_id, machines[tag_id], at)
    announce("machine", {machines[tag_id] for tag_id, _ in new})
    return answers


def _insert_events(
    facts: Mapping[Key, EventValue], by_key: Mapping[Key, NewCounterEvent], recorded_at: datetime
) -> set[Key]:
    return insert_new(
        """
        INSERT INTO counts_counterevent (tag_id, occurred_at, kind, value, comment, recorded_at, source)
        SELECT tag_id, occurred_at, kind, value, '', %s, source
        FROM unnest(%b::bigint[], %b::timestamptz[], %b::text[], %b::numeric[], %b::text[])
            AS fact (tag_id, occurred_at, kind, value, source)
        ORDER BY tag_id, occurred_at
        ON CONFLICT DO NOTHING RETURNING tag_id, occurred_at
        """,
        [
            recorded_at,
            [key[0] for key in facts],
            [key[1] for key in facts],
            [kind for kind, _ in facts.values()],
            [value for _, value in facts.values()],
            [by_key[key].source for key in facts],
        ],
        facts.keys(),
    )


def _look_up_events(keys: list[Key]) -> dict[Key, EventValue]:
    with fact_cursor() as cursor:
        cursor.execute(
            """
            SELECT tag_id, occurred_at, kind, value
            FROM counts_counterevent
            JOIN unnest(%b::bigint[], %b::timestamptz[]) AS wanted (tag_id, occurred_at) USING (tag_id, occurred_at)
            WHERE stated_by_id IS NULL
            """,
            [[key[0] for key in keys], [key[1] for key in keys]],
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in cursor.fetchall()}


def _mark_step(tag_id: int, machine_id: int, at: datetime) -> None:
    """Mark from a moment up to the tag's next reading, whose increment changes."""
    following = (
        CountHistory.objects.filter(tag_id=tag_id, occurred_at__gte=at)
        .order_by("occurred_at")
        .values_list("occurred_at", flat=True)
        .first()
    )
    mark([Change(machine_id, at, None if following is None else following + _MOMENT)])


@transaction.atomic
def explain_step(
    *,
    tag: CountTag,
    at: datetime,
    kind: str,
    comment: str,
    actor: User,
    recorded_at: datetime,
    value: Decimal | None = None,
) -> CounterEvent:
    """Append a person's word on what happened to a running counter before its reading at a moment.

    Raises Invalid for a tag that is no running counter, a rollover without a modulus, or a missing comment.
    """
    if tag.mode != CountTag.Mode.RUNNING:
        raise Invalid(f"'{tag}' is no running counter.", field="tag")
    if kind == CounterEvent.Kind.ROLLOVER and tag.modulus is None:
        raise Invalid(f"'{tag}' has no modulus, so it cannot roll over.", field="kind")
    if not comment.strip():
        raise Invalid("Say why: an explanation needs a comment.", field="comment")
    refuse_closed(at, field="occurred_at")
    event = CounterEvent.objects.create(
        tag=tag,
        occurred_at=at,
        kind=kind,
        value=value,
        comment=comment.strip(),
        stated_by=actor,
        recorded_at=recorded_at,
    )
    _mark_step(tag.pk, tag.machine_id, at)
    announce("machine", [tag.machine_id])
    return event


def refuse_reading(*, tag: CountTag, value: Decimal) -> None:
    """Raise Invalid for a reading that a tag cannot have."""
    if not tag.is_active:
        raise Invalid(f"The tag '{tag}' is switched off.", field="tag")
    if tag.modulus is not None and value >= tag.modulus:
        raise Invalid(f"The value must be below the counter's modulus, {tag.modulus:f}.", field="value")


@transaction.atomic
def correct_count(
    *, fact: CountHistory, value: Decimal | None, comment: str, actor: User, recorded_at: datetime
) -> CountCorrection:
    """Append a person's word on a reading: another value in pulses, or None to void it.

    Raises Invalid for a missing comment or a value that the tag cannot have.
    """
    if not comment.strip():
        raise Invalid("Say why: a correction needs a comment.", field="comment")
    if value is not None and value < 0:
        raise Invalid("A count is not negative.", field="value")
    refuse_closed(fact.occurred_at, field="occurred_at")
    correction = CountCorrection.objects.create(
        tag_id=fact.tag_id,
        occurred_at=fact.occurred_at,
        value=value,
        comment=comment.strip(),
        corrected_by=actor,
        recorded_at=recorded_at,
    )
    mark(
        [
            Change(
                fact.tag.machine_id,
                fact.occurred_at,
                None if fact.tag.mode == CountTag.Mode.RUNNING else fact.occurred_at + _MOMENT,
            )
        ]
    )
    announce("machine", [fact.tag.machine_id])
    return correction


def void_reading(*, tag: CountTag, occurred_at: datetime, comment: str, actor: User, recorded_at: datetime) -> None:
    """Append a person's word that a tag's reading at a moment is none. Raises Invalid when there is no such reading."""
    fact = CountHistory.objects.select_related("tag").filter(tag=tag, occurred_at=occurred_at).first()
    if fact is None:
        raise Invalid("There is no such reading any more.", field="occurred_at")
    correct_count(fact=fact, value=None, comment=comment, actor=actor, recorded_at=recorded_at)


@follows(CountTag)
def tag_changed(*, before: CountTag | None, after: CountTag | None) -> None:
    """Mark a machine's whole past when what its counter's readings mean changed."""
    if before is None or after is None:
        return
    meaning = (
        *("machine_id", "count_type_id", "mode", "scale", "cavities", "offset"),
        *("modulus", "reset_policy", "fastest_rate"),
    )
    if all(getattr(before, name) == getattr(after, name) for name in meaning):
        return
    first = CountHistory.objects.filter(tag=after).order_by("occurred_at").values_list("occurred_at", flat=True).first()
    if first is None:
        return
    machines = {before.machine_id, after.machine_id}
    mark(Change(machine_id, first) for machine_id in machines)
    announce("machine", machines)
