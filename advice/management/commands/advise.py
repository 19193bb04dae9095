"""Look for what could be done better, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from advice.management.commands._sites import sites_called
from advice.services import advise
from advice.wording import headline, silence


class Command(BaseCommand):
    """See the help."""

    help = "Write what is new to recommend, and say where data are too thin (the worker does it every night)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", help="Code of the site; all without it.")

    def handle(self, *args: Any, **options: Any) -> None:
        for site in sites_called(options["site"]):
            found = advise(site=site, now=timezone.now(), say=lambda words: self.stdout.write(f"· {words}"))
            for one in found.made:
                self.stdout.write(f"{one}: {headline(one)}")
            for quiet in found.silent:
                self.stdout.write(f"nothing about {quiet.get_kind_display()} ({quiet.subject}): {silence(quiet)}")
            self.stdout.write(
                f"{site.code}: {len(found.made)} new, {found.kept} said before, {len(found.silent)} silent"
            )
