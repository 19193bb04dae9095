"""Which order of the planned jobs of a line takes the least changing over, by what changeovers really took there."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from advice.engine.order import MOST_JOBS, Job, best_order, order_of
from advice.findings import Finding, Found, Quiet, stored
from advice.models import Kind
from core.intervals import Interval, intersect
from enterprise.models import Line, Machine, Site
from enterprise.selectors import shifts_of
from enterprise.shift_calendar import ShiftOccurrence
from oee.changeovers import changeovers_of
from oee.scopes import representatives_of
from products.models import Product
from workorders.models import ChangeoverTarget, Run, Schedule
from workorders.selectors import target_of

AHEAD = timedelta(days=7)
LOOKED_BACK = timedelta(days=90)
MEASURED_NEEDED = 3
LEAST_SAVED = 5.0
"""Minutes; nobody turns a plan around for less."""


class Durations:
    """How long a line takes from one product to another, in minutes.

    Counted is the time in shifts alone: the night before the first piece of the next day is none. The median of what
    was measured of the pair, else its target, else what was measured to the product, else of all.
    """

    def __init__(self, line: Line, machine: Machine, *, now: datetime) -> None:
        self._pairs: dict[tuple[int, int], list[float]] = defaultdict(list)
        self._to: dict[int, list[float]] = defaultdict(list)
        self._targets = list(ChangeoverTarget.objects.filter(line=line) | ChangeoverTarget.objects.filter(line=None))
        window = Interval(now - LOOKED_BACK, now)
        shifts = shifts_of(machine, window)
        for one in changeovers_of(line, window, now=now):
            if one.started_at is not None and one.ended_at is not None:
                minutes = _in_shifts(Interval(one.started_at, one.ended_at), shifts)
                self._pairs[one.from_product_id, one.to_product_id].append(minutes)
                self._to[one.to_product_id].append(minutes)
        self._all = [minutes for of in self._to.values() for minutes in of]

    @property
    def measured(self) -> int:
        """How many were measured."""
        return len(self._all)

    def minutes(self, before: int, after: int) -> float:
        """Return the minutes from one product to another."""
        return self.told(before, after)[0]

    def told(self, before: int, after: int) -> tuple[float, str]:
        """Return the minutes, and where they are from: pair, product, target or all."""
        if self._pairs.get((before, after)):
            return median(self._pairs[before, after]), "pair"
        target = target_of(self._targets, before, after)
        if target is not None:
            return target.total_seconds() / 60, "target"
        if self._to.get(after):
            return median(self._to[after]), "product"
        return (median(self._all) if self._all else 0.0), "all"


def _in_shifts(span: Interval, shifts: Sequence[ShiftOccurrence] | None) -> float:
    if shifts is None:
        return span.microseconds / 60_000_000
    inside = (intersect(span, shift.interval) for shift in shifts)
    return sum(part.microseconds for part in inside if part is not None) / 60_000_000


def orders_of_changeovers(site: Site, *, now: datetime) -> list[Found]:
    """Return for each line the order of its planned jobs that saves most, where one saves anything to speak of."""
    lines = list(Line.objects.filter(area__site=site, is_active=True).select_related("area__site").order_by("pk"))
    machines = representatives_of([line.pk for line in lines])
    found = (_of_line(line, machines[line.pk][-1], now=now) for line in lines if line.pk in machines)
    return [one for one in found if one is not None]


def _of_line(line: Line, machine: Machine, *, now: datetime) -> Found | None:
    subject = f"changeover line {line.pk}"

    def quiet(why: str, **facts: Any) -> Quiet:
        return Quiet(kind=Kind.CHANGEOVER, subject=subject, why=why, facts=facts, line=line)

    entries = list(
        Schedule.objects.filter(
            line=line,
            kind=Schedule.Kind.PRODUCTION,
            planned_start_at__gte=now,
            planned_start_at__lt=now + AHEAD,
            work_order__product__isnull=False,
        )
        .exclude(status=Schedule.Status.CANCELLED)
        .select_related("work_order__product")
        .order_by("planned_start_at", "pk")[:MOST_JOBS]
    )
    if len(entries) < 3 or len({_product(entry) for entry in entries}) < 2:
        return quiet("thin_plan", entries=len(entries), needed=3)
    took = Durations(line, machine, now=now)
    if took.measured < MEASURED_NEEDED:
        return quiet("thin_changeovers", measured=took.measured, needed=MEASURED_NEEDED)
    start = entries[0].planned_start_at
    jobs = [_job(entry, start) for entry in entries]
    before = (
        Run.objects.filter(line=line, started_at__lte=now, work_order__product__isnull=False)
        .order_by("-started_at")
        .first()
    )
    first = before.work_order.product_id if before else None
    best = best_order(jobs, first=first, cost=took.minutes)
    planned = order_of(jobs, first=first, cost=took.minutes).changing
    saved = planned - best.changing
    if saved < LEAST_SAVED:
        return quiet("plan_is_good", entries=len(entries), minutes=round(planned))
    by_key = {entry.pk: entry for entry in entries}
    names = {product.pk: product.code for product in Product.objects.filter(pk__in={job.product for job in jobs})}
    evidence = {
        "minutes_saved": round(saved, 1),
        "minutes_planned": round(planned, 1),
        "minutes_best": round(best.changing, 1),
        "measured": took.measured,
        "late": best.late,
        "planned": [_told(by_key[job.key], names) for job in jobs],
        "best": [_told(by_key[job.key], names) for job in best.jobs],
        "durations": _matrix(jobs, took, names),
        "links": [{"page": "planner", "line": line.code}, {"page": "changeovers", "line": line.code}],
    }
    return Finding(
        kind=Kind.CHANGEOVER,
        subject=subject,
        evidence=evidence,
        says=(*(job.key for job in jobs), "then", *(job.key for job in best.jobs), round(saved)),
        strength=stored(saved, 3),
        window=Interval(now - LOOKED_BACK, now),
        # From its first job on, the plan is being done.
        valid_until=max(start, now + timedelta(hours=1)),
        line=line,
        gain_hours=stored(saved / 60, 3),
        gain_money=None if machine.hourly_cost is None else stored(saved / 60 * float(machine.hourly_cost), 2),
    )


def _product(entry: Schedule) -> int:
    assert entry.work_order is not None
    assert entry.work_order.product_id is not None
    return entry.work_order.product_id


def _job(entry: Schedule, start: datetime) -> Job:
    assert entry.work_order is not None
    due = entry.work_order.due_at
    minutes = (entry.planned_end_at - entry.planned_start_at).total_seconds() / 60
    return Job(entry.pk, _product(entry), minutes, None if due is None else (due - start).total_seconds() / 60)


def _told(entry: Schedule, names: dict[int, str]) -> dict[str, str]:
    assert entry.work_order is not None
    return {"order": entry.work_order.order_number, "product": names.get(_product(entry), "")}


def _matrix(jobs: Sequence[Job], took: Durations, names: dict[int, str]) -> list[dict[str, Any]]:
    products = sorted({job.product for job in jobs})[:12]
    rows = []
    for before in products:
        for after in products:
            if before != after:
                minutes, source = took.told(before, after)
                rows.append({"from": names[before], "to": names[after], "minutes": round(minutes, 1), "of": source})
    return rows
