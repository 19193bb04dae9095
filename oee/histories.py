"""Gather what the engine needs to know of machines over a window, in a handful of queries."""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from django.db.models import Q

from core.intervals import Interval
from counts.models import CountTag
from counts.selectors import readings_in
from downtime.selectors import corrections_in, states_in
from enterprise.models import Machine
from enterprise.selectors import Shifts, shifts_of_all
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


def load_history(machine: Machine, window: Interval) -> MachineHistory:
    """Return one machine's history over a window; see `load_histories`."""
    return load_histories([machine], window)[machine.pk]


def load_histories(
    machines: Sequence[Machine], window: Interval, *, with_counts: bool = True
) -> dict[int, MachineHistory]:
    """Return machines' facts and intent that bear on a window, with the state and readings carried into it.

    Their line, area and site are read: select them with them. Without counts it is what a timeline needs. The number
    of queries does not depend on the number of machines.
    """
    ids = [machine.pk for machine in machines]
    states = states_in(ids, window)
    corrections = _corrections(ids, window)
    shifts = shifts_of_all(machines, window)
    runs = _runs(machines, window)
    rates = _rates(ids, window, {run.product_id for of_line in runs.values() for run in of_line})
    counted = load_increments(machines, window) if with_counts else {}
    return {
        machine.pk: MachineHistory(
            states=tuple(
                StateEvent(at=at, reason_id=reason_id, category=Category(category))
                for at, reason_id, category in states[machine.pk]
            ),
            corrections=tuple(corrections[machine.pk]),
            increments=tuple(counted.get(machine.pk, ())),
            shifts=_shift_spans(shifts[machine.pk]),
            runs=tuple(runs[machine.line_id]),
            rates=tuple(rates[machine.pk]),
        )
        for machine in machines
    }


def load_increments(machines: Sequence[Machine], window: Interval) -> dict[int, list[Increment]]:
    """Return what machines counted in a window; a machine that counted nothing is absent."""
    tags = {tag.pk: tag for tag in CountTag.objects.filter(machine__in=machines).select_related("count_type")}
    counted: dict[int, list[Increment]] = defaultdict(list)
    for tag_id, readings in readings_in(list(tags), window).items():
        tag = tags[tag_id]
        counted[tag.machine_id] += increments(tag_config(tag), [Reading(at=at, value=value) for at, value in readings])
    return counted


def tag_config(tag: CountTag) -> TagConfig:
    """Return a tag as the engine sees it."""
    return TagConfig(
        role=CountRole(tag.count_type.role),
        mode=CountMode(tag.mode),
        scale=Fraction(tag.scale),
        modulus=None if tag.modulus is None else int(tag.modulus),
        reset_policy=ResetPolicy(tag.reset_policy),
    )


def _corrections(machine_ids: Sequence[int], window: Interval) -> dict[int, list[StateCorrection]]:
    corrections: dict[int, list[StateCorrection]] = defaultdict(list)
    for row in corrections_in(machine_ids, window):
        corrections[row.machine_id].append(
            StateCorrection(
                sequence=row.pk,
                start=row.starts_at,
                end=row.ends_at,
                reason_id=row.reason_id,
                category=Category(row.reason.category),
                replaces_running=row.replaces_running,
            )
        )
    return corrections


def _shift_spans(shifts: Shifts) -> tuple[ShiftSpan, ...] | None:
    if shifts is None:
        return None
    return tuple(
        ShiftSpan(shift_id=shift.shift_id, shift_date=shift.shift_date, interval=shift.interval, breaks=shift.breaks)
        for shift in shifts
    )


def _runs(machines: Sequence[Machine], window: Interval) -> dict[int, list[RunSpan]]:
    rows = Run.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=window.start),
        line__in={machine.line_id for machine in machines},
        started_at__lt=window.end,
    ).values_list("line_id", "id", "work_order__product_id", "started_at", "ended_at")
    runs: dict[int, list[RunSpan]] = defaultdict(list)
    for line_id, run_id, product_id, started_at, ended_at in rows:
        runs[line_id].append(RunSpan(run_id=run_id, product_id=product_id, start=started_at, end=ended_at))
    return runs


def _rates(machine_ids: Sequence[int], window: Interval, product_ids: set[int | None]) -> dict[int, list[RateSpan]]:
    rates: dict[int, list[RateSpan]] = defaultdict(list)
    for rate in IdealRate.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=window.start),
        machine__in=machine_ids,
        product__in=product_ids - {None},
        valid_from__lt=window.end,
    ):
        rates[rate.machine_id].append(
            RateSpan(
                rate_id=rate.pk,
                product_id=rate.product_id,
                ideal_cycle_time=rate.ideal_cycle_time,
                start=rate.valid_from,
                end=rate.valid_until,
            )
        )
    return rates
