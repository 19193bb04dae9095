"""Prove again that backups can be restored."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.errors import DomainError
from operations import services
from operations.databases import Database


class Command(BaseCommand):
    """Restore each beside the plant and compare it with what was dumped; fail when one is damaged."""

    help = "Read backups, restore each beside the plant, compare it with what was dumped."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME")
        parser.add_argument("--all", action="store_true", help="Every backup there is.")

    def handle(self, *args: Any, names: list[str], **options: Any) -> None:
        store = services.the_store()
        chosen = [backup.name for backup in store.backups()] if options["all"] else names
        if not chosen:
            raise CommandError("Name a backup (`manage.py backups` lists them), or say --all.")
        damaged = 0
        for name in chosen:
            try:
                backup = services.verify_backup(
                    store=store, database=Database.of_the_plant(), name=name, now=timezone.now(), by=getpass.getuser()
                )
            except DomainError as error:
                raise CommandError(error.message) from error
            damaged += not backup.is_good
            self.stdout.write(f"{name}: {backup.state}{''.join(f'; {problem}' for problem in backup.problems)}")
        if damaged:
            raise CommandError(f"{damaged} of {len(chosen)} are damaged.")
