"""Look whether audit trails, batch records and closed shifts are what was written."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from batchrecords.verification import broken_against, broken_anywhere, write_anchors
from core.models import ChainHead


class Command(BaseCommand):
    """Check every chain and every audited row; exit code 1 when one is not what was written."""

    help = "Check audit trails, signatures and closed shifts; name what was altered, deleted, put in, moved or cut off."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--anchor",
            type=Path,
            help="A file of heads, kept elsewhere: compare with it, and add those of now when all is well.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        anchors: Path | None = options["anchor"]
        broken = 0
        for problem in broken_anywhere():
            broken += 1
            self.stderr.write(f"  {problem}")
        if anchors is not None:
            for problem in broken_against(anchors):
                broken += 1
                self.stderr.write(f"  {problem}")
        if broken:
            raise CommandError(f"{broken} problems.")
        rows = sum(ChainHead.objects.values_list("sequence", flat=True))
        self.stdout.write(f"{ChainHead.objects.count()} chains, {rows} rows: as written.")
        if anchors is not None:
            self.stdout.write(f"{write_anchors(anchors, now=timezone.now())} heads written to {anchors}.")
