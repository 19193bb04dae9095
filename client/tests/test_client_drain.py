"""Delivering, against a server that answers as it is told."""

import json
import threading
from datetime import datetime, timedelta, timezone

import httpx
import pytest

from mes_client import Backoff, Drained, QueueFull

NOW = datetime(2026, 3, 1, 8, tzinfo=timezone.utc)


def answer(status, text="", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, text=text, headers=headers)


def outcome(accepted, *items, duplicates=0):
    body = {"accepted": accepted, "duplicates": duplicates, "refused": len(items), "items": list(items)}
    return httpx.Response(207, json=body)


def refusal(index, status="refused"):
    return {"index": index, "status": status, "field": "tag", "code": "unknown_tag", "message": "Nobody knows it."}


def count(client, number):
    for value in range(number):
        client.count("t", value)


def sizes(server):
    return [len(batch) for batch in server.batches]


def values(items):
    return [item["value"] for item in items]


def test_items_arrive_in_order_and_in_batches(make_client, fake_server):
    client = make_client(fake_server, batch_size=4)
    count(client, 10)
    client.state("m", "run", "Alarm 7")
    client.counter_event("t", "reset", 0)
    assert client.drain_once() == Drained(accepted=12)
    assert sizes(fake_server) == [4, 4, 4]
    assert values(fake_server.stored[:10]) == list(range(10))
    assert [item.get("state") or item.get("event") for item in fake_server.stored[10:]] == ["run", "reset"]
    assert client.queue_length() == 0
    assert client.oldest_waiting_at() is None


def test_request_carries_the_key_to_the_address(make_client):
    seen = []

    def server(request):
        seen.append((str(request.url), request.headers["authorization"], request.headers["content-type"]))
        return outcome(1)

    client = make_client(server, url="http://mes/plant/", key="abc.def")
    client.count("t", 1)
    client.drain_once()
    assert seen == [("http://mes/plant/ingest/", "Api-Key abc.def", "application/json")]


@pytest.mark.parametrize(
    ("url", "key"), [("mes", "k"), ("ftp://mes", "k"), ("", "k"), ("http://m", ""), ("http://m", "ü")]
)
def test_settings_that_cannot_work_are_refused(make_client, queue_path, url, key):
    with pytest.raises(ValueError):
        make_client(url=url, key=key)
    assert not queue_path.exists()


@pytest.mark.parametrize("size", [0, 10_001])
def test_batch_that_the_server_would_not_take_is_refused(make_client, size):
    with pytest.raises(ValueError, match="10000"):
        make_client(batch_size=size)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_failure_of_the_server_keeps_the_queue_and_passes(make_client, fake_server, status):
    fake_server.answers = [answer(status, "not now")]
    client = make_client(fake_server)
    count(client, 3)
    assert client.drain_once() == Drained(error=f"HTTP {status}: not now")
    assert client.queue_length() == 3
    found = client.status()
    assert (found.needs_person, found.is_stuck, found.last_error) == (False, False, f"HTTP {status}: not now")
    assert found.failing_since is not None
    while client.queue_length():
        assert client.drain_once(hurry=True).error == ""
    assert values(fake_server.stored) == [0, 1, 2]
    assert client.status().failing_since is None


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("no route"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")]
)
def test_network_failure_keeps_the_queue_and_passes(make_client, fake_server, error):
    fake_server.answers = [error]
    client = make_client(fake_server)
    count(client, 3)
    assert client.drain_once() == Drained(error=f"No answer: {error}")
    assert client.drain_once(hurry=True) == Drained(accepted=3)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405])
def test_wrong_key_or_address_keeps_the_queue_and_asks_for_a_person(make_client, fake_server, status):
    fake_server.answers = [answer(status, json.dumps({"detail": "Send a valid device key."}))]
    client = make_client(fake_server)
    count(client, 3)
    assert "Send a valid device key." in client.drain_once().error
    found = client.status()
    assert (found.needs_person, found.is_stuck, found.waiting) == (True, True, 3)
    assert client.drain_once() == Drained(error=found.last_error)
    assert len(fake_server.batches) == 1
    assert client.drain_once(hurry=True) == Drained(accepted=3)
    assert not client.status().is_stuck


