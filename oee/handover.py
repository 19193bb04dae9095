"""Hand a shift over: its balance, comments on its hours, notes for the next one, and that somebody looked.

What is written here are facts, kept in `oee.handover_models`; the shift itself is closed by `oee.closing`, which asks
`refuse_unready` before it lets a person sign.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from django.db import transaction

from accounts.models import User
from core.audit_chain import digest
from core.errors import Conflict, Invalid
from core.intervals import Interval, floor_hour, microseconds
from core.locks import take_turns
from core.retention import Closed
from enterprise.models import Line, Machine
from enterprise.selectors import reference_of
from enterprise.shift_calendar import ShiftOccurrence
from oee.engine import MachineHistory
from oee.handover_models import HourComment, ShiftNote, ShiftReview
from oee.reason_times import Loss, ReasonTime, ranked, reason_times
from oee.scopes import every_machine_of, representatives, shift_at, shift_on
from oee.selectors import HourRow, Report, open_histories, shift_boards, target_quantity
from oee.stops import Stop, stops_of

TOP_LOSSES = 5
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Balance:
    """What a line's shift came to so far: made against target, hour by hour, what it lost, what nobody explained.

    `times` is the time in reasons, each hour's by itself. `stops` are those that still ask for a reason, in order of
    time; None where the facts of that time are gone.
    """

    window: Interval
    report: Report
    hours: tuple[HourRow, ...]
    times: tuple[ReasonTime, ...]
    stops: tuple[Stop, ...] | None

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What cost the most time, the longest first."""
        return tuple(ranked(self.times)[:TOP_LOSSES])

    @property
    def target(self) -> Fraction | None:
        """The pieces that its planned time so far asks for; None = not known."""
        return target_quantity(self.report)

    @property
    def delta(self) -> Fraction | None:
        """Good pieces ahead of the target (positive) or behind."""
        return None if self.target is None else self.report.sums.quantities.good - self.target

    def numbers(self) -> dict[str, Any]:
        """Return what a reviewer sees, as JSON of whole numbers and exact text."""
        quantities = self.report.sums.quantities
        return {
            "target": None if self.target is None else str(self.target),
            "good": str(quantities.good),
            "reject": str(quantities.scrap),
            "losses": [
                [loss.reason_id, str(loss.category.value), microseconds(loss.duration), loss.occurrences]
                for loss in self.losses
            ],
            "unexplained": None
            if self.stops is None
            else [[stop.machine_id, stop.start.isoformat()] for stop in self.stops],
        }

    @property
    def seen(self) -> str:
        """What a person who looks at it gives back to say that exactly this was looked at (`review_shift`)."""
        return digest(self.numbers())


def balance_of(line: Line, window: Interval, *, now: datetime) -> Balance:
    """Return the balance of a line over the past of a shift. Raises Invalid for a line without active machines."""
    everyone = every_machine_of(line)
    if not everyone:
        raise Invalid("There is no active machine on this line.", field="line")
    return balance_among(everyone, window, now=now)


def balance_among(machines: Sequence[Machine], window: Interval, *, now: datetime) -> Balance:
    """Return the same of a line's machines, given in order."""
    counted = representatives(list(machines))
    histories = _histories(machines, window, now=now)
    ((whole, hours),) = shift_boards({machines[0].line_id: counted}, window, now=now, histories=histories).values()
    times = reason_times(counted, window, now=now, by_hour=True, histories=histories)
    stops = None if histories is None else _unexplained(machines, window, histories, now=now)
    return Balance(window, whole, tuple(hours), tuple(times), stops)


def _histories(machines: Sequence[Machine], window: Interval, *, now: datetime) -> Mapping[int, MachineHistory] | None:
    """Return what happened in a window; None where the facts of that time are gone."""
    if window.start >= now:
        return {}
    try:
        return open_histories(machines, window, now=now)
    except Closed:
        return None


def _unexplained(
    machines: Sequence[Machine], window: Interval, histories: Mapping[int, MachineHistory], *, now: datetime
) -> tuple[Stop, ...] | None:
    """Return the stops that touch a window and still ask for a reason, in order of time; None where one began in
    time whose facts are gone.
    """
    try:
        stops = stops_of(machines, window, now=now, histories=histories)
    except Closed:
        return None
    return tuple(
        sorted((stop for stop in stops if stop.asks_for_a_reason), key=lambda stop: (stop.start, stop.machine_id))
    )


# --- comments on hours ---


@transaction.atomic
def comment_on_hour(*, line: Line, starts_at: datetime, text: str, author: User, recorded_at: datetime) -> HourComment:
    """Append a comment on the hour of a line in which a moment lies; the newest one holds, a repetition adds nothing.

    Raises Invalid for an empty comment or an hour that has not begun.
    """
    if not text.strip():
        raise Invalid("Say what held the line back, or what helped it.", field="text")
    hour = hour_of(line, starts_at)
    if hour > recorded_at:
        raise Invalid("That hour has not begun.", field="starts_at")
    take_turns("oee.hour_comment", line.pk)
    newest = HourComment.objects.filter(line=line, starts_at=hour).first()
    if newest is not None and (newest.text, newest.author_id) == (text.strip(), author.pk):
        return newest
    return HourComment.objects.create(
        line=line, starts_at=hour, text=text.strip(), author=author, recorded_at=recorded_at
    )


