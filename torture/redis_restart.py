"""Kill and freeze the live bus while devices send: no write may notice."""

import asyncio
import contextlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis.asyncio

from torture.devices import Shop
from torture.result import Result, percentile
from torture.verification import verify
from torture.world import Cluster, server_on

CYCLES, SMALL = 100, 2
MACHINES = 6
# A frozen bus may cost a writer its time limit, once; more would be a queue that grows.
WORST_SECONDS = 2.0


class Bus:
    """A Redis of the harness's own, on a socket in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{directory}/redis"

    def start(self) -> None:
        """Start it, or wake it when it is frozen."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            return
        self._process = subprocess.Popen(
            [
                *("redis-server", "--port", "0", "--unixsocket", f"{self._directory}/redis"),
                *("--dir", str(self._directory), "--save", "", "--daemonize", "no"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it keep its connections and answer nothing: what a host that hangs looks like."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)


@contextlib.contextmanager
def bus() -> Iterator[Bus]:
    """Run a Redis until the block ends. Raises RuntimeError when none is installed."""
    if shutil.which("redis-server") is None:
        raise RuntimeError("redis-server is not installed; scripts/system_packages.sh redis-server installs it.")
    with tempfile.TemporaryDirectory(prefix="torture-redis-") as directory:
        made = Bus(Path(directory))
        made.start()
        try:
            yield made
        finally:
            made.kill()


async def run(cluster: Cluster, cycles: int) -> Result:
    """Kill it in one cycle, freeze it in the next; every write is answered 200 at once, and the bus is heard again."""
    result = Result("redis-restart", cycles)
    plant = cluster.plant("bus", machines=MACHINES)
    moments = random.Random(4)
    heard: list[float] = []
    with bus() as live_bus, server_on(cluster, REDIS_URL=live_bus.url) as server:
        async with Shop(server.address, plant) as shop:
            for device in shop.devices:
                device.pause = 0.01
            for cycle in range(cycles):
                live_bus.start()
                heard.append(await _seconds_until_heard(live_bus.url))
                await asyncio.sleep(moments.uniform(0, 0.3))
                if cycle % 2:
                    live_bus.freeze()
                else:
                    live_bus.kill()
                await asyncio.sleep(moments.uniform(0.1, 0.6))
                await shop.all_acknowledged_since(time.monotonic())
            live_bus.start()
        verify(result, cluster, plant, shop.ledger, server)
    result.bound(not shop.ledger.called_stored_before, "New items were called duplicates.")
    answers = shop.ledger.answers
    failed = sum(number for answer, number in answers.items() if answer != "200")
    result.figures["writes"] = f"{answers['200']:,}"
    result.figures["writes failed"] = str(failed)
    result.figures["a write took"] = (
        f"{percentile(shop.ledger.seconds, 0.95):.3f} s (p95), {max(shop.ledger.seconds):.2f} s (worst)"
    )
    result.figures["bus heard again in"] = f"{max(heard):.2f} s (worst)"
    result.bound(not failed, f"{failed} writes were not answered 200: {dict(answers)}")
    result.bound(max(shop.ledger.seconds) <= WORST_SECONDS, f"A write took {max(shop.ledger.seconds):.1f} s.")
    return result


async def _seconds_until_heard(url: str) -> float:
    """Return how long it takes until an announcement comes by. Raises TimeoutError after a minute."""
    started = time.monotonic()
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(redis.ConnectionError, FileNotFoundError):
                async with redis.asyncio.from_url(url) as client, client.pubsub() as subscription:
                    await subscription.subscribe("mes")
                    async for message in subscription.listen():
                        if message["type"] == "message":
                            return time.monotonic() - started
            await asyncio.sleep(0.01)
