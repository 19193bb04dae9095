"""Stop the database in immediate mode and start it again while devices send and somebody reads."""

import asyncio
import random
import time
from collections import Counter

import httpx

from torture.devices import Shop
from torture.result import Result, percentile
from torture.verification import verify
from torture.world import Cluster, Plant, server_on

CYCLES, SMALL = 100, 2
MACHINES = 6
# How soon after the database is back everything has to be as before.
NORMAL_SECONDS = 5.0
# A short outage is waited out by the server; one as long as this is answered.
LONG_SECONDS = 10.0
READ_PATHS = ("/healthz", "/machine/", "/oee/count-history", "/login/", "/api/docs/")


async def run(cluster: Cluster, cycles: int) -> Result:
    """Expect 503 with Retry-After meanwhile, nothing lost, and normal service within seconds."""
    result = Result("database-restart", cycles)
    plant = cluster.plant("restart", machines=MACHINES)
    moments = random.Random(3)
    again: list[float] = []
    reads: Counter[str] = Counter()
    with server_on(cluster) as server:
        async with Shop(server.address, plant, timeout=30) as shop:
            for device in shop.devices:
                device.pause = 0.01
            await shop.all_acknowledged_since(time.monotonic())
            reading = asyncio.create_task(_read(server.address, plant, reads))
            try:
                for cycle in range(cycles):
                    await asyncio.sleep(moments.uniform(0.1, 0.5))
                    await asyncio.to_thread(cluster.crash)
                    await asyncio.sleep(moments.uniform(0, 1) if cycle % 10 else LONG_SECONDS)
                    await asyncio.to_thread(cluster.start)
                    again.append(await shop.all_acknowledged_since(time.monotonic()))
            finally:
                reading.cancel()
        verify(result, cluster, plant, shop.ledger, server)
    answers = shop.ledger.answers
    result.figures["writes answered 503 with Retry-After"] = f"{answers['503']:,}"
    result.figures["other errors at writing"] = str(answers["wrong"] + answers["no answer"])
    bad_reads = {status: number for status, number in reads.items() if status not in {"200", "503"}}
    result.figures["reads answered 200 / 503 / otherwise"] = (
        f"{reads['200']:,} / {reads['503']:,} / {sum(bad_reads.values())}"
    )
    result.figures["normal again in"] = f"{percentile(again, 0.5):.2f} s (median), {max(again):.2f} s (worst)"
    result.bound(not answers["no answer"], f"{answers['no answer']} writes got no answer.")
    result.bound(not bad_reads, f"Reads were answered with {bad_reads}.")
    result.bound(max(again) <= NORMAL_SECONDS, f"It took {max(again):.1f} s until all was normal.")
    return result


async def _read(address: str, plant: Plant, reads: Counter[str]) -> None:
    cookies = {"sessionid": plant.session}
    async with httpx.AsyncClient(base_url=address, timeout=30, headers=plant.reader) as client:
        while True:
            for path in (*READ_PATHS, "/admin/"):
                try:
                    extra = {"Cookie": f"sessionid={cookies['sessionid']}"} if path == "/admin/" else {}
                    answer = await client.get(path, headers=extra)
                except httpx.TransportError as error:
                    reads[f"{path} {error!r}"] += 1
                else:
                    is_fine = answer.status_code == 200 or (answer.status_code == 503)
                    reads[str(answer.status_code) if is_fine else f"{path} {answer.status_code}"] += 1
                await asyncio.sleep(0.02)
