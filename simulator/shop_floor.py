"""The simulated shop floor at work: every line delivers what is missing and what happens now, over HTTP."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import httpx
from mes_client import Answer, Backoff, Client, Door, Drained, NotTaken, QueueFull, QueueUnavailable, TooLarge

from simulator.delivery import Outbox, Untidiness
from simulator.facts import Fact
from simulator.feed import Feed
from simulator.progress import ProgressFile

logger = logging.getLogger(__name__)

LARGEST_BATCH = 5_000
_LONGEST_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a line's backlog; the last one of a past day completes it."""

    station: "Station"
    day: date
    facts: list[Fact]
    completes_day: bool
    starts_live: bool


@dataclass(slots=True)
class Station:
    """A line's devices: what they have to deliver, and the ways out.

    History goes through the door as it is, because it can be made again; the live stream goes through the client.
    """

    feed: Feed
    door: Door
    client: Client
    outbox: Outbox
    is_live: bool = False
    taken_until: datetime | None = None
    history: Drained = field(default_factory=Drained)

    @property
    def code(self) -> str:
        """The line's code."""
        return self.feed.code

    def backlog(self, now: datetime) -> Iterator[tuple[date, list[Batch]]]:
        """Yield the backlog by day, the newest first; once the first day is delivered, the line is live."""
        for place, (day, facts) in enumerate(self.feed.backlog(now)):
            parts = [facts[at : at + LARGEST_BATCH] for at in range(0, len(facts), LARGEST_BATCH)] or [[]]
            is_today = place == 0
            yield (
                day,
                [
                    Batch(self, day, part, completes_day=last and not is_today, starts_live=last and is_today)
                    for part, last in zip(parts, [*[False] * (len(parts) - 1), True], strict=True)
                ],
            )

    def take_in(self, now: datetime) -> None:
        """Put what happened since the last time into the outbox."""
        if self.is_live and self.taken_until is not None and now > self.taken_until:
            self.outbox.add(self.feed.between(self.taken_until, now), now=now)
            self.taken_until = now

    def hand_over(self, until: datetime, *, now: datetime) -> None:
        """Give the client what is due up to a moment, and note how far that goes."""
        if self.is_live:
            self.outbox.hand_over(self.client, now=until)
            self.feed.note_live(self.outbox.handed_over_until(now))


@dataclass(slots=True)
class ShopFloor:
    """All lines together. `tick` and `deliver_backlog` return quickly; the caller decides when and how often."""

    stations: list[Station]
    progress_file: ProgressFile
    backlog: list[Batch] = field(default_factory=list)
    backoff: Backoff = field(default_factory=lambda: Backoff(longest=_LONGEST_WAIT))

    @classmethod
    def open(
        cls,
        feeds: Sequence[Feed],
        url: str,
        keys: dict[str, str],
        queues: Path,
        progress_file: ProgressFile,
        untidiness: Untidiness,
        *,
        seed: int,
        transport: httpx.BaseTransport | None = None,
        transports: Mapping[str, httpx.BaseTransport] | None = None,
    ) -> "ShopFloor":
        """Return the shop floor with its ways out for every line; `queues` is the folder for the clients' queues.

        `transports` are ways of their own, by the line's code.
        """
        ways = transports or {}
        return cls(
            [
                Station(
                    feed,
                    Door(url, keys[feed.code], transport=ways.get(feed.code, transport)),
                    Client(
                        url,
                        keys[feed.code],
                        queues / f"{feed.code}.db",
                        background=False,
                        backoff=Backoff(longest=_LONGEST_WAIT),
                        transport=ways.get(feed.code, transport),
                    ),
                    Outbox(untidiness, Random(f"{seed}|delivery|{feed.code}")),
                )
                for feed in feeds
            ],
            progress_file,
        )

    @property
    def tally(self) -> Drained:
        """What the server said of all that was sent, history and live."""
        return sum((station.client.delivered() + station.history for station in self.stations), Drained())

    def plan_backlog(self, now: datetime) -> None:
        """Line up what is missing: the newest day of every line first. The lines are live after that."""
        days = [entry for station in self.stations for entry in station.backlog(now)]
        self.backlog = [
            batch for _, batches in sorted(days, key=lambda entry: entry[0], reverse=True) for batch in batches
        ]
        for station in self.stations:
            station.taken_until = now

    def go_live(self, now: datetime) -> None:
        """Begin with what happens from now on; there is no backlog."""
        for station in self.stations:
            station.taken_until, station.is_live = now, True
            station.feed.start_live(now)

    def deliver_backlog(self, *, clock: float) -> bool:
        """Send the next batch of the backlog, if it is time; return whether anything was sent."""
        if not self.backlog or not self.backoff.is_due(clock):
            return False
        batch = self.backlog[0]
        try:
            if batch.facts:
                answer = batch.station.door.send([json.dumps(fact.item()) for fact in batch.facts])
                self._note_answer(batch.station, answer, batch.facts)
        except (NotTaken, TooLarge) as failure:
            wait = self.backoff.failed(clock, asked=getattr(failure, "asked", None))
            logger.warning("History not delivered: %s; again in %.1f s", failure, wait)
            return False
        if self.backoff.succeeded():
            logger.info("Delivering history again")
        self.backlog.pop(0)
        if batch.completes_day:
            batch.station.feed.note_delivered(batch.day)
        if batch.starts_live and batch.station.taken_until is not None:
            batch.station.feed.start_live(batch.station.taken_until)
            batch.station.is_live = True
        self.keep_progress()
        return True

    def tick(self, now: datetime) -> None:
        """Hand over what is due of the live stream, and deliver what waits."""
        for station in self.stations:
            station.take_in(now)
            try:
                station.hand_over(now, now=now)
                station.client.drain_once()
            except (QueueFull, QueueUnavailable) as fault:
                logger.warning("%s holds back %d items: %s", station.code, len(station.outbox), fault)

    def stop(self, *, seconds: float = 2.0) -> None:
        """Deliver all that is held back, if the server takes it in so long; the rest waits on disk for the next start.

        The server may be stopping at the same time, and who stops both may not wait for long.
        """
        for station in self.stations:
            if station.taken_until is not None:
                station.hand_over(datetime.max.replace(tzinfo=UTC), now=station.taken_until)
        self.keep_progress()
        for station in self.stations:
            if not station.client.flush(seconds / len(self.stations)):
                logger.warning("%s keeps %d items for the next start", station.code, station.client.queue_length())
            station.client.close(timeout=0)
            station.door.close()

    def keep_progress(self) -> None:
        """Write down how far every line has delivered."""
        self.progress_file.write({station.code: station.feed.progress for station in self.stations})

    def _note_answer(self, station: Station, answer: Answer, facts: list[Fact]) -> None:
        station.history += Drained(answer.accepted, answer.duplicates, len(answer.refused))
        for item in answer.refused[:3]:
            logger.warning("Refused: %s: %s", facts[item.index], item.message)
        if len(answer.refused) > 3:
            logger.warning("… and %d more", len(answer.refused) - 3)
