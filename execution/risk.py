"""Which orders will not be ready when they are due: those that are late, and those that will be at the rate they go."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from django.db.models import Max, Sum

from core.intervals import Interval, subtract, union
from enterprise.selectors import Shifts, reference_machines, shifts_of_all
from execution.forecasting import Batch, forecast
from execution.selectors import pieces_per_unit, progress_of, worked_on
from oee.scopes import representatives_of
from oee.selectors import sums_by_run
from workorders.models import OrderConfirmation, Run, Schedule, WorkOrder
from workorders.selectors import LIVE

AHEAD = timedelta(days=14)
_BACK = timedelta(days=14)
_FAR = timedelta(days=60)
MOST = 200


class Why(StrEnum):
    """How it is known that an order is at risk."""

    OVERDUE = "overdue"
    FORECAST = "forecast"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class OrderAtRisk:
    """An order that is or will be late. `finish_at` is when it will be finished by its rate or plan; None = not known.

    `made` and `target` are in the order's unit, exact; `made` None = nobody knows.
    """

    order: WorkOrder
    why: Why
    finish_at: datetime | None
    made: Fraction | None
    target: Fraction

    @property
    def late_by(self) -> timedelta | None:
        """How long after its due date it will be finished; None where that is not known."""
        due = self.order.due_at
        return None if due is None or self.finish_at is None or self.finish_at <= due else self.finish_at - due


def orders_at_risk(*, line_ids: Collection[int], now: datetime) -> list[OrderAtRisk]:
    """Return the unfinished orders of lines that are overdue, or due within two weeks and will not be ready then.

    The most urgent first, at most 200 are looked at. By its rate: good pieces of its running run per working second
    (`execution.forecasting`). The number of queries does not grow with that of the orders.
    """
    orders = list(
        WorkOrder.objects.filter(line__in=list(line_ids), status__in=LIVE, due_at__lt=now + AHEAD)
        .select_related("product__unit", "unit", "line__area__site")
        .order_by("due_at", "id")[:MOST]
    )
    if not orders:
        return []
    runs = list(Run.objects.filter(work_order__in=orders, started_at__lte=now).select_related("line__area__site"))
    good = _good_of(orders, runs, now=now)
    finishes = _finishes(orders, runs, good, now=now)
    plans = dict(
        Schedule.objects.filter(work_order__in=orders)
        .order_by()
        .values_list("work_order")
        .annotate(end=Max("planned_end_at"))
    )
    found = []
    for order in orders:
        finish, planned = finishes.get(order.pk), plans.get(order.pk)
        assert order.due_at is not None
        if order.due_at <= now:
            why, at = Why.OVERDUE, finish or planned
        elif finish is not None:
            why, at = Why.FORECAST, finish
        else:
            why, at = Why.PLANNED, planned
        if why is Why.OVERDUE or (at is not None and at > order.due_at):
            found.append(OrderAtRisk(order, why, at, good.get(order.pk), Fraction(order.target_quantity)))
    return found


def good_of_orders(orders: list[WorkOrder], *, now: datetime) -> dict[int, Fraction]:
    """Return the good pieces of orders in their units, by id: as confirmed, else as operations say,
    else their lines' runs.

    Their product and units are read. The number of queries does not grow; an order of which nobody knows is absent.
    """
    runs = list(Run.objects.filter(work_order__in=orders, started_at__lte=now).select_related("line__area__site"))
    sums = OrderConfirmation.objects.filter(order__in=orders).order_by().values("order").annotate(total=Sum("good"))
    return _good_of(orders, runs, now=now) | {row["order"]: Fraction(row["total"]) for row in sums if row["total"]}


def _good_of(orders: list[WorkOrder], runs: list[Run], *, now: datetime) -> dict[int, Fraction]:
    """Return the good pieces of orders in their units, as operations say, or else the runs of their lines."""
    worked = worked_on(order.pk for order in orders)
    found = {
        pk: progress.made.good
        for pk, progress in progress_of([order for order in orders if order.pk in worked], now=now).items()
        if progress.made.good is not None
    }
    by_id = {order.pk: order for order in orders}
    rest = [run for run in runs if run.work_order_id not in worked]
    sums = sums_by_run(representatives_of(run.line_id for run in rest), rest, now=now)
    made: dict[int, Fraction] = defaultdict(Fraction)
    for run in rest:
        if run.pk in sums:
            made[run.work_order_id] += sums[run.pk].quantities.good
    return found | {pk: pieces / pieces_per_unit(by_id[pk]) for pk, pieces in made.items()}


def _finishes(
    orders: list[WorkOrder], runs: list[Run], good: Mapping[int, Fraction], *, now: datetime
) -> dict[int, datetime | None]:
    """Return when orders that are being made will be finished, by the rate of their runs up to now."""
    by_id = {order.pk: order for order in orders}
    begun: dict[int, datetime] = {}
    lines: dict[int, int] = {}
    for run in runs:
        begun[run.work_order_id] = min(begun.get(run.work_order_id, run.started_at), run.started_at)
        if run.ended_at is None:
            lines[run.work_order_id] = run.line_id
    if not lines:
        return {}
    references = reference_machines(lines.values())
    calendars = shifts_of_all(list(references.values()), Interval(now - _BACK, now + _FAR)) if references else {}
    found: dict[int, datetime | None] = {}
    for order_id, line_id in lines.items():
        reference, made = references.get(line_id), good.get(order_id)
        if reference is None or made is None:
            continue
        worked = Interval(max(begun[order_id], now - _BACK), now) if begun[order_id] < now else None
        shifts = calendars[reference.pk]
        if worked is None or begun[order_id] < now - _BACK:
            # Its rate would be of a time whose calendar was not read.
            continue
        seconds = sum(part.microseconds for part in subtract(worked, _pauses(shifts, worked)))
        remaining = Fraction(by_id[order_id].target_quantity) - made
        found[order_id] = forecast(
            remaining=max(remaining, Fraction(0)),
            batches=[Batch(Fraction(seconds, 10**6), made)],
            running_seconds=Fraction(worked.microseconds, 10**6),
            now=now,
            pauses=_pauses(shifts, Interval(now, now + _FAR)),
        ).finish_at
    return found


def _pauses(shifts: Shifts, window: Interval) -> list[Interval]:
    """Return the time of a window in which no work is planned; without a calendar, none."""
    if shifts is None:
        return []
    working = union(part for shift in shifts for part in subtract(shift.interval, shift.breaks))
    return subtract(window, working)
