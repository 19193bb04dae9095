"""A site's own facts as a log that forecasts are learned from: stops by reason, speed, rejects, measurements,
maintenance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np
from django.db.models import Avg
from django.db.models.functions import TruncHour
from numpy.typing import NDArray

from advice.engine.failure_log import FailureLog, MachineLog
from core.intervals import HOUR, Interval, floor_hour
from downtime.models import StateHistory
from downtime.selectors import all_reasons
from enterprise.models import Machine, Site
from maintenance.models import MaintenanceOrder
from oee.engine import Category, CountRole
from oee.reason_times import reason_times
from oee.scopes import every_machine_of
from oee.selectors import schemes_of
from oee.slicing import slices_of
from oee.stops import SHORT
from products.rates import cycle_times
from quality.models import Result

LONGEST = timedelta(days=365)
SELDOM = 72
"""Hours between two failures of one machine, on average, below which they are disturbances and no failures to be
foretold.
"""
MICRO_STOPS = "micro-stops"
SPEED, REJECTS = "cycle time of ideal", "reject share"
_EVENTS = frozenset({Category.UNPLANNED, Category.CHANGEOVER, *SHORT})
_HOUR_US = 3_600_000_000
# An hour in which less was run says little of speed.
_ENOUGH_RUNNING = _HOUR_US // 4


@dataclass(frozen=True, slots=True)
class OwnLog:
    """The log with machines named by their id; `running` has the hours run in each hour of it."""

    log: FailureLog
    machines: dict[str, Machine]
    running: dict[str, NDArray[np.float64]]
    window: Interval


def known_window(machines: Sequence[Machine], *, now: datetime, longest: timedelta = LONGEST) -> Interval | None:
    """Return the whole hours since anything is known of some machines, at most so long; None before."""
    firsts = [
        StateHistory.objects.filter(machine=machine)
        .order_by("occurred_at")
        .values_list("occurred_at", flat=True)
        .first()
        for machine in machines
    ]
    known = [first for first in firsts if first is not None and first < now]
    if not known:
        return None
    start, end = max(floor_hour(min(known)), floor_hour(now - longest)), floor_hour(now)
    return Interval(start, end) if start < end else None


def own_log(site: Site, *, now: datetime) -> OwnLog | None:
    """Return what is known of a site's machines up to the last whole hour; None where nothing is."""
    machines = every_machine_of(site)
    window = known_window(machines, now=now)
    if window is None:
        return None
    hours = int((window.end - window.start) / HOUR)
    names = {str(machine.pk): machine for machine in machines}
    failures: dict[str, dict[str, list[float]]] = {name: {} for name in names}
    events: dict[str, dict[str, list[float]]] = {name: {} for name in names}
    reasons = all_reasons()
    for row in reason_times(machines, window, now=now, by_hour=True):
        hour = (row.hour - window.start) / HOUR
        reason = reasons.get(row.reason_id or 0)
        if not row.occurrences or row.category not in _EVENTS:
            continue
        if row.category in SHORT:
            into, name = events, MICRO_STOPS
        elif reason is not None and reason.is_failure and reason.explains and not reason.waits_for:
            into, name = failures, reason.code
        else:
            into, name = events, reason.code if reason is not None else "?"
        into[str(row.machine_id)].setdefault(name, []).extend([hour] * row.occurrences)
    signals, running = _signals(machines, window, hours, now=now)
    renewed = _renewals(machines, window)
    often = _too_often(failures, hours)
    for name, of_machine in failures.items():
        for code in of_machine.keys() & often:
            events[name].setdefault(code, []).extend(of_machine.pop(code))
    codes = {code for of_machine in failures.values() for code in of_machine}
    logs = {
        name: MachineLog(
            signals=signals[name],
            events={code: np.array(sorted(at)) for code, at in events[name].items()},
            failures={code: np.array(sorted(at)) for code, at in failures[name].items()},
            # What is done by a plan is done to the machine as a whole: from there on each component's age is counted.
            renewals=dict.fromkeys(codes, renewed[name]) if len(renewed[name]) else {},
            kind=machine.machine_class.code if machine.machine_class else "",
        )
        for name, machine in names.items()
    }
    return OwnLog(FailureLog(window.start, hours, logs), names, running, window)


