"""How long it takes from a device's POST until every watching socket has the line's new fragment, commit included."""

import asyncio
import http.client
import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from websockets.asyncio.client import ClientConnection, connect

UNLOADED_MS = 30.0
STATES = ("clean", "run", "setup")
_PAUSE = 0.5
"""Between two POSTs: the hub gathers for a while, and an announcement that comes alone does not wait."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
"""Since when a machine is as it is, as fragments write it."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a device posts, and for which machine."""

    port: int
    key: str
    machine: str

    def post(self, state: str) -> str:
        """Say that the machine is in a state now; return the moment as the page will tell it."""
        at = datetime.now(UTC).isoformat()
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = json.dumps({"items": [{"machine": self.machine, "at": at, "state": state}]})
        headers = {"Authorization": f"Api-Key {self.key}", "Content-Type": "application/json"}
        wire.request("POST", "/ingest/", body=body, headers=headers)
        answer = json.loads(wire.getresponse().read())
        wire.close()
        if answer.get("accepted") != 1:
            raise RuntimeError(answer)
        return at


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds from a POST to the sockets, and how many states never came because a newer one was told with
    them.
    """

    sockets: int
    p50: float
    p99: float
    overtaken: int


def delay(door: Door, path: str, session: str, *, sockets: int, posts: int) -> Delay:
    """Watch a path with so many sockets while a machine's state changes so many times."""
    return asyncio.run(_delay(door, path, session, sockets, posts))


async def _delay(door: Door, path: str, session: str, sockets: int, posts: int) -> Delay:
    from django.conf import settings

    address = f"127.0.0.1:{door.port}"
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}", "Origin": f"http://{address}"}
    wires = [
        await connect(f"ws://{address}{path}", additional_headers=headers, max_size=None, compression=None)
        for _ in range(sockets)
    ]
    seen: list[dict[str, float]] = [{} for _ in wires]
    readers = [asyncio.create_task(_read(wire, into)) for wire, into in zip(wires, seen, strict=True)]
    # The first watcher wakes the hub, and all is told once.
    await asyncio.sleep(2)
    posted: dict[str, float] = {}
    for number in range(posts):
        await asyncio.sleep(_PAUSE)
        started = time.time()
        posted[await asyncio.to_thread(door.post, STATES[number % len(STATES)])] = started
    await asyncio.sleep(2)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*(wire.close() for wire in wires))
    spent = sorted((of[at] - started) * 1000 for of in seen for at, started in posted.items() if at in of)
    if not spent:
        raise RuntimeError("Nothing that was posted reached a socket.")
    p99 = spent[min(len(spent) - 1, round(0.99 * len(spent)))]
    return Delay(sockets, spent[len(spent) // 2], p99, sockets * posts - len(spent))


async def _read(wire: ClientConnection, into: dict[str, float]) -> None:
    async for message in wire:
        arrived = time.time()
        for moment in _MOMENT.findall(str(message)):
            into.setdefault(moment, arrived)
