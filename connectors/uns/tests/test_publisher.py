"""A broker's retained topics say what the plant does; what is no more is cleared;
nobody takes them for a device's word.
"""

import asyncio
import json
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from connectors.database import in_thread
from connectors.doors import complete_options
from connectors.models import Connector
from connectors.mqtt.session import Broker, Session
from connectors.tests.brokers import running_broker
from connectors.tests.live import supervised
from connectors.uns.topics import _plain
from downtime.models import StateHistory
from downtime.services import NewState, record_states
from ingest.models import QuarantinedItem
from tests.factories import make_machine, make_reason

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 30


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with running_broker(tmp_path_factory.mktemp("uns")) as broker:
        yield broker


def stop(machine):
    now = datetime.now(UTC)
    reason = make_reason("unplanned", code="JAM", name="Jam")
    record_states([NewState(machine_id=machine.pk, reason_id=reason.pk, occurred_at=now)], recorded_at=now)


async def heard_until(session, heard, condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():
            for message in await session.messages(100, patience=1):
                session.acknowledge(message)
                heard[message.topic] = message.payload.decode()


async def test_states_and_kpis_are_retained_and_what_is_no_more_is_cleared(broker):
    machine = await in_thread(make_machine, code="FILLER")
    line = machine.line
    site = line.area.site
    root = f"plants/{site.enterprise.code}/{site.code}"
    path = f"{root}/{line.area.code}/{line.code}"
    create = Connector.objects.create
    await in_thread(
        create,
        code="uns",
        name="U",
        protocol="uns",
        site=site,
        address=broker.address,
        options={"topic_prefix": "/plants/"},
    )
    # A listener of the same broker, to whom each topic looks like a machine's.
    template = "{a}/{b}/{area}/{line}/{machine}/{signal}"
    await in_thread(
        create,
        code="in",
        name="I",
        protocol="mqtt",
        site=site,
        address=broker.address,
        options={"topic_template": template},
    )
    heard: dict[str, str] = {}
    async with Session(Broker.at(broker.address, client_id="reader")) as reader:
        await reader.subscribe("plants/#")
        reader.publish(f"{root}/gone/line/oee", b"{}", retain=True, is_derived=True)
        reader.publish(f"{root}/another's", b"{}", retain=True)
        async with supervised():
            await heard_until(
                reader, heard, lambda: f"{path}/oee" in heard and heard.get(f"{root}/gone/line/oee") == ""
            )
            first = json.loads(heard[f"{path}/FILLER/state"])
            assert (first["value"], first["quality"]) == ("no_data", "bad")
            assert json.loads(heard[f"{path}/oee"])["value"] is None
            assert heard[f"{root}/mes"] == "online"
            assert heard[f"{root}/another's"] == "{}"
            await in_thread(stop, machine)
            await heard_until(reader, heard, lambda: json.loads(heard[f"{path}/FILLER/state"])["value"] == "unplanned")
            assert json.loads(heard[f"{path}/FILLER/state"])["reason"] == "Jam"
        await heard_until(reader, heard, lambda: heard[f"{root}/mes"] == "offline")
        machine.code = "PACKER"
        await in_thread(machine.save)
        async with supervised():
            await heard_until(reader, heard, lambda: f"{path}/PACKER/state" in heard)
            await heard_until(reader, heard, lambda: heard[f"{path}/FILLER/state"] == "")
    assert await in_thread(QuarantinedItem.objects.count) == 0
    assert await in_thread(StateHistory.objects.count) == 1


def test_numbers_are_exact_and_prefixes_are_plain():
    assert [_plain(Fraction(n, 3), 4) for n in (1, 3, -2)] == ["0.3333", "1", "-0.6667"]
    assert complete_options("uns", {"topic_prefix": "/a/b/"})["topic_prefix"] == "a/b"
    with pytest.raises(ValueError, match="topic_prefix"):
        complete_options("uns", {"topic_prefix": "a/#"})
