"""Measure what following lots costs, in a scratch database."""

import json
import os
import platform
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core import scratch

NAME = "mes_bench_trace"


class Command(BaseCommand):
    """Print a table for each number of links."""

    help = "Measure traces and recalls in tables of growing size, next to a look-up by primary key in the same run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--links", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
        parser.add_argument("--keep", action="store_true", help="Leave the scratch database for a look afterwards.")

    def handle(self, *args: Any, links: list[int], keep: bool, **options: Any) -> None:
        load = os.getloadavg()[0]
        self.stdout.write(
            f"{timezone.now():%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()},"
            f" load before: {load:.1f}"
        )
        self.stdout.flush()
        address = scratch.recreate(NAME)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "materials.benchmark", address, json.dumps(links)],
            env={**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "mes_project.settings"},
            cwd=settings.BASE_DIR,
            check=False,
        )
        if not keep:
            scratch.drop(NAME)
        if done.returncode:
            raise CommandError("The measurement failed.")
