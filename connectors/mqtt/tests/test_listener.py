"""MQTT with JSON, against a real Mosquitto: acknowledged after our commit, nothing lost, nothing twice."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from connectors.database import in_thread
from connectors.models import Connector, ConnectorHealth, SignalMapping
from connectors.tests.brokers import running_broker
from connectors.tests.live import states, supervised, until, values
from counts.models import CountHistory
from downtime.models import SignalGap
from ingest.models import QuarantinedItem
from tests.factories import make_count_tag, make_machine, make_reason

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


@pytest.fixture
def broker(tmp_path):
    with running_broker(tmp_path) as broker:
        yield broker


@pytest.fixture
def machine():
    return make_machine()


@pytest.fixture
def tag(machine):
    return make_count_tag(machine=machine, tag_path=f"{machine.line.code}/{machine.code}/good")


@pytest.fixture
def make_connector(machine, broker):
    def make(**options):
        site = machine.line.area.site
        return Connector.objects.create(
            code="mqtt", name="MQTT", protocol="mqtt", site=site, address=broker.address, options=options
        )

    return make


class Device:
    """A device's own client, which hears its acknowledgements."""

    def __init__(self, broker, machine):
        line = machine.line
        self.topic = "/".join(
            (line.area.site.enterprise.code, line.area.site.code, line.area.code, line.code, machine.code)
        )
        self.heard = []
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="device", protocol=MQTTv5)
        self.client.on_message = lambda client, userdata, message: self.heard.append(json.loads(message.payload))
        self.client.connect("127.0.0.1", broker.port)
        self.client.subscribe(f"{self.topic}/+/ack", 1)
        self.client.loop_start()

    def send(self, signal, payload):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.client.publish(f"{self.topic}/{signal}", body, qos=1).wait_for_publish(10)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def device(broker, machine):
    device = Device(broker, machine)
    yield device
    device.close()


def at(n):
    return (START + timedelta(seconds=n)).isoformat()


async def is_connected():
    await until(lambda: ConnectorHealth.objects.filter(state="connected").exists())


async def test_topics_become_counts_and_states_without_code(make_connector, device, tag, machine):
    run = await in_thread(make_reason, "running", code="RUN")
    await in_thread(make_connector)
    async with supervised():
        await is_connected()
        device.send("state", {"at": at(0), "state": "RUN", "detail": "Auto"})
        for n in range(3):
            device.send("good", {"at": at(n), "value": n + 5})
        assert await until(lambda: len(values(tag)) == 3 and values(tag)) == [5, 6, 7]
        assert await until(lambda: states(machine)) == [run.code]
        health = await until(lambda: ConnectorHealth.objects.filter(accepted=4).first())
        assert (health.messages, health.refused) == (4, 0)


async def test_messages_wait_at_the_broker_while_we_are_away(make_connector, device, tag):
    await in_thread(make_connector)
    async with supervised():
        await is_connected()
    for n in range(300):
        device.send("good", {"at": at(n), "value": 1})
    async with supervised():
        assert await until(lambda: CountHistory.objects.count() == 300)
    assert not await in_thread(QuarantinedItem.objects.exists)


async def test_broker_keeps_what_we_could_not_store(make_connector, device, tag):
    """Without the commit there is no acknowledgement: what was under way when we were stopped comes again."""
    await in_thread(make_connector)

    def lock_out():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE counts_counthistory RENAME TO hidden")

    def let_in():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE hidden RENAME TO counts_counthistory")

    async with supervised():
        await is_connected()
        await in_thread(lock_out)
        try:
            for n in range(20):
                device.send("good", {"at": at(n), "value": 1})
            await until(lambda: ConnectorHealth.objects.filter(state="paused").exists())
        finally:
            await in_thread(let_in)
        assert await until(lambda: CountHistory.objects.count() == 20)
        health = await in_thread(ConnectorHealth.objects.get)
        assert "could not be written" in health.last_error
        assert health.restarts >= 1


async def test_devices_hear_what_became_of_their_message(make_connector, device, tag):
    await in_thread(make_connector, acknowledgement_topic="{topic}/ack")
    async with supervised():
        await is_connected()
        device.send("good", {"id": 17, "items": [{"at": at(1), "value": 1}, {"at": at(1), "value": 2}, {"value": "x"}]})
        answer = await until(lambda: device.heard and device.heard[0])
    assert (answer["id"], answer["accepted"], answer["refused"]) == (17, 1, 2)
    assert [(item["index"], item["status"]) for item in answer["items"]] == [(1, "conflict"), (2, "refused")]


async def test_bad_payload_costs_only_itself_and_is_kept(make_connector, device, tag):
    await in_thread(make_connector)
    async with supervised():
        await is_connected()
        device.send("good", b"{nonsense")
        device.send("good", {"at": "2026-03-02T08:00:00", "value": 1})
        device.send("unknown", {"at": at(1), "value": 1})
        device.send("good", {"at": at(2), "value": 4})
        assert await until(lambda: values(tag)) == [4]
        kept = await until(lambda: QuarantinedItem.objects.count() == 3 and list(QuarantinedItem.objects.all()))
    assert sorted(item.code for item in kept) == ["missing", "naive_time", "unknown_tag"]
    assert any("{nonsense" in item.payload for item in kept)


