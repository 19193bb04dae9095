"""A report as data: what a page, a PDF, a workbook and a CSV show, and none of them works out again.

A cell is an exact value with its kind; how people read it, and how a file holds it, follow from that in one place each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core.reader import rounded
from core.spreadsheets import Cell
from oee.kpis import decimal_text
from screens.wording import exact_duration, exact_number, kpi_words

Words = str | Promise
Value = str | Promise | int | Decimal | Fraction | timedelta | datetime | None
TEXT, NUMBER, PIECES, RATIO, SECONDS, MOMENT = "text", "number", "pieces", "ratio", "seconds", "moment"
FIGURES = frozenset({NUMBER, PIECES, RATIO, SECONDS, "per_hour", "index", "exact"})
"""Kinds that are written to the right."""


def words(value: Value, kind: str, zone: ZoneInfo) -> str:
    """Return a value as people read it; an unknown number says so, an empty text is empty."""
    if value is None:
        return "" if kind in (TEXT, MOMENT) else _("not known")
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, timedelta):
        value = Fraction(value // timedelta(microseconds=1), 1_000_000)
    if isinstance(value, str | Promise):
        return str(value)
    exact = Fraction(value)
    match kind:
        case "ratio" | "per_hour":
            return kpi_words(exact, kind)
        case "seconds":
            return exact_duration(Fraction(round(exact)))
        case "pieces":
            return exact_number(Fraction(round(exact * 100), 100))
        case "index":
            return rounded(exact, 4)
        case "exact":
            return decimal_text(exact) or ""
    return exact_number(Fraction(round(exact * 10**6), 10**6))


def held(value: Value, zone: ZoneInfo) -> Cell:
    """Return a value as a file holds it: numbers to 12 places, durations in seconds, moments with their offset."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.astimezone(zone)
    if isinstance(value, timedelta):
        value = Fraction(value // timedelta(microseconds=1), 1_000_000)
    if isinstance(value, Fraction):
        return Decimal(decimal_text(value) or 0).normalize() if value.denominator != 1 else int(value)
    if isinstance(value, Promise):
        return str(value)
    return value


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that stands for itself; `url` leads to how it was computed, `note` says what is odd about it."""

    name: Words
    value: Value
    kind: str
    code: str = ""
    url: str = ""
    note: Words = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name for people, its name in files, and the kind of its values."""

    name: Words
    code: str
    kind: str = TEXT


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table; `url` leads to more of it."""

    values: Sequence[Value]
    url: str = ""
    is_sum: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. `empty` is what stands there without any; `left_out` how many more rows there are."""

    title: Words
    code: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    empty: Words = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart: its name, its exact length (None = not known), and the tone that it is drawn in."""

    name: str
    value: Fraction | None
    tone: str = "accent"


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side. `kind` is that of the values; `goal` is drawn as a line.

    Each chart has its table beside it.
    """

    title: Words
    code: str
    bars: Sequence[Bar]
    kind: str
    goal: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report under a title."""

    title: Words
    code: str
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    note: Words = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. `known_until` is where knowledge ends, `as_of` when it was computed; both are printed on it."""

    kind: str
    title: Words
    place: str
    period: str
    starts_at: datetime
    ends_at: datetime
    known_until: datetime
    as_of: datetime
    zone: ZoneInfo
    address: str
    sections: Sequence[Section] = field(default_factory=tuple)

    @property
    def name(self) -> str:
        """What a file of it is called, without its ending."""
        return f"{self.kind}-{self.place}-{self.starts_at.astimezone(self.zone):%Y-%m-%d}"

    @property
    def is_over(self) -> bool:
        """Whether all of its period is past."""
        return self.ends_at <= self.as_of

    @property
    def head(self) -> list[tuple[str, str]]:
        """What stands above it: place, period, zone, and as of when."""
        return [
            (_("Of"), self.place),
            (_("Period"), self.period),
            (_("From"), words(self.starts_at, MOMENT, self.zone)),
            (_("To"), words(self.ends_at, MOMENT, self.zone)),
            (_("Times are those of"), str(self.zone)),
            (_("Known until"), words(self.known_until, MOMENT, self.zone)),
            (_("As of"), words(self.as_of, MOMENT, self.zone)),
        ]
