"""The admin's pages of backups: list, make, verify, fetch, restore. For administrators of every site only."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from procrastinate.exceptions import AlreadyEnqueued

from core.errors import NotFound
from core.master_data import sees_every_site
from operations import services, tasks
from operations.databases import Database
from operations.store import DUMP, MANIFEST, SUMS, Backup

FILES = (DUMP, MANIFEST, SUMS)
LATE_AFTER = 2
"""So many times as old as backups are meant to get, the last good one is late."""
_PROJECT = Path(__file__).resolve().parent.parent


def may(request: HttpRequest, action: str = "view") -> bool:
    """Say whether a person may see or do something with backups: they hold what all sites have."""
    user = cast(Any, request.user)
    return bool(sees_every_site(user) and user.has_perm(f"operations.{action}_backup"))


def _guard(request: HttpRequest, action: str = "view") -> str:
    if not may(request, action):
        raise PermissionDenied
    return str(request.user)


def _backup(name: str) -> Backup:
    try:
        return services.the_store().get(name)
    except NotFound as error:
        raise Http404(error.message) from None


@require_GET
def backups(request: HttpRequest) -> HttpResponse:
    """List the backups, what is under way, and what was done."""
    _guard(request)
    store = services.the_store()
    context = {
        **admin.site.each_context(request),
        "title": _("Backups"),
        "backups": store.backups(),
        "doing": store.doing(),
        "journal": store.journal(),
        "health": health(),
        "files": FILES,
        "may_change": may(request, "change"),
    }
    headers = {"Refresh": "5"} if context["doing"] else {}
    return TemplateResponse(request, "admin/backups.html", context, headers=headers)


def health() -> dict[str, Any]:
    """Return how the backups are: level (good, wait, bad), and the last good one."""
    last, now = services.the_store().last_good(), timezone.now()
    every = settings.BACKUP_EVERY_HOURS
    if last is None:
        return {"level": "bad" if every else "wait", "last": None, "every": every}
    hours = (now - last.made_at).total_seconds() / 3600
    late = bool(every) and hours > LATE_AFTER * every
    return {"level": "bad" if late else "good", "last": last, "every": every}


@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Ask the worker for a backup."""
    by = _guard(request, "add")
    try:
        # In a savepoint: a job that is refused must not take the request's transaction along.
        with transaction.atomic():
            tasks.back_up_now.defer(by=by)
    except AlreadyEnqueued:
        messages.info(request, _("One was asked for already; the worker makes it as soon as it can."))
    else:
        messages.success(request, _("The worker makes it as soon as it can; it is in the list when it is done."))
    return redirect("admin:backups")


@require_POST
def verify(request: HttpRequest, name: str) -> HttpResponse:
    """Start verifying a backup, in a process of its own."""
    _guard(request, "change")
    _start("verify_backup", _backup(name).name)
    messages.success(request, _("It is being restored beside the plant and compared."))
    return redirect("admin:backups")


@require_GET
def download(request: HttpRequest, name: str, file: str) -> HttpResponseBase:
    """Send a file of a backup; the journal tells who has it."""
    by = _guard(request, "change")
    backup = _backup(name)
    if file not in FILES or not (backup.folder / file).is_file():
        raise Http404
    services.the_store().note(at=timezone.now(), who=by, what=f"downloaded {file}", name=name)
    return FileResponse(
        (backup.folder / file).open("rb"),
        as_attachment=True,
        filename=f"{name}-{file}",
        content_type="application/octet-stream",
    )


def restore(request: HttpRequest, name: str) -> HttpResponse:
    """Show what restoring means, and start it once its name was typed."""
    by = _guard(request, "change")
    backup, store = _backup(name), services.the_store()
    refused, status = "", 200
    if request.method == "POST":
        if request.POST.get("typed", "").strip() != name:
            refused, status = _("Type the name of the backup exactly as it stands above."), 400
        elif store.doing():
            refused, status = _("Wait until this is done: {doing}.").format(doing=store.doing()), 409
        else:
            # A process of its own: this one is cut off from the database when the two are exchanged.
            _start("restore_backup", name, "--typed", name, "--by", by)
            messages.success(request, _("It is being restored. Everybody is cut off for a moment at the end."))
            return redirect("admin:backups")
    context = {**admin.site.each_context(request), "title": _("Restore a backup"), "backup": backup, "refused": refused}
    return TemplateResponse(request, "admin/backup_restore.html", context, status=status)


def _start(command: str, *arguments: str) -> None:
    """Start a command that goes on whatever becomes of this process; what it says goes to a file beside the backups."""
    store = services.the_store()
    store.prepare()
    with (store.folder / "last.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "manage.py", command, *arguments],
            cwd=_PROJECT,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _environment() -> dict[str, str]:
    """Return the environment for a command on the same database and store as this process."""
    return {**os.environ, "DATABASE_URL": Database.of_the_plant().url(), "BACKUP_DIR": str(settings.BACKUP_DIR)}


def urls() -> list[URLPattern]:
    """Return the addresses of these pages, for the admin's site."""
    pages = (
        ("backups/", backups, "backups"),
        ("backups/make/", make, "backup_make"),
        ("backups/<str:name>/verify/", verify, "backup_verify"),
        ("backups/<str:name>/restore/", restore, "backup_restore"),
        ("backups/<str:name>/<str:file>", download, "backup_download"),
    )
    return [path(route, admin.site.admin_view(view), name=name) for route, view, name in pages]
