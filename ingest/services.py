"""The one write path for devices: every protocol translates to items and calls `accept`."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.db import transaction

from accounts.keys import DeviceScope
from core.facts import Answer, Verdict, fact_cursor
from counts.services import NewReading, record_readings
from downtime.models import StateReason
from downtime.services import NewState, StateValue, record_states
from ingest import directory
from ingest.items import CountItem, Refused, StateItem, read_item

_LONGEST_PAYLOAD = 2000


@dataclass(frozen=True, slots=True)
class Delivery:
    """Items that came together, and what their sender may send."""

    items: Sequence[Any]
    scope: DeviceScope


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """What became of an item that was not plainly accepted. Refused and conflicting items are kept for a person."""

    index: int
    status: str
    field: str = ""
    code: str = ""
    message: str = ""


@dataclass(slots=True)
class Outcome:
    """What became of a delivery; `items` lists only what was not plainly accepted, in order."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    items: list[ItemAnswer] = field(default_factory=list)


@dataclass(slots=True)
class _Read:
    """A delivery on its way: what its items became, by their index."""

    delivery: Delivery
    good: dict[int, CountItem | StateItem] = field(default_factory=dict)
    refused: dict[int, Refused] = field(default_factory=dict)
    duplicates: list[int] = field(default_factory=list)


def accept(delivery: Delivery, *, recorded_at: datetime) -> Outcome:
    """Store the good items of one delivery and answer after the commit; see `accept_together`."""
    return accept_together([delivery], recorded_at=recorded_at)[0]


def accept_together(deliveries: Sequence[Delivery], *, recorded_at: datetime) -> list[Outcome]:
    """Store the good items of several deliveries in one transaction, keep the others aside, and answer each.

    A bad item never rejects a good one, of its own delivery or another's. Repeating a delivery changes nothing.
    Writers lock counts, then states, then kept items, each in the order of their keys, so that none waits in a circle.
    """
    reads = [_read(delivery, recorded_at) for delivery in deliveries]
    readings, states = _resolve(reads)
    with transaction.atomic():
        _note_readings(readings, record_readings([new for *_, new in readings], recorded_at=recorded_at))
        _note_states(states, record_states([new for *_, new in states], recorded_at=recorded_at))
        _quarantine(reads, recorded_at)
    return [_outcome(read) for read in reads]


def _read(delivery: Delivery, now: datetime) -> _Read:
    read = _Read(delivery)
    for index, item in enumerate(delivery.items):
        try:
            read.good[index] = read_item(item, now=now)
        except Refused as refusal:
            read.refused[index] = refusal
    return read


def _resolve(
    reads: Sequence[_Read],
) -> tuple[list[tuple[_Read, int, NewReading]], list[tuple[_Read, int, NewState]]]:
    """Turn what devices call things into what they are; what a sender may not know of is unknown to it."""
    clock = time.monotonic()
    items = [item for read in reads for item in read.good.values()]
    counts = [item for item in items if isinstance(item, CountItem)]
    states = [item for item in items if isinstance(item, StateItem)]
    names = _Names(
        tags=directory.tags.look_up((item.tag for item in counts), clock=clock),
        machines=directory.machines.look_up((item.machine for item in states if item.machine), clock=clock),
        lines=directory.constraint_machines.look_up((item.line for item in states if item.line), clock=clock),
        reasons=directory.reasons.look_up((item.state for item in states), clock=clock),
    )
    new_readings, new_states = [], []
    for read in reads:
        for index, item in read.good.items():
            try:
                if isinstance(item, CountItem):
                    new_readings.append((read, index, _new_reading(item, names, read.delivery.scope)))
                else:
                    new_states.append((read, index, _new_state(item, names, read.delivery.scope)))
            except Refused as refusal:
                read.refused[index] = refusal
    return new_readings, new_states


@dataclass(frozen=True, slots=True)
class _Names:
    tags: dict[str, directory.KnownTag]
    machines: dict[str, directory.Known]
    lines: dict[str, directory.Known]
    reasons: dict[str, directory.Known]


def _new_reading(item: CountItem, names: _Names, scope: DeviceScope) -> NewReading:
    tag = names.tags.get(item.tag)
    if tag is None or tag.machine_id not in scope.machine_ids:
        raise Refused("tag", "unknown_tag", f"This key knows no tag '{item.tag}'.")
    if not tag.is_active:
        raise Refused("tag", "inactive_tag", f"The tag '{item.tag}' or its machine is switched off.")
    if tag.modulus is not None and item.value >= tag.modulus:
        raise Refused("value", "beyond_modulus", f"'value' must be below the counter's modulus, {tag.modulus:f}.")
    return NewReading(tag.tag_id, tag.machine_id, tag.is_running_counter, item.at, item.value, scope.source)


