"""Say up to when time is closed: its raw facts are gone, and what was computed of it is final."""

from datetime import datetime

from django.db import connection

from core.errors import Invalid
from core.models import Retention
from core.shared_reads import once

REMEMBER_SECONDS = 1.0

_remembered: dict[str, tuple[float, datetime | None]] = {}


class Closed(Invalid):
    """The request concerns time whose raw facts are gone."""


def closed_until() -> datetime | None:
    """Return the moment before which time is closed; None while nothing was pruned."""
    rows = Retention.objects.filter(closed_until__isnull=False).values_list("closed_until", flat=True)
    return once("closed_until", rows.first, kept=True)


def closed_until_of_late(*, clock: float) -> datetime | None:
    """Return the same as it was within the last second; `clock` is monotonic seconds. For writers in a hurry.

    Who comes in the second in which time is closed meets the database, which refuses facts of closed time itself.
    """
    name = connection.settings_dict["NAME"]
    known = _remembered.get(name)
    if known is None or clock - known[0] > REMEMBER_SECONDS:
        known = _remembered[name] = clock, closed_until()
    return known[1]


def forget() -> None:
    """Forget what is remembered, so that the next writer asks the database."""
    _remembered.clear()


def refuse_closed(at: datetime, *, field: str) -> None:
    """Raise Closed for a moment in closed time."""
    until = closed_until()
    if until is not None and at < until:
        raise Closed(too_old(until), field=field, code="too_old")


def too_old(until: datetime) -> str:
    """Return the words in which a moment in closed time is refused."""
    return f"Time before {until:%Y-%m-%d %H:%M} UTC is closed: its raw facts are pruned, and its numbers are final."


def counts_from() -> str | None:
    """Return what to say to somebody who changed what a whole past depends on; None while nothing is closed."""
    until = closed_until()
    if until is None:
        return None
    return f"Hours before {until:%Y-%m-%d %H:%M} UTC are final, because their raw facts are pruned: the change counts from then on."
