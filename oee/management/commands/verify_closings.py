"""Look whether the closed shifts are what was signed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from enterprise.models import Line, Machine
from oee.closing import broken_links
from oee.models import ShiftClosing


class Command(BaseCommand):
    """Check every chain; print its last hash, to be written down elsewhere. Exit code 1 when one is broken."""

    help = "Check the hash chains of all closed shifts and print the last hash of each; exit code 1 when one is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for model, name in ((Line, "line"), (Machine, "machine")):
            for place in model.objects.filter(shift_closings__isnull=False).distinct().order_by("pk"):
                last = (
                    ShiftClosing.objects.filter(**{name: place})
                    .order_by("-sequence")
                    .values_list("sequence", "content_hash")[0]
                )
                self.stdout.write(f"{name} {place.code}: {last[0]} closings, the last {last[1]}")
                for link in broken_links(place):
                    broken += 1
                    self.stderr.write(f"  closing {link.closing_id}: {link.problem}")
        if broken:
            raise CommandError(f"{broken} links are broken.")
