"""What pages cost the server: the time of an answer over HTTP, and the statements that the database got for it."""

import http.client
import os
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from screen_bench.plant import Asked

SERVER_MS, QUERIES = 100.0, 20
TIMELINE_MS, TIMELINE_KB = 300.0, 300.0
_WARM_UP = 2


@dataclass(frozen=True, slots=True)
class Server:
    """The server process that is asked."""

    port: int
    pid: int

    def processor_ms(self) -> float:
        """Return the milliseconds that it has used of the processor so far: what a busy machine does not lengthen."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a page cost: milliseconds of waiting, milliseconds of the server's processor (the database's are not in it),
    statements, and kilobytes before compression.
    """

    page: Asked
    status: int
    p50: float
    p95: float
    processor: float
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


def costs(pages: Iterable[Asked], server: Server, session: str, *, times: int) -> Iterator[Cost]:
    """Ask for each page so many times over one connection each, and once in this process to count its statements."""
    from django.conf import settings

    cookie = f"{settings.SESSION_COOKIE_NAME}={session}"
    for page in pages:
        # The server hangs up on who is silent for long, as this process is while it counts statements.
        wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        spent, status, size = [], 0, 0
        used = 0.0
        for number in range(_WARM_UP + times):
            if number == _WARM_UP:
                used = server.processor_ms()
            started = time.perf_counter()
            wire.request("GET", page.address, headers={"Cookie": cookie})
            answer = wire.getresponse()
            size, status = len(answer.read()), answer.status
            if number >= _WARM_UP:
                spent.append((time.perf_counter() - started) * 1000)
            if status >= 400:
                break
        wire.close()
        used = (server.processor_ms() - used) / times if spent else 0.0
        spent = sorted(spent) or [0.0]
        p95 = spent[max(0, round(0.95 * len(spent)) - 1)]
        yield Cost(page, status, statistics.median(spent), p95, used, statements(page, cookie)[1], size / 1000)


def statements(page: Asked, cookie: str) -> tuple[int, int]:
    """Return the status with which this process answers for a page,
    and how many statements the database gets for it.
    """
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(raise_request_exception=False, SERVER_NAME="localhost", headers={"cookie": cookie})
    # Master data is kept between requests: what counts is what each further one costs.
    client.get(page.address)
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(page.address)
        for _ in answer if answer.streaming else ():
            pass
    return answer.status_code, len(caught)
