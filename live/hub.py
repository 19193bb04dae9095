"""One hub per process: hears what changed, works a line's fragment out once, hands it to all who watch it.

Announcements may be lost by contract; so every watched line is also refreshed on a slow beat, each at a time of its
own, and a browser that missed something fetches the page again. A reader too slow to keep up is dropped, so that memory
stays bounded.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection, connections

from core.announcements import CHANNEL, decode
from enterprise.models import Machine
from live.due import BEAT_SECONDS, Due, Shown
from live.fragments import PLAN, Watched, chart_of, render_lines, version_now
from workorders.placing import TOPIC as SCHEDULE

RETRY_SECONDS = 1.0
QUEUE_LENGTH = 200

logger = logging.getLogger(__name__)


class Watcher:
    """A socket's end of the hub: the messages for it wait here, and not too many of them."""

    def __init__(self, watches: frozenset[Watched]) -> None:
        self.watches = watches
        self.queue: asyncio.Queue[str | None] = asyncio.Queue(QUEUE_LENGTH)
        self.dropped = False

    def put(self, message: str) -> None:
        """Hand over a message; a full queue means that nobody reads, so the watcher is dropped."""
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.dropped = True
            self.queue.get_nowait()
            self.queue.put_nowait(None)


class Hub:
    """Everything of one event loop; started by the first watcher, idle without any."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._changed: set[Shown] = set()
        self._replanned: set[int] = set()
        self._stirred = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._lines_of: dict[int, int] = {}

    def watch(self, watches: frozenset[Watched]) -> Watcher:
        """Return a new watcher; its messages begin with the next change or beat."""
        watcher = Watcher(watches)
        self._watchers.add(watcher)
        if not self._tasks or any(task.done() for task in self._tasks):
            for task in self._tasks:
                task.cancel()
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._deliver())]
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Forget a watcher; the last one turns off the lights."""
        self._watchers.discard(watcher)
        if not self._watchers:
            for task in self._tasks:
                task.cancel()
            self._tasks = []

    async def _listen(self) -> None:
        """Gather announced machines and charts, for as long as it takes; after every new start,
        all may have changed.
        """
        while True:
            try:
                async for payload in announcements():
                    if payload is None:
                        self._tell_all({"type": "resync"})
                        self._changed.update(
                            _shown(watched) for watcher in self._watchers for watched in watcher.watches
                        )
                    else:
                        topic, ids = decode(payload)
                        if topic == SCHEDULE:
                            self._replanned.update(ids)
                        if topic == "machine":
                            if not self._lines_of.keys() >= set(ids):
                                self._lines_of = await sync_to_async(_lines_of_machines, thread_sensitive=False)()
                            self._changed.update(("line", self._lines_of[i]) for i in ids if i in self._lines_of)
                        elif topic == "chart":
                            self._changed.update(("chart", i) for i in ids)
                    self._stirred.set()
            except (OSError, psycopg.Error, ValueError) as error:
                logger.warning("The live bus is away, trying again: %s", error)
            except Exception as error:  # a Redis that is away raises its own
                logger.warning("The live bus failed, trying again: %r", error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _deliver(self) -> None:
        """Tell what changed at once, if it was not told a moment ago; while there are no news, one thing at a time that
        was not told for long.

        One after another: what is worked out in a thread would take turns with whoever writes to the sockets, in
        turns that are long beside a message.
        """
        due = Due()
        plans_at, beats_from = time.monotonic() + BEAT_SECONDS, 0.0
        while True:
            shown = set(self._fragments())
            news_at = due.next_news(self._changed & shown)
            await self._until(min(plans_at, max(due.next_beat(shown), beats_from), *filter(None, [news_at])))
            replanned, self._replanned = self._replanned, set()
            is_beat = time.monotonic() >= plans_at
            if is_beat:
                plans_at = time.monotonic() + BEAT_SECONDS
            self._tell_planners(replanned, is_beat=is_beat)
            fragments, started = self._fragments(), time.monotonic()
            self._changed &= fragments.keys()
            if news := due.news(self._changed):
                self._changed -= news
                await self._push(set().union(*(fragments[one] for one in news)))
                due.told(news)
                # Where everything changes all the time, whoever sends and asks has half of the processor's time.
                await asyncio.sleep(time.monotonic() - started)
            elif started >= beats_from and (one := due.beat(set(fragments))) is not None:
                await self._push(fragments[one])
                due.told({one})
                beats_from = 2 * time.monotonic() - started

    async def _until(self, moment: float) -> None:
        """Wait until a moment of the monotonic clock, or until something is announced."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, moment - time.monotonic())):
                await self._stirred.wait()
        self._stirred.clear()

    def _fragments(self) -> dict[Shown, set[Watched]]:
        """Return what is shown to somebody now, each with the fragments of it that are watched."""
        found: dict[Shown, set[Watched]] = defaultdict(set)
        for watcher in self._watchers:
            for watched in watcher.watches:
                if watched[1] != PLAN:
                    found[_shown(watched)].add(watched)
        return found

    async def _push(self, wanted: set[Watched]) -> None:
        version = version_now()
        try:
            fragments = await sync_to_async(_render, thread_sensitive=False)(wanted)
        except Exception:
            # Whatever a line's status stumbles over must not silence the others' next refresh.
            logger.exception("A status could not be worked out")
            return
        watchers_of: dict[Watched, list[Watcher]] = defaultdict(list)
        for watcher in self._watchers:
            for watched in watcher.watches:
                watchers_of[watched].append(watcher)
        for watched, html in fragments.items():
            line_id, view, _ = watched
            message = json.dumps({"type": "line", "id": line_id, "view": view, "version": version, "html": html})
            for watcher in watchers_of[watched]:
                watcher.put(message)

    def _tell_planners(self, replanned: set[int], *, is_beat: bool) -> None:
        """Tell who watches plans which of their lines are planned otherwise now; on a beat, that nothing was missed."""
        for watcher in self._watchers:
            lines = sorted(line_id for line_id, view, _ in watcher.watches if view == PLAN and line_id in replanned)
            if lines:
                watcher.put(json.dumps({"type": "plan", "lines": lines}))
            elif is_beat and any(view == PLAN for _, view, _ in watcher.watches):
                watcher.put(json.dumps({"type": "beat"}))

    def _tell_all(self, message: dict[str, Any]) -> None:
        for watcher in self._watchers:
            watcher.put(json.dumps(message))


def _shown(watched: Watched) -> Shown:
    """Return what must change for a fragment to be another: its chart, or else its line."""
    line_id, view, _ = watched
    chart_id = chart_of(view)
    return ("line", line_id) if chart_id is None else ("chart", chart_id)


def _render(wanted: set[Watched]) -> dict[Watched, str]:
    try:
        return render_lines(wanted, now=datetime.now(UTC))
    finally:
        connections.close_all()


def _lines_of_machines() -> dict[int, int]:
    try:
        return dict(Machine.objects.values_list("id", "line_id"))
    finally:
        connections.close_all()


async def announcements() -> AsyncIterator[str | None]:
    """Yield None once listening, then each announcement's payload, until the connection is lost."""
    if settings.REDIS_URL:
        async for payload in _from_redis():
            yield payload
        return
    parameters = connection.get_connection_params()
    known = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port") if parameters.get(key)}
    async with await psycopg.AsyncConnection.connect(**known, autocommit=True) as listener:
        await listener.execute(f"LISTEN {CHANNEL}")
        yield None
        async for notification in listener.notifies():
            yield notification.payload


async def _from_redis() -> AsyncIterator[str | None]:
    import redis.asyncio

    async with redis.asyncio.from_url(settings.REDIS_URL) as client, client.pubsub() as subscription:
        await subscription.subscribe(CHANNEL)
        yield None
        async for message in subscription.listen():
            if message["type"] == "message":
                yield message["data"].decode()


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        for stopped in [other for other in _hubs if other.is_closed()]:
            del _hubs[stopped]
        _hubs[loop] = Hub()
    return _hubs[loop]
