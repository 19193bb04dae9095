"""Send the reports that are due, once, without a worker."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from reports.mailing import send_due


class Command(BaseCommand):
    """Do one round of what the worker does each minute; safe beside it."""

    help = "Plan and send the reports that are due, once (safe beside a worker, and to repeat)."

    def handle(self, *args: Any, **options: Any) -> None:
        sent = send_due(now=timezone.now())
        self.stdout.write(f"Sent {sent} reports.")
