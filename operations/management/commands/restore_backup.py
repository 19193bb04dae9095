"""Put a backup in the place of the plant's database."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils import timezone

from core.errors import DomainError
from operations import services
from operations.databases import Database


class Command(BaseCommand):
    """Ask for the name once more, restore beside the plant, compare, exchange, back up what was there before."""

    help = "Put a backup in the place of the plant's database; what was there before becomes a backup of its own."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--typed", metavar="NAME", help="The name once more, instead of asking for it.")
        parser.add_argument("--by", default="", help="Who wants it; written to the journal.")
        parser.add_argument(
            "--without-grants", action="store_true", help="On a server that lacks the roles which were granted rights."
        )

    def handle(self, *args: Any, name: str, typed: str | None, by: str, without_grants: bool, **options: Any) -> None:
        store, plant = services.the_store(), Database.of_the_plant()
        if typed is None:
            self.stdout.write(
                f"What {plant.name} holds now is replaced by {name}, and backed up. Everybody is cut off for a moment."
            )
            typed = input("Type the backup's name to go on: ")
        if typed != name:
            raise CommandError("That is another name; nothing was changed.")
        connections.close_all()
        try:
            done = services.restore_backup(
                store=store,
                database=plant,
                name=name,
                by=by or getpass.getuser(),
                now=timezone.now(),
                without_grants=without_grants,
                known_migrations=services.known_migrations(),
                say=lambda said: self.stdout.write(f"· {said}"),
            )
        except (DomainError, OSError) as error:
            store.note(at=timezone.now(), who=by, what=f"not restored: {error}"[:500], name=name[:200])
            raise CommandError(str(error)) from error
        self.stdout.write(f"{name} is in place{', brought to the tables of today' if done.migrated else ''}.")
        if done.safety is not None:
            self.stdout.write(f"What was there before is the backup {done.safety.name}.")
        else:
            self.stderr.write(
                f"What was there before could not be backed up; it is kept as the database {done.former}."
            )
        self.stdout.write("Restart the keeper, the connectors and the worker; web servers went on by themselves.")
