"""What the past says about the hours before failures: which events and signals went with which component, and how much.

Evidence is a log-likelihood ratio, added up (naive Bayes): above 0 speaks for a failure within the horizon. Everything
is learned from hours whose horizon had ended by then, and read from facts before the hour.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advice.engine.failure_log import FailureLog, MachineLog, comes_within, rolling, since_last, window_count

Grid = NDArray[np.float64]
STATS = (("mean", 3), ("mean", 24), ("sd", 24))
NAMES = ("events", "signals_24h", "signals_3h", "spread_24h", "wear", "wear_known", "kind", "age")
# So many imagined failures hold what few real ones say back.
PRIOR = 2.0
_CLOCK_PRIOR = 3.0
_FAR = 8.0
_OWN_AFTER = 7 * 24


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was learned. Lists are by component, then by event or signal; `usual` by statistic, then by signal."""

    horizon: int
    clock_start: int
    components: list[str]
    events: list[str]
    signals: list[str]
    when_seen: list[list[float]]
    when_not: list[list[float]]
    by_clock: list[list[list[float]]]
    usual: list[list[float]]
    spread: list[list[float]]
    own_usual: dict[str, list[list[float]]]
    shifts: list[list[list[float]]]
    mean_life: list[float | None]
    kinds: dict[str, float]
    mean_age: float
    age_spread: float

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists."""
        return asdict(self)


def learn(log: FailureLog, *, until: int, horizon: int) -> Evidence:
    """Learn from the hours [0, until) of a log; the failures of their horizons lie before `until + horizon`."""
    components, events, signals = log.components, log.events, log.signals
    grid = np.arange(until, dtype=float)
    marks = {name: labels(one, components, grid, horizon) for name, one in log.machines.items()}
    seen, not_seen = _event_weights(log, components, events, grid, marks, horizon)
    usual, spread, own, shifts = _signal_shifts(log, components, signals, grid, marks, horizon)
    ages = [one.age for one in log.machines.values() if one.age is not None]
    return Evidence(
        horizon=horizon,
        clock_start=log.start.hour,
        components=components,
        events=events,
        signals=signals,
        when_seen=seen.tolist(),
        when_not=not_seen.tolist(),
        by_clock=_by_clock(log, components, events, until, horizon).tolist(),
        usual=usual.tolist(),
        spread=spread.tolist(),
        own_usual=own,
        shifts=shifts.tolist(),
        mean_life=[_mean_life(log, component, until) for component in components],
        kinds=_kinds(log, until),
        mean_age=float(np.mean(ages)) if ages else 0.0,
        age_spread=float(np.std(ages)) or 1.0 if ages else 1.0,
    )


def labels(one: MachineLog, components: list[str], grid: Grid, horizon: int) -> NDArray[np.bool_]:
    """Say for each hour and component whether it fails within the horizon."""
    none = np.empty(0)
    return np.stack([comes_within(one.failures.get(c, none), grid, horizon) for c in components], axis=1)


def _event_weights(
    log: FailureLog, components: list[str], events: list[str], grid: Grid, marks: dict[str, Any], horizon: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    before = np.zeros((len(components), len(events)))
    failing = np.zeros(len(components))
    otherwise = np.zeros((len(components), len(events)))
    rest = np.zeros(len(components))
    for name, one in log.machines.items():
        seen = _seen(one, events, grid)
        mark = marks[name]
        before += mark.T.astype(float) @ seen
        otherwise += (~mark).T.astype(float) @ seen
        failing += mark.sum(axis=0)
        rest += (~mark).sum(axis=0)
    # The hours before one failure are one failure.
    number = (failing / horizon)[:, None]
    share = (before / horizon + 0.05 * PRIOR) / (number + PRIOR)
    usual = np.clip(otherwise / np.maximum(rest, 1)[:, None], 1e-4, 0.999)
    held = number / (number + PRIOR)
    return np.log(share / usual) * held, np.log((1 - np.minimum(share, 0.999)) / (1 - usual)) * held


def _seen(one: MachineLog, events: list[str], grid: Grid) -> NDArray[np.float64]:
    none = np.empty(0)
    if not events:
        return np.zeros((len(grid), 0))
    return np.stack([window_count(one.events.get(e, none), grid, 24) > 0 for e in events], axis=1).astype(float)


def _by_clock(
    log: FailureLog, components: list[str], events: list[str], until: int, horizon: int
) -> NDArray[np.float64]:
    """Return how much more, or less, an event says by the hour of the day at which it came."""
    total, hit = np.zeros((len(events), 24)), np.zeros((len(components), len(events), 24))
    for one in log.machines.values():
        for column, event in enumerate(events):
            at = one.events.get(event, np.empty(0))
            # Its horizon begins in the next whole hour.
            at = at[(at >= 0) & (at < until - 1)]
            clock = (np.floor(at).astype(int) + log.start.hour) % 24
            np.add.at(total[column], clock, 1)
            for row, component in enumerate(components):
                failed = comes_within(one.failures.get(component, np.empty(0)), np.floor(at) + 1, horizon)
                np.add.at(hit[row, column], clock[failed], 1)
    overall = (hit.sum(axis=2) + 0.5) / (total.sum(axis=1) + 1)
    here = (hit + _CLOCK_PRIOR * overall[:, :, None]) / (total + _CLOCK_PRIOR)
    here, overall = np.clip(here, 1e-3, 0.999), np.clip(overall, 1e-3, 0.999)
    return np.asarray(np.log(here / (1 - here)) - np.log(overall / (1 - overall))[:, :, None])


def statistics(one: MachineLog, signals: list[str], hours: int) -> NDArray[np.float64]:
    """Return each signal's rolling statistics: hour by statistic by signal."""
    found = np.full((hours, len(STATS), len(signals)), np.nan)
    for column, signal in enumerate(signals):
        values = one.signals.get(signal)
        if values is None:
            continue
        by_length = {length: rolling(values[:hours], length) for length in {length for _, length in STATS}}
        for row, (what, length) in enumerate(STATS):
            mean, deviation = by_length[length]
            found[: len(mean), row, column] = mean if what == "mean" else deviation
    return found


