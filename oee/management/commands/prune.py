"""Throw away the raw facts that the retention setting no longer keeps."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from oee.retention import due, prune


class Command(BaseCommand):
    """Prune; KPIs stay the same to the last digit."""

    help = "Compute the hours of the months that are no longer kept, close them, and drop their raw counts and states."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would be dropped, and change nothing.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        done = due(now=now) if dry_run else prune(now=now, progress=self.stdout.write)
        if done is None:
            self.stdout.write("There is nothing to prune.")
            return
        verb = "Would drop" if dry_run else "Dropped"
        kept = "" if done.rows_kept is None else f"; {done.rows_kept} rows stay to count on from"
        names = ", ".join(done.partitions)
        self.stdout.write(
            f"{verb} the raw facts before {done.closed_until:%Y-%m-%d} UTC: {names} ({done.bytes / 2**20:.1f} MiB){kept}."
        )
