"""HTTP for a server that anybody may connect to: uvicorn's own protocol, with an end to its patience.

uvicorn waits for ever for the rest of a request, and keeps as many headers as are sent. A connection whose request
trickles in costs memory and a descriptor for as long as its sender likes; a few hundred of them are a cheap attack, and
a few devices behind a broken switch look the same.
"""

import asyncio
from enum import Enum

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# A request's line and headers have this long to arrive, and this much room.
HEAD_SECONDS = 15.0
HEAD_BYTES = 64 * 2**10
# A body has this long, and longer while it comes faster than the slowest line that a device should have.
BODY_SECONDS = 30.0
BODY_BYTES_PER_SECOND = 8 * 2**10


class _Awaited(Enum):
    """What the next bytes of a connection belong to."""

    REQUEST = "a request that has not begun"
    HEAD = "a head"
    BODY = "a body"


class ImpatientHttpProtocol(HttpToolsProtocol):
    """Close a connection whose request does not arrive in time or whose head is too long."""

    _deadline: asyncio.TimerHandle | None = None
    _awaited = _Awaited.HEAD
    _head_bytes = 0
    _body_bytes = 0
    _body_began = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._awaited is _Awaited.REQUEST:
            # Blank lines too: uvicorn takes them for a sign of life.
            self._expect_head()
        super().data_received(data)
        if self._awaited is _Awaited.HEAD:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._awaited is not _Awaited.HEAD:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._awaited, self._body_bytes, self._body_began = _Awaited.BODY, 0, self.loop.time()
        self._expect_by(self._body_began + BODY_SECONDS)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._awaited = _Awaited.REQUEST
        self._expect_nothing()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        # What follows is the socket's business, which has pings for the same purpose.
        self._expect_nothing()
        super().handle_websocket_upgrade()

    def _expect_head(self) -> None:
        self._awaited, self._head_bytes = _Awaited.HEAD, 0
        self._expect_by(self.loop.time() + HEAD_SECONDS)

    def _expect_by(self, moment: float) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_at(moment, self._lose_patience)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _lose_patience(self) -> None:
        self._deadline = None
        if self._awaited is _Awaited.HEAD:
            self._refuse(b"408 Request Timeout")
            return
        now = self.loop.time()
        allowed_until = self._body_began + BODY_SECONDS + self._body_bytes / BODY_BYTES_PER_SECOND
        if self.flow.read_paused:
            # It is us who do not read; that is not held against the sender.
            self._expect_by(now + BODY_SECONDS)
        elif now < allowed_until:
            self._expect_by(allowed_until)
        else:
            self.transport.abort()

    def _refuse(self, status: bytes) -> None:
        self._expect_nothing()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            # Nobody else is writing an answer on this connection.
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
