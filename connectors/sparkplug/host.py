"""What a host application knows of its edge nodes, and what follows from each message. No network, no database.

Numbers of messages (`seq`) tell what is missing; births tell what metrics mean; deaths tell that nothing is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.sparkplug.payloads import Content, Metric, value_of

SEQUENCE = 256
_BD_SEQ = "bdSeq"


@dataclass(frozen=True, slots=True)
class Values:
    """Values of signals at a moment."""

    values: tuple[tuple[str, Any], ...]
    at: datetime
    is_historical: bool = False
    is_birth: bool = False


@dataclass(frozen=True, slots=True)
class Stale:
    """Nothing is known of the signals that begin with `prefix` from a moment on."""

    prefix: str
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Lost:
    """What the signals that begin with `prefix` said between two moments is lost."""

    prefix: str
    since: datetime
    until: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Rebirth:
    """Ask an edge node to say again all that it has."""

    group: str
    node: str


Consequence = Values | Stale | Lost | Rebirth


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message of an edge node or of a device behind it."""

    kind: str
    group: str
    node: str
    device: str
    content: Content
    received_at: datetime

    @property
    def prefix(self) -> str:
        """How the signals of its sender begin."""
        return "/".join(part for part in (self.group, self.node, self.device) if part) + "/"

    @property
    def at(self) -> datetime:
        """When it was sent, by its sender's clock; its arrival when that is missing or ahead."""
        at = self.content.at
        return self.received_at if at is None or at > self.received_at + timedelta(minutes=5) else at


@dataclass(slots=True)
class _Source:
    """What a birth declared: the names behind aliases and the types behind names."""

    is_online: bool = False
    names: dict[int, str] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Node:
    """An edge node: where its sequence stands, and what waits for a missing message."""

    bd_seq: int | None = None
    expected: int | None = None
    last_at: datetime | None = None
    sources: dict[str, _Source] = field(default_factory=dict)
    waiting: dict[int, Incoming] = field(default_factory=dict)
    waits_since: datetime | None = None
    asked_at: datetime | None = None


