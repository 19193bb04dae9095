"""Measure ingestion in a scratch database, against the database's own limit in the same run."""

import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils import timezone
from psycopg import sql

from ingest.benchmark import (
    COPY,
    DOOR,
    LOADS,
    OWN_COPY,
    SINGLE,
    TAGS,
    UNNEST,
    Rate,
    fill,
    measure_database,
    measure_door,
    server_process,
)

SCRATCH = "mes_bench"
# How often the load on one size of the table is measured: the median counts.
_TURNS = 3
HOST = "127.0.0.1"
_PREPARE = f"""
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from accounts.models import DeviceKey
from counts.models import CountTag, CountType
from enterprise.models import Area, Enterprise, Line, Machine, Site
site = Site.objects.create(code="bench", name="Bench", enterprise=Enterprise.objects.create(code="b", name="B"))
line = Line.objects.create(code="bench", name="Bench", area=Area.objects.create(code="bench", name="Bench", site=site))
machine = Machine.objects.create(code="bench", name="Bench", line=line, is_constraint=True)
good = CountType.objects.create(code="good", name="Good", role="good")
for n in range({TAGS}):
    CountTag.objects.create(tag_path=f"bench/{{n}}", machine=machine, count_type=good)
print(DeviceKey.objects.create_key(name="bench", line=line)[1])
"""


class Command(BaseCommand):
    """Print a table of rates and their ratios to raw COPY."""

    help = "Measure items per second over HTTP by one process, next to raw COPY and raw INSERT in the same run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=5.0, help="How long each line is measured.")
        parser.add_argument(
            "--rows",
            type=int,
            nargs="*",
            default=[10**4, 10**6, 10**7],
            help="Sizes of the table of counts to compare.",
        )

    def handle(self, *args: Any, seconds: float, rows: list[int], **options: Any) -> None:
        rates: list[Rate] = []

        def report(rate: Rate) -> None:
            rates.append(rate)
            self.stdout.write(
                f"  {rate.what:<31} batch {rate.batch:>5}  clients {rate.clients:>2}  {rate.items_per_second:>10,.0f}/s"
            )

        self._recreate()
        address = self._scratch_url()
        secret = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _PREPARE],
            env={**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "mes_project.settings"},
            capture_output=True,
            text=True,
            check=True,
            cwd=settings.BASE_DIR,
        ).stdout.strip()
        self.stdout.write(
            f"{timezone.now():%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
        )
        with psycopg.connect(address) as raw:
            measure_database(raw, seconds=seconds, report=report)
        port = _free_port()
        server = server_process(HOST, port, address)
        try:
            self._await(f"http://{HOST}:{port}")
            paths = [f"bench/{n}" for n in range(TAGS)]
            measure_door(HOST, port, secret, paths, seconds=seconds, report=report)
            self._ratios(rates)
            with psycopg.connect(address) as raw:
                self._sizes(
                    raw,
                    rows,
                    lambda first: measure_door(
                        HOST, port, secret, paths, seconds=seconds, report=report, loads=[(1000, 1)], first=first
                    ),
                    paths,
                    rates,
                )
        finally:
            server.terminate()
            server.wait()
        self._drop()

    def _sizes(
        self,
        raw: "psycopg.Connection[Any]",
        sizes: list[int],
        measure: Callable[[int], None],
        paths: list[str],
        rates: list[Rate],
    ) -> None:
        """Measure the same load on a table of each size."""
        if not sizes:
            return
        self.stdout.write("Batches of 1,000 by one client when the table of counts holds")
        raw.execute("TRUNCATE counts_counthistory")
        raw.commit()
        costs = []
        for number, size in enumerate(sizes):
            fill(raw, size, paths)
            for turn in range(_TURNS):
                measure(len(LOADS) + number * _TURNS + turn)
            costs.append(10**6 / median(rate.items_per_second for rate in rates[-_TURNS:]))
            self.stdout.write(
                f"  {size:>12,} rows: {costs[-1]:.2f} µs an item, {costs[-1] / costs[0]:.0%} of the first"
            )

    def _ratios(self, rates: list[Rate]) -> None:
        raw = {(rate.what, rate.batch): rate.items_per_second for rate in rates if rate.what != DOOR}
        self.stdout.write("The door as a share of raw COPY and of raw INSERT … unnest with the same batch:")
        for rate in rates:
            if rate.what == DOOR:
                copy, unnest = (rate.items_per_second / raw[what, rate.batch] for what in (COPY, UNNEST))
                self.stdout.write(
                    f"  batch {rate.batch:>5}  clients {rate.clients:>2}  {copy:>6.0%} of COPY  {unnest:>6.0%} of unnest"
                )
        door = {(rate.batch, rate.clients): rate.items_per_second for rate in rates if rate.what == DOOR}
        hundreds = max(door[100, 1], door[100, 8]) / max(door[1000, 1], door[1000, 4])
        self.stdout.write(
            f"  batches of 1,000 as a share of COPY into the product's table: {door[1000, 1] / raw[OWN_COPY, 1000]:.0%}"
        )
        self.stdout.write(f"  batches of 100 as a share of batches of 1,000: {hundreds:.0%}")
        self.stdout.write(f"  single items of 32 clients, times raw single rows: {door[1, 32] / raw[SINGLE, 1]:.1f}")

    def _scratch_url(self) -> str:
        known = connection.settings_dict
        user, password = known["USER"], known.get("PASSWORD") or ""
        credentials = f"{user}:{quote(password)}" if password else user
        return f"postgres://{credentials}@{quote(known['HOST'], safe='')}:{known['PORT'] or 5432}/{SCRATCH}"

    def _recreate(self) -> None:
        self._drop()
        self._execute("CREATE DATABASE {}")

    def _drop(self) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(sql.Identifier(SCRATCH)))

    def _await(self, address: str) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{address}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError("The server did not answer in 30 s.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
