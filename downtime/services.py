"""Write what machines and people say about states."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from accounts.models import User
from core.announcements import announce
from core.changes import Change, mark
from core.errors import Conflict, Invalid
from core.facts import Answer, Key, append, fact_cursor, insert_new
from core.locks import take_turns
from core.master_data import follows, precedes, save
from core.partitions import make_room
from core.retention import closed_until, refuse_closed
from downtime.models import ReasonRule, StateCorrection, StateHistory, StateReason
from downtime.selectors import words_on
from enterprise.models import Machine
from enterprise.selectors import machines_below

_LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)
# A word on a state that has only just begun, or is a little ahead of our clock, is of some length.
_AT_LEAST = timedelta(seconds=1)

StateValue = tuple[int, str]
"""Reason id and detail: what must agree for a delivery to be a repetition."""


class NewState(NamedTuple):
    """A machine went into a state, as somebody reports it."""

    machine_id: int
    occurred_at: datetime
    reason_id: int
    detail: str = ""
    source: str = ""


@transaction.atomic(savepoint=False)
def record_states(states: Sequence[NewState], *, recorded_at: datetime) -> list[Answer[StateValue]]:
    """Append state facts and answer each, in order. Machines and reasons must exist: the caller looked them up."""
    if not states:
        return []
    keys = [(state.machine_id, state.occurred_at) for state in states]
    # Of repetitions within one delivery the first counts, also as to who delivered it.
    sources = {key: state.source for key, state in zip(reversed(keys), reversed(states), strict=True)}
    answers, new = append(
        list(zip(keys, ((state.reason_id, state.detail) for state in states), strict=True)),
        insert=lambda facts: _insert(facts, sources, recorded_at),
        look_up=_look_up,
    )
    _mark_new(new)
    announce("machine", {machine_id for machine_id, _ in new})
    return answers


class NewGap(NamedTuple):
    """What a machine sent between two moments is lost, as somebody reports it."""

    machine_id: int
    starts_at: datetime
    ends_at: datetime
    cause: str
    source: str = ""


@transaction.atomic(savepoint=False)
def record_gaps(gaps: Sequence[NewGap], *, recorded_at: datetime) -> list[bool]:
    """Append gaps and say of each, in order, whether it is new."""
    if not gaps:
        return []
    ordered = sorted(set(gaps))
    with fact_cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO downtime_signalgap (machine_id, starts_at, ends_at, cause, recorded_at, source)
            SELECT machine_id, starts_at, ends_at, cause, %s, source
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[])
                AS gap (machine_id, starts_at, ends_at, cause, source)
            ON CONFLICT DO NOTHING RETURNING machine_id, starts_at, ends_at
            """,
            [recorded_at, *map(list, zip(*ordered, strict=True))],
        )
        new = set(cursor.fetchall())
    mark(Change(machine_id, starts_at, ends_at) for machine_id, starts_at, ends_at in new)
    announce("machine", {machine_id for machine_id, *_ in new})
    answers = []
    for gap in gaps:
        answers.append(gap[:3] in new)
        new.discard(gap[:3])
    return answers


def _insert(facts: Mapping[Key, StateValue], sources: Mapping[Key, str], recorded_at: datetime) -> set[Key]:
    moments = [key[1] for key in facts]
    make_room("downtime_statehistory", moments)
    return insert_new(
        """
        INSERT INTO downtime_statehistory (machine_id, occurred_at, reason_id, detail, recorded_at, source)
        SELECT machine_id, occurred_at, reason_id, detail, %s, source
        FROM unnest(%b::bigint[], %b::timestamptz[], %b::bigint[], %b::text[], %b::text[])
            AS fact (machine_id, occurred_at, reason_id, detail, source)
        ORDER BY machine_id, occurred_at
        ON CONFLICT DO NOTHING RETURNING machine_id, occurred_at
        """,
        [
            recorded_at,
            [key[0] for key in facts],
            moments,
            [reason_id for reason_id, _ in facts.values()],
            [detail for _, detail in facts.values()],
            [sources[key] for key in facts],
        ],
        facts.keys(),
    )


def _look_up(keys: list[Key]) -> dict[Key, StateValue]:
    with fact_cursor() as cursor:
        cursor.execute(
            """
            SELECT machine_id, occurred_at, reason_id, detail
            FROM downtime_statehistory
            JOIN unnest(%b::bigint[], %b::timestamptz[]) AS wanted (machine_id, occurred_at)
                USING (machine_id, occurred_at)
            """,
            [[key[0] for key in keys], [key[1] for key in keys]],
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in cursor.fetchall()}


