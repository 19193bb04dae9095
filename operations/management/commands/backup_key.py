"""Make a key for copies of backups."""

from typing import Any

from django.core.management.base import BaseCommand

from operations.copies import new_key


class Command(BaseCommand):
    """Print 32 random bytes in base64; nobody keeps them."""

    help = "Print a new BACKUP_COPY_KEY. Keep it where the copies are not: without it they are worth nothing."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(new_key())
