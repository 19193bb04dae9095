"""Answer what the OEE of anything was over any window, from stored hours plus the window's edges from the facts.

Every answer reaches up to `now` at most: elements sum to the window's past. A report is right at once after a late
fact, because stale hours are recomputed before they are read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q

from core.intervals import Interval, ceil_hour, floor_hour, hours_of, intersect, subtract
from core.retention import Closed, closed_until, refuse_closed, too_old
from core.shared_reads import once_each
from enterprise.models import Machine
from enterprise.shift_calendar import ShiftOccurrence
from oee.engine import (
    Calendar,
    CountingScheme,
    CountRole,
    Kpis,
    MachineHistory,
    MachineSums,
    Policy,
    Segment,
    Slice,
    SliceKey,
    segments,
    slice_window,
    sum_slices,
)
from oee.histories import NOTHING_COUNTED, load_counted, load_histories, tags_of
from oee.hours import STORED_CATEGORIES, STORED_ROLES, bring_up_to_date, whole_hours
from oee.policies import DatedPolicies, policies_of
from oee.scopes import Place, machines_of
from products.models import IdealRate
from workorders.models import Run

SlicesByMachine = dict[int, list[Slice]]
_Place = tuple[Calendar, int | None, date | None, int | None]
"""What calendar, shift, day and run say of a slice's time."""


@dataclass(frozen=True, slots=True)
class Part:
    """Narrow a report to one run, one product's runs or one shift; nothing given = everything."""

    run_ids: frozenset[int] | None = None
    shift: tuple[int, date] | None = None

    def covers(self, key: SliceKey) -> bool:
        """Say whether a slice belongs to it."""
        if self.run_ids is not None and key.run_id not in self.run_ids:
            return False
        return self.shift is None or (key.shift_id, key.shift_date) == self.shift


EVERYTHING = Part()


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
    policies = policies_of(_sites(machines))
    slices = slices_of(machines, window, now=now, part=part, policies=policies)
    return sums_for(machines, slices.values(), policies).report(machines, window, slices, now=now)


def reports_of(machines: Sequence[Machine], window: Interval, *, now: datetime) -> dict[int, Report]:
    """Return each machine's own OEE, by its id."""
    policies = policies_of(_sites(machines))
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
        rates=_cycle_times({piece.key.rate_id for pieces in slices for piece in pieces}),
        schemes=schemes_of([machine.pk for machine in machines]),
        policies=policies_of(_sites(machines)) if policies is None else policies,
    )


def slices_of(
    machines: Sequence[Machine],
    window: Interval,
    *,
    now: datetime,
    part: Part = EVERYTHING,
    by_hour: bool = False,
    by_day: Mapping[int, ZoneInfo] | None = None,
    by_run: bool = False,
    by_shift: bool = False,
    histories: Mapping[int, MachineHistory] | None = None,
    policies: Mapping[int, DatedPolicies] | None = None,
) -> SlicesByMachine:
    """Return each machine's slices over the past of a window: stored hours summed, edges cut from the facts.

    With `by_hour`, sums stop at clock hours; with `by_day`, at midnight on the clock that each machine has there: an
    hour is of the day in which it begins, and a sum's key has the first of its hours. With `by_run`, each run has sums
    of its own, with `by_shift` each shift.
    `histories` that reach over the window save loading them for the edges; their counts are not used. The sites'
    `policies` are looked up unless they are given.
    """
    slices: SlicesByMachine = {machine.pk: [] for machine in machines}
    if window.start >= now or not machines:
        return slices
    past = Interval(window.start, min(window.end, now))
    hours = whole_hours(past, machines, now=now, histories=histories)
    if hours is not None:
        bring_up_to_date(list(slices), hours)
        dated = policies_of(_sites(machines)) if policies is None else policies
        cuts = sorted({at for of_site in dated.values() for at in of_site.starts})
        apart = _Apart(hours=by_hour, days=by_day, runs=by_run, shifts=by_shift, cuts=cuts)
        for machine_id, piece in _stored_slices(list(slices), hours, part, apart):
            slices[machine_id].append(piece)
    for edge, closed in edges_of(past, hours):
        if closed is not None:
            for machine_id, chosen in _closed_edge(machines, edge, closed, part, now=now).items():
                slices[machine_id].extend(chosen)
            continue
        for machine_id, history in _edge_histories(machines, edge, histories or {}, now=now).items():
            pieces, _ = slice_window(history, edge)
            slices[machine_id].extend(piece for piece in pieces if part.covers(piece.key))
    return slices