def _mark_new(new: set[Key]) -> None:
    """Mark each machine from its first new state to the state that follows its last new one, or open.

    Where somebody spoke of a stop that was not over, a new state may have ended it, so the mark reaches to where it
    would have ended without: the next running state.
    """
    if not new:
        return
    spans: dict[int, tuple[datetime, datetime]] = {}
    for machine_id, at in new:
        first, last = spans.get(machine_id, (at, at))
        spans[machine_id] = min(first, at), max(last, at)
    with fact_cursor() as cursor:
        cursor.execute(
            """
            SELECT span.machine_id, span.first, (
                SELECT occurred_at FROM downtime_statehistory
                WHERE machine_id = span.machine_id AND occurred_at > span.last AND (
                    NOT EXISTS (
                        SELECT FROM downtime_statecorrection word WHERE word.machine_id = span.machine_id
                        AND word.starts_at < span.last AND word.until_running
                    )
                    OR reason_id IN (SELECT id FROM downtime_statereason WHERE category = 'running')
                )
                ORDER BY occurred_at LIMIT 1
            )
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS span (machine_id, first, last)
            """,
            [list(spans), [first for first, _ in spans.values()], [last for _, last in spans.values()]],
        )
        mark(Change(*row) for row in cursor.fetchall())


class Word(NamedTuple):
    """What a person says of a span: its reason (None = as the machine said).

    Open-ended: until the machine runs again.
    """

    starts_at: datetime
    ends_at: datetime | None
    reason: StateReason | None


@transaction.atomic
def correct_state(
    *,
    machine: Machine,
    starts_at: datetime,
    ends_at: datetime | None,
    reason: StateReason | None,
    comment: str,
    actor: User,
    recorded_at: datetime,
    replaces_running: bool = False,
    seen_correction_id: int | None = None,
) -> StateCorrection:
    """Append a person's word on a span of a machine's time; what was said before stays readable.

    Without a reason it takes back what people said of the span. Raises Invalid for an empty span, a missing comment or
    an inactive reason, and Conflict when somebody corrected the span after `seen_correction_id`, the newest correction
    that the editor saw (0 = none; None = do not check).
    """
    if not comment.strip():
        raise Invalid("Say why: a correction needs a comment.", field="comment")
    _refuse_word(starts_at, ends_at, reason)
    refuse_stale(machine, starts_at, ends_at, seen_correction_id)
    correction = StateCorrection.objects.create(
        machine=machine,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        replaces_running=replaces_running,
        comment=comment.strip(),
        corrected_by=actor,
        recorded_at=recorded_at,
    )
    mark([Change(machine.pk, starts_at, ends_at)])
    announce("machine", [machine.pk])
    return correction


@transaction.atomic
def say_of_stop(
    *,
    machine: Machine,
    words: Sequence[Word],
    comment: str,
    actor: User,
    recorded_at: datetime,
    seen_correction_id: int | None,
) -> list[StateCorrection]:
    """Append a person's words on a stop, all or none; given in order, without overlap. Without an end, the last holds
    until the machine says again that it runs.

    Raises as `correct_state` does, except that no comment is needed here; the guard is about all of the words' time.
    """
    for word in words:
        _refuse_word(*word)
    start, end = words[0].starts_at, words[-1].ends_at
    refuse_stale(machine, start, end, seen_correction_id)
    said = [
        StateCorrection.objects.create(
            machine=machine,
            starts_at=word.starts_at,
            ends_at=word.ends_at,
            until_running=word.ends_at is None,
            reason=word.reason,
            comment=comment.strip(),
            corrected_by=actor,
            recorded_at=recorded_at,
        )
        for word in words
    ]
    mark([Change(machine.pk, start, end)])
    announce("machine", [machine.pk])
    return said


def _refuse_word(starts_at: datetime, ends_at: datetime | None, reason: StateReason | None) -> None:
    if ends_at is not None and ends_at <= starts_at:
        raise Invalid("The corrected span must end after it starts.", field="ends_at")
    if reason is not None and not reason.is_active:
        raise Invalid(f"'{reason}' is switched off; choose another reason.", field="reason")
    refuse_closed(starts_at, field="starts_at")


