"""Read calls for help: which are open and who should know by now, and how long it took until somebody came."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from django.db.models import QuerySet

from andon.models import AndonCall, AndonStep, CallType, EscalationStep
from core.intervals import Interval
from core.shared_reads import once

_Kind = AndonStep.Kind
MOST_OPEN = 500
"""So many open calls are shown at most, the oldest first: more are no list to act on."""
MOST_MEASURED = 20_000
_STOPPED_BY: dict[str, tuple[str, ...]] = {
    # Whoever arrives has acknowledged; what is fixed needs nobody.
    EscalationStep.Until.ACKNOWLEDGED: (_Kind.ACKNOWLEDGED, _Kind.ARRIVED, _Kind.FIXED, _Kind.CANCELLED),
    EscalationStep.Until.ARRIVED: (_Kind.ARRIVED, _Kind.FIXED, _Kind.CANCELLED),
    EscalationStep.Until.FIXED: (_Kind.FIXED, _Kind.CANCELLED),
}


@dataclass(frozen=True, slots=True)
class Escalation:
    """That somebody has to know of a call, and since when."""

    call: AndonCall
    step: EscalationStep
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that is not over: since when, who acted last, who should know by now, and when the next ones have to.

    Read with it: its type, its machine with line, area and site, its order.
    """

    call: AndonCall
    last_step: AndonStep
    first_note: str
    should_know: tuple[Escalation, ...]
    next_at: datetime | None
    now: datetime

    @property
    def waited(self) -> timedelta:
        """How long ago it was called."""
        return max(self.now - self.call.called_at, timedelta(0))

    @property
    def is_answered(self) -> bool:
        """Whether anybody did anything about it yet."""
        return self.call.status != AndonCall.Status.CALLED

    @property
    def who_should_know(self) -> tuple[str, ...]:
        """Whom it has escalated to, in words, the first told first."""
        return tuple(dict.fromkeys(escalation.step.who for escalation in self.should_know))


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """How long calls of one type took, in seconds, exact means over those that got so far; None = none did."""

    call_type: CallType
    calls: int
    cancelled: int
    escalated: int
    acknowledged: Fraction | None
    arrived: Fraction | None
    fixed: Fraction | None


def open_calls(*, now: datetime, site_ids: Any = None, machine_ids: Any = None) -> list[OpenCall]:
    """Return the calls that are not over, the oldest first, at most 500: of some sites, of some machines, or all.

    Four queries, whatever their number.
    """
    calls: QuerySet[AndonCall] = AndonCall.objects.filter(status__in=AndonCall.OPEN, called_at__lte=now)
    if site_ids is not None:
        calls = calls.filter(machine__line__area__site__in=site_ids)
    if machine_ids is not None:
        calls = calls.filter(machine__in=machine_ids)
    found = list(
        calls.select_related("call_type", "machine__line__area__site", "work_order").order_by("called_at", "id")[
            :MOST_OPEN
        ]
    )
    return as_they_stand(found, now=now)


def as_they_stand(calls: Sequence[AndonCall], *, now: datetime) -> list[OpenCall]:
    """Return calls with what was done about them and who should know. Two queries."""
    steps = _steps_of(calls)
    ladder = _ladders({one.call_type_id for one in calls})
    found = []
    for one in calls:
        taken = steps[one.pk]
        known = _escalated(one, taken, ladder[one.call_type_id], now)
        later = [
            _since(one, step)
            for step in ladder[one.call_type_id]
            if one.is_open and _stop_of(step, taken) is None and _since(one, step) > now
        ]
        acts = [step for step in taken if step.kind != _Kind.ESCALATED]
        found.append(OpenCall(one, acts[-1], taken[0].note, tuple(known), min(later, default=None), now))
    return found


def escalations_of(calls: Sequence[AndonCall], *, now: datetime) -> list[Escalation]:
    """Return who had to know of calls by a moment and since when, those escalations that acting in time stopped left
    out.
    """
    steps, ladder = _steps_of(calls), _ladders({one.call_type_id for one in calls})
    return [escalation for one in calls for escalation in _escalated(one, steps[one.pk], ladder[one.call_type_id], now)]


def due_escalations(*, now: datetime, limit: int) -> list[Escalation]:
    """Return escalations of open calls that have come due and are not written yet, the oldest calls first."""
    calls = AndonCall.objects.filter(status__in=AndonCall.OPEN, called_at__lte=now).order_by("called_at", "id")
    found = escalations_of(list(calls.select_related("call_type", "machine")[:MOST_OPEN]), now=now)
    written = set(
        AndonStep.objects.filter(kind=_Kind.ESCALATED, call__in={one.call.pk for one in found})
        .order_by()
        .values_list("call", "after_minutes", "told_role", "told_person")
    )
    return [
        one for one in found if (one.call.pk, one.step.after_minutes, one.step.role, one.step.person_id) not in written
    ][:limit]


