"""Measure how many items per second one server process takes, next to what the database takes in the same run."""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg

TAGS = 20
_START = datetime(2021, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rate:
    """One line of the result."""

    what: str
    batch: int
    clients: int
    items_per_second: float


def samples(first: int, number: int) -> Iterator[tuple[int, datetime, Decimal]]:
    """Yield (tag index, moment, value): samples that nobody sent before."""
    for n in range(first, first + number):
        yield n % TAGS, _START + timedelta(milliseconds=n // TAGS * 100), Decimal(n % 7)


def measure_database(connection: psycopg.Connection[Any], *, seconds: float, report: Callable[[Rate], None]) -> None:
    """Measure raw COPY and raw INSERT … unnest into a bare table with a natural primary key, one commit a batch."""
    table = "bench_samples"
    connection.execute(f"DROP TABLE IF EXISTS {table}")
    connection.execute(
        f"CREATE TABLE {table} (tag bigint, at timestamptz, value numeric(24, 6), PRIMARY KEY (tag, at))"
    )
    connection.commit()
    numbers = itertools.count()

    def copy(batch: int) -> None:
        rows = list(samples(next(numbers) * batch, batch))
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as stream:
            stream.set_types(["int8", "timestamptz", "numeric"])
            for row in rows:
                stream.write_row(row)
        connection.commit()

    def unnest(batch: int) -> None:
        rows = list(samples(next(numbers) * batch, batch))
        connection.execute(
            f"INSERT INTO {table} SELECT * FROM unnest(%b::bigint[], %b::timestamptz[], %b::numeric[])"
            " ON CONFLICT DO NOTHING",
            [list(column) for column in zip(*rows, strict=True)],
        )
        connection.commit()

    for what, write in (("raw COPY, binary", copy), ("raw INSERT … unnest", unnest)):
        for batch in (1, 100, 1000):
            connection.execute(f"TRUNCATE {table}")
            connection.commit()
            report(Rate(what, batch, 1, _per_second(lambda b=batch, w=write: w(b), batch, seconds)))  # type: ignore[misc]
    connection.execute(f"DROP TABLE {table}")
    connection.commit()


def measure_door(
    address: str, secret: str, paths: list[str], *, seconds: float, report: Callable[[Rate], None]
) -> None:
    """Measure POST /ingest/ by clients in a process of their own, so that they do not share the server's lock."""
    first = 0
    for batch, clients in ((1, 1), (1, 32), (100, 1), (100, 8), (1000, 1), (1000, 4)):
        # Far apart, so that no two measurements send the same sample.
        first += 50_000_000
        done = subprocess.run(
            [sys.executable, "-m", "ingest.benchmark"],
            input=json.dumps(
                {
                    "address": address,
                    "secret": secret,
                    "paths": paths,
                    "batch": batch,
                    "clients": clients,
                    "seconds": seconds,
                    "first": first,
                }
            ),
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).resolve().parent.parent,
        )
        report(Rate("POST /ingest/", batch, clients, float(done.stdout)))


def send(order: dict[str, Any]) -> float:
    """Send batches from threads for a while and return the items per second that were acknowledged."""
    blocks = itertools.count()
    acknowledged: list[int] = []
    stop_at = time.perf_counter() + order["seconds"]

    def client() -> None:
        with httpx.Client(headers={"Authorization": f"Api-Key {order['secret']}"}, timeout=60) as http:
            while time.perf_counter() < stop_at:
                begin = order["first"] + next(blocks) * order["batch"]
                items = ",".join(
                    f'{{"tag":"{order["paths"][tag]}","at":"{at.isoformat()}","value":{value}}}'
                    for tag, at, value in samples(begin, order["batch"])
                )
                answer = http.post(f"{order['address']}/ingest/", content=f'{{"items":[{items}]}}')
                if answer.json().get("accepted") != order["batch"]:
                    raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")
                acknowledged.append(order["batch"])

    started = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(order["clients"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(acknowledged) / (time.perf_counter() - started)


def _per_second(write: Callable[[], None], batch: int, seconds: float) -> float:
    write()
    started, items = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        write()
        items += batch
    return items / (time.perf_counter() - started)


def server_process(port: int, database_url: str) -> "subprocess.Popen[bytes]":
    """Start one server process on a database of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "mes_project.asgi:application", "--port", str(port), "--log-level", "error"],
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, "DATABASE_URL": database_url},
    )


if __name__ == "__main__":
    print(send(json.loads(sys.stdin.read())))
