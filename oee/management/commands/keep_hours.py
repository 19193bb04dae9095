"""Keep the stored hours up to date in the background, so that nobody waits for them; once a day, prune."""

import signal
import threading
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection
from django.utils import timezone

from core.intervals import Interval
from oee.retention import NotPruned, prune
from oee.services import keep_hours


class Command(BaseCommand):
    """Run until told to stop (SIGTERM or Ctrl-C)."""

    help = "Compute the stored hours that changes touched and that went by, over and over, until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS")
        parser.add_argument("--days", type=int, default=8, help="How far back missing hours are computed ahead of use.")
        parser.add_argument("--once", action="store_true", help="One pass, then stop.")

    def handle(self, *args: Any, every: float, days: int, once: bool, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        pruned_on = None
        while not stopping.is_set():
            now = timezone.now()
            try:
                done = keep_hours(Interval(now - timedelta(days=days), now), now=now)
                if done:
                    self.stdout.write(f"Computed hours of {done} machines.")
                if pruned_on != now.date():
                    pruned_on = now.date()
                    pruned = prune(now=now, progress=self.stdout.write)
                    if pruned is not None:
                        self.stdout.write(f"Dropped the raw facts before {pruned.closed_until:%Y-%m-%d} UTC.")
            except NotPruned as error:
                self.stderr.write(f"{error} It is tried again tomorrow.")
            except DatabaseError as error:
                self.stderr.write(f"The database is not reachable, trying again: {error}")
            connection.close()
            if once:
                break
            stopping.wait(every)
