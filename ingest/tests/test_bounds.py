"""What the device door holds out: bodies beyond all bounds, slow ones, a database that goes away."""

import asyncio
import itertools
import json
import socket
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from accounts.keys import device_scope
from counts.models import CountHistory
from ingest.asgi import DeviceDoor
from ingest.models import QuarantinedItem
from tests.factories import make_count_tag, make_device_key, make_machine, make_reason, make_user
from tests.servers import database_url, end_shared, running_server

pytestmark = pytest.mark.django_db(transaction=True)
MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def server(django_db_setup):
    with running_server() as address:
        yield address


@pytest.fixture(scope="module")
def http():
    with httpx.Client(timeout=30) as client:
        yield client


@pytest.fixture
def device():
    machine = make_machine()
    return machine, make_device_key(machine=machine)[1]


def key(secret):
    return {"Authorization": f"Api-Key {secret}"}


def ago(seconds=0):
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def megabytes(number):
    for _ in range(number):
        yield b" " * MEBIBYTE


@pytest.mark.parametrize("has_key", [True, False], ids=["with a key", "without a key"])
def test_100_mb_in_chunks_are_a_413_that_the_client_gets_to_read(server, device, has_key):
    headers = key(device[1]) if has_key else {}
    answer = httpx.post(f"{server}/ingest/", content=megabytes(100), headers=headers)
    assert answer.status_code == 413
    assert "bytes" in answer.json()["detail"]


def test_100_mb_declared_are_a_413_that_the_client_gets_to_read(server):
    length = {"Content-Length": str(100 * MEBIBYTE)}
    assert httpx.post(f"{server}/ingest/", content=megabytes(100), headers=length).status_code == 413


@pytest.mark.parametrize("declares", [True, False], ids=["declared", "in chunks"])
def test_100_mb_take_less_than_20_mib_of_memory(device, declares):
    _, secret = device
    device_scope(secret, clock=time.monotonic(), now=datetime.now(UTC))
    headers = [(b"authorization", f"Api-Key {secret}".encode())]
    if declares:
        headers.append((b"content-length", str(100 * MEBIBYTE).encode()))
    chunks = itertools.chain(
        ({"type": "http.request", "body": chunk, "more_body": True} for chunk in megabytes(100)),
        itertools.repeat({"type": "http.disconnect"}),
    )
    sent = []

    async def receive():
        return next(chunks)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/ingest/", "headers": headers}
    tracemalloc.start()
    try:
        asyncio.run(DeviceDoor(otherwise=never)(scope, receive, send))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent[0]["status"] == 413
    assert peak < 20 * MEBIBYTE


async def never(scope, receive, send):
    raise AssertionError("This request is the device door's.")


def test_item_too_many_is_a_400(server, device):
    items = [{}] * 10_001
    answer = httpx.post(f"{server}/ingest/", json=items, headers=key(device[1]))
    assert answer.status_code == 400
    assert "at most 10000" in answer.json()["detail"]


def test_10_000_mixed_items_are_taken(server, device):
    machine, secret = device
    tag, run = make_count_tag(machine=machine), make_reason()
    items = [{"tag": tag.tag_path, "at": ago(n + 1), "value": n} for n in range(5_000)]
    items += [{"machine": machine.code, "at": ago(n + 1), "state": run.code} for n in range(5_000)]
    answer = httpx.post(f"{server}/ingest/", json=items, headers=key(secret), timeout=30)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 10_000)


def test_get_says_how_to_send(server):
    answer = httpx.get(f"{server}/ingest/count")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert set(answer.json()["example"]) == {"tag", "at", "value"}


def test_unknown_key_is_told_how_to_authenticate(server):
    answer = httpx.post(f"{server}/ingest/", json=[])
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Api-Key")


def test_sender_that_leaves_in_the_middle_disturbs_nobody(server, device):
    machine, secret = device
    host, port = httpx.URL(server).host, httpx.URL(server).port
    head = f"POST /ingest/ HTTP/1.1\r\nHost: x\r\nAuthorization: Api-Key {secret}\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection((host, port), timeout=10) as wire:
        wire.sendall(head.encode() + b'{"items"')
    item = {"tag": make_count_tag(machine=machine).tag_path, "at": ago(), "value": 1}
    assert httpx.post(f"{server}/ingest/count", json=item, headers=key(secret)).json()["accepted"] == 1


def test_lost_connections_to_the_database_cost_no_delivery(server, device):
    machine, secret = device
    tag = make_count_tag(machine=machine)
    for n in range(3):
        item = {"tag": tag.tag_path, "at": ago(n), "value": n}
        assert httpx.post(f"{server}/ingest/count", json=item, headers=key(secret)).status_code == 200
        end_connections_of_others()
    assert CountHistory.objects.count() == 3


