"""How long components last: a Weibull distribution, fitted with those that have not failed yet (right-censored).

Source: Meeker and Escobar, Statistical Methods for Reliability Data, chapter 8: maximum likelihood; intervals from the
observed information of the logarithms of shape and scale, by draws with a fixed seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, gamma, log

import numpy as np
from numpy.typing import NDArray

FAILURES_NEEDED = 5
LEVEL = 0.95
_DRAWS = 4000


class TooFewFailures(Exception):
    """There are too few failures to say how long something lasts."""


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate and the interval that holds the truth in 95 of 100 such cases."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Life:
    """A fitted Weibull life: F(t) = 1 - exp(-(t / scale)^shape), in the unit of the ages."""

    shape: float
    scale: float
    failures: int
    censored: int
    covariance: tuple[tuple[float, float], tuple[float, float]]

    @property
    def mean(self) -> Range:
        """The mean life."""
        return self._range(lambda shape, scale: scale * _gamma(1 + 1 / shape))

    @property
    def b10(self) -> Range:
        """The age by which one in ten has failed."""
        return self.quantile(0.1)

    def quantile(self, share: float) -> Range:
        """Return the age by which a share has failed."""
        return self._range(lambda shape, scale: scale * (-log(1 - share)) ** (1 / shape))

    def fails_within(self, length: float, *, age: float) -> Range:
        """Return the probability that one that reached an age fails within a length from there."""
        return self._range(
            lambda shape, scale: 1 - np.exp(np.minimum((age / scale) ** shape - ((age + length) / scale) ** shape, 0))
        )

    @cached_property
    def _draws(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        draws = np.random.default_rng(20260101).multivariate_normal(
            [log(self.shape), log(self.scale)], np.array(self.covariance), size=_DRAWS
        )
        return np.exp(np.clip(draws[:, 0], -5, 5)), np.exp(draws[:, 1])

    def _range(self, of: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]) -> Range:
        value = of(np.array([self.shape]), np.array([self.scale]))[0]
        found = of(*self._draws)
        tail = (1 - LEVEL) / 2 * 100
        low, high = np.percentile(found, [tail, 100 - tail])
        return Range(float(value), float(low), float(high))


def fit_life(failed: Sequence[float], censored: Sequence[float]) -> Life:
    """Fit the ages at which some failed and those that others reached without.

    Raises TooFewFailures below `FAILURES_NEEDED`, and for ages that are all the same (no life follows from them).
    """
    dead = np.array([age for age in failed if age > 0], dtype=float)
    alive = np.array([age for age in censored if age > 0], dtype=float)
    if len(dead) < FAILURES_NEEDED:
        raise TooFewFailures(f"{len(dead)} failures known, {FAILURES_NEEDED} needed")
    if len(set(dead.tolist())) < 2:
        raise TooFewFailures("all failed at the same age, which says nothing of how lives differ")
    from scipy.stats import CensoredData, weibull_min

    unit = float(np.median(dead))
    data = CensoredData(uncensored=dead / unit, right=alive / unit)
    shape, _zero, scale = weibull_min.fit(data, floc=0)
    covariance = _covariance(dead / unit, alive / unit, log(shape), log(scale))
    return Life(float(shape), float(scale * unit), len(dead), len(alive), covariance)


def _covariance(
    dead: NDArray[np.float64], alive: NDArray[np.float64], log_shape: float, log_scale: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the inverse of the second derivatives of the negative log-likelihood at its least."""

    def cost(a: float, b: float) -> float:
        shape, every = exp(a), np.concatenate([dead, alive])
        hazard = ((every / exp(b)) ** shape).sum()
        return float(hazard - (a - b * shape + (shape - 1) * np.log(dead)).sum())

    step = 1e-3
    at = cost(log_shape, log_scale)
    aa = (cost(log_shape + step, log_scale) - 2 * at + cost(log_shape - step, log_scale)) / step**2
    bb = (cost(log_shape, log_scale + step) - 2 * at + cost(log_shape, log_scale - step)) / step**2
    ab = (
        cost(log_shape + step, log_scale + step)
        - cost(log_shape + step, log_scale - step)
        - cost(log_shape - step, log_scale + step)
        + cost(log_shape - step, log_scale - step)
    ) / (4 * step**2)
    of = aa * bb - ab * ab
    return (bb / of, -ab / of), (-ab / of, aa / of)


def _gamma(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([gamma(min(value, 150.0)) for value in values])
