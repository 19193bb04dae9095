"""The client: what a device calls to say what it counts and does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from mes_client.backoff import Backoff
from mes_client.door import Door
from mes_client.drain import LARGEST_BATCH, Drain, Drained
from mes_client.items import Number, count_item, event_item, item_of, state_item
from mes_client.queue import Queue, RefusedItem

logger = logging.getLogger("mes_client")

STUCK_AFTER = timedelta(minutes=15)
# How often the queue is looked at for what other processes have put into it.
_IDLE_SECONDS = 1.0
# How often somebody who waits for the queue to empty tries again.
_HURRY_SECONDS = 0.5
# After a fault that is not the server's, such as a disk that gives no more.
_FAULT_SECONDS = 5.0


@dataclass(frozen=True)
class Status:
    """How the queue is doing, whichever process delivers it.

    `last_error` stays after it is over; `failing_since` is None when the last delivery went well. `needs_person`: the
    key, the address or the server's answers are wrong, and waiting will not help. `is_stuck`: so, or what is at the
    front has waited, and nothing has been delivered, for too long.
    """

    waiting: int
    oldest_waiting_at: datetime | None
    refused: int
    delivered_at: datetime | None
    last_error: str
    last_error_at: datetime | None
    failing_since: datetime | None
    needs_person: bool
    is_stuck: bool


def status_of(queue: Queue, *, now: datetime, stuck_after: timedelta = STUCK_AFTER) -> Status:
    """Return how a queue is doing."""
    memory, since, waiting = queue.memory(), queue.waiting_since(), len(queue)
    unmoved_since = max((at for at in (since, memory.delivered_at) if at is not None), default=now)
    return Status(
        waiting=waiting,
        oldest_waiting_at=queue.oldest_waiting_at(),
        refused=queue.refused_length(),
        delivered_at=memory.delivered_at,
        last_error=memory.error,
        last_error_at=memory.error_at,
        failing_since=memory.failing_since,
        needs_person=memory.needs_person,
        is_stuck=waiting > 0 and (memory.needs_person or now - unmoved_since > stuck_after),
    )


class Client:
    """Keep what a device says on disk, and deliver it, in order, until the server has answered for each item.

    A call that returns has put its item on the disk. A thread delivers in the background, from the start, unless
    `background` is False; then `drain_once` does. Threads may share a client, and processes a queue file; a process
    that forks makes its client afterwards.
    """

    def __init__(
        self,
        url: str,
        key: str,
        queue_path: str | Path,
        *,
        max_items: int | None = None,
        batch_size: int = 500,
        background: bool = True,
        timeout: float = 30.0,
        backoff: Backoff | None = None,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        """Open the queue. Raises ValueError for settings that cannot work, QueueUnavailable for the file.

        `max_items` bounds what may wait (by default only the disk does), `timeout` is for each request, in seconds;
        `transport` and `now` are for tests.
        """
        if not 1 <= batch_size <= LARGEST_BATCH:
            raise ValueError(f"A batch has from 1 to {LARGEST_BATCH} items.")
        door = Door(url, key, timeout=timeout, now=now, transport=transport)
        self._now = now
        self._queue = Queue(queue_path, max_items=max_items)
        self._door = door
        self._drain = Drain(self._queue, door, batch_size=batch_size, backoff=backoff or Backoff(), now=now)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._is_closed = False
        if background:
            self.start()

    def count(self, tag: str, value: Number, at: datetime | None = None) -> None:
        """Keep a count: new pulses of a delta tag, or the reading of a running one.

        `at` is when it was, now by default. A float is rounded to the six decimals that the server keeps. Raises
        ValueError for a time without a zone or a value that is no number, QueueFull and QueueUnavailable.
        """
        self._put([count_item(tag, value, at)])

    def counter_event(self, tag: str, event: str, value: Number | None = None, at: datetime | None = None) -> None:
        """Keep what happened to a running counter: `reset`, `replaced` or `rollover`.

        After a reset it went on from `value`; without one, the tag's reset policy in the admin says from where.
        """
        self._put([event_item(tag, event, value, at)])

    def state(
        self,
        machine: str | None = None,
        state: str = "",
        detail: str = "",
        at: datetime | None = None,
        *,
        line: str | None = None,
    ) -> None:
        """Keep that a machine, or with `line` its constraint machine, went into a state;
        `detail` is an alarm's text.
        """
        self._put([state_item(machine, state, detail, at, line=line)])

    def put(self, items: Iterable[Mapping[str, Any]]) -> int:
        """Keep items that are written as the server takes them, all or none; return how many.

        `at` is ISO 8601 text or a datetime, and may be missing, for now.
        """
        return self._put([item_of(item) for item in items])

    def queue_length(self) -> int:
        """Return how many items wait."""
        return len(self._queue)

    def oldest_waiting_at(self) -> datetime | None:
        """Return when the oldest of what waits happened; None when nothing waits."""
        return self._queue.oldest_waiting_at()

    def refused(self) -> list[RefusedItem]:
        """Return what the server did not store, with its reasons; none of it is sent again."""
        return self._queue.refused()

    def forget_refused(self, last_id: int) -> None:
        """Drop the refused items up to the `id` of the last one that a person has seen."""
        self._queue.forget_refused(last_id)

    def status(self, *, stuck_after: timedelta = STUCK_AFTER) -> Status:
        """Return how the queue is doing."""
        return status_of(self._queue, now=self._now(), stuck_after=stuck_after)

    def delivered(self) -> Drained:
        """Return what this client has delivered since it was made."""
        return self._drain.total

    def drain_once(self, *, hurry: bool = False) -> Drained:
        """Deliver what waits now, up to the first failure, in this thread.

        After a failure, nothing is tried before its time; `hurry` waits only for as long as the server itself asked.
        """
        return self._drain.once(hurry=hurry)

    def flush(self, timeout: float) -> bool:
        """Wait until everything that waits now is delivered, at most so many seconds; return whether it is.

        A request that is under way is not cut short.
        """
        deadline = time.monotonic() + timeout
        last_id = self._queue.last_id()
        pause, hurry_at = threading.Event(), 0.0
        while not self._queue.is_delivered(last_id):
            if (clock := time.monotonic()) >= deadline:
                return False
            if clock >= hurry_at:
                hurry_at = clock + _HURRY_SECONDS
                self._hurry.set()
                self._wake.set()
                if self._thread is None:
                    self._drain.once(hurry=True, stopping=lambda: time.monotonic() > deadline)
                    continue
            pause.wait(min(deadline - clock, 0.02))
        return True

    def start(self) -> None:
        """Deliver in the background from now on."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._deliver, name="mes-client", daemon=True)
            self._thread.start()

    def close(self, timeout: float = 5.0) -> None:
        """Deliver what can be delivered in so many seconds, and close.

        The rest stays on the disk for the next start.
        """
        if self._is_closed:
            return
        self._is_closed = True
        if timeout > 0:
            self.flush(timeout)
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            # A request under way ends first; what it delivers would otherwise be sent twice.
            self._thread.join()
        self._door.close()
        self._queue.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, items: list[Any]) -> int:
        kept = self._queue.put(items, now=self._now())
        self._wake.set()
        return kept

    def _deliver(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            hurry = self._hurry.is_set()
            self._hurry.clear()
            wait = _IDLE_SECONDS
            try:
                drained = self._drain.once(hurry=hurry, stopping=self._stopping.is_set)
                if drained.error:
                    wait = max(self._drain.seconds_left(), 0.01)
            except Exception:
                # Whatever it was, a device must not stop delivering for it.
                logger.exception("Not delivered; again in %.0f s", _FAULT_SECONDS)
                self._stopping.wait(_FAULT_SECONDS)
            self._wake.wait(wait)
