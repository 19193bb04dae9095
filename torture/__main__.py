"""Run scenarios one after the other, print the table, and fail when one of them does."""

import argparse
import asyncio
import os
import platform
import signal
import sys
import time
from datetime import UTC, datetime
from types import ModuleType

import httpx
import psycopg

from torture import (
    broker,
    clock_jumps,
    database_restart,
    disk_full,
    flood,
    hostile,
    large_body,
    redis_restart,
    server_kill,
    slow_clients,
)
from torture.result import Result, table
from torture.world import cluster_in, scratch_directory

SCENARIOS: dict[str, ModuleType] = {
    "server-kill": server_kill,
    "database-restart": database_restart,
    "redis-restart": redis_restart,
    "disk-full": disk_full,
    "clock-jumps": clock_jumps,
    "hostile": hostile,
    "large-body": large_body,
    "slow-clients": slow_clients,
    "flood": flood,
    "broker": broker,
}


def main() -> None:
    """Obey the command line; exit 1 when something was lost, counted twice or out of bounds."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"some of {', '.join(SCENARIOS)}; none = all")
    parser.add_argument("--cycles", type=int, help="how often; each scenario has its own number otherwise")
    parser.add_argument("--small", action="store_true", help="as few cycles as a test on every change can afford")
    asked = parser.parse_args()
    if unknown := set(asked.scenarios) - set(SCENARIOS):
        parser.error(f"There is no scenario {', '.join(sorted(unknown))}.")
    # So that an end from outside also ends the cluster and the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results: list[Result] = []
    with scratch_directory() as directory, cluster_in(directory) as cluster:
        for name in asked.scenarios or SCENARIOS:
            scenario = SCENARIOS[name]
            started = time.monotonic()
            cycles = asked.cycles or (scenario.SMALL if asked.small else scenario.CYCLES)
            try:
                # The one before may have left it as it was.
                cluster.start()
                result: Result = asyncio.run(scenario.run(cluster, cycles))
            except (RuntimeError, OSError, httpx.HTTPError, psycopg.Error) as error:
                result = Result(name, 0, broken=[f"It could not be brought to its end: {error!r}"])
            result.figures["took"] = f"{time.monotonic() - started:.0f} s"
            results.append(result)
            print(table([result]).splitlines()[-1], flush=True)
            for broken in result.broken:
                print(f"  {name}: {broken}", flush=True)
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}")
    print(table(results))
    sys.exit(any(result.has_failed for result in results))


if __name__ == "__main__":
    main()
