"""The simulated shop floor at work: every line delivers what is missing and what happens now, over HTTP."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random

import httpx

from simulator.delivery import LARGEST_BATCH, Backoff, Door, NotDelivered, Outbox, Tally, Untidiness
from simulator.facts import Fact
from simulator.feed import LineFeed
from simulator.progress import ProgressFile

logger = logging.getLogger(__name__)


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
    """A line's devices: what they have to deliver, and the way out."""

    feed: LineFeed
    door: Door
    outbox: Outbox
    is_live: bool = False
    taken_until: datetime | None = None

    @property
    def code(self) -> str:
        """The line's code."""
        return self.feed.line.code

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


@dataclass(slots=True)
class ShopFloor:
    """All lines together. `tick` and `deliver_backlog` return quickly; the caller decides when and how often."""

    stations: list[Station]
    progress_file: ProgressFile
    tally: Tally
    backlog: list[Batch] = field(default_factory=list)
    backoff: Backoff = field(default_factory=Backoff)

    @classmethod
    def open(
        cls,
        feeds: list[LineFeed],
        client: httpx.Client,
        keys: dict[str, str],
        progress_file: ProgressFile,
        untidiness: Untidiness,
        *,
        seed: int,
    ) -> "ShopFloor":
        """Return the shop floor with a way out for every line."""
        tally = Tally()
        stations = [
            Station(
                feed,
                Door(client, keys[feed.line.code], tally),
                Outbox(untidiness, Random(f"{seed}|delivery|{feed.line.code}")),
            )
            for feed in feeds
        ]
        return cls(stations, progress_file, tally)

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
                batch.station.door.deliver(batch.facts)
        except NotDelivered as failure:
            self._note_failure(failure, clock)
            return False
        self._note_success()
        self.backlog.pop(0)
        if batch.completes_day:
            batch.station.feed.note_delivered(batch.day)
        if batch.starts_live and batch.station.taken_until is not None:
            batch.station.feed.start_live(batch.station.taken_until)
            batch.station.is_live = True
        self.keep_progress()
        return True

    def tick(self, now: datetime, *, clock: float) -> int:
        """Send what is due of the live stream; return how many items were sent."""
        sent = 0
        for station in self.stations:
            station.take_in(now)
            if station.is_live and self.backoff.is_due(clock):
                try:
                    sent += station.outbox.deliver(station.door, now=now)
                    self._note_success()
                except NotDelivered as failure:
                    self._note_failure(failure, clock)
                station.feed.note_live(station.outbox.delivered_until(now))
        return sent

    def flush(self) -> None:
        """Send all that is held back, if the server takes it. What it does not take comes again after the next start."""
        for station in self.stations:
            if not station.is_live or station.taken_until is None:
                continue
            try:
                station.outbox.deliver(station.door, now=datetime.max.replace(tzinfo=UTC))
            except NotDelivered as failure:
                logger.warning("%s keeps %d items for the next start: %s", station.code, len(station.outbox), failure)
            station.feed.note_live(station.outbox.delivered_until(station.taken_until))
        self.keep_progress()

    def keep_progress(self) -> None:
        """Write down how far every line has delivered."""
        self.progress_file.write({station.code: station.feed.progress for station in self.stations})

    def _note_failure(self, failure: NotDelivered, clock: float) -> None:
        wait = self.backoff.failed(clock)
        waiting = sum(len(station.outbox) for station in self.stations)
        logger.warning("Not delivered: %s; %d live items wait; again in %.1f s", failure, waiting, wait)

    def _note_success(self) -> None:
        if self.backoff.succeeded():
            logger.info("Delivering again")
