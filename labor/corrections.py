"""Approve hours, and correct them until then: never one's own, with a reason,
and never over somebody else's correction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from core import master_data
from core.errors import Conflict, Invalid
from labor.models import Attendance, LaborEntry

Result = TypeVar("Result", Attendance, LaborEntry)

_REASON_LENGTH = 100


@transaction.atomic
def approve(*, entries: list[LaborEntry], actor: User, at: datetime) -> int:
    """Approve entries that are over; return how many. Nobody approves their own, and what is approved stays so."""
    locked = LaborEntry.objects.select_for_update(of=("self",)).filter(pk__in=[entry.pk for entry in entries])
    approved = 0
    for entry in locked.select_related("employee").order_by("pk"):
        if entry.employee.user_id == actor.pk:
            raise Conflict("Nobody approves their own hours.", field="approved_by")
        if entry.ended_at is None:
            raise Conflict(f"'{entry}' is not over.", field="ended_at")
        if entry.approved_at is None:
            entry.approved_by, entry.approved_at = actor, at
            master_data.save(entry)
            approved += 1
    return approved


@transaction.atomic
def correct_entry(
    *, entry: LaborEntry, actor: User, reason: str, seen: int | None = None, **changes: object
) -> LaborEntry:
    """Change an entry that is not approved; its history keeps what it was, who changed it and why.

    `seen` is the version that was looked at (`version_of`). Raises Conflict once it is approved, for one's own, and
    when somebody else changed it meanwhile.
    """
    entry = LaborEntry.objects.select_for_update(of=("self",)).select_related("employee").get(pk=entry.pk)
    if entry.approved_at is not None:
        raise Conflict("It is approved; nobody changes it any more.", field="approved_at")
    return _correct(entry, actor, reason, seen, changes)


@transaction.atomic
def correct_attendance(
    *, attendance: Attendance, actor: User, reason: str, seen: int | None = None, **changes: object
) -> Attendance:
    """Change when somebody came or left, such as a clock-out that was forgotten.

    Raises Conflict like `correct_entry`.
    """
    locked = Attendance.objects.select_for_update(of=("self",)).select_related("employee")
    return _correct(locked.get(pk=attendance.pk), actor, reason, seen, changes)


def _correct(thing: Result, actor: User, reason: str, seen: int | None, changes: dict[str, object]) -> Result:
    if thing.employee.user_id == actor.pk:
        raise Conflict("Nobody corrects their own hours.", field="employee")
    if seen is not None and seen != version_of(thing):
        raise Conflict("Somebody changed it meanwhile; look again.", field="seen")
    reason = reason.strip()
    if not reason or len(reason) > _REASON_LENGTH:
        raise Invalid(f"Say why, in up to {_REASON_LENGTH} characters.", field="reason")
    for name, value in changes.items():
        setattr(thing, name, value)
    thing._change_reason = reason  # type: ignore[attr-defined]  # read by the history
    return master_data.save(thing)


def version_of(thing: Result) -> int:
    """Return the number of the latest version of an entry or attendance; 0 when it has none."""
    return versions_of([thing])[thing.pk]


def versions_of(things: Sequence[Result]) -> dict[int, int]:
    """Return the numbers of the latest versions of entries, or of attendances, by their ids; 0 = it has none."""
    found = {thing.pk: 0 for thing in things}
    if things:
        history = type(things[0]).history.filter(id__in=found).order_by().values_list("id")
        found |= dict(history.annotate(latest=Max("history_id")))
    return found
