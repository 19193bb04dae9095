"""The sockets of devices: what a machine does, told when it changes.

Each looks once a second by itself. The hub of the screens serves rendered pages of whole lines to people who are
logged in; a number per machine for devices that are not is simpler to look up, and a handful of tablets costs little.
"""

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import InterfaceError, OperationalError, connection

from connectors.digitme2 import messages, selectors
from connectors.digitme2.access import NotAdmitted, Plant, admit
from connectors.digitme2.views import client_address, key_of
from core.errors import DomainError, Invalid, NotFound

LOOK_SECONDS = 1.0
# Somebody's key or address may be taken away while a socket is open.
ADMIT_EVERY = 30
FIRST_WORD_SECONDS = 30.0
BAD_MESSAGE, NOT_ADMITTED, NOT_FOUND, CONFLICT = 4400, 4401, 4404, 4409


class _DeviceConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Wait for the device to name what it watches, then send what changes of it until it goes."""

    field = ""
    _watching: asyncio.Task[None] | None = None
    _waiting: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        try:
            await self._in_database(self._admit)
        except DomainError as error:
            await self.accept()
            await self.close(_code_of(error))
            return
        await self.accept()
        loop = asyncio.get_running_loop()
        self._waiting = loop.call_later(FIRST_WORD_SECONDS, lambda: asyncio.ensure_future(self.close(BAD_MESSAGE)))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._watching is not None:
            return
        try:
            said = messages.read_body("application/json", (text_data or "").encode("utf-8", "replace"))
            name = self.read(said)
            state = await self._in_database(self._look, name, True)
        except DomainError as error:
            await self.close(_code_of(error))
            return
        if self._waiting is not None:
            self._waiting.cancel()
        await self.send(self.first(state))
        self._watching = asyncio.create_task(self._watch(name, state))

    async def disconnect(self, code: int) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        if self._watching is not None and self._watching is not asyncio.current_task():
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self, name: Any, state: Any) -> None:
        looks = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            looks += 1
            try:
                latest = await self._in_database(self._look, name, looks % ADMIT_EVERY == 0)
            except (OperationalError, InterfaceError):
                continue
            except DomainError as error:
                await self.close(_code_of(error))
                return
            for message in self.changes(state, latest):
                await self.send(message)
            state = latest

    _plant: Plant | None = None

    def _admit(self) -> Plant:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope.get("headers", ())}
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        client = self.scope.get("client") or [""]
        meta = {"REMOTE_ADDR": client[0] or "", "HTTP_X_FORWARDED_FOR": headers.get("x-forwarded-for", "")}
        key = key_of(headers.get("authorization", ""), query.get("key", [None])[0])
        return admit(raw_key=key, address=client_address(meta), now=datetime.now(UTC))

    def _look(self, name: Any, admit_anew: bool) -> Any:
        if admit_anew or self._plant is None:
            self._plant = self._admit()
        return self.look(self._plant, name, datetime.now(UTC))

    @staticmethod
    async def _in_database(function: Any, *args: Any) -> Any:
        def call() -> Any:
            try:
                return function(*args)
            finally:
                connection.close()

        return await sync_to_async(call, thread_sensitive=False)()

    def read(self, said: messages.Body) -> Any:
        """Return what the device wants to watch."""
        raise NotImplementedError

    def look(self, plant: Plant, name: Any, now: datetime) -> Any:
        """Return what it is like now."""
        raise NotImplementedError

    def first(self, state: Any) -> str:
        """Return what is sent at once."""
        raise NotImplementedError

    def changes(self, before: Any, after: Any) -> list[str]:
        """Return what is sent when it changed."""
        raise NotImplementedError


class ActivityConsumer(_DeviceConsumer):
    """`{"machine_id": 1}` → the number of its activity code, now and whenever it changes."""

    def read(self, said: messages.Body) -> int:
        return messages.whole(said, "machine_id")

    def look(self, plant: Plant, name: int, now: datetime) -> int:
        return selectors.current_code(plant, plant.machine_of(name), now)

    def first(self, state: int) -> str:
        return str(state)

    def changes(self, before: int, after: int) -> list[str]:
        return [] if before == after else [str(after)]


class TabletConsumer(_DeviceConsumer):
    """`{"device_uuid": "…"}` → the activity code of the tablet's machine, then changes of it and log-outs as JSON."""

    def read(self, said: messages.Body) -> str:
        return messages.text(said, "device_uuid", 200)

    def look(self, plant: Plant, name: str, now: datetime) -> tuple[int, int | None]:
        tablet = selectors.tablets(plant).filter(device_uuid=name).first()
        if tablet is None or tablet.machine is None or not plant.knows(tablet.machine):
            raise NotFound("The device is not registered, or has no machine.", field="device_uuid")
        return selectors.current_code(plant, tablet.machine, now), tablet.user_id

    def first(self, state: tuple[int, int | None]) -> str:
        return str(state[0])

    def changes(self, before: tuple[int, int | None], after: tuple[int, int | None]) -> list[str]:
        said = []
        if before[0] != after[0]:
            said.append(json.dumps({"action": "activity_change", "activity_code_id": after[0]}))
        if before[1] is not None and before[1] != after[1]:
            said.append(json.dumps({"action": "logout"}))
        return said


def _code_of(error: DomainError) -> int:
    if isinstance(error, NotAdmitted):
        return NOT_ADMITTED
    if isinstance(error, NotFound):
        return NOT_FOUND
    return BAD_MESSAGE if isinstance(error, Invalid) else CONFLICT