@pytest.mark.parametrize(
    "lie",
    [
        answer(200, "<h1>Log in to the guest network</h1>"),
        answer(200, "[]"),
        answer(200, '{"accepted": 2, "duplicates": 0, "refused": 0, "items": []}'),
        answer(200, '{"accepted": 0, "duplicates": 0, "refused": 3, "items": []}'),
        outcome(2, refusal(3)),
        outcome(2, refusal(-1)),
        outcome(1, refusal(0), refusal(0)),
    ],
    ids=range(7),
)
def test_answer_that_is_not_the_servers_costs_nothing(make_client, fake_server, lie):
    fake_server.answers = [lie]
    client = make_client(fake_server)
    count(client, 3)
    assert client.drain_once().error
    assert client.status().needs_person
    assert client.queue_length() == 3


def test_no_attempt_is_made_before_its_time(make_client, fake_server):
    fake_server.answers = [answer(503)]
    client = make_client(fake_server)
    count(client, 1)
    client.drain_once()
    for _ in range(5):
        assert client.drain_once().error
    assert len(fake_server.batches) == 1


@pytest.mark.parametrize("asked", ["30", "Sun, 01 Mar 2026 08:00:30 GMT"])
def test_retry_after_holds_even_in_a_hurry(make_client, fake_server, asked):
    fake_server.answers = [answer(503, retry_after=asked)]
    client = make_client(fake_server, now=lambda: NOW)
    count(client, 1)
    client.drain_once()
    assert 29 < client._drain.seconds_left(hurry=True) <= 38
    assert client.drain_once(hurry=True).error
    assert not client.flush(0.05)
    assert len(fake_server.batches) == 1


@pytest.mark.parametrize("asked", ["", "soon", "²", "-5"])
def test_retry_after_that_says_nothing_is_passed_over(make_client, fake_server, asked):
    fake_server.answers = [httpx.Response(503, headers=[(b"retry-after", asked.encode("latin-1"))])]
    client = make_client(fake_server)
    count(client, 1)
    client.drain_once()
    assert client.drain_once(hurry=True) == Drained(accepted=1)


def test_batch_that_is_too_large_is_halved_and_grows_again(make_client, fake_server):
    def server(request):
        if len(json.loads(request.content)["items"]) > 30:
            fake_server.batches.append(json.loads(request.content)["items"])
            return answer(413)
        return fake_server(request)

    client = make_client(server, batch_size=100)
    count(client, 200)
    assert client.drain_once() == Drained(accepted=200)
    assert sizes(fake_server)[:5] == [100, 50, 25, 28, 31]
    assert values(fake_server.stored) == list(range(200))


def test_item_that_is_too_large_alone_is_parked(make_client, fake_server):
    client = make_client(lambda r: answer(413, "Too large.") if len(r.content) > 1000 else fake_server(r), batch_size=8)
    count(client, 5)
    client.state("m", "run", "x" * 1000)
    count(client, 5)
    assert client.drain_once() == Drained(accepted=10, refused=1)
    (parked,) = client.refused()
    assert (parked.status, parked.code, parked.message) == ("parked", "too_large", "HTTP 413: Too large.")
    assert json.loads(parked.item)["detail"] == "x" * 1000
    assert client.queue_length() == 0


def test_item_that_fails_the_server_holds_up_none_before_it(make_client, fake_server):
    client = make_client(lambda r: answer(500) if b'"value":5' in r.content else fake_server(r))
    count(client, 8)
    for _ in range(10):
        client.drain_once(hurry=True)
    assert values(fake_server.stored) == [0, 1, 2, 3, 4]
    assert client.queue_length() == 3


def test_refused_items_are_kept_with_the_reason_and_not_sent_again(make_client, fake_server):
    fake_server.answers = [outcome(1, refusal(1), refusal(2, "conflict"), refusal(3, "quarantined"))]
    client = make_client(fake_server)
    count(client, 4)
    assert client.drain_once() == Drained(accepted=1, refused=3)
    assert [(json.loads(item.item)["value"], item.status) for item in client.refused()] == [
        (1, "refused"),
        (2, "conflict"),
        (3, "quarantined"),
    ]
    assert client.refused()[0].message == "Nobody knows it."
    assert client.drain_once() == Drained()
    assert client.status().refused == 3
    client.forget_refused(client.refused()[1].id)
    assert [item.status for item in client.refused()] == ["quarantined"]


def test_batch_that_is_wholly_refused_is_handled(make_client, fake_server):
    body = {"accepted": 0, "duplicates": 0, "refused": 1, "items": [refusal(0)]}
    fake_server.answers = [httpx.Response(422, json=body)]
    client = make_client(fake_server)
    count(client, 1)
    assert client.drain_once() == Drained(refused=1)
    assert client.queue_length() == 0


