"""Look whether the closed shifts are what was signed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from oee.closing_chain import broken_closings


class Command(BaseCommand):
    """Check every chain; exit code 1 when one is broken. `verify_audit` checks these and all others."""

    help = "Check the hash chains of all closed shifts and print the last hash of each; exit code 1 when one is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for title, links in broken_closings():
            self.stdout.write(title)
            for link in links:
                broken += 1
                self.stderr.write(f"  {link.problem}")
        if broken:
            raise CommandError(f"{broken} links are broken.")
