"""Work in the background: reports by e-mail, files of long lists."""

import asyncio
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandParser
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector


class Command(BaseCommand):
    """Run until told to stop (SIGTERM or Ctrl-C); what is under way is finished first."""

    help = "Send reports that are due, and make long lists into files; over and over, until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2, help="Tasks at a time; default 2.")
        parser.add_argument("--once", action="store_true", help="Do what waits, then stop.")

    def handle(self, *args: Any, concurrency: int, once: bool, **options: Any) -> None:
        connector = cast(DjangoConnector, app.connector).get_worker_connector()
        with app.replace_connector(connector):
            asyncio.run(self._work(concurrency, once))

    async def _work(self, concurrency: int, once: bool) -> None:
        async with app.open_async():
            await app.run_worker_async(
                concurrency=concurrency,
                wait=not once,
                install_signal_handlers=True,
                shutdown_graceful_timeout=20,
                delete_jobs="successful",
            )
