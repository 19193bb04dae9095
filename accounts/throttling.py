"""Bound how often a client key may ask (`RATE_LIMIT`).

Devices' facts have a door of their own, which refuses a flood itself.
"""

import contextlib
import time
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ClientKey
from core.rate_limits import Limiter, Rate, limiter_of


@cache
def limiter() -> Limiter | None:
    """Return what counts for this process; None when nothing is limited."""
    return limiter_of(settings.RATE_LIMIT)


class KeyThrottle(BaseThrottle):
    """Refuse a client key that asks too often with 429 and Retry-After."""

    _rate: Rate | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count a request of a client key; say whether it may be answered."""
        counting = limiter()
        if counting is None or not isinstance(request.auth, ClientKey):
            return True
        self._rate = counting.take(request.auth.prefix, time.time())
        cast(Any, request._request).counted_key = (request.auth.prefix, self._rate)
        return self._rate.is_allowed

    def wait(self) -> float | None:
        """Return in how many seconds it may ask again."""
        return None if self._rate is None else self._rate.reset


class RateLimitMiddleware:
    """Say in each answer to a client key what it may still do, and count it for all processes once it is answered."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        counting, counted = limiter(), getattr(request, "counted_key", None)
        if counting is None or counted is None:
            return response
        key, rate = counted
        response["X-RateLimit-Limit"] = str(rate.limit)
        response["X-RateLimit-Remaining"] = str(rate.remaining)
        response["X-RateLimit-Reset"] = str(rate.reset)
        # What was asked is answered, also while the database is away; it is counted with the next request.
        with contextlib.suppress(Error):
            counting.tell(key, time.time())
        return response
