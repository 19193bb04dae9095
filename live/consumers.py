"""The sockets of the screens: who may watch which lines, and the pump from the hub to the browser."""

import asyncio
import contextlib
import random
from abc import ABC, abstractmethod
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from core.master_data import in_scope
from enterprise.models import Line
from live.fragments import BOARD, CARD, CHART, DETAIL, FLOOR, PLAN, Watched
from live.hub import Watcher, hub
from live.languages import language_of
from quality.charting import charts_at_machine
from quality.models import ControlChart

RECHECK_SECONDS = 30.0
"""A session that ended is noticed within so long; each socket looks at times of its own."""
NOT_LOGGED_IN, NOT_FOUND, TOO_SLOW = 4401, 4404, 4408


class _LiveConsumer(AsyncWebsocketConsumer, ABC):  # type: ignore[misc]
    """Watch some lines for as long as the person may."""

    watcher: Watcher | None = None
    pump: asyncio.Task[None] | None = None

    @abstractmethod
    def watched(self, user: Any) -> frozenset[Watched]:
        """Return what this socket is about, as far as the user may see it."""

    def asked(self, name: str) -> Any:
        """Return an id that the address names; None where it names none."""
        return self.scope["url_route"]["kwargs"].get(name)

    async def lines_to_watch(self, user: Any) -> frozenset[Watched]:
        """Ask the database for it."""
        found: frozenset[Watched] = await database_sync_to_async(self.watched)(user)
        return found

    async def connect(self) -> None:
        await self.accept()
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(NOT_LOGGED_IN)
            return
        watches = await self.lines_to_watch(user)
        if not watches:
            await self.close(NOT_FOUND)
            return
        self.watcher = hub().watch(watches)
        self.pump = asyncio.create_task(self._pump(self.watcher))

    async def disconnect(self, code: int) -> None:
        if self.watcher is not None:
            hub().leave(self.watcher)
        if self.pump is not None and self.pump is not asyncio.current_task():
            self.pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.pump

    async def _pump(self, watcher: Watcher) -> None:
        loop = asyncio.get_running_loop()
        recheck_at = loop.time() + _until_recheck()
        while True:
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`, which may swallow a cancellation that meets a message.
                async with asyncio.timeout(max(0.01, recheck_at - loop.time())):
                    message = await watcher.queue.get()
                if message is None:
                    await self.close(TOO_SLOW)
                    return
                await self.send(message)
            if loop.time() >= recheck_at:
                # A session that ended, or a role that was taken away, ends the watching too.
                user = await get_user(self.scope)
                if not user.is_authenticated or await self.lines_to_watch(user) != watcher.watches:
                    await self.close(NOT_LOGGED_IN)
                    return
                recheck_at = loop.time() + _until_recheck()


def _until_recheck() -> float:
    # After a restart of the server all sockets come back at once.
    return RECHECK_SECONDS * random.uniform(0.5, 1)


class OverviewConsumer(_LiveConsumer):
    """Watch the cards of all lines that the person may see."""

    def watched(self, user: Any) -> frozenset[Watched]:
        return _lines(user, CARD, language_of(self.scope))


class LineConsumer(_LiveConsumer):
    """Watch one line's page."""

    def watched(self, user: Any) -> frozenset[Watched]:
        return _lines(user, DETAIL, language_of(self.scope), pk=self.asked("line_id"))


class FloorConsumer(_LiveConsumer):
    """Watch the rows of all lines that the person may see, or of those of one area."""

    view = FLOOR

    def watched(self, user: Any) -> frozenset[Watched]:
        return _lines(user, self.view, language_of(self.scope), area=self.asked("area_id"))


class BoardConsumer(FloorConsumer):
    """Watch an area's lines as the board across the hall shows them."""

    view = BOARD


class ChartConsumer(_LiveConsumer):
    """Watch a control chart, or all of a machine."""

    def watched(self, user: Any) -> frozenset[Watched]:
        machine_id = self.asked("machine_id")
        charts = charts_at_machine(machine_id) if machine_id else ControlChart.objects.filter(pk=self.asked("chart_id"))
        seen = in_scope(ControlChart.objects.all(), user, ControlChart.site_paths)
        ids = [chart.pk for chart in charts]
        rows = seen.filter(pk__in=ids).values_list("pk", "machine__line")
        return frozenset((line_id or 0, f"{CHART}{pk}", language_of(self.scope)) for pk, line_id in rows)


class PlanConsumer(_LiveConsumer):
    """Watch what is planned on the lines of a site."""

    def watched(self, user: Any) -> frozenset[Watched]:
        return _lines(user, PLAN, language_of(self.scope), area__site=self.asked("site_id"))


def _lines(user: Any, view: str, language: str, **place: int | None) -> frozenset[Watched]:
    """Return the lines of a place that a person may see; of None all."""
    named = {path: pk for path, pk in place.items() if pk is not None}
    lines = in_scope(Line.objects.filter(is_active=True, **named), user, Line.site_paths)
    return frozenset((pk, view, language) for pk in lines.values_list("pk", flat=True))
