"""Write numbers, days and the system's own words the way the reader of a page reads them.

The language is the active one (`django.utils.translation`); its separators and date formats are in
`mes_project/formats`. Only for what people read: attributes of SVG, values of inputs, data attributes, scripts, files
and REST have neither a decimal comma nor separated thousands.
"""

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from django.utils.formats import date_format, get_format
from django.utils.translation import get_language, gettext

from core.vocabulary import WORDS

UNKNOWN = "–"


def plain_decimal(value: Any) -> str:
    """Return a number as the database and scripts write it: no exponent, no needless zeros, a decimal point."""
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
    text = f"{Decimal(value):f}" if not isinstance(value, str) else value
    return text.rstrip("0").rstrip(".") if "." in text else text


def localized(text: str) -> str:
    """Write a number that is text already ("-1234.5") with the reader's separators; other text stays as it is.

    Digits after the point are kept as they are given: whoever rounded knew why.
    """
    bare = text.removeprefix("-").removeprefix("−").removeprefix("+")
    whole, point, decimals = bare.partition(".")
    if not whole.isascii() or not whole.isdigit() or (point and not decimals.isdigit()):
        return text
    sign = text[: len(text) - len(bare)].replace("-", "−")
    separator = get_format("THOUSAND_SEPARATOR")
    return (
        sign + f"{int(whole):,}".replace(",", separator) + (get_format("DECIMAL_SEPARATOR") + decimals if point else "")
    )


def number(value: Any) -> str:
    """Write a number exactly, with the reader's separators; a dash for None."""
    return UNKNOWN if value is None else localized(plain_decimal(value))


def rounded(value: Fraction, places: int) -> str:
    """Write a number rounded half up to so many places, with the reader's separators."""
    scaled = int(
        (Decimal(abs(value).numerator) * 10**places / Decimal(value.denominator)).to_integral_value(ROUND_HALF_UP)
    )
    whole, rest = divmod(scaled, 10**places)
    return localized(f"{'-' if value < 0 and scaled else ''}{whole}{f'.{rest:0{places}d}' if places else ''}")


def clock_duration(spent: timedelta) -> str:
    """Write a duration as h:mm:ss, rounded down to the second."""
    seconds = int(abs(spent).total_seconds())
    sign = "−" if spent < timedelta() else ""
    return f"{sign}{localized(str(seconds // 3600))}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def day(value: date | datetime) -> str:
    """Write a day in the reader's short form."""
    return date_format(value, "SHORT_DATE_FORMAT")


def said(code: object) -> str:
    """Return the reader's word for a word of the system ("on_hold"); one that has none is read as it stands."""
    key = str(getattr(code, "value", code))
    return gettext(WORDS[key]) if key in WORDS else key.replace("_", " ")


def translated(text: object) -> str:
    """Return a text of the system's own catalogues in the reader's language,
    or as it stands where it is the plant's.
    """
    plain = str(text)
    # The translation of nothing is the catalogue's header.
    return gettext(plain) if plain else ""


def in_sentence(label: object) -> str:
    """Return a label as it stands within a sentence: small, unless the language writes nouns large or it is short for
    something ("QC").
    """
    text = str(label)
    if (get_language() or "en").startswith("de") or text[1:2].isupper():
        return text
    return text[:1].lower() + text[1:]
