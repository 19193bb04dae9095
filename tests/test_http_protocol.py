"""What a server does with requests that do not arrive."""

import asyncio
import itertools
from contextlib import asynccontextmanager

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from core.request_bodies import BodyLimit
from mes_project import http_protocol
from mes_project.http_protocol import ImpatientHttpProtocol

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch):
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(http_protocol, "BODY_SECONDS", 0.3)


async def echo(scope, receive, send):
    """Answer with the length of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message.get("more_body")
    content = str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(content))]})
    await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def connection(application=echo):
    """Serve, and connect; the server ends with the block."""
    config = Config(application, http=ImpatientHttpProtocol, log_config=None)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ImpatientHttpProtocol(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()
        await asyncio.gather(*state.tasks)


async def trickled(parts, *, first=b""):
    """Send parts, one every 50 ms, until the server closes; return all that it said."""
    async with connection() as (reader, writer):
        writer.write(first)
        answer = asyncio.create_task(reader.read())
        for part in parts:
            writer.write(part)
            done, _ = await asyncio.wait({answer}, timeout=0.05)
            if done:
                return b"" if isinstance(answer.exception(), ConnectionResetError) else answer.result()
        answer.cancel()
        raise AssertionError("The connection is still open.")


def drops(letter):
    return itertools.repeat(letter, 100)


async def test_head_that_trickles_in_is_a_408():
    assert (await trickled(drops(b"x"), first=HEAD)).startswith(b"HTTP/1.1 408 ")


async def test_silence_is_a_408():
    assert (await trickled(drops(b""))).startswith(b"HTTP/1.1 408 ")


async def test_blank_lines_after_a_request_are_no_sign_of_life():
    request = HEAD + b"Content-Length: 1\r\n\r\n1"
    assert b" 408 " in await trickled(drops(b"\r\n"), first=request)


async def test_body_that_trickles_in_is_cut_off():
    assert await trickled(drops(b"x"), first=HEAD + b"Content-Length: 1000\r\n\r\n") == b""


async def test_body_that_keeps_coming_is_waited_for(monkeypatch):
    monkeypatch.setattr(http_protocol, "BODY_BYTES_PER_SECOND", 100)
    async with connection() as (reader, writer):
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\n")
        for _ in range(10):
            writer.write(b"x" * 100)
            await asyncio.sleep(0.05)
        assert await reader.readuntil(b"1000") == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n1000"


async def test_sender_is_not_blamed_for_a_reader_that_is_slow():
    async def slow(scope, receive, send):
        await asyncio.sleep(0.7)
        await echo(scope, receive, send)

    async with connection(slow) as (reader, writer):
        writer.write(HEAD + b"Content-Length: 200000\r\n\r\n" + b"x" * 200_000)
        assert (await reader.readuntil(b"200000")).startswith(b"HTTP/1.1 200 ")


async def test_each_request_of_a_connection_is_given_its_own_time():
    async with connection() as (reader, writer):
        for _ in range(4):
            await asyncio.sleep(0.15)
            writer.write(HEAD + b"Content-Length: 1\r\n\r\n1")
            assert (await reader.readuntil(b"\r\n\r\n1")).startswith(b"HTTP/1.1 200 ")


async def test_endless_head_is_a_431(monkeypatch):
    monkeypatch.setattr(http_protocol, "HEAD_BYTES", 1000)
    answer = await trickled(drops(b"X-More: " + b"y" * 4000 + b"\r\n"), first=HEAD)
    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("head", [b"Content-Length: 1000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n"])
async def test_body_beyond_the_limit_is_a_413_that_the_client_gets_to_read(head):
    async with connection(BodyLimit(echo, limit=999)) as (reader, writer):
        writer.write(HEAD + head + b"x" * 1000 + (b"\r\n0\r\n\r\n" if b"chunked" in head else b""))
        said = await reader.read()
        assert said.startswith(b"HTTP/1.1 413 ")
        assert said.endswith(b'"The body is larger than 999 bytes."}')


async def test_body_within_the_limit_is_passed_on():
    async with connection(BodyLimit(echo, limit=1000)) as (reader, writer):
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000)
        assert (await reader.readuntil(b"1000")).startswith(b"HTTP/1.1 200 ")
