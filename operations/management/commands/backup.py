"""Back the plant up, while it runs."""

import getpass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.errors import DomainError
from operations import services
from operations.databases import Database


class Command(BaseCommand):
    """Make a backup, restore it beside the plant, compare; print what became of it."""

    help = "Back the database up while it is written to, and prove it by restoring it beside the plant."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backup = services.make_backup(
                store=services.the_store(),
                database=Database.of_the_plant(),
                why=services.ASKED,
                by=getpass.getuser(),
                now=timezone.now(),
                keep=settings.BACKUP_KEEP,
                say=lambda said: self.stdout.write(f"· {said}"),
            )
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        if not backup.is_good:
            raise CommandError(f"{backup.name} is {backup.state}: {'; '.join(backup.problems)}")
        self.stdout.write(
            f"{backup.name}: {backup.bytes} bytes, {backup.tables} tables, {backup.rows} rows; restored and compared, equal."
        )
        if backup.copy_problem:
            raise CommandError(f"It was not copied elsewhere: {backup.copy_problem}")
