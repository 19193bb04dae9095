"""Exact numbers as they are stored, in millionths, and as they travel: text with a fixed number of decimals."""

from decimal import ROUND_UP, Context, Decimal
from fractions import Fraction

_WIDE = Context(prec=60, rounding=ROUND_UP)


def decimal_text(value: Fraction | None, places: int = 6) -> str | None:
    """Return an exact number with so many decimals (at least one), half to even, as text; None stays unknown."""
    if value is None:
        return None
    units = round(value * 10**places)
    whole, part = divmod(abs(units), 10**places)
    return f"{'-' if units < 0 else ''}{whole}.{part:0{places}d}"


def short_text(value: Fraction, places: int = 9) -> str:
    """Return an exact number with at most so many decimals, half to even, as text without needless zeros."""
    return str(decimal_text(value, places)).rstrip("0").rstrip(".")


def plain_number(value: Decimal | int) -> str:
    """Return a number in full, to its last digit: no exponent, no needless zeros, a decimal point."""
    if isinstance(value, int):
        return str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded_up(quantity: Fraction | Decimal) -> Decimal:
    """Return a quantity in millionths, away from zero: never less than what is meant."""
    exact = Fraction(quantity)
    millionths = -(-abs(exact.numerator) * 10**6 // exact.denominator)
    return Decimal(millionths if exact > 0 else -millionths).scaleb(-6, _WIDE)


def fits_millionths(quantity: Decimal) -> bool:
    """Say whether a quantity is finite and has at most six decimals."""
    return quantity.is_finite() and (Fraction(quantity) * 10**6).denominator == 1
