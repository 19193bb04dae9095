"""Gather what the engine needs to know of machines over a window, in a handful of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from django.db.models import Q

from core import sql
from core.intervals import Interval
from core.shared_reads import memory, once, once_each, read_around
from counts.models import CountTag
from counts.selectors import counter_events_in, readings_in
from downtime.selectors import after_rules, corrections_in, gaps_in, states_in
from enterprise.models import Machine
from enterprise.selectors import Shifts, shifts_of_all
from oee.engine import (
    Category,
    CountedRunning,
    CounterEvent,
    CounterEventKind,
    CounterStep,
    CountMode,
    CountRole,
    Increment,
    MachineHistory,
    MicroStops,
    RateSpan,
    Reading,
    ResetPolicy,
    RunSpan,
    ShiftSpan,
    StateCorrection,
    StateEvent,
    TagConfig,
    read_counter,
)
from oee.policies import startups_of
from oee.silences import silences_in
from products.models import IdealRate
from products.rates import CYCLE_TIMES


@dataclass(frozen=True, slots=True)
class Counted:
    """What a machine counted in a window, and the steps of its counters that are more than a plain rise, by tag id."""

    increments: tuple[Increment, ...] = ()
    steps: tuple[tuple[int, CounterStep], ...] = ()
    heard_since: datetime | None = None
    """The first of the readings that were looked at, the last ones before the window included."""

    def reach(self, window: Interval) -> Interval:
        """Return the window, extended back to when the first of the pieces were begun to be made."""
        return Interval(min([window.start, *(i.since for i in self.increments if i.since)]), window.end)


NOTHING_COUNTED = Counted()
_INFEED = CountRole.INFEED


def load_history(machine: Machine, window: Interval, counted: Counted, *, now: datetime | None) -> MachineHistory:
    """Return one machine's history over a window; see `load_histories`."""
    return load_histories([machine], window, {machine.pk: counted}, now=now)[machine.pk]


def load_histories(
    machines: Sequence[Machine],
    window: Interval,
    counted: Mapping[int, Counted] = MappingProxyType({}),
    *,
    now: datetime | None,
    calendars: Mapping[int, Shifts] | None = None,
) -> dict[int, MachineHistory]:
    """Return machines' facts and intent that bear on a window, with the state carried into it, and what they counted.

    Their line, area and site are read: select them with them. Without counts it is what a timeline needs. `now` says
    which silences are long enough to be known; None = all of the window is long past. `calendars` that reach over the
    window save looking them up. The number of queries does not depend on the number of machines.
    """
    begun = min([window.start, *(c.reach(window).start for c in counted.values())])
    shared = memory("histories")
    found: dict[int, MachineHistory] = {}
    for machine in machines if shared is not None else ():
        for loaded, known_until, history in shared.get(machine.pk, ()) if shared else ():
            if known_until == now and loaded.contains(Interval(begun, window.end)):
                found[machine.pk] = replace(history, increments=counted.get(machine.pk, NOTHING_COUNTED).increments)
                break
    missing = [machine for machine in machines if machine.pk not in found]
    if missing:
        loaded = Interval(begun, window.end)
        for pk, history in _load_histories(missing, window, begun, counted, now=now, calendars=calendars).items():
            found[pk] = history
            if shared is not None:
                shared.setdefault(pk, []).append((loaded, now, history))
    return found


def _load_histories(
    machines: Sequence[Machine],
    window: Interval,
    begun: datetime,
    counted: Mapping[int, Counted],
    *,
    now: datetime | None,
    calendars: Mapping[int, Shifts] | None,
) -> dict[int, MachineHistory]:
    ids = [machine.pk for machine in machines]
    micro_stops = micro_stops_of(machines)
    beyond = max([timedelta(), *(rule.reach for rule in micro_stops.values())])
    reach = Interval(begun - beyond, window.end + beyond)
    states = after_rules(machines, states_in(ids, reach))
    around = _counted_around(machines, reach)
    gaps = silences_in([machine.pk for machine in machines if machine.no_signal_timeout], reach, now=now)
    for gap in gaps_in(ids, reach):
        gaps[gap.machine_id].append(Interval(gap.starts_at, gap.ends_at))
    corrections = _corrections(ids, reach)
    shifts = shifts_of_all(machines, window) if calendars is None else calendars
    runs = _runs(machines, reach)
    rates = _rates(ids, window, {run.product_id for of_line in runs.values() for run in of_line})
    return {
        machine.pk: MachineHistory(
            states=tuple(
                StateEvent(at=at, reason_id=reason_id, category=Category(category))
                for at, reason_id, category, _ in states[machine.pk]
            ),
            gaps=tuple(gaps[machine.pk]),
            corrections=tuple(corrections[machine.pk]),
            increments=counted.get(machine.pk, NOTHING_COUNTED).increments,
            shifts=_shift_spans(shifts[machine.pk]),
            runs=tuple(runs[machine.line_id]),
            rates=tuple(rates[machine.pk]),
            reaches_back_to=begun,
            micro_stops=micro_stops[machine.pk],
            counted_running=counted_running_of(machine),
            pieces=tuple(i.at for i in around.get(machine.pk, NOTHING_COUNTED).increments if i.role is not _INFEED),
            counting_since=around.get(machine.pk, NOTHING_COUNTED).heard_since,
            known_until=now,
        )
        for machine in machines
    }


