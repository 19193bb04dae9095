"""Sockets of devices, and the datagram by which tablets find their server."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from connectors.digitme2 import consumers, services
from connectors.digitme2.access import admit
from connectors.digitme2.consumers import NOT_ADMITTED, NOT_FOUND
from connectors.digitme2.discovery import REQUEST, answer
from connectors.digitme2.routing import DeviceSockets
from connectors.digitme2.tests.plant import make_plant
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)
in_database = sync_to_async(thread_sensitive=True)


async def nothing_else(scope, receive, send):
    raise AssertionError(scope["path"])


application = DeviceSockets(otherwise=nothing_else)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(consumers, "LOOK_SECONDS", 0.02)


async def opened(path, said, **headers):
    rows = [(name.encode(), value.encode()) for name, value in headers.items()]
    socket = WebsocketCommunicator(application, path, headers=rows)
    accepted, _ = await socket.connect(timeout=5)
    assert accepted
    await socket.send_to(said if isinstance(said, str) else json.dumps(said))
    return socket


async def test_machine_is_watched():
    plant = await in_database(make_plant)()
    socket = await opened("/api/activity-updates", {"machine_id": 1})
    assert await socket.receive_from(timeout=5) == "2"
    body = {"machine_id": 1, "activity_code_id": 5}
    assert (await in_database(plant.post)("/api/machine-state-change", body)).status_code == 200
    assert await socket.receive_from(timeout=5) == "5"
    await socket.disconnect()


async def test_tablet_is_watched_and_told_of_a_log_out():
    plant = await in_database(make_plant)()
    tablet = await in_database(plant.log_in)()
    socket = await opened("/api/input-device-updates/", {"device_uuid": "t-1"})
    assert await socket.receive_from(timeout=5) == "2"
    await in_database(plant.post)("/api/machine-state-change", {"machine_id": 1, "activity_code_id": 5})
    assert json.loads(await socket.receive_from(timeout=5)) == {"action": "activity_change", "activity_code_id": 5}
    await in_database(services.log_out)(tablet)
    assert json.loads(await socket.receive_from(timeout=5)) == {"action": "logout"}
    await socket.disconnect()


@pytest.mark.parametrize(
    ("options", "said", "code"),
    [
        ({}, {"machine_id": 9}, NOT_FOUND),
        ({}, {"machine_id": "x"}, consumers.BAD_MESSAGE),
        ({}, "{", consumers.BAD_MESSAGE),
        ({"authentication": "key"}, {"machine_id": 1}, NOT_ADMITTED),
    ],
)
async def test_socket_that_may_not_watch_is_closed(options, said, code):
    await in_database(make_plant)(**options)
    socket = await opened("/api/activity-updates", said)
    assert (await socket.receive_output(timeout=5)) == {"type": "websocket.close", "code": code}


async def test_page_of_a_foreign_site_may_not_watch(settings):
    settings.ALLOWED_HOSTS = ["plant.example"]
    await in_database(make_plant)()
    evil = DeviceSockets(otherwise=nothing_else)
    socket = WebsocketCommunicator(evil, "/api/activity-updates", headers=[(b"origin", b"https://evil.example")])
    accepted, _ = await socket.connect(timeout=5)
    assert not accepted


async def test_address_of_the_socket_counts():
    await in_database(make_plant)(authentication="address", addresses="10.1.0.0/16")
    for address, code in (("10.1.2.3", None), ("10.2.2.3", NOT_ADMITTED)):
        socket = WebsocketCommunicator(application, "/api/activity-updates")
        socket.scope["client"] = [address, 5]
        await socket.connect(timeout=5)
        await socket.send_to('{"machine_id": 1}')
        got = await socket.receive_output(timeout=5)
        assert got.get("code") == code
        await socket.disconnect()


async def test_discovery_answers_its_question_and_no_other():
    port = free_port()
    task = asyncio.create_task(answer(host="127.0.0.1", port=port, server_port=8000))
    got: asyncio.Queue[bytes] = asyncio.Queue()

    class Tablet(asyncio.DatagramProtocol):
        def datagram_received(self, data, addr):
            got.put_nowait(data)

    loop = asyncio.get_running_loop()
    await asyncio.sleep(0.1)
    transport, _ = await loop.create_datagram_endpoint(Tablet, remote_addr=("127.0.0.1", port))
    transport.sendto(b"HELLO")
    transport.sendto(REQUEST)
    assert await asyncio.wait_for(got.get(), 5) == b"DISCOVER_OEE_SERVER_RESPONSE:8000"
    assert got.empty()
    transport.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_admission_needs_no_request():
    make_plant()
    assert admit(raw_key=None, address="", now=consumers.datetime.now(consumers.UTC)).settings.authentication == "open"
