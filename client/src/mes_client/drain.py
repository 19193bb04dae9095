"""Deliver the queue from its front, batch by batch, as long as the server takes them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mes_client.backoff import Backoff
from mes_client.door import Answer, Door, NotTaken, TooLarge
from mes_client.queue import Queue, RefusedItem, Waiting

logger = logging.getLogger("mes_client")

# What the server takes at once.
LARGEST_BATCH = 10_000


@dataclass(frozen=True)
class Drained:
    """What one pass over the queue did. `error` says why it ended early; `is_elsewhere`: another process delivers."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    error: str = ""
    is_elsewhere: bool = False

    def __add__(self, other: Drained) -> Drained:
        """Return both together; the error is the later one's."""
        return Drained(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.refused + other.refused,
            other.error,
            other.is_elsewhere,
        )

    def __str__(self) -> str:
        return f"{self.accepted} accepted, {self.duplicates} duplicates, {self.refused} refused"


class Drain:
    """The way from the queue to the server; one pass at a time, of all processes that share the queue."""

    def __init__(
        self, queue: Queue, door: Door, *, batch_size: int, backoff: Backoff, now: Callable[[], datetime]
    ) -> None:
        self._queue = queue
        self._door = door
        self._largest = self._size = batch_size
        self._backoff = backoff
        self._now = now
        self._guard = threading.Lock()
        self._error = ""
        # What all passes did; replaced as a whole, so that any thread may read it.
        self.total = Drained()

    def seconds_left(self, *, hurry: bool = False) -> float:
        """Return how long no attempt is made after a failure."""
        return self._backoff.seconds_left(time.monotonic(), hurry=hurry)

    def once(self, *, hurry: bool = False, stopping: Callable[[], bool] = lambda: False) -> Drained:
        """Deliver what waits at this moment, up to the first failure. Makes no attempt before its time after one.

        In a hurry, only the server's own Retry-After is waited for.
        """
        with self._guard:
            if not self._backoff.is_due(time.monotonic(), hurry=hurry):
                return Drained(error=self._error)
            with self._queue.delivering() as may_deliver:
                if not may_deliver:
                    return Drained(is_elsewhere=True)
                drained, last_id = Drained(), self._queue.last_id()
                while not drained.error and not stopping():
                    batch = self._queue.head(self._size, last_id=last_id)
                    if not batch:
                        break
                    step = self._deliver(batch)
                    self.total += step
                    drained += step
                return drained

    def _deliver(self, batch: list[Waiting]) -> Drained:
        try:
            answer = self._door.send([waiting.item for waiting in batch])
        except TooLarge as refusal:
            return self._shrink_or_park(batch, str(refusal))
        except NotTaken as failure:
            return self._fail(failure, len(batch))
        refused = self._refused(batch, answer)
        self._queue.settle(batch[-1].id, refused, now=self._now())
        self._size = min(self._size + max(self._size // 8, 1), self._largest)
        if self._backoff.succeeded():
            logger.info("Delivering again")
        return Drained(answer.accepted, answer.duplicates, len(refused))

    def _refused(self, batch: list[Waiting], answer: Answer) -> list[RefusedItem]:
        now = self._now()
        for item in answer.refused[:3]:
            logger.warning("Not stored (%s): %s: %s", item.status, batch[item.index].item[:200], item.message)
        if len(answer.refused) > 3:
            logger.warning("… and %d more not stored", len(answer.refused) - 3)
        return [
            RefusedItem(batch[item.index].item, item.status, item.field, item.code, item.message, now)
            for item in answer.refused
        ]

    def _shrink_or_park(self, batch: list[Waiting], message: str) -> Drained:
        if len(batch) > 1:
            self._size = len(batch) // 2
            return Drained()
        logger.warning("Too large to be sent at all: %s", batch[0].item[:200])
        parked = RefusedItem(batch[0].item, "parked", "", "too_large", message, self._now())
        self._queue.settle(batch[0].id, [parked], now=self._now())
        return Drained(refused=1)

    def _fail(self, failure: NotTaken, sent: int) -> Drained:
        if failure.smaller_may_pass:
            self._size = max(sent // 2, 1)
        self._error = str(failure)
        wait = self._backoff.failed(time.monotonic(), asked=failure.asked, slowly=failure.needs_person)
        self._queue.note_failure(self._error, needs_person=failure.needs_person, now=self._now())
        logger.warning("Not delivered: %s; %d items wait; again in %.1f s", self._error, len(self._queue), wait)
        return Drained(error=self._error)
