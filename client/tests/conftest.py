"""What the client's tests share: clients on a queue of their own, that are closed after the test."""

import json

import httpx
import pytest

from mes_client import Client


def answer_of(items, *, duplicates=0, refused=()):
    """Return what the server answers when it takes items; `refused` are its answers of single items."""
    body = {
        "accepted": len(items) - duplicates - len(refused),
        "duplicates": duplicates,
        "refused": len(refused),
        "items": list(refused),
    }
    return httpx.Response(207 if refused else 200, json=body)


class FakeServer:
    """Take batches as the server does; `answers` come first, each a response or an exception."""

    def __init__(self):
        self.answers = []
        self.batches = []
        self.stored = []

    def __call__(self, request):
        items = json.loads(request.content)["items"]
        self.batches.append(items)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        self.stored += items
        return answer_of(items)


@pytest.fixture
def fake_server():
    return FakeServer()


@pytest.fixture
def queue_path(tmp_path):
    return tmp_path / "devices" / "queue.db"


@pytest.fixture
def make_client(queue_path):
    """Return a function that makes clients; without a background thread unless asked."""
    clients = []

    def make(server=None, *, url="http://mes", key="key", path=queue_path, background=False, **options):
        transport = None if server is None else httpx.MockTransport(server)
        client = Client(url, key, path, transport=transport, background=background, **options)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close(timeout=0)
