"""Close shifts: freeze and sign their numbers, and compare what was signed with what the facts say now.

Numbers are computed before the transaction that signs them, so that it holds no machine's lock. A fact that arrives in
between is a difference like any other that arrives later.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet

from accounts.models import User
from core import hooks
from core.audit_chain import digest, fasten, next_place
from core.errors import Conflict, DomainError, Invalid, NotFound
from core.intervals import Interval
from core.locks import take_turns
from core.outbox import Message
from core.retention import Closed
from core.shared_reads import apart
from enterprise.models import Line, Machine
from enterprise.shift_calendar import ShiftOccurrence
from oee.closing_chain import chain_of, content_hash, of_place, written
from oee.frozen_numbers import Comparison, as_report, compare, numbers_over
from oee.handover import refuse_unready
from oee.histories import settling_time
from oee.hours import take_changes
from oee.models import ClosingCheck, ClosingRule, ShiftClosing, TouchedClosing
from oee.open_points import open_points
from oee.open_shifts import due_by_rule
from oee.scopes import machines_of, shift_on

UNEXPLAINED_FROM = timedelta(minutes=5)
CLOSED_AT_ONCE = 50
COMPARED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class WasAndNow:
    """A closing's frozen numbers beside those of now, which `numbers` are in full."""

    closing: ShiftClosing
    numbers: dict[str, Any]
    comparisons: list[Comparison]

    @property
    def differs(self) -> bool:
        """Say whether any number is another one now."""
        return any(comparison.changed for comparison in self.comparisons)

    @property
    def changes(self) -> list[Comparison]:
        """The numbers that are others now."""
        return [comparison for comparison in self.comparisons if comparison.changed]

    @property
    def seen(self) -> str:
        """What a person who looks at it now gives back to accept exactly this (`accept_difference`)."""
        return digest([self.closing.content_hash, self.numbers])


def current_closings() -> QuerySet[ShiftClosing]:
    """Return the closings that hold: of each shift the last revision."""
    return ShiftClosing.objects.filter(superseded_by__isnull=True)


def closing_of(place: Line | Machine, shift_id: int, shift_date: date) -> ShiftClosing | None:
    """Return the closing of a shift that holds; None while it is open."""
    return current_closings().filter(**of_place(place), shift=shift_id, shift_date=shift_date).first()


def close_shift(
    *,
    place: Line | Machine,
    shift_id: int,
    shift_date: date,
    actor: User,
    now: datetime,
    comment: str = "",
    is_handover: bool = False,
) -> ShiftClosing:
    """Freeze and sign the numbers of a line's or machine's shift.

    Raises NotFound for a shift that does not take place there, Conflict for one that is not over or closed already, or
    of which a line's hand-over (`is_handover`), or the site's rule, asks something first
    (`oee.handover.refuse_unready`). What is undecided in it does not stop anybody; it is listed in the closing.
    """
    machines = _machines(place)
    shift = shift_on(machines[0], shift_id, shift_date)
    if shift is None:
        raise NotFound("That shift does not take place there on that day.")
    if isinstance(place, Line) and now >= shift.end:
        _refuse_closed(place, shift)
        rule = ClosingRule.objects.filter(site=machines[0].line.area.site_id).first()
        refuse_unready(
            machines[0].line,
            shift,
            needs_review=is_handover or bool(rule and rule.needs_review),
            needs_comments=bool(rule and rule.needs_hour_comments),
            now=now,
        )
    signature = _Signature(ShiftClosing.Meaning.CLOSED, actor, str(actor), comment.strip())
    return _close(place, machines, shift, signature, now=now)


def accept_difference(
    *, closing: ShiftClosing, comment: str, actor: User, now: datetime, seen: str | None = None
) -> ShiftClosing:
    """Sign the numbers of now in the place of those that were signed before, which stay readable.

    `seen` is what `was_and_now` showed (None = whatever is there now). Raises Invalid without a comment, and Conflict
    when nothing differs, when other numbers have come since, or when somebody else accepted already.
    """
    if not comment.strip():
        raise Invalid("Say why: accepting other numbers needs a comment.", field="comment")
    _refuse_superseded(closing)
    found = was_and_now(closing, now=now)
    if seen is not None and seen != found.seen:
        raise Conflict("The numbers changed again since you looked; look again.")
    if not found.differs:
        raise Conflict("Nothing differs: the facts say what was signed.")
    signature = _Signature(ShiftClosing.Meaning.ACCEPTED, actor, str(actor), comment.strip())
    open_now = _open_points(closing.place, _machines(closing.place), _window(closing), now=now)
    with transaction.atomic():
        _take_turns(closing.place)
        _refuse_superseded(closing)
        return _sign(closing.place, closing, closing, found.numbers, open_now, signature, now=now)


