"""Drop all stock and sum it anew from the ledger."""

from typing import Any

from django.core.management.base import BaseCommand

from materials.ledger import rebuild_stock


class Command(BaseCommand):
    """Rebuild the stock; the rows end the same as before."""

    help = "Drop all stock and sum it anew from the ledger of movements. The rows end the same as before."

    def handle(self, *args: Any, **options: Any) -> None:
        rows, wrong = rebuild_stock()
        self.stdout.write(self.style.SUCCESS(f"Rebuilt {rows} rows of stock; rows that differed: {wrong}."))
