"""Control charts: what is plotted, and the baseline that says where its centre and limits are.

Sources: W. A. Shewhart, Economic Control of Quality of Manufactured Product (1931); formulas as in D. C. Montgomery,
Introduction to Statistical Quality Control, chapters 6, 7 and 9, and in the NIST/SEMATECH e-Handbook of Statistical
Methods, section 6.3.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from core.errors import Invalid
from quality.spc.constants import c4, c5, d2, d3
from quality.spc.numbers import Number, deviation, exact, mean, root, rounded

WIDTH = 3  # control limits stand this many deviations off the centre


class Kind(StrEnum):
    """A kind of control chart. The first four are of measurements, the others of counts."""

    XBAR_R = "xbar_r"
    XBAR_S = "xbar_s"
    I_MR = "i_mr"
    EWMA = "ewma"
    P = "p"
    NP = "np"
    C = "c"
    U = "u"

    @property
    def is_measured(self) -> bool:
        """Say whether its subgroups are `Measured`; else they are `Counted`."""
        return self in (Kind.XBAR_R, Kind.XBAR_S, Kind.I_MR, Kind.EWMA)

    @property
    def panels(self) -> tuple["Panel", ...]:
        """What it draws, one below the other."""
        has_spread = self in (Kind.XBAR_R, Kind.XBAR_S, Kind.I_MR)
        return (Panel.LOCATION, Panel.SPREAD) if has_spread else (Panel.LOCATION,)


class Panel(StrEnum):
    """A chart of its own within a control chart: where the process is, and how far it spreads."""

    LOCATION = "location"
    SPREAD = "spread"


@dataclass(frozen=True, slots=True)
class Measured:
    """A subgroup of measured values, in the order in which they were taken."""

    values: tuple[Fraction, ...]

    @classmethod
    def of(cls, *values: Number) -> "Measured":
        """Make a subgroup of numbers. Raise `Invalid` where there are none, or floats."""
        if not values:
            raise Invalid("A subgroup without values is unknown: None.", field="values")
        return cls(tuple(exact(value, field="values") for value in values))


@dataclass(frozen=True, slots=True)
class Counted:
    """A subgroup in which nonconforming items (p, np) or nonconformities (c, u) were counted.

    `inspected` is the number of items (p, np) or the area of opportunity (c, u), which is the same throughout for np
    and c.
    """

    found: int
    inspected: Fraction = Fraction(1)

    @classmethod
    def of(cls, found: int, inspected: Number = 1) -> "Counted":
        """Make a subgroup. Raise `Invalid` for a count below zero, or nothing inspected."""
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            raise Invalid("A count is a whole number, not below zero.", field="found")
        size = exact(inspected, field="inspected")
        if size <= 0:
            raise Invalid("Something must have been inspected.", field="inspected")
        return cls(found, size)


Subgroup = Measured | Counted


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a point is expected: the centre, the deviation of the plotted figure, and the control limits.

    A limit is None where no point can lie beyond it (a range, a count or a share is never below zero).
    """

    centre: Fraction
    sigma: Fraction
    lower: Fraction | None
    upper: Fraction | None

    def is_beyond(self, value: Fraction) -> bool:
        """Say whether a value is outside; on the limit is inside."""
        return (self.upper is not None and value > self.upper) or (self.lower is not None and value < self.lower)


@dataclass(frozen=True, slots=True)
class Point:
    """A plotted figure with the limits that hold for it; the value is None where it is not known."""

    value: Fraction | None
    limits: Limits


