"""Kill the server with SIGKILL at random moments while devices send."""

import asyncio
import random
import time

from torture.devices import Shop
from torture.result import Result, percentile
from torture.verification import verify
from torture.world import Cluster, Nursery, Server, free_port

CYCLES, SMALL = 1000, 6
MACHINES = 6


async def run(cluster: Cluster, cycles: int) -> Result:
    """Kill and restart on the same port; every delivery without an answer is sent again."""
    result = Result("server-kill", cycles)
    plant = cluster.plant("kill", machines=MACHINES)
    nursery = Nursery(cluster, free_port())
    moments = random.Random(2)
    again: list[float] = []
    interrupted = 0
    try:
        server = nursery.start()
        async with Shop(server.address, plant) as shop:
            await shop.all_acknowledged_since(time.monotonic())
            for _ in range(cycles):
                await asyncio.sleep(moments.uniform(0, 0.3))
                unanswered = shop.ledger.answers["no answer"]
                server = await asyncio.to_thread(_replace, nursery)
                again.append(await shop.all_acknowledged_since(time.monotonic()))
                interrupted += shop.ledger.answers["no answer"] > unanswered
        verify(result, cluster, plant, shop.ledger, server)
        result.bound(not shop.ledger.called_stored_before, "New items were called duplicates.")
    finally:
        nursery.close()
    result.figures["kills that cut requests off"] = f"{interrupted:,}"
    result.figures["items stored though their answer was cut off"] = f"{shop.ledger.stored_unanswered:,}"
    result.figures["all devices acknowledged again in"] = (
        f"{percentile(again, 0.5):.2f} s (median), {max(again):.2f} s (worst)"
    )
    return result


def _replace(nursery: Nursery) -> Server:
    nursery.kill()
    return nursery.start()
