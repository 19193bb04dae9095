"""Bound what a request's body may cost before anybody has looked at it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

# What is let pass unread after a refusal, so that a client that sends first and reads later sees the answer.
PASSED_BYTES, PASSED_SECONDS = 256 * 2**20, 10


async def let_pass(receive: Receive) -> None:
    """Read the rest of a body, within bounds, without keeping it."""
    passed = 0
    try:
        async with asyncio.timeout(PASSED_SECONDS):
            while passed <= PASSED_BYTES:
                message = await receive()
                passed += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
    except TimeoutError:
        return


class BodyLimit:
    """Answer 413 to a body that is too long, before Django spools all of it into a file of its own."""

    def __init__(self, application: Application, *, limit: int) -> None:
        self._application = application
        self._limit = limit

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if self._declared(scope) > self._limit:
            await self._refuse(receive, send)
            return
        size = 0

        async def bounded() -> dict[str, Any]:
            nonlocal size
            if size <= self._limit:
                message = await receive()
                size += len(message.get("body", b""))
                if size <= self._limit:
                    return message
            # Django drops what it has and answers nothing.
            return {"type": "http.disconnect"}

        await self._application(scope, bounded, send)
        if size > self._limit:
            await self._refuse(receive, send)

    def _declared(self, scope: dict[str, Any]) -> int:
        """Return the length that a request declares; 0 when it is none, which is for others to judge."""
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        return int(declared[:20]) if declared.isdigit() else 0

    async def _refuse(self, receive: Receive, send: Send) -> None:
        content = json.dumps({"detail": f"The body is larger than {self._limit} bytes."}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": content, "more_body": True})
        await let_pass(receive)
        await send({"type": "http.response.body"})
