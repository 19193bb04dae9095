"""Bring deliveries that wait at the same time into the database in one transaction, one group after the other."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from django.db import InterfaceError, OperationalError, connection
from psycopg.errors import DiskFull

from ingest.services import Delivery, Outcome, accept_together

# Small deliveries share one writer, so that they share its commits; a second one is for large ones.
WRITERS = 2
WORTH_A_WRITER = 500
# Items that one transaction takes (or one delivery, if it is larger), and items that may wait for theirs.
GROUP_ITEMS = 5_000
MAX_WAITING_ITEMS = 200_000
# How long nothing is written after the disk was found full. Each attempt that fails still takes room for the database's
# log, and without that the database ends itself, and nobody can read any more either.
DISK_FULL_SECONDS = 5.0

logger = logging.getLogger(__name__)


class TooMuchWaiting(Exception):
    """The queue is full; the sender should come again."""


class NotStored(Exception):
    """Nothing of a delivery is stored; `is_outage` when that is the database's absence and not the delivery's fault.

    `is_disk_full` when the database is there and has no room.
    """

    def __init__(self, *, is_outage: bool, is_disk_full: bool = False) -> None:
        super().__init__(is_outage, is_disk_full)
        self.is_outage = is_outage
        self.is_disk_full = is_disk_full


class GroupCommit:
    """Write deliveries from one event loop; each is answered after the commit that holds it.

    The writing is synchronous, in threads with a database connection each: the services are the same for every
    protocol. While one group is in the database the next one gathers, and a large one is already made ready.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Delivery, asyncio.Future[Outcome]]] = deque()
        self._waiting_items = 0
        self._writers: set[asyncio.Task[None] | None] = set()
        self._full_until = 0.0
        self._threads = ThreadPoolExecutor(max_workers=WRITERS, thread_name_prefix="ingest")

    async def write(self, delivery: Delivery) -> Outcome:
        """Return the outcome of a delivery once it is committed; raises TooMuchWaiting or NotStored."""
        if self._waiting_items > MAX_WAITING_ITEMS:
            raise TooMuchWaiting
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        self._waiting.append((delivery, future))
        self._waiting_items += len(delivery.items)
        if not self._writers or (len(self._writers) < WRITERS and self._waiting_items >= WORTH_A_WRITER):
            writer = loop.create_task(self._write_what_waits(loop))
            self._writers.add(writer)
        return await future

    async def _write_what_waits(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while self._waiting:
                group = self._next_group()
                deliveries = [delivery for delivery, _ in group]
                if loop.time() < self._full_until:
                    results: list[Outcome | NotStored] = [NotStored(is_outage=True, is_disk_full=True) for _ in group]
                else:
                    results = await loop.run_in_executor(self._threads, write_together, deliveries)
                    if any(isinstance(result, NotStored) and result.is_disk_full for result in results):
                        self._full_until = loop.time() + DISK_FULL_SECONDS
                for (_, future), result in zip(group, results, strict=True):
                    # One whose sender has left needs no answer; its delivery is stored all the same.
                    if future.done():
                        continue
                    if isinstance(result, Outcome):
                        future.set_result(result)
                    else:
                        future.set_exception(result)
        finally:
            # At once, not when the task is found done: what comes in between would wait for nobody.
            self._writers.remove(asyncio.current_task(loop))

    def _next_group(self) -> list[tuple[Delivery, asyncio.Future[Outcome]]]:
        group = [self._waiting.popleft()]
        items = len(group[0][0].items)
        while self._waiting and items + len(self._waiting[0][0].items) <= GROUP_ITEMS:
            group.append(self._waiting.popleft())
            items += len(group[-1][0].items)
        self._waiting_items -= items
        return group


def write_together(deliveries: Sequence[Delivery]) -> list[Outcome | NotStored]:
    """Write a group in one transaction; if that fails, each alone, so that none fails for another's sake."""
    try:
        return [*_insistently(deliveries)]
    except (OperationalError, InterfaceError) as error:
        is_disk_full = isinstance(error.__cause__, DiskFull)
        trouble = "has no room" if is_disk_full else "is away"
        logger.warning("Deliveries are refused, the database %s: %s", trouble, error)
        return [NotStored(is_outage=True, is_disk_full=is_disk_full) for _ in deliveries]
    except Exception as error:
        if len(deliveries) == 1:
            logger.error("A delivery could not be written", exc_info=error)
            return [NotStored(is_outage=False)]
        return [result for delivery in deliveries for result in write_together([delivery])]


def _insistently(deliveries: Sequence[Delivery]) -> list[Outcome]:
    """Write; once more on a new connection when the one kept from before is lost. Writing twice stores once."""
    was_kept = connection.connection is not None
    try:
        return accept_together(deliveries, recorded_at=datetime.now(UTC))
    except (OperationalError, InterfaceError) as error:
        connection.close()
        if not was_kept or isinstance(error.__cause__, DiskFull):
            raise
    try:
        return accept_together(deliveries, recorded_at=datetime.now(UTC))
    except (OperationalError, InterfaceError):
        connection.close()
        raise