@dataclass(frozen=True, slots=True)
class Baseline:
    """Centre and spread of a process in a phase, from which limits of subgroups of any size follow.

    `centre` is the mean, the mean share (p, np) or the mean number of nonconformities per unit (c, u). `sigma` is the
    deviation of single values; None on charts of counts, whose deviation follows from the centre. `size` is the
    subgroup size, None where it varied. `subgroups` says how many it rests on. `weight` and `width` are an EWMA's λ and
    L. Centre and sigma have at most 20 significant digits, so a stored baseline judges as the computed one did.
    """

    kind: Kind
    phase: str
    centre: Fraction
    sigma: Fraction | None
    size: Fraction | None
    subgroups: int
    weight: Fraction | None = None
    width: Fraction = Fraction(WIDTH)

    def limits(self, size: Number | None = None, panel: Panel = Panel.LOCATION) -> Limits:
        """Return the limits of a subgroup of a size (the baseline's own, unless told); an EWMA's are those it tends to.

        Raise `Invalid` where the size is not known, or is another one than an np or c chart's.
        """
        n = self.size if size is None else exact(size, field="size")
        if n is None:
            raise Invalid("The subgroups differ in size: say which.", field="size")
        if self.kind in (Kind.NP, Kind.C) and n != self.size:
            raise Invalid("This chart needs subgroups of one size; take p or u for others.", field="size")
        if panel is Panel.SPREAD:
            return self._spread(n)
        centre, sigma = self._location(n)
        lower, upper = centre - self.width * sigma, centre + self.width * sigma
        if self.kind.is_measured:
            return Limits(centre, sigma, lower, upper)
        highest = {Kind.P: Fraction(1), Kind.NP: n}.get(self.kind)
        return Limits(
            centre, sigma, lower if lower > 0 else None, upper if highest is None or upper < highest else None
        )

    def _location(self, n: Fraction) -> tuple[Fraction, Fraction]:
        """Return the centre and the deviation of the plotted figure."""
        p = self.centre
        match self.kind:
            case Kind.P:
                return p, root(p * (1 - p) / n)
            case Kind.NP:
                return n * p, root(n * p * (1 - p))
            case Kind.C:
                return n * p, root(n * p)
            case Kind.U:
                return p, root(p / n)
        sigma = self.of_values / root(n)
        if self.weight is not None:
            sigma *= root(self.weight / (2 - self.weight))
        return p, sigma

    def _spread(self, n: Fraction) -> Limits:
        if self.kind is Kind.I_MR:
            n = Fraction(2)
        if self.kind is Kind.XBAR_S:
            centre, sigma = self.of_values * c4(int(n)), self.of_values * c5(int(n))
        elif self.kind in (Kind.XBAR_R, Kind.I_MR):
            centre, sigma = self.of_values * d2(int(n)), self.of_values * d3(int(n))
        else:
            raise Invalid("This chart has no panel of the spread.", field="panel")
        lower = centre - WIDTH * sigma
        return Limits(centre, sigma, lower if lower > 0 else None, centre + WIDTH * sigma)

    @property
    def of_values(self) -> Fraction:
        """The deviation of single values."""
        if self.sigma is None:
            raise Invalid("A chart of counts knows no deviation of values.", field="sigma")
        return self.sigma


def baseline(
    kind: Kind,
    subgroups: Iterable[Subgroup | None],
    phase: str = "",
    *,
    exclude: Iterable[int] = (),
    weight: Number | None = None,
    width: Number = WIDTH,
) -> Baseline:
    """Work out the baseline of a phase from its subgroups, None being unknown ones.

    `exclude` names subgroups, by their place from 0, that had a known cause. X̄-R: mean of R / d2; X̄-S: mean of s /
    c4; I-MR and EWMA of single values: mean moving range / d2(2), which skips over nothing: a gap has no moving range;
    EWMA of larger subgroups: as X̄-S. p, np: Σ found / Σ inspected; c, u: likewise per unit. Where sizes differ the
    centre weighs every value alike and every subgroup gives its own estimate of sigma. Raise `Invalid` where the
    subgroups are too few or not of this kind.
    """
    left_out = set(exclude)
    given = [None if place in left_out else one for place, one in enumerate(subgroups)]
    known = [one for one in given if one is not None]
    if not known:
        raise Invalid("A baseline needs subgroups.", field="subgroups")
    lambda_, wide = _tuning(kind, weight, width)
    measured = [one for one in known if isinstance(one, Measured)]
    counted = [one for one in known if isinstance(one, Counted)]
    if len(measured if kind.is_measured else counted) != len(known):
        raise Invalid(f"Subgroups of another kind than {kind.value} needs.", field="subgroups")
    if not kind.is_measured:
        centre, size = _shares(kind, counted)
        return Baseline(kind, phase, centre, None, size, len(known), None, wide)
    sizes = {len(one.values) for one in measured}
    if kind is Kind.I_MR and sizes != {1}:
        raise Invalid("A chart of individual values takes them one by one.", field="subgroups")
    if kind in (Kind.XBAR_R, Kind.XBAR_S) and min(sizes) < 2:
        raise Invalid("A subgroup needs two values or more.", field="subgroups")
    centre = mean(value for one in measured for value in one.values) or Fraction(0)
    sigma = sigma_within(kind, given)
    if sigma is None:
        raise Invalid("Too few subgroups to tell how far the process spreads.", field="subgroups")
    size = Fraction(sizes.pop()) if len(sizes) == 1 else None
    return Baseline(kind, phase, rounded(centre), rounded(sigma), size, len(known), lambda_, wide)