def close_due(*, now: datetime) -> int:
    """Close the lines' shifts that are due by their site's rule, the oldest first; return how many.

    At most `CLOSED_AT_ONCE`; the next call goes on. Machines that stand beside a line are closed by people.
    """
    done = 0
    for rule in ClosingRule.objects.filter(close_after_hours__isnull=False).select_related("site").order_by("site"):
        for place, machines, shift in due_by_rule(rule, now=now):
            if done == CLOSED_AT_ONCE:
                return done
            words = f"Rule of {rule.site}: {rule.close_after_hours} h after the shift's end"
            signature = _Signature(ShiftClosing.Meaning.BY_RULE, None, words, "")
            try:
                _close(place, machines, shift, signature, now=now)
            except DomainError:
                # Somebody closed it a moment ago.
                continue
            done += 1
    return done


def was_and_now(closing: ShiftClosing, *, now: datetime) -> WasAndNow:
    """Compare what was signed with what the facts say of the same time now."""
    try:
        numbers = numbers_over(machines_of(closing.place), _window(closing), now=now)
    except Closed:
        # Its raw facts are pruned and the calendar of now cuts its hours elsewhere: what was signed is all there is.
        numbers = closing.numbers
    return WasAndNow(closing, numbers, compare(closing.numbers, numbers))


def closing_asked_for(asked: dict[str, Any]) -> ShiftClosing | None:
    """Return the closing that validated parameters of a report ask for; None when they ask for something else."""
    place = asked.get("place")
    if not isinstance(place, Line | Machine) or "shift" not in asked or {"run", "product"} & asked.keys():
        return None
    return closing_of(place, asked["shift"].pk, asked["date"])


def signed_report(found: WasAndNow) -> dict[str, Any]:
    """Return a closed shift's report: the numbers that were signed, and what the facts say differently since."""
    closing = found.closing
    return {
        **as_report(closing.numbers),
        "starts_at": closing.starts_at,
        "ends_at": closing.ends_at,
        "known_until": closing.ends_at,
        "closing": found,
    }


@apart()
def refresh_check(closing: ShiftClosing, *, now: datetime) -> WasAndNow:
    """Compare a closing that holds, and keep the outcome for lists."""
    # The touches that are there before the numbers are computed are answered by them; later ones stay.
    touches = list(TouchedClosing.objects.filter(closing_id=closing.pk).values_list("id", flat=True))
    found = was_and_now(closing, now=now)
    oee = found.numbers["kpis"]["oee"]
    ClosingCheck.objects.filter(pk=closing.pk).update(
        differs=found.differs,
        oee_now=None if oee is None else Decimal(oee),
        machine_ids=found.numbers["machines"],
        checked_at=now,
    )
    TouchedClosing.objects.filter(pk__in=touches).delete()
    return found


@apart()
def bring_checks_up_to_date(*, now: datetime, most: int = COMPARED_AT_ONCE) -> int:
    """Compare again the closings that changes have touched, the newest first, at most `most`; return how many.

    What remains is told by `touched_closings`: of those nobody knows yet whether they differ.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT span.subject_id FROM core_changedspan span JOIN oee_closingcheck closed
                ON span.subject_id = ANY(closed.machine_ids) AND closed.ends_at > span.changed_from
                AND closed.starts_at < coalesce(span.changed_until, 'infinity')
            ORDER BY span.subject_id
            """
        )
        marked = [row[0] for row in cursor.fetchall()]
    for machine_id in marked:
        take_changes(machine_id)
    _touch_settled(now)
    touched = TouchedClosing.objects.order_by("-closing_id").values_list("closing_id", flat=True).distinct()[:most]
    ids = list(touched)
    closings = current_closings().filter(pk__in=ids).select_related(*WITH_PLACE)
    for closing in closings:
        refresh_check(closing, now=now)
    TouchedClosing.objects.filter(closing_id__in=set(ids) - {closing.pk for closing in closings}).delete()
    return len(closings)


def _touch_settled(now: datetime) -> None:
    """Let closings be compared again whose end was still open to silence or to a short stop when they last were."""
    settling = settling_time(Machine.objects.all())
    settled = ClosingCheck.objects.filter(ends_at__lte=now - settling, checked_at__lt=F("ends_at") + settling)
    TouchedClosing.objects.bulk_create(TouchedClosing(closing_id=pk) for pk in settled.values_list("pk", flat=True))


def touched_closings(closing_ids: Iterable[int]) -> set[int]:
    """Return which of some closings wait to be compared again."""
    rows = TouchedClosing.objects.filter(closing_id__in=list(closing_ids))
    return set(rows.values_list("closing_id", flat=True).distinct())


WITH_PLACE = ("line__area__site", "machine__line__area__site", "closed_by", "check_row")


