"""Listen to an MTConnect adapter: SHDR lines over TCP, and its heartbeat."""

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from connectors.doors import Setup
from connectors.intake import Intake
from connectors.mtconnect.lines import Lines, Moments, Shapes, Splitter
from connectors.mtconnect.observations import Latest
from connectors.mtconnect.telling import Teller
from core import cancelling

DEFAULT_PORT = 7878
# Lost heartbeats that make a lost connection.
PATIENCE = 2
# An adapter is first asked for a sign of life when it paused for so long: one that speaks gives them anyway, and one
# that neither reads nor answers would lose its last words with the question unread.
PAUSE_SECONDS = 1.0
_PIECE = 65_536
_KILOBYTE = 1_000

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Past:
    """What the last connection to an adapter left behind; see `agent.Place`."""

    heard_at: datetime
    lost_at: dict[str, datetime] = field(default_factory=dict)


_pasts: dict[tuple[str, str], _Past] = {}


def forget_pasts() -> None:
    """Begin with every adapter as a new process does."""
    _pasts.clear()


async def run(setup: Setup, intake: Intake) -> None:
    """Listen to an adapter until cancelled. Raises ConnectionError when it cannot be reached, ends the connection or
    falls silent, after having told that nothing is known of its machines since it was last heard, and ValueError for
    an address that is none.
    """
    host, port = _address(setup.address)
    listener = _Listener(setup, intake)
    try:
        async with asyncio.timeout(setup.options["timeout"]):
            peer = await _connect(host, port)
    except (OSError, TimeoutError) as error:
        cause = str(error) or "it does not answer"
        await listener.lose(f"The adapter cannot be reached: {cause}")
        raise ConnectionError(f"{host}:{port} cannot be reached: {cause}") from error
    try:
        await listener.listen(peer)
    except (OSError, TimeoutError) as error:
        cause = "the adapter fell silent" if isinstance(error, TimeoutError) else str(error)
        await listener.lose(f"The connection to the adapter is lost: {cause}")
        raise ConnectionError(f"{host}:{port}: {cause}") from error
    finally:
        peer.close()


async def _connect(host: str, port: int) -> socket.socket:
    """Return a connected socket, of the first address that takes the connection.

    A plain socket, because asyncio's streams drop what was received but not yet read when the other side ends with a
    reset; an adapter that ends without having read our last heartbeat does.
    """
    loop = asyncio.get_running_loop()
    failure = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        peer = socket.socket(family, kind, protocol)
        try:
            peer.setblocking(False)
            await loop.sock_connect(peer, address)
            return peer
        except OSError as error:
            peer.close()
            failure = error
        except BaseException:
            peer.close()
            raise
    raise failure


def _address(written: str) -> tuple[str, int]:
    try:
        parts = urlsplit(written if "://" in written else f"//{written}")
        if parts.hostname:
            return parts.hostname, parts.port or DEFAULT_PORT
    except ValueError:
        pass
    raise ValueError(f"'{written}' is no address of an adapter; write host:{DEFAULT_PORT}.")


class _Listener:
    """One connection to an adapter."""

    def __init__(self, setup: Setup, intake: Intake) -> None:
        self._options = setup.options
        self._translator = setup.translator
        self._code = setup.code
        self._intake = intake
        self._past = _pasts.setdefault((setup.code, setup.address), _Past(heard_at=datetime.now(UTC)))
        self._teller = Teller(setup.translator, Latest(), self._past.lost_at)
        self._splitter = Splitter(setup.options["longest_line"] * _KILOBYTE)
        shapes = Shapes(*(setup.options[name] for name in ("conditions", "messages", "time_series")))
        self._lines = Lines(Moments(setup.options["time_zone"]), shapes, setup.options["device"])
        self._passed_over = 0
        self._confirmed_at = self._heard_clock = 0.0
        # Set when the adapter asked for a sign of life or gave one.
        self._spoken = asyncio.Event()

    async def lose(self, cause: str) -> None:
        """Tell that nothing is known of the machines since the adapter was last heard; once for each loss."""
        if self._past.lost_at.keys() >= set(self._translator.machines):
            return
        items, since = self._teller.lose(self._past.heard_at, cause=cause)
        await self._intake.deliver(items)
        self._past.lost_at = {**since, **self._past.lost_at}

    async def listen(self, peer: socket.socket) -> None:
        """Deliver what comes until the connection ends, which raises OSError, or TimeoutError when it falls silent."""
        loop = asyncio.get_running_loop()
        self._intake.connected()
        self._confirmed_at = self._heard_clock = loop.time()
        beat = asyncio.create_task(self._beat(peer))
        try:
            while True:
                async with asyncio.timeout(self._longest_silence()):
                    data = await loop.sock_recv(peer, _PIECE)
                if not data:
                    raise ConnectionResetError("the adapter ended it")
                await self._take(data, datetime.now(UTC))
        finally:
            await cancelling.end(beat)

    async def _take(self, data: bytes, now: datetime) -> None:
        lines = self._splitter.feed(data)
        observations = [observation for line in lines for observation in self._lines.read(line, now)]
        await self._intake.deliver(self._teller.tell(observations, now))
        self._past.heard_at = now
        if observations:
            self._past.lost_at = {}
        self._intake.heard(len(lines))
        if self._lines.pings or self._lines.heartbeat_ms is not None:
            self._spoken.set()
        self._note_passed_over()
        clock = self._heard_clock = asyncio.get_running_loop().time()
        if clock - self._confirmed_at >= self._options["confirm"]:
            self._confirmed_at = clock
            await self._intake.deliver(self._teller.confirm(now))

    def _note_passed_over(self) -> None:
        passed_over = self._lines.malformed + self._splitter.too_long
        if passed_over > self._passed_over:
            self._intake.tally.refused += passed_over - self._passed_over
            self._passed_over = passed_over
            logger.warning("Connector %s: %d lines are malformed or too long", self._code, passed_over)

    async def _beat(self, peer: socket.socket) -> None:
        """Ask for a sign of life: once, and regularly if the adapter answers; answer when it asks for ours."""
        loop = asyncio.get_running_loop()
        # When writing fails the connection has ended; reading says so after the last line.
        with contextlib.suppress(OSError):
            latest = loop.time() + self._period()
            while (pause_ends := min(self._heard_clock + PAUSE_SECONDS, latest)) > loop.time():
                await asyncio.sleep(pause_ends - loop.time())
            asked_at = loop.time()
            await loop.sock_sendall(peer, b"* PING\n")
            while True:
                has_answered = self._lines.heartbeat_ms is not None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(asked_at + self._period() if has_answered else None):
                        await self._spoken.wait()
                self._spoken.clear()
                while self._lines.pings:
                    self._lines.pings -= 1
                    await loop.sock_sendall(peer, b"* PONG %d\n" % self._options["heartbeat_ms"])
                if self._lines.heartbeat_ms is not None and loop.time() >= asked_at + self._period():
                    asked_at = loop.time()
                    await loop.sock_sendall(peer, b"* PING\n")

    def _period(self) -> float:
        return (self._lines.heartbeat_ms or self._options["heartbeat_ms"]) / 1000

    def _longest_silence(self) -> float:
        if self._lines.heartbeat_ms is None:
            return float(self._options["silence"])
        return PATIENCE * self._period()
