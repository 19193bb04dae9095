"""Say facts as real devices do: untidily, some late, some twice, some out of order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from mes_client import Client

from simulator.facts import Fact


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
    """What a line's devices hold back of the live stream before they say it."""

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

    def hand_over(self, client: Client, *, now: datetime) -> None:
        """Give what is due to the client, which keeps it on disk. Raises QueueFull or QueueUnavailable."""
        due = [waiting.fact for waiting in self._waiting if waiting.send_at <= now]
        if not due:
            return
        if self._rng.random() < self._untidiness.shuffled_share:
            self._rng.shuffle(due)
        client.put(fact.item() for fact in due)
        self._waiting = [waiting for waiting in self._waiting if waiting.send_at > now]

    def handed_over_until(self, now: datetime) -> datetime:
        """Return up to when everything is handed over, given that everything up to now was taken in."""
        oldest = min((waiting.fact.at for waiting in self._waiting), default=None)
        return now if oldest is None else min(oldest - timedelta(microseconds=1), now)
