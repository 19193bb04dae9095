"""What pages cost the server: the time of an answer over HTTP, and the statements that the database got for it."""

import http.client
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from screen_bench.plant import Asked

SERVER_MS, QUERIES = 100.0, 20
TIMELINE_MS, TIMELINE_KB = 300.0, 300.0
_WARM_UP = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """What a page cost: milliseconds, statements, and kilobytes before compression."""

    page: Asked
    status: int
    p50: float
    p95: float
    queries: int
    kilobytes: float

    @property
    def missed(self) -> list[str]:
        """The targets that it missed."""
        most = TIMELINE_MS if "30d" in self.page.name else SERVER_MS
        found = [f"p95 {self.p95:,.0f} > {most:.0f} ms"] if self.p95 > most else []
        if "30d" in self.page.name and self.kilobytes > TIMELINE_KB:
            found.append(f"> {TIMELINE_KB:.0f} kB")
        return found + ([f"> {QUERIES} queries"] if self.queries > QUERIES else [])


def costs(pages: Iterable[Asked], port: int, session: str, *, times: int) -> Iterator[Cost]:
    """Ask for each page so many times over one connection, and once in this process to count its statements."""
    from django.conf import settings

    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    cookie = f"{settings.SESSION_COOKIE_NAME}={session}"
    for page in pages:
        spent, status, size = [], 0, 0
        for number in range(_WARM_UP + times):
            started = time.perf_counter()
            wire.request("GET", page.address, headers={"Cookie": cookie})
            answer = wire.getresponse()
            size, status = len(answer.read()), answer.status
            if number >= _WARM_UP:
                spent.append((time.perf_counter() - started) * 1000)
            if status >= 400:
                break
        spent = sorted(spent) or [0.0]
        p95 = spent[max(0, round(0.95 * len(spent)) - 1)]
        yield Cost(page, status, statistics.median(spent), p95, _queries(page, cookie), size / 1000)


def _queries(page: Asked, cookie: str) -> int:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(raise_request_exception=False, SERVER_NAME="localhost", headers={"cookie": cookie})
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(page.address)
        for _ in answer if answer.streaming else ():
            pass
    return len(caught)
