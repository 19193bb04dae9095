"""Gauge repeatability and reproducibility: how much of what is measured is the measuring.

Crossed studies, every appraiser measuring every part the same number of times; the average-and-range and the ANOVA
method as in AIAG, Measurement Systems Analysis, 4th edition, chapter III section B. Deviations are of one sigma. Sums
of squares are exact, deviations are roots of 34 digits; only the F test's p-value is floating point.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from math import floor

from core.errors import Invalid
from quality.spc.constants import d2, d2_of_mean_range
from quality.spc.numbers import Number, exact, mean, root

# ndc = 1.41 × PV / GRR, cut to a whole number (AIAG).
_CATEGORIES = Fraction(141, 100)
# From so many ranges on the mean range is taken to have d2 itself (AIAG MSA, appendix C).
_MANY_RANGES = 15
_SIX_SIGMA = 6


class Method(StrEnum):
    """How the variation is taken apart."""

    ANOVA = "anova"
    AVERAGE_RANGE = "average_range"


class Verdict(StrEnum):
    """What AIAG says of %GRR: good below 10 %, poor above 30 %, fair between: it depends on what the gauge is for."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


@dataclass(frozen=True, slots=True)
class Reading:
    """A part measured once by an appraiser."""

    part: str
    appraiser: str
    value: Fraction

    @classmethod
    def of(cls, part: str, appraiser: str, value: Number) -> "Reading":
        """Make a reading. Raise `Invalid` for a float."""
        return cls(part, appraiser, exact(value))


@dataclass(frozen=True, slots=True)
class Source:
    """A row of the table of variance: its degrees of freedom, sum of squares, and mean square."""

    name: str
    freedom: int
    squares: Fraction

    @property
    def mean_square(self) -> Fraction:
        """The sum of squares over its degrees of freedom."""
        return self.squares / self.freedom


@dataclass(frozen=True, slots=True)
class Study:
    """What a study found, as deviations of one sigma.

    `equipment` (EV) is repeatability, `appraiser` (AV) reproducibility without the interaction, `interaction` that of
    appraisers with parts (None where the method does not tell, or it was pooled), `gauge` (GRR) all of these, `parts`
    (PV), `total` (TV). `distinct_categories` (ndc) is None where the gauge does not vary. `table` and `interaction_p`
    are those of ANOVA.
    """

    method: Method
    equipment: Fraction
    appraiser: Fraction
    interaction: Fraction | None
    gauge: Fraction
    parts: Fraction
    total: Fraction
    distinct_categories: int | None
    tolerance: Fraction | None = None
    table: tuple[Source, ...] = ()
    interaction_p: float | None = None

    def percent(self, part: Fraction) -> Fraction | None:
        """Return a deviation in percent of the total variation; None where nothing varies."""
        return part / self.total * 100 if self.total else None

    @property
    def percent_gauge(self) -> Fraction | None:
        """%GRR of the total variation."""
        return self.percent(self.gauge)

    @property
    def percent_of_tolerance(self) -> Fraction | None:
        """Six sigma of the gauge in percent of the tolerance; None without one."""
        return None if self.tolerance is None else _SIX_SIGMA * self.gauge / self.tolerance * 100

    @property
    def verdict(self) -> Verdict | None:
        """What to think of the gauge."""
        percent = self.percent_gauge
        if percent is None:
            return None
        return Verdict.GOOD if percent < 10 else Verdict.FAIR if percent <= 30 else Verdict.POOR


@dataclass(frozen=True, slots=True)
class _Crossed:
    """The readings by part and appraiser, as many in every cell."""

    parts: tuple[str, ...]
    appraisers: tuple[str, ...]
    cells: dict[tuple[str, str], tuple[Fraction, ...]]
    trials: int

    def mean_of(self, *, part: str | None = None, appraiser: str | None = None) -> Fraction:
        values = (
            value
            for (p, a), cell in self.cells.items()
            if part in (None, p) and appraiser in (None, a)
            for value in cell
        )
        return mean(values) or Fraction(0)


def gauge_rr(
    readings: Iterable[Reading], method: Method = Method.ANOVA, *, tolerance: Number | None = None, alpha: float = 0.05
) -> Study:
    """Take the variation of a crossed study apart. ANOVA pools an interaction that is not significant at `alpha`.

    Raise `Invalid` with fewer than two parts, appraisers or trials, and where not everybody measured every part as
    often.
    """
    crossed = _crossed(readings)
    width = None if tolerance is None else exact(tolerance, field="tolerance")
    if width is not None and width <= 0:
        raise Invalid("The tolerance is above zero.", field="tolerance")
    if method is Method.AVERAGE_RANGE:
        return _by_ranges(crossed, width)
    return _by_variance(crossed, width, alpha)


