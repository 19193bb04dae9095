"""The device door over real HTTP: every bad input is a clear 4xx that costs nothing else."""

import json
import random
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from counts.models import CountHistory
from downtime.models import StateHistory
from tests.factories import make_count_tag, make_device_key, make_machine, make_reason
from tests.servers import running_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def any_server(request, django_db_setup):
    with running_server(server=request.param) as address:
        yield address


@pytest.fixture(scope="module")
def server(django_db_setup):
    with running_server() as address:
        yield address


@pytest.fixture
def device():
    machine = make_machine()
    _, secret = make_device_key(machine=machine)
    return machine, secret


def key(secret):
    return {"Authorization": f"Api-Key {secret}"}


def now(minutes=0):
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def test_batch_and_single_calls_are_stored(any_server, device):
    machine, secret = device
    tag, run = make_count_tag(machine=machine), make_reason()
    with httpx.Client(base_url=any_server, headers=key(secret)) as client:
        items = [{"tag": tag.tag_path, "at": now(n + 1), "value": n} for n in range(100)]
        answer = client.post("/ingest/", json={"items": items})
        assert (answer.status_code, answer.json()) == (
            200,
            {"accepted": 100, "duplicates": 0, "refused": 0, "items": []},
        )
        assert client.post("/ingest", json=items).json()["duplicates"] == 100
        assert client.post("/ingest/count", json={"tag": tag.tag_path, "at": now(), "value": 1.5}).status_code == 200
        state = {"machine": machine.code, "at": now(), "state": run.code}
        assert client.post("/ingest/state/", json=state).json()["accepted"] == 1
        assert client.get("/ingest/").status_code == 405
        assert client.get("/healthz").status_code == 200
    assert CountHistory.objects.count() == 101
    assert StateHistory.objects.count() == 1


BAD_ITEMS = {
    "unknown tag": ({"tag": "nobody/knows"}, "tag"),
    "negative delta": ({"value": -1}, "value"),
    "text": ({"value": "12"}, "value"),
    "naive time": ({"at": "2026-03-02T08:00:00"}, "at"),
    "far future": ({"at": "2199-01-01T00:00:00Z"}, "at"),
    "unknown field": ({"speed": 7}, "speed"),
}


@pytest.mark.parametrize(("change", "field"), BAD_ITEMS.values(), ids=BAD_ITEMS)
def test_bad_item_is_named_and_good_ones_are_kept(server, device, change, field):
    machine, secret = device
    tag = make_count_tag(machine=machine)
    good = {"tag": tag.tag_path, "at": now(), "value": 1}
    later = {**good, "at": now(1)}
    answer = httpx.post(
        f"{server}/ingest/", json={"items": [good, {**good, "at": now(2), **change}, later]}, headers=key(secret)
    )
    assert answer.status_code == 207
    (item,) = answer.json()["items"]
    assert (item["index"], item["field"]) == (1, field)
    assert item["message"]
    assert CountHistory.objects.count() == 2


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 400])
def test_number_that_is_none_costs_its_own_item_only(server, device, literal):
    machine, secret = device
    tag = make_count_tag(machine=machine)
    body = f'{{"items": [{{"tag": "{tag.tag_path}", "at": "{now()}", "value": {literal}}}, {{"tag": "{tag.tag_path}", "at": "{now(1)}", "value": 2}}]}}'
    answer = httpx.post(f"{server}/ingest/", content=body, headers=key(secret))
    assert answer.status_code == 207
    assert [(item["index"], item["field"]) for item in answer.json()["items"]] == [(0, "value")]
    assert CountHistory.objects.get().value == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 1000 + b"]" * 1000, b"[" * 200_000, b"\xff", b"null", b'{"items": {}}', b"1" * 10_000],
    ids=["empty", "cut", "1,000 deep", "200,000 deep", "not utf-8", "null", "no list", "long number"],
)
def test_unreadable_body_is_a_400_or_422(server, device, body):
    _, secret = device
    answer = httpx.post(f"{server}/ingest/", content=body, headers=key(secret))
    assert answer.status_code in (400, 422)
    assert answer.json()


def test_all_items_refused_is_a_422(server, device):
    _, secret = device
    answer = httpx.post(f"{server}/ingest/", json=[{"tag": "x", "at": now(), "value": 1}], headers=key(secret))
    assert answer.status_code == 422


def test_unknown_machine_and_another_lines_machine_answer_alike(server, device):
    _, secret = device
    other, run = make_machine(), make_reason()
    texts = set()
    for code in (other.code, "nobody"):
        item = {"machine": code, "at": now(), "state": run.code}
        answer = httpx.post(f"{server}/ingest/state", json=item, headers=key(secret))
        assert answer.status_code == 422
        (refusal,) = answer.json()["items"]
        assert refusal["field"] == "machine"
        texts.add(refusal["message"].replace(code, "…"))
    assert len(texts) == 1


def test_without_a_valid_key_nothing_is_said_but_401(server, device):
    machine, _ = device
    item = {"tag": make_count_tag(machine=machine).tag_path, "at": now(), "value": 1}
    for headers in ({}, key("wrong.key"), {"Authorization": "Bearer x"}, key("\xff"), {"Authorization": "Api-Key"}):
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        assert httpx.post(f"{server}/ingest/count", json=item, headers=raw).status_code == 401
    assert not CountHistory.objects.exists()


def test_revoked_key_is_refused_within_a_second(server):
    machine = make_machine()
    device_key, secret = make_device_key(machine=machine)
    tag = make_count_tag(machine=machine)
    item = {"tag": tag.tag_path, "at": now(), "value": 1}
    assert httpx.post(f"{server}/ingest/count", json=item, headers=key(secret)).status_code == 200
    device_key.revoked = True
    device_key.save()
    deadline = time.monotonic() + 5
    while httpx.post(f"{server}/ingest/count", json=item, headers=key(secret)).status_code != 401:
        assert time.monotonic() < deadline


def test_100_mb_are_refused_before_they_are_read(server):
    host, port = httpx.URL(server).host, httpx.URL(server).port
    with socket.create_connection((host, port), timeout=10) as wire:
        wire.sendall(f"POST /ingest/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: {100 * 2**20}\r\n\r\n".encode())
        assert wire.recv(100).startswith(b"HTTP/1.1 413 ")


def test_writers_at_once_lose_and_double_nothing(server, device):
    """Eight clients send overlapping, shuffled batches of the same facts at the same time."""
    machine, secret = device
    tags = [make_count_tag(machine=machine) for _ in range(4)]
    start = datetime.now(UTC) - timedelta(hours=2)
    facts = [
        {"tag": tag.tag_path, "at": (start + timedelta(seconds=n)).isoformat(), "value": n}
        for tag in tags
        for n in range(150)
    ]
    statuses = []

    def send(seed):
        mine = facts[:]
        random.Random(seed).shuffle(mine)
        with httpx.Client(base_url=server, headers=key(secret), timeout=30) as client:
            for begin in range(0, len(mine), 50):
                statuses.append(client.post("/ingest/", content=json.dumps(mine[begin : begin + 50])).status_code)

    senders = [threading.Thread(target=send, args=(seed,)) for seed in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert set(statuses) == {200}
    assert CountHistory.objects.count() == len(facts)
