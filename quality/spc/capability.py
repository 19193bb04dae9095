"""Capability: how well a process fits between its specification limits.

Cp, Cpk (within: the spread that subgroups show) and Pp, Ppk (overall: the spread of all values) as in ISO 22514-2 and
ISO 22400-2; Cpm: L. K. Chan, S. W. Cheng, F. A. Spiring, Journal of Quality Technology 20 (1988). Indices are exact up
to their roots; intervals and p-values only inform and are floating point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import sqrt
from statistics import NormalDist

from core.errors import Invalid
from quality.spc.charts import Kind, Measured, neighbours, sigma_within
from quality.spc.constants import c4, d2, d3
from quality.spc.numbers import Number, deviation, exact, mean, root

FAIR, GOOD = Fraction(1), Fraction(133, 100)
# D'Agostino and Pearson's test takes over where Shapiro and Wilk's is not made for so many values.
_FEWEST, _MOST_FOR_SHAPIRO = 8, 5000
# Variance of the mean moving range of n values over d2, in units of sigma² / (n - 1), for many values: J. D. Cryer, T.
# P. Ryan, Journal of Quality Technology 22 (1990).
_MOVING_RANGE_VARIANCE = 0.826


class SigmaSource(StrEnum):
    """What the spread within subgroups is estimated from."""

    RANGE = "range"
    DEVIATION = "deviation"
    POOLED = "pooled"
    MOVING_RANGE = "moving_range"


class Band(StrEnum):
    """How good an index is: below 1.00, below 1.33, or from there on."""

    POOR = "poor"
    FAIR = "fair"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, in floating point."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Normality:
    """A hint whether values could come from a normal distribution; indices mean little where they could not.

    `p_value` is the chance of values at least so odd if they did; below 0.05 they `look_normal` no more.
    """

    test: str
    p_value: float

    @property
    def looks_normal(self) -> bool:
        """Say whether nothing speaks against it."""
        return self.p_value >= 0.05


@dataclass(frozen=True, slots=True)
class Capability:
    """What a process can do. An index is None where its limits are missing, or the spread is unknown or zero.

    `upper` and `lower` are the one-sided Cpu and Cpl; Cpk and Ppk with one limit are that side's. Intervals have
    `confidence`.
    """

    values: int
    mean: Fraction
    sigma_source: SigmaSource
    sigma_within: Fraction | None
    sigma_overall: Fraction | None
    cp: Fraction | None
    cpk: Fraction | None
    upper: Fraction | None
    lower: Fraction | None
    pp: Fraction | None
    ppk: Fraction | None
    cpm: Fraction | None
    confidence: float
    cp_interval: Interval | None
    cpk_interval: Interval | None
    pp_interval: Interval | None
    ppk_interval: Interval | None
    normality: Normality | None

    @property
    def band(self) -> Band | None:
        """The colour of Cpk; of Ppk where Cpk is unknown."""
        return band(self.cpk if self.cpk is not None else self.ppk)


def band(index: Fraction | None) -> Band | None:
    """Return the colour of an index: poor below 1.00, fair below 1.33, else good; None of None."""
    if index is None:
        return None
    return Band.GOOD if index >= GOOD else Band.FAIR if index >= FAIR else Band.POOR


def capability(
    data: Sequence[Number] | Sequence[Measured | None],
    *,
    lsl: Number | None,
    usl: Number | None,
    target: Number | None = None,
    sigma_source: SigmaSource | None = None,
    confidence: float = 0.95,
) -> Capability:
    """Work out the capability of single values in order, or of subgroups (None: unknown), against one or two limits.

    Without `sigma_source` subgroups are pooled and single values taken by their moving range. Raise `Invalid` without
    values or limits, or where limits contradict each other.
    """
    low, high = _limit(lsl, "lsl"), _limit(usl, "usl")
    if low is None and high is None:
        raise Invalid("Give a lower or an upper specification limit.", field="usl")
    if low is not None and high is not None and low >= high:
        raise Invalid("The upper limit lies above the lower one.", field="usl")
    if not 0 < confidence < 1:
        raise Invalid("The confidence lies between 0 and 1.", field="confidence")
    subgroups = [one if one is None or isinstance(one, Measured) else Measured.of(one) for one in data]
    values = [value for one in subgroups if one is not None for value in one.values]
    centre = mean(values)
    if centre is None:
        raise Invalid("There are no values.", field="data")
    source = sigma_source or _usual_source(subgroups)
    within, freedom = _within(subgroups, source)
    overall = deviation(values)
    lower, upper = _side(low, centre, within, -1), _side(high, centre, within, 1)
    cp, pp = _both(low, high, within), _both(low, high, overall)
    cpk, ppk = _worse(lower, upper), _worse(_side(low, centre, overall, -1), _side(high, centre, overall, 1))
    aim = _limit(target, "target")
    off = None if aim is None or overall is None else root(overall**2 + (centre - aim) ** 2)
    n = len(values)
    return Capability(
        values=n,
        mean=centre,
        sigma_source=source,
        sigma_within=within,
        sigma_overall=overall,
        cp=cp,
        cpk=cpk,
        upper=upper,
        lower=lower,
        pp=pp,
        ppk=ppk,
        cpm=_both(low, high, off),
        confidence=confidence,
        cp_interval=_spread_interval(cp, freedom, confidence),
        cpk_interval=_centred_interval(cpk, n, freedom, confidence),
        pp_interval=_spread_interval(pp, n - 1.0, confidence),
        ppk_interval=_centred_interval(ppk, n, n - 1.0, confidence),
        normality=normality(values),
    )


def normality(values: Sequence[Fraction]) -> Normality | None:
    """Test for a normal distribution; None of fewer than eight values, or where all are the same.

    Shapiro and Wilk (1965) up to 5,000 values, D'Agostino and Pearson (1973) beyond, both by scipy.
    """
    if len(values) < _FEWEST or min(values) == max(values):
        return None
    from scipy import stats  # late: it takes longer to load than the rest of the system

    # Close values of a large level would lose their digits in floating point; the tests do not mind where zero is.
    centre = mean(values) or Fraction(0)
    width = max(values) - min(values)
    floats = [float((value - centre) / width) for value in values]
    if len(values) <= _MOST_FOR_SHAPIRO:
        return Normality("Shapiro-Wilk", float(stats.shapiro(floats).pvalue))
    return Normality("D'Agostino-Pearson", float(stats.normaltest(floats).pvalue))


def _limit(value: Number | None, field: str) -> Fraction | None:
    return None if value is None else exact(value, field=field)


def _usual_source(subgroups: Sequence[Measured | None]) -> SigmaSource:
    is_single = all(len(one.values) == 1 for one in subgroups if one is not None)
    return SigmaSource.MOVING_RANGE if is_single else SigmaSource.POOLED


def _within(subgroups: Sequence[Measured | None], source: SigmaSource) -> tuple[Fraction | None, float]:
    """Return the spread within subgroups, and the degrees of freedom that it has, exactly or nearly.

    A mean of ranges or deviations is nearly a chi with ν = 1 / (2 × its relative variance) degrees of freedom (P. B.
    Patnaik, Biometrika 37, 1950); where sizes differ each subgroup brings its own share of the variance.
    """
    several = [one.values for one in subgroups if one is not None and len(one.values) > 1]
    if source is SigmaSource.MOVING_RANGE:
        singles = [one for one in subgroups if one is not None]
        if any(len(one.values) != 1 for one in singles):
            raise Invalid("Moving ranges are of single values.", field="sigma_source")
        moving = len(neighbours(subgroups))
        return sigma_within(Kind.I_MR, subgroups), moving / (2 * _MOVING_RANGE_VARIANCE)
    if not several:
        return None, 0.0
    if source is SigmaSource.POOLED:
        freedom = sum(len(values) - 1 for values in several)
        squares = sum(((deviation(values) or Fraction(0)) ** 2 * (len(values) - 1) for values in several), Fraction(0))
        return root(squares / freedom), float(freedom)
    if source is SigmaSource.RANGE:
        shares = [(d3(len(values)) / d2(len(values))) ** 2 for values in several]
        kind = Kind.XBAR_R
    else:
        shares = [1 / c4(len(values)) ** 2 - 1 for values in several]
        kind = Kind.XBAR_S
    relative = sum(shares, start=Fraction(0)) / len(several) ** 2
    return sigma_within(kind, subgroups), float(1 / (2 * relative))


def _side(limit: Fraction | None, centre: Fraction, sigma: Fraction | None, side: int) -> Fraction | None:
    return None if limit is None or not sigma else side * (limit - centre) / (3 * sigma)


def _both(low: Fraction | None, high: Fraction | None, sigma: Fraction | None) -> Fraction | None:
    return None if low is None or high is None or not sigma else (high - low) / (6 * sigma)


def _worse(lower: Fraction | None, upper: Fraction | None) -> Fraction | None:
    return min((one for one in (lower, upper) if one is not None), default=None)


def _spread_interval(index: Fraction | None, freedom: float, confidence: float) -> Interval | None:
    """Return the interval of Cp or Pp: index × sqrt(χ² / ν) (Montgomery, chapter 8)."""
    if index is None or freedom < 1:
        return None
    from scipy import stats

    tail = (1 - confidence) / 2
    low, high = (sqrt(stats.chi2.ppf(p, freedom) / freedom) * float(index) for p in (tail, 1 - tail))
    return Interval(low, high)


def _centred_interval(index: Fraction | None, n: int, freedom: float, confidence: float) -> Interval | None:
    """Return the interval of Cpk or Ppk: index ± z sqrt(1 / 9n + index² / 2ν) (A. F.

    Bissell, Applied Statistics 39, 1990).
    """
    if index is None or freedom < 1:
        return None
    z = NormalDist().inv_cdf(1 - (1 - confidence) / 2)
    half = z * sqrt(1 / (9 * n) + float(index) ** 2 / (2 * freedom))
    return Interval(float(index) - half, float(index) + half)