def _edge_histories(
    machines: Sequence[Machine], edge: Interval, known: Mapping[int, MachineHistory], *, now: datetime
) -> dict[int, MachineHistory]:
    """Return histories over an edge: those that are known where they reach back far enough, others loaded."""
    counted = load_counted(machines, edge)
    histories, missing = {}, []
    for machine in machines:
        history, made = known.get(machine.pk), counted.get(machine.pk, NOTHING_COUNTED)
        if history is None or history.reaches_back_to is None or history.reaches_back_to > made.reach(edge).start:
            missing.append(machine)
        else:
            histories[machine.pk] = replace(history, increments=made.increments)
    if missing:
        histories |= load_histories(missing, edge, counted, now=now)
    return histories


def _closed_edge(
    machines: Sequence[Machine], edge: Interval, closed: datetime, part: Part, *, now: datetime
) -> SlicesByMachine:
    """Return each machine's slices over an edge whose facts are gone: those stored slices that lie in it as a whole.

    What tells is the calendar, the runs and the rates: where the edge is that of a shift, a day or a run, each slice
    lies on one side of it. Raises Closed, naming the bound of the window, where one lies on both.
    """
    found: SlicesByMachine = defaultdict(list)
    for machine_id, _, _, pieces in stored_at_edge(machines, edge, closed, part, now=now):
        found[machine_id].extend(pieces)
    return found


def stored_at_edge(
    machines: Sequence[Machine], edge: Interval, closed: datetime, part: Part, *, now: datetime
) -> Iterable[tuple[int, Interval, set[_Place], list[Slice]]]:
    """Yield for each machine and clock hour of an edge the hour, the places of the slices in it,
    and those stored there.

    Raises Closed where a slice lies on both sides of the edge's bound.
    """
    for hour in hours_of(edge):
        inside = intersect(hour, edge)
        if inside is None:
            continue
        bring_up_to_date([machine.pk for machine in machines], hour)
        outside = subtract(hour, [inside])
        stored = _slices_of_hour([machine.pk for machine in machines], hour)
        for machine_id, history in load_histories(machines, hour, now=now).items():
            intent = replace(history, states=(), gaps=(), corrections=(), increments=())
            within = _places(intent, [inside], part)
            if within & _places(intent, outside, part):
                field = "starts_at" if inside.start > hour.start else "ends_at"
                raise Closed(
                    f"{too_old(closed)} Only whole hours, shifts, days and runs are known of it.",
                    field=field,
                    code="too_old",
                )
            pieces = [piece for piece in stored[machine_id] if _place_of(piece.key) in within]
            yield machine_id, hour, within, pieces


def _place_of(key: SliceKey) -> _Place:
    return key.calendar, key.shift_id, key.shift_date, key.run_id


def _places(intent: MachineHistory, spans: Sequence[Interval], part: Part) -> set[_Place]:
    """Return the places of the slices of some time that belong to a part."""
    return {_place_of(piece.key) for span in spans for piece in slice_window(intent, span)[0] if part.covers(piece.key)}


def _slices_of_hour(machine_ids: list[int], hour: Interval) -> dict[int, list[Slice]]:
    """Return the stored slices of one hour, with their whole keys."""
    columns = [*STORED_CATEGORIES, *STORED_ROLES]
    found: dict[int, list[Slice]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT machine_id, starts_at, calendar, shift_id, shift_date, run_id, rate_id, has_data,"
            f" {', '.join(columns)} FROM oee_hourslice WHERE machine_id = ANY(%s) AND starts_at = %s",
            [machine_ids, hour.start],
        )
        rows = cursor.fetchall()
    split = 8 + len(STORED_CATEGORIES)
    for machine_id, starts_at, calendar, *key_and_sums in rows:
        key = SliceKey(starts_at, Calendar(calendar), *key_and_sums[:5])
        sums = key_and_sums[5:]
        microseconds = dict(zip(STORED_CATEGORIES, sums[: split - 8], strict=True))
        quantities = {role: Fraction(value) for role, value in zip(STORED_ROLES, sums[split - 8 :], strict=True)}
        found[machine_id].append(Slice(key, microseconds, quantities))
    return found


def edges_of(past: Interval, hours: Interval | None) -> list[tuple[Interval, datetime | None]]:
    """Return what whole hours leave of a window; for what is closed, with the moment up to which time is."""
    edges = subtract(past, [] if hours is None else [hours])
    closed = closed_until() if edges else None
    if closed is None:
        return [(edge, None) for edge in edges]
    found: list[tuple[Interval, datetime | None]] = []
    for edge in edges:
        if edge.start < closed:
            found.append((Interval(edge.start, min(edge.end, closed)), closed))
        if edge.end > closed:
            found.append((Interval(max(edge.start, closed), edge.end), None))
    return found


