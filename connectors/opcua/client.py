"""Subscribe to the mapped nodes of an OPC UA server and deliver what changes."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

from connectors.doors import Setup
from connectors.intake import Intake
from connectors.opcua.nodes import SignalError, parse, relative_path
from connectors.opcua.options import NO_SECURITY, SECURITY_MODES
from connectors.opcua.telling import Change, Teller
from connectors.opcua.values import read
from connectors.presets import wrong_map
from connectors.translation import Translator
from ingest.items import EARLIEST, MAX_AHEAD

# Changes that wait for the database. Beyond it they are a gap.
MOST_WAITING = 100_000
# Items of one request; small controllers refuse more.
_MOST_AT_ONCE = 100
_SERVER_STATE = ua.NodeId(ua.ObjectIds.Server_ServerStatus_State)
_STATE_HANDLE = 0
_DOWN = frozenset(
    {
        ua.ServerState.Failed,
        ua.ServerState.NoConfiguration,
        ua.ServerState.Suspended,
        ua.ServerState.Shutdown,
        ua.ServerState.CommunicationFault,
    }
)
_LAST_SEQUENCE = 2**32 - 1
_CLOSE_SECONDS = 2.0
_SESSION_MILLISECONDS = 120_000
# Connectors whose machines were already called unknown because there is no connection: later attempts in this process
# have nothing new to say.
_known_unreachable: set[str] = set()

# What it reports also comes to us as an exception, and stands in the connector's health; in its log every lost
# connection is pages of tracebacks.
logging.getLogger("asyncua").setLevel(logging.CRITICAL)


class ConnectionLost(Exception):
    """The server is away, or its word is no longer to be had; the message says how."""


class TooManyChanges(ConnectionLost):
    """More changes came than could be delivered; some are dropped."""


async def run(setup: Setup, intake: Intake) -> None:
    """Follow a server until cancelled. Raises ConnectionLost, after having told that nothing is known any more."""
    connection = Connection(setup, intake)
    try:
        await connection.follow()
    finally:
        await connection.close()


class Connection:
    """One connection to one server, with one subscription."""

    def __init__(self, setup: Setup, intake: Intake) -> None:
        self._setup = setup
        self._intake = intake
        self._options = setup.options
        self._translator: Translator = setup.translator
        self._teller = Teller(setup.translator)
        self._inbox = Inbox()
        self._client = _client(setup, self._inbox)
        self._missing: dict[str, str] = {}
        self._troubles: dict[str, str] = {}
        self._is_begun = False

    async def follow(self) -> None:
        """Connect, subscribe, and deliver what comes until it ends."""
        try:
            await self._connect()
            self._intake.connected()
            await self._begin()
            confirmed_at = asyncio.get_running_loop().time()
            while True:
                await self._deliver(await self._inbox.changes(patience=self._patience(confirmed_at)))
                if self._patience(confirmed_at) <= 0:
                    await self._confirm()
                    confirmed_at = asyncio.get_running_loop().time()
        except (ConnectionLost, ua.UaError, OSError, TimeoutError) as error:
            cause = str(error) or type(error).__name__
            await self._lose(cause, error)
            if isinstance(error, ConnectionLost):
                raise
            raise ConnectionLost(f"{self._setup.address}: {cause}") from error

    async def close(self) -> None:
        """Close the connection, or leave it when the server does not answer."""
        with suppress(Exception):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._client.disconnect()
        # Its last word is to a transport that may be gone already.
        self._client.disconnect_socket()

    async def _connect(self) -> None:
        options = self._options
        if options["security"] != NO_SECURITY:
            try:
                await self._client.set_security(
                    SecurityPolicyBasic256Sha256,
                    options["certificate"],
                    options["private_key"],
                    mode=ua.MessageSecurityMode[SECURITY_MODES[options["security"]]],
                )
            except ValueError as error:
                raise ConnectionLost(f"The certificate or its key cannot be read: {error}") from error
        await self._client.connect()
        namespaces = await self._client.get_namespace_array()
        nodes = await self._resolve(namespaces)
        session = self._client.uaclient.session
        publishing = options["publishing_ms"]
        answer = await session.create_subscription(
            ua.CreateSubscriptionParameters(
                RequestedPublishingInterval=publishing,
                RequestedLifetimeCount=10_000,
                RequestedMaxKeepAliveCount=max(1, round(options["keep_alive"] * 1000 / publishing)),
                PublishingEnabled=True,
            ),
            self._inbox.hear,
        )
        silence = answer.RevisedPublishingInterval * answer.RevisedMaxKeepAliveCount / 1000 + options["timeout"]
        signals = [signal for group in nodes.values() for signal in group]
        self._inbox.expect(signals, namespaces, silence=silence)
        await self._monitor(answer.SubscriptionId, nodes)

    async def _resolve(self, namespaces: Sequence[str]) -> dict[ua.NodeId, list[str]]:
        """Return the nodes that the signals name; what names none is missing."""
        nodes: dict[ua.NodeId, list[str]] = {}
        paths: dict[str, Any] = {}
        deltas = set(self._translator.deltas)
        for signal in self._translator.signals:
            if signal in deltas:
                self._missing[signal] = (
                    f"'{signal}': a node is the reading of a counter; make its tag a running counter."
                )
                continue
            try:
                target = parse(signal, namespaces)
            except SignalError as error:
                self._missing[signal] = str(error)
                continue
            if isinstance(target, ua.NodeId):
                nodes.setdefault(target, []).append(signal)
            else:
                paths[signal] = ua.BrowsePath(ua.NodeId(ua.ObjectIds.RootFolder), relative_path(target))
        for some in _in_groups(list(paths)):
            request = [paths[signal] for signal in some]
            results = await self._client.uaclient.session.translate_browsepaths_to_nodeids(request)
            for signal, result in zip(some, results, strict=True):
                targets = [target.TargetId for target in result.Targets or ()]
                if len(targets) == 1:
                    found = targets[0]
                    node = ua.NodeId(found.Identifier, found.NamespaceIndex, found.NodeIdType)
                    nodes.setdefault(node, []).append(signal)
                else:
                    why = f"leads to {len(targets)} nodes" if targets else f"leads nowhere ({result.StatusCode.name})"
                    self._missing[signal] = f"'{signal}' {why}."
        return nodes

    async def _monitor(self, subscription_id: int, nodes: dict[ua.NodeId, list[str]]) -> None:
        """Ask for the changes of the nodes and of the server's state."""
        wanted = [(_STATE_HANDLE, _SERVER_STATE, "")]
        for node, signals in nodes.items():
            wanted += [(self._inbox.handle_of(signal), node, signal) for signal in signals]
        for some in _in_groups(wanted):
            results = await self._client.uaclient.session.create_monitored_items(
                ua.CreateMonitoredItemsParameters(
                    SubscriptionId=subscription_id,
                    TimestampsToReturn=ua.TimestampsToReturn.Both,
                    ItemsToCreate=[self._request(handle, node) for handle, node, _ in some],
                )
            )
            for (_, _, signal), result in zip(some, results, strict=True):
                # Small servers have no state to monitor; their silence will be noticed.
                if signal and not result.StatusCode.is_good():
                    self._missing[signal] = f"'{signal}' cannot be monitored: {result.StatusCode.name}."
                    self._inbox.awaited.discard(signal)

    def _request(self, handle: int, node: ua.NodeId) -> ua.MonitoredItemCreateRequest:
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=handle,
                SamplingInterval=self._options["sampling_ms"],
                QueueSize=self._options["queue_size"],
                # The newest value must come through: it is the one that still holds.
                DiscardOldest=True,
            ),
        )

    async def _begin(self) -> None:
        """Deliver what holds now, once every node has told its value or had the time to."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._options["publishing_ms"] / 1000 + self._options["timeout"]
        first: list[Change] = []
        while self._inbox.awaited and loop.time() < deadline:
            first += await self._inbox.changes(patience=deadline - loop.time())
        # A server that is down may tell values all the same, and before it tells that.
        self._inbox.raise_failure()
        first += self._inbox.rest()
        self._missing |= {signal: f"'{signal}' has told no value." for signal in self._inbox.awaited}
        self._note(first)
        await self._say_gaps(first)
        at = self._inbox.alive_at or datetime.now(UTC)
        await self._intake.deliver(self._teller.begin(first, self._missing, at))
        self._complain()
        self._is_begun = True
        _known_unreachable.discard(self._setup.code)

    async def _deliver(self, changes: Sequence[Change]) -> None:
        """Deliver changes, and say first what of them is lost."""
        self._intake.heard(self._inbox.take_messages())
        if not changes:
            return
        self._note(changes)
        await self._say_gaps(changes)
        await self._intake.deliver(self._teller.tell(changes))
        self._complain()

    async def _say_gaps(self, changes: Sequence[Change]) -> None:
        for start, end in self._inbox.take_lost():
            await self._intake.gap(self._sources(), start, end, cause="An OPC UA message is lost")
        for gap in self._teller.gaps(changes):
            await self._intake.gap(gap.machines, gap.start, gap.end, cause=gap.cause)

    async def _confirm(self) -> None:
        """Say that the states told still hold: until shortly before the server's last sign of life, because a change
        may be on its way.
        """
        alive_at = self._inbox.alive_at
        if alive_at is not None:
            on_its_way = timedelta(milliseconds=self._options["publishing_ms"] + self._options["sampling_ms"])
            await self._intake.deliver(self._teller.confirm(alive_at - on_its_way))

    async def _lose(self, cause: str, error: Exception) -> None:
        """Deliver what came before the end, then say that nothing is known since the last sign of life."""
        if not self._is_begun and self._setup.code in _known_unreachable:
            return
        _known_unreachable.add(self._setup.code)
        if self._is_begun:
            await self._deliver(self._inbox.rest())
        at = self._inbox.alive_at or datetime.now(UTC)
        if isinstance(error, TooManyChanges):
            at = self._inbox.full_at or at
            await self._intake.gap(self._sources(), at, datetime.now(UTC), cause="OPC UA queue overflow of ours")
        await self._intake.deliver(self._teller.lose(at, cause=cause))

    def _patience(self, confirmed_at: float) -> float:
        return max(0.0, confirmed_at + float(self._options["confirm"]) - asyncio.get_running_loop().time())

    def _sources(self) -> list[str]:
        return self._translator.sources_of(self._translator.signals)

    def _note(self, changes: Iterable[Change]) -> None:
        """Remember what is wrong with signals, and what is right again."""
        for change in changes:
            words = "; ".join(filter(None, [change.quality, change.trouble]))
            if words:
                self._troubles[change.signal] = f"'{change.signal}': {words}."
            else:
                self._troubles.pop(change.signal, None)

    def _complain(self) -> None:
        unexplained = self._translator.unexplained
        wrong = filter(None, (wrong_map(code, value) for code, value in unexplained.items()))
        words = [*wrong, *self._missing.values(), *self._troubles.values()]
        if words:
            self._intake.complain(" ".join(dict.fromkeys(words)))


class Inbox:
    """What the server sent and nobody has delivered yet, and whether the server is still there.

    Bounded: when more comes than fits, the connection ends, because the next one begins with the values that hold.
    """

    def __init__(self) -> None:
        self.awaited: set[str] = set()
        self.alive_at: datetime | None = None
        self.full_at: datetime | None = None
        self._messages = 0
        self._signals: dict[int, str] = {}
        self._handles: dict[str, int] = {}
        self._namespaces: Sequence[str] = ()
        self._waiting: asyncio.Queue[Change] = asyncio.Queue(MOST_WAITING)
        self._failure: ConnectionLost | None = None
        self._woken = asyncio.Event()
        self._silence = 0.0
        self._heard = 0.0
        self._next_sequence = 1
        self._lost: list[tuple[datetime, datetime]] = []

    def expect(self, signals: Iterable[str], namespaces: Sequence[str], *, silence: float) -> None:
        """Begin: the server will send values of these signals, and never be silent for so many seconds."""
        self._namespaces = namespaces
        self._signals = dict(enumerate(signals, start=_STATE_HANDLE + 1))
        self._handles = {signal: handle for handle, signal in self._signals.items()}
        self.awaited = set(self._handles)
        self._silence = silence
        self._heard = asyncio.get_running_loop().time()

    def handle_of(self, signal: str) -> int:
        """Return the number by which the server calls a signal."""
        return self._handles[signal]

    async def hear(self, message: ua.PublishResult) -> None:
        """Take what the server sends: changes, or a sign of life."""
        try:
            self._hear(message.NotificationMessage)
        except Exception as error:
            # The library would only log it, and the changes would be missing.
            self.fail(ConnectionLost(f"A message cannot be read: {error!r}"))

    async def lost(self, error: Exception) -> None:
        """Hear from the library that the connection is lost."""
        self.fail(ConnectionLost(f"The connection is lost: {str(error) or type(error).__name__}"))

    def fail(self, failure: ConnectionLost) -> None:
        """End; what waits can still be had with `rest`."""
        self._failure = self._failure or failure
        self._woken.set()

    def raise_failure(self) -> None:
        """Raise ConnectionLost if it is."""
        if self._failure is not None:
            raise self._failure

    async def changes(self, *, patience: float) -> list[Change]:
        """Return what waits, as soon as there is something; nothing after `patience` seconds.

        Raises ConnectionLost when there will be nothing more.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while self._waiting.empty() and self._failure is None:
            until = min(deadline, self._heard + self._silence)
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._woken.wait()
            if loop.time() >= self._heard + self._silence:
                self.fail(ConnectionLost(f"The server has sent nothing for {self._silence:.1f} s."))
            elif loop.time() >= deadline:
                break
        changes = self.rest()
        if not changes:
            self.raise_failure()
        return changes

    def rest(self) -> list[Change]:
        """Return what waits."""
        changes = []
        while not self._waiting.empty():
            changes.append(self._waiting.get_nowait())
        return changes

    def take_messages(self) -> int:
        """Return how many messages came since this was last asked."""
        messages, self._messages = self._messages, 0
        return messages

    def take_lost(self) -> list[tuple[datetime, datetime]]:
        """Return the spans whose messages are lost."""
        lost, self._lost = self._lost, []
        return lost

    def _hear(self, notification: ua.NotificationMessage) -> None:
        parts = notification.NotificationData or []
        for part in parts:
            if isinstance(part, ua.StatusChangeNotification):
                self.fail(ConnectionLost(f"The subscription ended: {part.Status.name}."))
                return
        now = datetime.now(UTC)
        before, self.alive_at = self.alive_at, _server_time(notification.PublishTime, now)
        self._heard = asyncio.get_running_loop().time()
        self._messages += 1
        if parts:
            if notification.SequenceNumber != self._next_sequence and before is not None:
                self._lost.append((before, self.alive_at))
            self._next_sequence = notification.SequenceNumber % _LAST_SEQUENCE + 1
        for part in parts:
            for item in part.MonitoredItems if isinstance(part, ua.DataChangeNotification) else ():
                self._take(item.ClientHandle, item.Value, now, self.alive_at)
        self._woken.set()

    def _take(self, handle: int, value: ua.DataValue, now: datetime, sent_at: datetime) -> None:
        if handle == _STATE_HANDLE:
            state = value.Value.Value if value.Value is not None else None
            if state in _DOWN:
                self.fail(ConnectionLost(f"The server says that it is in the state {ua.ServerState(state).name}."))
            return
        signal = self._signals.get(handle)
        if signal is None or self._failure is not None:
            return
        self.awaited.discard(signal)
        reading = read(value, self._namespaces, now=now)
        change = Change(
            signal, reading.value, reading.at, sent_at, reading.quality, reading.is_overflow, reading.trouble
        )
        try:
            self._waiting.put_nowait(change)
        except asyncio.QueueFull:
            self.full_at = sent_at
            self.fail(TooManyChanges(f"More than {self._waiting.maxsize} changes wait to be delivered."))


