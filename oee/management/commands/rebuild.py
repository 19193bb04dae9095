"""Drop all stored hours and compute them anew from the facts."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from oee.services import rebuild


class Command(BaseCommand):
    """Rebuild knowledge; the rows end the same as before."""

    help = "Drop all stored hours and compute them anew from the facts. The rows end the same as before."

    def handle(self, *args: Any, **options: Any) -> None:
        machines = rebuild(now=timezone.now(), progress=self.stdout.write)
        self.stdout.write(self.style.SUCCESS(f"Rebuilt the hours of {machines} machines."))
