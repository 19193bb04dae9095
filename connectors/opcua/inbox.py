"""What a server sent and nobody has delivered yet, and whether the server is still there. No requests, no database."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from asyncua import ua

from connectors.opcua.telling import Change
from connectors.opcua.values import read
from ingest.items import EARLIEST, MAX_AHEAD

# Changes that wait for the database. Beyond it they are a gap.
MOST_WAITING = 100_000
STATE_HANDLE = 0
"""The number by which the server calls its own state; signals have the numbers after it."""
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


class ConnectionLost(Exception):
    """The server is away, or its word is no longer to be had; the message says how."""


class TooManyChanges(ConnectionLost):
    """More changes came than could be delivered; some are dropped."""


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
        self._signals = dict(enumerate(signals, start=STATE_HANDLE + 1))
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
        if handle == STATE_HANDLE:
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


def _server_time(published_at: datetime | None, now: datetime) -> datetime:
    """Return the server's time of a message, or ours when it cannot be."""
    if published_at is None:
        return now
    at = published_at.replace(tzinfo=UTC) if published_at.tzinfo is None else published_at
    return at if EARLIEST <= at <= now + MAX_AHEAD else now
