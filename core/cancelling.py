"""End tasks of an event loop for certain."""

import asyncio
from typing import Any

INSIST_SECONDS = 3.0


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks and return when all have ended, however they did.

    One cancellation may be lost on its way: before Python 3.12, `asyncio.wait_for` returns its answer instead of being
    cancelled when that came at the same moment, and the libraries of protocols use it. Whoever goes on is cancelled
    again after `INSIST_SECONDS`.
    """
    while going_on := [task for task in tasks if not task.done()]:
        for task in going_on:
            task.cancel()
        await asyncio.wait(going_on, timeout=INSIST_SECONDS)
    # What they raised is looked at, so that nobody warns of it.
    await asyncio.gather(*tasks, return_exceptions=True)
