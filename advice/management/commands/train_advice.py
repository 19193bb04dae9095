"""Learn a site's failures anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from advice.management.commands._sites import sites_called
from advice.models import Silence
from advice.services import train
from advice.wording import silence


class Command(BaseCommand):
    """See the help."""

    help = "Train the forecast of failures on each site's own history, and back-test it (done weekly by itself)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", help="Code of the site; all without it.")

    def handle(self, *args: Any, **options: Any) -> None:
        for site in sites_called(options["site"]):
            found = train(site=site, now=timezone.now(), say=lambda words: self.stdout.write(f"· {words}"))
            if isinstance(found, Silence):
                self.stdout.write(f"{site.code}: no model. {silence(found)}")
                continue
            score = found.report["scores"]["model"]
            self.stdout.write(
                f"{site.code}: version {found.version}; in the back-test {score['seen']} of {score['failures']} failures seen,"
                f" {score['right']} of {score['warnings']} warnings right"
            )
