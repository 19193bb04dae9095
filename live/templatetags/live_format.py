"""Write exact numbers and times the way people read them. Rounding happens here and nowhere before.

What the first filters return is for reading; `dash`, `degrees`, `tenth`, `svg` and `whole_percent` are for attributes.
"""

from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from zoneinfo import ZoneInfo

from django import template
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core import reader

register = template.Library()
UNKNOWN = reader.UNKNOWN
register.filter("number", reader.number)
register.filter("clock", reader.clock_duration)
register.filter("said", reader.said)
register.filter("translated", reader.translated)
register.filter("in_sentence", reader.in_sentence)
BANDS = ((Fraction(85, 100), "good"), (Fraction(65, 100), "fair"))
"""OEE bands as plants know them: from 85 % good, from 65 % fair, below poor."""
_HALF = Fraction(1, 2)
_SIGNS = {1: "+", 0: "±", -1: "−"}


@register.filter
def percent(ratio: Fraction | None, places: int = 1) -> str:
    """Write a ratio in percent, rounded half up; a dash when it is not known."""
    if ratio is None:
        return UNKNOWN
    return reader.rounded(Fraction(ratio) * 100, places)


@register.filter
def percentage(ratio: Fraction | None, places: int = 1) -> str:
    """Write a ratio in percent with its sign; a dash alone when it is not known."""
    return UNKNOWN if ratio is None else f"{percent(ratio, places)}\N{NO-BREAK SPACE}%"


@register.filter
def pieces(quantity: Fraction | None) -> str:
    """Write a quantity in whole pieces, its thousands set apart."""
    if quantity is None:
        return UNKNOWN
    return reader.rounded(Fraction(quantity), 0)


@register.filter
def signed_pieces(quantity: Fraction | None) -> str:
    """Write how far ahead (+) or behind (−) something is."""
    if quantity is None:
        return UNKNOWN
    whole = _difference(quantity)
    return f"{_SIGNS[_side(whole)]}{pieces(Fraction(abs(whole)))}"


@register.filter
def standing(quantity: Fraction) -> str:
    """Say how something stands that is so far ahead (+) or behind (−), as `signed_pieces` writes it."""
    return {1: _("ahead"), 0: _("on target"), -1: _("behind")}[_side(_difference(quantity))]


def _difference(quantity: Fraction) -> int:
    # Half a piece is rounded down: its target is rounded up, and what stands beside each other has to add up.
    return ceil(quantity - _HALF)


def _side(whole: int) -> int:
    return (whole > 0) - (whole < 0)


@register.filter
def duration(spent: timedelta) -> str:
    """Write a duration in its two largest units."""
    seconds = int(spent.total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds % 60:02d} s" if minutes else f"{seconds} s"


@register.filter
def local_time(at: datetime, zone: ZoneInfo) -> str:
    """Write a moment as the clock on the site's wall shows it."""
    return date_format(at.astimezone(zone), "TIME_FORMAT")


@register.filter
def local_second(at: datetime, zone: ZoneInfo) -> str:
    """Write a moment with seconds, as the clock on the site's wall shows it."""
    return f"{at.astimezone(zone):%H:%M:%S}"


@register.filter
def band(ratio: Fraction | None) -> str:
    """Return the name of the band that a ratio lies in as `percent` writes it: what reads 85.0 is not below 85."""
    if ratio is None:
        return "unknown"
    written = (Fraction(ratio) * 1000 + _HALF) // 1 / Fraction(1000)
    return next((name for least, name in BANDS if written >= least), "poor")


@register.filter
def dash(ratio: Fraction | None, length: int = 100) -> str:
    """Write how much of a ring of some length a ratio fills, for stroke-dasharray."""
    filled = 0 if ratio is None else min(float(ratio), 1.0) * length
    return f"{filled:.2f} {length - filled:.2f}"


@register.filter
def degrees(ratio: Fraction) -> str:
    """Write how far around a ring a ratio lies."""
    return f"{float(ratio) * 360:.1f}"


@register.filter
def tenth(position: float) -> str:
    """Write a position on the 0–1000 scale as a percentage."""
    return f"{position / 10:.2f}"


@register.filter
def whole_percent(ratio: Fraction | None) -> int:
    """Write a ratio as a whole percentage between 0 and 100, for widths."""
    return 0 if ratio is None else max(0, min(100, int(ratio * 100)))


@register.filter
def svg(position: float | Fraction) -> str:
    """Write a length or position for an attribute of SVG, which knows no decimal comma."""
    return f"{float(position):.2f}".rstrip("0").rstrip(".")
