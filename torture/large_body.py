"""Send bodies of 100 MB, declared and in chunks, with a key and without."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from torture.devices import Shop
from torture.result import Result
from torture.verification import verify
from torture.world import Cluster, Server, scratch_directory, server_on

CYCLES, SMALL = 10, 1
MEBIBYTE = 2**20
SIZE = 100
MOST_MEMORY = 20.0


async def run(cluster: Cluster, cycles: int) -> Result:
    """Expect 413 each time, hardly more memory at the peak, and no file anywhere; devices go on meanwhile."""
    result = Result("large-body", cycles)
    plant = cluster.plant("large", machines=2)
    answers: list[int] = []
    files: set[str] = set()
    with scratch_directory() as directory, server_on(cluster, TMPDIR=str(directory)) as server:
        known = set(server.open_files())
        async with Shop(server.address, plant) as shop:
            for device in shop.devices:
                device.pause = 0.02
            await asyncio.sleep(2)
            before = server.memory()
            server.forget_peak()
            watching = asyncio.create_task(_watch(server, directory, files))
            async with httpx.AsyncClient(base_url=server.address, timeout=60) as client:
                for _ in range(cycles):
                    for headers in ({}, plant.sender):
                        for length in ({}, {"Content-Length": str(SIZE * MEBIBYTE)}):
                            for path in ("/ingest/", "/ingest/count", "/login/"):
                                answer = await client.post(path, content=_megabytes(), headers={**headers, **length})
                                # Django's own pages need no bodies of this size either; what they answer is theirs.
                                if path != "/login/":
                                    answers.append(answer.status_code)
            peak = server.memory("VmHWM")
            watching.cancel()
        verify(result, cluster, plant, shop.ledger, server)
    result.figures["bodies of 100 MiB"] = str(len(answers))
    result.figures["answered 413"] = str(answers.count(413))
    result.figures["memory at the peak"] = f"{peak - before:+.1f} MiB upon {before:.0f} MiB"
    result.figures["files written"] = str(len(files - known))
    result.bound(set(answers) == {413}, f"Answers were {sorted(set(answers))}.")
    result.bound(peak - before <= MOST_MEMORY, f"Memory grew by {peak - before:.0f} MiB.")
    result.bound(not files - known, f"Files were written: {sorted(files - known)[:5]}")
    return result


async def _megabytes() -> AsyncIterator[bytes]:
    for _ in range(SIZE):
        yield b" " * MEBIBYTE


async def _watch(server: Server, directory: Path, files: set[str]) -> None:
    while True:
        files.update(server.open_files())
        files.update(str(path) for path in directory.iterdir())
        await asyncio.sleep(0.02)