def test_database_that_is_away_is_a_503_until_it_is_back(device):
    machine, secret = device
    item = {"tag": make_count_tag(machine=machine).tag_path, "at": ago(), "value": 1}
    with running_server() as address:
        assert httpx.post(f"{address}/ingest/count", json=item, headers=key(secret)).json()["accepted"] == 1
        allow_connections(False)
        try:
            end_connections_of_others()
            away = httpx.post(f"{address}/ingest/count", json=item, headers=key(secret), timeout=40)
        finally:
            allow_connections(True)
        assert away.status_code == 503
        assert int(away.headers["retry-after"]) > 0
        back = httpx.post(f"{address}/ingest/count", json=item, headers=key(secret), timeout=40)
        assert (back.status_code, back.json()["duplicates"]) == (200, 1)


def end_connections_of_others():
    # The next browser test would meet the connections that the tests' server keeps.
    end_shared()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def allow_connections(allowed):
    name = connection.settings_dict["NAME"]
    # A database cannot lock its own door.
    elsewhere = database_url().removesuffix(name) + "postgres"
    with psycopg.connect(elsewhere, autocommit=True) as other:
        statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        other.execute(statement.format(sql.Identifier(name), sql.SQL(str(allowed))))


NUMBERS = st.sampled_from(
    [
        "NaN",
        "-Infinity",
        "1e999",
        "-1e-999",
        "1e99999999999999999999",
        "0E-99999",
        "0E+999999",
        "-0.0",
        "9" * 5000,
        "1.5",
    ]
)
TEXTS = st.sampled_from(
    [r'"\u0000"', r'"\ud800"', '"TAG"', '"MACHINE"', '"' + "x" * 600 + '"', '"2026-03-02T08:00:60Z"']
)
VALUES = (
    NUMBERS | TEXTS | st.sampled_from(["null", "true", "[]", "{}", "[" * 300 + "]" * 300, '"2026-03-02T08:00:00Z"'])
)
FIELDS = st.sampled_from(["tag", "at", "value", "machine", "line", "state", "detail", r"\u0000", r"\ud800"])
ITEMS = st.dictionaries(FIELDS, VALUES, max_size=6).map(
    lambda item: "{" + ",".join(f'"{name}":{value}' for name, value in item.items()) + "}"
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(items=st.lists(ITEMS | VALUES, min_size=1, max_size=5))
def test_no_hostile_item_is_a_5xx_or_costs_a_good_one(server, http, device, items):
    machine, secret = device
    tag = make_count_tag(machine=machine)
    good = json.dumps({"tag": tag.tag_path, "at": ago(), "value": 1})
    body = f'{{"items": [{",".join(items)}, {good}]}}'.replace("TAG", tag.tag_path).replace("MACHINE", machine.code)
    answer = http.post(f"{server}/ingest/", content=body, headers=key(secret))
    assert answer.status_code in (200, 207)
    said = answer.json()
    assert said["accepted"] + said["duplicates"] + said["refused"] == len(items) + 1
    assert all(item["message"] for item in said["items"] if item["status"] != "duplicate")
    assert CountHistory.objects.filter(tag=tag, value=1).exists()


def test_no_bad_item_spoils_a_list_that_is_read_later(server, http, device, client):
    machine, secret = device
    tag = make_count_tag(machine=machine)
    bad = ["NaN", "1e999", "-1", '"12"', "[" * 300 + "]" * 300, r'"\ud800\u0000"', '{"a": 1e99999999999999999999}']
    items = ",".join(f'{{"tag": "{tag.tag_path}", "at": "{ago()}", "value": {value}}}' for value in bad)
    assert http.post(f"{server}/ingest/", content=f"[{items}]", headers=key(secret)).json()["refused"] == len(bad)
    kept = QuarantinedItem.objects.values_list("pk", flat=True)
    assert len(kept) == len(bad)
    client.force_login(make_user(is_superuser=True, is_staff=True), "django.contrib.auth.backends.ModelBackend")
    lists = ["/oee/count-history", "/downtime/state-history", "/admin/counts/countreading/"]
    pages = [f"/admin/ingest/quarantineditem/{pk}/change/" for pk in kept]
    for path in [*lists, "/admin/ingest/quarantineditem/", *pages]:
        assert client.get(path).status_code == 200, path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary(max_size=200) | st.sampled_from([b"[" * depth for depth in (1, 500, 1000, 100_000)]))
def test_no_body_whatsoever_is_a_5xx(server, http, device, body):
    for path in ("/ingest/", "/ingest/count", "/ingest/state"):
        assert http.post(f"{server}{path}", content=body, headers=key(device[1])).status_code in (400, 422)
