"""Devices that publish over MQTT with QoS 1 and believe only what the application acknowledges, and our connector."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from torture.devices import Batch, Device, Ledger, devices_of
from torture.world import HOST, PROJECT, Cluster, Plant

PATIENCE_SECONDS = 2.0


class Wire:
    """One client for all devices: publishes batches and hands their acknowledgements over."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="devices", protocol=MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("torture/+/batch/ack", 1)
        self._client.on_message = self._on_message
        self._client.connect(HOST, port)
        self._client.loop_start()

    def close(self) -> None:
        """End the connection."""
        self._client.disconnect()
        self._client.loop_stop()

    async def deliver(self, machine: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        """Publish items and return what the application said of them. Raises TimeoutError when it said nothing."""
        self._number += 1
        number, answer = self._number, self._loop.create_future()
        self._waiting[number] = answer
        try:
            self._client.publish(f"torture/{machine}/batch", json.dumps({"id": number, "items": items}), qos=1)
            async with asyncio.timeout(PATIENCE_SECONDS):
                said: dict[str, Any] = await answer
                return said
        finally:
            del self._waiting[number]

    def _on_message(self, client: Any, userdata: Any, message: Any) -> None:
        said = json.loads(message.payload)
        self._loop.call_soon_threadsafe(self._settle, said)

    def _settle(self, said: dict[str, Any]) -> None:
        answer = self._waiting.get(said["id"])
        if answer is not None and not answer.done():
            answer.set_result(said)


class MqttDevice(Device):
    """A device that sends by MQTT what others send by HTTP."""

    async def _send(self, client: Any, batch: Batch) -> None:
        is_again, batch.times_sent = batch.times_sent > 0, batch.times_sent + 1
        started = time.monotonic()
        try:
            said = await client.deliver(self.machine, batch.items)
        except TimeoutError:
            self._ledger.answers["no answer"] += 1
            self._pending.append(batch)
            return
        now = time.monotonic()
        self._ledger.seconds.append(now - started)
        self._ledger.answers["acknowledged"] += 1
        self._note(batch, said, is_again=is_again)
        self.last_acknowledged = now


@asynccontextmanager
async def mqtt_link(port: int, cluster: Cluster, plant: Plant) -> AsyncIterator[Ledger]:
    """Run `manage.py connect` on the cluster and devices that publish to the broker on a port."""
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "torture.connector", str(port), next(iter(plant.machines))],
        cwd=PROJECT,
        env=cluster.environment,
        check=True,
    )
    connector = subprocess.Popen(
        [sys.executable, "manage.py", "connect", "torture", "--longest-pause", "1"],
        cwd=PROJECT,
        env=cluster.environment,
        stdout=cluster.log,
        stderr=cluster.log,
    )
    ledger, stop, wire = Ledger(), asyncio.Event(), Wire(port)
    devices = devices_of(plant, ledger, kind=MqttDevice)
    tasks = [asyncio.create_task(device.run(wire, stop)) for device in devices]
    try:
        yield ledger
        stop.set()
        async with asyncio.timeout(180):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        wire.close()
        connector.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(connector.wait, 15)
        connector.kill()
