"""A partner's side for tests: a real HTTP server that notes what it gets and answers as it is told."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Answers = Callable[[dict[str, Any]], int]


class Receiver:
    """What arrived, in order: headers and content as they came, and what the content says."""

    def __init__(self) -> None:
        self.answers: Answers = lambda said: 204
        self.headers: list[tuple[str, str]] = []
        self.got: list[dict[str, Any]] = []
        self.raw: list[tuple[dict[str, str], str]] = []
        self.address = ""

    def numbers(self, key: str | None = None) -> list[Any]:
        return [one["data"]["number"] for one in self.got if key in (None, one["key"])]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    noted = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"])).decode()
            said = json.loads(content)
            noted.raw.append((dict(self.headers), content))
            noted.got.append(said)
            self.send_response(noted.answers(said))
            for name, value in noted.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    noted.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield noted
    finally:
        server.shutdown()
        server.server_close()
