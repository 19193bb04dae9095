"""Write calls for help and what is done about them.

A step that a call's life does not have is refused with those it has.

Every write may carry a key; a retry with the same key answers what the first one did.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from andon.models import AndonCall, AndonStep, CallType
from andon.selectors import due_escalations
from core.announcements import announce
from core.errors import Conflict, Invalid
from core.fact_api import refuse_future
from core.locks import take_turns
from enterprise.models import Machine
from workorders.models import WorkOrder

_Status, _Kind = AndonCall.Status, AndonStep.Kind
AFTER: dict[str, tuple[str, ...]] = {
    _Status.CALLED: (_Kind.ACKNOWLEDGED, _Kind.ARRIVED, _Kind.FIXED, _Kind.CANCELLED),
    _Status.ACKNOWLEDGED: (_Kind.ARRIVED, _Kind.FIXED, _Kind.CANCELLED),
    _Status.ARRIVED: (_Kind.FIXED, _Kind.CANCELLED),
    _Status.FIXED: (),
    _Status.CANCELLED: (),
}
"""The steps that may be taken from each status; whoever comes at once need not acknowledge first."""
ESCALATED_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a step is taken: when, through which log-in, in whose name at a shared terminal, and what they say."""

    at: datetime
    recorded_at: datetime
    actor: User
    person: str = ""
    note: str = ""
    idempotency_key: str | None = None


class Answer(NamedTuple):
    """A call as it stands after a request, and whether the request did anything new."""

    call: AndonCall
    is_new: bool


@transaction.atomic
def call(*, call_type: CallType, machine: Machine, said: Said, work_order: WorkOrder | None = None) -> Answer:
    """Call for help at a machine.

    Raises Invalid for a type that is switched off or an order of another site, and Conflict when the same is called for
    there already: one call is enough.
    """
    key = said.idempotency_key
    if key:
        take_turns(f"andon call {key}")
        known = AndonCall.objects.filter(idempotency_key=key).select_related("call_type", "machine").first()
        if known is not None:
            if (known.call_type_id, known.machine_id) != (call_type.pk, machine.pk):
                raise Conflict(_("Another call was made under that key; it stays."), field="idempotency_key")
            return Answer(known, False)
    _refuse_future(said)
    refuse_call(call_type, machine, work_order)
    take_turns("andon calls of a machine", machine.pk)
    if AndonCall.objects.filter(machine=machine, call_type=call_type, status__in=AndonCall.OPEN).exists():
        raise called_already(call_type, machine)
    made = AndonCall.objects.create(
        call_type=call_type,
        machine=machine,
        work_order=work_order,
        called_at=said.at,
        idempotency_key=key or None,
    )
    _write(made, _Kind.CALLED, said)
    return Answer(made, True)


def refuse_call(call_type: CallType, machine: Machine, work_order: WorkOrder | None) -> None:
    """Raise Invalid for what nobody can call for: a type or machine that is switched off, an order of another site."""
    if not call_type.is_active:
        raise Invalid(_("That is not called for any more; choose another type."), field="call_type")
    if not machine.is_active:
        raise Invalid(_("That machine is switched off."), field="machine")
    if work_order is not None and work_order.line.area.site_id != machine.line.area.site_id:
        raise Invalid(_("That order is at another site than the machine."), field="work_order")


def called_already(call_type: CallType, machine: Machine) -> Conflict:
    """Return the refusal of a second call for the same at one machine."""
    return Conflict(
        _("'%(type)s' is called for at %(machine)s already.") % {"type": call_type, "machine": machine},
        field="call_type",
        code="open",
    )


@transaction.atomic
def take_step(*, call: AndonCall, kind: str, said: Said) -> Answer:
    """Acknowledge a call, arrive, fix it, or cancel it.

    Raises Conflict for a step that cannot be taken from where the call is (`facts["allowed"]` lists those that can),
    and Invalid for a moment before the call.
    """
    key = said.idempotency_key
    if key:
        take_turns(f"andon step {key}")
        known = AndonStep.objects.filter(idempotency_key=key).first()
        if known is not None:
            if (known.call_id, known.kind) != (call.pk, kind):
                raise Conflict(_("Another step was taken under that key; it stays."), field="idempotency_key")
            return Answer(call, False)
    _refuse_future(said)
    locked = AndonCall.objects.select_for_update(of=("self",)).get(pk=call.pk)
    advance(locked, kind, at=said.at)
    locked.save(update_fields=["status"])
    call.status = kind
    _write(locked, kind, said)
    return Answer(call, True)


def advance(call: AndonCall, kind: str, *, at: datetime) -> None:
    """Give a call, in memory, the status that a step leads to. Raises as `take_step`."""
    allowed = AFTER[call.status]
    if kind not in allowed:
        can = ", ".join(str(_Kind(one).label) for one in allowed) or _("nothing")
        raise Conflict(
            _("The call is %(status)s; what can be done: %(can)s.")
            % {"status": str(call.get_status_display()).lower(), "can": can},
            field="call",
            code="step",
            facts={"allowed": [str(one) for one in allowed], "status": call.status},
        )
    if at < call.called_at:
        raise Invalid(_("That is before the call."), field="at")
    call.status = kind


@transaction.atomic
def write_escalations(*, now: datetime, recorded_at: datetime) -> list[AndonStep]:
    """Write down, once each, which escalations have come due by `now`; return the new ones. For whoever tells people.

    A step's time is when it came due, not when this was called; so it does not matter how often or how late it is.
    """
    # One at a time; what another one wrote meanwhile is seen.
    take_turns("andon escalations")
    new = []
    for due in due_escalations(now=now, limit=ESCALATED_AT_ONCE):
        step, is_new = AndonStep.objects.get_or_create(
            call=due.call,
            kind=_Kind.ESCALATED,
            after_minutes=due.step.after_minutes,
            told_role=due.step.role,
            told_person=due.step.person,
            defaults={"occurred_at": due.since, "recorded_at": recorded_at},
        )
        if is_new:
            new.append(step)
    announce("machine", {step.call.machine_id for step in new})
    announce("andon", {step.call_id for step in new})
    return new


def _write(call: AndonCall, kind: str, said: Said) -> None:
    AndonStep.objects.create(
        call=call,
        kind=kind,
        occurred_at=said.at,
        recorded_at=said.recorded_at,
        recorded_by=said.actor,
        person=said.person.strip(),
        note=said.note.strip(),
        idempotency_key=said.idempotency_key or None,
    )
    # By the machine the line's live pages are drawn anew; "andon" is for boards of calls.
    announce("machine", [call.machine_id])
    announce("andon", [call.pk])


def _refuse_future(said: Said) -> None:
    try:
        refuse_future(said.at, said.recorded_at)
    except Invalid as refusal:
        raise Invalid(refusal.message, field="at") from None
