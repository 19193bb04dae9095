"""Changeovers of a line: from the last good piece of one product to the first good piece of the next (SMED)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from django.db import connection
from django.db.models import Q

from core.intervals import HOUR, Interval, floor_hour, microseconds
from counts.models import CountTag
from enterprise.models import Line, Machine
from oee.engine import CountRole, Increment
from oee.histories import load_counted
from oee.hours import bring_up_to_date, whole_hours
from oee.scopes import machines_of
from workorders.models import ChangeoverTarget, ChangeoverTask, ChangeoverTaskDone, Run
from workorders.selectors import target_of

MOST_CHANGEOVERS = 200
"""How many are worked out at once, the newest of the window; each costs two short looks at the counts."""


@dataclass(frozen=True, slots=True)
class Changeover:
    """A line changed from one product to another, which the run `run_id` is of.

    `started_at` is the last good piece of the one product, None when it made none; `ended_at` the first good piece of
    the other, None while there is none. `internal_time` and `external_time` are of the tasks that were recorded.
    """

    run_id: int
    from_product_id: int
    to_product_id: int
    started_at: datetime | None
    ended_at: datetime | None
    target: timedelta | None
    internal_time: timedelta
    external_time: timedelta

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None while one of its ends is not known."""
        return None if self.started_at is None or self.ended_at is None else self.ended_at - self.started_at

    @property
    def internal_share(self) -> Fraction | None:
        """The part of the recorded work for which the line stood; None when none was recorded."""
        total = self.internal_time + self.external_time
        return Fraction(microseconds(self.internal_time), microseconds(total)) if total else None


def changeovers_of(line: Line, window: Interval, *, now: datetime) -> list[Changeover]:
    """Return the changeovers whose new product's run began in a window, in order, at most the newest 200.

    Pieces are those of the machine that stands for the line (of several, its last): good ones, or all of them where it
    has no counter of good ones. Runs without a product, and those of the same product, change nothing over.
    """
    machines = machines_of(line)
    pairs = _pairs(line, window, now)[-MOST_CHANGEOVERS:]
    if not machines or not pairs:
        return []
    machine = machines[-1]
    runs = {run.pk: run for before, after in pairs for run in (*before, after)}
    made = _ends(machine, list(runs.values()), now=now)
    targets = list(ChangeoverTarget.objects.filter(Q(line=line) | Q(line__isnull=True)))
    done = _work_done([after.pk for _, after in pairs])
    found = []
    for before, after in pairs:
        from_product_id, to_product_id = before[-1].work_order.product_id, after.work_order.product_id
        last = [made[run.pk][1] for run in before if run.pk in made]
        first = made.get(after.pk)
        assert from_product_id is not None
        assert to_product_id is not None
        found.append(
            Changeover(
                run_id=after.pk,
                from_product_id=from_product_id,
                to_product_id=to_product_id,
                started_at=max(last, default=None),
                ended_at=first[0] if first else None,
                target=target_of(targets, from_product_id, to_product_id),
                internal_time=done[after.pk, ChangeoverTask.Kind.INTERNAL],
                external_time=done[after.pk, ChangeoverTask.Kind.EXTERNAL],
            )
        )
    return found


def _pairs(line: Line, window: Interval, now: datetime) -> list[tuple[list[Run], Run]]:
    """Return the runs with which a new product began in the window, each with the runs of the product before it."""
    runs = (
        Run.objects.filter(line=line, work_order__product__isnull=False, started_at__lt=min(window.end, now))
        .select_related("work_order")
        .order_by("-started_at")
    )
    in_window = list(runs.filter(started_at__gte=window.start))
    if not in_window:
        return []
    # The runs of the product before the window's first: as far back as one product was made, within reason.
    earlier = list(runs.filter(started_at__lt=window.start)[:50])
    ordered = [*reversed(earlier), *reversed(in_window)]
    pairs: list[tuple[list[Run], Run]] = []
    same: list[Run] = []
    for run in ordered:
        if same and same[-1].work_order.product_id != run.work_order.product_id:
            if run.started_at >= window.start:
                pairs.append((same, run))
            same = []
        same = [*same, run]
    return pairs


def _ends(machine: Machine, runs: Sequence[Run], *, now: datetime) -> dict[int, tuple[datetime, datetime]]:
    """Return when each run's first and last good piece was counted; a run that made none is absent."""
    role = _role(machine)
    span = Interval(floor_hour(min(run.started_at for run in runs)), min(now, max(run.ended_at or now for run in runs)))
    hours = whole_hours(span, [machine], now=now)
    wanted: set[datetime] = set()
    if hours is not None:
        bring_up_to_date([machine.pk], hours)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT min(starts_at), max(starts_at) FROM oee_hourslice WHERE machine_id = %s AND run_id = ANY(%s)"
                f" AND starts_at >= %s AND starts_at < %s AND {role.value} > 0 GROUP BY run_id",
                [machine.pk, [run.pk for run in runs], hours.start, hours.end],
            )
            wanted = {hour for row in cursor.fetchall() for hour in row}
    looks = [Interval(hour, hour + HOUR) for hour in sorted(wanted)]
    settled = hours.end if hours is not None else span.start
    if settled < span.end:
        looks.append(Interval(settled, span.end))
    found: dict[int, tuple[datetime, datetime]] = {}
    for look in looks:
        counted = load_counted([machine], look).get(machine.pk)
        for increment in sorted(counted.increments if counted else (), key=lambda increment: increment.at):
            run = _run_at(runs, increment) if increment.role is role and increment.quantity > 0 else None
            if run is not None and look.covers(increment.at):
                first, last = found.get(run.pk, (increment.at, increment.at))
                found[run.pk] = min(first, increment.at), max(last, increment.at)
    return found


def _run_at(runs: Sequence[Run], increment: Increment) -> Run | None:
    return next(
        (
            run
            for run in runs
            if run.started_at <= increment.at and (run.ended_at is None or increment.at < run.ended_at)
        ),
        None,
    )


def _role(machine: Machine) -> CountRole:
    roles = set(CountTag.objects.filter(machine=machine).values_list("count_type__role", flat=True))
    return CountRole.GOOD if CountRole.GOOD in roles or CountRole.TOTAL not in roles else CountRole.TOTAL


def _work_done(run_ids: Sequence[int]) -> Mapping[tuple[int, str], timedelta]:
    done: dict[tuple[int, str], timedelta] = defaultdict(timedelta)
    for row in ChangeoverTaskDone.objects.filter(run__in=run_ids).select_related("task"):
        done[row.run_id, row.task.kind] += row.ended_at - row.started_at
    return done