def _crossed(readings: Iterable[Reading]) -> _Crossed:
    cells: dict[tuple[str, str], list[Fraction]] = defaultdict(list)
    for one in readings:
        cells[one.part, one.appraiser].append(one.value)
    parts = tuple(dict.fromkeys(part for part, _ in cells))
    appraisers = tuple(dict.fromkeys(appraiser for _, appraiser in cells))
    if len(parts) < 2 or len(appraisers) < 2:
        raise Invalid("A study needs two parts and two appraisers or more.", field="readings")
    trials = {len(cell) for cell in cells.values()}
    if len(trials) != 1 or len(cells) != len(parts) * len(appraisers):
        raise Invalid("Every appraiser measures every part as often.", field="readings")
    found = trials.pop()
    if found < 2:
        raise Invalid("Every part is measured twice or more.", field="readings")
    return _Crossed(parts, appraisers, {key: tuple(cell) for key, cell in cells.items()}, found)


def _by_ranges(crossed: _Crossed, tolerance: Fraction | None) -> Study:
    """EV = R̄ K1, AV = sqrt((X̄diff K2)² - EV² / (parts × trials)), PV = Rp K3;
    K = 1 / d2* for the number of ranges averaged.
    """
    ranges = [max(cell) - min(cell) for cell in crossed.cells.values()]
    many = len(ranges) > _MANY_RANGES
    k1 = d2(crossed.trials) if many else d2_of_mean_range(crossed.trials, len(ranges))
    equipment = (mean(ranges) or Fraction(0)) / k1
    by_appraiser = [crossed.mean_of(appraiser=one) for one in crossed.appraisers]
    by_part = [crossed.mean_of(part=one) for one in crossed.parts]
    apart = (max(by_appraiser) - min(by_appraiser)) / d2_of_mean_range(len(by_appraiser), 1)
    appraiser = root(max(Fraction(0), apart**2 - equipment**2 / (len(by_part) * crossed.trials)))
    parts = (max(by_part) - min(by_part)) / d2_of_mean_range(len(by_part), 1)
    return _study(Method.AVERAGE_RANGE, equipment**2, appraiser**2, None, parts**2, tolerance)


def _by_variance(crossed: _Crossed, tolerance: Fraction | None, alpha: float) -> Study:
    p, a, r = len(crossed.parts), len(crossed.appraisers), crossed.trials
    grand = crossed.mean_of()
    of_parts = a * r * sum(((crossed.mean_of(part=one) - grand) ** 2 for one in crossed.parts), Fraction(0))
    of_appraisers = p * r * sum(((crossed.mean_of(appraiser=x) - grand) ** 2 for x in crossed.appraisers), Fraction(0))
    means = {key: mean(cell) or Fraction(0) for key, cell in crossed.cells.items()}
    of_cells = r * sum(((value - grand) ** 2 for value in means.values()), Fraction(0))
    within = sum(((v - means[key]) ** 2 for key, cell in crossed.cells.items() for v in cell), Fraction(0))
    table = (
        Source("appraisers", a - 1, of_appraisers),
        Source("parts", p - 1, of_parts),
        Source("appraisers × parts", (a - 1) * (p - 1), of_cells - of_parts - of_appraisers),
        Source("equipment", p * a * (r - 1), within),
    )
    by_appraiser, by_part, crossing, error = table
    chance = _chance(crossing, error)
    if chance > alpha:
        error = Source("equipment, pooled", crossing.freedom + error.freedom, crossing.squares + error.squares)
        between, interaction = error.mean_square, None
    else:
        between = crossing.mean_square
        interaction = max(Fraction(0), (between - error.mean_square) / r)
    study = _study(
        Method.ANOVA,
        error.mean_square,
        max(Fraction(0), (by_appraiser.mean_square - between) / (p * r)),
        interaction,
        max(Fraction(0), (by_part.mean_square - between) / (a * r)),
        tolerance,
    )
    return replace(study, table=table, interaction_p=chance)


def _chance(crossing: Source, error: Source) -> float:
    """Return the F test's p-value: the chance of so much interaction if there were none."""
    if not error.squares:
        return 0.0 if crossing.squares else 1.0
    from scipy import stats  # late: it takes longer to load than the rest of the system

    return float(stats.f.sf(float(crossing.mean_square / error.mean_square), crossing.freedom, error.freedom))


def _study(
    method: Method,
    equipment: Fraction,
    appraiser: Fraction,
    interaction: Fraction | None,
    parts: Fraction,
    tolerance: Fraction | None,
) -> Study:
    """Return a study of variances."""
    gauge = equipment + appraiser + (interaction or 0)
    return Study(
        method=method,
        equipment=root(equipment),
        appraiser=root(appraiser),
        interaction=None if interaction is None else root(interaction),
        gauge=root(gauge),
        parts=root(parts),
        total=root(gauge + parts),
        distinct_categories=floor(_CATEGORIES * root(parts) / root(gauge)) if gauge else None,
        tolerance=tolerance,
    )
