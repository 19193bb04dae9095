"""The one write path for devices: every protocol translates to items and calls `accept`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.keys import DeviceScope
from core.exact import plain_number
from core.facts import Answer, Verdict
from core.retention import closed_until_of_late, too_old
from counts.services import EventValue, NewCounterEvent, NewReading, record_counter_events, record_readings
from downtime.models import StateReason
from downtime.services import NewGap, NewState, StateValue, record_gaps, record_states
from ingest import directory
from ingest.items import (
    EARLIEST,
    MAX_AHEAD,
    CounterEventItem,
    CountItem,
    GapItem,
    Item,
    MeasurementItem,
    PlainItem,
    PlainItems,
    Refused,
    StateItem,
    read_item,
)
from ingest.quarantine import KeptItem, keep
from ingest.troubled import troubled_refusals
from oee.delivery_tallies import Trouble, TroubledItem, tally
from quality.measurements import NewMeasurement, NotTaken, Sent, Value, record_measurements, resolve


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
    good: dict[int, Item] = field(default_factory=dict)
    refused: dict[int, Refused] = field(default_factory=dict)
    duplicates: list[int] = field(default_factory=list)
    troubled: list[TroubledItem] = field(default_factory=list)


def accept(delivery: Delivery, *, recorded_at: datetime) -> Outcome:
    """Store the good items of one delivery and answer after the commit; see `accept_together`."""
    return accept_together([delivery], recorded_at=recorded_at)[0]


def accept_together(deliveries: Sequence[Delivery], *, recorded_at: datetime) -> list[Outcome]:
    """Store the good items of several deliveries in one transaction, keep the others aside, and answer each.

    A bad item never rejects a good one, of its own delivery or another's. Repeating a delivery changes nothing.
    Writers lock counts, then counters' events, then states, then gaps, then measurements and the charts they are on,
    then kept items, then tallies, each in the order of their keys, so that none waits in a circle.
    """
    reads = [_read(delivery, recorded_at) for delivery in deliveries]
    found = _resolve(reads, recorded_at)
    with transaction.atomic():
        _note_readings(found.readings, record_readings([new for *_, new in found.readings], recorded_at=recorded_at))
        _note_events(found.events, record_counter_events([new for *_, new in found.events], recorded_at=recorded_at))
        _note_states(found.states, record_states([new for *_, new in found.states], recorded_at=recorded_at))
        _note_gaps(found.gaps, record_gaps([new for *_, new in found.gaps], recorded_at=recorded_at))
        _note_measurements(
            found.measurements, record_measurements([new for *_, new in found.measurements], recorded_at=recorded_at)
        )
        keep(
            [
                KeptItem(read.delivery.items[index], read.delivery.scope, refusal)
                for read in reads
                for index, refusal in sorted(read.refused.items())
            ],
            received_at=recorded_at,
        )
        refusals = [(r.delivery.items[i], r.delivery.scope, why) for r in reads for i, why in r.refused.items()]
        tally([*(item for r in reads for item in r.troubled), *troubled_refusals(refusals, recorded_at=recorded_at)])
    return [_outcome(read) for read in reads]


def _read(delivery: Delivery, now: datetime) -> _Read:
    read = _Read(delivery)
    if isinstance(delivery.items, PlainItems):
        return read
    for index, item in enumerate(delivery.items):
        try:
            read.good[index] = read_item(item, now=now)
        except Refused as refusal:
            read.refused[index] = refusal
    return read


@dataclass(slots=True)
class _Found:
    """What items turned out to be, by kind, each with the place of its answer."""

    readings: list[tuple[_Read, int, NewReading]] = field(default_factory=list)
    events: list[tuple[_Read, int, NewCounterEvent]] = field(default_factory=list)
    states: list[tuple[_Read, int, NewState]] = field(default_factory=list)
    gaps: list[tuple[_Read, int, NewGap]] = field(default_factory=list)
    measurements: list[tuple[_Read, int, NewMeasurement]] = field(default_factory=list)


def _resolve(reads: Sequence[_Read], now: datetime) -> _Found:
    """Turn what devices call things into what they are; what a sender may not know of is unknown to it."""
    clock = time.monotonic()
    plain = [(read, read.delivery.items.plain) for read in reads if isinstance(read.delivery.items, PlainItems)]
    items = [item for read in reads for item in read.good.values()]
    places = [item for item in items if isinstance(item, StateItem | GapItem)]
    names = _Names(
        tags=directory.tags.look_up(
            {i.tag for i in items if isinstance(i, CountItem | CounterEventItem)}.union(
                *({item.tag for item in of_one if item.tag} for _, of_one in plain)
            ),
            clock=clock,
        ),
        machines=directory.machines.look_up(
            {item.machine for item in places if item.machine}.union(
                *({item.machine for item in of_one if item.machine} for _, of_one in plain)
            ),
            clock=clock,
        ),
        lines=directory.constraint_machines.look_up((item.line for item in places if item.line), clock=clock),
        reasons=directory.reasons.look_up(
            {item.state for item in places if isinstance(item, StateItem)}.union(
                *({item.state for item in of_one if item.state} for _, of_one in plain)
            ),
            clock=clock,
        ),
    )
    found = _Found()
    closed = closed_until_of_late(clock=clock)
    earliest = EARLIEST if closed is None else max(EARLIEST, closed)
    for read, of_one in plain:
        _resolve_plain(read, of_one, names, found, (earliest, now))
    _resolve_measurements(reads, found, earliest)
    for read in reads:
        scope = read.delivery.scope
        for index, item in read.good.items():
            if isinstance(item, MeasurementItem):
                continue
            try:
                if closed is not None and item.at < closed:
                    raise Refused("at", "too_old", too_old(closed))
                if isinstance(item, CountItem):
                    found.readings.append((read, index, _new_reading(item, names, scope)))
                elif isinstance(item, StateItem):
                    found.states.append((read, index, _new_state(item, names, scope)))
                elif isinstance(item, CounterEventItem):
                    found.events.append((read, index, _new_event(item, names, scope)))
                else:
                    machine = _machine(item, names, scope)
                    gap = NewGap(machine.id, item.at, item.until, item.cause, scope.source)
                    found.gaps.append((read, index, gap))
            except Refused as refusal:
                read.refused[index] = refusal
    return found


def _resolve_measurements(reads: Sequence[_Read], found: _Found, earliest: datetime) -> None:
    """Resolve what gauges read, of all deliveries together."""
    asked: list[tuple[_Read, int, Sent]] = []
    for read in reads:
        scope = read.delivery.scope
        for index, item in read.good.items():
            if not isinstance(item, MeasurementItem):
                continue
            if item.at < earliest:
                read.refused[index] = Refused("at", "too_old", too_old(earliest))
                continue
            sent = Sent(item.tag, item.at, item.value, item.serial, scope.machine_ids, scope.source)
            asked.append((read, index, sent))
    for (read, index, _), new in zip(asked, resolve([sent for *_, sent in asked]), strict=True):
        if isinstance(new, NotTaken):
            read.refused[index] = Refused(new.field, new.code, new.message)
        else:
            found.measurements.append((read, index, new))


def _resolve_plain(
    read: _Read, items: Sequence[PlainItem], names: "_Names", found: _Found, open_time: tuple[datetime, datetime]
) -> None:
    """Resolve what is plainly right at once; whatever is not is read like any other item,
    and judged by its own rules.
    """
    scope = read.delivery.scope
    earliest, now = open_time
    machine_ids, source, latest = scope.machine_ids, scope.source, now + MAX_AHEAD
    known_tags = names.tags
    for index, item in enumerate(items):
        at = item.at
        if earliest <= at <= latest:
            if at.tzinfo is not UTC:
                at = at.astimezone(UTC)
            tag = known_tags.get(item.tag) if item.tag is not None else None
            if tag is not None:
                if (
                    item.value is not None
                    and tag.is_plain
                    and tag.machine_id in machine_ids
                    and item.machine is None
                    and item.state is None
                    and item.detail is None
                ):
                    reading = NewReading(tag.tag_id, tag.machine_id, tag.is_running_counter, at, item.value, source)
                    found.readings.append((read, index, reading))
                    continue
            elif item.machine is not None and item.state is not None and item.value is None and item.tag is None:
                machine, reason = names.machines.get(item.machine), names.reasons.get(item.state)
                if (
                    machine is not None
                    and reason is not None
                    and machine.is_active
                    and reason.is_active
                    and machine.id in machine_ids
                    and not item.detail
                ):
                    found.states.append((read, index, NewState(machine.id, at, reason.id, "", source)))
                    continue
        try:
            read.good[index] = read_item(read.delivery.items[index], now=now)
        except Refused as refusal:
            read.refused[index] = refusal


@dataclass(frozen=True, slots=True)
class _Names:
    tags: dict[str, directory.KnownTag]
    machines: dict[str, directory.Known]
    lines: dict[str, directory.Known]
    reasons: dict[str, directory.Known]


def _tag(path: str, names: _Names, scope: DeviceScope) -> directory.KnownTag:
    tag = names.tags.get(path)
    if tag is None or tag.machine_id not in scope.machine_ids:
        raise Refused("tag", "unknown_tag", f"This key knows no tag '{path}'.")
    if not tag.is_active:
        raise Refused("tag", "inactive_tag", f"The tag '{path}' or its machine is switched off.")
    return tag


def _new_reading(item: CountItem, names: _Names, scope: DeviceScope) -> NewReading:
    tag = _tag(item.tag, names, scope)
    _refuse_value(tag, item.value)
    return NewReading(tag.tag_id, tag.machine_id, tag.is_running_counter, item.at, item.value, scope.source)


def _refuse_value(tag: directory.KnownTag, value: int | Decimal) -> None:
    if tag.modulus is not None and value >= tag.modulus:
        raise Refused("value", "beyond_modulus", f"'value' must be below the counter's modulus, {tag.modulus:f}.")
    if tag.offset and not tag.is_running_counter and value + tag.offset < 0:
        lowest = plain_number(-tag.offset)
        raise Refused("value", "below_offset", f"'value' is below {lowest}, which the tag's offset makes nothing of.")


def _new_event(item: CounterEventItem, names: _Names, scope: DeviceScope) -> NewCounterEvent:
    tag = _tag(item.tag, names, scope)
    if not tag.is_running_counter:
        raise Refused("event", "no_running_counter", f"'{item.tag}' is no running counter; nothing can happen to it.")
    if item.event == "rollover" and tag.modulus is None:
        raise Refused("event", "no_modulus", f"'{item.tag}' has no modulus, so it cannot roll over.")
    if item.value is not None:
        _refuse_value(tag, item.value)
    return NewCounterEvent(tag.tag_id, tag.machine_id, item.at, item.event, item.value, scope.source)


def _machine(item: StateItem | GapItem, names: _Names, scope: DeviceScope) -> directory.Known:
    name, known, code = ("machine", names.machines, item.machine) if item.machine else ("line", names.lines, item.line)
    machine = known.get(code or "")
    if machine is None or machine.id not in scope.machine_ids:
        raise Refused(name, f"unknown_{name}", f"This key knows no {name} '{code}'.")
    if not machine.is_active:
        raise Refused(name, "inactive_machine", f"The machine of '{code}' is switched off.")
    return machine


def _new_state(item: StateItem, names: _Names, scope: DeviceScope) -> NewState:
    machine = _machine(item, names, scope)
    reason = names.reasons.get(item.state)
    if reason is None:
        raise Refused("state", "unknown_state", f"There is no state reason '{item.state}'.")
    if not reason.is_active:
        raise Refused("state", "inactive_state", f"The state reason '{item.state}' is switched off.")
    return NewState(machine.id, item.at, reason.id, item.detail, scope.source)


def _note_readings(readings: Sequence[tuple[_Read, int, NewReading]], answers: Sequence[Answer[int | Decimal]]) -> None:
    for (read, index, new), answer in zip(readings, answers, strict=True):
        if answer.verdict is Verdict.DUPLICATE:
            read.duplicates.append(index)
            read.troubled.append(TroubledItem(new.machine_id, new.occurred_at, Trouble.DUPLICATE))
        elif answer.verdict is Verdict.CONFLICT:
            read.troubled.append(TroubledItem(new.machine_id, new.occurred_at, Trouble.CONFLICT))
            read.refused[index] = _conflict("value", plain_number(Decimal(answer.stored or 0)))


def _note_states(states: Sequence[tuple[_Read, int, NewState]], answers: Sequence[Answer[StateValue]]) -> None:
    met = {answer.stored[0] for answer in answers if answer.stored is not None}
    codes = dict(StateReason.objects.without_tree_fields().filter(pk__in=met).values_list("id", "code")) if met else {}
    for (read, index, new), answer in zip(states, answers, strict=True):
        if answer.verdict is Verdict.DUPLICATE:
            read.duplicates.append(index)
            read.troubled.append(TroubledItem(new.machine_id, new.occurred_at, Trouble.DUPLICATE))
        elif answer.stored is not None:
            read.troubled.append(TroubledItem(new.machine_id, new.occurred_at, Trouble.CONFLICT))
            reason_id, detail = answer.stored
            same_reason = reason_id == new.reason_id
            stored = f"'{codes.get(reason_id, reason_id)}'" + (f" with the detail '{detail}'" if detail else "")
            read.refused[index] = _conflict("detail" if same_reason else "state", stored)


def _note_events(events: Sequence[tuple[_Read, int, NewCounterEvent]], answers: Sequence[Answer[EventValue]]) -> None:
    for (read, index, new), answer in zip(events, answers, strict=True):
        if answer.verdict is Verdict.DUPLICATE:
            read.duplicates.append(index)
            read.troubled.append(TroubledItem(new.machine_id, new.occurred_at, Trouble.DUPLICATE))
        elif answer.stored is not None:
            read.troubled.append(TroubledItem(new.machine_id, new.occurred_at, Trouble.CONFLICT))
            kind, value = answer.stored
            read.refused[index] = _conflict("event", kind if value is None else f"{kind} to {plain_number(value)}")


def _note_gaps(gaps: Sequence[tuple[_Read, int, NewGap]], are_new: Sequence[bool]) -> None:
    for (read, index, new), is_new in zip(gaps, are_new, strict=True):
        if not is_new:
            read.duplicates.append(index)
            read.troubled.append(TroubledItem(new.machine_id, new.starts_at, Trouble.DUPLICATE))


def _note_measurements(
    measurements: Sequence[tuple[_Read, int, NewMeasurement]], answers: Sequence[Answer[Value]]
) -> None:
    for (read, index, new), answer in zip(measurements, answers, strict=True):
        if answer.verdict is Verdict.DUPLICATE:
            read.duplicates.append(index)
            read.troubled.append(TroubledItem(new.machine_id, new.occurred_at, Trouble.DUPLICATE))
        elif answer.stored is not None:
            read.troubled.append(TroubledItem(new.machine_id, new.occurred_at, Trouble.CONFLICT))
            value, serial = answer.stored
            of = f" of {serial}" if serial else ""
            read.refused[index] = _conflict("value", f"{plain_number(value)}{of}")


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