def counted_running_of(machine: Machine) -> CountedRunning | None:
    """Return the rule by which a machine's counts say whether it ran; None when its states do."""
    if machine.stop_detection != Machine.StopDetection.COUNTS or machine.stop_after is None:
        return None
    return CountedRunning(timedelta(seconds=machine.stop_after), machine.run_after)


def micro_stops_of(machines: Iterable[Machine]) -> dict[int, MicroStops]:
    """Return below which length a stop of each machine is a micro-stop, while it makes which product."""
    products = once("micro-stops", _micro_stops_of_products, kept=True)
    return {
        machine.pk: MicroStops(
            None if machine.micro_stop_below is None else timedelta(seconds=machine.micro_stop_below), products
        )
        for machine in machines
    }


def _micro_stops_of_products() -> dict[int, timedelta]:
    rows = sql.rows("SELECT id, micro_stop_below FROM products_product WHERE micro_stop_below IS NOT NULL")
    return {product_id: timedelta(seconds=seconds) for product_id, seconds in rows}


def settling_time(machines: Iterable[Machine], histories: Mapping[int, MachineHistory] | None = None) -> timedelta:
    """Return how long after a moment it can still turn out, without a late fact, what machines did then.

    Their `histories` save looking up what counts as a micro-stop.
    """
    machines = list(machines)
    if histories is None:
        micro_stops = micro_stops_of(machines)
    else:
        micro_stops = {machine.pk: histories[machine.pk].micro_stops for machine in machines}
    return max(
        (
            timedelta(seconds=machine.no_signal_timeout or 0)
            + micro_stops[machine.pk].reach
            + (rule.reach if (rule := counted_running_of(machine)) else timedelta())
            for machine in machines
        ),
        default=timedelta(),
    )


def _counted_around(machines: Sequence[Machine], window: Interval) -> dict[int, Counted]:
    """Return what those machines counted whose counts say whether they ran, as far around a window as decides it."""
    rules = {machine: rule for machine in machines if (rule := counted_running_of(machine))}
    if not rules:
        return {}
    beyond = max(rule.reach for rule in rules.values())
    return load_counted(list(rules), Interval(window.start - beyond, window.end + beyond))


def load_counted(machines: Sequence[Machine], window: Interval) -> dict[int, Counted]:
    """Return what machines counted in a window; a machine that has no readings is absent."""
    return once_each(f"counted {window}", [machine.pk for machine in machines], lambda ids: _load_counted(ids, window))


def _load_counted(machine_ids: Sequence[int], window: Interval) -> dict[int, Counted]:
    of_machines = tags_of(machine_ids)
    tags = {tag.pk: tag for of_machine in of_machines.values() for tag in of_machine}
    readings = readings_in(list(tags), window)
    running = {tag_id: found for tag_id, found in readings.items() if tags[tag_id].mode == CountTag.Mode.RUNNING}
    events = _counter_events(running, window)
    increments: dict[int, list[Increment]] = defaultdict(list)
    steps: dict[int, list[tuple[int, CounterStep]]] = defaultdict(list)
    heard: dict[int, datetime] = {}
    for tag_id, found in readings.items():
        tag = tags[tag_id]
        heard[tag.machine_id] = min(found[0][0], heard.get(tag.machine_id, found[0][0]))
        counted, special = read_counter(
            tag_config(tag), [Reading(at=at, value=value) for at, value in found], events.get(tag_id, ())
        )
        increments[tag.machine_id] += counted
        steps[tag.machine_id] += [(tag_id, step) for step in special]
    return {
        machine_id: Counted(tuple(increments[machine_id]), tuple(steps[machine_id]), since)
        for machine_id, since in heard.items()
    }


