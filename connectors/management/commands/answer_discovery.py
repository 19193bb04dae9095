"""Let DigitME2's tablets find this server by themselves."""

import asyncio
import contextlib
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.digitme2.discovery import PORT, answer


class Command(BaseCommand):
    """Answer tablets that look for their server."""

    help = "Answer the broadcasts of DigitME2 tablets that look for their server, until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("server_port", type=int, nargs="?", help="Where the server is reached; none = do not say.")
        parser.add_argument("--host", default="0.0.0.0", help="The address to listen at (all).")
        parser.add_argument("--port", type=int, default=PORT, help=f"The UDP port to listen at ({PORT}).")

    def handle(self, *args: Any, server_port: int | None, host: str, port: int, **options: Any) -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                asyncio.run(self._run(server_port, host, port))
        except OSError as error:
            raise CommandError(f"UDP port {port} cannot be listened at: {error}") from None

    async def _run(self, server_port: int | None, host: str, port: int) -> None:
        task = asyncio.create_task(answer(host=host, port=port, server_port=server_port))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        await task
