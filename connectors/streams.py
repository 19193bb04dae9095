"""Keep how far each device's numbered messages came, and say which machines lost what."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from connectors import sequences
from connectors.models import StreamPosition

_WORTH_LOOKING_AT_ONCE = 200


class Numbered(NamedTuple):
    """A message with a number, of a stream that speaks of a machine; the last of its facts happened at `last`."""

    stream: str
    machine: str
    number: int
    last: datetime


class Loss(NamedTuple):
    """What a machine sent between two moments is lost."""

    machine: str
    since: datetime
    until: datetime
    messages: int


@transaction.atomic
def note(connector_id: int, messages: Iterable[Numbered], *, now: datetime) -> None:
    """Note the numbers of messages whose items are stored. The same message again changes nothing."""
    by_stream: dict[str, list[Numbered]] = {}
    for message in messages:
        by_stream.setdefault(message.stream, []).append(message)
    # In the order of the streams, so that two workers do not wait for each other in a circle.
    for stream, numbered in sorted(by_stream.items()):
        row, _ = StreamPosition.objects.get_or_create(
            connector_id=connector_id,
            stream=stream[:500],
            defaults={"machine": numbered[0].machine, "position": {}},
        )
        row = StreamPosition.objects.select_for_update().get(pk=row.pk)
        position = sequences.read(row.position) if row.position else None
        for message in numbered:
            position = sequences.advance(position, message.number, at=message.last, now=now)
        if position is not None:
            row.position, row.machine = sequences.written(position), numbered[0].machine
            row.save(update_fields=["position", "machine"])


def losses(connector_id: int, *, now: datetime, patience: timedelta) -> list[Loss]:
    """Give up what is missing for too long, and return it; each loss is returned until `forget` is called for it."""
    found = []
    rows = StreamPosition.objects.filter(connector_id=connector_id).exclude(position__holes=[])
    for row in rows[:_WORTH_LOOKING_AT_ONCE]:
        _, lost = sequences.give_up(sequences.read(row.position), now=now, patience=patience)
        found += [Loss(row.machine, hole.since, hole.until, hole.size) for hole in lost]
    return found


@transaction.atomic
def forget_losses(connector_id: int, *, now: datetime, patience: timedelta) -> None:
    """Forget the holes that were given up by `losses` at this moment: their gaps are recorded."""
    for row in (
        StreamPosition.objects.select_for_update().filter(connector_id=connector_id).exclude(position__holes=[])
    ).order_by("stream"):
        position, lost = sequences.give_up(sequences.read(row.position), now=now, patience=patience)
        if lost:
            row.position = sequences.written(position)
            row.save(update_fields=["position"])


def machines_of(connector_id: int) -> dict[str, datetime]:
    """Return the machines whose messages are numbered, each with the moment of the last one."""
    latest: dict[str, datetime] = {}
    for row in StreamPosition.objects.filter(connector_id=connector_id).exclude(position={}):
        at = sequences.read(row.position).at
        latest[row.machine] = max(at, latest.get(row.machine, at))
    return latest
