"""Devices that send without rest, keep what was not acknowledged, and remember what was."""

import asyncio
import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from torture.plant import MODULUS, REASONS
from torture.world import Plant

# What a fact is known by: what the device calls its owner, and the moment.
Key = tuple[str, datetime]
SIZES = (1, 1, 2, 5, 20, 60)
STEP = timedelta(milliseconds=100)
_MOST_PENDING = 8


@dataclass(slots=True)
class Ledger:
    """What devices sent and what they were told; it outlives every server."""

    sent: dict[Key, Any] = field(default_factory=dict)
    acknowledged: set[Key] = field(default_factory=set)
    # Pieces by machine that the sent counts add up to.
    pieces: Counter[str] = field(default_factory=Counter)
    # Answers by status, and "no answer".
    answers: Counter[str] = field(default_factory=Counter)
    # Items that were stored although their first acknowledgement never arrived.
    stored_unanswered: int = 0
    # New items that were answered "duplicate": the server had to write twice to know that its commit had arrived.
    called_stored_before: int = 0
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def note_wrong(self, what: str) -> None:
        """Keep an answer that nobody should get; a few of them tell enough."""
        self.answers["wrong"] += 1
        if len(self.wrong) < 10:
            self.wrong.append(what)


@dataclass(slots=True)
class Batch:
    """Items that travel together, and whether they did before."""

    path: str
    items: list[dict[str, Any]]
    times_sent: int = 0


class Device:
    """The device of one machine: counts new pulses, shows a running counter, reports states."""

    def __init__(self, plant: Plant, machine: str, ledger: Ledger, *, begins: datetime, seed: int) -> None:
        self.machine = machine
        self.last_acknowledged = 0.0
        self.pause = 0.0
        self._headers = plant.sender
        self._ledger = ledger
        self._begins = begins
        self._random = random.Random(seed)
        self._number = 0
        self._counter = 0
        self._pending: deque[Batch] = deque()

    async def run(self, client: httpx.AsyncClient, stop: asyncio.Event) -> None:
        """Send until told to stop; then bring in what is still owed."""
        while not stop.is_set():
            owed = len(self._pending)
            if owed >= _MOST_PENDING or (owed and self._random.random() < 0.7):
                # In any order: what is sent again may overtake and be overtaken.
                self._pending.rotate(self._random.randrange(owed))
                batch = self._pending.popleft()
            else:
                batch = self.next_batch(self._random.choice(SIZES))
            await self._send(client, batch)
            if self._random.random() < 0.05:
                # A device that is unsure sends again although it need not.
                await self._send(client, batch)
            if self.pause:
                await asyncio.sleep(self.pause)
        while self._pending:
            await self._send(client, self._pending.popleft())

    def next_batch(self, size: int) -> Batch:
        """Return items that were never sent: of one kind on the small addresses, mixed on the large one."""
        items = [self._next_item() for _ in range(size)]
        if size > 1:
            return Batch("/ingest/", items)
        return Batch("/ingest/count" if "tag" in items[0] else "/ingest/state", items)

    def _next_item(self) -> dict[str, Any]:
        number, self._number = self._number, self._number + 1
        at = self._begins + number * STEP
        item: dict[str, Any]
        match number % 3:
            case 0:
                value = number // 3 % 7
                self._ledger.pieces[self.machine] += value
                owner, item = f"{self.machine}/delta", {"value": value}
            case 1:
                # The first reading is nought, so that all of the counter's rise lies after it.
                rise = number // 3 % 11
                self._counter += rise
                self._ledger.pieces[self.machine] += rise
                owner, item = f"{self.machine}/running", {"value": self._counter % MODULUS}
            case _:
                owner, item = self.machine, {"state": list(REASONS)[number // 3 % 2]}
        self._ledger.sent[owner, at] = item.get("value", item.get("state"))
        return {"machine" if "state" in item else "tag": owner, "at": at.isoformat(), **item}

    async def _send(self, client: httpx.AsyncClient, batch: Batch) -> None:
        is_again, batch.times_sent = batch.times_sent > 0, batch.times_sent + 1
        started = time.monotonic()
        content: Any = {"items": batch.items} if batch.path == "/ingest/" else batch.items[0]
        try:
            answer = await client.post(batch.path, json=content, headers=self._headers)
        except httpx.TransportError:
            self._ledger.answers["no answer"] += 1
            self._pending.append(batch)
            await asyncio.sleep(0.01)
            return
        now = time.monotonic()
        self._ledger.seconds.append(now - started)
        self._ledger.answers[str(answer.status_code)] += 1
        if answer.status_code == 200:
            self._note(batch, answer.json(), is_again=is_again)
            self.last_acknowledged = now
            return
        if answer.status_code != 503 or not answer.headers.get("retry-after", "").isdigit():
            self._ledger.note_wrong(f"{answer.status_code} {answer.text[:200]}")
        self._pending.append(batch)
        # Sooner than asked: a device that is impatient must not break anything either.
        await asyncio.sleep(0.05)

    def _note(self, batch: Batch, said: dict[str, Any], *, is_again: bool) -> None:
        if said["refused"] or said["accepted"] + said["duplicates"] != len(batch.items):
            self._ledger.note_wrong(f"200 {said}")
            return
        if not is_again:
            self._ledger.called_stored_before += said["duplicates"]
        keys = [(item.get("tag") or item["machine"], datetime.fromisoformat(item["at"])) for item in batch.items]
        if is_again and keys[0] not in self._ledger.acknowledged:
            self._ledger.stored_unanswered += said["duplicates"]
        self._ledger.acknowledged.update(keys)


def devices_of(plant: Plant, ledger: Ledger, *, seed: int = 1) -> list[Device]:
    """Return a device for each machine; what they send happened from midnight three days ago on."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = today - timedelta(days=3)
    return [
        Device(plant, machine, ledger, begins=begins, seed=seed * 1000 + number)
        for number, machine in enumerate(plant.machines)
    ]


class Shop:
    """Devices at work as long as the block lasts; on leaving it they bring in what they still owe."""

    def __init__(self, address: str, plant: Plant, *, seed: int = 1, timeout: float = 15) -> None:
        self.ledger = Ledger()
        self.devices = devices_of(plant, self.ledger, seed=seed)
        self._stop = asyncio.Event()
        self._client = httpx.AsyncClient(base_url=address, timeout=timeout)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Shop":
        self._tasks = [asyncio.create_task(device.run(self._client, self._stop)) for device in self.devices]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stop.set()
        if kind is not None:
            for task in self._tasks:
                task.cancel()
        try:
            async with asyncio.timeout(120):
                await asyncio.gather(*self._tasks, return_exceptions=kind is not None)
        finally:
            await self._client.aclose()

    async def all_acknowledged_since(self, moment: float, *, seconds: float = 60) -> float:
        """Wait until each device was acknowledged after this (monotonic) moment; return how long after it that was.

        Raises TimeoutError when that takes longer.
        """
        async with asyncio.timeout(seconds):
            while any(device.last_acknowledged <= moment for device in self.devices):
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.005)
        return max(device.last_acknowledged for device in self.devices) - moment
