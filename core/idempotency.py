"""Give a repeated REST request the answer of the first: one effect, however often a client sends it.

A POST may name an `Idempotency-Key` that its sender made up. The answer is kept in the transaction of the effect: both
are there, or neither. Concurrent repetitions take turns. An answer of 500 or more is not kept: then nothing was done.
"""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Invalid, Unprocessable
from core.idempotency_models import IdempotentAnswer
from core.locks import take_turns

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replay"
MAX_KEY = 200


def _keyed_hash(body: bytes) -> str:
    """Return a hash of a body that nobody without our secret can try passwords against: some bodies carry one."""
    return hmac.new(settings.SECRET_KEY.encode(), body, hashlib.sha256).hexdigest()


class _Answered(Exception):
    """The request was answered before; this is the answer."""

    def __init__(self, stored: IdempotentAnswer) -> None:
        super().__init__(stored.key)
        self.stored = stored


class Idempotent:
    """Let the POSTs of a view be repeated without a second effect."""

    _to_keep: IdempotentAnswer | None = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Handle a request with a key, and keep its answer, in one transaction."""
        if request.method != "POST" or HEADER not in request.headers:
            return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        with transaction.atomic():
            # What the database refused is rolled back alone; that it was refused is an answer, too.
            with transaction.atomic():
                response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
            asked = self._to_keep
            if asked is not None and isinstance(response, Response) and response.status_code < 500:
                asked.status_code = response.status_code
                asked.answer = JSONRenderer().render(response.data).decode() or "null"
                asked.save(force_insert=True)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Once the caller is known: wait for the key's turn, and stop here when it was used before."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        key = request.headers.get(HEADER)
        if request.method != "POST" or key is None:
            return
        if not 0 < len(key) <= MAX_KEY or not key.isprintable():
            raise Invalid(f"The header {HEADER} is a text of 1 to {MAX_KEY} characters.")
        asked = IdempotentAnswer(
            caller=cast(Any, request.user),
            key=key,
            method=request.method,
            path=request.get_full_path(),
            body_hash=_keyed_hash(request._request.body),
            recorded_at=timezone.now(),
        )
        take_turns(f"idempotency {key}", asked.caller_id)
        stored = IdempotentAnswer.objects.filter(caller=asked.caller_id, key=key).first()
        if stored is None:
            self._to_keep = asked
            return
        if (stored.method, stored.path, stored.body_hash) != (asked.method, asked.path, asked.body_hash):
            raise Unprocessable(
                f"The key was used for another request ({stored.method} {stored.path}); a new request needs a new key."
            )
        raise _Answered(stored)

    def handle_exception(self, error: Exception) -> Any:
        """Answer as before when it was answered before."""
        if isinstance(error, _Answered):
            stored = error.stored
            return Response(json.loads(stored.answer), status=stored.status_code, headers={REPLAYED: "true"})
        return super().handle_exception(error)  # type: ignore[misc]


def forget_answers(*, now: datetime) -> int:
    """Remove answers that are older than the setting keeps them; return how many."""
    before = now - timedelta(hours=settings.IDEMPOTENCY_KEEP_HOURS)
    return IdempotentAnswer.objects.filter(recorded_at__lt=before).delete()[0]
