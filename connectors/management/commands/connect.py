"""Speak with the machines: run all enabled connectors until stopped."""

import asyncio
import contextlib
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.models import Connector
from connectors.supervisor import LONGEST_PAUSE, Supervisor


class Command(BaseCommand):
    """Run connectors."""

    help = "Run all enabled connectors, or those named; restart what fails; follow what the admin changes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--worker", default="", help="A name for this process, when several share a connector.")
        parser.add_argument(
            "--longest-pause",
            type=float,
            default=LONGEST_PAUSE,
            metavar="SECONDS",
            help=f"How long a connection that keeps failing waits at most; {LONGEST_PAUSE:.0f} unless told.",
        )
        parser.add_argument("codes", nargs="*", help="Codes of connectors; none = all that are enabled.")

    def handle(self, *args: Any, codes: list[str], worker: str, longest_pause: float, **options: Any) -> None:
        known = set(Connector.objects.filter(code__in=codes).values_list("code", flat=True))
        if unknown := set(codes) - known:
            raise CommandError(f"There is no connector {', '.join(sorted(unknown))}.")
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._run(Supervisor(codes or None, worker=worker, longest_pause=longest_pause)))

    async def _run(self, supervisor: Supervisor) -> None:
        task = asyncio.create_task(supervisor.run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        await task
