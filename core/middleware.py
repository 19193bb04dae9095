"""What every ordinary request passes through besides Django's own middleware."""

from collections.abc import Callable
from typing import Any, cast

from csp.constants import UNSAFE_EVAL
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse

from core.shared_reads import sharing

GetResponse = Callable[[HttpRequest], HttpResponse]


class DatabaseOutageMiddleware:
    """Answer 503 with Retry-After while the database is away, instead of a bare 500."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Translate a lost database into "try again"."""
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        return JsonResponse(
            {"detail": "The database is not reachable at the moment; try again."},
            status=503,
            headers={"Retry-After": "2"},
        )


class SharedReadsMiddleware:
    """Let what only reads look things up once."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        with sharing():
            return self.get_response(request)


class AdminContentSecurityPolicyMiddleware:
    """Let the admin's theme evaluate its expressions and style its widgets; no other page may."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            cast(Any, response)._csp_update = {"script-src": [UNSAFE_EVAL], "style-src": ["'unsafe-inline'"]}
        return response
