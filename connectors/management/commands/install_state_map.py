"""Install a state map that comes with the system."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.models import StateMap
from connectors.presets import PRESETS
from connectors.services import install_preset


class Command(BaseCommand):
    """List the presets, or install one."""

    help = "Without a key: list the state maps that come with the system. With one: install it; twice is once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", nargs="?", choices=sorted(PRESETS), metavar="key")
        parser.add_argument(
            "--reason",
            action="append",
            default=[],
            metavar="category=code",
            help="Use this reason of the plant for all values of a category, such as running=RUN.",
        )

    def handle(self, *args: Any, key: str | None, reason: list[str], **options: Any) -> None:
        if key is None:
            installed = set(StateMap.objects.filter(code__in=PRESETS).values_list("code", flat=True))
            for code, rows in PRESETS.items():
                self.stdout.write(f"{code:32} {len(rows):3} values{', installed' if code in installed else ''}")
            return
        try:
            state_map = install_preset(key, reasons=dict(_pair(written) for written in reason))
        except (LookupError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{state_map.code}: {state_map.entries.count()} values")


def _pair(written: str) -> tuple[str, str]:
    category, equals, code = written.partition("=")
    if not equals:
        raise ValueError(f"'{written}' is not category=code.")
    return category, code
