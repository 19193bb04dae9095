"""Bring an encrypted copy back among the backups."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from operations import copies
from operations.services import the_store


class Command(BaseCommand):
    """Decrypt a copy with BACKUP_COPY_KEY and put it into the store."""

    help = "Decrypt a copy that was kept elsewhere; then it can be verified and restored like any other backup."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            backup = copies.fetch(file, the_store(), settings.BACKUP_COPY_KEY)
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{backup.name} is back; `manage.py verify_backup {backup.name}` restores it beside the plant."
        )
