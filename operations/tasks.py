"""What the worker does to keep the plant alive: backups, when they are due and when somebody asks; housekeeping."""

from django.conf import settings
from django.utils import timezone
from procrastinate.contrib.django import app

from core.kept_reads import forget_past_changes
from operations import services
from operations.databases import Database


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="back_up_when_due", lock="backups", pass_context=False)
def back_up_when_due(timestamp: int) -> str:
    """Every five minutes: make the automatic backup if it is time."""
    backup = services.back_up_when_due(store=services.the_store(), database=Database.of_the_plant(), now=timezone.now())
    return backup.name if backup is not None else ""


@app.task(queueing_lock="back_up_now", lock="backups")
def back_up_now(by: str) -> str:
    """Make the backup that somebody asked for in the admin."""
    return services.make_backup(
        store=services.the_store(),
        database=Database.of_the_plant(),
        why=services.ASKED,
        by=by,
        now=timezone.now(),
        keep=settings.BACKUP_KEEP,
    ).name


@app.periodic(cron="40 2 * * *")
@app.task(queueing_lock="forget_past_changes", pass_context=False)
def forget_changes(timestamp: int) -> None:
    """Every night: keep the list of changes of master data short."""
    forget_past_changes()
