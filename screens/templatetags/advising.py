"""What the pages of advice write: estimates, which nobody needs to the last digit."""

from decimal import Decimal
from fractions import Fraction

from django import template

from core.reader import rounded

register = template.Library()


@register.filter
def round_to(amount: Decimal, places: int) -> str:
    """Return an estimate rounded half up, as the reader writes numbers."""
    return rounded(Fraction(amount), places)
