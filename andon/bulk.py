"""Write many calls of the past at once, each with what was done about it and whom it escalated to;
by the rules of `services`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from andon.models import AndonCall, AndonStep, CallType
from andon.selectors import escalations_of
from andon.services import advance, called_already, refuse_call
from core.announcements import announce
from core.bulk import insert
from core.errors import Invalid
from enterprise.models import Machine
from workorders.models import WorkOrder

_Kind = AndonStep.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A step that was taken, and by whom; written down when it was."""

    kind: str
    at: datetime
    actor: User
    person: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCall:
    """Somebody called for help at a machine; `steps` in the order in which they were taken."""

    call_type: CallType
    machine: Machine
    at: datetime
    actor: User
    person: str = ""
    note: str = ""
    work_order: WorkOrder | None = None
    steps: Sequence[Taken] = ()


@transaction.atomic
def load_calls(new: Sequence[NewCall], *, now: datetime) -> list[AndonCall]:
    """Write calls with their steps, and with the escalations that had come due by `now`.

    Machines and orders come with their line and area. Raises Invalid for what nobody could call for and for a step
    before the one before it, Conflict for a step that a call's life does not have and where the same was called for
    already.
    """
    ordered = sorted(new, key=lambda one: one.at)
    calls, steps = [], []
    for one in ordered:
        refuse_call(one.call_type, one.machine, one.work_order)
        call = AndonCall(call_type=one.call_type, machine=one.machine, work_order=one.work_order, called_at=one.at)
        before = one.at
        steps.append(
            _step(call, Taken(kind=_Kind.CALLED, at=one.at, actor=one.actor, person=one.person, note=one.note))
        )
        for taken in one.steps:
            if not before <= taken.at <= now:
                raise Invalid("Steps are taken one after the other.", field="at")
            advance(call, taken.kind, at=taken.at)
            steps.append(_step(call, taken))
            before = taken.at
        calls.append(call)
    _refuse_twice(ordered, calls)
    insert(calls)
    for step in steps:
        step.call = step.call  # It has a key by now.
    insert(sorted(steps, key=lambda step: step.occurred_at))
    insert(
        [
            AndonStep(
                call=due.call,
                kind=_Kind.ESCALATED,
                after_minutes=due.step.after_minutes,
                told_role=due.step.role,
                told_person=due.step.person,
                occurred_at=due.since,
                recorded_at=due.since,
            )
            for due in escalations_of(calls, now=now)
        ]
    )
    announce("machine", {call.machine_id for call in calls})
    announce("andon", {call.pk for call in calls})
    return calls


def _step(call: AndonCall, taken: Taken) -> AndonStep:
    return AndonStep(
        call=call,
        kind=taken.kind,
        occurred_at=taken.at,
        recorded_at=taken.at,
        recorded_by=taken.actor,
        person=taken.person.strip(),
        note=taken.note.strip(),
    )


def _refuse_twice(ordered: Sequence[NewCall], calls: Sequence[AndonCall]) -> None:
    """Raise Conflict where the same was called for at a machine before the call before it was over."""
    by_place: dict[tuple[int, int], list[tuple[NewCall, AndonCall]]] = defaultdict(list)
    for one, call in zip(ordered, calls, strict=True):
        by_place[call.machine_id, call.call_type_id].append((one, call))
    still_open = AndonCall.objects.filter(
        status__in=AndonCall.OPEN,
        machine__in={machine for machine, _ in by_place},
        call_type__in={call_type for _, call_type in by_place},
    )
    known = set(still_open.values_list("machine", "call_type"))
    for place, pairs in by_place.items():
        for number, (one, call) in enumerate(pairs):
            follows = pairs[number + 1][0] if number + 1 < len(pairs) else None
            is_over = not call.is_open and (follows is None or one.steps[-1].at <= follows.at)
            if place in known or (follows is not None and not is_over):
                raise called_already(one.call_type, one.machine)
