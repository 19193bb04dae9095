"""Write down which calls for help have escalated since the last time; a scheduler runs it each minute."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from andon.services import write_escalations


class Command(BaseCommand):
    """Escalate calls that stand for too long."""

    help = "Writes an 'escalated' step, once, for each escalation of an open call that has come due."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        for step in write_escalations(now=now, recorded_at=now):
            told = step.told_person or step.get_told_role_display()
            self.stdout.write(f"{step.call}: {told} has to know since {step.occurred_at:%Y-%m-%d %H:%M} UTC")
