"""Measure screens on a plant with a long history, in a scratch database; print each figure beside its target.

`python -m screen_bench [--days 365] [--lines 20] [--small]`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NAME = "mes_bench_screens"
PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    days: int
    lines: int
    requests: int
    sockets: tuple[int, ...]
    posts: int
    paints: int
    line_updates: int | None
    tile_updates: int


WHOLE = Extent(365, 20, 10, (1, 50, 200), 60, 3, None, 24 * 60)
SMALL = Extent(4, 2, 3, (1, 20), 6, 1, 2000, 400)
Say = Callable[[str], None]


def main() -> None:
    """Obey the command line: make the database, measure in a process of its own, drop the database."""
    parser = argparse.ArgumentParser(prog="python -m screen_bench", description=__doc__)
    parser.add_argument("--days", type=int)
    parser.add_argument("--lines", type=int)
    parser.add_argument("--requests", type=int, help="for each page, beside two that warm up")
    parser.add_argument("--small", action="store_true", help="a few days of two lines, in about a minute")
    parser.add_argument("--only", choices=list(PARTS), nargs="+", default=list(PARTS))
    parser.add_argument("--keep", action="store_true", help="leave the scratch database for a look afterwards")
    asked = parser.parse_args()
    extent = SMALL if asked.small else WHOLE
    given = asdict(extent) | {name: value for name in ("days", "lines", "requests") if (value := getattr(asked, name))}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mes_project.settings")
    if not os.environ.get("DATABASE_URL"):
        from core import embedded_postgres

        embedded_postgres.ensure_running()
    import django

    django.setup()
    from django.conf import settings

    from core import scratch
    from tests import template_database

    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()},"
        f" Python {platform.python_version()}, load before: {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    # A template is copied only while nobody is connected to it.
    settings.DATABASES["default"]["OPTIONS"]["pool"] = False
    # Migrating takes longer than a small run; what it left is kept for the next one.
    template_database.ensure(f"{NAME}_template")
    address = scratch.recreate(NAME, template=f"{NAME}_template")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "screen_bench", "--measure", address, json.dumps([given, asked.only])],
        env={**os.environ, "DATABASE_URL": address},
        cwd=PROJECT,
        check=False,
    )
    if not asked.keep:
        scratch.drop(NAME)
    sys.exit(done.returncode)


def _measure(address: str, extent: Extent, parts: list[str]) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from core import scratch
    from oee.benchmark import vacuum
    from screen_bench.pages import Server
    from screen_bench.plant import Factory

    call_command("collectstatic", interactive=False, verbosity=0)
    started = time.perf_counter()
    factory = Factory(extent.days, extent.lines)
    vacuum()
    _say(
        f"{extent.lines} lines (one of ten machines), {extent.days} days, {factory.facts:,} facts,"
        f" {factory.closings:,} signed shifts: made in {time.perf_counter() - started:,.0f} s"
    )
    server, port = scratch.serve(address)
    try:
        for part in parts:
            PARTS[part](factory, extent, Server(port, server.pid), _say)
    finally:
        server.terminate()
        server.wait()


def server_times(factory: Any, extent: Extent, server: Any, say: Say) -> None:
    """Print what each page costs the server."""
    from screen_bench.pages import QUERIES, SERVER_MS, costs

    say(f"\nPages on the server, {extent.requests} requests each; targets: {SERVER_MS:.0f} ms, {QUERIES} queries")
    say(f"  {'page':<48}{'p50 ms':>8}{'p95 ms':>8}{'cpu ms':>8}{'queries':>8}{'kB':>8}  missed")
    missed = asked = 0
    for cost in costs(factory.pages(), server, factory.session(), times=extent.requests):
        asked += 1
        missed += bool(cost.missed)
        said = f"{cost.status}!" if cost.status >= 400 else ", ".join(cost.missed)
        say(
            f"  {cost.page.name:<48}{cost.p50:>8,.0f}{cost.p95:>8,.0f}{cost.processor:>8,.0f}{cost.queries:>8}{cost.kilobytes:>8,.0f}  {said}"
        )
    say(f"  {asked - missed} of {asked} pages reach both targets")


def socket_delays(factory: Any, extent: Extent, server: Any, say: Say) -> None:
    """Print how long it takes from a POST to many sockets."""
    from screen_bench.sockets import UNLOADED_MS, delay

    say(f"\nFrom a POST to the sockets of the overview, {extent.posts} posts; target: p99 {UNLOADED_MS:.0f} ms")
    for sockets in extent.sockets:
        found = delay(
            _door(factory, server.port), "/ws/overview/", factory.session(), sockets=sockets, posts=extent.posts
        )
        said = f"  missed: > {UNLOADED_MS:.0f} ms" if found.p99 > UNLOADED_MS else ""
        say(
            f"  {sockets:>4} sockets: p50 {found.p50:,.0f} ms, p99 {found.p99:,.0f} ms, {found.overtaken} overtaken by a newer one{said}"
        )


def browsers(factory: Any, extent: Extent, server: Any, say: Say) -> None:
    """Print what a browser sees."""
    from screen_bench.browser import FIRST_PAINT_MS, main_pages, person_at

    # Playwright's loop runs in this thread while a browser is open: the database is read before.
    pages, door, session = main_pages(factory.pages()), _door(factory, server.port), factory.session()
    with person_at(server.port, session) as person:
        say(f"\nFirst contentful paint in Chromium, median of {extent.paints}; target: {FIRST_PAINT_MS:,.0f} ms")
        for page in pages:
            cold, warm = person.first_paint(page, times=extent.paints)
            said = "  missed" if cold > FIRST_PAINT_MS else ""
            say(f"  {page.name:<48}{cold:>8,.0f} ms, {warm:>6,.0f} ms when seen before{said}")
        median, most = person.painted(door, posts=extent.posts // 3)
        say(f"\nFrom a POST to the paint of the overview in Chromium: median {median:,.0f} ms, at most {most:,.0f} ms")


def days_open(factory: Any, extent: Extent, server: Any, say: Say) -> None:
    """Print what pages hold after a day."""
    from screen_bench.browser import HEAP_GROWTH, HEAP_SLACK_KB, person_at

    board = next(page for page in factory.pages() if page.name == "dashboard 'supervisor'")
    say(
        f"\nA page left open for a day: heap after a collection, after its first updates and at the end;"
        f"\nflat = at most {HEAP_GROWTH:.0%} or {HEAP_SLACK_KB:.0f} kB more, and 10% more nodes"
    )
    session = factory.session()
    with person_at(server.port, session) as person:
        for day in (
            person.day_of_lines(updates=extent.line_updates),
            person.day_of_tiles(board, updates=extent.tile_updates),
        ):
            say(
                f"  {day.name:<24}{day.updates:>8,} updates: {day.early.kilobytes:,.0f} → {day.end.kilobytes:,.0f} kB,"
                f" {day.early.nodes:,} → {day.end.nodes:,} nodes,"
                f" {day.early.listeners:,} → {day.end.listeners:,} listeners  {'flat' if day.is_flat else 'missed: grows'}"
            )


PARTS = {"pages": server_times, "sockets": socket_delays, "browser": browsers, "day": days_open}


def _door(factory: Any, port: int) -> Any:
    from screen_bench.sockets import Door

    return Door(port, factory.device_key(), factory.plant.machines[-1].code)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        given, chosen = json.loads(sys.argv[3])
        _measure(sys.argv[2], Extent(**given | {"sockets": tuple(given["sockets"])}), chosen)
    else:
        main()
