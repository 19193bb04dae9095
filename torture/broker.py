"""Kill an MQTT broker with SIGKILL while devices publish and wait for the application's acknowledgement.

The broker's own acknowledgement (PUBACK) is worth nothing here: with its usual settings a killed broker forgets what it
had taken. What counts is our answer after our commit, so the comparison is the same as for every other scenario: what
we acknowledged (`Ledger.acknowledged`) against the tables (`verification.verify`).
"""

import asyncio
import contextlib
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from torture.devices import Ledger
from torture.result import Result, percentile
from torture.verification import verify
from torture.world import HOST, Cluster, Plant, free_port, is_listening, scratch_directory, server_on

CYCLES, SMALL = 200, 3
MACHINES = 4

# Given the broker's port, the cluster and the plant: runs the connector and its devices for as long as the block lasts,
# and yields the ledger of what they sent and what was acknowledged to them. On leaving, they bring in what they owe.
Link = Callable[[int, Cluster, Plant], AbstractAsyncContextManager[Ledger]]


class Broker:
    """A mosquitto of the harness's own, that keeps nothing on disk, on one port for all its lives."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self._configuration = directory / "mosquitto.conf"
        self._configuration.write_text(f"listener {self.port} {HOST}\nallow_anonymous true\npersistence false\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns when it listens."""
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if program is None:
            raise RuntimeError("mosquitto is not installed; scripts/system_packages.sh mosquitto installs it.")
        self._process = subprocess.Popen(
            [program, "-c", str(self._configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not is_listening(self.port):
            if self._process.poll() is not None:
                raise RuntimeError(f"mosquitto ended with {self._process.returncode}.")
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it with SIGKILL; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def broker_in(directory: Path) -> Iterator[Broker]:
    """Run a broker until the block ends."""
    broker = Broker(directory)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


async def run(cluster: Cluster, cycles: int, *, link: Link | None = None) -> Result:
    """Kill and restart the broker while devices publish; 0 lost from device to tables, 0 counted twice.

    `link` is the connector with its devices. Without one there is nothing to compare, and the row says so.
    """
    result = Result("broker", cycles if link else 0)
    if link is None:
        result.figures["could not run"] = "there is no MQTT connector"
        return result
    plant = cluster.plant("broker", machines=MACHINES)
    moments = random.Random(5)
    again: list[float] = []
    with scratch_directory() as directory, broker_in(directory) as broker, server_on(cluster) as server:
        async with link(broker.port, cluster, plant) as ledger:
            for _ in range(cycles):
                await asyncio.sleep(moments.uniform(0.1, 0.5))
                await asyncio.to_thread(broker.kill)
                await asyncio.sleep(moments.uniform(0, 0.3))
                await asyncio.to_thread(broker.start)
                again.append(await _seconds_until_acknowledged(ledger))
        verify(result, cluster, plant, ledger, server)
    result.figures["acknowledged again in"] = f"{percentile(again, 0.5):.2f} s (median), {max(again):.2f} s (worst)"
    return result


async def _seconds_until_acknowledged(ledger: Ledger) -> float:
    """Return how long it takes until something more is acknowledged. Raises TimeoutError after a minute."""
    before, started = len(ledger.acknowledged), time.monotonic()
    async with asyncio.timeout(60):
        while len(ledger.acknowledged) == before:
            await asyncio.sleep(0.01)
    return time.monotonic() - started
