"""The set-up of the plant as a file, for whoever administers all of it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from core.master_data import caller
from screens.plant_file import ImportRefused, export_plant, import_plant

MOST_BYTES = 8 * 2**20
"""What the server takes at once, and room for the form; `manage.py import_plant` takes larger ones."""


def may(request: HttpRequest) -> bool:
    """Say whether a person may take the whole set-up out and bring one in: it makes accounts, too."""
    return bool(caller(request).is_active and caller(request).is_superuser)


def _guard(request: HttpRequest) -> None:
    if not may(request):
        raise PermissionDenied


@login_required
@require_http_methods(["GET", "POST"])
def plant_file(request: HttpRequest) -> HttpResponse:
    """Offer the file, and take one: all of it, or nothing with what is wrong."""
    _guard(request)
    context: dict[str, Any] = {}
    if request.method == "POST":
        try:
            context["done"] = import_plant(_text_of(request))
        except ImportRefused as refusal:
            context["faults"] = refusal.faults
    return render(request, "screens/plant_file.html", context, status=422 if "faults" in context else 200)


def _text_of(request: HttpRequest) -> str:
    file: Any = request.FILES.get("file")
    if file is None:
        raise ImportRefused([_("Choose a file.")])
    if file.size > MOST_BYTES:
        raise ImportRefused([_("The file is larger than %(most)s MB.") % {"most": MOST_BYTES // 2**20}])
    try:
        text: str = file.read().decode()
    except UnicodeDecodeError:
        raise ImportRefused([_("The file is not in UTF-8.")]) from None
    return text


@login_required
@require_GET
def plant_file_download(request: HttpRequest) -> HttpResponse:
    """Return the file."""
    _guard(request)
    return HttpResponse(
        export_plant(),
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="plant.json"', "Cache-Control": "no-store"},
    )
