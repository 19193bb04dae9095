"""Connectors run by their supervisor, for tests: started, watched through the database, and stopped cleanly."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from django.db import connection

from connectors.database import in_thread
from connectors.models import ConnectorHealth
from connectors.supervisor import Supervisor
from downtime.models import StateHistory
from ingest import directory
from ingest.group_commit import WRITERS

PATIENCE_SECONDS = 60


@asynccontextmanager
async def supervised(worker: str = "") -> AsyncIterator[Supervisor]:
    """Run every connector until the block ends; then end the writers' connections to the database too."""
    # Another test may have left the same code with another id.
    directory.reasons.forget()
    supervisor = Supervisor(worker=worker)
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await close_writers(supervisor._group_commit)


async def close_writers(group_commit: Any) -> None:
    """Close the connection of each thread of a group commit, and end the threads."""
    together = threading.Barrier(WRITERS)

    def close() -> None:
        # Each thread takes one of these, because none ends before all have begun.
        together.wait(timeout=10)
        connection.close()

    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.run_in_executor(group_commit._threads, close) for _ in range(WRITERS)))
    group_commit._threads.shutdown()


async def until(condition: Callable[[], Any]) -> Any:
    """Wait until what the database says is so; return it."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while True:
        found = await in_thread(condition)
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, f"It did not happen: {await in_thread(_all_there_is)}"
        await asyncio.sleep(0.02)


def _all_there_is() -> Any:
    """Return the states and the connections' health, to see what happened instead."""
    rows = StateHistory.objects.order_by("occurred_at").values_list("reason__code", "occurred_at", "detail")
    return list(rows), list(ConnectorHealth.objects.values())


def values(tag) -> list[int]:
    """Return a tag's readings in the order of their time."""
    return [int(value) for value in tag.readings.order_by("occurred_at").values_list("value", flat=True)]


def states(machine) -> list[str]:
    """Return the codes of a machine's states in the order of their time."""
    rows = StateHistory.objects.filter(machine=machine).order_by("occurred_at")
    return list(rows.values_list("reason__code", flat=True))


def health() -> ConnectorHealth | None:
    """Return how the only connection is."""
    return ConnectorHealth.objects.first()
