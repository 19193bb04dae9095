"""The probability that a component fails within the horizon: a logistic regression over evidence,
its parameters readable.

One model serves all components and machines: a component with one known failure lends from what others' failures looked
like. Learning needs scikit-learn, which is imported then; using a model needs numpy alone.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advice.engine.failure_evidence import (
    NAMES,
    STATS,
    Evidence,
    Grid,
    event_evidence,
    features,
    labels,
    learn,
    statistics,
)
from advice.engine.failure_log import FailureLog, MachineLog, window_count

FAILURES_NEEDED = 8
HORIZON = 24
_QUIET_STEP = 6
"""Of the hours in which nothing happens, one in so many is learned from, weighing as many."""


class Thin(Exception):
    """There is too little to learn from; says what there is and what it takes."""


@dataclass(frozen=True, slots=True)
class FailureModel:
    """What was learned, as plain numbers: evidence, weights of the features (`NAMES`), and from where on to warn."""

    evidence: Evidence
    centre: list[float]
    scale: list[float]
    weights: list[float]
    intercept: float
    threshold: float
    failures: int
    hours: int

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "FailureModel":
        """Return what `as_json` gave."""
        return cls(**{**stored, "evidence": Evidence(**stored["evidence"])})

    def probabilities(self, name: str, one: MachineLog, grid: Grid) -> NDArray[np.float64]:
        """Return the probability at each hour of a grid of whole hours: hour by component."""
        found = features(self.evidence, name, one, grid)
        if not len(found):
            return np.zeros((len(grid), 0))
        return _sigmoid(((found - self.centre) / self.scale) @ np.array(self.weights) + self.intercept).T


@dataclass(frozen=True, slots=True)
class Driver:
    """A signal behind a probability: its value, what is usual, and how much it says (log-likelihood ratio)."""

    signal: str
    value: float | None
    usual: float | None
    says: float
    unit: str = ""


def train(log: FailureLog, *, until: int, horizon: int = HORIZON) -> FailureModel:
    """Learn from what was known at an hour of a log. Raises Thin below `FAILURES_NEEDED` failures.

    Only hours whose horizon ended by then are learned from, so what is tested from that hour on lies a horizon away.
    The threshold is where precision and recall by the hour are best together (F1), on what was learned from.
    """
    from sklearn.linear_model import LogisticRegression

    last = until - horizon
    failures = log.failures_before(until)
    if last < 2 * horizon or failures < FAILURES_NEEDED:
        raise Thin(f"{max(0, until)} hours and {failures} failures known, {FAILURES_NEEDED} failures needed")
    learned = learn(log, until=last, horizon=horizon)
    rows, marks, weights = _rows(log, learned, last, horizon)
    if marks.all() or not marks.any():
        raise Thin(f"0 failures known whose {horizon} hours before were watched, {FAILURES_NEEDED} needed")
    centre = np.average(rows, axis=0, weights=weights)
    scale = np.sqrt(np.average((rows - centre) ** 2, axis=0, weights=weights))
    scale[scale < 1e-9] = 1.0
    found = LogisticRegression(C=1.0, solver="newton-cholesky").fit(
        (rows - centre) / scale, marks, sample_weight=weights
    )
    chances = found.predict_proba((rows - centre) / scale)[:, 1]
    return FailureModel(
        evidence=learned,
        centre=centre.tolist(),
        scale=scale.tolist(),
        weights=found.coef_[0].tolist(),
        intercept=float(found.intercept_[0]),
        threshold=best_threshold(chances, marks, weights),
        failures=failures,
        hours=until,
    )


def _rows(
    log: FailureLog, learned: Evidence, last: int, horizon: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    grid = np.arange(last, dtype=float)
    rows, marks, weights = [], [], []
    for name, one in log.machines.items():
        found = features(learned, name, one, grid)
        mark = labels(one, learned.components, grid, horizon)
        eventful = np.zeros(len(grid), bool)
        for at in one.events.values():
            eventful |= window_count(at, grid, 24) > 0
        for row in range(len(learned.components)):
            busy = mark[:, row] | eventful | (np.abs(found[row][:, 1]) > 2)
            kept = busy | (np.arange(len(grid)) % _QUIET_STEP == 0)
            rows.append(found[row][kept])
            marks.append(mark[kept, row])
            weights.append(np.where(busy[kept], 1.0, float(_QUIET_STEP)))
    return np.concatenate(rows), np.concatenate(marks), np.concatenate(weights)


def best_threshold(chances: NDArray[np.float64], marks: NDArray[np.bool_], weights: NDArray[np.float64]) -> float:
    """Return the figure from which on to warn, for the best F1."""
    order = np.argsort(-chances, kind="stable")
    right, warned = np.cumsum((marks * weights)[order]), np.cumsum(weights[order])
    f1 = 2 * right / (warned + (marks * weights).sum())
    # Only between two different figures can a line be drawn.
    ends = np.append(np.diff(chances[order]) != 0, True)
    best = int(np.argmax(np.where(ends, f1, -1)))
    return float(chances[order][best])


def drivers(model: FailureModel, name: str, one: MachineLog, hour: int, component: str) -> list[Driver]:
    """Return what speaks for a failure of a component at an hour, the strongest first, with values and usual values."""
    learned, grid = model.evidence, np.array([float(hour)])
    row = learned.components.index(component)
    found = []
    for column, event in enumerate(learned.events):
        at = one.events.get(event, np.empty(0))
        number = int(window_count(at, grid, 24)[0])
        if number:
            watched = max(24.0, float(hour))
            usual = float((at < hour - 24).sum()) * 24 / watched
            says = float(event_evidence(learned, row, one, grid)[0, column])
            found.append(Driver(event, float(number), usual, says, "per 24 h"))
    stats = statistics(one, learned.signals, hour + 1)[hour]
    usual_of = np.array(learned.own_usual.get(name, learned.usual)).reshape(len(STATS), -1)
    spread = np.array(learned.spread).reshape(len(STATS), -1)
    shift = np.array(learned.shifts[row]).reshape(len(STATS), -1)
    for place, (what, length) in enumerate(STATS):
        for column, signal in enumerate(learned.signals):
            value = float(stats[place, column])
            if np.isnan(value):
                continue
            far = float(np.clip((value - usual_of[place, column]) / spread[place, column], -8, 8))
            says = far * float(shift[place, column]) - float(shift[place, column]) ** 2 / 2
            found.append(Driver(f"{signal}, {what} of {length} h", value, float(usual_of[place, column]), says))
    return sorted((one for one in found if one.says > 0), key=lambda one: (-one.says, one.signal))


def named_weights(model: FailureModel) -> dict[str, float]:
    """Return the weight of each feature, per standard deviation of it."""
    return dict(zip(NAMES, model.weights, strict=True))


def _sigmoid(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(figures, -30, 30))))


def components_of(models: Sequence[FailureModel]) -> list[str]:
    """Return the components that some models know."""
    return sorted({name for model in models for name in model.evidence.components})