def sigma_within(kind: Kind, subgroups: Sequence[Subgroup | None]) -> Fraction | None:
    """Return the deviation of values within subgroups as a chart of this kind estimates it; None where too few tell."""
    measured = [one for one in subgroups if isinstance(one, Measured)]
    if all(len(one.values) == 1 for one in measured):
        moving = [abs(b.values[0] - a.values[0]) for a, b in neighbours(subgroups)]
        average = mean(moving)
        return None if average is None else average / d2(2)
    several = [one.values for one in measured if len(one.values) > 1]
    if kind is Kind.XBAR_R:
        return mean((max(values) - min(values)) / d2(len(values)) for values in several)
    return mean((deviation(values) or Fraction(0)) / c4(len(values)) for values in several)


def neighbours(subgroups: Sequence[Subgroup | None]) -> list[tuple[Measured, Measured]]:
    """Return each subgroup with the one before it, where both are known."""
    pairs = itertools.pairwise(subgroups)
    return [(a, b) for a, b in pairs if isinstance(a, Measured) and isinstance(b, Measured)]


def _tuning(kind: Kind, weight: Number | None, width: Number) -> tuple[Fraction | None, Fraction]:
    if kind is not Kind.EWMA:
        if weight is not None or exact(width) != WIDTH:
            raise Invalid("Only an EWMA has a weight and a width of its own.", field="weight")
        return None, Fraction(WIDTH)
    if weight is None:
        raise Invalid("An EWMA needs its weight λ.", field="weight")
    lambda_, wide = exact(weight, field="weight"), exact(width, field="width")
    if not 0 < lambda_ <= 1:
        raise Invalid("The weight λ is above 0 and at most 1.", field="weight")
    if wide <= 0:
        raise Invalid("The width L is above 0.", field="width")
    return lambda_, wide


def _shares(kind: Kind, counted: Sequence[Counted]) -> tuple[Fraction, Fraction | None]:
    """Return the mean of counts per inspected unit, and the size where it is one."""
    sizes = {one.inspected for one in counted}
    if kind in (Kind.NP, Kind.C) and len(sizes) > 1:
        raise Invalid("This chart needs subgroups of one size; take p or u for others.", field="subgroups")
    if kind in (Kind.P, Kind.NP):
        check_shares(counted)
    centre = Fraction(sum(one.found for one in counted)) / sum((one.inspected for one in counted), start=Fraction(0))
    return rounded(centre), sizes.pop() if len(sizes) == 1 else None


def check_shares(counted: Iterable[Counted]) -> None:
    """Raise `Invalid` where a subgroup cannot be of items: parts of them, or more found than inspected."""
    for one in counted:
        if one.inspected.denominator != 1:
            raise Invalid("Items are whole.", field="inspected")
        if one.found > one.inspected:
            raise Invalid("More nonconforming items than inspected ones.", field="found")