async def test_machine_at_another_place_than_its_topic_says_is_refused(make_connector, broker, machine, tag, device):
    await in_thread(make_connector)
    async with supervised():
        await is_connected()
        device.topic = device.topic.replace(machine.line.area.code, "elsewhere")
        device.send("state", {"at": at(0), "state": "RUN"})
        kept = await until(lambda: QuarantinedItem.objects.first())
    assert kept.code == "unknown_machine"


async def test_missing_numbers_become_a_gap_and_late_ones_do_not(make_connector, device, machine, tag):
    await in_thread(make_connector, patience_seconds=1)
    async with supervised():
        await is_connected()
        for number in (0, 1, 2, 7, 8, 10, 9):
            device.send("good", {"at": at(number * 10), "value": 1, "seq": number})
        gap = await until(lambda: SignalGap.objects.first())
        await asyncio.sleep(0.5)
    assert await in_thread(SignalGap.objects.count) == 1
    assert (gap.machine_id, gap.cause) == (machine.pk, "4 numbered messages did not come")
    assert (gap.starts_at, gap.ends_at) == (START + timedelta(seconds=20), START + timedelta(seconds=70))


async def test_session_that_the_broker_forgot_is_a_gap(make_connector, device, machine, tag):
    connector = await in_thread(make_connector)
    async with supervised():
        await is_connected()
        device.send("good", {"at": at(0), "value": 1, "seq": 0})
        await until(lambda: values(tag))

    def forget_session():
        connector.options = {"client_id": "another"}
        connector.save()

    await in_thread(forget_session)
    async with supervised():
        gap = await until(lambda: SignalGap.objects.first())
    assert (gap.cause, gap.starts_at) == ("The broker had forgotten our session", START)


async def test_queue_limit_of_the_broker_is_noticed(make_connector, tmp_path, machine, tag):
    """Of 500 messages while we are away the broker keeps 100: the rest is a gap, not a silence."""
    with running_broker(tmp_path, settings="max_queued_messages 100") as small:
        device = Device(small, machine)

        def set_up():
            Connector.objects.create(
                code="small", name="Small", protocol="mqtt", site=machine.line.area.site, address=small.address,
                options={"patience_seconds": 1},
            )  # fmt: skip

        await in_thread(set_up)
        async with supervised():
            await is_connected()
            device.send("good", {"at": at(0), "value": 1, "seq": 0})
            await until(lambda: values(tag))
        for number in range(1, 501):
            device.send("good", {"at": at(number), "value": 1, "seq": number})
        async with supervised():
            await until(lambda: CountHistory.objects.count() > 50)
            device.send("good", {"at": at(501), "value": 1, "seq": 501})
            gap = await until(lambda: SignalGap.objects.first())
        device.close()
        stored = await in_thread(CountHistory.objects.count)
    assert stored < 502
    assert gap.cause == f"{502 - stored} numbered messages did not come"


async def test_mapped_topic_and_field(make_connector, device, machine):
    def set_up():
        connector = make_connector()
        level = make_count_tag(machine=machine, mode="running")
        SignalMapping.objects.create(connector=connector, signal="plc/7/telemetry#parts", tag=level)
        return level

    level = await in_thread(set_up)
    async with supervised():
        await is_connected()
        device.client.publish("plc/7/telemetry", json.dumps({"at": at(5), "parts": 88}), qos=1)
        assert await until(lambda: values(level)) == [88]


async def test_shared_subscription_splits_the_load(make_connector, device, tag):
    await in_thread(make_connector, shared_group="mes")
    async with supervised(worker="a"), supervised(worker="b"):
        await is_connected()
        await asyncio.sleep(1)
        for n in range(200):
            device.send("good", {"at": at(n), "value": 1})
        assert await until(lambda: CountHistory.objects.count() == 200)
    health = await in_thread(ConnectorHealth.objects.get)
    assert (health.accepted, health.duplicates) == (200, 0)


async def test_broker_that_does_not_answer_is_shown_and_tried_again(make_connector, broker, device, tag):
    broker.kill()
    await in_thread(make_connector)
    async with supervised():
        health = await until(lambda: ConnectorHealth.objects.filter(state="paused").first())
        assert "cannot be reached" in health.last_error
        broker.start()
        await is_connected()


async def test_topics_that_name_the_machine_alone(make_connector, device, machine, tag):
    await in_thread(make_connector, topic_template="plant/{machine}/{signal}")
    async with supervised():
        await is_connected()
        device.client.publish(f"plant/{machine.code.upper()}/good", json.dumps({"at": at(5), "value": 3}), qos=1)
        assert await until(lambda: values(tag)) == [3]
