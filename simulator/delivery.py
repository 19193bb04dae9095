"""Deliver facts as real devices do: over HTTP with a key, again and again until they are acknowledged, and untidily."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx

from simulator.facts import Fact

logger = logging.getLogger(__name__)

LARGEST_BATCH = 5_000
_LONGEST_WAIT = 10.0


class NotDelivered(Exception):
    """The server did not acknowledge; the message says why. What was sent is to be sent again."""


@dataclass(slots=True)
class Tally:
    """What the server said of all that was sent."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0

    def __str__(self) -> str:
        return f"{self.accepted} accepted, {self.duplicates} duplicates, {self.refused} refused"


class Door:
    """The ingestion interface of a server, as one device sees it."""

    def __init__(self, client: httpx.Client, key: str, tally: Tally) -> None:
        self._client = client
        self._headers = {"Authorization": f"Api-Key {key}"}
        self._tally = tally

    def deliver(self, facts: Sequence[Fact]) -> None:
        """Send facts as one batch. Raises NotDelivered unless the server acknowledged every item, refused or not."""
        try:
            response = self._client.post(
                "/ingest/", json={"items": [fact.item() for fact in facts]}, headers=self._headers
            )
        except httpx.TransportError as error:
            raise NotDelivered(f"no answer ({error or type(error).__name__})") from error
        if response.status_code not in {200, 207, 422}:
            raise NotDelivered(f"HTTP {response.status_code} {response.text[:200]}")
        self._note(response.json(), facts)

    def _note(self, outcome: dict[str, Any], facts: Sequence[Fact]) -> None:
        self._tally.accepted += outcome["accepted"]
        self._tally.duplicates += outcome["duplicates"]
        self._tally.refused += outcome["refused"]
        refused = [item for item in outcome["items"] if item["status"] != "duplicate"]
        for item in refused[:3]:
            logger.warning("Refused: %s: %s", facts[item["index"]], item["message"])
        if len(refused) > 3:
            logger.warning("… and %d more", len(refused) - 3)


class Backoff:
    """Wait longer after every failure, up to ten seconds; a success forgets them. `clock` is monotonic seconds."""

    def __init__(self) -> None:
        self._failures = 0
        self._not_before = 0.0

    def is_due(self, clock: float) -> bool:
        """Say whether the next attempt may be made."""
        return clock >= self._not_before

    def failed(self, clock: float) -> float:
        """Note a failure and return how many seconds to wait."""
        wait: float = min(0.5 * 2**self._failures, _LONGEST_WAIT)
        self._failures = min(self._failures + 1, 10)
        self._not_before = clock + wait
        return wait

    def succeeded(self) -> bool:
        """Note a success; return whether it ended a series of failures."""
        had_failed, self._failures = self._failures > 0, 0
        return had_failed


@dataclass(frozen=True, slots=True)
class Untidiness:
    """How badly a live stream arrives: shares of items that come late or twice, and of batches out of order."""

    late_share: float = 0.02
    late_seconds: tuple[float, float] = (30, 300)
    duplicate_share: float = 0.03
    shuffled_share: float = 0.2


TIDY = Untidiness(late_share=0, duplicate_share=0, shuffled_share=0)


@dataclass(frozen=True, slots=True)
class _Waiting:
    send_at: datetime
    fact: Fact


class Outbox:
    """What a line's devices still have to deliver of the live stream. Nothing leaves it before it is acknowledged."""

    def __init__(self, untidiness: Untidiness, rng: Random) -> None:
        self._untidiness = untidiness
        self._rng = rng
        self._waiting: list[_Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, facts: Sequence[Fact], *, now: datetime) -> None:
        """Take facts in: most go at once, some later, some twice."""
        how = self._untidiness
        for fact in facts:
            wait = self._rng.uniform(*how.late_seconds) if self._rng.random() < how.late_share else 0.0
            self._waiting.append(_Waiting(now + timedelta(seconds=wait), fact))
            if self._rng.random() < how.duplicate_share:
                again = timedelta(seconds=wait + self._rng.uniform(1, 20))
                self._waiting.append(_Waiting(now + again, fact))

    def deliver(self, door: Door, *, now: datetime) -> int:
        """Send what is due and return how much that was. Raises NotDelivered; then everything is still here."""
        sent = 0
        while due := [waiting for waiting in self._waiting if waiting.send_at <= now][:LARGEST_BATCH]:
            facts = [waiting.fact for waiting in due]
            if self._rng.random() < self._untidiness.shuffled_share:
                self._rng.shuffle(facts)
            door.deliver(facts)
            taken = set(map(id, due))
            self._waiting = [waiting for waiting in self._waiting if id(waiting) not in taken]
            sent += len(due)
        return sent

    def delivered_until(self, now: datetime) -> datetime:
        """Return up to when everything is acknowledged, given that everything up to now was taken in."""
        oldest = min((waiting.fact.at for waiting in self._waiting), default=None)
        return now if oldest is None else min(oldest - timedelta(microseconds=1), now)
