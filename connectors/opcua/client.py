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
from connectors.opcua.inbox import STATE_HANDLE, ConnectionLost, Inbox, TooManyChanges
from connectors.opcua.nodes import SignalError, parse, relative_path
from connectors.opcua.options import NO_SECURITY, SECURITY_MODES
from connectors.opcua.telling import Change, Teller
from connectors.presets import wrong_map
from connectors.translation import Translator

# Items of one request; small controllers refuse more.
_MOST_AT_ONCE = 100
_SERVER_STATE = ua.NodeId(ua.ObjectIds.Server_ServerStatus_State)
_CLOSE_SECONDS = 2.0
_SESSION_MILLISECONDS = 120_000
# Connectors whose machines were already called unknown because there is no connection: later attempts in this process
# have nothing new to say.
_known_unreachable: set[str] = set()

# What it reports also comes to us as an exception, and stands in the connector's health; in its log every lost
# connection is pages of tracebacks.
logging.getLogger("asyncua").setLevel(logging.CRITICAL)


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
        keep_alives = max(1, round(options["keep_alive"] * 1000 / publishing))
        answer = await session.create_subscription(
            ua.CreateSubscriptionParameters(
                RequestedPublishingInterval=publishing,
                # It outlives three keep-alives at least (Part 4, 5.14.2).
                RequestedLifetimeCount=max(10_000, 3 * keep_alives),
                RequestedMaxKeepAliveCount=keep_alives,
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
        wanted = [(STATE_HANDLE, _SERVER_STATE, "")]
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
        wrong = list(filter(None, (wrong_map(*unexplained) for unexplained in self._translator.unexplained.items())))
        self._translator.unexplained.clear()
        words = [*wrong, *self._missing.values(), *self._troubles.values()]
        if words:
            self._intake.complain(" ".join(dict.fromkeys(words)))


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


def _in_groups(things: Sequence[Any]) -> list[Sequence[Any]]:
    return [things[start : start + _MOST_AT_ONCE] for start in range(0, len(things), _MOST_AT_ONCE)]
