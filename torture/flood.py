"""Send far more than the server can take at once."""

import asyncio
import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx

from torture.result import Result, percentile
from torture.world import Cluster, server_on

CYCLES, SMALL = 3, 1
REQUESTS = 200
ITEMS = 5_000
MOST_MEMORY = 150.0
NORMAL_SECONDS = 5.0


async def run(cluster: Cluster, cycles: int) -> Result:
    """Expect 503 for what is too much, bounded memory, every acknowledged batch stored,
    and normal service afterwards.
    """
    result = Result("flood", cycles)
    plant = cluster.plant("flood", machines=1)
    (machine,) = plant.machines
    answers: Counter[str] = Counter()
    peaks: list[float] = []
    again: list[float] = []
    begins = datetime.now(UTC).replace(microsecond=0) - timedelta(days=300)
    acknowledged: set[int] = set()
    with server_on(cluster) as server:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=server.address, headers=plant.sender, timeout=120, limits=limits
        ) as client:
            await client.post("/ingest/", content=_batch(machine, begins, -1, 10))
            before = server.memory()
            server.forget_peak()
            for cycle in range(cycles):
                numbers = range(cycle * REQUESTS, (cycle + 1) * REQUESTS)
                bodies = [_batch(machine, begins, number, ITEMS) for number in numbers]

                async def send(number: int, body: bytes) -> None:
                    answer = await client.post("/ingest/", content=body)
                    answers[str(answer.status_code)] += 1
                    if answer.status_code == 200 and answer.json()["accepted"] == ITEMS:
                        acknowledged.add(number)
                    elif answer.status_code != 503 or not answer.headers.get("retry-after"):
                        answers["wrong"] += 1

                await asyncio.gather(*map(send, numbers, bodies))
                peaks.append(server.memory("VmHWM") - before)
                ended = time.monotonic()
                while (await client.post("/ingest/", content=_batch(machine, begins, -1, 10))).status_code != 200:
                    await asyncio.sleep(0.05)
                again.append(time.monotonic() - ended)
    with cluster.connect() as connection:
        rows = connection.execute(
            "SELECT (extract(epoch FROM occurred_at - %s) * 1000)::bigint / %s, count(*) FROM counts_counthistory"
            " JOIN counts_counttag tag ON tag.id = tag_id WHERE tag.machine_id = %s AND occurred_at >= %s GROUP BY 1",
            [begins, ITEMS, plant.machines[machine], begins],
        ).fetchall()
    stored = {int(number): count for number, count in rows}
    result.acknowledged = len(acknowledged) * ITEMS
    result.stored = sum(stored.values())
    result.lost = sum(ITEMS - stored.get(number, 0) for number in acknowledged)
    result.duplicated = sum(max(count - ITEMS, 0) for count in stored.values())
    result.figures["batches of 5,000 at once"] = str(REQUESTS)
    result.figures["answers"] = ", ".join(f"{number} × {status}" for status, number in sorted(answers.items()))
    result.figures["memory at the peak"] = f"{max(peaks):+.0f} MiB upon {before:.0f} MiB (by round: {_list(peaks)})"
    result.figures["normal again in"] = f"{percentile(again, 1):.2f} s (worst)"
    result.bound(not answers["wrong"], f"Answers were {dict(answers)}.")
    result.bound(answers["503"] > 0, "Nothing was too much: the flood was too small to show anything.")
    result.bound(max(peaks) <= MOST_MEMORY, f"Memory grew by {max(peaks):.0f} MiB.")
    result.bound(max(again) <= NORMAL_SECONDS, f"It took {max(again):.1f} s until all was normal.")
    return result


def _batch(machine: str, begins: datetime, number: int, items: int) -> bytes:
    """Return the body of a batch that occupies milliseconds of its own."""
    start = begins + timedelta(milliseconds=number * ITEMS)
    return json.dumps(
        {
            "items": [
                {"tag": f"{machine}/delta", "at": (start + timedelta(milliseconds=n)).isoformat(), "value": n % 7}
                for n in range(items)
            ]
        }
    ).encode()


def _list(numbers: list[float]) -> str:
    return ", ".join(f"{number:.0f}" for number in numbers)