def refuse_stale(
    machine: Machine, starts_at: datetime, ends_at: datetime | None, seen_correction_id: int | None
) -> None:
    """Let editors of one machine take turns, so that each sees the word of the one before;
    refuse the one who did not.
    """
    Machine.objects.select_for_update().get(pk=machine.pk)
    if seen_correction_id is None:
        return
    newest = words_on(machine.pk, starts_at, ends_at).values_list("id", flat=True).first()
    if (newest or 0) != seen_correction_id:
        raise Conflict("Somebody else corrected this time since you looked; look again.")


def correct_fact(
    *, fact: StateHistory, reason: StateReason, comment: str, actor: User, recorded_at: datetime
) -> StateCorrection:
    """Append a person's word on the whole time that one state fact lasts, up to the machine's next state.

    On the newest state the word says nothing of the future: it holds until the machine runs again, or, where running is
    at issue, up to now. Its part in closed time stays as it is; raises Closed when there is no other.
    """
    following = (
        StateHistory.objects.filter(machine_id=fact.machine_id, occurred_at__gt=fact.occurred_at)
        .order_by("occurred_at")
        .values_list("occurred_at", flat=True)
        .first()
    )
    running = StateReason.Category.RUNNING
    starts_at, closed = fact.occurred_at, closed_until()
    if closed is not None and starts_at < closed and (following is None or following > closed):
        # What it lasted in closed time is final; the rest can still be corrected.
        starts_at = closed
    replaces_running = running in (fact.reason.category, reason.category)
    if following is None and not replaces_running:
        if not comment.strip():
            raise Invalid("Say why: a correction needs a comment.", field="comment")
        (word,) = say_of_stop(
            machine=fact.machine,
            words=[Word(starts_at, None, reason)],
            comment=comment,
            actor=actor,
            recorded_at=recorded_at,
            seen_correction_id=None,
        )
        return word
    return correct_state(
        machine=fact.machine,
        starts_at=starts_at,
        ends_at=following or max(recorded_at, starts_at + _AT_LEAST),
        reason=reason,
        comment=comment,
        actor=actor,
        recorded_at=recorded_at,
        replaces_running=replaces_running,
    )


def no_data_reason() -> StateReason:
    """Return the reason that says that nothing is known of a machine; it is made when the plant has none."""
    reasons = StateReason.objects.without_tree_fields().filter(category=StateReason.Category.NO_DATA, is_active=True)
    found: StateReason | None = reasons.order_by("id").first()
    if found is not None:
        return found
    with transaction.atomic():
        # Two processes may both find none.
        take_turns("downtime.no_data_reason")
        found = reasons.order_by("id").first()
        return found or save(
            StateReason(
                code="no-data", name="No data", category=StateReason.Category.NO_DATA, operator_selectable=False
            )
        )


@precedes(StateReason)
def decide_failure(reason: StateReason) -> None:
    """Count an unplanned stop as a failure unless somebody said otherwise."""
    if reason.is_failure is None:
        reason.is_failure = reason.category == StateReason.Category.UNPLANNED


@follows(ReasonRule)
def rule_changed(*, before: ReasonRule | None, after: ReasonRule | None) -> None:
    """Mark the time in which a rule gave or gives stops their reason, on the machines of its place."""
    changes = [
        Change(machine_id, rule.valid_from or _LONG_AGO)
        for rule in (before, after)
        if rule is not None and rule.is_active
        for machine_id in machines_below(rule)
    ]
    mark(changes)
    announce("machine", {change.subject_id for change in changes})


@follows(StateReason)
def reason_changed(*, before: StateReason | None, after: StateReason | None) -> None:
    """Mark all that a reason colours when what it means for OEE changed."""
    if before is None or after is None or before.category == after.category:
        return
    with fact_cursor() as cursor:
        cursor.execute(
            """
            SELECT machine_id, min(at) FROM (
                SELECT machine_id, occurred_at AS at FROM downtime_statehistory WHERE reason_id = %(reason)s
                UNION ALL SELECT machine_id, starts_at FROM downtime_statecorrection WHERE reason_id = %(reason)s
            ) AS used GROUP BY machine_id
            """,
            {"reason": after.pk},
        )
        changes = [Change(machine_id, at) for machine_id, at in cursor.fetchall()]
    for rule in ReasonRule.objects.filter(reason=after, is_active=True):
        changes += (Change(machine_id, rule.valid_from or _LONG_AGO) for machine_id in machines_below(rule))
    mark(changes)
    announce("machine", {change.subject_id for change in changes})