@dataclass(frozen=True, slots=True)
class _Signature:
    meaning: ShiftClosing.Meaning
    actor: User | None
    name: str
    comment: str


def _close(
    place: Line | Machine, machines: list[Machine], shift: ShiftOccurrence, signature: _Signature, *, now: datetime
) -> ShiftClosing:
    if now < shift.end:
        raise Conflict(f"The shift is not over: it ends at {written(shift.end)}.")
    _refuse_closed(place, shift)
    numbers = numbers_over(machines, shift.interval, now=now)
    open_now = _open_points(place, machines, shift.interval, now=now)
    with transaction.atomic():
        _take_turns(place)
        _refuse_closed(place, shift)
        return _sign(place, shift, None, numbers, open_now, signature, now=now)


def _sign(
    place: Line | Machine,
    of: ShiftOccurrence | ShiftClosing,
    before: ShiftClosing | None,
    numbers: dict[str, Any],
    open_now: list[dict[str, Any]],
    signature: _Signature,
    *,
    now: datetime,
) -> ShiftClosing:
    """Append a closing to its place's chain; the caller has the place's turn."""
    link = next_place(chain_of(place))
    start, end = (of.start, of.end) if isinstance(of, ShiftOccurrence) else (of.starts_at, of.ends_at)
    closing = ShiftClosing(
        **of_place(place),
        shift_id=of.shift_id,
        shift_name=of.name if isinstance(of, ShiftOccurrence) else of.shift_name,
        shift_date=of.shift_date,
        starts_at=start,
        ends_at=end,
        revision=before.revision + 1 if before else 1,
        supersedes=before,
        closed_at=now,
        closed_by=signature.actor,
        signed_as=signature.name[:300],
        meaning=signature.meaning,
        comment=signature.comment[:500],
        numbers=numbers,
        open_points=open_now,
        sequence=link.sequence,
        previous_hash=link.previous_hash,
    )
    closing.content_hash = content_hash(closing)
    closing.save(force_insert=True)
    fasten(link, closing.content_hash)
    if before is not None:
        ClosingCheck.objects.filter(pk=before.pk).delete()
    oee = numbers["kpis"]["oee"]
    ClosingCheck.objects.create(
        closing=closing,
        machine_ids=numbers["machines"],
        starts_at=start,
        ends_at=end,
        oee_now=None if oee is None else Decimal(oee),
        checked_at=now,
    )
    # What changed between the computation and the signature was logged for nobody; look once more.
    TouchedClosing.objects.create(closing_id=closing.pk)
    _tell_signed(place, closing)
    return closing


def _tell_signed(place: Line | Machine, closing: ShiftClosing) -> None:
    if not hooks.is_heard("shift.signed"):
        return
    line = place if isinstance(place, Line) else place.line
    hooks.tell(
        Message(
            type="shift.signed",
            key=f"shift/{place.code}/{closing.shift_date}",
            site_id=line.area.site_id,
            occurred_at=closing.ends_at,
            recorded_at=closing.closed_at,
            data={
                "line": line.code,
                "machine": None if isinstance(place, Line) else place.code,
                "shift": closing.shift_name,
                "shift_date": closing.shift_date,
                "starts_at": closing.starts_at,
                "ends_at": closing.ends_at,
                "revision": closing.revision,
                "oee": closing.numbers["kpis"]["oee"],
            },
        )
    )


def _machines(place: Line | Machine) -> list[Machine]:
    machines = machines_of(place)
    if not machines:
        raise NotFound("There is no active machine there.")
    return machines


def _open_points(
    place: Line | Machine, machines: list[Machine], window: Interval, *, now: datetime
) -> list[dict[str, Any]]:
    rule = ClosingRule.objects.filter(site=machines[0].line.area.site_id).first()
    threshold = timedelta(minutes=rule.unexplained_minutes) if rule else UNEXPLAINED_FROM
    return open_points(machines, window, unexplained_from=threshold, now=now)


def _refuse_closed(place: Line | Machine, shift: ShiftOccurrence) -> None:
    closing = closing_of(place, shift.shift_id, shift.shift_date)
    if closing is not None:
        raise Conflict(f"The shift is closed already: {closing.signed_as}, {written(closing.closed_at)}.")


def _refuse_superseded(closing: ShiftClosing) -> None:
    later = ShiftClosing.objects.filter(supersedes=closing).first()
    if later is not None:
        raise Conflict(
            f"{later.signed_as} accepted other numbers at {written(later.closed_at)}; look at revision {later.revision}."
        )


def _take_turns(place: Line | Machine) -> None:
    take_turns(f"oee.closing.{'line' if isinstance(place, Line) else 'machine'}", place.pk)


def _window(closing: ShiftClosing) -> Interval:
    return Interval(closing.starts_at, closing.ends_at)
