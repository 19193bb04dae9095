"""Say again who one is before signing: user name and password, both (21 CFR 11.200)."""

from dataclasses import dataclass
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import authenticate

from accounts.models import User
from core.errors import Invalid, TooManyAttempts


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A person who has just given both components of their signature. Made by `confirm` alone."""

    user: User


def confirm(*, request: Any, username: str, password: str, caller: User | None = None) -> Confirmed:
    """Return who signs, having looked at both components; `caller`: it has to be this person, who is logged in.

    Guessing is slowed down like at the log-in, and together with it. Raises Invalid in the same words whatever was
    wrong, and TooManyAttempts, also for what would be right, after too many failures. Call it outside of a
    transaction that may be rolled back: a failure has to be remembered.
    """
    request = getattr(request, "_request", request)
    if not AxesProxyHandler.is_allowed(request, {"username": username}):
        raise _too_many()
    # A refusal of the person who is logged in would tell whether another one's password was right.
    found = authenticate(request, username=username, password=password)
    if not isinstance(found, User) or (caller is not None and found.pk != caller.pk):
        if not AxesProxyHandler.is_allowed(request, {"username": username}):
            raise _too_many()
        raise Invalid("User name and password do not fit the person who is logged in.", field="password")
    return Confirmed(found)


def _too_many() -> TooManyAttempts:
    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    return TooManyAttempts(
        f"Too many attempts: sign again in {minutes} minutes.", retry_after=minutes * 60, field="password"
    )