class Host:
    """Follow all edge nodes of the groups that we listen to."""

    def __init__(
        self,
        *,
        reorder_timeout: timedelta,
        ask_again: timedelta = timedelta(seconds=5),
        deaths_count_behind: bool = False,
    ) -> None:
        self._deaths_count_behind = deaths_count_behind
        self._reorder_timeout = reorder_timeout
        self._ask_again = ask_again
        self._nodes: dict[tuple[str, str], _Node] = {}

    def take(self, message: Incoming) -> Iterator[Consequence]:
        """Yield what follows from a message, in order."""
        node = self._nodes.setdefault((message.group, message.node), _Node())
        if message.kind == "NBIRTH":
            yield from self._node_born(node, message)
        elif message.kind == "NDEATH":
            yield from self._node_died(node, message)
        elif message.kind in ("DBIRTH", "NDATA", "DDATA", "DDEATH"):
            yield from self._in_sequence(node, message)

    def give_up_waiting(self, now: datetime) -> Iterator[Consequence]:
        """Yield what follows when missing messages did not come within the reorder timeout.

        tck-id-operational-behavior-host-reordering-rebirth: then the host must ask for a rebirth.
        """
        for (group, name), node in self._nodes.items():
            if node.waits_since is not None and now - node.waits_since >= self._reorder_timeout:
                numbers = sorted(node.waiting, key=lambda seq: (seq - (node.expected or 0)) % SEQUENCE)
                first = node.waiting[numbers[0]]
                if node.last_at is not None and node.last_at < first.at:
                    cause = f"Sparkplug messages {node.expected} to {(numbers[0] - 1) % SEQUENCE} did not come"
                    yield Lost(f"{group}/{name}/", node.last_at, first.at, cause)
                for number in numbers:
                    yield from self._apply(node, node.waiting.pop(number))
                    node.expected = (number + 1) % SEQUENCE
                node.waits_since = None
                yield from self._ask(node, group, name, now)

    def lose_all(self, at: datetime, cause: str) -> Iterator[Stale]:
        """Yield that nothing is known of any node that was online: the connection is gone, and with it their data."""
        for (group, name), node in self._nodes.items():
            if any(source.is_online for source in node.sources.values()):
                yield Stale(f"{group}/{name}/", at, cause)

    def _node_born(self, node: _Node, message: Incoming) -> Iterator[Consequence]:
        node.bd_seq = next((m.value for m in message.content.metrics if m.name == _BD_SEQ), None)
        # A birth ends every device's session too (tck-id-payloads-nbirth-…); their own births follow.
        for device in [name for name in node.sources if name]:
            yield from self._end(node, device, message, "The edge node was born anew")
        node.sources.clear()
        node.waiting.clear()
        node.waits_since = None
        node.expected = ((message.content.seq or 0) + 1) % SEQUENCE
        yield from self._born(node, message)

    def _node_died(self, node: _Node, message: Incoming) -> Iterator[Consequence]:
        bd_seq = next((m.value for m in message.content.metrics if m.name == _BD_SEQ), None)
        # A death of an earlier session that comes late means nothing (tck-id-operational-behavior-host-…-bdseq).
        if node.bd_seq is not None and bd_seq is not None and bd_seq not in self._deaths_of(node.bd_seq):
            return
        # Its time is that of the connection, since the will was written then: what counts is when it came.
        at = message.received_at
        for name in list(node.sources):
            yield from self._end(node, name, message, "The edge node's connection died", at)
        node.expected, node.waits_since = None, None
        node.waiting.clear()

    def _deaths_of(self, bd_seq: int) -> tuple[int, ...]:
        """Return the numbers that the death of a session with this birth may carry."""
        return (bd_seq, (bd_seq - 1) % SEQUENCE) if self._deaths_count_behind else (bd_seq,)

    def _in_sequence(self, node: _Node, message: Incoming) -> Iterator[Consequence]:
        if node.expected is None:
            # Nothing is known of the node before its birth (tck-id-operational-behavior-host-…-unknown-edge-node).
            yield from self._ask(node, message.group, message.node, message.received_at)
            return
        seq = message.content.seq
        if seq is None or seq == node.expected:
            yield from self._apply(node, message)
            if seq is not None:
                node.expected = (seq + 1) % SEQUENCE
            while node.expected in node.waiting:
                yield from self._apply(node, node.waiting.pop(node.expected))
                node.expected = (node.expected + 1) % SEQUENCE
            if not node.waiting:
                node.waits_since = None
        elif (seq - node.expected) % SEQUENCE < SEQUENCE // 2:
            node.waiting[seq] = message
            node.waits_since = node.waits_since or message.received_at
        else:
            # Older than what was taken already: said again, or given up before. Its values have their own times.
            yield from self._apply(node, message, is_late=True)

    def _apply(self, node: _Node, message: Incoming, *, is_late: bool = False) -> Iterator[Consequence]:
        if message.kind == "DBIRTH":
            yield from self._born(node, message)
        elif message.kind == "DDEATH":
            yield from self._end(node, message.device, message, "The device went offline")
        else:
            yield from self._data(node, message, is_late=is_late)
        node.last_at = max(message.at, node.last_at or message.at)

    def _born(self, node: _Node, message: Incoming) -> Iterator[Consequence]:
        source = _Source(is_online=True)
        for metric in message.content.metrics:
            source.types[metric.name] = metric.datatype
            if metric.alias is not None:
                source.names[metric.alias] = metric.name
        node.sources[message.device] = source
        node.last_at = max(message.at, node.last_at or message.at)
        yield from _values(message, source, message.content.metrics, is_birth=True)

    def _end(
        self, node: _Node, device: str, message: Incoming, cause: str, at: datetime | None = None
    ) -> Iterator[Consequence]:
        source = node.sources.get(device)
        if source is not None and source.is_online:
            source.is_online = False
            prefix = "/".join(part for part in (message.group, message.node, device) if part) + "/"
            yield Stale(prefix, at or message.at, cause)

    def _data(self, node: _Node, message: Incoming, *, is_late: bool) -> Iterator[Consequence]:
        # Aliases are unique in the whole node, so that a device's metrics may be declared by the node's birth.
        source = node.sources.get(message.device)
        if source is None or not source.is_online:
            yield from self._ask(node, message.group, message.node, message.received_at)
            return
        unknown = [m for m in message.content.metrics if not m.name and m.alias not in source.names]
        if unknown:
            yield from self._ask(node, message.group, message.node, message.received_at)
        known = tuple(m for m in message.content.metrics if m not in unknown)
        yield from _values(message, source, known, is_historical=is_late)

    def _ask(self, node: _Node, group: str, name: str, now: datetime) -> Iterator[Consequence]:
        if node.asked_at is None or now - node.asked_at >= self._ask_again:
            node.asked_at = now
            yield Rebirth(group, name)


def _values(
    message: Incoming,
    source: _Source,
    metrics: tuple[Metric, ...],
    *,
    is_birth: bool = False,
    is_historical: bool = False,
) -> Iterator[Values]:
    """Yield the values of metrics, those of one moment together, in the order of time."""
    by_moment: dict[tuple[datetime, bool], list[tuple[str, Any]]] = {}
    for metric in metrics:
        name = metric.name or source.names.get(metric.alias or 0, "")
        if name == _BD_SEQ or name.startswith(("Node Control/", "Device Control/")):
            continue
        value = value_of(metric, metric.datatype or source.types.get(name, 0))
        key = (metric.at or message.at, metric.is_historical or is_historical)
        by_moment.setdefault(key, []).append((message.prefix + name, value))
    for (at, historical), values in sorted(by_moment.items(), key=lambda entry: entry[0]):
        yield Values(tuple(values), at, historical, is_birth)
