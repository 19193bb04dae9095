"""Gather all elements that KPIs are written over: from stored hours, reasons, the line's other machines,
and schedules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from core.intervals import Interval, intersect
from core.retention import closed_until
from enterprise.models import Line, Machine
from labor.models import Employee
from labor.selectors import Hours, hours_of
from oee.engine.cycles import mean_and_deviation
from oee.engine.element_values import element_values
from oee.engine.reasons import ReasonSums
from oee.questions import Question
from oee.reason_times import ReasonTime, Traits, reason_times
from oee.scopes import machines_on
from oee.selectors import Report, Sums, reports_of, sums_by_run, sums_for
from oee.slicing import EVERYTHING, SlicesByMachine, slices_of
from oee.slow_cycles import cycles_of
from products.rates import planned_scrap
from quality.figures import inspected_in
from workorders.models import Run, Schedule

Values = Mapping[str, Fraction | None]
# Single cycles are read from the facts, so only for windows as short as people look at them for.
LONGEST_FOR_CYCLES = timedelta(hours=36)
# A plant that schedules more orders into a window than this asks for a shorter one.
MOST_ORDERS = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """A report with the values of all elements, by code; None = not known; and what it was worked out from."""

    report: Report
    sums: Sums
    times: Sequence[ReasonTime]
    reasons: ReasonSums
    values: Values


def answer(asked: Question, *, now: datetime, slices: SlicesByMachine | None = None) -> Answer:
    """Return everything that KPIs follow from; `slices` of it, as fine as they like, save reading them."""
    if slices is None:
        slices = slices_of(asked.machines, asked.window, now=now, part=asked.part)
    sums = sums_for(asked.machines, slices.values())
    found = sums.report(asked.machines, asked.window, slices, now=now)
    times = reason_times(asked.machines, asked.window, now=now, part=asked.part)
    reasons = Traits().sums(times)
    values = element_values(found.sums, reasons)
    values["PSQ"] = _planned_scrap(asked.machines, slices, sums)
    past = Interval(asked.window.start, min(asked.window.end, now)) if asked.window.start < now else None
    if asked.part == EVERYTHING and past is not None:
        values |= _of_people(asked.machines, past, now=now)
        values |= _of_line(asked.machines, past, slices, sums, now=now)
        values |= _of_inspections(asked.machines, past)
        values |= _of_schedule(asked.machines, past, now=now)
        closed = closed_until()
        if past.end - past.start <= LONGEST_FOR_CYCLES and (closed is None or closed <= past.start):
            cycles = [one for of_machine in cycles_of(asked.machines, past, now=now).values() for one in of_machine]
            values["CTV_MEAN"], values["CTV_SD"] = mean_and_deviation(cycles)
    return Answer(found, sums, times, reasons, values)


def _planned_scrap(machines: Sequence[Machine], slices: SlicesByMachine, sums: Sums) -> Fraction | None:
    """Return the scrap that the plan allows for; not known when a product says none, or nobody knows the product."""
    allowed = planned_scrap({piece.key.rate_id for pieces in slices.values() for piece in pieces})
    total = Fraction(0)
    for machine in machines:
        for piece in slices[machine.pk]:
            made = sums.of(machine, [piece]).quantities.produced
            share = allowed.get(piece.key.rate_id or 0)
            if made and share is None:
                return None
            total += made * Fraction(share or 0)
    return total


def _of_people(machines: Sequence[Machine], past: Interval, *, now: datetime) -> Values:
    """Return worked and attended time of a site's people; not known for less than a whole site,
    where nobody attends.
    """
    sites = {machine.line.area.site_id for machine in machines}
    lines = {machine.line_id for machine in machines}
    if Line.objects.filter(area__site__in=sites, is_active=True).exclude(pk__in=lines).exists():
        return {}
    people = list(Employee.objects.filter(site__in=sites).values_list("id", flat=True))
    if not people:
        return {}
    hours = sum(hours_of(people, past, now=now).values(), start=Hours())
    return {"APWT": hours.on_orders, "APAT": hours.attendance - hours.breaks}


def _of_inspections(machines: Sequence[Machine], past: Interval) -> Values:
    """Return what inspections at machines looked at and found; not known where none ended."""
    found = inspected_in([machine.pk for machine in machines], past)
    if not found.units:
        return {}
    return {"QIQ": Fraction(found.units), "QNQ": Fraction(found.nonconforming), "DFQ": Fraction(found.defects)}


def _of_line(
    machines: Sequence[Machine], past: Interval, slices: SlicesByMachine, sums: Sums, *, now: datetime
) -> Values:
    """Return what only all machines of one line tell: what went in at its first, and what was lost on the way."""
    if len({machine.line_id for machine in machines}) != 1:
        return {}
    along = machines_on(machines[0].line)
    made = {machine.pk: sums.of(machine, slices[machine.pk]).quantities for machine in machines}
    others = [machine for machine in along if machine.pk not in made]
    made |= {pk: found.sums.quantities for pk, found in reports_of(others, past, now=now).items()}
    counting = [made[machine.pk] for machine in along if made[machine.pk].produced]
    if not counting:
        return {}
    yields = Fraction(1)
    for quantities in counting:
        yields *= quantities.good / quantities.produced
    return {
        "PQ1": counting[0].produced,
        "SQ_ALL": sum((quantities.scrap for quantities in counting), start=Fraction(0)),
        "RTY": yields,
    }


def _of_schedule(machines: Sequence[Machine], past: Interval, *, now: datetime) -> Values:
    """Return the quantity that was due by the schedule, and how much of each order's was made.

    An order's quantity is due evenly over the time that is scheduled for it.
    """
    lines = {machine.line_id: [m for m in machines if m.line_id == machine.line_id] for machine in machines}
    blocks = Schedule.objects.filter(
        line__in=lines, kind=Schedule.Kind.PRODUCTION, planned_start_at__lt=past.end, planned_end_at__gt=past.start
    ).exclude(status=Schedule.Status.CANCELLED)
    orders = {(block.work_order_id, block.line_id) for block in blocks[: MOST_ORDERS + 1]}
    if not orders or len(orders) > MOST_ORDERS:
        return {}
    scheduled = Schedule.objects.filter(work_order__in=[order for order, _ in orders]).select_related("work_order")
    scheduled = scheduled.exclude(status=Schedule.Status.CANCELLED)
    due, whole, target = dict.fromkeys(orders, Fraction(0)), dict.fromkeys(orders, 0), {}
    for block in scheduled:
        key = block.work_order_id, block.line_id
        if key in orders and block.work_order is not None:
            span = Interval(block.planned_start_at, block.planned_end_at)
            whole[key] += span.microseconds
            inside = intersect(span, past)
            due[key] += inside.microseconds if inside else 0
            target[key] = Fraction(block.work_order.target_quantity)
    runs: dict[tuple[int | None, int], list[Run]] = {key: [] for key in orders}
    for run in Run.objects.filter(line__in=lines, started_at__lt=past.end).exclude(ended_at__lte=past.start):
        runs.get((run.work_order_id, run.line_id), []).append(run)
    made = sums_by_run(lines, (run for of_order in runs.values() for run in of_order), now=now, within=past)
    planned = delivered = Fraction(0)
    for key in orders:
        asked_for = target[key] * due[key] / whole[key]
        planned += asked_for
        if runs[key]:
            good = sum((made[run.pk].quantities.good for run in runs[key] if run.pk in made), start=Fraction(0))
            delivered += min(good, asked_for)
    return {"PSCH": planned, "ASCH": delivered}
