"""The device door: a small ASGI application beside Django's own, for the one address that is called all day.

Django's handler and serializers would be most of the cost of a small request. Same keys, same services; concurrent
requests share one transaction (group commit), and each is answered after that commit.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from accounts.keys import DeviceScope, device_scope, remembered_scope
from ingest.items import Unreadable, read_batch, read_one
from ingest.services import Delivery, Outcome, accept, accept_together

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Written = TypeVar("Written")

BATCH, COUNT, STATE = "/ingest", "/ingest/count", "/ingest/state"
# Requests that may wait for the database at once, and items of theirs that one transaction takes.
MAX_WAITING = 2_000
GROUP_ITEMS = 20_000

logger = logging.getLogger(__name__)


class _Answer(Exception):
    """An answer that ends the request at once."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


class DeviceDoor:
    """Answer POST /ingest/, /ingest/count and /ingest/state (with or without the slash); pass the rest on."""

    def __init__(self, otherwise: Application) -> None:
        self._otherwise = otherwise
        self._writer: _Writer | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        if path not in (BATCH, COUNT, STATE):
            await self._otherwise(scope, receive, send)
            return
        try:
            status, body = await self._serve(path, scope, receive)
            headers: dict[str, str] = {}
        except _Answer as answer:
            status, body, headers = answer.status, {"detail": answer.detail}, answer.headers
        await _respond(send, status, body, headers)

    async def _serve(self, path: str, scope: Scope, receive: Receive) -> tuple[int, Any]:
        if scope["method"] != "POST":
            raise _Answer(405, "Send a POST; the API documentation is at /api/docs/.", allow="POST")
        headers = {name.lower(): value for name, value in scope["headers"]}
        limit = settings.INGEST_MAX_BODY_BYTES
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared[:20]) > limit:
            raise _too_large(limit)
        writer = self._writer_of_this_loop()
        device = await writer.scope_of(_key(headers))
        body = await _read_body(receive, limit)
        try:
            items = read_batch(body) if path == BATCH else read_one(body)
        except Unreadable as error:
            raise _Answer(400, str(error)) from None
        outcome = await writer.write(Delivery(items, device))
        return _status(outcome), asdict(outcome)

    def _writer_of_this_loop(self) -> "_Writer":
        loop = asyncio.get_running_loop()
        if self._writer is None or self._writer.loop is not loop:
            self._writer = _Writer(loop)
        return self._writer


class _Writer:
    """Bring the deliveries that wait into the database together, one transaction after the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: list[tuple[Delivery, asyncio.Future[Outcome]]] = []
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ingest")
        self._key_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ingest-keys")

    async def scope_of(self, raw_key: str) -> DeviceScope:
        """Return what a key covers; answers 401 for one that covers nothing."""
        clock = time.monotonic()
        known, scope = remembered_scope(raw_key, clock=clock)
        if not known:
            try:
                scope = await self.loop.run_in_executor(self._key_thread, _look_up_key, raw_key, clock)
            except (OperationalError, InterfaceError):
                raise _unavailable() from None
        if scope is None:
            raise _Answer(401, "This device key is not valid.", **{"www-authenticate": "Api-Key"})
        return scope

    async def write(self, delivery: Delivery) -> Outcome:
        """Return the outcome of a delivery once it is committed; answers 503 when too many wait."""
        if len(self._waiting) >= MAX_WAITING:
            raise _unavailable()
        future: asyncio.Future[Outcome] = self.loop.create_future()
        self._waiting.append((delivery, future))
        if self._task is None or self._task.done():
            self._task = self.loop.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            group = self._next_group()
            outcomes = await self.loop.run_in_executor(self._thread, _write, [delivery for delivery, _ in group])
            for (_, future), outcome in zip(group, outcomes, strict=True):
                if future.done():
                    continue
                if isinstance(outcome, Outcome):
                    future.set_result(outcome)
                else:
                    future.set_exception(outcome)

    def _next_group(self) -> list[tuple[Delivery, asyncio.Future[Outcome]]]:
        taken, items = 0, 0
        for delivery, _ in self._waiting:
            if taken and items + len(delivery.items) > GROUP_ITEMS:
                break
            taken, items = taken + 1, items + len(delivery.items)
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group


def _look_up_key(raw_key: str, clock: float) -> DeviceScope | None:
    try:
        return device_scope(raw_key, clock=clock, now=datetime.now(UTC))
    finally:
        connection.close()


def _write(deliveries: Sequence[Delivery]) -> list[Outcome | Exception]:
    """Write a group in one transaction; if that fails, each alone, so that none fails for another's sake."""
    now = datetime.now(UTC)
    try:
        return list(_insistently(lambda: accept_together(deliveries, recorded_at=now)))
    except Exception as error:
        if len(deliveries) == 1:
            return [_failure(error)]
        return [_write_alone(delivery, now) for delivery in deliveries]


def _write_alone(delivery: Delivery, now: datetime) -> Outcome | Exception:
    try:
        return _insistently(lambda: accept(delivery, recorded_at=now))
    except Exception as error:
        return _failure(error)


def _insistently(write: Callable[[], Written]) -> Written:
    """Write once more on a new connection when this one turns out to be lost; writing twice stores once."""
    try:
        return write()
    except (OperationalError, InterfaceError):
        connection.close()
    try:
        return write()
    except (OperationalError, InterfaceError):
        connection.close()
        raise


def _failure(error: Exception) -> Exception:
    if isinstance(error, OperationalError | InterfaceError):
        return _unavailable()
    logger.error("A delivery could not be written", exc_info=error)
    return _Answer(500, "The delivery could not be written; nothing of it is stored.")


def _unavailable() -> _Answer:
    return _Answer(503, "Not stored: the database is not reachable at the moment. Send again.", **{"retry-after": "2"})


def _too_large(limit: int) -> _Answer:
    return _Answer(413, f"The body is larger than {limit} bytes; send smaller batches.", connection="close")


def _key(headers: dict[bytes, bytes]) -> str:
    scheme, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "api-key" or not key.strip():
        raise _Answer(401, "Send the device key: 'Authorization: Api-Key <key>'.", **{"www-authenticate": "Api-Key"})
    return key.strip()


async def _read_body(receive: Receive, limit: int) -> bytes:
    """Return the body, or answer 413 as soon as it is longer than allowed, whatever was declared."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Answer(400, "The request ended early.")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def _status(outcome: Outcome) -> int:
    if not outcome.refused:
        return 200
    return 207 if outcome.accepted or outcome.duplicates else 422


async def _respond(send: Send, status: int, body: Any, headers: dict[str, str]) -> None:
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
    await send({"type": "http.response.body", "body": content})
