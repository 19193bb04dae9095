"""How good a forecast would have been: learned from the past only, tried on what came after, again and again.

The time after the first cut is cut into blocks; each is forecast by a model that was trained on everything before it,
less the horizon. Two baselines are tried on the same hours: the mean interval between failures, and the number of
events of late.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advice.engine.failure_evidence import labels, renewals_of
from advice.engine.failure_log import FailureLog, MachineLog, comes_within, since_last, window_count
from advice.engine.failure_model import FAILURES_NEEDED, HORIZON, Thin, best_threshold, train

CUTS = (0.4, 0.55, 0.7, 0.85)
_Alarms = dict[str, NDArray[np.bool_]]
"""By machine: hour of the tested time by component."""


@dataclass(frozen=True, slots=True)
class Score:
    """How a way of warning did. Hours are of machine and component: a failure has up to `horizon` of them.

    Warnings are stretches: hours with an alarm of one machine and component, less than a horizon apart. A warning is
    right when a failure came within the horizon of one of its hours. `leads` has, of each failure that was seen, the
    hours from the first alarm of its horizon.
    """

    hours_right: int = 0
    hours_wrong: int = 0
    hours_missed: int = 0
    failures: int = 0
    seen: int = 0
    warnings: int = 0
    warnings_right: int = 0
    leads: tuple[float, ...] = field(default=())

    @property
    def hour_precision(self) -> float | None:
        """Of the hours with an alarm, the part that a failure followed."""
        return _part(self.hours_right, self.hours_right + self.hours_wrong)

    @property
    def hour_recall(self) -> float | None:
        """Of the hours before failures, the part with an alarm."""
        return _part(self.hours_right, self.hours_right + self.hours_missed)

    @property
    def recall(self) -> float | None:
        """Of the failures, the part that was seen."""
        return _part(self.seen, self.failures)

    @property
    def precision(self) -> float | None:
        """Of the warnings, the part that was right."""
        return _part(self.warnings_right, self.warnings)

    @property
    def median_lead(self) -> float | None:
        """Hours from the first alarm to the failure, of those seen."""
        return float(np.median(self.leads)) if self.leads else None

    @property
    def f1(self) -> float | None:
        """Precision of warnings and recall of failures, as one figure."""
        if self.precision is None or self.recall is None or not self.precision + self.recall:
            return None
        return 2 * self.precision * self.recall / (self.precision + self.recall)

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.hours_right + other.hours_right,
            self.hours_wrong + other.hours_wrong,
            self.hours_missed + other.hours_missed,
            self.failures + other.failures,
            self.seen + other.seen,
            self.warnings + other.warnings,
            self.warnings_right + other.warnings_right,
            self.leads + other.leads,
        )


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of it: scores by way of warning, and by component for the model; the tested hours [tested_from,
    tested_until).
    """

    scores: dict[str, Score]
    by_component: dict[str, Score]
    tested_from: int
    tested_until: int
    horizon: int
    trained_failures: tuple[int, ...]


def _part(some: int, of: int) -> float | None:
    return some / of if of else None


def backtest(
    log: FailureLog,
    *,
    tested: Iterable[str] | None = None,
    horizon: int = HORIZON,
    say: Callable[[str], None] = lambda words: None,
) -> Backtest:
    """Try a forecast on the later part of a log. `tested` = machines that are judged; all are learned from.

    Raises Thin when there is too little before the first cut. The last `horizon` hours are left out: what follows them
    is unknown.
    """
    names = sorted(log.machines if tested is None else tested)
    components = log.components
    end = log.hours - horizon
    cuts = [int(log.hours * share) for share in CUTS]
    cuts = [cut for cut in cuts if cut < end and _is_enough(log, cut)]
    if not cuts:
        known = log.failures_before(int(log.hours * CUTS[-1]))
        raise Thin(f"{known} failures known in {log.hours} hours; that is too few to learn from and to try")
    ways: dict[str, _Alarms] = {"model": {}, "mean interval": {}, "event count": {}}
    blocks: dict[str, dict[str, list[NDArray[np.bool_]]]] = {way: {name: [] for name in names} for way in ways}
    learned_from: list[int] = []
    for block, (first, last) in enumerate(zip(cuts, [*cuts[1:], end], strict=True), start=1):
        say(f"block {block} of {len(cuts)}: hours {first} to {last}, trained on those before {first - horizon}")
        model = train(log, until=first, horizon=horizon)
        learned_from.append(model.failures)
        grid = np.arange(first, last, dtype=float)
        count = _count_threshold(log, first, horizon)
        for name in names:
            one = log.machines[name]
            chances = np.zeros((len(grid), len(components)))
            columns = [components.index(component) for component in model.evidence.components]
            chances[:, columns] = model.probabilities(name, one, grid)
            blocks["model"][name].append(chances >= model.threshold)
            blocks["mean interval"][name].append(_by_interval(model.evidence.mean_life, one, components, grid, horizon))
            blocks["event count"][name].append(
                np.repeat((_events(one, grid) >= count)[:, None], len(components), axis=1)
            )
    for way, by_name in blocks.items():
        ways[way] = {name: np.concatenate(parts) for name, parts in by_name.items()}
    by_component = {
        component: _score(log, ways["model"], cuts[0], end, horizon, [component]) for component in components
    }
    scores = {way: _score(log, alarms, cuts[0], end, horizon, components) for way, alarms in ways.items()}
    scores["event count"] = _score(log, ways["event count"], cuts[0], end, horizon, components, is_whole=True)
    scores["model, any component"] = _score(log, ways["model"], cuts[0], end, horizon, components, is_whole=True)
    return Backtest(scores, by_component, cuts[0], end, horizon, tuple(learned_from))