def _too_often(failures: dict[str, dict[str, list[float]]], hours: int) -> set[str]:
    """Return the reasons that come so often where they come, that nobody needs a forecast of the next one:
    they foretell others.
    """
    codes = {code for of_machine in failures.values() for code in of_machine}
    at = {code: [len(of[code]) for of in failures.values() if code in of] for code in codes}
    return {code for code, numbers in at.items() if hours * len(numbers) < SELDOM * sum(numbers)}


def _signals(
    machines: Sequence[Machine], window: Interval, hours: int, *, now: datetime
) -> tuple[dict[str, dict[str, NDArray[np.float64]]], dict[str, NDArray[np.float64]]]:
    schemes = schemes_of([machine.pk for machine in machines])
    slices = slices_of(machines, window, now=now, by_hour=True)
    known = cycle_times({piece.key.rate_id for pieces in slices.values() for piece in pieces})
    ideal = {rate_id: float(cycle) for rate_id, cycle in known.items()}
    signals: dict[str, dict[str, NDArray[np.float64]]] = {}
    running: dict[str, NDArray[np.float64]] = {}
    for machine in machines:
        ran, rated, ideally, made, bad = (np.zeros(hours) for _ in range(5))
        for piece in slices[machine.pk]:
            hour = int((piece.key.hour - window.start) / HOUR)
            if not 0 <= hour < hours:
                continue
            time = piece.microseconds.get(Category.RUNNING, 0)
            number = float(produced_of(piece.quantities, counts_total=schemes[machine.pk].counts_total))
            ran[hour] += time
            made[hour] += number
            bad[hour] += float(piece.quantities.get(CountRole.REJECT, 0))
            if piece.key.rate_id in ideal:
                rated[hour] += time
                ideally[hour] += number * ideal[piece.key.rate_id] * 1_000_000
        with np.errstate(invalid="ignore", divide="ignore"):
            enough = (rated >= _ENOUGH_RUNNING) & (ideally > 0)
            found = {
                SPEED: np.where(enough, rated / ideally, np.nan),
                REJECTS: np.where((ran >= _ENOUGH_RUNNING) & (made > 0), bad / made, np.nan),
            }
        signals[str(machine.pk)] = {name: values for name, values in found.items() if not np.isnan(values).all()}
        running[str(machine.pk)] = ran / _HOUR_US
    _measure(signals, machines, window, hours)
    return signals, running


def produced_of(quantities: Mapping[CountRole, Fraction], *, counts_total: bool) -> float:
    """Return what was produced: the total where it is counted, else the parts."""
    roles = (CountRole.TOTAL,) if counts_total else (CountRole.GOOD, CountRole.REJECT, CountRole.REWORK)
    return float(sum((quantities.get(role, Fraction(0)) for role in roles), start=Fraction(0)))


def _measure(
    signals: dict[str, dict[str, NDArray[np.float64]]], machines: Sequence[Machine], window: Interval, hours: int
) -> None:
    """Add what gauges and inspections measured at the machines: the mean of each hour."""
    rows = (
        Result.objects.filter(
            machine__in=machines, value__isnull=False, occurred_at__gte=window.start, occurred_at__lt=window.end
        )
        .annotate(at=TruncHour("occurred_at"))
        .order_by()
        .values_list("machine_id", "characteristic__code", "at")
        .annotate(mean=Avg("value"))
    )
    for machine_id, code, at, mean in rows:
        of_machine = signals[str(machine_id)]
        if code not in of_machine:
            of_machine[code] = np.full(hours, np.nan)
        of_machine[code][int((at - window.start) / HOUR)] = float(mean)


def _renewals(machines: Sequence[Machine], window: Interval) -> dict[str, NDArray[np.float64]]:
    """Return when preventive maintenance was finished, in hours since the window's start."""
    found: dict[str, list[float]] = {str(machine.pk): [] for machine in machines}
    done = MaintenanceOrder.objects.filter(
        machine__in=machines,
        kind=MaintenanceOrder.Kind.PREVENTIVE,
        finished_at__isnull=False,
        finished_at__lt=window.end,
    )
    for machine_id, at in done.values_list("machine_id", "finished_at"):
        assert at is not None
        found[str(machine_id)].append((at - window.start) / HOUR)
    return {name: np.array(sorted(at)) for name, at in found.items()}
