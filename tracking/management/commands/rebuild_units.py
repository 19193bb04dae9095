"""Derive all serial units anew."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from tracking.assembling import rebuild_parents
from tracking.models import SerialUnit
from tracking.packing import rebuild_packing
from tracking.services import rebuild_unit


class Command(BaseCommand):
    """Replay the facts of every unit; what is kept beside them ends the same."""

    help = "Derive status, stages, passages and parents of all serial units anew from their facts."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            wrong = rebuild_parents() + rebuild_packing()
        count = 0
        for unit in SerialUnit.objects.order_by("pk").iterator():
            rebuild_unit(unit=unit)
            count += 1
        self.stdout.write(f"{count} units derived anew; {wrong} were listed under another parent or container.")
