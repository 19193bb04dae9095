"""Numbers as they come in, and roots as exactly as they are kept."""

from collections.abc import Iterable
from decimal import Context, Decimal
from fractions import Fraction

from core.errors import Invalid

Number = int | Decimal | Fraction

_ROOT = Context(prec=34)
_KEPT = Context(prec=20)


def exact(value: Number, *, field: str = "value") -> Fraction:
    """Return a number as a fraction.

    Raise `Invalid` for a float, whose digits nobody wrote, and for what is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | Fraction):
        raise Invalid("Give an integer, a decimal or a fraction.", field=field)
    if isinstance(value, Decimal) and not value.is_finite():
        raise Invalid("Give a finite number.", field=field)
    return Fraction(value)


def rounded(value: Fraction, context: Context = _KEPT) -> Fraction:
    """Return a number with at most 20 significant digits, so that it fits a column and comes back the same."""
    return Fraction(context.divide(Decimal(value.numerator), Decimal(value.denominator)))


def root(value: Fraction) -> Fraction:
    """Return the square root of a number, which is not below zero, rounded to 34 significant digits."""
    return Fraction(_ROOT.divide(Decimal(value.numerator), Decimal(value.denominator)).sqrt(_ROOT))


def mean(values: Iterable[Fraction]) -> Fraction | None:
    """Return the arithmetic mean; None of nothing."""
    found = list(values)
    return sum(found, start=Fraction(0)) / len(found) if found else None


def deviation(values: Iterable[Fraction]) -> Fraction | None:
    """Return the standard deviation of a sample (divided by n - 1); None of fewer than two values."""
    found = list(values)
    centre = mean(found)
    if centre is None or len(found) < 2:
        return None
    return root(sum(((value - centre) ** 2 for value in found), start=Fraction(0)) / (len(found) - 1))