def _steps_of(calls: Sequence[AndonCall]) -> dict[int, list[AndonStep]]:
    steps: dict[int, list[AndonStep]] = defaultdict(list)
    rows = AndonStep.objects.filter(call__in=[one.pk for one in calls])
    for step in rows.select_related("recorded_by").order_by("id"):
        steps[step.call_id].append(step)
    return steps


def _ladders(type_ids: Iterable[int]) -> dict[int, list[EscalationStep]]:
    ladders: dict[int, list[EscalationStep]] = defaultdict(list)
    for step in EscalationStep.objects.filter(call_type__in=list(type_ids)).select_related("person"):
        ladders[step.call_type_id].append(step)
    return ladders


def _since(call: AndonCall, step: EscalationStep) -> datetime:
    return call.called_at + timedelta(minutes=step.after_minutes)


def _stop_of(step: EscalationStep, taken: Sequence[AndonStep]) -> datetime | None:
    """Return when what an escalation waits for was done; None = it was not."""
    return min((one.occurred_at for one in taken if one.kind in _STOPPED_BY[step.unless]), default=None)


def _escalated(
    call: AndonCall, taken: Sequence[AndonStep], ladder: Sequence[EscalationStep], now: datetime
) -> list[Escalation]:
    found = []
    for step in ladder:
        since, stopped_at = _since(call, step), _stop_of(step, taken)
        # At the very moment is in time.
        if since <= now and (stopped_at is None or stopped_at > since):
            found.append(Escalation(call, step, since))
    return sorted(found, key=lambda one: (one.since, one.step.pk))


def response_times(machines: Any, window: Interval, *, now: datetime) -> list[ResponseTimes]:
    """Return for each type how long calls at some machines took that were made in a window, up to now.

    Until somebody acknowledged, came, fixed it: each counted from the call, each mean over the calls that got so far.
    Who came without acknowledging has acknowledged then. Cancelled calls count as calls and take no part in the means.
    At most the newest 20,000 calls are measured.
    """
    calls = list(
        AndonCall.objects.filter(machine__in=machines, called_at__gte=window.start, called_at__lt=min(window.end, now))
        .select_related("call_type")
        .order_by("-called_at")[:MOST_MEASURED]
    )
    moments: dict[int, dict[str, datetime]] = defaultdict(dict)
    for call_id, kind, at in (
        AndonStep.objects.filter(call__in=[one.pk for one in calls])
        .order_by("id")
        .values_list("call", "kind", "occurred_at")
    ):
        moments[call_id].setdefault(kind, at)
    by_type: dict[int, list[AndonCall]] = defaultdict(list)
    for one in calls:
        by_type[one.call_type_id].append(one)
    return sorted(
        (_times(of_type, moments) for of_type in by_type.values()),
        key=lambda row: (row.call_type.position, row.call_type.code),
    )


def _times(calls: Sequence[AndonCall], moments: dict[int, dict[str, Any]]) -> ResponseTimes:
    lengths: dict[str, list[Fraction]] = defaultdict(list)
    for one in calls:
        if one.status == AndonCall.Status.CANCELLED:
            continue
        taken, reached = moments[one.pk], None
        # The last stage first: what came later was reached at the latest then.
        for kind in (_Kind.FIXED, _Kind.ARRIVED, _Kind.ACKNOWLEDGED):
            reached = min(filter(None, (taken.get(kind), reached)), default=None)
            if reached is not None:
                lengths[kind].append(Fraction((reached - one.called_at) // timedelta(microseconds=1), 10**6))
    means = {kind: sum(of_kind, Fraction(0)) / len(of_kind) for kind, of_kind in lengths.items()}
    return ResponseTimes(
        call_type=calls[0].call_type,
        calls=len(calls),
        cancelled=sum(one.status == AndonCall.Status.CANCELLED for one in calls),
        escalated=sum(_Kind.ESCALATED in moments[one.pk] for one in calls),
        acknowledged=means.get(_Kind.ACKNOWLEDGED),
        arrived=means.get(_Kind.ARRIVED),
        fixed=means.get(_Kind.FIXED),
    )


def call_types() -> list[CallType]:
    """Return what people may call for, in its order."""
    return once("call types", lambda: list(CallType.objects.filter(is_active=True)), kept=True)
