"""The host application against a real broker and an independent library's edge node."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from pysparkplug import DataType

from connectors.database import in_thread
from connectors.models import Connector, ConnectorHealth, SignalMapping, StateMap, StateMapEntry
from connectors.sparkplug.tests.test_host import payload
from connectors.tests.brokers import running_broker
from connectors.tests.live import states, supervised, until, values
from downtime.models import SignalGap, StateHistory
from tests.factories import make_count_tag, make_machine, make_reason

pytestmark = pytest.mark.django_db(transaction=True)
PROJECT = Path(__file__).resolve().parents[3]
PEERS = Path(sys.prefix) / "peers"


@pytest.fixture
def broker(tmp_path):
    with running_broker(tmp_path) as broker:
        yield broker


@pytest.fixture
def machine():
    return make_machine()


@pytest.fixture
def tag(machine):
    return make_count_tag(machine=machine, mode="running")


@pytest.fixture
def connector(machine, tag, broker):
    run, stop = make_reason("running", code="RUN"), make_reason("unplanned", code="STOP")
    make_reason("no_data", code="NODATA")
    table = StateMap.objects.create(code="map", name="Map")
    StateMapEntry.objects.create(state_map=table, value="6", reason=run)
    StateMapEntry.objects.create(state_map=table, value="2", reason=stop)
    connector = Connector.objects.create(
        code="spb", name="Sparkplug", protocol="sparkplug", site=machine.line.area.site, address=broker.address,
        options={"reorder_seconds": 0.5, "deaths_count_behind": True},
    )  # fmt: skip
    SignalMapping.objects.create(connector=connector, signal="Plant/Edge/Counts/Good", tag=tag)
    SignalMapping.objects.create(connector=connector, signal="Plant/Edge/State", machine=machine, state_map=table)
    return connector


class EdgeNode:
    """The independent edge node, in its own process."""

    def __init__(self, port):
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("edge_node.py")), str(port), "Plant", "Edge"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PEERS)},
        )  # fmt: skip
        self.wait_for("born")

    def wait_for(self, word):
        while (line := self._process.stdout.readline().strip()) != word:
            assert line or self._process.poll() is None, "The edge node ended."

    def tell(self, *commands):
        for command in commands:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
            self.wait_for("done")

    def crash(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


async def is_connected():
    await until(lambda: ConnectorHealth.objects.filter(state="connected").exists())


async def test_independent_edge_node_counts_changes_state_and_crashes(connector, broker, machine, tag):
    async with supervised():
        await is_connected()
        node = await asyncio.to_thread(EdgeNode, broker.port)
        try:
            await asyncio.to_thread(
                node.tell, "set Counts/Good 10", "set State 6", "send", "set Counts/Good 25", "send"
            )
            assert await until(lambda: values(tag)[-2:] == [10, 25])
            assert await until(lambda: states(machine)[-1:] == ["RUN"])
        finally:
            node.crash()
        assert await until(lambda: states(machine)[-1] == "NODATA")
        last = await in_thread(lambda: StateHistory.objects.order_by("-occurred_at").first())
        assert last.detail == "The edge node's connection died"
        again = await asyncio.to_thread(EdgeNode, broker.port)
        try:
            await asyncio.to_thread(again.tell, "set State 6", "send")
            assert await until(lambda: states(machine)[-1] == "RUN")
        finally:
            again.crash()


async def test_node_that_was_born_before_us_is_asked_to_be_born_again(connector, broker, machine, tag):
    node = await asyncio.to_thread(EdgeNode, broker.port)
    try:
        await asyncio.to_thread(node.tell, "set State 6", "send")
        async with supervised():
            await is_connected()
            await asyncio.wait_for(asyncio.to_thread(node.wait_for, "reborn"), 10)
            await asyncio.to_thread(node.tell, "set State 2", "send")
            assert await until(lambda: states(machine)[-1:] == ["STOP"])
    finally:
        node.crash()


@pytest.fixture
def raw(broker):
    """A bare client that sends what a test writes, and hears what the host says."""
    heard = []
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.on_message = lambda c, u, message: heard.append((message.topic, message.payload, message.retain))
    client.connect("127.0.0.1", broker.port)
    client.subscribe("spBv1.0/STATE/#", 1)
    client.subscribe("spBv1.0/Plant/NCMD/#", 1)
    client.loop_start()
    client.heard = heard
    yield client
    client.disconnect()
    client.loop_stop()


def send(client, kind, content):
    client.publish(f"spBv1.0/Plant/{kind}/Edge", content, qos=0).wait_for_publish(5)


def seconds_ago(n):
    from connectors.sparkplug.tests.test_host import NOW

    return (datetime.now(UTC) - NOW).total_seconds() - n


async def test_missing_message_is_a_gap_and_a_rebirth_request(connector, raw, machine, tag):
    async with supervised():
        await is_connected()
        birth = [
            ("bdSeq", None, DataType.INT64, 1),
            ("Counts/Good", 1, DataType.UINT32, 5),
            ("State", 2, DataType.INT32, 6),
        ]
        send(raw, "NBIRTH", payload(0, seconds_ago(60), birth))
        send(raw, "NDATA", payload(1, seconds_ago(50), [("", 1, 0, 6)]))
        raw.heard.clear()
        send(raw, "NDATA", payload(3, seconds_ago(30), [("", 1, 0, 9)]))
        gap = await until(lambda: SignalGap.objects.first())
        assert round((gap.ends_at - gap.starts_at).total_seconds()) == 20
        assert gap.cause == "Sparkplug messages 2 to 2 did not come"
        assert await until(lambda: values(tag) == [5, 6, 9])
        assert await until(lambda: [t for t, *_ in raw.heard if "NCMD" in t] == ["spBv1.0/Plant/NCMD/Edge"])


async def test_host_says_that_it_is_there_and_that_it_leaves(connector, raw):
    async with supervised():
        await is_connected()
        state = await until(lambda: next((json.loads(p) for t, p, _ in raw.heard if "STATE/mes" in t), None))
        assert state["online"] is True
        raw.publish("spBv1.0/STATE/mes", json.dumps({"online": False, "timestamp": 0}).encode(), qos=1, retain=True)
        # Somebody else's word on us is taken back.
        await until(lambda: sum(json.loads(p)["online"] for t, p, _ in raw.heard if "STATE/mes" in t) >= 2)
    assert await until(lambda: json.loads([p for t, p, _ in raw.heard if "STATE/mes" in t][-1])["online"] is False)


async def test_broker_that_dies_leaves_nothing_known(connector, raw, broker, machine, tag):
    async with supervised():
        await is_connected()
        birth = [("bdSeq", None, DataType.INT64, 1), ("State", 2, DataType.INT32, 6)]
        send(raw, "NBIRTH", payload(0, seconds_ago(5), birth))
        assert await until(lambda: states(machine) == ["RUN"])
        broker.kill()
        assert await until(lambda: states(machine) == ["RUN", "NODATA"])
        assert await until(lambda: ConnectorHealth.objects.filter(state="paused").exists())


async def test_bad_payload_is_told_and_costs_nothing_else(connector, raw, machine, tag):
    async with supervised():
        await is_connected()
        send(raw, "NDATA", b"\xff\xffnonsense")
        send(raw, "NBIRTH", payload(0, seconds_ago(5), [("Counts/Good", 1, DataType.UINT32, 5)]))
        assert await until(lambda: values(tag) == [5])
        health = await until(lambda: ConnectorHealth.objects.exclude(last_error="").first())
        assert "no Sparkplug B" in health.last_error
