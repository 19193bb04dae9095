"""Give each request a name that its answer, its errors and its lines of the log share (`X-Request-ID`)."""

import logging
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from core.request_bodies import Application, Receive, Send

HEADER = b"x-request-id"
_SANE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Return the id of the request that is being answered; "" outside of any."""
    return _current.get()


class RequestIds:
    """Take the id that a caller gives its request, where it is a plain one of at most 64 characters, else make one."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        given = next((value for name, value in scope["headers"] if name == HEADER), b"")
        own = given if _SANE.fullmatch(given) else uuid4().hex.encode()
        token = _current.set(own.decode())
        try:
            await self._application(scope, receive, _naming(send, own))
        finally:
            _current.reset(token)


def _naming(send: Send, own: bytes) -> Callable[[dict[str, Any]], Awaitable[None]]:
    async def named(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (HEADER, own)]}
        await send(message)

    return named


class RequestIdFilter(logging.Filter):
    """Let each line of the log name the request that it belongs to; "-" = none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current() or "-"
        return True