def part_condition(part: Part) -> tuple[str, list[Any]]:
    """Return the SQL condition, begun with AND, that narrows stored hours to a part, and its parameters."""
    conditions, parameters = "", list[Any]()
    if part.run_ids is not None:
        conditions += " AND run_id = ANY(%s)"
        parameters.append(sorted(part.run_ids))
    if part.shift is not None:
        conditions += " AND shift_id = %s AND shift_date = %s"
        parameters.extend(part.shift)
    return conditions, parameters


@dataclass(frozen=True, slots=True)
class _Apart:
    """What stored hours are told apart by when they are summed; `cuts` are when a site's policy changed."""

    hours: bool
    days: Mapping[int, ZoneInfo] | None
    runs: bool
    shifts: bool
    cuts: Sequence[datetime]

    def clocks(self) -> tuple[str, list[Any]]:
        """Return the SQL that tells the zone of each machine, if days are told apart, and its parameters."""
        if self.hours or self.days is None:
            return "", []
        joined = " JOIN unnest(%s::bigint[], %s::text[]) AS clock (of_machine, zone) ON of_machine = machine_id"
        return joined, [list(self.days), [zone.key for zone in self.days.values()]]

    def periods(self, hours: Interval) -> tuple[list[str], list[Any]]:
        """Return the SQL expressions of which each period has a value of its own, and their parameters."""
        if self.hours:
            return ["starts_at"], []
        expressions = [] if self.days is None else ["(starts_at AT TIME ZONE zone)::date"]
        cuts = [at for at in self.cuts if hours.start < at < hours.end]
        if not cuts:
            return expressions, []
        return [*expressions, "width_bucket(starts_at, %s::timestamptz[])"], [cuts]


def _stored_slices(machine_ids: list[int], hours: Interval, part: Part, apart: _Apart) -> Iterable[tuple[int, Slice]]:
    """Yield the stored slices summed over the hours; their keys keep what sums depend on: calendar, rate, and policy,
    which changes at the cuts.
    """
    clocks, of_clocks = apart.clocks()
    periods, of_periods = apart.periods(hours)
    condition, parameters = part_condition(part)
    groups = ["machine_id", "calendar", "rate_id", "has_data", "run_id" if apart.runs else "run_id IS NULL"]
    groups += [*(("shift_id", "shift_date") if apart.shifts else ()), *periods]
    shift = "shift_id, shift_date" if apart.shifts else "NULL::bigint, NULL::date"
    sums = ", ".join(f"sum({column})" for column in (*STORED_CATEGORIES, *STORED_ROLES))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT machine_id, min(starts_at), calendar, rate_id, has_data, min(run_id), {shift}, {sums}"
            f" FROM oee_hourslice{clocks} WHERE machine_id = ANY(%s) AND starts_at >= %s AND starts_at < %s{condition}"
            f" GROUP BY {', '.join(groups)}",
            [*of_clocks, machine_ids, hours.start, hours.end, *parameters, *of_periods],
        )
        rows = cursor.fetchall()
    split = 8 + len(STORED_CATEGORIES)
    for row in rows:
        key = SliceKey(row[1], Calendar(row[2]), row[6], row[7], rate_id=row[3], has_data=row[4], run_id=row[5])
        microseconds = dict(zip(STORED_CATEGORIES, map(int, row[8:split]), strict=True))
        # Mostly nothing was counted: that costs no fraction.
        quantities = {name: Fraction(value) for name, value in zip(STORED_ROLES, row[split:], strict=True) if value}
        yield row[0], Slice(key=key, microseconds=microseconds, quantities=quantities)


def _sites(machines: Iterable[Machine]) -> set[int]:
    return {machine.line.area.site_id for machine in machines}


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


def _cycle_times(rate_ids: Iterable[int | None]) -> dict[int, Fraction]:
    known = [rate_id for rate_id in rate_ids if rate_id is not None]
    return once_each("cycle times", known, _cycle_times_of, kept=True)


def _cycle_times_of(rate_ids: list[int]) -> dict[int, Fraction]:
    if not rate_ids:
        return {}
    rates = IdealRate.objects.filter(pk__in=rate_ids).only("value", "unit").order_by()
    return {rate.pk: rate.ideal_cycle_time for rate in rates}


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
    policies, part = policies_of(_sites(machines)), Part(run_ids=run_ids)
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
    policies = policies_of(_sites(of_lines.values()))
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
    policies = policies_of(_sites(machines))
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
