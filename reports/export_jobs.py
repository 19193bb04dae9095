"""Make long lists into files in the background: ask, make, cancel, fetch, forget.

A job is the list's own request, made again by the worker as the person who asked: what they may not see is not in the
file. A worker that dies leaves a job that another takes up; the file is there whole or not at all.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, QueryDict
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import Conflict, DomainError, Invalid
from core.exports import FORMATS, MOST_WORKBOOK_ROWS, Pieces, Table, may_export
from core.spreadsheets import Cell, csv_pieces, workbook_file
from reports.models import ExportJob, ExportPiece

STALLED_AFTER = timedelta(minutes=3)
MOST_OPEN = 5
_SAID_EVERY = 1.0
_PIECE = 2**18
OPEN = (ExportJob.Status.WAITING, ExportJob.Status.RUNNING)


class Cancelled(Exception):
    """Whoever asked does not want it any more, or another worker has it."""


def check_path(path: str) -> tuple[str, str]:
    """Return (address without its form, form) of a list. Raises Invalid for what is no address of ours."""
    parts = urlsplit(path)
    if (
        parts.scheme
        or parts.netloc
        or not parts.path.startswith("/")
        or parts.path.startswith("//")
        or "\0" in parts.path
        or len(path) > 2000
    ):
        raise Invalid(_("Name a list by its address here, such as /machine/?format=csv."), field="path")
    given = QueryDict(parts.query, mutable=True)
    form = given.get("format", "")
    if form not in FORMATS:
        raise Invalid(_("Say in the address which file it shall be: format=csv or format=xlsx."), field="path")
    try:
        resolve(parts.path)
    except Resolver404:
        raise Invalid(_("There is no such address."), field="path") from None
    return f"{parts.path}?{given.urlencode()}", form


@transaction.atomic
def ask(*, path: str, owner: User, language: str, now: datetime) -> ExportJob:
    """Let a list be made into a file; asking again while it is made is the same job.

    Raises Invalid for a bad address, PermissionDenied without the right, Conflict when too many are under way.
    """
    if not may_export(owner):
        raise PermissionDenied
    path, form = check_path(path)
    open_jobs = list(ExportJob.objects.select_for_update().filter(owner=owner, status__in=OPEN))
    same = next((job for job in open_jobs if job.path == path), None)
    if same is not None:
        return same
    if len(open_jobs) >= MOST_OPEN:
        raise Conflict(
            _("%(number)s files are being made already; wait for one, or cancel it.") % {"number": MOST_OPEN}
        )
    job = ExportJob.objects.create(
        owner=owner, path=path, form=form, language=language, name=_name_of(path), asked_at=now, seen_at=now
    )
    from reports.tasks import make_export

    # In the transaction: the task is there if the job is.
    make_export.configure(queueing_lock=lock_of(job.pk)).defer(job_id=job.pk)
    return job


def lock_of(job_id: int) -> str:
    """Return what keeps a job from waiting twice."""
    return f"export-{job_id}"


def _name_of(path: str) -> str:
    return (urlsplit(path).path.strip("/").replace("/", "-") or "list")[:100]


def cancel(*, job: ExportJob, now: datetime) -> bool:
    """Stop a job that is under way; return whether it was."""
    return bool(
        ExportJob.objects.filter(pk=job.pk, status__in=OPEN).update(status=ExportJob.Status.CANCELLED, finished_at=now)
    )


@transaction.atomic
def forget(*, job: ExportJob, now: datetime) -> None:
    """Delete a job and its file; one that is under way is cancelled by that."""
    job.delete()


def make(job_id: int, *, now: datetime) -> bool:
    """Make a file, if nobody else is at it; return whether this call did.

    What cannot be made is said in the job. A database that goes away is raised: the job is then taken up again.
    """
    claim = uuid4()
    free = Q(status=ExportJob.Status.WAITING) | Q(status=ExportJob.Status.RUNNING, seen_at__lt=now - STALLED_AFTER)
    taken = ExportJob.objects.filter(free, pk=job_id).update(
        status=ExportJob.Status.RUNNING, claim=claim, seen_at=now, rows_done=0
    )
    if not taken:
        return False
    job = ExportJob.objects.select_related("owner").get(pk=job_id)
    began = time.monotonic()

    def moment() -> datetime:
        return now + timedelta(seconds=time.monotonic() - began)

    try:
        with translation.override(job.language):
            _write(job, _table(job), moment)
    except Cancelled:
        return True
    except (DomainError, PermissionDenied, Http404) as refusal:
        said = getattr(refusal, "message", "") or str(refusal) or _("It is not there, or you may not see it any more.")
        _fail(job, said, moment())
    return True


def _fail(job: ExportJob, said: str, now: datetime) -> None:
    ExportJob.objects.filter(pk=job.pk, claim=job.claim, status=ExportJob.Status.RUNNING).update(
        status=ExportJob.Status.FAILED, error=said[:500], finished_at=now
    )


def _table(job: ExportJob) -> Table:
    """Return the list that a job is of, asked for as its owner."""
    answer = _answer(job)
    table: Table | None = getattr(answer, "table", None)
    if table is None:
        if answer.status_code in (403, 404):
            raise Http404
        raise Invalid(_("That address is not that of a list that can be made into a file."))
    return table


def _answer(job: ExportJob) -> Any:
    parts = urlsplit(job.path)
    request = HttpRequest()
    request.method, request.path, request.path_info = "GET", parts.path, parts.path
    request.GET = QueryDict(parts.query)
    request.META = {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": parts.query,
        "PATH_INFO": parts.path,
        "SERVER_NAME": _host(),
        "SERVER_PORT": "80",
        "HTTP_HOST": _host(),
    }
    request.user = job.owner
    request.COOKIES = {}
    request.session = {}  # type: ignore[assignment]
    request.makes_a_file = True  # type: ignore[attr-defined]
    match = resolve(parts.path)
    request.resolver_match = match
    return match.func(request, *match.args, **match.kwargs)


def _host() -> str:
    return str(settings.ALLOWED_HOSTS[0]) if settings.ALLOWED_HOSTS else "localhost"


def _write(job: ExportJob, table: Table, moment: Any) -> None:
    """Write the file into pieces, and say every second how far it is."""
    if job.form == "xlsx" and (table.total or 0) > MOST_WORKBOOK_ROWS:
        raise Invalid(_("A workbook holds %(most)s rows; ask for CSV.") % {"most": MOST_WORKBOOK_ROWS})
    _say(job, moment(), rows_total=table.total, name=table.title[:100])
    counted = replace(table, rows=_watched(job, table, moment))
    if job.form == "csv":
        content = _gathered(piece.encode() for piece in csv_pieces(counted.lines))
    else:
        content = _gathered(Pieces(workbook_file(counted.lines, counted.name)))
    size = 0
    ExportPiece.objects.filter(job=job).delete()
    for number, piece in enumerate(content):
        ExportPiece.objects.create(job=job, number=number, content=piece)
        size += len(piece)
    now = moment()
    done = ExportJob.objects.filter(pk=job.pk, claim=job.claim, status=ExportJob.Status.RUNNING).update(
        status=ExportJob.Status.DONE,
        size=size,
        finished_at=now,
        kept_until=now + timedelta(days=settings.EXPORTS_KEEP_DAYS),
    )
    if not done:
        ExportPiece.objects.filter(job=job).delete()


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield pieces of a quarter of a megabyte."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= _PIECE:
            yield bytes(waiting[:_PIECE])
            del waiting[:_PIECE]
    if waiting:
        yield bytes(waiting)


def _watched(job: ExportJob, table: Table, moment: Any) -> Iterator[list[Cell]]:
    """Yield the rows; say every second how many there were, and stop when nobody wants them any more."""
    said = time.monotonic()
    number = 0
    for number, row in enumerate(table.rows, start=1):
        yield list(row)
        if time.monotonic() - said >= _SAID_EVERY:
            _say(job, moment(), rows_done=number)
            said = time.monotonic()
    _say(job, moment(), rows_done=number)


def _say(job: ExportJob, now: datetime, **what: Any) -> None:
    mine = ExportJob.objects.filter(pk=job.pk, claim=job.claim, status=ExportJob.Status.RUNNING)
    if not mine.update(seen_at=now, **what):
        ExportPiece.objects.filter(job=job).delete()
        raise Cancelled


def content_of(job: ExportJob) -> Iterator[bytes]:
    """Yield the pieces of a finished file."""
    pieces = ExportPiece.objects.filter(job=job).order_by("number")
    for number in list(pieces.values_list("number", flat=True)):
        yield bytes(pieces.get(number=number).content)


def take_up_again(*, now: datetime) -> list[int]:
    """Return the jobs that wait for a worker, or that a worker left: to be made."""
    left = Q(status=ExportJob.Status.RUNNING, seen_at__lt=now - STALLED_AFTER)
    waiting = Q(status=ExportJob.Status.WAITING, seen_at__lt=now - STALLED_AFTER)
    return list(ExportJob.objects.filter(left | waiting).order_by("id").values_list("pk", flat=True)[:20])


def forget_old(*, now: datetime) -> int:
    """Delete files whose time is over, and what was cancelled or failed as long ago; return how many."""
    before = now - timedelta(days=settings.EXPORTS_KEEP_DAYS)
    old = ExportJob.objects.filter(Q(kept_until__lte=now) | Q(finished_at__lte=before))
    return old.delete()[1].get("reports.ExportJob", 0)