def _signal_shifts(
    log: FailureLog, components: list[str], signals: list[str], grid: Grid, marks: dict[str, Any], horizon: int
) -> tuple[Any, Any, dict[str, list[list[float]]], Any]:
    shape = (len(STATS), len(signals))
    shifts = np.zeros((len(components), *shape))
    stats = {n: statistics(one, signals, len(grid)) for n, one in log.machines.items() if one.signals}
    if not stats or not signals:
        return np.zeros(shape), np.ones(shape), {}, shifts
    quiet = np.concatenate([stats[name][~marks[name].any(axis=1)] for name in stats])
    with np.errstate(invalid="ignore"), _silent():
        usual, spread = np.nan_to_num(np.nanmean(quiet, axis=0)), np.nan_to_num(np.nanstd(quiet, axis=0))
    spread[spread == 0] = 1.0
    own: dict[str, list[list[float]]] = {}
    for name, of_machine in stats.items():
        calm = of_machine[~marks[name].any(axis=1)]
        known = (~np.isnan(calm)).sum(axis=0)
        with _silent():
            mean = np.where(known >= _OWN_AFTER, np.nanmean(calm, axis=0), usual)
        own[name] = np.nan_to_num(mean).tolist()
    for row in range(len(components)):
        parts = [(stats[name] - np.array(own[name]))[marks[name][:, row]] / spread for name in stats]
        before = np.clip(np.concatenate(parts), -_FAR, _FAR)
        number = (~np.isnan(before)).sum(axis=0) / horizon
        with _silent():
            shifts[row] = np.nan_to_num(np.nanmean(before, axis=0)) * number / (number + PRIOR)
    return usual, spread, own, shifts


class _silent:
    """Let means of nothing be NaN without a warning."""

    def __enter__(self) -> None:
        import warnings

        self._caught = warnings.catch_warnings()
        self._caught.__enter__()
        warnings.simplefilter("ignore", RuntimeWarning)

    def __exit__(self, *why: Any) -> None:
        self._caught.__exit__(*why)


