"""When an operation will be finished, from what it made so far and the shift calendar of where it is done."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from core.intervals import Interval, intersect, subtract, union
from enterprise.models import Machine
from enterprise.selectors import shifts_of
from execution.apportion import shares_of, span_until
from execution.counted import pieces_of
from execution.forecasting import Batch, Forecast, batches_of, forecast, stretches_of
from execution.models import OperationRun, ProductionReport
from execution.selectors import BY_MACHINE, pieces_per_unit, progress_of_operations, works_beside
from workorders.models import Operation

_FAR = timedelta(days=60)


def finish_forecast(operation: Operation, *, now: datetime) -> Forecast:
    """Return when an operation will be finished; its order with line, area, site, product and unit is read.

    Working time counts from its first work on, or to its end when it is over; what stands still in it lowers the rate.
    """
    progress = progress_of_operations([operation], now=now)[operation.pk]
    runs = list(
        OperationRun.objects.filter(operation=operation, started_at__lt=now)
        .select_related("machine__line__area__site")
        .order_by("started_at", "id")
    )
    if not runs:
        return Forecast(progress.remaining)
    spans = [span for run in runs if (span := span_until(run.started_at, run.ended_at, now))]
    over = operation.status == Operation.Status.COMPLETED
    worked = Interval(runs[0].started_at, max(span.end for span in spans) if over else now)
    machine = runs[-1].machine
    past = _pauses(machine, worked)
    ahead = _pauses(machine, Interval(now, now + _FAR))
    batches = (
        _counted(operation, worked, past, now=now)
        if operation.counting_source in BY_MACHINE
        else batches_of(worked, _reported(operation, now), pauses=past)
    )
    running = sum(span.microseconds for span in union(spans))
    return forecast(
        remaining=progress.remaining,
        batches=batches,
        running_seconds=Fraction(running, 1_000_000),
        now=now,
        pauses=ahead,
    )


def _reported(operation: Operation, now: datetime) -> list[tuple[datetime, Fraction]]:
    rows = ProductionReport.objects.filter(operation=operation, occurred_at__lte=now).order_by("occurred_at", "id")
    return [(row.occurred_at, Fraction(row.good) * row.factor) for row in rows]


def _counted(operation: Operation, worked: Interval, pauses: Sequence[Interval], *, now: datetime) -> list[Batch]:
    """Return the machine's pieces in each stretch; what people sorted out of them is not taken out."""
    shares = [share for share in shares_of(works_beside([operation.pk], now=now)) if operation.pk in share.parts]
    stretches = stretches_of(worked, pauses)
    parts = [
        (number, share, part)
        for number, (stretch, _) in enumerate(stretches)
        for share in shares
        if (part := intersect(share.span, stretch))
    ]
    pieces = pieces_of([(share.machine_id, part) for _, share, part in parts], now=now)
    sums = [Fraction(0) for _ in stretches]
    for (number, share, _), made in zip(parts, pieces, strict=True):
        sums[number] += (made.good or Fraction(0)) * share.parts[operation.pk]
    per_unit = pieces_per_unit(operation.work_order)
    return [Batch(seconds, good / per_unit) for (_, seconds), good in zip(stretches, sums, strict=True)]


def _pauses(machine: Machine, window: Interval) -> list[Interval]:
    """Return the time of a window in which a machine's calendar plans no work; without a calendar, none."""
    shifts = shifts_of(machine, window)
    if shifts is None:
        return []
    working = union(part for shift in shifts for part in subtract(shift.interval, shift.breaks))
    return subtract(window, working)
