"""What the pages of maintenance write: how much is used."""

from decimal import Decimal
from fractions import Fraction

from django import template
from django.utils.translation import gettext as _

from core.reader import number

register = template.Library()
_TENTH = Decimal("0.1")


@register.filter
def worn(amount: Fraction | None) -> str:
    """Return days, run hours or pieces to one decimal, as the reader writes numbers."""
    if amount is None:
        return _("not known")
    return number((Decimal(amount.numerator) / amount.denominator).quantize(_TENTH))
