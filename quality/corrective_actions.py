"""Corrective and preventive actions on a non-conformance: said, done, and looked at whether they had their effect."""

from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from core import master_data
from core.errors import Conflict, Invalid
from quality.dispositions import held
from quality.models import CorrectiveAction, NonConformance

_Status = NonConformance.Status


@transaction.atomic
def add_action(
    *,
    nonconformance: NonConformance,
    description: str,
    owner: User,
    due_date: date,
    check_date: date,
    kind: str = CorrectiveAction.Kind.CORRECTIVE,
) -> CorrectiveAction:
    """Say what is done so that it does not happen again, by whom, by when, and when its effect is looked at. Once."""
    ncr = held(nonconformance)
    if ncr.status == _Status.CLOSED:
        raise Conflict("It is closed.", field="nonconformance")
    said = {"kind": kind, "description": description.strip(), "owner": owner}
    said |= {"due_date": due_date, "check_date": check_date}
    known = ncr.actions.filter(**said).first()
    if known is not None:
        return known
    action = CorrectiveAction(nonconformance=ncr, **said)
    master_data.save(action)
    if ncr.status != _Status.ACTION_PENDING:
        ncr.status = _Status.ACTION_PENDING
        ncr.save()
    return action


@transaction.atomic
def finish_action(*, action: CorrectiveAction, note: str, actor: User, done_at: datetime) -> CorrectiveAction:
    """Say that an action was done. The same again changes nothing."""
    action = CorrectiveAction.objects.select_for_update().get(pk=action.pk)
    if action.done_at is not None:
        return action
    if actor.pk != action.owner_id and not actor.may("change", "nonconformance", action.nonconformance.site_id):
        raise Invalid(f"It is {action.owner}'s.", field="owner")
    action.done_at, action.done_note = done_at, note
    return master_data.save(action)


@transaction.atomic
def check_action(
    *, action: CorrectiveAction, verdict: str, note: str, actor: User, checked_at: datetime
) -> CorrectiveAction:
    """Say whether an action had its effect: not before it is done, nor before its day, and not by its owner."""
    action = CorrectiveAction.objects.select_for_update().get(pk=action.pk)
    if verdict not in CorrectiveAction.Verdict.values:
        raise Invalid(f"One of {', '.join(CorrectiveAction.Verdict.values)}.", field="verdict")
    if action.verdict:
        if (action.verdict, action.checked_by_id) == (verdict, actor.pk):
            return action
        raise Conflict(f"{action.checked_by} checked it already.", field="verdict")
    if action.done_at is None:
        raise Conflict("It is not done yet.", field="verdict")
    day = checked_at.astimezone(action.nonconformance.site.zone).date()
    if day < action.check_date:
        raise Conflict(f"Its effect can be seen from {action.check_date:%Y-%m-%d} on.", field="check_date")
    if actor.pk == action.owner_id:
        raise Conflict("Its owner does not check it; ask somebody else.", field="checked_by")
    action.verdict, action.checked_at, action.checked_by, action.check_note = verdict, checked_at, actor, note
    return master_data.save(action)