def test_duplicates_count_as_delivered(make_client, fake_server):
    fake_server.answers = [httpx.ReadTimeout("lost"), outcome(1, duplicates=2)]
    client = make_client(fake_server)
    count(client, 3)
    client.drain_once()
    assert client.drain_once(hurry=True) == Drained(accepted=1, duplicates=2)
    assert client.delivered() == Drained(accepted=1, duplicates=2)
    assert client.refused() == []


def test_one_client_leaves_the_queue_to_another_that_delivers(make_client, fake_server):
    entered, go_on = threading.Event(), threading.Event()

    def server(request):
        entered.set()
        assert go_on.wait(10)
        return fake_server(request)

    one, other = make_client(server), make_client(fake_server)
    count(one, 5)
    thread = threading.Thread(target=one.drain_once)
    thread.start()
    assert entered.wait(10)
    other.count("t", 5)
    assert other.drain_once() == Drained(is_elsewhere=True)
    go_on.set()
    thread.join()
    assert other.drain_once() == Drained(accepted=1)
    assert values(fake_server.stored) == [0, 1, 2, 3, 4, 5]


def test_thread_delivers_by_itself_and_flush_waits_for_it(make_client, fake_server):
    fake_server.answers = [httpx.ConnectError("no route"), answer(503)]
    client = make_client(fake_server, background=True, backoff=Backoff(first=0.01, longest=0.02))
    count(client, 3)
    assert client.flush(10)
    assert values(fake_server.stored) == [0, 1, 2]


def test_thread_delivers_what_another_process_has_put(make_client, fake_server):
    client = make_client(fake_server, background=True)
    other = make_client(fake_server)
    other.count("t", 1)
    assert client.flush(10)
    assert values(fake_server.stored) == [1]


def test_thread_outlives_a_fault_of_its_own(make_client, fake_server, monkeypatch, caplog):
    monkeypatch.setattr("mes_client.client._FAULT_SECONDS", 0.01)
    client = make_client(lambda r: 1 / 0 if not caplog.records else fake_server(r))
    client.count("t", 1)
    client.start()
    assert client.flush(10)
    assert "Not delivered" in caplog.text


def test_flush_without_a_thread_delivers_itself_and_gives_up_in_time(make_client, fake_server):
    fake_server.answers = [httpx.ConnectError("no route")] * 1_000
    client = make_client(fake_server)
    count(client, 3)
    assert not client.flush(0.05)
    fake_server.answers.clear()
    assert client.flush(10)


def test_closing_delivers_what_it_can_and_may_be_repeated(make_client, fake_server):
    with make_client(fake_server, background=True) as client:
        count(client, 3)
    client.close()
    assert values(fake_server.stored) == [0, 1, 2]


def test_what_a_closed_client_could_not_deliver_comes_after_the_next_start(make_client, fake_server):
    fake_server.answers = [httpx.ConnectError("no route")] * 1_000
    client = make_client(fake_server, background=True)
    count(client, 3)
    client.close(timeout=0.05)
    fake_server.answers.clear()
    assert make_client(fake_server, background=True).flush(10)
    assert values(fake_server.stored) == [0, 1, 2]


def test_queue_that_nobody_delivers_is_stuck(make_client, fake_server):
    now = NOW
    client = make_client(fake_server, now=lambda: now)
    assert not client.status().is_stuck
    client.count("t", 1, at=NOW - timedelta(days=9))
    now += timedelta(minutes=14)
    assert not client.status().is_stuck
    now += timedelta(minutes=2)
    assert client.status().is_stuck
    assert client.status().oldest_waiting_at == NOW - timedelta(days=9)
    client.drain_once()
    assert not client.status().is_stuck


def test_full_queue_drops_nothing_silently(make_client, fake_server):
    client = make_client(fake_server, max_items=2)
    count(client, 2)
    with pytest.raises(QueueFull):
        client.state("m", "run")
    assert client.drain_once() == Drained(accepted=2)
    client.state("m", "run")


def test_many_items_are_kept_all_or_none(make_client, fake_server):
    client = make_client(fake_server)
    with pytest.raises(TypeError, match="value"):
        client.put([{"tag": "t", "at": "2026-03-01T08:00:00Z", "value": 1}, {"tag": "t", "value": [2]}])
    assert client.queue_length() == 0
    assert client.put([{"tag": "t", "at": NOW, "value": 1}, {"tag": "t", "value": 2}]) == 2
