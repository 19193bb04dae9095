"""Take the set-up of a plant from a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from screens.plant_file import ImportRefused, import_plant


class Command(BaseCommand):
    """Import master data: all of a file, or nothing."""

    help = "Make and change master data until all that a file of export_plant says is so; delete nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = import_plant(options["file"].read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The file cannot be read: {error}") from error
        except ImportRefused as refusal:
            raise CommandError("Nothing was taken:\n" + "\n".join(refusal.faults)) from refusal
        self.stdout.write(", ".join(f"{number} {what}" for what, number in done.items()))
