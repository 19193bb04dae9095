"""Derive what is in containers, where they stand and what lies in what anew from their steps."""

from typing import Any

from django.core.management.base import BaseCommand

from materials.container_queries import rebuild_containers


class Command(BaseCommand):
    """Rebuild the containers; the rows end the same as before."""

    help = "Derive state and contents of all containers anew from their steps. The rows end the same as before."

    def handle(self, *args: Any, **options: Any) -> None:
        rows, wrong = rebuild_containers()
        self.stdout.write(self.style.SUCCESS(f"Rebuilt {rows} containers; those that differed: {wrong}."))
