"""Devices that send by MQTT: the same questions and answers as over HTTP, through a real broker and connector."""

from datetime import UTC, datetime, timedelta

import pytest
from mes_client import Door, NotTaken

from connectors.database import in_thread
from connectors.models import Connector, ConnectorHealth
from connectors.tests.brokers import running_broker
from connectors.tests.live import supervised, until, values
from counts.models import CountTag
from simulator.mqtt import MqttLink, MqttTransport
from tests.factories import make_count_tag, make_machine

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def connect(broker) -> tuple[str, str]:
    """Set a connector up for a machine; return the machine's topic and the path of its tag."""
    machine = make_machine()
    line = machine.line
    tag = make_count_tag(machine=machine, tag_path=f"{machine.code}/good")
    Connector.objects.create(
        code="mqtt",
        name="MQTT",
        protocol="mqtt",
        site=line.area.site,
        address=broker.address,
        options={"acknowledgement_topic": "{topic}/ack"},
    )
    places = (line.area.site.enterprise.code, line.area.site.code, line.area.code, line.code, machine.code, "batch")
    return "/".join(places), tag.tag_path


def item(tag: str, number: int) -> str:
    at = (START + timedelta(seconds=number)).isoformat()
    return f'{{"tag": "{tag}", "at": "{at}", "value": {number}}}'


async def test_a_batch_is_answered_item_by_item_and_sending_again_is_a_duplicate(tmp_path):
    with running_broker(tmp_path) as broker:
        topic, tag = await in_thread(connect, broker)
        link = MqttLink(broker.address)
        door = Door("http://mes", "key", transport=MqttTransport(link, topic))
        async with supervised():
            await until(lambda: ConnectorHealth.objects.filter(state="connected").exists())
            first = await in_thread(door.send, [item(tag, 1), item(tag, 2), item("nobody/good", 3)])
            assert (first.accepted, first.duplicates, len(first.refused)) == (2, 0, 1)
            assert first.refused[0].index == 2
            again = await in_thread(door.send, [item(tag, 1)])
            assert (again.accepted, again.duplicates) == (0, 1)
            assert await until(lambda: values_of(tag)) == [1, 2]
        link.close()


def values_of(path: str) -> list[int]:
    return values(CountTag.objects.get(tag_path=path))


def test_without_a_broker_nothing_is_taken(monkeypatch):
    monkeypatch.setattr("simulator.mqtt._CONNECTED_WITHIN", 0.05)
    link = MqttLink("mqtt://127.0.0.1:9")
    door = Door("http://mes", "key", transport=MqttTransport(link, "a/b"))
    with pytest.raises(NotTaken):
        door.send([item("t", 1)])
    link.close()


def test_an_address_that_is_none_is_refused():
    with pytest.raises(ValueError, match="mqtt://"):
        MqttLink("https://example.com")
