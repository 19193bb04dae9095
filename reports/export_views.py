"""Pages of files that are made in the background: ask for one, see how far it is, fetch it, cancel or delete it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.exports import FORMATS, Streamed, disposition, may_export
from core.master_data import caller
from reports import export_jobs
from reports.models import ExportJob

MOST = 50


def jobs_of(user: Any) -> QuerySet[ExportJob]:
    """Return the jobs of a person; another's do not exist."""
    return ExportJob.objects.filter(owner=user)


def file_of(job: ExportJob) -> Streamed:
    """Answer a finished file, piece by piece."""
    kind = FORMATS[job.form] + ("; charset=utf-8" if job.form == "csv" else "")
    answer = Streamed(export_jobs.content_of(job), content_type=kind)
    answer["Content-Disposition"] = disposition(job.name, job.form)
    answer["Content-Length"] = str(job.size)
    answer["Cache-Control"] = "no-store"
    return answer


@login_required
def exports(request: HttpRequest) -> HttpResponse:
    """List the person's files; a POST asks for one."""
    who = caller(request)
    if not may_export(who):
        raise PermissionDenied
    if request.method == "POST":
        try:
            export_jobs.ask(
                path=request.POST.get("path", ""),
                owner=who,
                language=translation.get_language() or "en",
                now=timezone.now(),
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
        return redirect("reports:exports")
    return render(request, "reports/exports.html", {"jobs": _shown(jobs_of(who)[:MOST])})


def _shown(jobs: Any) -> list[tuple[ExportJob, int | None]]:
    """Return jobs with how far they are, in percent."""
    return [(job, 100 * job.rows_done // job.rows_total if job.rows_total else None) for job in jobs]


@login_required
def export_new(request: HttpRequest) -> HttpResponse:
    """Ask whether a long list shall be made into a file in the background."""
    if not may_export(caller(request)):
        raise PermissionDenied
    path = request.GET.get("path", "")
    try:
        export_jobs.check_path(path)
    except DomainError as refusal:
        return render(request, "reports/export_new.html", {"refusal": refusal.message}, status=400)
    return render(request, "reports/export_new.html", {"path": path})


@login_required
def export_state(request: HttpRequest) -> JsonResponse:
    """Answer how far the person's files are, for the page that shows them."""
    jobs = jobs_of(caller(request)).only("id", "status", "rows_done", "rows_total")[:MOST]
    return JsonResponse(
        {"jobs": [{"id": job.pk, "status": job.status, "done": job.rows_done, "total": job.rows_total} for job in jobs]}
    )


@login_required
def export_file(request: HttpRequest, job_id: int) -> Streamed:
    """Answer a finished file to who asked for it."""
    job = get_object_or_404(jobs_of(caller(request)), pk=job_id, status=ExportJob.Status.DONE)
    return file_of(job)


@login_required
@require_POST
def export_end(request: HttpRequest, job_id: int) -> HttpResponse:
    """Cancel a job that is under way; delete one that is not."""
    job = get_object_or_404(jobs_of(caller(request)), pk=job_id)
    if not export_jobs.cancel(job=job, now=timezone.now()):
        export_jobs.forget(job=job, now=timezone.now())
        messages.success(request, _("The file was deleted."))
    return redirect("reports:exports")
