"""What makes the operator's terminal an app that opens without a network: manifest, service worker, clock, identity."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.errors import DomainError, Invalid
from core.master_data import caller, site_id_of
from screens.operate import machine_of
from screens.refusals import refusal_of
from screens.shared_terminal import Terminal

SHELL = (
    *("css/tokens.css", "css/app.css", "css/operate.css", "img/logo.svg", "vendor/icons.svg"),
    *("js/bar.js", "js/sending.js", "js/press.js", "js/operate-queue.js", "js/operate.js", "js/operate-scan.js"),
    *("vendor/zxing-wasm/index.js", "vendor/zxing-wasm/zxing_reader.wasm"),
)
"""What the page needs to open: no data of anybody."""


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """Describe the app to the tablet that installs it."""
    return JsonResponse(
        {
            "name": _("MES terminal"),
            "short_name": "MES",
            "start_url": reverse("screens:operate-choose"),
            "scope": "/",
            "display": "standalone",
            "background_color": "#0f2a4a",
            "theme_color": "#0f2a4a",
            "icons": [{"src": static("img/logo.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
        },
        content_type="application/manifest+json",
    )


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """Answer the script that keeps the terminal's shell; at the root, so that it may serve all of it."""
    response = render(
        request,
        "screens/service_worker.js",
        {"shell_json": mark_safe(json.dumps([static(name) for name in SHELL]))},  # names of our own files
        content_type="text/javascript; charset=utf-8",
    )
    response["Cache-Control"] = "no-cache"
    response["Service-Worker-Allowed"] = "/"
    return response


@never_cache
@require_safe
def clock(request: HttpRequest) -> JsonResponse:
    """Say what time it is and who is logged in: by it a tablet measures its clock, and knows whether it may send."""
    user = request.user
    now = timezone.now()
    return JsonResponse({"now": now.timestamp() * 1000, "user": user.pk if user.is_authenticated else None})


@never_cache
@require_POST
def who(request: HttpRequest, code: str) -> JsonResponse:
    """Identify who stands at the terminal, or forget them: `do=identify` with badge, or code and pin; `do=forget`."""
    if not request.user.is_authenticated:
        return JsonResponse({"detail": _("Log in again.")}, status=403)
    machine = machine_of(request, code)
    site = machine.line.area.site
    if not caller(request).may("add", "labor", site_id_of(machine)):
        return JsonResponse({"detail": _("Your role at that site does not allow this.")}, status=403)
    at = Terminal.of(request, site, timezone.now())
    try:
        employee = None
        action = request.POST.get("do", "")
        if action == "identify":
            employee = at.identify()
        elif action == "forget":
            at.forget()
        elif action == "stay":
            employee = at.person()
            if employee is not None:
                at.keep(employee)
        else:
            raise Invalid(_("Choose what to do."))
    except DomainError as error:
        refusal = refusal_of(error)
        headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}
        return JsonResponse({"detail": refusal.message}, status=refusal.status, headers=headers)
    said: dict[str, Any] = {"employee": None}
    if employee is not None:
        said = {
            "employee": {"id": employee.pk, "code": employee.code, "name": employee.name},
            "forget_after": at.policy.terminal_timeout,
            "forgets": at.policy.terminal_forgets,
        }
    return JsonResponse(said)
