"""Fill the disk under the database while devices send, and make room again."""

import asyncio
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg

from torture.devices import Shop
from torture.result import Result, percentile
from torture.verification import verify
from torture.world import Cluster, Plant, cluster_in, scratch_directory, server_on

CYCLES, SMALL = 10, 1
MACHINES = 4
DISK = "360m"
# The first time it stays full across a checkpoint.
LONG_SECONDS, FULL_SECONDS = 45.0, 4.0
NORMAL_SECONDS = 10.0
READ_PATHS = ("/healthz", "/machine/", "/oee/count-history")


async def run(cluster: Cluster, cycles: int) -> Result:
    """Expect 503 for writes and answers for readers while it is full; all goes on when there is room, nothing is lost.

    The cluster is another one, on a file system in memory of a few hundred megabytes. That takes root.
    """
    result = Result("disk-full", cycles)
    with scratch_directory() as directory:
        try:
            with small_disk(directory / "data"), cluster_in(directory) as small:
                await _fill_and_free(small, cycles, result)
        except PermissionError as error:
            result.cycles = 0
            result.figures["could not run"] = str(error)
    return result


@contextmanager
def small_disk(directory: Path) -> Iterator[None]:
    """Mount a small file system until the block ends. Raises PermissionError where that is not allowed."""
    if os.geteuid() != 0:
        raise PermissionError("only root may mount a small file system")
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "torture", str(directory)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermissionError(f"a small file system could not be mounted ({done.stderr.strip()})")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


async def _fill_and_free(cluster: Cluster, cycles: int, result: Result) -> None:
    with cluster.connect() as connection:
        # The log of changes has to fit on the disk, with room for facts.
        for name, value in {"max_wal_size": "96MB", "min_wal_size": "64MB", "checkpoint_timeout": "30s"}.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        connection.execute("SELECT pg_reload_conf()")
    plant = cluster.plant("full", machines=MACHINES)
    reads: Counter[str] = Counter()
    refused = ended = 0
    again: list[float] = []
    with server_on(cluster) as server:
        async with Shop(server.address, plant, timeout=60) as shop:
            for device in shop.devices:
                device.pause = 0.01
            await shop.all_acknowledged_since(time.monotonic())
            for cycle in range(cycles):
                await asyncio.sleep(0.5)
                postmaster, before = cluster.pid(), shop.ledger.answers["503"]
                await asyncio.to_thread(_fill, cluster.home / "data" / "ballast")
                deadline = time.monotonic() + (FULL_SECONDS if cycle else LONG_SECONDS)
                while time.monotonic() < deadline:
                    await _read(server.address, plant, reads)
                    await asyncio.sleep(0.1)
                refused += shop.ledger.answers["503"] - before
                (cluster.home / "data" / "ballast").unlink()
                freed = time.monotonic()
                if cluster.pid() != postmaster:
                    ended += 1
                    last_words = re.findall(
                        r"^.*(?:PANIC|FATAL).*$", (cluster.home / "log").read_text(), flags=re.MULTILINE
                    )
                    result.broken.append(f"The database ended itself: {last_words[:2]}")
                    await asyncio.to_thread(cluster.start)
                await shop.all_acknowledged_since(freed)
                again.append(max(device.last_acknowledged for device in shop.devices) - freed)
        verify(result, cluster, plant, shop.ledger, server)
    damage, checked = await asyncio.to_thread(damages, cluster)
    result.figures["writes answered 503 with Retry-After"] = f"{refused:,}"
    result.figures["other errors at writing"] = str(shop.ledger.answers["wrong"] + shop.ledger.answers["no answer"])
    result.figures["reads answered while it was full"] = ", ".join(f"{n} × {kind}" for kind, n in sorted(reads.items()))
    result.figures["times the database ended itself"] = str(ended)
    result.figures["normal again in"] = f"{percentile(again, 0.5):.2f} s (median), {max(again):.2f} s (worst)"
    result.figures["damaged tables and indexes"] = f"{len(damage)} ({checked} indexes examined by amcheck)"
    result.bound(not shop.ledger.answers["no answer"], "Some writes got no answer.")
    result.bound(refused > 0, "The disk was never full for a write.")
    result.bound(set(reads) <= {"200"}, f"Reads were answered {dict(reads)}.")
    result.bound(max(again) <= NORMAL_SECONDS, f"It took {max(again):.1f} s until all was normal.")
    result.broken += damage


def _fill(ballast: Path) -> None:
    """Take all the room there is; what is given back meanwhile is not taken again."""
    with ballast.open("wb") as file:
        chunk = b"\0" * 2**16
        while chunk:
            try:
                os.write(file.fileno(), chunk)
            except OSError:
                chunk = chunk[: len(chunk) // 16]


async def _read(address: str, plant: Plant, reads: Counter[str]) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=30, headers=plant.reader) as client:
        for path in READ_PATHS:
            try:
                answer = await client.get(path)
            except httpx.TransportError as error:
                reads[repr(error)] += 1
            else:
                reads[str(answer.status_code)] += 1


def damages(cluster: Cluster) -> tuple[list[str], int]:
    """Return what is wrong (tables whose rows a scan and an index count differently, bad indexes);
    also the indexes seen.

    No index is examined when the server has no amcheck.
    """
    found: list[str] = []
    indexes: list[tuple[str]] = []
    with cluster.connect() as connection:
        for table in ("counts_counthistory", "downtime_statehistory", "core_changedspan", "ingest_quarantineditem"):
            counts = []
            for off in ("enable_seqscan", "enable_indexscan, enable_indexonlyscan, enable_bitmapscan"):
                with connection.transaction():
                    for name in off.split(", "):
                        connection.execute(f"SET LOCAL {name} = off")
                    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                    counts.append(row[0] if row else None)
            if counts[0] != counts[1]:
                found.append(f"{table}: {counts[0]} rows by index, {counts[1]} by scan.")
        if connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'").fetchone():
            connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            indexes = connection.execute(
                "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_am am ON am.oid = c.relam"
                " WHERE am.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence = 'p'"
            ).fetchall()
            for (index,) in indexes:
                try:
                    connection.execute("SELECT bt_index_check(%s::regclass, true)", [index])
                except psycopg.Error as error:
                    found.append(f"{index}: {error}")
    return found, len(indexes)
