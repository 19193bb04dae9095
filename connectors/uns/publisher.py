"""Keep a broker's retained topics as the plant is: what changed is published, what is no more is cleared."""

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from connectors.database import in_thread
from connectors.doors import Setup
from connectors.intake import Intake
from connectors.mqtt.session import Broker, Session
from connectors.uns.topics import Value, lines_of, values_of
from core import cancelling
from core.announcements import decode
from enterprise.models import Machine, Site
from live.hub import announcements

GATHER_SECONDS = 0.5
# Clocks, targets and the set-up move although nothing is announced.
BEAT_SECONDS = 10.0
# What the broker kept comes at once after a subscription; so long without any, there is no more.
KEPT_SECONDS = 1.0
ONLINE, OFFLINE = b"online", b"offline"


async def run(setup: Setup, intake: Intake) -> None:
    """Connect, clear what is no more, publish all, then what changes, until the connection ends."""
    options = setup.options
    broker = Broker.at(
        setup.address,
        client_id=(options["client_id"] or f"mes-{setup.code}") + (f"-{setup.worker}" if setup.worker else ""),
        username=setup.username,
        secret=setup.secret,
        ca_file=options["ca_file"],
    )
    root = await in_thread(_root, setup.site_id, options["topic_prefix"])
    said_alive = f"{root}/mes"
    async with Session(broker, will=(said_alive, OFFLINE)) as session:
        namespace = Namespace(setup.site_id, options["topic_prefix"], session)
        await namespace.find_published(root, but=said_alive)
        session.publish(said_alive, ONLINE, retain=True, is_derived=True)
        intake.connected()
        tasks = [
            asyncio.create_task(namespace.listen()),
            asyncio.create_task(namespace.keep()),
            asyncio.create_task(_watch(session)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            await cancelling.end(*tasks)
            with contextlib.suppress(Exception):
                session.publish(said_alive, OFFLINE, retain=True, is_derived=True)


async def _watch(session: Session) -> None:
    """Take what still comes, which nobody wants; raises ConnectionLost when the connection ends."""
    while True:
        for message in await session.messages(500):
            session.acknowledge(message)


class Namespace:
    """The topics of one site at one broker."""

    def __init__(self, site_id: int, prefix: str, session: Session) -> None:
        self._site_id, self._prefix, self._session = site_id, prefix, session
        self._changed: set[int] = set()
        self._stirred = asyncio.Event()
        self._lines_of: dict[int, int] = {}
        self._published: dict[str, Value | None] = {}
        """By topic what the broker was told; None = something of a connection before."""

    async def find_published(self, root: str, *, but: str) -> None:
        """Learn which topics a connection before left behind: what of it is no more is cleared."""
        wanted = f"{root}/#"
        await self._session.subscribe(wanted)
        while messages := await self._session.messages(500, patience=KEPT_SECONDS):
            for message in messages:
                self._session.acknowledge(message)
                if message.is_retained and message.is_derived and message.topic != but:
                    self._published[message.topic] = None
        self._session.unsubscribe(wanted)

    async def listen(self) -> None:
        """Note whose lines are announced to have changed; raises when announcements do not come any more."""
        async for payload in announcements():
            if payload is None:
                continue
            topic, ids = decode(payload)
            if topic == "machine":
                if not self._lines_of.keys() >= set(ids):
                    self._lines_of = await in_thread(_lines_of_machines)
                self._changed.update(self._lines_of[i] for i in ids if i in self._lines_of)
                self._stirred.set()
        raise ConnectionError("The announcements of changes ended.")

    async def keep(self) -> None:
        """Publish all, then what changed; on every beat look at all again."""
        loop = asyncio.get_running_loop()
        beat = 0.0
        while True:
            is_beat = loop.time() >= beat
            changed, self._changed = self._changed, set()
            if is_beat:
                beat = loop.time() + BEAT_SECONDS
                await self._publish(None)
            elif changed:
                await self._publish(changed)
            await asyncio.sleep(GATHER_SECONDS)
            self._stirred.clear()
            if not self._changed:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, beat - loop.time())):
                        await self._stirred.wait()

    async def _publish(self, line_ids: Iterable[int] | None) -> None:
        """Publish what lines say otherwise than before; of all lines (None), clear what is no more, too."""
        now = datetime.now(UTC)
        said = await in_thread(_values, self._site_id, line_ids, now)
        values = {self._topic(topic): value for topic, value in said.items()}
        for topic, value in values.items():
            if self._published.get(topic) != value:
                self._session.publish(topic, value.payload(now), retain=True, is_derived=True)
                self._published[topic] = value
        if line_ids is None:
            for topic in self._published.keys() - values.keys():
                self._session.publish(topic, b"", retain=True, is_derived=True)
                del self._published[topic]

    def _topic(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path


def _values(site_id: int, line_ids: Iterable[int] | None, now: datetime) -> dict[str, Value]:
    paths = lines_of(site_id)
    by_line = values_of(paths, paths if line_ids is None else line_ids, now=now)
    return {topic: value for of_line in by_line.values() for topic, value in of_line.items()}


def _root(site_id: int, prefix: str) -> str:
    site = Site.objects.select_related("enterprise").get(pk=site_id)
    path = f"{site.enterprise.code}/{site.code}"
    return f"{prefix}/{path}" if prefix else path


def _lines_of_machines() -> dict[int, int]:
    found: Any = Machine.objects.values_list("id", "line_id")
    return dict(found)
