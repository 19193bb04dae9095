"""The client against the real server: whatever happens to either, each item is stored exactly once."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

pytest.importorskip("django", reason="needs the system, in whose repository this package lives")

from counts.models import CounterEvent, CountHistory, CountTag
from downtime.models import StateHistory
from tests.factories import make_count_tag, make_device_key, make_machine, make_reason
from tests.servers import free_port, running_server

from mes_client import Backoff, Drained

pytestmark = pytest.mark.django_db(transaction=True)

SOURCE = Path(__file__).resolve().parents[1] / "src"

COUNTS_UNTIL_KILLED = """
import itertools, sys
from mes_client import Client
url, key, path, tag, first = sys.argv[1:]
client = Client(url, key, path, background=False)
for value in itertools.count(int(first)):
    client.count(tag, value)
    print(value, flush=True)
"""


class RestartableServer:
    """The system on one port, which can be away for a while."""

    def __init__(self):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self._running = ExitStack()
        self._running.enter_context(running_server(port=self.port))

    def stop(self):
        self._running.close()


@pytest.fixture(scope="module")
def restartable(django_db_setup):
    server = RestartableServer()
    yield server
    server.stop()


@pytest.fixture
def server(restartable):
    return restartable.address


@pytest.fixture
def machine():
    return make_machine()


@pytest.fixture
def key(machine):
    return make_device_key(machine=machine)[1]


@pytest.fixture
def tag(machine):
    return make_count_tag(machine=machine).tag_path


@contextmanager
def process(*arguments, **options):
    """Run Python with the client until the block ends, which kills what still runs."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen([sys.executable, *arguments], env=environment, text=True, **options) as running:
        try:
            yield running
        finally:
            running.kill()


def stored():
    return [int(value) for value in CountHistory.objects.order_by("occurred_at").values_list("value", flat=True)]


def wait_until(is_so, seconds=20):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.01)


def day_of_counts(tag, number):
    """Return counts that are spread over the last 24 hours."""
    start = datetime.now(timezone.utc) - timedelta(days=1)
    return [{"tag": tag, "at": start + value * timedelta(days=1) / number, "value": value} for value in range(number)]


def test_outage_in_the_middle_costs_nothing(make_client, restartable, machine, key, tag):
    run = make_reason()
    client = make_client(url=restartable.address, key=key, background=True, backoff=Backoff(first=0.02, longest=0.1))
    for value in range(50):
        client.count(tag, value)
    wait_until(lambda: CountHistory.objects.exists())
    stopping = threading.Thread(target=restartable.stop)
    stopping.start()
    # Some of these meet a server that is ending, the others one that is away.
    for value in range(50, 100):
        client.count(tag, value)
    stopping.join()
    for value in range(100, 150):
        client.count(tag, value)
    client.state(machine.code, run.code, "in the outage")
    wait_until(lambda: client.status().failing_since is not None)
    assert client.queue_length() > 50
    restartable.start()
    assert client.flush(20)
    assert stored() == list(range(150))
    assert StateHistory.objects.get().detail == "in the outage"
    assert (client.refused(), client.queue_length()) == ([], 0)


def test_process_killed_while_it_counts_loses_nothing_that_was_kept(make_client, server, key, tag, queue_path):
    make_client(url=server, key=key)
    arguments = ["-c", COUNTS_UNTIL_KILLED, server, key, str(queue_path), tag]
    said = []
    with (
        process(*arguments, "0", stdout=subprocess.PIPE) as one,
        process(*arguments, "1000000", stdout=subprocess.PIPE) as other,
    ):
        for running in (one, other):
            said += [int(running.stdout.readline()) for _ in range(300)]
        for running in (one, other):
            running.send_signal(signal.SIGKILL)
            said += [int(line) for line in running.stdout.read().split()]
            assert running.wait(10) == -signal.SIGKILL
    client = make_client(url=server, key=key)
    waiting = client.queue_length()
    assert client.drain_once() == Drained(accepted=waiting)
    # Of each, one more may have been kept without having been said.
    found = stored()
    assert len(found) == len(set(found)) <= len(said) + 2
    assert set(said) <= set(found)
    assert [value for value in found if value < 1_000_000] == sorted(value for value in found if value < 1_000_000)


