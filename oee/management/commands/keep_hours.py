"""Keep the stored hours up to date in the background, so that nobody waits for them; once a day, prune."""

import signal
import threading
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection
from django.utils import timezone

from core.idempotency import forget_answers
from core.intervals import Interval
from oee.closing import bring_checks_up_to_date, close_due
from oee.retention import NotPruned, prune
from oee.services import keep_hours

CLOSE_EVERY = timedelta(minutes=1)


class Command(BaseCommand):
    """Run until told to stop (SIGTERM or Ctrl-C)."""

    help = (
        "Compute the stored hours that changes touched and that went by, close shifts that are due by rule, and compare"
        " closed shifts that changes touched; over and over, until stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS")
        parser.add_argument("--days", type=int, default=8, help="How far back missing hours are computed ahead of use.")
        parser.add_argument("--once", action="store_true", help="One pass, then stop.")

    def handle(self, *args: Any, every: float, days: int, once: bool, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        closed_at: datetime | None = None
        pruned_on = None
        while not stopping.is_set():
            now = timezone.now()
            try:
                done = keep_hours(Interval(now - timedelta(days=days), now), now=now)
                if done:
                    self.stdout.write(f"Computed hours of {done} machines.")
                if closed_at is None or now - closed_at >= CLOSE_EVERY:
                    forget_answers(now=now)
                    closed = close_due(now=now)
                    closed_at = now
                    if closed:
                        self.stdout.write(f"Closed {closed} shifts by rule.")
                bring_checks_up_to_date(now=now)
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
