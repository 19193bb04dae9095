"""Send bodies of 100 MB, declared and in chunks, with a key and without."""

import asyncio
from collections.abc import AsyncIterator

import httpx

from torture.devices import Shop
from torture.result import Result
from torture.verification import verify
from torture.world import Cluster, Plant, Server, scratch_directory, server_on

CYCLES, SMALL = 10, 1
MEBIBYTE = 2**20
SIZE = 100
MOST_MEMORY = 20.0
# Pages take uploads: what is longer than the limit of a page may lie in a file until the limit is met.
MOST_SPOOLED = 10.0


async def run(cluster: Cluster, cycles: int) -> Result:
    """Expect 413 each time, hardly more memory at the peak, and no file anywhere; devices go on meanwhile."""
    result = Result("large-body", cycles)
    plant = cluster.plant("large", machines=2)
    answers: list[int] = []
    files: dict[str, int] = {}
    with scratch_directory() as directory, server_on(cluster, TMPDIR=str(directory)) as server:
        known = server.open_files()
        async with Shop(server.address, plant) as shop:
            for device in shop.devices:
                device.pause = 0.02
            await asyncio.sleep(2)
            before = server.memory()
            server.forget_peak()
            watching = asyncio.create_task(_watch(server, files))
            async with httpx.AsyncClient(base_url=server.address, timeout=60) as client:
                for _ in range(cycles):
                    answers += await _send_everywhere(client, plant, ("/ingest/", "/ingest/count"))
                written_by_door = files.keys() - known.keys()
                for _ in range(cycles):
                    answers += await _send_everywhere(client, plant, ("/login/", "/machine/"))
            peak = server.memory("VmHWM")
            watching.cancel()
        verify(result, cluster, plant, shop.ledger, server)
    result.bound(not shop.ledger.called_stored_before, "New items were called duplicates.")
    largest = max((size for name, size in files.items() if name not in known), default=0) / MEBIBYTE
    result.figures["bodies of 100 MiB"] = str(len(answers))
    result.figures["answered 413"] = str(answers.count(413))
    result.figures["memory at the peak"] = f"{peak - before:+.1f} MiB upon {before:.0f} MiB"
    result.figures["files written by the device door"] = str(len(written_by_door))
    result.figures["largest file that a page spooled"] = f"{largest:.1f} MiB"
    result.bound(set(answers) == {413}, f"Answers were {sorted(set(answers))}.")
    result.bound(peak - before <= MOST_MEMORY, f"Memory grew by {peak - before:.0f} MiB.")
    result.bound(not written_by_door, f"Files were written: {sorted(written_by_door)[:5]}")
    result.bound(largest <= MOST_SPOOLED, f"A page spooled {largest:.0f} MiB.")
    return result


async def _send_everywhere(client: httpx.AsyncClient, plant: Plant, paths: tuple[str, ...]) -> list[int]:
    """Send to each address, with a key and without, declared and in chunks; return the answers."""
    answers = []
    for path in paths:
        for key in ({}, plant.sender):
            for length in ({}, {"Content-Length": str(SIZE * MEBIBYTE)}):
                answer = await client.post(path, content=_megabytes(), headers={**key, **length})
                answers.append(answer.status_code)
    return answers


async def _megabytes() -> AsyncIterator[bytes]:
    for _ in range(SIZE):
        yield b" " * MEBIBYTE


async def _watch(server: Server, files: dict[str, int]) -> None:
    while True:
        for name, size in server.open_files().items():
            files[name] = max(size, files.get(name, 0))
        await asyncio.sleep(0.005)
