"""Measure what an import's rows cost, in a scratch database."""

import os
import platform
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core import scratch

NAME = "mes_bench_import"


class Command(BaseCommand):
    """Print the processor time of a row, one by one and together."""

    help = "Measure the processor time of new, unchanged and changed rows of an import, one by one and together."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rows", type=int, default=2_000)

    def handle(self, *args: Any, rows: int, **options: Any) -> None:
        self.stdout.write(
            f"{timezone.now():%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()},"
            f" load before: {os.getloadavg()[0]:.1f}, {rows} rows"
        )
        self.stdout.flush()
        address = scratch.recreate(NAME)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "erp.benchmark", str(rows)],
            env={**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "mes_project.settings"},
            cwd=settings.BASE_DIR,
            check=False,
        )
        scratch.drop(NAME)
        if done.returncode:
            raise CommandError("The measurement failed.")
