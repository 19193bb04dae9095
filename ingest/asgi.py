"""The device door: a small ASGI application beside Django's own, for the one address that is called all day.

Django's handler and serializers would be most of the cost of a small request. Same keys, same services; concurrent
requests share one transaction (`ingest.group_commit`), and each is answered after that commit.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from accounts.keys import DeviceScope, device_scope, remembered_scope
from core.request_bodies import Application, Receive, Send, let_pass
from ingest.group_commit import GroupCommit, NotStored, TooMuchWaiting
from ingest.items import COUNT_EXAMPLE, STATE_EXAMPLE, Unreadable, read_delivery, read_one
from ingest.services import Delivery, Outcome

Scope = dict[str, Any]

BATCH, COUNT, STATE = "/ingest", "/ingest/count", "/ingest/state"
_EXAMPLES: dict[str, Any] = {
    BATCH: {"items": [COUNT_EXAMPLE, STATE_EXAMPLE]},
    COUNT: COUNT_EXAMPLE,
    STATE: STATE_EXAMPLE,
}

# Bytes of bodies in memory at once, of all requests together.
MAX_HELD_BYTES = 48 * 2**20
# A body that trickles in more slowly is given up.
BODY_SECONDS = 25
# How long a database that was found away is taken to be away.
AWAY_SECONDS = 0.5


class _Refusal(Exception):
    """An answer that ends the request at once."""

    def __init__(self, status: int, detail: str, *, example: Any = None, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"detail": detail} if example is None else {"detail": detail, "example": example}
        self.headers = headers


class DeviceDoor:
    """Answer POST /ingest/, /ingest/count and /ingest/state (with or without the slash); pass the rest on."""

    def __init__(self, otherwise: Application) -> None:
        self._otherwise = otherwise
        self._held_bytes = 0
        self._away_until = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")).rstrip("/")
        if path not in _EXAMPLES:
            await self._otherwise(scope, receive, send)
            return
        body = _Body(receive)
        try:
            outcome = await self._deliver(path, scope, body)
            await _respond(send, _status(outcome), outcome, {})
        except _Refusal as refusal:
            if body.has_ended:
                await _respond(send, refusal.status, refusal.body, refusal.headers)
                return
            headers = {**refusal.headers, "connection": "close"}
            await _respond(send, refusal.status, refusal.body, headers, ends=False)
            await let_pass(receive)
            await send({"type": "http.response.body"})
        finally:
            self._held_bytes -= body.held_bytes

    async def _deliver(self, path: str, scope: Scope, body: "_Body") -> Outcome:
        if scope["method"] != "POST":
            detail = "Send a POST with a device key; the API documentation is at /api/docs/."
            raise _Refusal(405, detail, example=_EXAMPLES[path], allow="POST")
        headers = {name.lower(): value for name, value in scope["headers"]}
        limit = settings.INGEST_MAX_BODY_BYTES
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared[:20]) > limit:
            raise _too_large(limit)
        device = await self._device(_key(headers))
        content = await self._read(body, limit, keep=device is not None)
        if device is None:
            detail = "Send a valid device key: 'Authorization: Api-Key <key>'."
            raise _Refusal(401, detail, **{"www-authenticate": "Api-Key"})
        try:
            items = read_delivery(content) if path == BATCH else read_one(content)
        except Unreadable as error:
            raise _Refusal(400, str(error), example=_EXAMPLES[path]) from None
        try:
            return await self._group_commit.write(Delivery(items, device))
        except TooMuchWaiting:
            raise _busy() from None
        except NotStored as error:
            if error.is_disk_full:
                raise _disk_full() from None
            if error.is_outage:
                raise _outage() from None
            raise _Refusal(500, "The delivery could not be written; nothing of it is stored.") from None

    async def _device(self, key: str | None) -> DeviceScope | None:
        """Return what a key covers; None for a key that covers nothing."""
        self._settle()
        if key is None:
            return None
        clock = time.monotonic()
        known, device = remembered_scope(key, clock=clock)
        if known:
            return device
        try:
            return await asyncio.get_running_loop().run_in_executor(self._key_thread, self._look_up, key, clock)
        except (OperationalError, InterfaceError):
            raise _outage() from None

    def _look_up(self, key: str, clock: float) -> DeviceScope | None:
        # Those who queued behind a look-up that failed need not wait as long again.
        if time.monotonic() < self._away_until:
            raise OperationalError("The database was away a moment ago.")
        try:
            return device_scope(key, clock=clock, now=datetime.now(UTC))
        except (OperationalError, InterfaceError):
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise
        finally:
            connection.close()

    def _settle(self) -> None:
        """Belong to the running event loop: a server has one, a test's client may have many."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._group_commit = GroupCommit()
            self._key_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ingest-keys")

    async def _read(self, body: "_Body", limit: int, *, keep: bool) -> bytearray:
        """Return the body, or answer 413 as soon as it is longer than allowed, whatever was declared."""
        content, size = bytearray(), 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for part in body.parts():
                    size += len(part)
                    if size > limit:
                        raise _too_large(limit)
                    if keep:
                        self._hold(body, len(part))
                        content += part
        except TimeoutError:
            raise _Refusal(408, f"The body did not arrive within {BODY_SECONDS} s.") from None
        return content

    def _hold(self, body: "_Body", size: int) -> None:
        if self._held_bytes + size > MAX_HELD_BYTES:
            raise _busy()
        self._held_bytes += size
        body.held_bytes += size


class _Body:
    """A request's body on its way in."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.has_ended = False
        self.held_bytes = 0

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield what is still to come."""
        while not self.has_ended:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.has_ended = True
                raise _Refusal(400, "The request ended early.")
            self.has_ended = not message.get("more_body")
            yield message.get("body", b"")


def _key(headers: dict[bytes, bytes]) -> str | None:
    scheme, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return key.strip() or None if scheme.lower() == "api-key" else None


def _too_large(limit: int) -> _Refusal:
    return _Refusal(413, f"The body is larger than {limit} bytes; send smaller batches.")


def _busy() -> _Refusal:
    detail = "Not stored: too many deliveries are waiting. Send again in a moment."
    return _Refusal(503, detail, **{"retry-after": "1"})


def _outage() -> _Refusal:
    detail = "Not stored: the database is not reachable at the moment. Send again."
    return _Refusal(503, detail, **{"retry-after": "2"})


def _disk_full() -> _Refusal:
    detail = "Not stored: the database's disk is full. Keep the items and send them again later."
    return _Refusal(503, detail, **{"retry-after": "5"})


def _status(outcome: Outcome) -> int:
    if not outcome.refused:
        return 200
    return 207 if outcome.accepted or outcome.duplicates else 422


async def _respond(send: Send, status: int, body: Any, headers: dict[str, str], *, ends: bool = True) -> None:
    content = msgspec.json.encode(body)
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(content)).encode()),
                *((name.encode(), value.encode()) for name, value in headers.items()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": content, "more_body": not ends})
