"""Answer what the OEE of anything was over any window, from stored hours plus the window's edges from the facts.

Every answer reaches up to `now` at most: elements sum to the window's past. A report is right at once after a late
fact, because stale hours are recomputed before they are read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.db.models import Q

from core.intervals import Interval, ceil_hour, floor_hour, hours_of, intersect
from core.retention import refuse_closed
from enterprise.models import Machine
from enterprise.shift_calendar import ShiftOccurrence
from oee.engine import (
    CountingScheme,
    CountRole,
    Kpis,
    MachineHistory,
    MachineSums,
    Policy,
    Segment,
    Slice,
    segments,
    sum_slices,
)
from oee.histories import load_histories, tags_of
from oee.policies import DatedPolicies, policies_of
from oee.scopes import Place, machines_of
from oee.slicing import EVERYTHING, Part, SlicesByMachine, sites_of, slices_of
from products.rates import cycle_times
from workorders.models import Run


@dataclass(frozen=True, slots=True)
class Report:
    """The OEE of some machines over a window: KPIs with the exact sums behind them.

    `known_until` is where knowledge ends (the window's end, or now); `policies` are those that the sums follow.
    """

    window: Interval
    known_until: datetime
    machine_ids: tuple[int, ...]
    sums: MachineSums
    policies: tuple[Policy, ...]

    @property
    def kpis(self) -> Kpis:
        """The ratios of the sums."""
        return Kpis.of(self.sums)


def report(machines: Sequence[Machine], window: Interval, *, now: datetime, part: Part = EVERYTHING) -> Report:
    """Return the summed OEE of machines. Their line, area and site are read: select them with it."""
    policies = policies_of(sites_of(machines))
    slices = slices_of(machines, window, now=now, part=part, policies=policies)
    return sums_for(machines, slices.values(), policies).report(machines, window, slices, now=now)


def reports_of(machines: Sequence[Machine], window: Interval, *, now: datetime) -> dict[int, Report]:
    """Return each machine's own OEE, by its id."""
    policies = policies_of(sites_of(machines))
    slices = slices_of(machines, window, now=now, policies=policies)
    found = _reports([([machine], window, slices) for machine in machines], now=now, policies=policies)
    return {machine.pk: of_machine for machine, of_machine in zip(machines, found, strict=True)}


def _reports(
    asked: Sequence[tuple[Sequence[Machine], Interval, SlicesByMachine]],
    *,
    now: datetime,
    policies: Mapping[int, DatedPolicies],
) -> list[Report]:
    """Return one report for each (machines, window, their slices); what they refer to is looked up once for all."""
    everyone = {machine.pk: machine for machines, _, _ in asked for machine in machines}
    sums = sums_for(everyone.values(), (pieces for *_, slices in asked for pieces in slices.values()), policies)
    return [sums.report(machines, window, slices, now=now) for machines, window, slices in asked]


@dataclass(frozen=True, slots=True)
class Sums:
    """How machines' slices become sums: ideal cycle times by rate, counting schemes by machine, policies by site."""

    rates: Mapping[int, Fraction]
    schemes: Mapping[int, CountingScheme]
    policies: Mapping[int, DatedPolicies]

    def of(self, machine: Machine, slices: Iterable[Slice]) -> MachineSums:
        """Return the sums of some of a machine's slices."""
        policy = self.policies[machine.line.area.site_id].at
        return sum_slices(slices, rates=self.rates, scheme=self.schemes[machine.pk], policy=policy)

    def report(
        self, machines: Sequence[Machine], window: Interval, slices: SlicesByMachine, *, now: datetime
    ) -> Report:
        """Return the report of machines, given their slices of a window."""
        known_until = min(window.end, now)
        return Report(
            window=window,
            known_until=known_until,
            machine_ids=tuple(machine.pk for machine in machines),
            sums=MachineSums.total(self.of(machine, slices.get(machine.pk, ())) for machine in machines),
            policies=tuple(
                dict.fromkeys(
                    policy
                    for machine in machines
                    for policy in self.policies[machine.line.area.site_id].within(window.start, known_until)
                )
            ),
        )


def sums_for(
    machines: Iterable[Machine], slices: Iterable[Iterable[Slice]], policies: Mapping[int, DatedPolicies] | None = None
) -> Sums:
    """Look up all that the sums of these machines' slices need, the sites' policies unless they are known."""
    machines = list(machines)
    return Sums(
        rates=cycle_times({piece.key.rate_id for pieces in slices for piece in pieces}),
        schemes=schemes_of([machine.pk for machine in machines]),
        policies=policies_of(sites_of(machines)) if policies is None else policies,
    )


def schemes_of(machine_ids: Sequence[int]) -> Mapping[int, CountingScheme]:
    """Return which counters each machine has, and so how its pieces add up."""
    tags = tags_of(machine_ids)
    roles = {machine_id: {tag.count_type.role for tag in of_machine} for machine_id, of_machine in tags.items()}
    return {
        machine_id: CountingScheme(
            counts_total=CountRole.TOTAL in roles[machine_id], counts_good=CountRole.GOOD in roles[machine_id]
        )
        for machine_id in machine_ids
    }


def timelines(
    machines: Sequence[Machine],
    window: Interval,
    *,
    now: datetime,
    histories: Mapping[int, MachineHistory] | None = None,
) -> dict[int, tuple[Segment, ...]]:
    """Return what each machine did over the past of a window, moment by moment.

    `histories` that reach over it save loading them. Raises Closed for time whose facts are gone.
    """
    if window.start >= now:
        return {machine.pk: () for machine in machines}
    if histories is None:
        histories = open_histories(machines, window, now=now)
    past = Interval(window.start, min(window.end, now))
    return {machine.pk: segments(histories[machine.pk], past) for machine in machines}


def open_histories(machines: Sequence[Machine], window: Interval, *, now: datetime) -> dict[int, MachineHistory]:
    """Return machines' histories over the past of a window that has begun, for all that is told of it.

    Raises Closed for time whose facts are gone.
    """
    refuse_closed(window.start, field="starts_at")
    return load_histories(machines, Interval(window.start, min(window.end, now)), now=now)


def run_report(run: Run, *, now: datetime) -> Report:
    """Return the OEE of a run, by the machines that stand for its line."""
    return runs_reports({run.line_id: machines_of(run.line)}, {run.line_id: [run]}, now=now)[run.line_id]


def runs_reports(
    groups: Mapping[int, Sequence[Machine]],
    runs: Mapping[int, Sequence[Run]],
    *,
    now: datetime,
    histories: Mapping[int, MachineHistory] | None = None,
) -> dict[int, Report]:
    """Return the OEE of each group of machines over its own runs; a group without a run that has begun is absent.

    `histories` must reach over the current hour.
    """
    begun = {group: [run for run in of_group if run.started_at < now] for group, of_group in runs.items()}
    begun = {group: of_group for group, of_group in begun.items() if of_group}
    if not begun:
        return {}
    run_ids = frozenset(run.pk for of_group in begun.values() for run in of_group)
    # Whole hours, whose slices are told apart by their run.
    window = Interval(floor_hour(min(run.started_at for of_group in begun.values() for run in of_group)), now)
    machines = [machine for group in begun for machine in groups[group]]
    policies, part = policies_of(sites_of(machines)), Part(run_ids=run_ids)
    slices = slices_of(machines, window, now=now, part=part, histories=histories, policies=policies)
    reports = _reports([(groups[group], window, slices) for group in begun], now=now, policies=policies)
    return dict(zip(begun, reports, strict=True))


def sums_by_run(
    machines: Mapping[int, Sequence[Machine]], runs: Iterable[Run], *, now: datetime, within: Interval | None = None
) -> dict[int, MachineSums]:
    """Return the sums of each run, by its id, over the machines of its line; in a number of queries that does not grow.

    `machines` are those that stand for each line, by its id. A run that has not begun is absent. `within` leaves out
    what of a run lies outside of it.
    """
    begun = [run for run in runs if run.started_at < now and machines.get(run.line_id)]
    if not begun:
        return {}
    end = max(min(run.ended_at or now, now) for run in begun)
    # Whole hours, whose slices are told apart by their run.
    window = within or Interval(floor_hour(min(run.started_at for run in begun)), min(now, ceil_hour(end)))
    of_lines = {machine.pk: machine for line_id in {run.line_id for run in begun} for machine in machines[line_id]}
    part = Part(run_ids=frozenset(run.pk for run in begun))
    policies = policies_of(sites_of(of_lines.values()))
    slices = slices_of(list(of_lines.values()), window, now=now, part=part, by_run=True, policies=policies)
    sums = sums_for(of_lines.values(), slices.values(), policies)
    pieces: dict[tuple[int, int | None], list[Slice]] = defaultdict(list)
    for machine_id, of_machine in slices.items():
        for piece in of_machine:
            pieces[machine_id, piece.key.run_id].append(piece)
    return {
        run.pk: MachineSums.total(sums.of(machine, pieces[machine.pk, run.pk]) for machine in machines[run.line_id])
        for run in begun
    }


def product_report(product_id: int, place: Place, window: Interval, *, now: datetime) -> Report:
    """Return the OEE of a place while it made one product."""
    runs = Run.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=window.start),
        work_order__product=product_id,
        started_at__lt=window.end,
    ).values_list("id", flat=True)
    return report(machines_of(place), window, now=now, part=Part(run_ids=frozenset(runs)))


