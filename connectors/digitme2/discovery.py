"""Tell tablets that look for their server where it is: one datagram asks, one answers."""

import asyncio
from typing import cast

REQUEST = b"DISCOVER_OEE_SERVER_REQUEST"
RESPONSE = "DISCOVER_OEE_SERVER_RESPONSE"
PORT = 8090


class Discovery(asyncio.DatagramProtocol):
    """Answer each request, and nothing else. `server_port=None` answers as old versions did, without a port."""

    def __init__(self, server_port: int | None) -> None:
        self._answer = (RESPONSE if server_port is None else f"{RESPONSE}:{server_port}").encode()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and data.strip(b"\0 \r\n") == REQUEST:
            self._transport.sendto(self._answer, addr)


async def answer(*, host: str, port: int, server_port: int | None) -> None:
    """Answer until cancelled."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Discovery(server_port), local_addr=(host, port))
    try:
        await asyncio.Event().wait()
    finally:
        transport.close()