def _new_state(item: StateItem, names: _Names, scope: DeviceScope) -> NewState:
    name, known, code = ("machine", names.machines, item.machine) if item.machine else ("line", names.lines, item.line)
    machine = known.get(code or "")
    if machine is None or machine.id not in scope.machine_ids:
        raise Refused(name, f"unknown_{name}", f"This key knows no {name} '{code}'.")
    if not machine.is_active:
        raise Refused(name, "inactive_machine", f"The machine of '{code}' is switched off.")
    reason = names.reasons.get(item.state)
    if reason is None:
        raise Refused("state", "unknown_state", f"There is no state reason '{item.state}'.")
    if not reason.is_active:
        raise Refused("state", "inactive_state", f"The state reason '{item.state}' is switched off.")
    return NewState(machine.id, item.at, reason.id, item.detail, scope.source)


def _note_readings(readings: Sequence[tuple[_Read, int, NewReading]], answers: Sequence[Answer[int | Decimal]]) -> None:
    for (read, index, _), answer in zip(readings, answers, strict=True):
        if answer.verdict is Verdict.DUPLICATE:
            read.duplicates.append(index)
        elif answer.verdict is Verdict.CONFLICT:
            read.refused[index] = _conflict("value", f"{Decimal(answer.stored or 0).normalize():f}")


def _note_states(states: Sequence[tuple[_Read, int, NewState]], answers: Sequence[Answer[StateValue]]) -> None:
    met = {answer.stored[0] for answer in answers if answer.stored is not None}
    codes = dict(StateReason.objects.without_tree_fields().filter(pk__in=met).values_list("id", "code")) if met else {}
    for (read, index, new), answer in zip(states, answers, strict=True):
        if answer.verdict is Verdict.DUPLICATE:
            read.duplicates.append(index)
        elif answer.stored is not None:
            reason_id, detail = answer.stored
            same_reason = reason_id == new.reason_id
            stored = f"'{codes.get(reason_id, reason_id)}'" + (f" with the detail '{detail}'" if detail else "")
            read.refused[index] = _conflict("detail" if same_reason else "state", stored)


def _conflict(field_name: str, stored: str) -> Refused:
    message = f"For this moment {stored} is stored; that stays, and this item is kept aside for a person to see."
    return Refused(field_name, "conflict", message)


def _outcome(read: _Read) -> Outcome:
    answers = [ItemAnswer(index, Verdict.DUPLICATE) for index in read.duplicates]
    for index, refusal in read.refused.items():
        status = {"conflict": "conflict", "future": "quarantined"}.get(refusal.code, "refused")
        answers.append(ItemAnswer(index, status, refusal.field, refusal.code, refusal.message))
    return Outcome(
        accepted=len(read.delivery.items) - len(answers),
        duplicates=len(read.duplicates),
        refused=len(read.refused),
        items=sorted(answers, key=lambda answer: answer.index),
    )


def _quarantine(reads: Sequence[_Read], received_at: datetime) -> None:
    """Keep what was refused, once: a device that repeats itself for days adds to a number, not to the table."""
    rows: dict[tuple[str, str], tuple[Any, ...]] = {}
    for read in reads:
        for index, refusal in sorted(read.refused.items()):
            payload = _written(read.delivery.items[index])
            source = read.delivery.scope.source
            digest = hashlib.sha256(f"{refusal.code}\n{payload}".encode()).hexdigest()
            rows[source, digest] = (
                *(read.delivery.scope.site_id, source, payload[:_LONGEST_PAYLOAD], digest),
                *(refusal.code, refusal.field, refusal.message[:500]),
            )
    if not rows:
        return
    ordered = [row for _, row in sorted(rows.items())]
    with fact_cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ingest_quarantineditem AS kept (site_id, source, payload, digest, code, field, message,
                times, first_received_at, last_received_at, resolution)
            SELECT site_id, source, payload, digest, code, field, message, 1, %(at)s, %(at)s, 'open'
            FROM unnest(%(sites)s::bigint[], %(sources)s::text[], %(payloads)s::text[], %(digests)s::text[],
                %(codes)s::text[], %(fields)s::text[], %(messages)s::text[])
                AS item (site_id, source, payload, digest, code, field, message)
            ON CONFLICT (source, digest) DO UPDATE
            SET times = kept.times + 1, last_received_at = excluded.last_received_at
            """,
            {
                "at": received_at,
                **{
                    name: [row[position] for row in ordered]
                    for position, name in enumerate(
                        ("sites", "sources", "payloads", "digests", "codes", "fields", "messages")
                    )
                },
            },
        )


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=lambda beyond: msgspec.Raw(str(beyond).encode()))


def _written(item: Any) -> str:
    """Return an item as the JSON that it came as, in a form that the database can hold, whatever was in it."""
    try:
        return _encoder.encode(item).decode()
    except UnicodeEncodeError:
        return json.dumps(item, default=str)
    except RecursionError:
        return "(nested too deeply to be kept)"
