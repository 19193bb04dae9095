"""Say how far the data of a machine's shift can be trusted: what is missing, repeated, contradicted, late, unexplained.

Each part is a share from 0 (bad) to 1 (good) that is a quotient of counted things; the score is their mean by stated
weights, times 100, exact. A part of which nothing is known leaves its weight to the others; without planned time there
is no score.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from django.db import connection
from django.db.models import Sum

from core.exact import decimal_text
from core.intervals import Interval, clip, intersect, microseconds, union
from core.retention import closed_until
from counts.models import CountTag
from downtime.selectors import gaps_in
from enterprise.models import Machine
from enterprise.shift_calendar import ShiftOccurrence
from oee.engine import Category
from oee.models import DeliveryTally
from oee.open_points import held_steps
from oee.reason_times import Loss, losses
from oee.selectors import report
from oee.stops import unexplaining_reasons

LATE_AFTER = timedelta(minutes=10)
AHEAD_FROM = timedelta(seconds=1)
_STOPS = frozenset({Category.UNPLANNED, Category.MICRO_STOP, Category.UNDETERMINED})


@dataclass(frozen=True, slots=True)
class QualityPart:
    """One part of the score: `share` from 0 to 1, None where nothing is known; `rule` says what it is a share of."""

    code: str
    weight: int
    rule: str
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class Clock:
    """How a machine's facts came: how many, how many of the future or late, and how long after they happened."""

    facts: int = 0
    ahead: int = 0
    late: int = 0
    median_delay: timedelta | None = None
    shortest_delay: timedelta | None = None
    longest_delay: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What was delivered of a window without becoming a fact."""

    duplicates: int = 0
    conflicts: int = 0
    future: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class StopTime:
    """Unplanned stops in shifts, micro-stops included, and how much of them has no reason, or one that says nothing;
    µs.

    As in the KPI `unexplained_stop_ratio`; time without data is no stop, but lowers the coverage.
    """

    stopped: int
    unexplained: int

    @property
    def unexplained_share(self) -> Fraction | None:
        """The unexplained part; None when it never stopped."""
        return Fraction(self.unexplained, self.stopped) if self.stopped else None


def stop_time(lost: Iterable[Loss], unexplaining: frozenset[int]) -> StopTime:
    """Return how long machines stood unplanned, and for how long of it unexplained, given what they lost."""
    stops = [loss for loss in lost if loss.category in _STOPS]
    unexplained = (
        loss.duration
        for loss in stops
        if loss.category is Category.UNPLANNED and (loss.reason_id is None or loss.reason_id in unexplaining)
    )
    return StopTime(
        microseconds(sum((loss.duration for loss in stops), timedelta())), microseconds(sum(unexplained, timedelta()))
    )


@dataclass(frozen=True, slots=True)
class DataQuality:
    """The data quality of one machine over one window, with everything that the score is made of."""

    machine: Machine
    window: Interval
    shift: ShiftOccurrence | None
    clock: Clock
    tally: Tally
    stops: StopTime
    held_steps: int
    gap_microseconds: int
    parts: tuple[QualityPart, ...]

    @property
    def score(self) -> Fraction | None:
        """The score from 0 to 100; None when nothing was planned."""
        return score_of(self.parts)


def score_of(parts: Iterable[QualityPart]) -> Fraction | None:
    """Return 100 × Σ weight × share ÷ Σ weight over the known parts; None when coverage is unknown:
    nothing was planned.
    """
    known = [(part.weight, part.share) for part in parts if part.share is not None]
    if not any(part.code == "coverage" and part.share is not None for part in parts):
        return None
    return 100 * sum((weight * share for weight, share in known), Fraction(0)) / sum(weight for weight, _ in known)


def data_quality(
    asked: Sequence[tuple[Machine, Interval, ShiftOccurrence | None]], *, now: datetime
) -> list[DataQuality]:
    """Return the data quality of machines over windows. Costs some look-ups for each, and the facts of each window."""
    unexplaining = unexplaining_reasons()
    return [_of(machine, window, shift, unexplaining, now=now) for machine, window, shift in asked]


def _of(
    machine: Machine, window: Interval, shift: ShiftOccurrence | None, unexplaining: frozenset[int], *, now: datetime
) -> DataQuality:
    clock, tallied = _clock(machine, window), _tally(machine, window)
    stops = stop_time(losses([machine], window, now=now), unexplaining)
    held = held_steps([machine], window, now=now)
    running = CountTag.objects.filter(machine=machine, mode=CountTag.Mode.RUNNING, is_active=True).count()
    past = intersect(window, Interval(window.start, now)) if window.start < now else None
    gaps = sum(gap.microseconds for gap in union(_gaps(machine, past))) if past else 0
    coverage = report([machine], window, now=now).kpis.coverage
    closed = closed_until()
    # Of pruned time only some facts are kept; quotients of them would say nothing.
    facts_known = closed is None or window.start >= closed
    not_taken = tallied.conflicts + tallied.future + tallied.refused
    unexplained = stops.unexplained_share
    parts = (
        QualityPart("coverage", 40, "planned time that facts explain ÷ planned time", coverage),
        QualityPart(
            "explained_stops",
            20,
            "unplanned stop time with a reason that says why ÷ unplanned stop time",
            None if unexplained is None else 1 - unexplained,
        ),
        QualityPart(
            "taken",
            15,
            "facts ÷ (facts + items in conflict, of the future, refused)",
            _share(clock.facts, clock.facts + not_taken) if facts_known else None,
        ),
        QualityPart(
            "on_time",
            10,
            "facts stored from 1 s before to 10 min after they happened ÷ facts",
            _share(clock.facts - clock.ahead - clock.late, clock.facts) if facts_known else None,
        ),
        QualityPart(
            "delivered_once",
            5,
            "facts ÷ (facts + repeated items)",
            _share(clock.facts, clock.facts + tallied.duplicates) if facts_known else None,
        ),
        QualityPart(
            "decided_counters",
            5,
            "running counters without a held step ÷ running counters",
            _share(max(running - len({tag for _, _, tag, _, _ in held}), 0), running),
        ),
        QualityPart(
            "without_gaps",
            5,
            "time outside of reported signal gaps ÷ time",
            None if past is None else 1 - Fraction(gaps, past.microseconds),
        ),
    )
    return DataQuality(machine, window, shift, clock, tallied, stops, len(held), gaps, parts)


def _gaps(machine: Machine, past: Interval) -> Iterable[Interval]:
    return clip((Interval(gap.starts_at, gap.ends_at) for gap in gaps_in([machine.pk], past)), past)


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def _tally(machine: Machine, window: Interval) -> Tally:
    """Return the tallies of the clock hours that begin in a window, so that each hour counts to one shift."""
    names = ("duplicates", "conflicts", "future", "refused")
    sums = DeliveryTally.objects.filter(
        machine=machine, starts_at__gte=window.start, starts_at__lt=window.end
    ).aggregate(**{name: Sum(name) for name in names})
    return Tally(**{name: sums[name] or 0 for name in names})


def _clock(machine: Machine, window: Interval) -> Clock:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH fact (delay) AS (
                SELECT recorded_at - occurred_at FROM downtime_statehistory
                WHERE machine_id = %(machine)s AND occurred_at >= %(start)s AND occurred_at < %(end)s
                UNION ALL
                SELECT reading.recorded_at - reading.occurred_at
                FROM counts_counttag tag JOIN counts_counthistory reading ON reading.tag_id = tag.id
                WHERE tag.machine_id = %(machine)s
                    AND reading.occurred_at >= %(start)s AND reading.occurred_at < %(end)s
            )
            SELECT count(*), count(*) FILTER (WHERE delay < -%(ahead)s::interval), count(*) FILTER (WHERE delay > %(late)s::interval),
                percentile_disc(0.5) WITHIN GROUP (ORDER BY delay), min(delay), max(delay)
            FROM fact
            """,
            {
                "machine": machine.pk,
                "start": window.start,
                "end": window.end,
                "ahead": f"{AHEAD_FROM.total_seconds():.0f} s",
                "late": f"{LATE_AFTER.total_seconds():.0f} s",
            },
        )
        return Clock(*cursor.fetchone())


def score_text(score: Fraction | None) -> str | None:
    """Return a score with two decimals, rounded half to even; None stays unknown."""
    return decimal_text(score, 2)


def seconds_of(duration: timedelta | None) -> str | None:
    """Return a duration in seconds as exact text."""
    if duration is None:
        return None
    whole = microseconds(abs(duration))
    sign = "-" if duration < timedelta(0) else ""
    return f"{sign}{whole // 1_000_000}.{whole % 1_000_000:06d}"
