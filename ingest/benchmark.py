"""Measure how many items per second one server process takes, next to what the database takes in the same run.

What is written is made beforehand and outside the measured time, on both sides: the rates are of taking, not of making.
"""

import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

TAGS = 20
# Into a bare table of three columns, into the product's own table of counts, and through the product.
COPY, UNNEST, OWN_COPY, DOOR = "raw COPY", "raw INSERT … unnest", "COPY, product's table", "POST /ingest/"
SINGLE = "raw INSERT of a row, autocommit"
BATCHES = (1, 100, 1000)
# Batch and concurrent clients of each measurement at the door.
LOADS = ((1, 1), (1, 32), (100, 1), (100, 8), (1000, 1), (1000, 4))
_STOCK_ITEMS = 20_000
_START = datetime(2021, 1, 1, tzinfo=UTC)
_OWN_COPY = "COPY counts_counthistory (tag_id, occurred_at, value, recorded_at, source) FROM STDIN (FORMAT BINARY)"
_PROJECT = Path(__file__).resolve().parent.parent

Sample = tuple[int, datetime, Decimal]
Load = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rate:
    """One line of the result."""

    what: str
    batch: int
    clients: int
    items_per_second: float


def samples(first: int, number: int) -> Iterator[Sample]:
    """Yield (tag index, moment, value): samples that nobody sent before."""
    for n in range(first, first + number):
        yield n % TAGS, _START + timedelta(milliseconds=n // TAGS * 100), Decimal(n % 7)


def measure_database(connection: psycopg.Connection[Any], *, seconds: float, report: Callable[[Rate], None]) -> None:
    """Measure raw writes into a bare table with a natural primary key, and COPY into the counts, one commit a batch."""

    def copy(rows: list[Sample]) -> None:
        with connection.cursor() as cursor, cursor.copy("COPY bench_samples FROM STDIN (FORMAT BINARY)") as stream:
            stream.set_types(["int8", "timestamptz", "numeric"])
            for row in rows:
                stream.write_row(row)
        connection.commit()

    def unnest(rows: list[Sample]) -> None:
        connection.execute(
            "INSERT INTO bench_samples SELECT * FROM unnest(%b::bigint[], %b::timestamptz[], %b::numeric[])"
            " ON CONFLICT DO NOTHING",
            [list(column) for column in zip(*rows, strict=True)],
        )
        connection.commit()

    def own_copy(rows: list[Sample]) -> None:
        with connection.cursor() as cursor, cursor.copy(_OWN_COPY) as stream:
            stream.set_types(["int8", "timestamptz", "numeric", "timestamptz", "text"])
            for row in rows:
                stream.write_row((*row, _START, "bench"))
        connection.commit()

    def single(rows: list[Sample]) -> None:
        connection.execute("INSERT INTO bench_samples VALUES (%b, %b, %b)", rows[0])
        connection.commit()

    connection.execute("DROP TABLE IF EXISTS bench_samples")
    connection.execute("CREATE TABLE bench_samples (tag bigint, at timestamptz, value numeric(24, 6))")
    connection.execute("ALTER TABLE bench_samples ADD PRIMARY KEY (tag, at)")
    writers = [(what, write, batch) for what, write in ((COPY, copy), (UNNEST, unnest)) for batch in BATCHES]
    for what, write, batch in ((SINGLE, single, 1), *writers, (OWN_COPY, own_copy, 1000)):
        connection.execute("TRUNCATE bench_samples, counts_counthistory")
        connection.commit()
        report(Rate(what, batch, 1, _items_per_second(write, batch, seconds)))
    connection.execute("TRUNCATE counts_counthistory")
    connection.execute("DROP TABLE bench_samples")
    connection.commit()


def fill(connection: psycopg.Connection[Any], rows: int, paths: list[str]) -> None:
    """Bring the table of counts to a number of rows, all older than anything that is sent."""
    connection.execute(
        """
        INSERT INTO counts_counthistory (tag_id, occurred_at, value, recorded_at, source)
        SELECT tag.id, %s::timestamptz - n / %s * interval '100 ms', n %% 7, %s::timestamptz, 'bench'
        FROM generate_series((SELECT count(*) FROM counts_counthistory), %s) AS n
        JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS number FROM counts_counttag WHERE tag_path = ANY (%s))
            AS tag ON tag.number = n %% %s
        ON CONFLICT DO NOTHING
        """,
        [_START, TAGS, _START, rows - 1, paths, TAGS],
    )
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE counts_counthistory")
    connection.execute("CHECKPOINT")
    connection.autocommit = False


def _items_per_second(write: Callable[[list[Sample]], None], batch: int, seconds: float) -> float:
    items, elapsed = 0, 0.0
    while elapsed < seconds:
        stock = [list(samples(items + n, batch)) for n in range(0, min(_STOCK_ITEMS, batch * 500), batch)]
        started = time.perf_counter()
        for rows in stock:
            write(rows)
        elapsed += time.perf_counter() - started
        items += len(stock) * batch
    return items / elapsed


@dataclass(frozen=True, slots=True)
class Order:
    """What a process of clients sends."""

    host: str
    port: int
    secret: str
    paths: list[str]
    batch: int
    clients: int
    seconds: float
    first: int


def measure_door(
    host: str,
    port: int,
    secret: str,
    paths: list[str],
    *,
    seconds: float,
    report: Callable[[Rate], None],
    loads: Sequence[Load] = LOADS,
    first: int = 0,
) -> None:
    """Measure POST /ingest/ by clients in a process of their own, so that they do not share the server's lock.

    `first` tells apart the calls of one run: no two loads with different numbers send the same sample.
    """
    for number, (batch, clients) in enumerate(loads, start=first + 1):
        # Far apart, so that no two measurements send the same sample.
        order = Order(host, port, secret, paths, batch, clients, seconds, first=number * 50_000_000)
        done = subprocess.run(
            [sys.executable, "-m", "ingest.benchmark"],
            input=json.dumps({name: getattr(order, name) for name in Order.__slots__}),
            capture_output=True,
            text=True,
            check=True,
            cwd=_PROJECT,
        )
        report(Rate(DOOR, batch, clients, float(done.stdout)))


async def send(order: Order) -> float:
    """Send batches over kept connections for a while and return the items per second that were acknowledged."""
    wires = [await asyncio.open_connection(order.host, order.port) for _ in range(order.clients)]
    numbers = itertools.count(order.first, order.batch)
    # At least a few requests for each client, so that the wait for the slowest does not count.
    requests = max(_STOCK_ITEMS // order.batch // order.clients, 10)
    if order.batch == 1:
        requests = min(requests, 200)
    items, elapsed = 0, 0.0
    while elapsed < order.seconds:
        stocks = [[_request(order, next(numbers)) for _ in range(requests)] for _ in wires]
        started = time.perf_counter()
        await asyncio.gather(*(_converse(wire, stock, order.batch) for wire, stock in zip(wires, stocks, strict=True)))
        elapsed += time.perf_counter() - started
        items += len(wires) * requests * order.batch
    for _, writer in wires:
        writer.close()
    return items / elapsed


def _request(order: Order, first: int) -> bytes:
    items = ",".join(
        f'{{"tag":"{order.paths[tag]}","at":"{at.isoformat()}","value":{value}}}'
        for tag, at, value in samples(first, order.batch)
    )
    content = f'{{"items":[{items}]}}'
    return (
        f"POST /ingest/ HTTP/1.1\r\nHost: {order.host}\r\nAuthorization: Api-Key {order.secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}"
    ).encode()


async def _converse(wire: tuple[asyncio.StreamReader, asyncio.StreamWriter], stock: list[bytes], batch: int) -> None:
    """Send each request when the one before it is answered. Raises RuntimeError unless all items were accepted."""
    reader, writer = wire
    for request in stock:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
        answer = await reader.readexactly(int(length))
        if json.loads(answer).get("accepted") != batch:
            raise RuntimeError(answer[:300].decode())


def server_process(host: str, port: int, database_url: str) -> "subprocess.Popen[bytes]":
    """Start one server process on a database of its own."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "mes_project.asgi:application"),
            *("--host", host, "--port", str(port)),
            *("--log-level", "error", "--no-access-log"),
            *("--http", "mes_project.http_protocol:ImpatientHttpProtocol"),
        ],
        cwd=_PROJECT,
        env={**os.environ, "DATABASE_URL": database_url},
    )


if __name__ == "__main__":
    print(asyncio.run(send(Order(**json.loads(sys.stdin.read())))))