def renewals_of(one: MachineLog, component: str) -> NDArray[np.float64]:
    """Return when a component was new: it was exchanged, or failed."""
    none = np.empty(0)
    return np.unique(np.concatenate([one.renewals.get(component, none), one.failures.get(component, none)]))


def _mean_life(log: FailureLog, component: str, until: float) -> float | None:
    """Return the mean age in hours at which a component failed; None where none is known."""
    ages: list[float] = []
    for one in log.machines.values():
        at = one.failures.get(component, np.empty(0))
        ages += since_last(renewals_of(one, component), at[at < until]).tolist()
    known = [age for age in ages if not np.isnan(age) and age > 0]
    return float(np.mean(known)) if known else None


def _kinds(log: FailureLog, until: float) -> dict[str, float]:
    """Return, of each kind of machine, the logarithm of how much oftener it fails than all do, held back."""
    failed: dict[str, float] = {}
    number: dict[str, int] = {}
    for one in log.machines.values():
        failed[one.kind] = failed.get(one.kind, 0) + sum(int((at < until).sum()) for at in one.failures.values())
        number[one.kind] = number.get(one.kind, 0) + 1
    mean = sum(failed.values()) / max(1, sum(number.values()))
    return {kind: float(np.log((failed[kind] + PRIOR) / (mean * number[kind] + PRIOR))) for kind in sorted(failed)}


def features(learned: Evidence, name: str, one: MachineLog, grid: Grid) -> NDArray[np.float64]:
    """Return the evidence at each hour of a grid of whole hours: component by hour by feature (`NAMES`)."""
    first, last = int(grid[0]), int(grid[-1]) + 1
    stats = statistics(one, learned.signals, last)[first:last]
    usual = np.array(learned.own_usual.get(name, learned.usual)).reshape(len(STATS), -1)
    spread = np.array(learned.spread).reshape(len(STATS), -1)
    far = np.clip((stats - usual) / spread, -_FAR, _FAR)
    known = ~np.isnan(far)
    far = np.where(known, far, 0.0)
    kind, age = learned.kinds.get(one.kind, 0.0), 0.0
    if one.age is not None:
        age = (one.age - learned.mean_age) / learned.age_spread
    found = []
    for row, component in enumerate(learned.components):
        said = event_evidence(learned, row, one, grid).sum(axis=1)
        shift = np.array(learned.shifts[row]).reshape(len(STATS), -1)
        by_stat = ((far * shift - shift**2 / 2) * known).sum(axis=2)
        by_stat = np.clip(by_stat, -15, 15)
        life = learned.mean_life[row]
        worn = since_last(renewals_of(one, component), grid)
        wear = np.clip(worn / life, 0, 3) if life else np.full(len(grid), np.nan)
        found.append(
            np.column_stack(
                [
                    *(said, by_stat[:, 1], by_stat[:, 0], by_stat[:, 2]),
                    *(np.nan_to_num(wear), ~np.isnan(wear), np.full(len(grid), kind), np.full(len(grid), age)),
                ]
            )
        )
    return np.stack(found) if found else np.zeros((0, len(grid), len(NAMES)))


def event_evidence(learned: Evidence, row: int, one: MachineLog, grid: Grid) -> NDArray[np.float64]:
    """Return what each kind of event of the last 24 hours says of a component: hour by kind."""
    said = np.zeros((len(grid), len(learned.events)))
    for column, event in enumerate(learned.events):
        at = one.events.get(event, np.empty(0))
        known = window_count(at, grid, 24) > 0
        best = np.full(len(grid), -np.inf)
        for moment in at[(at >= grid[0] - 24) & (at < grid[-1] + 1)]:
            clock = (int(np.floor(moment)) + learned.clock_start) % 24
            weight = learned.when_seen[row][column] + learned.by_clock[row][column][clock]
            lo, hi = np.searchsorted(grid, moment, side="right"), np.searchsorted(grid, moment + 24, side="right")
            best[lo:hi] = np.maximum(best[lo:hi], weight)
        said[:, column] = np.where(known & np.isfinite(best), best, learned.when_not[row][column])
    return said