def shift_report(place: Place, shift: ShiftOccurrence, *, now: datetime) -> Report:
    """Return the OEE of a place over a shift's time, overtime inside it included."""
    return report(machines_of(place), Interval(shift.start, shift.end), now=now)


@dataclass(frozen=True, slots=True)
class HourRow:
    """One clock hour of a shift: what could be expected of it and what came out."""

    window: Interval
    target: Fraction | None
    report: Report


def shift_boards(
    groups: Mapping[int, Sequence[Machine]],
    window: Interval,
    *,
    now: datetime,
    histories: Mapping[int, MachineHistory] | None = None,
) -> dict[int, tuple[Report, list[HourRow]]]:
    """Return, for each group of machines, a window's report and its UTC clock hours up to now.

    The first and the last hour may be short. `histories` must reach over the window's part of the current hour.
    """
    machines = [machine for group in groups.values() for machine in group]
    policies = policies_of(sites_of(machines))
    slices = slices_of(machines, window, now=now, by_hour=True, histories=histories, policies=policies)
    spans = [span for hour in hours_of(window) if (span := intersect(hour, window)) and span.start < now]
    by_hour: dict[datetime, SlicesByMachine] = defaultdict(lambda: defaultdict(list))
    for machine_id, pieces in slices.items():
        for piece in pieces:
            by_hour[piece.key.hour][machine_id].append(piece)
    asked = [
        (group, span, cut)
        for group in groups.values()
        for span, cut in ((window, slices), *((span, by_hour[floor_hour(span.start)]) for span in spans))
    ]
    reports = iter(_reports(asked, now=now, policies=policies))
    return {
        group: (
            next(reports),
            [
                HourRow(window=part.window, target=target_quantity(part), report=part)
                for _, part in zip(spans, reports, strict=False)
            ],
        )
        for group in groups
    }


def target_quantity(of: Report) -> Fraction | None:
    """Return the pieces that planned time so far asks for: its ideal quantity times the plant's OEE target.

    None while time was planned for which no ideal rate says how fast, so that "ahead" is never claimed without grounds.
    """
    if of.sums.planned_time_without_rate or not of.policies:
        return None
    return of.sums.ideal_quantity_of_planned_time * of.policies[-1].target_oee
