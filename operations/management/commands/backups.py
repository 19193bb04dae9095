"""List the backups that there are."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from operations.services import the_store


class Command(BaseCommand):
    """One line per backup, the newest first."""

    help = "List the backups: name, size, age, whether it was restored and compared, why it was made."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        now, store = timezone.now(), the_store()
        found = store.backups()
        for backup in found:
            hours = (now - backup.made_at).total_seconds() / 3600
            said = "; ".join(backup.problems) or (backup.copy_problem and f"not copied: {backup.copy_problem}")
            self.stdout.write(
                f"{backup.name}  {backup.bytes:>12,} B  {hours:8.1f} h  {backup.state:<10}  {backup.why}"
                f"{f'  ({said})' if said else ''}"
            )
        if not found:
            self.stdout.write(f"There is no backup in {store.folder}; `manage.py backup` makes one.")
        elif store.last_good() is None:
            self.stdout.write("None of them is good.")
