"""Write the set-up of the whole plant into a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from screens.plant_file import export_plant


class Command(BaseCommand):
    """Export master data: no facts, no orders, no passwords or keys."""

    help = "Write the set-up of the whole plant (master data by codes, as JSON) into a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        text = export_plant()
        options["file"].write_text(text, encoding="utf-8")
        self.stdout.write(f"{options['file']}: {len(text.encode()):,} bytes")
