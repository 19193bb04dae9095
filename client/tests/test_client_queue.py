"""The queue on disk: durable, in order, bounded, shared."""

import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from mes_client import Queue, QueueFull, QueueUnavailable, RefusedItem
from mes_client.items import count_item
from mes_client.queue import Waiting

NOW = datetime(2026, 3, 1, 8, tzinfo=timezone.utc)
SOURCE = str(Path(__file__).resolve().parents[1] / "src")


@pytest.fixture
def make_queue(queue_path):
    queues = []

    def make(**options):
        queues.append(Queue(queue_path, **options))
        return queues[-1]

    yield make
    for queue in queues:
        queue.close()


def items(number, at=None):
    return [count_item("t", value, at) for value in range(number)]


def stamps(queue):
    return [row[0] for row in queue._file.execute("SELECT at FROM waiting ORDER BY id")]


def test_items_stay_in_order_over_a_restart(make_queue):
    first = make_queue()
    first.put(items(5), now=NOW)
    first.close()
    again = make_queue()
    assert [waiting.item for waiting in again.head(3, last_id=again.last_id())] == [
        f'{{"tag":"t","value":{value},"at":"2026-03-01T08:00:00.{value:06}Z"}}' for value in range(3)
    ]
    assert len(again) == 5


def test_writes_reach_the_disk_before_they_return(make_queue):
    file = make_queue()._file
    assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert file.execute("PRAGMA synchronous").fetchone() == (2,)


def test_stamps_are_strictly_increasing_for_all_who_share_the_file(make_queue):
    one, other = make_queue(), make_queue()
    for now in (NOW, NOW, NOW - timedelta(seconds=2), NOW + timedelta(microseconds=1)):
        one.put(items(3), now=now)
        other.put(items(3), now=now)
    found = stamps(one)
    assert found == sorted(set(found))
    assert len(found) == 24


def test_clock_that_was_far_ahead_is_not_followed_once_it_is_right(make_queue):
    queue = make_queue()
    queue.put(items(1), now=NOW + timedelta(days=10_000))
    queue.put(items(1), now=NOW)
    assert queue.oldest_waiting_at() == NOW


def test_given_time_does_not_move_the_stamps(make_queue):
    queue = make_queue()
    queue.put(items(1, at=NOW + timedelta(minutes=1)), now=NOW)
    queue.put(items(1), now=NOW)
    assert queue.oldest_waiting_at() == NOW


def test_full_queue_says_so_and_keeps_what_it_has(make_queue):
    queue = make_queue(max_items=5)
    queue.put(items(4), now=NOW)
    with pytest.raises(QueueFull, match="4 items wait, and 5 are allowed"):
        queue.put(items(2), now=NOW)
    assert len(queue) == 4
    queue.put(items(1), now=NOW)
    queue.settle(queue.head(2, last_id=queue.last_id())[-1].id, [], now=NOW)
    assert queue.put(items(2), now=NOW) == 2
    assert len(queue) == 5


def test_full_disk_says_so_and_costs_nothing_that_was_kept(make_queue):
    queue = make_queue()
    queue.put(items(10), now=NOW)
    (pages,) = queue._file.execute("PRAGMA page_count").fetchone()
    queue._file.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(QueueFull, match="disk"):
        queue.put(items(10_000), now=NOW)
    assert len(queue) == 10
    queue._file.execute("PRAGMA max_page_count = 1000000")
    queue.put(items(1), now=NOW)
    assert len(queue) == 11


def test_file_that_is_no_queue_is_named(tmp_path, queue_path):
    queue_path.parent.mkdir()
    queue_path.write_text("not a database, but long enough to be looked at " * 100)
    with pytest.raises(QueueUnavailable, match=r"queue\.db"):
        Queue(queue_path)
    with pytest.raises(QueueUnavailable):
        Queue(tmp_path)


def test_closed_queue_says_so(make_queue):
    queue = make_queue()
    queue.close()
    with pytest.raises(QueueUnavailable):
        queue.put(items(1), now=NOW)


def test_settled_items_leave_and_refused_ones_are_kept_until_seen(make_queue):
    queue = make_queue()
    queue.put(items(4), now=NOW)
    batch = queue.head(2, last_id=queue.last_id())
    refused = [RefusedItem(batch[1].item, "refused", "tag", "unknown_tag", "Nobody knows it.", NOW)]
    queue.settle(batch[-1].id, refused, now=NOW)
    assert len(queue) == 2
    (kept,) = queue.refused()
    assert kept == RefusedItem(batch[1].item, "refused", "tag", "unknown_tag", "Nobody knows it.", NOW, kept.id)
    queue.forget_refused(kept.id)
    assert queue.refused_length() == 0


def test_only_one_may_deliver_at_a_time(make_queue):
    one, other = make_queue(), make_queue()
    with one.delivering() as may_one:
        with other.delivering() as may_other:
            assert (may_one, may_other) == (True, False)
        other.put(items(1), now=NOW)
    with other.delivering() as may_other:
        assert may_other


def test_killed_process_gives_back_the_right_to_deliver(make_queue, queue_path):
    queue = make_queue()
    script = f"""
import sys, time
sys.path.insert(0, {SOURCE!r})
from mes_client import Queue
with Queue({str(queue_path)!r}).delivering() as may:
    print(may, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "True\n"
        with queue.delivering() as may:
            assert not may
        process.kill()
        process.wait()
    with queue.delivering() as may:
        assert may


def test_many_may_open_and_write_a_new_queue_at_once(queue_path):
    failures = []

    def work():
        try:
            queue = Queue(queue_path)
            for _ in range(20):
                queue.put(items(1), now=NOW)
            queue.close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    queue = Queue(queue_path)
    assert len(queue) == 160
    assert len(set(stamps(queue))) == 160
    assert queue.head(1, last_id=1) == [Waiting(1, queue.head(1, last_id=1)[0].item)]
    queue.close()