def tags_of(machine_ids: Iterable[int]) -> dict[int, list[CountTag]]:
    """Return machines' counters with their types, by the machine's id."""
    return once_each("tags", machine_ids, _tags_of, kept=True)


def _tags_of(machine_ids: list[int]) -> dict[int, list[CountTag]]:
    found: dict[int, list[CountTag]] = {machine_id: [] for machine_id in machine_ids}
    for tag in CountTag.objects.filter(machine__in=machine_ids).select_related("count_type").order_by():
        found[tag.machine_id].append(tag)
    return found


def _counter_events(
    readings: Mapping[int, Sequence[tuple[datetime, Decimal]]], window: Interval
) -> dict[int, list[CounterEvent]]:
    """Return what happened to running counters from the last reading before the window on."""
    if not readings:
        return {}
    start = min(window.start, *(found[0][0] for found in readings.values()))
    return {
        tag_id: [CounterEvent(event.occurred_at, CounterEventKind(event.kind), event.value) for event in events]
        for tag_id, events in counter_events_in(list(readings), Interval(start, window.end)).items()
    }


def tag_config(tag: CountTag) -> TagConfig:
    """Return a tag as the engine sees it."""
    return TagConfig(
        role=CountRole(tag.count_type.role),
        mode=CountMode(tag.mode),
        scale=Fraction(tag.scale) * tag.cavities,
        offset=tag.offset,
        modulus=None if tag.modulus is None else int(tag.modulus),
        reset_policy=ResetPolicy(tag.reset_policy),
        fastest_rate=None if tag.fastest_rate is None else Fraction(tag.fastest_rate),
    )


def _corrections(machine_ids: Sequence[int], window: Interval) -> dict[int, list[StateCorrection]]:
    corrections: dict[int, list[StateCorrection]] = defaultdict(list)
    for row in corrections_in(machine_ids, window):
        corrections[row.machine_id].append(
            StateCorrection(
                sequence=row.pk,
                start=row.starts_at,
                end=row.holds_until,
                reason_id=row.reason_id,
                category=Category(row.category) if row.category else Category.NO_DATA,
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
    lines = {machine.line_id for machine in machines}
    rows = read_around("runs", lines, window, _runs_in)
    startup = startups_of({machine.line_id: machine.line.area.site for machine in machines})
    runs: dict[int, list[RunSpan]] = defaultdict(list)
    for line_id, run_id, product_id, started_at, ended_at in rows:
        if line_id not in lines or started_at >= window.end or (ended_at and ended_at <= window.start):
            continue
        minutes = startup[line_id](started_at)
        settled = started_at + timedelta(minutes=minutes) if minutes else None
        runs[line_id].append(RunSpan(run_id, product_id, started_at, ended_at, settled))
    return runs


def _runs_in(line_ids: list[int], window: Interval) -> Iterable[Any]:
    return sql.rows(
        """
        SELECT run.line_id, run.id, work_order.product_id, run.started_at, run.ended_at
        FROM workorders_run run JOIN workorders_workorder work_order ON work_order.id = run.work_order_id
        WHERE run.line_id = ANY(%(lines)s) AND run.started_at < %(end)s
        AND (run.ended_at IS NULL OR run.ended_at > %(start)s)
        """,
        lines=line_ids,
        start=window.start,
        end=window.end,
    )


def _rates_in(pairs: Iterable[tuple[int, int | None]], window: Interval) -> Iterable[IdealRate]:
    return IdealRate.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=window.start),
        machine__in={machine_id for machine_id, _ in pairs},
        product__in={product_id for _, product_id in pairs},
        valid_from__lt=window.end,
    ).order_by()


def _rates(machine_ids: Sequence[int], window: Interval, product_ids: set[int | None]) -> dict[int, list[RateSpan]]:
    rates: dict[int, list[RateSpan]] = defaultdict(list)
    cycle_times = memory(CYCLE_TIMES, kept=True)
    made = product_ids - {None}
    if not made:
        return rates
    pairs = {(machine_id, product_id) for machine_id in machine_ids for product_id in made}
    rows = read_around("rates", pairs, window, _rates_in, more=timedelta(days=400), kept=True)
    for rate in rows:
        if (rate.machine_id, rate.product_id) not in pairs:
            continue
        if rate.valid_from >= window.end or (rate.valid_until and rate.valid_until <= window.start):
            continue
        if cycle_times is not None:
            cycle_times[rate.pk] = [rate.ideal_cycle_time]
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
