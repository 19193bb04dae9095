"""Gather what the engine needs to know of one machine over a window, in a handful of queries."""

from collections.abc import Iterable
from fractions import Fraction

from django.db.models import Q

from core.intervals import Interval
from counts.models import CountTag
from counts.selectors import readings_in
from downtime.selectors import corrections_in, states_in
from enterprise.models import Machine
from enterprise.selectors import shifts_of
from oee.engine import (
    Category,
    CountMode,
    CountRole,
    Increment,
    MachineHistory,
    RateSpan,
    Reading,
    ResetPolicy,
    RunSpan,
    ShiftSpan,
    StateCorrection,
    StateEvent,
    TagConfig,
    increments,
)
from products.models import IdealRate
from workorders.models import Run


def load_history(machine: Machine, window: Interval, *, with_counts: bool = True) -> MachineHistory:
    """Return a machine's facts and intent that bear on a window, with the state and readings carried into it.

    The machine's line, area and site are read: select them with it. Without counts it is the timeline only.
    """
    runs = _runs(machine, window)
    return MachineHistory(
        states=tuple(
            StateEvent(at=at, reason_id=reason_id, category=Category(category))
            for at, reason_id, category in states_in(machine.pk, window)
        ),
        corrections=tuple(
            StateCorrection(
                sequence=row.pk,
                start=row.starts_at,
                end=row.ends_at,
                reason_id=row.reason_id,
                category=Category(row.reason.category),
                replaces_running=row.replaces_running,
            )
            for row in corrections_in(machine.pk, window)
        ),
        increments=tuple(_increments(machine, window)) if with_counts else (),
        shifts=_shifts(machine, window),
        runs=runs,
        rates=_rates(machine, window, {run.product_id for run in runs if run.product_id is not None}),
    )


def tag_config(tag: CountTag) -> TagConfig:
    """Return a tag as the engine sees it."""
    return TagConfig(
        role=CountRole(tag.count_type.role),
        mode=CountMode(tag.mode),
        scale=Fraction(tag.scale),
        modulus=None if tag.modulus is None else int(tag.modulus),
        reset_policy=ResetPolicy(tag.reset_policy),
    )


def _increments(machine: Machine, window: Interval) -> Iterable[Increment]:
    tags = {tag.pk: tag for tag in CountTag.objects.filter(machine=machine).select_related("count_type")}
    for tag_id, readings in readings_in(list(tags), window).items():
        yield from increments(tag_config(tags[tag_id]), [Reading(at=at, value=value) for at, value in readings])


def _shifts(machine: Machine, window: Interval) -> tuple[ShiftSpan, ...] | None:
    occurrences = shifts_of(machine, window)
    if occurrences is None:
        return None
    return tuple(
        ShiftSpan(
            shift_id=occurrence.shift_id,
            shift_date=occurrence.shift_date,
            interval=Interval(occurrence.start, occurrence.end),
            breaks=occurrence.breaks,
        )
        for occurrence in occurrences
    )


def _runs(machine: Machine, window: Interval) -> tuple[RunSpan, ...]:
    runs = Run.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=window.start),
        line=machine.line_id,
        started_at__lt=window.end,
    )
    return tuple(
        RunSpan(run_id=run_id, product_id=product_id, start=started_at, end=ended_at)
        for run_id, product_id, started_at, ended_at in runs.values_list(
            "id", "work_order__product_id", "started_at", "ended_at"
        )
    )


def _rates(machine: Machine, window: Interval, product_ids: set[int]) -> tuple[RateSpan, ...]:
    rates = IdealRate.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=window.start),
        machine=machine,
        product__in=product_ids,
        valid_from__lt=window.end,
    )
    return tuple(
        RateSpan(
            rate_id=rate.pk,
            product_id=rate.product_id,
            ideal_cycle_time=rate.ideal_cycle_time,
            start=rate.valid_from,
            end=rate.valid_until,
        )
        for rate in rates
    )
