"""Write exact values and moments so that a person can add them up by hand: nothing is lost in the writing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

UNKNOWN = "not known"
_MICRO = 10**6
_MOST_PLACES = 12
_THIN_SPACE = "\u202f"


def exact_duration(seconds: Fraction) -> str:
    """Write seconds as h:mm:ss, with a decimal part where there is one; what no microsecond can say, as a fraction."""
    whole, rest = divmod(abs(seconds), 1)
    minutes, second = divmod(int(whole), 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours:,}:{minute:02d}:{second:02d}".replace(",", _THIN_SPACE)
    if (rest * _MICRO).denominator == 1:
        micro = f".{int(rest * _MICRO):06d}".rstrip("0").rstrip(".")
        return f"{'−' if seconds < 0 else ''}{text}{micro}"
    return f"−({text} + {rest} s)" if seconds < 0 else f"{text} + {rest} s"


def exact_number(value: Fraction) -> str:
    """Write a number with thin spaces between thousands, as a decimal where it ends, else as a fraction."""
    scaled = value * 10**_MOST_PLACES
    if scaled.denominator != 1:
        return str(value).replace("-", "−")
    whole, rest = divmod(abs(int(scaled)), 10**_MOST_PLACES)
    decimals = f".{rest:0{_MOST_PLACES}d}".rstrip("0").rstrip(".")
    return f"{'−' if value < 0 else ''}{whole:,}{decimals}".replace(",", _THIN_SPACE)


def element_words(value: Fraction | None, unit: str) -> str:
    """Write an element's value exactly: seconds as a duration, all else as a number."""
    if value is None:
        return UNKNOWN
    return exact_duration(value) if unit == "seconds" else exact_number(value)


def rounded(value: Fraction, places: int) -> str:
    """Write a number rounded half up to so many places, with thin spaces between thousands."""
    scaled = int(
        (Decimal(abs(value).numerator) * 10**places / Decimal(value.denominator)).to_integral_value(ROUND_HALF_UP)
    )
    whole, rest = divmod(scaled, 10**places)
    decimals = f".{rest:0{places}d}" if places else ""
    return f"{'−' if value < 0 and scaled else ''}{whole:,}{decimals}".replace(",", _THIN_SPACE)


def kpi_words(value: Fraction | None, unit: str) -> str:
    """Write a KPI's value in the reader's terms, rounded for reading."""
    if value is None:
        return UNKNOWN
    match unit:
        case "ratio":
            return f"{rounded(value * 100, 2)} %"
        case "seconds":
            return exact_duration(Fraction(round(value * 100), 100))
        case "per_hour":
            return f"{rounded(value, 1)} per hour"
        case "pieces":
            return f"{exact_number(Fraction(round(value * 100), 100))} pieces"
    return rounded(value, 4)


def exact_words(value: Fraction, unit: str) -> str:
    """Write a KPI's exact value: a whole number or a fraction, with its unit."""
    return str(value).replace("-", "−") + {"seconds": " s", "per_hour": " per hour", "pieces": " pieces"}.get(unit, "")


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
        text = f"{local:%H:%M:%S}"
        if local.microsecond:
            text += f".{local.microsecond:06d}".rstrip("0")
        if is_dated:
            text = f"{local:%a} {local.day} {local:%b} {text}"
        return f"{text} {local:%Z}" if self.is_named else text


def day_words(moment: datetime, zone: ZoneInfo) -> str:
    """Write the day of a moment at a site."""
    local = moment.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B %Y}"