def _is_enough(log: FailureLog, cut: int) -> bool:
    return log.failures_before(cut) >= FAILURES_NEEDED


def _events(one: MachineLog, grid: NDArray[np.float64]) -> NDArray[np.int64]:
    number = np.zeros(len(grid), dtype=np.int64)
    for at in one.events.values():
        number += window_count(at, grid, 24)
    return number


def _count_threshold(log: FailureLog, until: int, horizon: int) -> float:
    grid = np.arange(until - horizon, dtype=float)
    counts = [_events(one, grid) for one in log.machines.values()]
    marks = [labels(one, log.components, grid, horizon).any(axis=1) for one in log.machines.values()]
    every = np.concatenate(counts).astype(float)
    return max(1.0, best_threshold(every, np.concatenate(marks), np.ones(len(every))))


def _by_interval(
    lives: list[float | None], one: MachineLog, components: list[str], grid: NDArray[np.float64], horizon: int
) -> NDArray[np.bool_]:
    found = np.zeros((len(grid), len(components)), bool)
    for row, component in enumerate(components):
        life = lives[row]
        if life is not None:
            worn = since_last(renewals_of(one, component), grid)
            with np.errstate(invalid="ignore"):
                found[:, row] = worn + horizon >= life
    return found


def _score(
    log: FailureLog,
    alarms: _Alarms,
    first: int,
    last: int,
    horizon: int,
    components: list[str],
    *,
    is_whole: bool = False,
) -> Score:
    """Count what was right; `is_whole` judges machines, whichever component, the rest component by component."""
    score, everything = Score(), log.components
    grid = np.arange(first, last, dtype=float)
    for name, of_machine in alarms.items():
        one = log.machines[name]
        failed = {component: one.failures.get(component, np.empty(0)) for component in components}
        if is_whole:
            together = np.unique(np.concatenate(list(failed.values()) or [np.empty(0)]))
            score += _of_one(of_machine.any(axis=1), together, grid, horizon)
            continue
        for component, at in failed.items():
            score += _of_one(of_machine[:, everything.index(component)], at, grid, horizon)
    return score


def _of_one(alarm: Any, failures: NDArray[np.float64], grid: NDArray[np.float64], horizon: int) -> Score:
    follows = comes_within(failures, grid, horizon)
    whole = failures[(failures >= grid[0] + horizon) & (failures <= grid[-1])]
    leads = []
    for at in whole:
        hours = grid[(grid > at - horizon) & (grid <= at) & alarm]
        if len(hours):
            leads.append(float(at - hours[0]))
    warned = grid[alarm]
    stretches = np.split(warned, np.flatnonzero(np.diff(warned) >= horizon) + 1) if len(warned) else []
    right = sum(bool(comes_within(failures, hours, horizon).any()) for hours in stretches)
    return Score(
        hours_right=int((alarm & follows).sum()),
        hours_wrong=int((alarm & ~follows).sum()),
        hours_missed=int((~alarm & follows).sum()),
        failures=len(whole),
        seen=len(leads),
        warnings=len(stretches),
        warnings_right=int(right),
        leads=tuple(leads),
    )
