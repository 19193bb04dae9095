"""Where connections put what they translated: into `ingest`, in transactions that they share, each answered after its
commit.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from accounts.keys import DeviceScope
from connectors.translation import Item
from ingest.group_commit import GroupCommit, NotStored, TooMuchWaiting
from ingest.services import Delivery, Outcome

# A database that is away is asked again after this many seconds, growing to the last.
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
MOST_ITEMS = 5_000

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What went through a connection since it was last reported."""

    messages: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    gaps: int = 0
    last_message_at: datetime | None = None


class Intake:
    """One connector's way into `ingest`."""

    def __init__(self, group_commit: GroupCommit, scope: DeviceScope) -> None:
        self._group_commit = group_commit
        self._scope = scope
        self.tally = Tally()
        self.is_connected = False
        self.trouble = ""

    def connected(self) -> None:
        """Say that the connection stands; its health shows it."""
        self.is_connected = True

    def heard(self, messages: int = 1) -> None:
        """Say that the other side spoke, whether or not anything came of it."""
        self.tally.messages += messages
        self.tally.last_message_at = datetime.now(UTC)

    def complain(self, trouble: str) -> None:
        """Say what is wrong although the connection stands; its health shows it as the last error."""
        self.trouble = trouble

    async def deliver(self, items: Sequence[Item]) -> Outcome:
        """Return what became of items once they are committed.

        Waits as long as the database is away: a connection must not acknowledge, or go on, before. Raises RuntimeError
        when the items cannot be written although the database is there.
        """
        total = Outcome()
        for start in range(0, len(items), MOST_ITEMS):
            outcome = await self._insistently(Delivery(items[start : start + MOST_ITEMS], self._scope))
            total.accepted += outcome.accepted
            total.duplicates += outcome.duplicates
            total.refused += outcome.refused
            total.items += [replace(answer, index=answer.index + start) for answer in outcome.items]
        self.tally.accepted += total.accepted
        self.tally.duplicates += total.duplicates
        self.tally.refused += total.refused
        return total

    async def gap(self, machines: Iterable[str], start: datetime, end: datetime, *, cause: str) -> None:
        """Say that what machines did between two moments is lost."""
        codes = list(machines)
        if end <= start or not codes:
            return
        self.tally.gaps += 1
        await self.deliver(
            [{"machine": code, "at": start.isoformat(), "until": end.isoformat(), "gap": cause[:200]} for code in codes]
        )

    async def _insistently(self, delivery: Delivery) -> Outcome:
        attempt = 0
        while True:
            try:
                return await self._group_commit.write(delivery)
            except TooMuchWaiting:
                reason = "too much is waiting"
            except NotStored as error:
                if not error.is_outage:
                    raise RuntimeError("The items could not be written; nothing of them is stored.") from error
                reason = "the database is away"
            pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
            logger.warning("%s waits %.1f s: %s", self._scope.source, pause, reason)
            await asyncio.sleep(pause)
            attempt += 1
