"""Run all enabled connectors in one process: start, restart with a growing pause, follow what the admin changes, and
say how each one is.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from django.db import InterfaceError, OperationalError

from connectors import services
from connectors.database import in_thread
from connectors.doors import Setup, door_of
from connectors.intake import Intake, Tally
from connectors.models import Connector, ConnectorHealth
from core import cancelling
from ingest.group_commit import GroupCommit

LOOK_SECONDS = 2.0
REPORT_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
# A connection that held this long failed anew, not again.
STEADY_SECONDS = 60.0

State = ConnectorHealth.State

logger = logging.getLogger(__name__)


class Supervisor:
    """Keeps the connections of one process; `run` ends only when it is cancelled."""

    def __init__(
        self, codes: list[str] | None = None, *, worker: str = "", longest_pause: float = LONGEST_PAUSE
    ) -> None:
        self._longest_pause = longest_pause
        self._codes = codes
        self._worker = worker
        self._group_commit = GroupCommit()
        self._running: dict[int, tuple[str, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Follow the set-up until cancelled, then stop every connection."""
        try:
            while True:
                try:
                    await self._follow(await in_thread(services.fingerprint, self._codes))
                except (OperationalError, InterfaceError) as error:
                    logger.warning("The set-up cannot be read, the database is away: %s", error)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self._stop(list(self._running))

    async def _follow(self, wanted: dict[int, str]) -> None:
        await self._stop([pk for pk, (fingerprint, _) in self._running.items() if wanted.get(pk) != fingerprint])
        for pk, fingerprint in wanted.items():
            if pk not in self._running:
                self._running[pk] = fingerprint, asyncio.create_task(self._keep(pk), name=f"connector {pk}")

    async def _stop(self, connector_ids: list[int]) -> None:
        await cancelling.end(*(self._running.pop(pk)[1] for pk in connector_ids))

    async def _keep(self, connector_id: int) -> None:
        """Keep one connection up."""
        pause = FIRST_PAUSE
        while True:
            started = asyncio.get_running_loop().time()
            error = await self._once(connector_id)
            if error is None:
                return
            if asyncio.get_running_loop().time() - started > STEADY_SECONDS:
                pause = FIRST_PAUSE
            await self._pause(connector_id, pause)
            pause = min(pause * 2, self._longest_pause)

    async def _pause(self, connector_id: int, seconds: float) -> None:
        """Wait before the next attempt, and say meanwhile that somebody waits: silence would mean a dead process."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, REPORT_SECONDS))
            with suppress(OperationalError, InterfaceError):
                report = services.Report(State.PAUSED, Tally())
                await in_thread(services.report_health, connector_id, report, at=datetime.now(UTC))

    async def _once(self, connector_id: int) -> str | None:
        """Connect and stay connected; return what ended it, or None when there is nothing to run."""
        watched, name = _Watched(connector_id), str(connector_id)
        try:
            found = await in_thread(_prepare, connector_id, self._worker)
            if found is None:
                return None
            connector, setup = found
            name = connector.code
            run = door_of(connector.protocol).coroutine()
            intake = Intake(self._group_commit, await in_thread(services.scope_of, connector))
            watched.follow(setup, intake)
            logger.info("Connector %s starts", name)
            await run(setup, intake)
            error = "The connection ended."
        except asyncio.CancelledError:
            await watched.end(State.STOPPED)
            raise
        except Exception as failure:
            # Whatever a protocol's library raises: it costs this connection a pause, and no other anything.
            error = f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__
            logger.warning("Connector %s failed: %s", name, error)
        await watched.end(State.PAUSED, error)
        return error


def _prepare(connector_id: int, worker: str) -> tuple[Connector, Setup] | None:
    connector = Connector.objects.select_related("site").filter(pk=connector_id, is_active=True).first()
    if connector is None or door_of(connector.protocol).run is None:
        return None
    return connector, services.setup_of(connector, worker)


class _Watched:
    """One attempt at a connection, and what is said of it while it lasts."""

    def __init__(self, connector_id: int) -> None:
        self._connector_id = connector_id
        self._setup: Setup | None = None
        self._intake: Intake | None = None
        self._task: asyncio.Task[None] | None = None

    def follow(self, setup: Setup, intake: Intake) -> None:
        self._setup, self._intake = setup, intake
        self._task = asyncio.create_task(self._report_regularly())

    async def end(self, state: State, error: str = "") -> None:
        if self._task is not None:
            await cancelling.end(self._task)
        await self._report(state, error=error, restarts=1 if state == State.PAUSED else 0)

    async def _report_regularly(self) -> None:
        while True:
            connected = self._intake is not None and self._intake.is_connected
            await self._report(State.CONNECTED if connected else State.STARTING)
            await asyncio.sleep(REPORT_SECONDS)

    async def _report(self, state: State, *, error: str = "", restarts: int = 0) -> None:
        tally, unmapped = Tally(), None
        if self._intake is not None and self._setup is not None:
            # What is counted while the report is being written belongs to the next one.
            tally, self._intake.tally = self._intake.tally, Tally()
            trouble, self._intake.trouble = self._intake.trouble, ""
            error = error or trouble
            unmapped, self._setup.translator.unmapped = self._setup.translator.unmapped, {}
        report = services.Report(state, tally, restarts, error, unmapped)
        try:
            await in_thread(services.report_health, self._connector_id, report, at=datetime.now(UTC))
        except (OperationalError, InterfaceError):
            if self._intake is not None:
                self._intake.tally = _sum(tally, self._intake.tally)


def _sum(before: Tally, after: Tally) -> Tally:
    return replace(
        before,
        **{
            name: getattr(before, name) + getattr(after, name)
            for name in ("messages", "accepted", "duplicates", "refused", "gaps")
        },
        last_message_at=after.last_message_at or before.last_message_at,
    )
