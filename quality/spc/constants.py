"""The constants of control charts, worked out of the normal distribution instead of typed from a table.

Of n independent values of a normal distribution with deviation 1: d2 and d3 are the mean and the deviation of their
range (L. H. C. Tippett, Biometrika 17, 1925), c4 the mean of their sample deviation (e.g. D. C. Montgomery,
Introduction to Statistical Quality Control, chapter 6). A2, A3, B3, B4, D3, D4 follow (ASTM E2587; Montgomery, appendix
VI).
"""

from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import exp, lgamma, log, sqrt

from core.errors import Invalid
from quality.spc.numbers import root

LARGEST = 100
_PLACES = 9
# The integrands fall off like the normal density: beyond ten deviations nothing is left of them that a float could
# hold. Where a smooth function falls off so at both ends, the trapezoidal rule converges faster than any power of the
# step.
_REACH, _STEPS = 10.0, 1000
_NODES = 200


def d2(n: int) -> Fraction:
    """Return the mean range of n standard normal values."""
    return _kept(_moments(_size(n))[0])


def d3(n: int) -> Fraction:
    """Return the deviation of the range of n standard normal values."""
    return _kept(_moments(_size(n))[1])


@cache
def c4(n: int) -> Fraction:
    """Return the mean sample deviation of n standard normal values: sqrt(2 / (n - 1)) Γ(n / 2) / Γ((n - 1) / 2)."""
    _size(n)
    return _kept(exp(0.5 * log(2 / (n - 1)) + lgamma(n / 2) - lgamma((n - 1) / 2)))


def c5(n: int) -> Fraction:
    """Return the deviation of the sample deviation of n standard normal values: sqrt(1 - c4²)."""
    return root(1 - c4(n) ** 2)


def d2_of_mean_range(size: int, ranges: int) -> Fraction:
    """Return d2*: the root of the mean square of the mean of some ranges, for few of which d2 is too small.

    Source: A. J. Duncan, Quality Control and Industrial Statistics, appendix D3; AIAG MSA, appendix C.
    """
    return root(d2(size) ** 2 + d3(size) ** 2 / ranges)


def table(n: int) -> dict[str, Fraction]:
    """Return the factors that published tables list for subgroups of n: A2, A3, B3, B4, D3, D4, d2, d3, c4."""
    zero = Fraction(0)
    return {
        "d2": d2(n),
        "d3": d3(n),
        "c4": c4(n),
        "A2": 3 / (d2(n) * root(Fraction(n))),
        "A3": 3 / (c4(n) * root(Fraction(n))),
        "B3": max(zero, 1 - 3 * c5(n) / c4(n)),
        "B4": 1 + 3 * c5(n) / c4(n),
        "D3": max(zero, 1 - 3 * d3(n) / d2(n)),
        "D4": 1 + 3 * d3(n) / d2(n),
    }


def _size(n: int) -> int:
    if not 2 <= n <= LARGEST:
        raise Invalid(f"A subgroup has 2 to {LARGEST} values.", field="size")
    return n


def _kept(value: float) -> Fraction:
    return Fraction(round(Decimal(value), _PLACES))


@cache
def _moments(n: int) -> tuple[float, float]:
    """Return mean and deviation of the range W of n values, from P(W <= w) = n ∫ φ(x) (Φ(x + w) - Φ(x))^(n - 1) dx."""
    # Loading these takes longer than starting the rest of the system.
    import numpy as np
    from scipy.special import ndtr

    x = np.linspace(-_REACH, _REACH, _STEPS + 1)
    step = x[1] - x[0]
    mean = float(np.sum(1 - ndtr(x) ** n - ndtr(-x) ** n) * step)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    w = _REACH * (nodes + 1)
    density = n * np.exp(-x * x / 2) / sqrt(2 * np.pi)
    below = np.sum(density * (ndtr(x + w[:, None]) - ndtr(x)) ** (n - 1), axis=1) * step
    square = float(np.sum(weights * 2 * w * (1 - below)) * _REACH)
    return mean, sqrt(square - mean * mean)