def hour_of(line: Line, at: datetime) -> datetime:
    """Return the start of the hour on a line's board in which a moment lies: of the clock, or of the shift in it."""
    machines = every_machine_of(line)
    shift = shift_at(reference_of(machines), at) if machines else None
    hour = floor_hour(at)
    return max(hour, shift.start) if shift else hour


def comments_on(line: Line, hours: Iterable[datetime]) -> dict[datetime, list[HourComment]]:
    """Return the comments on hours, the newest first, by the hour's start; an hour without any is absent."""
    found: dict[datetime, list[HourComment]] = {}
    rows = HourComment.objects.filter(line=line, starts_at__in=list(hours)).select_related("author")
    for row in rows.order_by("-id"):
        found.setdefault(row.starts_at, []).append(row)
    return found


def hours_to_comment(
    hours: Iterable[HourRow], comments: Mapping[datetime, Sequence[HourComment]], *, now: datetime
) -> list[HourRow]:
    """Return the hours that are over, made less than their target, and have no comment."""
    return [
        hour
        for hour in hours
        if hour.window.end <= now
        and hour.target is not None
        and hour.report.sums.quantities.good < hour.target
        and hour.window.start not in comments
    ]


# --- notes ---


@transaction.atomic
def leave_note(
    *, line: Line, shift_id: int, shift_date: date, text: str, author: User, recorded_at: datetime
) -> ShiftNote:
    """Append a note for whoever takes over; repeating the last one adds nothing.

    Raises Invalid for no words or no shift.
    """
    if not text.strip():
        raise Invalid("Write what the next shift should know.", field="text")
    _occurrence(line, shift_id, shift_date)
    take_turns("oee.shift_note", line.pk)
    newest = ShiftNote.objects.filter(line=line, shift=shift_id, shift_date=shift_date).first()
    if newest is not None and (newest.text, newest.author_id) == (text.strip(), author.pk):
        return newest
    return ShiftNote.objects.create(
        line=line,
        shift_id=shift_id,
        shift_date=shift_date,
        text=text.strip(),
        author=author,
        recorded_at=recorded_at,
    )


def notes_of(line: Line, shift: ShiftOccurrence) -> list[ShiftNote]:
    """Return the notes of a shift, oldest first, at most the newest 200."""
    rows = ShiftNote.objects.filter(line=line, shift=shift.shift_id, shift_date=shift.shift_date)
    return list(rows.select_related("author").order_by("-id")[:MOST_LISTED])[::-1]


# --- reviews ---


@transaction.atomic
def review_shift(
    *, line: Line, shift_id: int, shift_date: date, actor: User, recorded_at: datetime, seen: str | None = None
) -> ShiftReview:
    """Say that somebody looked at a shift's balance; a second look at the same numbers adds nothing.

    `seen` is that of the balance that was shown (None = whatever it is). Raises Invalid for no such shift, and Conflict
    while the shift lasts or when the balance is another one meanwhile.
    """
    shift = _occurrence(line, shift_id, shift_date)
    if recorded_at < shift.end:
        raise Conflict("The shift is not over; its balance can still change.")
    take_turns("oee.shift_review", line.pk)
    balance = balance_of(line, shift.interval, now=recorded_at)
    if seen is not None and seen != balance.seen:
        raise Conflict("The balance changed since you looked; look again.")
    found = review_of(line, shift, balance)
    return found or ShiftReview.objects.create(
        line=line,
        shift_id=shift_id,
        shift_date=shift_date,
        seen=balance.seen,
        balance=balance.numbers(),
        reviewed_by=actor,
        recorded_at=recorded_at,
    )


def review_of(line: Line, shift: ShiftOccurrence, balance: Balance) -> ShiftReview | None:
    """Return who looked at exactly this balance of a shift; None when nobody did, or the balance changed since."""
    rows = ShiftReview.objects.filter(line=line, shift=shift.shift_id, shift_date=shift.shift_date)
    newest = rows.select_related("reviewed_by").first()
    return newest if newest is not None and newest.seen == balance.seen else None


def refuse_unready(
    line: Line, shift: ShiftOccurrence, *, needs_review: bool, needs_comments: bool, now: datetime
) -> None:
    """Raise Conflict when a shift may not be closed yet: its balance was not reviewed, or hours want a comment."""
    if not (needs_review or needs_comments):
        return
    balance = balance_of(line, shift.interval, now=now)
    if needs_review and review_of(line, shift, balance) is None:
        raise Conflict(
            "Review the balance of the shift first: nobody has looked at these numbers.", code="not_reviewed"
        )
    if needs_comments:
        comments = comments_on(line, (hour.window.start for hour in balance.hours))
        missing = hours_to_comment(balance.hours, comments, now=now)
        if missing:
            zone = line.area.site.zone
            named = ", ".join(f"{hour.window.start.astimezone(zone):%H:%M}" for hour in missing)
            raise Conflict(f"Hours below their target want a comment first: {named}.", code="not_commented")


def _occurrence(line: Line, shift_id: int, shift_date: date) -> ShiftOccurrence:
    machines = every_machine_of(line)
    shift = shift_on(reference_of(machines), shift_id, shift_date) if machines else None
    if shift is None:
        raise Invalid("That shift does not take place there on that day.", field="shift")
    return shift