def test_process_killed_while_it_delivers_stores_nothing_twice(make_client, server, key, tag, queue_path):
    client = make_client(url=server, key=key)
    client.put(day_of_counts(tag, 3_000))
    settings = ["--url", server, "--key", key, "--queue", str(queue_path), "--batch-size", "10"]
    with process("-m", "mes_client", "drain", *settings, stderr=subprocess.DEVNULL) as drain:
        wait_until(lambda: CountHistory.objects.count() >= 200)
        drain.send_signal(signal.SIGKILL)
        assert drain.wait(10) == -signal.SIGKILL
    waiting = client.queue_length()
    assert 0 < waiting < 3_000
    drained = client.drain_once()
    assert (drained.accepted + drained.duplicates, drained.refused, drained.error) == (waiting, 0, "")
    assert drained.duplicates <= 10
    assert stored() == list(range(3_000))


def test_backlog_of_a_day_arrives_in_order_and_without_a_double(make_client, server, key, tag):
    client = make_client(url=server, key=key)
    client.put(day_of_counts(tag, 20_000))
    assert client.oldest_waiting_at() < datetime.now(timezone.utc) - timedelta(hours=23)
    assert client.drain_once() == Drained(accepted=20_000)
    assert list(CountHistory.objects.order_by("recorded_at", "occurred_at").values_list("value", flat=True)) == list(
        range(20_000)
    )


def test_two_that_deliver_at_once_store_each_item_once(make_client, server, key, tag):
    clients = [make_client(url=server, key=key, batch_size=20) for _ in range(3)]
    clients[0].put(day_of_counts(tag, 2_000))
    threads = [threading.Thread(target=client.flush, args=(20,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = sum((client.delivered() for client in clients), Drained())
    assert total == Drained(accepted=2_000)
    assert stored() == list(range(2_000))


def test_wrong_key_loses_nothing(make_client, server, key, tag):
    wrong = make_client(url=server, key="wrong.key")
    wrong.count(tag, 1)
    assert wrong.drain_once().error.startswith("HTTP 401")
    found = wrong.status()
    assert (found.needs_person, found.is_stuck, found.waiting) == (True, True, 1)
    assert make_client(url=server, key=key).drain_once() == Drained(accepted=1)
    assert stored() == [1]


def test_refused_items_are_kept_and_cost_no_other_one(make_client, server, key, tag):
    client = make_client(url=server, key=key)
    now = datetime.now(timezone.utc)
    client.count(tag, 1, at=now - timedelta(minutes=1))
    client.count("nobody/knows", 2)
    client.count(tag, 3, at=now + timedelta(hours=1))
    client.count(tag, 4, at=now - timedelta(minutes=1))
    client.count(tag, 5)
    assert client.drain_once() == Drained(accepted=2, refused=3)
    assert [(json.loads(item.item)["value"], item.status, item.code) for item in client.refused()] == [
        (2, "refused", "unknown_tag"),
        (3, "quarantined", "future"),
        (4, "conflict", "conflict"),
    ]
    assert all(item.message for item in client.refused())
    assert stored() == [1, 5]
    assert client.queue_length() == 0


def test_what_happened_to_a_counter_is_stored(make_client, server, machine, key):
    tag = make_count_tag(machine=machine, mode=CountTag.Mode.RUNNING, modulus=1000).tag_path
    client = make_client(url=server, key=key)
    client.count(tag, 900)
    client.counter_event(tag, "reset", 5)
    client.count(tag, 7)
    client.counter_event(tag, "replaced")
    client.counter_event(tag, "rollover")
    assert client.drain_once() == Drained(accepted=5)
    events = CounterEvent.objects.order_by("occurred_at").values_list("kind", "value")
    assert list(events) == [("reset", 5), ("replaced", None), ("rollover", None)]


def test_item_that_the_server_finds_too_large_holds_up_no_other_one(make_client, server, machine, key, tag):
    client = make_client(url=server, key=key)
    for value in range(5):
        client.count(tag, value)
    client.state(machine.code, "run", "x" * 9_000_000)
    client.count(tag, 5)
    assert client.drain_once() == Drained(accepted=6, refused=1)
    assert [item.status for item in client.refused()] == ["parked"]
    assert stored() == list(range(6))


def test_service_delivers_until_it_is_stopped(make_client, server, key, tag, queue_path):
    client = make_client(url=server, key=key)
    settings = ["--url", server, "--key", key, "--queue", str(queue_path)]
    with process("-m", "mes_client", "drain", "--forever", *settings, stderr=subprocess.DEVNULL) as service:
        client.count(tag, 1)
        wait_until(lambda: client.queue_length() == 0)
        service.send_signal(signal.SIGTERM)
        assert service.wait(10) == 0
    assert stored() == [1]