def _client(setup: Setup, inbox: Inbox) -> Client:
    """Return a client that does nothing by itself: what fails is the supervisor's to repeat."""
    options = setup.options
    client = Client(address_of(setup.address), timeout=options["timeout"], watchdog_intervall=options["timeout"])
    client.name = client.description = f"MES connector {setup.code}"
    client.application_uri = options["application_uri"]
    # A session that was not closed is one of few that a controller has.
    client.session_timeout = _SESSION_MILLISECONDS
    client.connection_lost_callback = inbox.lost
    if setup.username:
        client.set_user(setup.username)
        client.set_password(setup.secret)
    return client


def address_of(written: str) -> str:
    """Return an address with its port, 4840 by default. Raises ValueError for what is no OPC UA address."""
    parts = urlsplit(written.strip())
    try:
        port = parts.port or 4840
    except ValueError:
        port = 0
    if parts.scheme != "opc.tcp" or not parts.hostname or not port:
        raise ValueError(f"The address '{written}' is not like opc.tcp://plc:4840.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    # A user name in the address would stand in logs; it has its own field.
    return urlunsplit(("opc.tcp", f"{host}:{port}", parts.path, parts.query, ""))


def _server_time(published_at: datetime | None, now: datetime) -> datetime:
    """Return the server's time of a message, or ours when it cannot be."""
    if published_at is None:
        return now
    at = published_at.replace(tzinfo=UTC) if published_at.tzinfo is None else published_at
    return at if EARLIEST <= at <= now + MAX_AHEAD else now


def _in_groups(things: Sequence[Any]) -> list[Sequence[Any]]:
    return [things[start : start + _MOST_AT_ONCE] for start in range(0, len(things), _MOST_AT_ONCE)]
