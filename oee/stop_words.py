"""What people say about stops: explain, split, merge, take back; each appends corrections and overwrites nothing.

Every one refuses an editor who did not see the newest word on the time concerned (`seen_correction_id`: the newest
correction that was seen, 0 = none, None = do not check). `ends_at=None` speaks of a stop that is not over: what is said
holds until the machine says again that it runs, also when it has done so meanwhile. Where pieces say when a machine
runs, it holds up to the moment it is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.rights import ADD, CHANGE
from core.errors import Invalid
from core.intervals import Interval, intersect
from downtime.models import StateCorrection, StateReason
from downtime.selectors import reasons_offered, words_on
from downtime.services import Word, refuse_stale, say_of_stop
from enterprise.models import Machine
from oee.engine import Category, Segment, segments
from oee.histories import NOTHING_COUNTED, load_history
from oee.selectors import timelines
from oee.stops import is_unexplained, stretches, unexplaining_reasons

MOST_PARTS = 50
_LONGEST = timedelta(days=400)


@transaction.atomic
def explain_stop(
    *,
    machine: Machine,
    starts_at: datetime,
    ends_at: datetime | None,
    reason: StateReason,
    comment: str,
    actor: User,
    recorded_at: datetime,
    seen_correction_id: int | None,
) -> StateCorrection:
    """Say why a machine stood. The first reason of unexplained time needs no comment, another one does.

    Raises Invalid for time in which the machine did not stand, a reason that is not offered to the person there, or a
    missing comment, and Conflict for an old view.
    """
    refuse_stale(machine, starts_at, ends_at, seen_correction_id)
    pieces = _stood(machine, starts_at, ends_at, now=recorded_at)
    _refuse_reasons([reason], machine, actor)
    if not comment.strip() and not _all_unexplained(pieces, ends_at):
        raise Invalid("Say why: this stop has a reason already.", field="comment")
    return _say(machine, [Word(starts_at, ends_at, reason)], comment, actor, recorded_at, seen_correction_id)[0]


@transaction.atomic
def split_stop(
    *,
    machine: Machine,
    starts_at: datetime,
    ends_at: datetime | None,
    moments: Sequence[datetime],
    reasons: Sequence[StateReason | None],
    comment: str,
    actor: User,
    recorded_at: datetime,
    seen_correction_id: int | None,
) -> list[StateCorrection]:
    """Cut a stop at moments inside it and give each part its reason (None = as the machine said).

    Raises Invalid for moments that are not in order inside the stop, reasons that are not one more than the moments,
    and as `explain_stop` does; the comment is always needed.
    """
    refuse_stale(machine, starts_at, ends_at, seen_correction_id)
    _stood(machine, starts_at, ends_at, now=recorded_at)
    bounds = [starts_at, *moments, ends_at or recorded_at]
    if not moments or any(one >= following for one, following in pairwise(bounds)):
        raise Invalid("Give at least one moment, all of them inside the stop and in order.", field="moments")
    if len(reasons) != len(moments) + 1:
        raise Invalid("Give one reason for each part: one more than there are moments.", field="reasons")
    if len(reasons) > MOST_PARTS:
        raise Invalid(f"A stop is split into at most {MOST_PARTS} parts at once.", field="moments")
    _refuse_reasons([reason for reason in reasons if reason is not None], machine, actor, field="reasons")
    _need_comment(comment)
    words = [
        Word(start, end, reason) for start, end, reason in zip(bounds[:-1], [*moments, ends_at], reasons, strict=True)
    ]
    return _say(machine, words, comment, actor, recorded_at, seen_correction_id)


@transaction.atomic
def merge_stops(
    *,
    machine: Machine,
    starts_at: datetime,
    ends_at: datetime | None,
    reason: StateReason,
    comment: str,
    actor: User,
    recorded_at: datetime,
    seen_correction_id: int | None,
) -> StateCorrection:
    """Make one stop, with one reason, of neighbouring ones: all that lies from the first's start to the last's end.

    Raises Invalid when the machine ran, or nothing is known, anywhere between, when there is only one stop, and as
    `explain_stop` does; the comment is always needed.
    """
    refuse_stale(machine, starts_at, ends_at, seen_correction_id)
    pieces = _stood(machine, starts_at, ends_at, now=recorded_at)
    if any(piece.category in (Category.RUNNING, Category.NO_DATA) for piece in pieces):
        raise Invalid("Only stops without running or unknown time between them can be merged.", field="ends_at")
    if len(stretches(pieces)) < 2:
        raise Invalid("There is only one stop in this time.", field="ends_at")
    _refuse_reasons([reason], machine, actor)
    _need_comment(comment)
    return _say(machine, [Word(starts_at, ends_at, reason)], comment, actor, recorded_at, seen_correction_id)[0]


@transaction.atomic
def withdraw(
    *,
    machine: Machine,
    starts_at: datetime,
    ends_at: datetime | None,
    comment: str,
    actor: User,
    recorded_at: datetime,
    seen_correction_id: int | None,
) -> StateCorrection:
    """Take back what people said of a span: what the machine said, as rules read it, holds again.

    Raises Invalid when nobody said anything, or for a missing comment, and Conflict for an old view.
    """
    refuse_stale(machine, starts_at, ends_at, seen_correction_id)
    _refuse_span(starts_at, ends_at, recorded_at)
    if not words_on(machine.pk, starts_at, ends_at).exists():
        raise Invalid("Nobody said anything about this time; there is nothing to take back.", field="starts_at")
    _need_comment(comment)
    return _say(machine, [Word(starts_at, ends_at, None)], comment, actor, recorded_at, seen_correction_id)[0]


def right_needed(machine: Machine, starts_at: datetime, ends_at: datetime | None, *, actor: User, now: datetime) -> str:
    """Return which right on facts speaking of a span takes: to add where nobody knows why, or where all that was said
    was said by the person; else to change.

    Raises Invalid for a span that is none.
    """
    _refuse_span(starts_at, ends_at, now)
    speakers = set(words_on(machine.pk, starts_at, ends_at).values_list("corrected_by", flat=True))
    if speakers:
        return ADD if speakers == {actor.pk} else CHANGE
    drawn = timelines([machine], Interval(starts_at, ends_at or now), now=now)[machine.pk]
    return ADD if _all_unexplained(drawn, ends_at) else CHANGE


@dataclass(frozen=True, slots=True)
class Said:
    """A correction that touches a stop, with the reasons that held over its part of the stop before (None = none)."""

    correction: Any
    before: tuple[int | None, ...]


def words_about(machine: Machine, starts_at: datetime, ends_at: datetime | None, *, now: datetime) -> list[Said]:
    """Return what people said about a span, oldest first, at most the newest 100; line, area and site are read.

    Raises Invalid for a span that is none.
    """
    _refuse_span(starts_at, ends_at, now)
    span = Interval(starts_at, ends_at or now)
    words = list(words_on(machine.pk, span.start, span.end).select_related("reason", "corrected_by")[:100])
    history = load_history(machine, span, NOTHING_COUNTED, now=now)
    said = []
    for word in reversed(words):
        earlier = replace(history, corrections=tuple(c for c in history.corrections if c.sequence < word.pk))
        part = intersect(span, Interval(word.starts_at, word.holds_until or span.end))
        drawn = segments(earlier, part) if part else ()
        said.append(Said(word, tuple(dict.fromkeys(piece.reason_id for piece in drawn))))
    return said


def _all_unexplained(drawn: Sequence[Segment], ends_at: datetime | None) -> bool:
    """Say whether nobody knows why the machine stood; of a stop that was not over, up to where it runs again."""
    unexplaining = unexplaining_reasons()
    if ends_at is None:
        drawn = list(takewhile(lambda piece: piece.category is not Category.RUNNING, drawn))
    return all(is_unexplained(p, unexplaining) for p in drawn if p.category is not Category.RUNNING)


def _say(
    machine: Machine,
    words: Sequence[Word],
    comment: str,
    actor: User,
    recorded_at: datetime,
    seen_correction_id: int | None,
) -> list[StateCorrection]:
    if machine.stop_detection == Machine.StopDetection.COUNTS and words[-1].ends_at is None:
        # Its states do not tell when it runs again, so nothing is said of the time to come.
        words = [*words[:-1], words[-1]._replace(ends_at=recorded_at)]
    return say_of_stop(
        machine=machine,
        words=words,
        comment=comment,
        actor=actor,
        recorded_at=recorded_at,
        seen_correction_id=seen_correction_id,
    )


def _refuse_span(starts_at: datetime, ends_at: datetime | None, now: datetime) -> None:
    if starts_at >= now:
        raise Invalid("It has not begun.", field="starts_at")
    if ends_at is not None and ends_at <= starts_at:
        raise Invalid("It must end after it starts.", field="ends_at")
    if ends_at is not None and ends_at > now:
        raise Invalid("It is not over then; leave the end empty.", field="ends_at")
    if (ends_at or now) - starts_at > _LONGEST:
        raise Invalid(f"It is longer than {_LONGEST.days} days.", field="starts_at")


def _stood(machine: Machine, starts_at: datetime, ends_at: datetime | None, *, now: datetime) -> tuple[Segment, ...]:
    """Return a span's timeline; raises Invalid when the machine did not stand in it."""
    _refuse_span(starts_at, ends_at, now)
    drawn = timelines([machine], Interval(starts_at, ends_at or now), now=now)[machine.pk]
    if drawn[0].category is Category.RUNNING:
        raise Invalid("The machine did not stand then; look again.", field="starts_at")
    return drawn


def _refuse_reasons(reasons: Sequence[StateReason], machine: Machine, actor: User, *, field: str = "reason") -> None:
    """Raise Invalid for a reason that is no stop's, or that the person is not offered at the machine."""
    offered = {reason.pk for reason in reasons_offered(machine)}
    roles = actor.roles_at(machine.line.area.site_id)
    for reason in reasons:
        if reason.category in (Category.RUNNING, Category.NO_DATA):
            raise Invalid(f"'{reason}' is no reason to stand.", field=field)
        if reason.pk not in offered:
            raise Invalid(f"'{reason}' is not offered at {machine}; choose another reason.", field=field)
        if reason.roles and not actor.is_superuser and roles.isdisjoint(reason.roles):
            raise Invalid(f"'{reason}' is not for your role; choose another reason.", field=field)


def _need_comment(comment: str) -> None:
    if not comment.strip():
        raise Invalid("Say why: this needs a comment.", field="comment")
