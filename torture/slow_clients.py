"""Open hundreds of connections that trickle their headers or bodies, while one device sends as always."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx

from torture.result import Result, percentile
from torture.world import HOST, Cluster, Plant, server_on

CYCLES, SMALL = 1, 1
CONNECTIONS = 500
CLOSED_SECONDS = 60.0
NORMAL_SECONDS = 10.0
WORST_RATIO = 2.0


async def run(cluster: Cluster, cycles: int) -> Result:
    """Expect the slow ones to be closed within a minute, and others to be served as quickly as before."""
    result = Result("slow-clients", cycles)
    plant = cluster.plant("slow", machines=1)
    closed: list[float] = []
    left = 0
    with server_on(cluster) as server:
        async with httpx.AsyncClient(base_url=server.address, headers=plant.sender, timeout=30) as client:
            sender = _Sender(client, next(iter(plant.machines)))
            await sender.send_for(2)
            normal = percentile(await sender.send_for(NORMAL_SECONDS), 0.95)
            under: list[float] = []
            for _ in range(cycles):
                slow = [asyncio.create_task(_trickle(server.port, plant, n)) for n in range(CONNECTIONS)]
                while not all(task.done() for task in slow):
                    under += await sender.send_for(1)
                ends = [task.result() for task in slow]
                closed += [end for end in ends if end is not None]
                left += sum(end is None for end in ends)
        with cluster.connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM counts_counthistory JOIN counts_counttag tag ON tag.id = tag_id"
                " WHERE tag.machine_id = ANY(%s)",
                [list(plant.machines.values())],
            ).fetchone()
    loaded = percentile(under, 0.95)
    result.acknowledged, result.stored = sender.acknowledged, row[0] if row else 0
    result.lost = max(result.acknowledged - result.stored, 0)
    result.duplicated = max(result.stored - result.acknowledged, 0)
    result.figures["slow connections"] = str(CONNECTIONS * cycles)
    result.figures["closed after"] = f"{percentile(closed, 0.5):.0f} s (median), {max(closed, default=0):.0f} s (last)"
    result.figures["still open after 60 s"] = str(left)
    result.figures["p95 of others"] = (
        f"{loaded * 1000:.1f} ms, {normal * 1000:.1f} ms without them ({loaded / normal:.1f} times)"
    )
    result.bound(not left, f"{left} slow connections were not closed.")
    result.bound(loaded < WORST_RATIO * normal, f"Others waited {loaded / normal:.1f} times as long.")
    return result


class _Sender:
    """A device that sends one count after the other and takes the time."""

    def __init__(self, client: httpx.AsyncClient, machine: str) -> None:
        self.acknowledged = 0
        self._client = client
        self._machine = machine
        self._at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)

    async def send_for(self, seconds: float) -> list[float]:
        """Send for a while; return how long each answer took."""
        took = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._at += timedelta(milliseconds=10)
            item = {"tag": f"{self._machine}/delta", "at": self._at.isoformat(), "value": 1}
            started = time.perf_counter()
            answer = await self._client.post("/ingest/count", json=item)
            took.append(time.perf_counter() - started)
            self.acknowledged += answer.status_code == 200
            await asyncio.sleep(0.01)
        return took


async def _trickle(port: int, plant: Plant, number: int) -> float | None:
    """Send a byte a second: of the headers, of a body for the door, or of a body for a page. Return when it was closed.

    None when it is still open after the time allowed.
    """
    reader, writer = await asyncio.open_connection(HOST, port)
    started = time.monotonic()
    path = "/ingest/" if number % 3 else "/login/"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Api-Key {plant.device_key}\r\n"
    in_body = number % 2
    writer.write(f"{head}Content-Length: 5000\r\n\r\n".encode() if in_body else head.encode())
    ended = asyncio.create_task(_read_to_the_end(reader))
    try:
        while time.monotonic() - started < CLOSED_SECONDS:
            writer.write(b" " if in_body else b"x")
            done, _ = await asyncio.wait({ended}, timeout=1)
            if done:
                return time.monotonic() - started
        return None
    except ConnectionError:
        return time.monotonic() - started
    finally:
        ended.cancel()
        writer.close()


async def _read_to_the_end(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(4096):
            pass
    except ConnectionError:
        return
