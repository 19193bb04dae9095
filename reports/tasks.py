"""What the worker does: send reports, make files, take up what another worker left."""

from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from reports import export_jobs, mailing

STALLED_SECONDS = 60
KEEP_DONE_HOURS = 48


def _with_fresh_connection(act: Any, *args: Any, **kwargs: Any) -> Any:
    """Call something on a connection that is not kept: the worker's threads live longer than connections should."""
    close_old_connections()
    try:
        return act(*args, **kwargs)
    finally:
        close_old_connections()


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="send_due_reports", pass_context=False)
def send_due_reports(timestamp: int) -> int:
    """Each minute: plan and send the reports that are due."""
    sent: int = _with_fresh_connection(mailing.send_due, now=timezone.now())
    return sent


@app.task
def make_export(job_id: int) -> bool:
    """Make one file."""
    made: bool = _with_fresh_connection(export_jobs.make, job_id, now=timezone.now())
    return made


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="tidy", pass_context=True)
async def tidy(context: JobContext, timestamp: int) -> None:
    """Each minute: take up jobs that a dead worker left, and forget what is old."""
    manager = app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        await manager.retry_job(job)
    await manager.delete_old_jobs(nb_hours=KEEP_DONE_HOURS, include_failed=True)
    now = timezone.now()
    again = await sync_to_async(_with_fresh_connection)(export_jobs.take_up_again, now=now)
    for job_id in again:
        with suppress(AlreadyEnqueued):
            await make_export.configure(queueing_lock=export_jobs.lock_of(job_id)).defer_async(job_id=job_id)
    await sync_to_async(_with_fresh_connection)(export_jobs.forget_old, now=now)
