"""The other sides for tests: an agent with a buffer that runs over, an adapter,
and what catches items without a database.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape, quoteattr

from connectors.doors import Setup, complete_options
from connectors.intake import Intake, Tally
from connectors.translation import Translator
from ingest.services import Outcome

T0 = "2026-03-02T08:00:00Z"


def at(seconds: float = 0) -> datetime:
    return datetime.fromtimestamp(datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp() + seconds, UTC)


def stamp(seconds: float = 0) -> str:
    return at(seconds).isoformat().replace("+00:00", "Z")


class Caught(Intake):
    """An intake that keeps what it is given."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.gaps: list[tuple[list[str], datetime, datetime, str]] = []
        self.tally = Tally()
        self.is_connected = False

    async def deliver(self, items: Sequence[dict[str, Any]]) -> Outcome:
        self.items += items
        return Outcome()

    async def gap(self, machines: Iterable[str], start: datetime, end: datetime, *, cause: str) -> None:
        self.gaps.append((list(machines), start, end, cause))

    def states(self, machine: str = "M") -> list[tuple[str, str]]:
        """Return (state, seconds after T0 as text) of a machine."""
        return [
            (item["state"], f"{(datetime.fromisoformat(item['at']) - at()).total_seconds():g}")
            for item in self.items
            if item.get("machine") == machine
        ]


def setup_for(protocol: str, address: str, translator: Translator, **options: Any) -> Setup:
    return Setup("test", address, "", "", complete_options(protocol, options), translator)


async def run_until(coroutine: Any, done: asyncio.Event, seconds: float = 30) -> None:
    """Run until the event, then cancel; what the coroutine raises before is raised."""
    task, waiting = asyncio.ensure_future(coroutine), asyncio.ensure_future(done.wait())
    await asyncio.wait([task, waiting], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        task.result()
    task.cancel()
    await asyncio.gather(task, waiting, return_exceptions=True)
    assert done.is_set(), "what was waited for did not come"


class Written(NamedTuple):
    """An observation in an agent's buffer."""

    sequence: int
    item: str
    name: str
    category: str
    element: str
    timestamp: str
    text: str
    code: str = ""

    def xml(self) -> str:
        attributes = f"dataItemId={quoteattr(self.item)} sequence='{self.sequence}' timestamp='{self.timestamp}'"
        if self.name:
            attributes += f" name={quoteattr(self.name)}"
        if self.code:
            attributes += f" nativeCode={quoteattr(self.code)}"
        return f"<{self.element} {attributes}>{escape(self.text)}</{self.element}>"


class Agent:
    """An MTConnect agent with one device: keeps a limited number of observations, and the state before them.

    `feed` is called when a client has fetched everything, and returns whether it added something; once it does not,
    `caught_up` is set.
    """

    def __init__(self, *, device: str = "D", buffer_size: int = 1000, version: str = "1.5") -> None:
        self.device, self.buffer_size, self.version = device, buffer_size, version
        self.instance_id, self.next_sequence = 1, 1
        self.buffer: list[Written] = []
        self.before: dict[str, Written] = {}
        self.now = T0
        self.requests: list[str] = []
        self.answers: list[Callable[[], tuple[int, bytes]]] = []
        self.feed: Callable[[], bool] = lambda: False
        self.caught_up = asyncio.Event()

    def add(
        self, item: str, text: str, timestamp: str, *, name: str = "", category: str = "Events",
        element: str = "Execution", code: str = "",
    ) -> None:  # fmt: skip
        self.buffer.append(Written(self.next_sequence, item, name, category, element, timestamp, text, code))
        self.next_sequence += 1
        self.now = max(self.now, timestamp)
        while len(self.buffer) > self.buffer_size:
            old = self.buffer.pop(0)
            self.before[old.item] = old

    def restart(self) -> None:
        self.instance_id += 1
        self.next_sequence, self.buffer, self.before = 1, [], {}

    @property
    def first_sequence(self) -> int:
        return self.buffer[0].sequence if self.buffer else self.next_sequence

    def current(self) -> bytes:
        latest = {**self.before, **{observation.item: observation for observation in self.buffer}}
        return self._document(list(latest.values()), self.next_sequence)

    def sample(self, wanted: int, count: int) -> bytes:
        if not self.first_sequence <= wanted <= self.next_sequence:
            return error_document("OUT_OF_RANGE", f"'from' must be in {self.first_sequence}..{self.next_sequence}")
        chosen = [observation for observation in self.buffer if observation.sequence >= wanted][:count]
        return self._document(chosen, chosen[-1].sequence + 1 if chosen else wanted)

    def _document(self, observations: list[Written], following: int) -> bytes:
        groups: dict[str, str] = {}
        for observation in observations:
            groups[observation.category] = groups.get(observation.category, "") + observation.xml()
        content = "".join(f"<{category}>{xml}</{category}>" for category, xml in groups.items())
        return (
            f"<?xml version='1.0' encoding='UTF-8'?>"
            f"<MTConnectStreams xmlns='urn:mtconnect.org:MTConnectStreams:{self.version}'>"
            f"<Header creationTime='{self.now}' instanceId='{self.instance_id}' bufferSize='{self.buffer_size}'"
            f" firstSequence='{self.first_sequence}' lastSequence='{self.next_sequence - 1}'"
            f" nextSequence='{following}'/>"
            f"<Streams><DeviceStream name='{self.device}' uuid='u'><ComponentStream component='Path' componentId='p'>"
            f"{content}</ComponentStream></DeviceStream></Streams></MTConnectStreams>"
        ).encode()

    def _answer(self, target: str) -> tuple[int, bytes]:
        if self.answers:
            return self.answers.pop(0)()
        parts = urlsplit(target)
        if parts.path.endswith("/current"):
            return 200, self.current()
        query = parse_qs(parts.query)
        wanted = int(query["from"][0])
        if wanted == self.next_sequence and query["count"] != ["1"] and not self.feed():
            self.caught_up.set()
        return 200, self.sample(wanted, int(query["count"][0]))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        target = request.split()[1].decode()
        self.requests.append(target)
        status, body = self._answer(target)
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body)
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def serving(self, port: int = 0):
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def error_document(code: str, text: str) -> bytes:
    return (
        f"<MTConnectError xmlns='urn:mtconnect.org:MTConnectError:1.5'><Header instanceId='1'/>"
        f"<Errors><Error errorCode='{code}'>{text}</Error></Errors></MTConnectError>"
    ).encode()


class Adapter:
    """An SHDR adapter: writes what `talk` gives, then ends the connection; keeps what the other side wrote."""

    def __init__(self, talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> None:
        self._talk = talk
        self.ended = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._talk(reader, writer)
        writer.close()
        self.ended.set()

    @asynccontextmanager
    async def serving(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def saying(*lines: str) -> Adapter:
    """Return an adapter that says these lines and ends."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write("".join(f"{line}\n" for line in lines).encode())
        await writer.drain()

    return Adapter(talk)
