"""Write exact values and moments so that a person can add them up by hand: nothing is lost in the writing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, get_format
from django.utils.translation import gettext, gettext_lazy

from core.reader import localized, rounded

UNKNOWN = gettext_lazy("not known")
_MICRO = 10**6
_MOST_PLACES = 12


def exact_duration(seconds: Fraction) -> str:
    """Write seconds as h:mm:ss, with a decimal part where there is one; what no microsecond can say, as a fraction."""
    whole, rest = divmod(abs(seconds), 1)
    minutes, second = divmod(int(whole), 60)
    hours, minute = divmod(minutes, 60)
    text = f"{localized(str(hours))}:{minute:02d}:{second:02d}"
    if (rest * _MICRO).denominator == 1:
        micro = f".{int(rest * _MICRO):06d}".rstrip("0").rstrip(".").replace(".", get_format("DECIMAL_SEPARATOR"))
        return f"{'−' if seconds < 0 else ''}{text}{micro}"
    return f"−({text} + {rest} s)" if seconds < 0 else f"{text} + {rest} s"


def exact_number(value: Fraction) -> str:
    """Write a number with the reader's separators, as a decimal where it ends, else as a fraction."""
    scaled = value * 10**_MOST_PLACES
    if scaled.denominator != 1:
        return str(value).replace("-", "−")
    whole, rest = divmod(abs(int(scaled)), 10**_MOST_PLACES)
    decimals = f".{rest:0{_MOST_PLACES}d}".rstrip("0").rstrip(".")
    return localized(f"{'-' if value < 0 else ''}{whole}{decimals}")


def element_words(value: Fraction | None, unit: str) -> str:
    """Write an element's value exactly: seconds as a duration, all else as a number."""
    if value is None:
        return str(UNKNOWN)
    return exact_duration(value) if unit == "seconds" else exact_number(value)


def kpi_words(value: Fraction | None, unit: str) -> str:
    """Write a KPI's value in the reader's terms, rounded for reading."""
    if value is None:
        return str(UNKNOWN)
    match unit:
        case "ratio":
            return f"{rounded(value * 100, 2)} %"
        case "seconds":
            return exact_duration(Fraction(round(value * 100), 100))
        case "per_hour":
            return gettext("%(number)s per hour") % {"number": rounded(value, 1)}
        case "pieces":
            return gettext("%(number)s pieces") % {"number": exact_number(Fraction(round(value * 100), 100))}
    return rounded(value, 4)


def exact_words(value: Fraction, unit: str) -> str:
    """Write a KPI's exact value: a whole number or a fraction, with its unit."""
    words = {
        "seconds": " s",
        "per_hour": " " + gettext("per hour"),
        "pieces": " " + gettext("pieces"),
    }
    return str(value).replace("-", "−") + words.get(unit, "")


@dataclass(frozen=True, slots=True)
class Clock:
    """Write moments as the clock on the site's wall shows them: with the day and the zone's name where it takes those
    to say which moment is meant.
    """

    is_dated: bool = True
    is_named: bool = False

    @classmethod
    def over(cls, moments: Iterable[datetime], zones: Iterable[ZoneInfo]) -> "Clock":
        """Return the clock for moments between some at sites of some zones."""
        local = [moment.astimezone(zone) for zone in set(zones) for moment in moments]
        return cls(
            is_dated=len({moment.date() for moment in local}) > 1,
            is_named=len({moment.utcoffset() for moment in local}) > 1,
        )

    def write(self, moment: datetime, zone: ZoneInfo) -> str:
        """Write a moment, to the microsecond where it has such."""
        return self._write(moment, zone, is_dated=self.is_dated)

    def span(self, start: datetime, end: datetime, zone: ZoneInfo) -> str:
        """Write a stretch of time, or its one moment; the day stands at the end too where it is another."""
        begins = self.write(start, zone)
        if end == start:
            return begins
        other_day = start.astimezone(zone).date() != end.astimezone(zone).date()
        return f"{begins} – {self._write(end, zone, is_dated=self.is_dated and other_day)}"

    def _write(self, moment: datetime, zone: ZoneInfo, *, is_dated: bool) -> str:
        local = moment.astimezone(zone)
        text = date_format(local, "WEEKDAY_SECOND_FORMAT") if is_dated else f"{local:%H:%M:%S}"
        if local.microsecond:
            text += get_format("DECIMAL_SEPARATOR") + f"{local.microsecond:06d}".rstrip("0")
        return f"{text} {local:%Z}" if self.is_named else text


def day_words(moment: datetime, zone: ZoneInfo) -> str:
    """Write the day of a moment at a site."""
    local = moment.astimezone(zone)
    return date_format(local, "LONG_DAY_FORMAT")
