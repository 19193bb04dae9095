"""What a forecast of failures is learned from: signals, events, failures and renewals of some machines, by the hour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Hours = NDArray[np.float64]
"""Moments, in hours since the beginning of the log, ascending."""


@dataclass(frozen=True, slots=True)
class MachineLog:
    """One machine: `signals` are hourly means (NaN = unknown), the rest moments by name; `attributes` tell it apart."""

    signals: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    events: Mapping[str, Hours] = field(default_factory=dict)
    failures: Mapping[str, Hours] = field(default_factory=dict)
    renewals: Mapping[str, Hours] = field(default_factory=dict)
    kind: str = ""
    age: float | None = None


@dataclass(frozen=True, slots=True)
class FailureLog:
    """Some machines from `start` on, for so many hours. Moments before the start are negative (renewals may be)."""

    start: datetime
    hours: int
    machines: Mapping[str, MachineLog]

    @property
    def signals(self) -> list[str]:
        """Names of all signals."""
        return sorted({name for one in self.machines.values() for name in one.signals})

    @property
    def events(self) -> list[str]:
        """Names of all kinds of events."""
        return sorted({name for one in self.machines.values() for name in one.events})

    @property
    def components(self) -> list[str]:
        """Names of all components that failed."""
        return sorted({name for one in self.machines.values() for name, at in one.failures.items() if len(at)})

    def failures_before(self, hour: float) -> int:
        """Count the failures that are known at an hour."""
        return sum(int((at < hour).sum()) for one in self.machines.values() for at in one.failures.values())


def window_count(moments: Hours, grid: Hours, length: float) -> NDArray[np.int64]:
    """Return how many moments lie in [hour - length, hour) of each hour of a grid."""
    return np.searchsorted(moments, grid, side="left") - np.searchsorted(moments, grid - length, side="left")


def since_last(moments: Hours, grid: Hours) -> NDArray[np.float64]:
    """Return the hours since the last moment before each hour of a grid; NaN where there was none."""
    place = np.searchsorted(moments, grid, side="left") - 1
    if not len(moments):
        return np.full(len(grid), np.nan)
    return np.where(place >= 0, grid - moments[np.maximum(place, 0)], np.nan)


def comes_within(moments: Hours, grid: Hours, horizon: float) -> NDArray[np.bool_]:
    """Say for each hour of a grid whether a moment lies in [hour, hour + horizon)."""
    return np.searchsorted(moments, grid + horizon, side="left") > np.searchsorted(moments, grid, side="left")


def rolling(values: NDArray[np.float64], length: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and deviation of the hours [hour - length, hour), for each hour;
    NaN where fewer than half are known.
    """
    known = ~np.isnan(values)
    # Sums of squares of what lies far from zero lose digits: take something off first, but nothing that comes later.
    centre = float(values[known][0]) if known.any() else 0.0
    filled = np.where(known, values - centre, 0.0)
    total, squares, number = (np.concatenate([[0.0], np.cumsum(one)]) for one in (filled, filled**2, known))
    hour = np.arange(len(values))
    first = np.maximum(hour - length, 0)
    n = number[hour] - number[first]
    enough = n >= max(2, length / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (total[hour] - total[first]) / n
        variance = (squares[hour] - squares[first]) / n - mean**2
    return np.where(enough, mean + centre, np.nan), np.where(enough, np.sqrt(np.maximum(variance, 0.0)), np.nan)
